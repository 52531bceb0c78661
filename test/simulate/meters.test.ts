/** Simulated CJ/T 188 and M-Bus meters against their codecs: what a meter holds is what a reader gets, whatever happens on the line. */
import { describe, expect, test } from 'vitest'
import { type Point, pointId, type Value } from '../../src/model/point.ts'
import type { Address, Device } from '../../src/model/site.ts'
import { cjt188 } from '../../src/protocols/cjt188/index.ts'
import { mbus } from '../../src/protocols/mbus/index.ts'
import type { Framing, PlaceWords, Protocol, Question, Verdict } from '../../src/protocols/protocol.ts'
import { cjt188Speaker } from '../../src/simulate/cjt188.ts'
import { fitCjt188 } from '../../src/simulate/cjt188encode.ts'
import { type Cell, SimulatedDevice } from '../../src/simulate/devices.ts'
import { dlt645Speaker } from '../../src/simulate/dlt645.ts'
import { Faults } from '../../src/simulate/faults.ts'
import { createSlave } from '../../src/simulate/line.ts'
import { mbusSpeaker } from '../../src/simulate/mbus.ts'
import { fitMbus } from '../../src/simulate/mbusencode.ts'
import { rtuSpeaker } from '../../src/simulate/rtu.ts'
import { LIMITS, meterPoint } from '../protocols/make.ts'

type Shown = readonly (readonly [words: PlaceWords, value: Value])[]
type Codec = Protocol & Required<Pick<Protocol, 'place'>>

function meter(protocol: Codec, address: Address, shown: Shown): { device: SimulatedDevice; points: readonly Point[] } {
  const points = shown.map(([words], index) => {
    const placed = protocol.place(words)
    if (typeof placed === 'string') throw new Error(placed)
    const point = meterPoint(index, placed.place, placed.type)
    return { ...point, id: pointId('meter', point.key) }
  })
  const cells = points.map((point, index): Cell => {
    const { source } = point
    if (source.from !== 'field') throw new Error('no place')
    const { place, treatment } = source
    const fit =
      place.protocol === 'cjt188'
        ? fitCjt188(place, treatment)
        : place.protocol === 'mbus'
          ? fitMbus(place, treatment, point.type === 'str')
          : (value: Value) => value
    const value = shown[index]?.[1] ?? 0
    return { point, name: point.key, signal: () => value, coder: null, fit, forced: undefined }
  })
  const link = { kind: 'bus', bus: 0, protocol: protocol.name, address, line: null, limits: LIMITS } as const
  const device = { id: `m${String(address)}`, link } as unknown as Device
  const ears = { shown: () => undefined, written: () => undefined }
  return { device: new SimulatedDevice(device, cells, () => 0, ears), points }
}

function lineOf(devices: readonly SimulatedDevice[]) {
  const faults = new Faults(1)
  const sent: Uint8Array[] = []
  const slave = createSlave({ devices, faults, later: () => undefined }, (bytes) => sent.push(bytes), [
    rtuSpeaker,
    dlt645Speaker,
    cjt188Speaker,
    mbusSpeaker,
  ])
  const ask = (framing: Framing, question: Question, transaction = 0): Verdict | null => {
    sent.length = 0
    slave.receive(framing.frame(question, transaction))
    const reply = sent[0] ?? new Uint8Array(0)
    const split = framing.split(reply, question)
    return split.kind === 'frame' ? framing.judge(split.frame, question, transaction) : null
  }
  return { faults, slave, sent, ask }
}

function framingOf(protocol: Protocol): Framing {
  const framing = protocol.framing('serial')
  if (framing === null) throw new Error('no framing on a serial line')
  return framing
}

type Line = ReturnType<typeof lineOf>

function readAll(line: Line, protocol: Codec, points: readonly Point[], address: Address): (Value | string)[] {
  const framing = framingOf(protocol)
  const values: (Value | string)[] = []
  let transaction = 40
  for (const block of protocol.plan(points, LIMITS, new Set())) {
    const bodies: Uint8Array[] = []
    let question: Question | undefined = block.ask(address)
    while (question !== undefined) {
      const verdict = line.ask(framing, question, transaction++)
      if (verdict?.kind !== 'answer') throw new Error(`${block.key}: ${JSON.stringify(verdict)}`)
      bodies.push(verdict.body)
      question = verdict.more
    }
    for (const reading of block.read(points, bodies)) {
      values[reading.point] = 'value' in reading ? reading.value : reading.fault.kind
    }
  }
  return values
}

