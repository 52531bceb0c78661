/** A full RS-485 line at 9600 baud: how much of its time is used, who comes round how often, and that nothing is ever mistaken. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { predictBus } from '../../src/bus/predict.ts'
import { dltMeter, FAST, fakePair, METERS, packed, type Pair, type Station, unit } from './pair.ts'
import { type DeviceSpec, fakeTime, honest, marked, pass, readingsOf, run } from './rig.ts'

beforeEach(fakeTime)
afterEach(() => {
  vi.useRealTimers()
})

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const nodes = Array.from({ length: 32 }, (_, at) => at + 1)
const THINK_MS = 25
/** 20 registers each. */
const block = (everyMs: number): DeviceSpec['points'] => Array.from({ length: 20 }, (_, at) => ({ at, everyMs }))
const asking = (everyMs: number, timeoutMs = 500): DeviceSpec[] =>
  nodes.map((address) => ({ address, line: FAST, limits: { guardMs: 0, timeoutMs }, points: block(everyMs) }))

/** Share of time in which the line carries an exchange: request, the device's thinking, answer, and the silence that must follow. */
function usedShare(pair: Pair, from: number, to: number): number {
  let used = 0
  for (const { at, bytes } of pair.sent) {
    if (at < from || at > to) continue
    const reply = pair.replies.find((each) => each.at > at && each.at < at + 300)
    if (reply !== undefined && bytes.length === 8) used += reply.endAt - at + 3.65
  }
  return used / (to - from)
}

async function passSteadily(ms: number): Promise<void> {
  await pass(0)
  for (let second = 0; second < ms / 1000; second++) await pass(1000)
}

test.each([
  ['all alive', [], 0.9],
  ['three of 32 dead', [5, 17, 30], 0.8],
] as const)('%s: more is asked than fits, and the line is used', async (_, dead, share) => {
  const stations = nodes
    .filter((number) => !dead.some((gone) => gone === number))
    .map((number) => unit(number, FAST, honest, () => THINK_MS))
  const pair = fakePair(stations)
  const { bus } = run({ wire: 'serial', devices: asking(1000) }, pair)
  await passSteadily(300_000)
  expect(usedShare(pair, 1000, 300_000)).toBeGreaterThan(share)
  const measured = bus.status().utilisation
  expect(measured).toBeGreaterThan(0.97)
  await bus.close()
})

test('10,000 exchanges of two protocols at two speeds, three dead, 1 % late: no wrong value, everybody as often as predicted', async () => {
  const random = seeded(20_261_123)
  const dead = [5, 17, 30]
  let late = 0
  const think = (): number => {
    if (random() >= 0.01) return 15 + random() * 20
    late += 1
    return 320 + random() * 400
  }
  const drives = nodes.slice(0, 24)
  const meters = nodes.slice(24)
  const items = (number: number) => (name: string) => (name === '02010100' ? packed(2000 + number, 2) : null)
  const meterOf = (number: number): string => String(number).padStart(12, '0')
  const stations: Station[] = [
    ...drives.map((number) => unit(number, FAST, honest, think)),
    ...meters.map((number) => ({ ...dltMeter(meterOf(number), METERS, items(number)), thinkMs: think })),
  ].filter((_, at) => !dead.includes(at + 1))
  const devices: DeviceSpec[] = [
    ...drives.map((address) => ({ address, line: FAST, limits: { guardMs: 0, timeoutMs: 300 }, points: block(5000) })),
    ...meters.map((number) => ({
      address: meterOf(number),
      protocol: 'dlt645' as const,
      line: METERS,
      limits: { guardMs: 0, timeoutMs: 300 },
      points: [{ at: 0, everyMs: 15_000, place: { protocol: 'dlt645' as const, item: '02010100', as: null } }],
    })),
  ]
  const pair = fakePair(stations)
  const { bus, arrivals, site } = run({ wire: 'serial', devices }, pair)
  const began = performance.now()
  while (pair.sent.length < 10_000) await passSteadily(60_000)
  const tookMs = performance.now() - began

  const readings = readingsOf(arrivals)
  const wrong = readings.filter((reading) => {
    if (!('value' in reading)) return false
    const point = site.points[reading.point]!
    const number = point.device + 1
    const { source } = point
    if (source.from !== 'field') return true
    return source.place.protocol === 'modbus'
      ? reading.value !== marked(number, source.place.address)
      : reading.value !== (2000 + number) / 10
  })
  expect(wrong).toEqual([])
  expect(late).toBeGreaterThan(60)

  const predicted = new Map(
    predictBus(site.bus, site.devices, site.points).intervals.map((each) => [each.device, each.predictedMs]),
  )
  const times = Map.groupBy(readings, ({ point }) => point)
  const worst = site.devices
    .filter(({ index }) => !dead.includes(index + 1))
    .map(({ index, points }) => tookMs / times.get(points[0]!)!.length / predicted.get(index)!)
  expect(worst).toHaveLength(29)
  expect(Math.max(...worst)).toBeLessThan(1.2)
  await bus.close()
})

