import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { width } from '../../src/cli/table.ts'
import { openRig, type Rig } from '../control/rig.ts'
import { folder } from '../driver/folder.ts'
import { runOn } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

const run = (...argv: string[]) => runOn(['prove', ...argv, '-d', rig.data, '--lang', 'en'])

describe('for scripts', () => {
  test('a value that agrees is kept with who and when', async () => {
    expect(await run('pump_1.outlet_pressure', '--seen', '0.31', '--by', 'Li Wei')).toMatchObject({ exit: 0 })
    expect(rig.fake.refreshed).toEqual([[0]])
    const kept = JSON.parse(rig.fake.states.get('proof.pump_1.outlet_pressure') ?? '{}')
    expect(kept).toMatchObject({ value: 0.31, seen: '0.31', agrees: true, by: 'Li Wei', raw: null })
    expect(rig.fake.audits.map(({ operation, phase }) => [operation, phase])).toEqual([
      ['prove_keep', 'begun'],
      ['prove_keep', 'ended'],
    ])
  })

  test('another value is kept too, and fails', async () => {
    const { exit, out } = await run('pump_1.outlet_pressure', '--seen', '3.1')
    expect([exit, out.includes('DIFFERS')]).toEqual([1, true])
  })

  test('a point without a value fails and says why', async () => {
    const { exit, out } = await run('meter_7.energy', '--seen', '5')
    expect([exit, out.includes('wire or connection gone')]).toEqual([1, true])
    expect(rig.fake.states.size).toBe(0)
  })

  test('one value is for one point', async () => {
    expect(await run('pump_1', '--seen', '5')).toMatchObject({ exit: 2 })
  })

  test('without a terminal it says what to do', async () => {
    const { exit, err } = await run()
    expect([exit, err.includes('--seen')]).toEqual([2, true])
  })
})

describe('at a terminal', () => {
  async function walk(...typed: string[]) {
    const asked = [...typed]
    return runOn(['prove', 'pump_1', '-d', rig.data, '--lang', 'zh'], {
      io: { question: async () => asked.shift() },
    })
  }

  test('Enter keeps what is shown, a number what was typed, s skips, q ends', async () => {
    const { lines, exit } = await walk('', 'no', 'q')
    for (const line of lines) expect(width(line), line).toBeLessThanOrEqual(80)
    expect(exit).toBe(1)
    expect(rig.fake.states.size).toBe(2)
    expect(JSON.parse(rig.fake.states.get('proof.pump_1.running') ?? '{}')).toMatchObject({ seen: 'no', agrees: false })
    expect(lines.at(-2)).toContain('3 点中 1 点一致')
  })

  test('what cannot be compared is asked again; b goes back', async () => {
    await walk('fine', '0.31', 'b', '', 's', 's')
    expect(JSON.parse(rig.fake.states.get('proof.pump_1.outlet_pressure') ?? '{}')).toMatchObject({ agrees: true })
    expect(rig.fake.states.size).toBe(1)
  })
})

describe('the report', () => {
  const file = (): string => join(folder({}), 'report.html')

  test('covers every point and fails while one was never good', async () => {
    await run('pump_1.outlet_pressure', '--seen', '0.31')
    const at = file()
    const { exit, out } = await run('--report', at)
    expect(exit).toBe(1)
    expect(out).toContain('never good: pump_1.setpoint, meter_7.energy')
    const html = readFileSync(at, 'utf8')
    for (const point of ['outlet_pressure', 'running', 'setpoint', 'energy', 'temperature'])
      expect(html).toContain(`<td>${point}</td>`)
    expect(html).toContain('从未正常 never good')
    expect(html).toContain('尚未完成 Not complete.')
    // Nothing from outside, nothing that runs.
    expect(html).not.toMatch(/<script|https?:|src=|@import|url\(/)
  })

  test('passes when every point was good', async () => {
    rig.fake.turn([{ point: 3, mono: 1_000_000, quality: 'good', value: 12.5 }])
    rig.fake.turn([{ point: 4, mono: 1_000_000, quality: 'good', value: 21 }])
    rig.fake.turn([{ point: 2, mono: 1_000_000, quality: 'good', value: 0.35 }])
    const at = file()
    expect((await run('--report', at)).exit).toBe(0)
    expect(readFileSync(at, 'utf8')).toContain('未核对 not compared')
  })

  test('what people typed is text', async () => {
    await run('pump_1.outlet_pressure', '--seen', '0.31', '--by', '<b>"&')
    const at = file()
    await run('--report', at)
    expect(readFileSync(at, 'utf8')).toContain('&lt;b&gt;&quot;&amp;')
  })
})
