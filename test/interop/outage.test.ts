/**
 * mosquitto stopped for 30 s under 200 points at 1 s, the gateway killed with -9 in the middle of it. Afterwards the
 * subscriber (persistent session, mosquitto with persistence) must have every number below the last `ack`, or its declared drop,
 * every value must fit the device's own log, and live data must be young at once.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  Consumer,
  freePort,
  freshDir,
  identityOf,
  type Program,
  type PyDevice,
  removeDir,
  startGateway,
  startMosquitto,
  startPymodbus,
  undeclaredGaps,
  until,
} from './tools.ts'

const POINTS = 200

const driver = `
driver: io/ramp
title: {en: Ramp, zh: 斜坡}
category: io
protocol: modbus
manual: 0based
source: made for this test
proven: none
polls: {fast: 1s}
points:
${Array.from({ length: POINTS / 2 }, (_, k) => `  r_${k}: {at: holding ${k}, as: u16, every: fast}`).join('\n')}
`

let dir: string
let mosquitto: Program
let device: PyDevice
let gateway: Program
let consumer: Consumer
let cloudPort: number

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const run = (): Program => startGateway(join(dir, 'site.yaml'), join(dir, 'data'))

beforeAll(async () => {
  dir = freshDir('outage')
  const devicePort = await freePort()
  cloudPort = await freePort()
  for (const name of ['drivers/io', 'data', 'mosquitto']) mkdirSync(join(dir, name), { recursive: true })
  writeFileSync(join(dir, 'drivers/io/ramp.yaml'), driver)
  writeFileSync(
    join(dir, 'site.yaml'),
    `
lab: true
site: {id: outage_test}
gateway: {clock: system}
store: {cut: {every: 2s}}
uplinks:
  cloud: {dialect: native, tenant: demo, servers: ["mqtt://127.0.0.1:${cloudPort}"], backfill: {rate: 1MiB/s, delay: 2s}}
buses:
  plant: {wire: "modbus-tcp://127.0.0.1:${devicePort}"}
devices:
  ramp_1: {driver: io/ramp, bus: plant, address: 1}
  ramp_2: {driver: io/ramp, bus: plant, address: 2}
`,
  )
  mosquitto = await startMosquitto(cloudPort, join(dir, 'mosquitto'))
  device = await startPymodbus(['tcp', String(devicePort)])
  for (const unit of [1, 2])
    await device.order({ ramp: { unit, table: 'holding', address: 0, count: POINTS / 2, every: 1 } })
  consumer = await Consumer.open(cloudPort, { clientId: 'ingest', persistent: true })
  gateway = run()
})

afterAll(async () => {
  await consumer?.close()
  await gateway?.kill()
  await device?.kill()
  await mosquitto?.kill()
  removeDir(dir)
})

test('broker away for 30 s, gateway killed meanwhile: nothing missing, nothing wrong, live first', async () => {
  await until(`live data: ${gateway.lines.slice(-3).join('\n')}`, () => consumer.series('ramp_1.r_0').length > 5)

  await mosquitto.kill('SIGTERM')
  const stoppedAt = Date.now()
  await pause(15_000)
  await gateway.kill('SIGKILL')
  await pause(1_000)
  gateway = run()
  await pause(Math.max(0, stoppedAt + 30_000 - Date.now()))
  mosquitto = await startMosquitto(cloudPort, join(dir, 'mosquitto'))

  const connectedAt = await until(
    'the gateway back on line',
    () =>
      consumer.received.find(
        ({ topic, at, body }) => topic.endsWith('/s') && body['on'] === true && at > stoppedAt + 29_000,
      )?.at,
    90_000,
  )
  // Young data first: within 10 s of the reconnect the newest sample of each live batch is younger than 5 s.
  await until(
    'live batches after the reconnect',
    () => consumer.batches('t').some((batch) => batch.topic.endsWith('/t') && batch.receivedAt > connectedAt + 9_000),
    30_000,
  )
  const newest = (batch: { t0: number; d?: { t: number[] }[] }): number =>
    Math.max(...(batch.d ?? []).flatMap((entry) => entry.t.map((offset) => batch.t0 + offset)))
  const arriving = consumer
    .batches('t')
    .filter(
      (batch) =>
        batch.receivedAt > connectedAt && batch.receivedAt <= connectedAt + 10_000 && batch.topic.endsWith('/t'),
    )
  const young = arriving.filter((batch) => batch.receivedAt - newest(batch) < 5_000)
  expect(young.length).toBeGreaterThan(0)
  // From 10 s on, all that comes on the live topic is young.
  const later = consumer
    .batches('t')
    .filter((batch) => batch.receivedAt > connectedAt + 10_000 && batch.topic.endsWith('/t'))
  for (const batch of later) expect(batch.receivedAt - newest(batch)).toBeLessThan(5_000)

  // A heartbeat comes every 30 s: wait for one that acknowledges what was cut during the outage.
  const beat = await until(
    'a heartbeat after the backlog',
    () =>
      consumer
        .heartbeats()
        .find((heartbeat) => heartbeat.at > connectedAt + 5_000 && heartbeat.ln.t.hi - heartbeat.ln.t.ack < 5),
    100_000,
  )
  for (const lane of ['t', 'a', 'e'] as const) expect(undeclaredGaps(consumer, lane, beat.ln[lane].ack)).toEqual([])
  expect(beat.ln.t.ack).toBeGreaterThan(10)

  // The same number never carries other content.
  const ids = new Map<string, string>()
  for (const batch of [...consumer.batches('t'), ...consumer.batches('e')]) {
    expect(identityOf(batch)).toBe(batch.id)
    const name = `${batch.ln}/${batch.ep}/${batch.sq}`
    expect(ids.get(name) ?? batch.id).toBe(batch.id)
    ids.set(name, batch.id)
  }

  // Every value fits the device's log: it is that of a tick which was current when the sample was taken.
  const ticks = device.lines
    .filter((line) => line.includes('"tick"'))
    .map((line) => JSON.parse(line) as { tick: number; at: number })
  let checked = 0
  for (const unit of [1, 2]) {
    for (const k of [0, 1, 50, 99]) {
      for (const [at, value, cause] of consumer.series(`ramp_${unit}.r_${k}`)) {
        if (value === null) {
          expect(['not_read', 'timeout', 'closed', 'refused']).toContain(cause)
          continue
        }
        const tick = ((value as number) - k) / 7
        if (tick === 0 || value === 0) continue
        const from = ticks.find((row) => row.tick === tick)?.at ?? Number.NaN
        const to = ticks.find((row) => row.tick === tick + 1)?.at ?? Date.now()
        expect(at).toBeGreaterThanOrEqual(from - 100)
        expect(at).toBeLessThanOrEqual(to + 400)
        checked += 1
      }
    }
  }
  expect(checked).toBeGreaterThan(200)

  // The dead seconds of the kill are the only hole in the ticks, and no longer than the restart took.
  const seen = new Set(consumer.series('ramp_1.r_0').map(([, value]) => (value as number) / 7))
  const all = ticks.filter((row) => row.at > stoppedAt && row.at < connectedAt).map((row) => row.tick)
  const missed = all.filter((tick) => !seen.has(tick))
  expect(missed.length).toBeLessThanOrEqual(7)
}, 240_000)