test('a write begins within one exchange and the silence after it', async () => {
  const pair = fakePair(
    nodes.map((number) =>
      unit(
        number,
        FAST,
        (asked) => (asked.fc === 6 ? asked.pdu : honest(asked)),
        () => THINK_MS,
      ),
    ),
  )
  const spec = asking(1000)
  spec[3]!.points.push({ at: 500, everyMs: null, write: {} })
  const { bus, site } = run({ wire: 'serial', devices: spec }, pair)
  await passSteadily(20_000)
  const point = site.points.find(({ write }) => write !== null)!
  const waits: number[] = []
  for (let round = 0; round < 100; round++) {
    const asked = performance.now()
    const outcome = bus.write({ id: `w${round}`, point: point.index, value: round, by: 'test', role: 'engineer' })
    await pass(500)
    expect((await outcome).outcome).toBe('done')
    waits.push(pair.sent.find(({ at, bytes }) => at >= asked && bytes[1] === 6)!.at - asked)
    await pass(Math.floor(37 * (round % 7)))
  }
  // 8 characters, thinking, 45 characters, 3.5 of silence, and the tick of a timer.
  expect(Math.max(...waits)).toBeLessThan((53 * 10_000) / 9600 + THINK_MS + 3.65 + 2)
  await bus.close()
})

test('too much is asked at two paces: intervals become what was predicted, and what alarms need comes first', async () => {
  const pair = fakePair(nodes.map((number) => unit(number, FAST, honest, () => THINK_MS)))
  const spec = asking(600).map((device, at) => (at % 2 === 0 ? device : { ...device, points: block(4000) }))
  const { bus, site } = run({ wire: 'serial', devices: spec }, pair)
  const { intervals, utilisation } = predictBus(site.bus, site.devices, site.points)
  expect(utilisation).toBeGreaterThan(2)
  await passSteadily(300_000)
  const asked = Map.groupBy(pair.sent, ({ bytes }) => bytes[0])
  for (const { device, predictedMs, everyMs } of intervals) {
    const measuredMs = 300_000 / asked.get(device + 1)!.length
    expect(measuredMs / predictedMs).toBeLessThan(1.2)
    expect(predictedMs).toBeGreaterThan(everyMs)
  }
  await bus.close()

  const again = fakePair(nodes.map((number) => unit(number, FAST, honest, () => THINK_MS)))
  const urgent = new Set(site.devices.slice(0, 4).flatMap(({ points }) => points))
  const second = run({ wire: 'serial', devices: spec }, again, { urgent })
  await passSteadily(300_000)
  const counts = (pairOf: Pair, unitNumber: number): number =>
    pairOf.sent.filter(({ bytes }) => bytes[0] === unitNumber).length
  // Units 1 and 3 want 600 ms, 2 and 4 want 4 s.
  for (const number of [1, 3]) expect(counts(again, number)).toBeGreaterThan(1.4 * counts(pair, number))
  for (const number of nodes) expect(counts(again, number)).toBeGreaterThan(0.5 * counts(pair, number))

  // Alarms changed: now they need others.
  const before = new Map(nodes.map((number) => [number, counts(again, number)]))
  second.bus.favour(new Set(site.devices.slice(4, 8).flatMap(({ points }) => points)))
  await passSteadily(300_000)
  const since = (number: number): number => counts(again, number) - (before.get(number) ?? 0)
  for (const number of [5, 7]) expect(since(number)).toBeGreaterThan(1.4 * counts(pair, number))
  for (const number of [1, 3]) expect(since(number)).toBeLessThan(1.1 * counts(pair, number))
  await second.bus.close()
})

test('two protocols at two settings, more than fits: predicted with what changing costs', async () => {
  const drives = nodes.slice(0, 12)
  const numbers = nodes.slice(12, 24)
  const meterOf = (number: number): string => String(number).padStart(12, '0')
  const place = { protocol: 'dlt645', item: '02010100', as: null } as const
  const pair = fakePair([
    ...drives.map((number) => unit(number, FAST, honest, () => THINK_MS)),
    ...numbers.map((number) => ({
      ...dltMeter(meterOf(number), METERS, () => packed(2000, 2)),
      thinkMs: () => THINK_MS,
    })),
  ])
  const devices: DeviceSpec[] = [
    ...asking(500).slice(0, 12),
    ...numbers.map((number) => ({
      address: meterOf(number),
      protocol: 'dlt645' as const,
      line: METERS,
      points: [{ at: 0, everyMs: 2000, place }],
    })),
  ]
  const { bus, arrivals, site } = run({ wire: 'serial', devices }, pair)
  await passSteadily(300_000)
  const times = Map.groupBy(readingsOf(arrivals), ({ point }) => point)
  for (const { device, predictedMs } of predictBus(site.bus, site.devices, site.points).intervals) {
    const measuredMs = 300_000 / times.get(site.devices[device]!.points[0]!)!.length
    expect(measuredMs / predictedMs).toBeLessThan(1.2)
    expect(measuredMs / predictedMs).toBeGreaterThan(0.8)
  }
  const closing = bus.close()
  await pass(100)
  await closing
})
