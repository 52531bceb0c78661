/** Several protocols and line settings on one RS-485 pair, and others who speak on it. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { RunningBus } from '../../src/bus/bus.ts'
import type { Place } from '../../src/model/point.ts'
import { cjt188 } from '../../src/protocols/cjt188/index.ts'
import { cjt188Framing } from '../../src/protocols/cjt188/framing.ts'
import { buildFrame, parseFrame } from '../../src/protocols/dlt645/frame.ts'
import { dlt645Framing } from '../../src/protocols/dlt645/framing.ts'
import { broadcastTime } from '../../src/protocols/dlt645/index.ts'
import { rtu } from '../../src/protocols/modbus/framing.ts'
import { cjtMeter, dltMeter, FAST, fakePair, type Items, METERS, packed, type Station, unit } from './pair.ts'
import { type DeviceSpec, fakeTime, honest, marked, pass, readingsOf, rtuFrame, run } from './rig.ts'

beforeEach(fakeTime)
afterEach(() => {
  vi.useRealTimers()
})

/** A port that is being opened or retuned is waited for, and that takes time. */
async function shut(bus: RunningBus): Promise<void> {
  const closing = bus.close()
  await pass(100)
  await closing
}

const item = (text: string): Place => ({ protocol: 'dlt645', item: text, as: null })
const volume = (): Place => {
  const placed = cjt188.place({ at: '901F', field: 'total' })
  if (typeof placed === 'string') throw new Error(placed)
  return placed.place
}

/** Its own number is in what it says: 12345.6 V would be another's. */
const own =
  (number: number): Items =>
  (name) =>
    name === '02010100' ? packed(2000 + number, 2) : name === '00010000' ? packed(number * 1000, 4) : null

const meterOf = (number: number): string => String(number).padStart(12, '0')
const waterOf = (number: number): string => `3378${String(number).padStart(10, '0')}`
const LIMITS = { timeoutMs: 600, guardMs: 0 }

const drives = (numbers: number[], everyMs = 1000): DeviceSpec[] =>
  numbers.map((address) => ({ address, line: FAST, limits: LIMITS, points: [{ at: 10, everyMs }] }))
const meters = (numbers: number[], everyMs = 5000): DeviceSpec[] =>
  numbers.map((number) => ({
    address: meterOf(number),
    protocol: 'dlt645',
    line: METERS,
    limits: LIMITS,
    points: [{ at: 0, everyMs, place: item('02010100') }],
  }))