const OTHER_MAKER = {
  identifier: '1F90',
  layout: 'heat46_unit_before',
  status: 'high',
  type: '25',
  wakeUp: 10,
} as const
const WATER: Shown = [
  [{ at: '901F', field: 'total' }, 1234.56],
  [{ at: '901F', field: 'settled' }, 1200],
  [{ at: '901F', field: 'clock' }, '2026-11-23T18:00:05'],
  [{ at: '901F', field: 'valve' }, 1],
  [{ at: '901F', field: 'battery_low' }, true],
  [{ at: '901F', field: 'status bit 9' }, true],
  [{ at: 'D120', field: 'volume' }, 1188.07],
]
const HEAT: Shown = [
  ['heat', 5328.19],
  ['settled_heat', 5000],
  ['power', 12.5],
  ['flow', 0.8123],
  ['volume', 1833.42],
  ['supply_temperature', 55.25],
  ['return_temperature', 41.07],
  ['hours', 2761],
  ['battery_low', true],
].map(([field, value]) => [{ at: '901F', field: String(field), options: OTHER_MAKER }, value as Value])

const MBUS: Shown = [
  ['energy', 37_351],
  ['energy storage 1', 36_900],
  ['energy tariff 2', 12.5],
  ['energy tariff 6 storage 37 subunit 3', 4],
  ['volume', 561.08],
  ['volume backward', 0.25],
  ['power', 34.7],
  ['power maximum', 44.8],
  ['flow', 0.543],
  ['flow_temperature', 101.69],
  ['return_temperature', -2.5],
  ['operating_time', 985],
  ['voltage number 3', 229.8],
  ['date storage 1', '2025-12-31'],
  ['datetime', '2026-11-23T18:30'],
  ['"%RH"', 45.5],
  ['vif 9028', 8],
  ['error_flags', 4],
  ['status bit 2', true],
].map(([at, value]) => [{ at: String(at) }, value as Value])

describe('what a meter holds is read', () => {
  test.each([
    ['cjt188 water', cjt188, '00112026000123', WATER],
    ['cjt188 heat, another maker’s habits', cjt188, '42590008210438', HEAT],
    ['mbus', mbus, 17, MBUS],
    ['mbus by its number', mbus, '12345678FFFFFFFF', MBUS],
  ] as const)('%s', (_name, protocol, address, shown) => {
    const { device, points } = meter(protocol, address, shown)
    const line = lineOf([device])
    expect(readAll(line, protocol, points, address)).toEqual(shown.map(([, value]) => value))
    // And again: the frame count bit and sequence numbers go on.
    expect(readAll(line, protocol, points, address)).toEqual(shown.map(([, value]) => value))
  })

  test('M-Bus: what does not fit into one telegram comes in several, and no more are asked for than the driver says', () => {
    const shown: Shown = Array.from({ length: 60 }, (_, n) => [{ at: `volume storage ${n}` }, n])
    const { device, points } = meter(mbus, 5, shown)
    expect(readAll(lineOf([device]), mbus, points, 5)).toEqual(shown.map(([, value]) => value))
    const short: Shown = shown.map(([{ at }, value]) => [{ at, options: { telegrams: 1 } }, value])
    const first = meter(mbus, 6, short)
    const values = readAll(lineOf([first.device]), mbus, first.points, 6)
    expect(values.slice(0, 20)).toEqual(shown.slice(0, 20).map(([, value]) => value))
    expect(values.at(-1)).toBe('device_fault')
  })
})

