/** Words that are not understood, are yet to come or are missing: exit 2, one sentence and what to do, in both languages, as JSON where asked. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRig, type Rig } from '../control/rig.ts'
import { runOn } from './rig.ts'

let rig: Rig
let folder: string
beforeAll(async () => {
  rig = await openRig()
  folder = mkdtempSync(join(tmpdir(), 'gh-usage-'))
})
afterAll(async () => {
  await rig.close()
  rmSync(folder, { recursive: true })
})

describe('verbs of the contract that are yet to come', () => {
  test.each([
    [['shelve', '3', '--for', '2h', '--why', 'works'], 'shelve'],
    [['receive'], 'receive'],
    [['health', 'pump_1'], 'health'],
    [['alarms', 'test', 'water_supply_lost', '--since', '30d'], 'alarms test'],
    [['-d', 'data', 'alarms', 'report'], 'alarms report'],
    [['swap', 'meter_7', '--final', '12'], 'swap'],
    [['doctor'], 'doctor'],
    [['support'], 'support'],
    [['backup', 'file'], 'backup'],
    [['restore', 'file'], 'restore'],
    [['verify', 'file'], 'verify'],
    [['help', 'shelve'], 'shelve'],
  ] as [string[], string][])('%j', async (argv, verb) => {
    const plain = await runOn(argv)
    expect([plain.exit, plain.out]).toEqual([2, ''])
    expect(plain.err).toMatch(new RegExp(`^gatehouse: error: ${verb} is not in this version.*later one\n  → .*\n$`))
    const json = await runOn([...argv, '--json', '--lang', 'zh'])
    expect(JSON.parse(json.err)).toEqual({
      error: { code: 'E_UNKNOWN_OP', message: expect.stringContaining(`没有 ${verb}`), hint: expect.any(String) },
    })
  })

  test('alarms itself is there', async () => {
    expect((await runOn(['alarms', '--all', '-d', rig.data])).exit).toBe(0)
  })
})

describe('what is not understood', () => {
  test.each([
    [['stauts'], 'there is no verb stauts', 'did you mean status?'],
    [['frobnicate'], 'there is no verb frobnicate', '`gatehouse help` lists the verbs'],
    [['help', 'frobnicate'], 'there is no verb frobnicate', '`gatehouse help` lists the verbs'],
    [['status', '--jsn'], 'there is no option --jsn here', 'did you mean --json?'],
    [['--lang', 'en', 'status', '--frob'], 'there is no option --frob here', '`gatehouse help status` shows how'],
    [['-d', 'data', 'status', 'a', 'b'], 'status takes 0 words, not 2: a, b', '`gatehouse help status` shows how'],
    [['read'], '<points> is missing', '`gatehouse help read` shows how'],
    [['status', '--lang', '-d', 'data'], '--lang wants a value', '--lang en or --lang zh'],
    [['-d', '', 'status'], '-d wants a value', 'the data directory of the daemon: -d DIR'],
    [['run', '--config='], '--config wants a value', 'the site file: -c FILE'],
    [[], 'say a verb', '`gatehouse help` lists the verbs'],
  ] as [string[], string, string][])('%j', async (argv, message, hint) => {
    const { exit, err, out } = await runOn([...argv, '--json'])
    expect([exit, out]).toEqual([2, ''])
    const said = JSON.parse(err)
    expect(said).toEqual({ error: { code: 'E_ARGS', message: expect.any(String), hint: expect.any(String) } })
    if (hint !== '') expect([said.error.message, said.error.hint]).toEqual([message, hint])
    const chinese = await runOn([...argv, '--lang', 'zh'])
    expect(chinese.exit).toBe(2)
    expect(chinese.err).toMatch(/\p{Script=Han}/u)
  })

  test('without a verb a person gets the help as well', async () => {
    const { exit, out, err } = await runOn([])
    expect([exit, out]).toEqual([2, ''])
    expect(err).toMatch(/^Usage: gatehouse[\s\S]*say a verb/)
  })
})

describe('the language where neither --lang nor LANG says', () => {
  const LANG = { io: { env: { LANG: 'C.UTF-8' } } }

  test('a refusal of the daemon comes whole in the language of its site', async () => {
    expect((await runOn(['devices', 'nosuch', '-d', rig.data], LANG)).err).toMatch(/^gatehouse: 错误: 没有设备/)
  })

  test('without a daemon: as the site file plainly says', async () => {
    const file = join(folder, 'site.yaml')
    writeFileSync(file, 'site: {id: a}\nlanguage: zh   # ours\n')
    const asked = ['status', '-d', folder, '-c', file]
    expect((await runOn(asked, LANG)).err).toContain('没有守护进程')
    expect((await runOn([...asked, '--lang', 'en'], LANG)).err).toContain('no daemon')
    expect((await runOn(asked, { io: { env: { LANG: 'en_US.UTF-8' } } })).err).toContain('no daemon')
    expect((await runOn(['drivers', 'list', '-c', file], LANG)).lines[0]).toMatch(/^驱动/)
    expect((await runOn(['status', '-d', folder, '-c', join(folder, 'none.yaml')], LANG)).err).toContain('no daemon')
  })
})

describe('a site file that run refuses', () => {
  test.each(['simulate'])('%s --json: one error, with its place, and where the others are', async (verb) => {
    const file = join(folder, 'bad.yaml')
    writeFileSync(file, 'site: {idd: x}\n')
    const { exit, err, out } = await runOn([verb, '-c', file, '--json'])
    expect([exit, out]).toEqual([78, ''])
    expect(JSON.parse(err)).toEqual({
      error: {
        code: 'E_CONFIG',
        message: expect.stringMatching(/bad\.yaml:1:\d+ /),
        hint: expect.stringContaining(`gatehouse check -c ${file}`),
      },
    })
  })
})

test('replay --json is one document, also of a capture that ends in the middle of a frame', async () => {
  const file = join(folder, 'capture.jsonl')
  const lines = [
    {
      capture: 'gatehouse/1',
      site: 'a',
      bus: 'b',
      wire: 'tcp://10.1.1.30:4196',
      framings: ['rtu'],
      at: 1_700_000_000_000,
    },
    { t_us: 1000, dir: 'out', hex: '01030000000ac5cd' },
    { t_us: 9000, dir: 'in', hex: '010314' },
  ]
  writeFileSync(file, `${lines.map((line) => JSON.stringify(line)).join('\n')}\n`)
  const { exit, out, err } = await runOn(['replay', file, '--json'])
  expect([exit, err]).toEqual([1, ''])
  expect(JSON.parse(out)).toMatchObject({
    rows: [{ dir: 'out', frames: [{ function: '3 read holding registers' }] }, {}],
    frames: 1,
    junk: 3,
  })
})