describe('three protocols and two line settings on one pair', () => {
  const devices: DeviceSpec[] = [
    ...drives([1, 2, 3]),
    ...meters([11, 12, 13]),
    {
      address: waterOf(5),
      protocol: 'cjt188',
      line: METERS,
      limits: LIMITS,
      points: [{ at: 0, everyMs: 10_000, place: volume() }],
    },
  ]
  const stations: Station[] = [
    ...[1, 2, 3].map((number) => unit(number, FAST, honest)),
    ...[11, 12, 13].map((number) => dltMeter(meterOf(number), METERS, own(number))),
    cjtMeter(waterOf(5), METERS, 12_340),
  ]

  test('everybody answers for himself, requests go out with the right setting, after the right silence', async () => {
    const pair = fakePair(stations)
    const { bus, arrivals, site } = run({ wire: 'serial', devices }, pair)
    await pass(60_000)
    const expected = [marked(1, 10), marked(2, 10), marked(3, 10), 201.1, 201.2, 201.3, 12.34]
    const readings = readingsOf(arrivals)
    expect(readings.filter((reading) => !('value' in reading && reading.value === expected[reading.point]))).toEqual([])
    const counts = site.points.map(({ index }) => readings.filter(({ point }) => point === index).length)
    expect(Math.min(...counts.slice(0, 3))).toBeGreaterThan(55)
    expect(Math.min(...counts.slice(3, 6))).toBeGreaterThan(11)
    expect(counts[6]).toBeGreaterThan(5)
    for (const { bytes, line } of pair.sent) expect(line).toEqual(bytes[0] === 0xfe ? METERS : FAST)
    const activity = [...pair.sent, ...pair.replies].sort((a, b) => a.at - b.at)
    for (const [at, { at: began }] of activity.entries()) {
      const before = activity[at - 1]
      const request = pair.sent.find((each) => each.at === began)
      if (before === undefined || request === undefined) continue
      const { bytes, line } = request
      // Timers in tests count whole milliseconds.
      const framing = bytes[0] !== 0xfe ? rtu : parseFrame(bytes) === null ? cjt188Framing : dlt645Framing
      expect(began - before.endAt).toBeGreaterThanOrEqual(framing.quietMs(line) - 1)
    }
    expect(bus.status()).toMatchObject({ state: 'online', foreignFrames: 0, lateFrames: 0, opens: 1, strangers: [] })
    await shut(bus)
  })

  test('the setting changes as seldom as it can, is counted, and an idle line does not change it at all', async () => {
    const pair = fakePair(stations)
    const { bus } = run({ wire: 'serial', devices }, pair)
    await pass(120_000)
    const { lineChanges, lineChangeMs } = bus.status()
    // Parity cannot be changed in place: each change is an opening. The very first opening is none.
    expect(lineChanges).toBe(pair.retunes.length - 1)
    expect(lineChangeMs).toBeGreaterThanOrEqual(15)
    // 72 of the meters' exchanges in two minutes: at most there and back for each.
    expect(lineChanges).toBeLessThanOrEqual(2 * 90)
    await shut(bus)
  })

  test('where only the speed differs the port stays open', async () => {
    const slow = { ...FAST, baud: 2400 }
    const pair = fakePair([unit(1, FAST, honest), unit(2, slow, honest)])
    const spec = [...drives([1]), { address: 2, line: slow, limits: LIMITS, points: [{ at: 10 }] }]
    const { bus, arrivals } = run({ wire: 'serial', devices: spec }, pair)
    await pass(20_000)
    expect(pair.retunes.filter(({ how }) => how === 'opened')).toHaveLength(1)
    expect(pair.retunes.length).toBeGreaterThan(10)
    expect(readingsOf(arrivals).every((reading) => 'value' in reading)).toBe(true)
    await shut(bus)
  })

  test('more than fits: exchanges of one setting stay together', async () => {
    const many = Array.from({ length: 12 }, (_, at) => at + 1)
    const pair = fakePair([
      ...many.map((number) => unit(number, FAST, honest)),
      ...many.map((number) => dltMeter(meterOf(number), METERS, own(number))),
    ])
    const spec = [...drives(many, 500), ...meters(many, 500)]
    const { bus } = run({ wire: 'serial', devices: spec }, pair)
    await pass(120_000)
    const changes = pair.sent.filter(({ line }, at) => at > 0 && pair.sent[at - 1]!.line !== line).length
    expect(pair.sent.length / changes).toBeGreaterThan(4)
    const byAddress = new Map<string, number>()
    for (const { bytes } of pair.sent) {
      const who = bytes[0] === 0xfe ? (parseFrame(bytes)?.address ?? '') : String(bytes[0])
      byAddress.set(who, (byAddress.get(who) ?? 0) + 1)
    }
    const counts = [...byAddress.values()]
    expect(counts).toHaveLength(24)
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(Math.max(...counts) * 0.75)
    await shut(bus)
  })

  test('the adapter does not come back for the other setting: offline once, good again after', async () => {
    const pair = fakePair(stations)
    const { bus, arrivals } = run({ wire: 'serial', devices }, pair)
    await pass(3000)
    arrivals.length = 0
    pair.refusing = true
    pair.pull()
    await pass(20_000)
    expect(arrivals.filter(({ kind }) => kind === 'bus')).toMatchObject([{ state: 'offline' }])
    pair.refusing = false
    arrivals.length = 0
    await pass(8000)
    expect(arrivals.filter(({ kind }) => kind === 'bus')).toMatchObject([{ state: 'online' }])
    expect(new Set(readingsOf(arrivals).map(({ point }) => point)).size).toBe(7)
    await shut(bus)
  })
})

