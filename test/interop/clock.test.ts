/**
 * A box without a clock battery: the daemon starts in 1970 (libfaketime), polls, alarms, and then time comes in one step, as NTP sets
 * it. A subscriber must never see 1970: telemetry waits and comes with the learnt offset, alarms do not wait and can be dated
 * afterwards by the `time` event. `clock: system` takes the host's clock as synchronised once it is past the floor, so the step from
 * 1970 to now is the synchronisation itself.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  Consumer,
  type Envelope,
  freePort,
  freshDir,
  type Program,
  type PyDevice,
  removeDir,
  startGateway,
  startMosquitto,
  startPymodbus,
  until,
} from './tools.ts'

const DRIVER = `
driver: io/clocked
title: {en: Clocked, zh: 计时}
category: io
protocol: modbus
manual: 0based
source: made for this test
proven: none
polls: {fast: 200ms}
points:
  tick: {at: holding 0, as: u16, every: fast}
  level: {at: input 0, as: u16, every: fast}
alarms:
  high: {when: level > 100, priority: critical, text: {en: High, zh: 高}}
`

/** No true time lies before it: the test itself was written later. */
const NEVER_BEFORE = Date.UTC(2026, 0, 1)

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function libfaketime(): string {
  for (const folder of readdirSync('/usr/lib')) {
    // The one for programs with threads; Debian puts it below the architecture's folder.
    const file = join('/usr/lib', folder, 'faketime/libfaketimeMT.so.1')
    if (existsSync(file)) return file
  }
  throw new Error('libfaketime is missing: apt-get install faketime')
}

let dir: string
let clockFile: string
let mosquitto: Program
let device: PyDevice
let gateway: Program
let consumer: Consumer

beforeAll(async () => {
  dir = freshDir('clock')
  const devicePort = await freePort()
  const cloudPort = await freePort()
  for (const name of ['drivers/io', 'data', 'mosquitto']) mkdirSync(join(dir, name), { recursive: true })
  writeFileSync(join(dir, 'drivers/io/clocked.yaml'), DRIVER)
  writeFileSync(
    join(dir, 'site.yaml'),
    `
lab: true
site: {id: clock_test}
gateway: {clock: system}
store: {cut: {every: 1s}}
uplinks:
  cloud: {dialect: native, tenant: demo, servers: ["mqtt://127.0.0.1:${cloudPort}"]}
buses:
  plant: {wire: "modbus-tcp://127.0.0.1:${devicePort}"}
devices:
  box: {driver: io/clocked, bus: plant, address: 1}
`,
  )
  mosquitto = await startMosquitto(cloudPort, join(dir, 'mosquitto'))
  device = await startPymodbus(['tcp', String(devicePort)])
  await device.order({ ramp: { unit: 1, table: 'holding', address: 0, count: 1, every: 1 } })
  consumer = await Consumer.open(cloudPort, { clientId: 'ingest' })
  clockFile = join(dir, 'faketime')
  // Ten minutes past the epoch, and running.
  writeFileSync(clockFile, `-${Math.floor(Date.now() / 1000) - 600}\n`)
  gateway = startGateway(join(dir, 'site.yaml'), join(dir, 'data'), {
    LD_PRELOAD: libfaketime(),
    FAKETIME_TIMESTAMP_FILE: clockFile,
    FAKETIME_NO_CACHE: '1',
    // A real step of the clock leaves the monotonic one alone, and so timers run.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  })
})

afterAll(async () => {
  await consumer?.close()
  await gateway?.kill()
  await device?.kill()
  await mosquitto?.kill()
  removeDir(dir)
})

type Item = { ty?: string; ev?: string; rule?: string; at: number; body: Record<string, unknown> }

const itemsOf = (lane: 'a' | 'e'): { batch: Envelope & { mo?: number; receivedAt: number }; item: Item }[] =>
  consumer.batches(lane).flatMap((batch) => (batch.x ?? []).map((item) => ({ batch, item: item as unknown as Item })))

/** Every number in what was received that could be a moment, with where it stands. */
function moments(value: unknown, path: string): [string, number][] {
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]): [string, number][] =>
    typeof inner === 'number' && /^(at|t0|utc|tFrom|tTo|firstAt|lastCommitAt|oldest|acknowledgedAt|until)$/.test(key)
      ? [[`${path}.${key}`, inner]]
      : moments(inner, `${path}.${key}`),
  )
}

