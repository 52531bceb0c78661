/** Modbus RTU over a pty pair of socat with pymodbus behind it: the adapter is pulled out and put back. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  cli,
  freshDir,
  type Program,
  type PyDevice,
  removeDir,
  start,
  startGateway,
  startPymodbus,
  until,
} from './tools.ts'

const DRIVER = `
driver: io/one_register
title: {en: One register, zh: 单寄存器}
category: io
protocol: modbus
manual: 0based
source: made for this test
proven: none
line: 9600 8N1
modbus: {timeout: 300ms, retries: 1}
polls: {fast: 500ms}
points:
  level: {at: holding 0, as: u16, every: fast}
`

let dir: string
let socat: Program
let device: PyDevice
let gateway: Program

async function plugIn(): Promise<void> {
  const [ours, theirs] = [join(dir, 'tty_gateway'), join(dir, 'tty_device')]
  socat = start('socat', [`pty,raw,echo=0,link=${ours}`, `pty,raw,echo=0,link=${theirs}`])
  await until(`socat: ${socat.lines.join(' ')}`, () => existsSync(ours) && existsSync(theirs))
  device = await startPymodbus(['rtu', theirs, '9600'])
  await device.order({ unit: 1, table: 'holding', address: 0, values: [1234] })
}

type Row = { point: string; value: number | null; quality: string; cause: string | null }

async function level(): Promise<Row | undefined> {
  const { out } = await cli(['points', 'box_1.level', '--json', '-d', join(dir, 'data')])
  return out === '' ? undefined : (JSON.parse(out) as Row[])[0]
}

beforeAll(async () => {
  dir = freshDir('serial')
  for (const name of ['drivers/io', 'data']) mkdirSync(join(dir, name), { recursive: true })
  writeFileSync(join(dir, 'drivers/io/one_register.yaml'), DRIVER)
  writeFileSync(
    join(dir, 'site.yaml'),
    `
site: {id: serial_test}
gateway: {clock: system}
buses:
  riser: {wire: ${join(dir, 'tty_gateway')}, line: 9600 8N1}
devices:
  box_1: {driver: io/one_register, bus: riser, address: 1}
`,
  )
  await plugIn()
  gateway = startGateway(join(dir, 'site.yaml'), join(dir, 'data'))
})

afterAll(async () => {
  await gateway?.kill()
  await device?.kill()
  await socat?.kill()
  removeDir(dir)
})

test('out and back: bad with a cause, one alarm, good again within 5 s', async () => {
  await until(`a first value: ${gateway.lines.slice(-3).join('\n')}`, async () => (await level())?.value === 1234)

  await socat.kill('SIGKILL')
  await device.kill('SIGKILL')
  const bad = await until('bad quality', async () => {
    const row = await level()
    return row?.quality === 'bad' ? row : undefined
  })
  expect(bad.value).toBeNull()
  expect(['closed', 'refused', 'timeout']).toContain(bad.cause)

  type AlarmRow = { rule: string; active: boolean; no: number }
  const alarms = async (): Promise<AlarmRow[]> =>
    JSON.parse((await cli(['alarms', '--all', '--json', '-d', join(dir, 'data')])).out) as AlarmRow[]
  await until('an alarm', async () => (await alarms()).some((alarm) => alarm.active))
  const raised = await alarms()
  expect(raised.filter((alarm) => alarm.active).map((alarm) => alarm.rule)).toEqual(['bus_offline.riser'])

  await plugIn()
  const backAt = Date.now()
  await until('good again', async () => (await level())?.quality === 'good', 10_000)
  expect(Date.now() - backAt).toBeLessThan(5_000)
  await until('the alarm returned', async () => (await alarms()).every((alarm) => !alarm.active))
  expect(await alarms()).toHaveLength(1)
})