describe('an answer in several frames', () => {
  test('is asked for to its end within one turn of the wire', async () => {
    const energies = Uint8Array.from({ length: 20 }, (_, at) => (at % 4 === 0 ? at / 4 : 0))
    const items: Items = (name) => (name === '0001FF00' ? energies : own(7)(name))
    const pair = fakePair([dltMeter(meterOf(7), FAST, items, { parts: 3 }), unit(1, FAST, honest)])
    const tariffs = ['00010000', '00010100', '00010200', '00010300', '00010400']
    const meter: DeviceSpec = {
      address: meterOf(7),
      protocol: 'dlt645',
      line: FAST,
      limits: LIMITS,
      points: tariffs.map((name) => ({ at: 0, everyMs: 2000, place: item(name) })),
    }
    const { bus, arrivals } = run({ wire: 'serial', devices: [meter, ...drives([1], 100)] }, pair)
    await pass(20_000)
    const kinds = pair.sent.map(({ bytes }) => parseFrame(bytes)?.control ?? 0)
    const parts = kinds.flatMap((control, at) => (control === 0x11 ? [kinds.slice(at, at + 3)] : []))
    expect(parts.length).toBeGreaterThan(8)
    for (const three of parts) expect(three).toEqual([0x11, 0x12, 0x12])
    const read = readingsOf(arrivals).filter(({ point }) => point < 5)
    expect(read.length).toBeGreaterThan(40)
    expect(read.every((reading) => 'value' in reading && reading.value === reading.point / 100)).toBe(true)
    await shut(bus)
  })

  test('a part that never comes is a timeout of the whole, and the silence after it holds', async () => {
    let parts = 0
    const whole = dltMeter(meterOf(7), FAST, () => new Uint8Array(8), { parts: 2 })
    const torn: Station = {
      ...whole,
      hear: (sent) => (parseFrame(sent)?.control === 0x12 && parts++ < 1 ? null : whole.hear(sent)),
    }
    const pair = fakePair([torn])
    const devices: DeviceSpec[] = [
      {
        address: meterOf(7),
        protocol: 'dlt645',
        line: FAST,
        limits: LIMITS,
        points: [{ at: 0, place: { protocol: 'dlt645', item: '00010000', as: null } }],
      },
    ]
    const { bus } = run({ wire: 'serial', devices }, pair)
    await pass(5000)
    expect(bus.devices()[0]!.errors.timeout).toBe(1)
    const second = pair.sent[1]!
    const third = pair.sent[2]!
    expect(parseFrame(second.bytes)?.control).toBe(0x12)
    expect(parseFrame(third.bytes)?.control).toBe(0x11)
    expect(third.at - second.at).toBeGreaterThan(2 * 600)
    await shut(bus)
  })
})