test('born in 1970, the gateway says nothing of 1970, and what it kept is dated right once time has come', async () => {
  const startedAt = Date.now()
  await until(`the boot event: ${gateway.lines.slice(-5).join('\n')}`, () =>
    itemsOf('e').some(({ item }) => item.ty === 'boot'),
  )
  await until('some ticks', () => device.lines.filter((line) => line.includes('"tick"')).length > 4)
  await device.order({ unit: 1, table: 'input', address: 0, values: [200] })
  const raisedAt = Date.now()
  const raised = await until('the alarm', () =>
    itemsOf('a').find(({ item }) => item.ev === 'raised' && item.rule === 'box.high'),
  )
  // Alarms never wait for the clock.
  expect(Date.now() - raisedAt).toBeLessThan(2000)
  expect(raised.batch.tq).toBe(0)
  await pause(1500)
  // Telemetry does.
  expect(consumer.batches('t')).toEqual([])
  const heldFor = Date.now() - startedAt

  const steppedAt = Date.now()
  writeFileSync(clockFile, '+0\n')
  await until('telemetry', () => consumer.series('box.tick').some(([at]) => at > steppedAt + 3000))
  const told = await until('the time event', () => itemsOf('e').find(({ item }) => item.ty === 'time'))

  // Nothing of it all is dated before the floor.
  const dated = consumer.received.flatMap(({ topic, body }) => moments(body, topic))
  expect(dated.length).toBeGreaterThan(10)
  expect(dated.filter(([, at]) => at < NEVER_BEFORE)).toEqual([])

  // What was read before the step is there, re-based, and says so; what came after is of a trusted clock.
  const early = consumer.batches('t').filter((batch) => batch.tq === 4)
  const late = consumer.batches('t').filter((batch) => batch.tq !== 4)
  expect(early.length).toBeGreaterThan(0)
  for (const batch of late) expect([1, 2]).toContain(batch.tq)

  // Each value within a second of the truth: the device's own log, kept under the true clock. It is polled every 200 ms.
  const ticks = new Map(
    device.lines
      .filter((line) => line.includes('"tick"'))
      .map((line) => JSON.parse(line) as { tick: number; at: number })
      .map(({ tick, at }) => [tick * 7, at]),
  )
  const read = consumer.series('box.tick').filter(([, value]) => typeof value === 'number' && value !== 0)
  const beforeStep = read.filter(([at]) => at < steppedAt)
  expect(beforeStep.length).toBeGreaterThanOrEqual(Math.floor(heldFor / 1000) - 3)
  for (const [at, value] of read.slice(1)) {
    const since = ticks.get(Number(value)) ?? Number.NaN
    expect(at).toBeGreaterThan(since - 1000)
    expect(at).toBeLessThan(since + 1000)
  }

  // Numbers rise strictly, in the order of sending, with none left out.
  for (const lane of ['t', 'a', 'e'] as const) {
    const numbers = consumer.batches(lane).map((batch) => batch.sq)
    expect(numbers).toEqual(numbers.map((_, at) => (numbers[0] ?? 0) + at))
  }

  // With the `time` event a consumer dates the alarm: its monotonic moment is that of `t0` plus the offset.
  const { mo, utc, bt } = told.item.body as { mo: number; utc: number; bt: number }
  expect(bt).toBe(raised.batch.bt)
  expect(Math.abs(utc - told.batch.receivedAt)).toBeLessThan(3000)
  const truly = raised.item.at - raised.batch.t0 + (raised.batch.mo ?? Number.NaN) - mo + utc
  expect(Math.abs(truly - raisedAt)).toBeLessThan(1000)
}, 60_000)
