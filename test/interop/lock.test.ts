/** Two daemons on one data directory: the second says so at once and goes, the first does not notice. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli, freePort, freshDir, type Program, ROOT, removeDir, start, startGateway, until } from './tools.ts'

let dir: string
let site: string
let data: string
let first: Program

beforeAll(async () => {
  dir = freshDir('lock')
  data = join(dir, 'data')
  site = join(dir, 'site.yaml')
  mkdirSync(data)
  // A bus that nobody answers on: what counts is who has the directory.
  writeFileSync(
    site,
    `site: {id: lock_test}\ngateway: {clock: system}\nbuses: {plant: {wire: "modbus-tcp://127.0.0.1:${await freePort()}"}}\ndevices: {pump_1: {driver: pump/abb_acs580, bus: plant, address: 1}}\n`,
  )
  first = startGateway(site, data)
  await until(`the first daemon: ${first.lines.slice(-5).join('\n')}`, () =>
    first.lines.some((line) => line.includes('"ready"')),
  )
})

afterAll(async () => {
  await first?.kill()
  removeDir(dir)
})

async function status(): Promise<{ boot: number; uptimeS: number }> {
  const asked = await cli(['status', '--json', '-d', data])
  expect(asked.code, asked.err).toBeLessThan(2)
  return JSON.parse(asked.out) as { boot: number; uptimeS: number }
}

test('the second daemon ends with 73 and one clear line, the first runs on', async () => {
  const before = await status()
  const took: number[] = []
  for (let k = 0; k < 3; k++) {
    const begun = performance.now()
    const second = start(join(ROOT, 'bin/gatehouse'), ['run', '-c', site, '-d', data])
    const code = await new Promise((resolve) => second.child.once('close', resolve))
    took.push(performance.now() - begun)
    expect(code, second.lines.join('\n')).toBe(73)
    const said = second.lines.filter((line) => line.includes(data))
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/in use by another gatehouse/)
    expect(second.lines.join('\n')).not.toMatch(/\bat .*\.[jt]s:\d+/)
  }
  // Once is enough to show that nothing waits: the machine may be busy.
  expect(Math.min(...took)).toBeLessThan(1000)
  // Its socket still answers, and it is the same run.
  const after = await status()
  expect(after.boot).toBe(before.boot)
  expect(first.child.exitCode).toBeNull()
  expect(first.lines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([])
})

test('killed with -9 it leaves no lock behind', async () => {
  await first.kill('SIGKILL')
  first = startGateway(site, data)
  await until(`the next daemon: ${first.lines.slice(-5).join('\n')}`, () =>
    first.lines.some((line) => line.includes('"ready"')),
  )
  expect((await status()).boot).toBe(2)
})