describe('others on the wire', () => {
  const request = rtuFrame(7, Uint8Array.of(3, 0, 0, 0, 1))
  const reply = rtuFrame(7, Uint8Array.of(3, 2, 0x12, 0x34))

  test('another master that polls unit 7 every 2 s is named and counted, and its answers are never ours', async () => {
    const pair = fakePair([unit(7, FAST, honest), unit(1, FAST, honest)])
    const { bus, arrivals } = run({ wire: 'serial', devices: drives([1, 7]) }, pair)
    const poll = (): void => {
      pair.speak(request, FAST)
      setTimeout(() => pair.speak(reply, FAST), 30)
      setTimeout(poll, 2000)
    }
    poll()
    for (let second = 0; second < 120; second++) await pass(1000)
    const { strangers, foreignFrames } = bus.status()
    expect(strangers.find(({ direction }) => direction === 'request')).toMatchObject({
      protocol: 'rtu',
      from: '7',
      function: '3 read holding registers',
    })
    const master = strangers.find(({ direction }) => direction === 'request')!
    expect(master.everyMs).toBeGreaterThan(1900)
    expect(master.everyMs).toBeLessThan(2200)
    expect(master.count).toBeGreaterThan(55)
    expect(foreignFrames).toBeGreaterThan(110)
    const values = readingsOf(arrivals).filter((reading) => 'value' in reading)
    expect(values.every((reading) => reading.value === marked(reading.point === 0 ? 1 : 7, 10))).toBe(true)
    expect(values.length).toBeGreaterThan(220)
    await shut(bus)
  })

  test('it asks the very device whose answer we wait for: what follows is given up, not stored', async () => {
    const silent: Station = { line: FAST, hear: () => null }
    const pair = fakePair([silent])
    const { bus, arrivals } = run({ wire: 'serial', devices: drives([7]) }, pair)
    await pass(40)
    expect(pair.sent).toHaveLength(1)
    pair.speak(request, FAST)
    pair.speak(reply, FAST)
    await pass(100)
    expect(bus.status().collisions).toBe(1)
    expect(readingsOf(arrivals).filter((reading) => 'value' in reading)).toEqual([])
    await shut(bus)
  })

  test('a frame of another protocol in the middle of an exchange is counted, and the answer is still found', async () => {
    const foreign = buildFrame({
      wakeUp: 4,
      address: meterOf(99),
      control: 0x91,
      data: Uint8Array.of(0, 0, 1, 2, 5, 5),
    })
    const pair = fakePair([unit(1, FAST, honest, () => 200), dltMeter(meterOf(11), FAST, own(11))])
    const spec: DeviceSpec[] = [...drives([1]), { ...meters([11], 60_000)[0]!, line: FAST }]
    const { bus, arrivals } = run({ wire: 'serial', devices: spec }, pair)
    await pass(2000)
    const before = pair.sent.length
    while (pair.sent.length === before) await pass(5)
    pair.speak(foreign, FAST)
    await pass(500)
    expect(bus.status().strangers).toMatchObject([
      { protocol: 'dlt645', from: meterOf(99), direction: 'reply', count: 1 },
    ])
    expect(readingsOf(arrivals).every((reading) => 'value' in reading)).toBe(true)
    expect(bus.devices()[0]!.errors).toEqual({ timeout: 0, crc: 0, exception: 0 })
    await shut(bus)
  })

  test('an adapter that echoes: reads are not disturbed by it, and writes are once it is known', async () => {
    const memory = new Map([[10, 5]])
    const pair = fakePair(
      [
        unit(1, FAST, (asked) => {
          if (asked.fc === 6) memory.set(asked.address, asked.count)
          return asked.fc === 6 ? asked.pdu : Uint8Array.of(3, 2, 0, memory.get(asked.address) ?? 0)
        }),
      ],
      { echoes: true },
    )
    const devices: DeviceSpec[] = [{ ...drives([1])[0]!, points: [{ at: 10, write: { readBack: true } }] }]
    const { bus } = run({ wire: 'serial', devices }, pair)
    await pass(10_000)
    expect(bus.devices()[0]!.errors).toEqual({ timeout: 0, crc: 0, exception: 0 })
    expect(bus.status()).toMatchObject({ foreignFrames: 0, strangers: [] })
    expect(bus.status().echoes).toBeGreaterThan(8)
    const outcome = bus.write({ id: 'w', point: 0, value: 42, by: 'test', role: 'engineer' })
    await pass(3000)
    expect(await outcome).toEqual({ outcome: 'done', readBack: 42 })
    await shut(bus)
  })
})

describe('identity', () => {
  test('an answer under a foreign address is held back and said, once, and once when it is over', async () => {
    let name = meterOf(87_654_321)
    const pair = fakePair([dltMeter(meterOf(11), METERS, own(11), { as: () => name })])
    const told: [string, string | null][] = []
    const { bus, arrivals } = run({ wire: 'serial', devices: meters([11], 1000) }, pair, {
      mismatch: (device, from) => told.push([device.id, from]),
    })
    await pass(60_000)
    expect(readingsOf(arrivals).filter((reading) => 'value' in reading)).toEqual([])
    expect(told).toEqual([[`device_${meterOf(11)}`, meterOf(87_654_321)]])
    expect(bus.devices()[0]).toMatchObject({ answersAs: meterOf(87_654_321) })
    expect(bus.devices()[0]!.misaddressed).toBeGreaterThan(2)
    name = meterOf(11)
    await pass(70_000)
    expect(told.slice(1)).toEqual([[`device_${meterOf(11)}`, null]])
    expect(bus.devices()[0]).toMatchObject({ answersAs: null, state: 'online' })
    expect(readingsOf(arrivals).find((reading) => 'value' in reading)).toMatchObject({ value: 201.1 })
    await shut(bus)
  })
})

