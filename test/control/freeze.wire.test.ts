/** Freezes against simulated meters behind a serial server: what is told is what they show and what they kept. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBus, type RunningBus } from '../../src/bus/bus.ts'
import { createMidnights } from '../../src/control/freeze.ts'
import { createFreezeBook } from '../../src/control/freezebook.ts'
import { createSettled } from '../../src/control/settled.ts'
import { setTimeJobs } from '../../src/control/settime.ts'
import type { Sample } from '../../src/model/sample.ts'
import type { Site } from '../../src/model/site.ts'
import { explainDlt645 } from '../../src/protocols/dlt645/index.ts'
import { createClock } from '../../src/runtime/clock.ts'
import { hostClock } from '../../src/runtime/kernel.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { Scope } from '../../src/runtime/scope.ts'
import { createZone } from '../../src/runtime/zone.ts'
import { openSimulator, type Simulator } from '../../src/simulate/simulator.ts'
import { openPipe } from '../../src/transport/open.ts'
import { siteOf } from '../driver/folder.ts'

/** Quick: what is tested is what is said, not how long a line of 2400 baud takes. */
const DRIVER = `driver: meter/bench
title: Bench meter
category: meter
protocol: dlt645
line: 9600 8E1
dlt645: {timeout: 150ms, retries: 0}
polls: {slow: 1h}
points:
  energy_import: {at: "00010000", every: slow, kind: counter}
  energy_import_t1: {at: "00010100", every: slow, kind: counter}
`
/** The meter keeps more than its driver reads. */
const KEPT = `${DRIVER.replace('meter/bench', 'meter/bench_kept')}
  settles: {at: "04000B01", every: slow, title: Settles}
  today: {at: "04000101", every: slow, title: Today}
  clock: {at: "04000102", every: slow, title: Clock}
  last_month: {at: "00010001", every: slow, kind: counter, title: Last month}
  month_before: {at: "00010002", every: slow, kind: counter, title: Month before}
`
const written = (driver: string, wire: string): string => `site: {id: s}
buses: {riser: {wire: "${wire}", setTime: "10 3 * * *"}}
devices:
  flat_1: {driver: meter/${driver}, bus: riser, address: "000000000001"}
  flat_2: {driver: meter/${driver}, bus: riser, address: "000000000002"}
`
const drivers = { 'drivers/meter/bench.yaml': DRIVER, 'drivers/meter/bench_kept.yaml': KEPT }
const scope = new Scope()
const zone = createZone('Asia/Shanghai')
/** Half a minute into December. */
const MIDNIGHT = zone.utcOf({ year: 2026, month: 12, day: 1, hour: 0 })
let simulator: Simulator
let site: Site
let bus: RunningBus
const posted = new Map<number, Sample>()
const clock = createClock('system', { floorMs: 0, sources: hostClock() })

beforeAll(async () => {
  const simulated = siteOf({ ...drivers, 'site.yaml': written('bench_kept', 'tcp://10.0.0.1:4001') })
  simulator = await scope.open(openSimulator({ site: simulated, clock, log: SILENT, seed: 3, portBase: 0 }))
  for (const [key, value] of Object.entries({
    energy_import: 512.5,
    energy_import_t1: 100.25,
    settles: '0100',
    today: '2026-12-01',
    clock: '00:14:40',
    last_month: 512.49,
    month_before: 480,
  }))
    simulator.set(`flat_1.${key}`, value)
  await simulator.pause('flat_2')
  const [wire] = simulator.buses
  site = siteOf({ ...drivers, 'site.yaml': written('bench', wire?.wire ?? '') })
  const [first] = site.buses
  if (first === undefined) throw new Error('no bus')
  bus = await scope.open(
    openBus({
      bus: first,
      devices: site.devices,
      points: site.points,
      clock,
      post(arrival) {
        if (arrival.kind !== 'scan') return
        const { mono } = arrival
        for (const reading of arrival.readings)
          posted.set(
            reading.point,
            'fault' in reading
              ? { point: reading.point, mono, quality: 'bad', cause: reading.fault }
              : { point: reading.point, mono, quality: 'good', value: reading.value },
          )
      },
      log: SILENT,
      signal: new AbortController().signal,
      openPipe,
    }),
  )
})
afterAll(() => scope.close())

test('midnight live, the month from the meter, the silent one told as silent, and the time for all', async () => {
  const told: unknown[] = []
  const states = new Map(
    site.devices.map(({ id }) => [`freeze.${id}`, JSON.stringify({ day: MIDNIGHT - 1, settled: '2026-10-15T00' })]),
  )
  let now = MIDNIGHT + 30_000
  const common = {
    site: () => site,
    zone,
    now: () => now,
    tell(_: string, device: string, body: object): Promise<void> {
      told.push({ device, ...body })
      return Promise.resolve()
    },
    book: createFreezeBook(states, () => Promise.resolve()),
    signal: new AbortController().signal,
  }
  const midnights = createMidnights({
    ...common,
    utc: () => now,
    mono: clock.mono,
    latest: (point) => posted.get(point) ?? { point, mono: 0, quality: 'bad', cause: { kind: 'not_read' } },
    refresh: async (points) => void (await bus.read(points)),
    history: () => Promise.resolve([]),
  })
  const settled = createSettled({
    ...common,
    speaks: (device) => bus.devices().some(({ index, state }) => index === device && state === 'online'),
    ask: ({ link }, question) =>
      link.kind === 'bus'
        ? bus.ask({ protocol: link.protocol, address: link.address, question })
        : Promise.reject(new Error('not on a bus')),
  })
  await midnights()
  const values = { energy_import: 512.5, energy_import_t1: 100.25 }
  const units = { energy_import: 'kWh', energy_import_t1: 'kWh' }
  const day = { device: 'flat_1', period: 'day', at: MIDNIGHT, values, units, readAt: now, source: 'live' }
  expect(told).toEqual([day])

  told.length = 0
  now = MIDNIGHT + 15 * 60_000
  await midnights()
  await settled()
  const month = { device: 'flat_1', period: 'month', units: { energy_import: 'kWh' }, readAt: now, source: 'meter' }
  const faults = { energy_import_t1: 'exception:2' }
  const november = zone.utcOf({ year: 2026, month: 11, day: 1, hour: 0 })
  expect(told).toEqual([
    { device: 'flat_2', period: 'day', at: MIDNIGHT, source: 'none', why: 'timeout' },
    { ...month, at: november, values: { energy_import: 480 }, faults },
    { ...month, at: MIDNIGHT, values: { energy_import: 512.49 }, faults },
  ])

  const heard: Uint8Array[] = []
  const stop = bus.listen((direction, bytes) => void (direction === 'out' && heard.push(bytes)))
  const said: unknown[] = []
  const [job] = setTimeJobs({
    site: () => site,
    zone,
    clock: { now: () => ({ mono: 0, offsetMs: now, quality: 2, errorMs: null }), utc: () => now },
    ask: (_, inquiry) => bus.ask(inquiry),
    tell: async (body) => void said.push(body),
  })
  await job?.run()
  stop()
  expect(said).toMatchObject([{ operation: 'set_time', bus: 'riser', outcome: 'sent' }])
  const frames = heard.flatMap((bytes) => explainDlt645('2007', bytes, null).frames)
  expect(frames.find(({ address }) => address === '999999999999')?.fields).toMatchObject({
    time: '2026-12-01T00:15:00',
  })
})