describe('what happens on a line', () => {
  const one = '00112026000123'
  const cases = [
    { protocol: cjt188 as Codec, address: one as Address, shown: WATER },
    { protocol: mbus as Codec, address: 5 as Address, shown: MBUS },
  ]

  test.each(cases)(
    '$protocol.name: another meter’s answer is told apart and names it',
    ({ protocol, address, shown }) => {
      const { device, points } = meter(protocol, address, shown)
      const line = lineOf([device])
      const [block] = protocol.plan(points, LIMITS, new Set())
      let question = block?.ask(address)
      const first = protocol.name === 'mbus' && question !== undefined ? line.ask(framingOf(protocol), question) : null
      if (first?.kind === 'answer') question = first.more
      if (question === undefined) throw new Error('nothing to ask')
      line.faults.set(device.device.id, [{ kind: 'wrong_unit' }])
      const other = protocol.name === 'mbus' ? { why: 'unit', from: '6' } : { why: 'address', from: '00112026000124' }
      expect(line.ask(framingOf(protocol), question)).toEqual({ kind: 'other', ...other })
      line.faults.set(device.device.id, [{ kind: 'exception', code: 8 }])
      expect(line.ask(framingOf(protocol), question)).toMatchObject({ fault: { kind: 'exception', code: 8 } })
      line.faults.set(device.device.id, [{ kind: 'silent' }])
      expect(line.ask(framingOf(protocol), question)).toBeNull()
      line.faults.set(device.device.id, [{ kind: 'garbled' }])
      expect(line.ask(framingOf(protocol), question)?.kind ?? 'none').not.toBe('answer')
    },
  )

  test('mbus: selected by its number, another number is told', () => {
    const { device, points } = meter(mbus, '12345678FFFFFFFF', MBUS)
    const line = lineOf([device])
    const [block] = mbus.plan(points)
    const first = block === undefined ? null : line.ask(framingOf(mbus), block.ask('12345678FFFFFFFF'))
    if (first?.kind !== 'answer' || first.more === undefined) throw new Error('not selected')
    line.faults.set(device.device.id, [{ kind: 'wrong_unit' }])
    expect(line.ask(framingOf(mbus), first.more)).toEqual({ kind: 'other', why: 'address', from: '12345679' })
  })

  test('nobody answers for another, and several languages share the line', () => {
    const water = meter(cjt188, one, WATER)
    const heat = meter(cjt188, '42590008210438', HEAT)
    const bus = meter(mbus, 17, MBUS)
    const line = lineOf([water.device, heat.device, bus.device])
    expect(readAll(line, cjt188, water.points, one)).toEqual(WATER.map(([, value]) => value))
    expect(readAll(line, mbus, bus.points, 17)).toEqual(MBUS.map(([, value]) => value))
    expect(readAll(line, cjt188, heat.points, '42590008210438')).toEqual(HEAT.map(([, value]) => value))
    const [block] = mbus.plan(bus.points)
    if (block === undefined) throw new Error('nothing planned')
    expect(line.ask(framingOf(mbus), block.ask(18))).toBeNull()
  })

  test('cjt188: the address is asked with a wildcard; an item that it has not is refused', () => {
    const { device } = meter(cjt188, one, WATER)
    const line = lineOf([device])
    const body = Uint8Array.of(3, 0xaa, 0x03, 0x81, 0x0a, 0)
    const address = line.ask(framingOf(cjt188), { address: 'AAAAAAAAAAAAAA', body, writes: false, answerBytes: 12 }, 7)
    expect(address?.kind).toBe('answer')
    const unknown = Uint8Array.of(3, 0x10, 0x01, 0x90, 0x2f, 0)
    const refused = line.ask(framingOf(cjt188), { address: one, body: unknown, writes: false, answerBytes: 12 }, 8)
    expect(refused).toEqual({ kind: 'fault', fault: { kind: 'exception', code: 0 } })
    // A write is refused as well, whatever it says.
    const valve = Uint8Array.of(3, 0x10, 0x04, 0xa0, 0x17, 0, 0x99)
    expect(line.ask(framingOf(cjt188), { address: one, body: valve, writes: true, answerBytes: 12 }, 9)?.kind).toBe(
      'fault',
    )
  })

  test('mbus: the same question again gives the same telegram', () => {
    const { device } = meter(mbus, 5, MBUS)
    const line = lineOf([device])
    const ask = (control: number): string => {
      line.sent.length = 0
      line.slave.receive(Uint8Array.of(0x10, control, 5, (control + 5) & 0xff, 0x16))
      return Buffer.from(line.sent[0] ?? []).toString('hex')
    }
    expect(ask(0x40)).toBe('e5')
    const first = ask(0x7b)
    expect(ask(0x7b)).toBe(first)
    expect(ask(0x5b)).not.toBe(first)
  })
})