describe('questions of somebody’s own', () => {
  test('any address and protocol, its answer in all parts; a silent one costs its own timeout', async () => {
    const pair = fakePair([unit(1, FAST, honest), dltMeter(meterOf(40), METERS, own(40))])
    const { bus } = run({ wire: 'serial', devices: drives([1]) }, pair)
    await pass(1500)
    const question = { address: meterOf(40), body: Uint8Array.of(0x11, 0, 1, 1, 2), writes: false, answerBytes: 7 }
    const found = bus.ask({ protocol: 'dlt645', address: meterOf(40), line: METERS, question })
    const missing = bus.ask({
      protocol: 'dlt645',
      address: meterOf(41),
      line: METERS,
      question: { ...question, address: meterOf(41) },
      limits: { timeoutMs: 300 },
    })
    await pass(3000)
    expect(await found).toMatchObject({ kind: 'answer', bodies: [Uint8Array.of(0x91, 0, 1, 1, 2, 0x40, 0x20)] })
    expect(await missing).toMatchObject({ kind: 'fault', fault: { kind: 'timeout' } })
    expect(bus.devices()).toHaveLength(1)
    expect(bus.devices()[0]).toMatchObject({ state: 'online', errors: { timeout: 0 } })
    await shut(bus)
  })

  test('a broadcast waits for nobody: the turnaround, then the polls go on', async () => {
    const pair = fakePair([unit(1, FAST, honest), dltMeter(meterOf(11), METERS, own(11))])
    const { bus } = run({ wire: 'serial', devices: [...drives([1], 200), ...meters([11], 1000)] }, pair)
    await pass(2000)
    const question = broadcastTime({ year: 2026, month: 11, day: 23, hour: 1, minute: 2, second: 3 })
    const sent = bus.ask({ protocol: 'dlt645', address: question.address, line: METERS, question })
    await pass(2000)
    expect(await sent).toMatchObject({ kind: 'answer', bodies: [] })
    const at = pair.sent.findIndex(({ bytes }) => parseFrame(bytes)?.control === 8)
    expect(pair.sent[at]!.line).toEqual(METERS)
    expect(pair.sent[at + 1]!.at - pair.sent[at]!.endAt).toBeGreaterThanOrEqual(150)
    expect(bus.devices().map(({ errors }) => errors.timeout)).toEqual([0, 0])
    await shut(bus)
  })

  test('in idle time only: polls keep their beat while a scan goes on', async () => {
    const pair = fakePair([unit(1, FAST, honest), unit(2, FAST, honest)])
    const { bus } = run({ wire: 'serial', devices: drives([1, 2], 500) }, pair)
    await pass(2000)
    const probes = Array.from({ length: 20 }, (_, at) => {
      const question = { address: 100 + at, body: Uint8Array.of(3, 0, 0, 0, 1), writes: false, answerBytes: 4 }
      return bus.ask({
        protocol: 'modbus',
        address: 100 + at,
        question,
        idle: true,
        expiresMs: 60_000,
        limits: { timeoutMs: 50 },
      })
    })
    const from = performance.now()
    await pass(20_000)
    const outcomes = await Promise.all(probes)
    expect(outcomes.every(({ kind }) => kind === 'fault')).toBe(true)
    const polls = pair.sent.filter(({ at, bytes }) => at > from && bytes[0] === 1)
    expect(polls.length).toBeGreaterThanOrEqual(39)
    await shut(bus)
  })
})
