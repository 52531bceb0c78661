import { expect, test } from 'vitest'
import { predictBus } from '../../src/bus/predict.ts'
import { site, type SiteSpec } from './rig.ts'

const predict = (spec: SiteSpec): ReturnType<typeof predictBus> => {
  const { bus, devices, points } = site(spec)
  return predictBus(bus, devices, points)
}
const devices = (count: number, everyMs: number, limits = {}): SiteSpec['devices'] =>
  Array.from({ length: count }, (_, at) => ({
    address: at + 1,
    limits,
    points: Array.from({ length: 20 }, (__, point) => ({ at: point, everyMs })),
  }))

test('20 registers at 9600 baud: 8 + 45 characters, silence and thinking', () => {
  const { cycleMs, utilisation, complaints } = predict({ wire: 'serial', devices: devices(1, 1000) })
  expect(cycleMs).toBeCloseTo(5 + (53 * 11_000) / 9600 + 30, 1)
  expect(utilisation).toBeCloseTo(cycleMs / 1000, 5)
  expect(complaints).toEqual([])
})

test('30 devices each second cannot be: says so, and what would do', () => {
  const { utilisation, complaints } = predict({ wire: 'serial', devices: devices(30, 1000) })
  expect(utilisation).toBeGreaterThan(2.5)
  expect(complaints).toHaveLength(1)
  const [complaint] = complaints
  expect(complaint).toMatchObject({ device: null, everyMs: 1000 })
  expect(complaint!.message.en).toContain('bus_1')
  expect(complaint!.message.zh).toMatch(/总线 bus_1 .*提高波特率/)
  expect(complaint!.message.en).toMatch(
    /polls every 1s cannot be kept; poll every \d+(\.\d)?m?s or slower, raise the baud rate/,
  )
  // Its own advice is good advice.
  expect(predict({ wire: 'serial', devices: devices(30, complaint!.neededMs) }).complaints).toEqual([])
  expect(predict({ wire: 'serial', devices: devices(30, complaint!.neededMs * 0.8) }).complaints).toHaveLength(1)
})

test('a device whose pauses are longer than its interval', () => {
  const { complaints } = predict({ wire: 'modbus-tcp', devices: devices(1, 100, { maxRegisters: 5, minGapMs: 50 }) })
  expect(complaints).toMatchObject([{ device: 0, everyMs: 100 }])
  expect(complaints[0]!.message.en).toContain('device_1')
})

test('more in flight makes room on TCP', () => {
  const busy = devices(300, 1000)
  expect(predict({ wire: 'modbus-tcp', devices: busy }).complaints).toHaveLength(1)
  expect(predict({ wire: 'modbus-tcp', inFlight: 4, devices: busy }).complaints).toEqual([])
})

test('several protocols: each with its own silence, wake-up bytes and speed; changing the setting costs', () => {
  const place = { protocol: 'dlt645', item: '02010100', as: null } as const
  const line = { baud: 2400, dataBits: 8, parity: 'E', stopBits: 1 } as const
  const meter = {
    address: '000000000001',
    protocol: 'dlt645',
    line,
    points: [{ at: 0, everyMs: 10_000, place }],
  } as const
  const meters: SiteSpec['devices'] = [{ ...meter, points: [...meter.points] }]
  const alone = predict({ wire: 'serial', devices: meters })
  // 4 wake-up bytes, 16 of the request; 4 and 18 of the answer; 100 ms of silence at 2400 baud.
  expect(alone.cycleMs).toBeCloseTo(100 + (42 * 11_000) / 2400 + 30, 0)
  const drives = devices(1, 1000)
  const both = predict({ wire: 'serial', devices: [...meters, ...drives] })
  const apart = alone.cycleMs + predict({ wire: 'serial', devices: drives }).cycleMs
  expect(both.cycleMs).toBeGreaterThan(apart + 20)
  expect(both.utilisation).toBeGreaterThan(alone.utilisation + predict({ wire: 'serial', devices: drives }).utilisation)
  expect(both.intervals.map(({ everyMs, predictedMs }) => predictedMs - everyMs)).toEqual([0, 0])
  // Behind a serial server the setting is fixed: there is nothing to change.
  const sameLine = predict({ wire: 'tcp', devices: [...meters, ...drives] })
  expect(sameLine.utilisation).toBeLessThan(both.utilisation)
})

test('a meter that is asked twice in one turn, and answers at length', () => {
  const place = { protocol: 'mbus', record: 'volume', telegrams: 1 } as const
  const line = { baud: 2400, dataBits: 8, parity: 'E', stopBits: 1 } as const
  const one: SiteSpec['devices'] = [{ address: 5, protocol: 'mbus', line, points: [{ at: 0, everyMs: 60_000, place }] }]
  const { cycleMs } = predict({ wire: 'serial', devices: one })
  // SND_NKE and E5, REQ_UD2 and a telegram: some 100 characters, two silences, two times thinking.
  expect(cycleMs).toBeGreaterThan((100 * 11_000) / 2400 + 2 * 30)
  expect(cycleMs).toBeLessThan(900)
})

test('an answer that does not fit into one frame: its follow-ons count', () => {
  const line = { baud: 2400, dataBits: 8, parity: 'E', stopBits: 1 } as const
  const tariff = (
    number: number,
  ): { at: number; everyMs: number; place: { protocol: 'dlt645'; item: string; as: null } } => ({
    at: 0,
    everyMs: 60_000,
    place: { protocol: 'dlt645', item: `0001${number.toString(16).padStart(2, '0').toUpperCase()}00`, as: null },
  })
  const meter = (last: number): SiteSpec['devices'] => [
    { address: '000000000001', protocol: 'dlt645', line, points: [tariff(0), tariff(last)] },
  ]
  const cost = (last: number): number => predict({ wire: 'serial', devices: meter(last) }).cycleMs
  // 49 tariffs of four bytes are 196, and the identifier makes 200. Each further one costs its bytes, the first a turn besides.
  const byte = 11_000 / 2400
  expect(cost(48) - cost(47)).toBeCloseTo(4 * byte, 5)
  expect(cost(49) - cost(48)).toBeCloseTo(100 + 30 + (4 + 2 * (4 + 12 + 4 + 1)) * byte, 5)
  expect(cost(63) - cost(49)).toBeCloseTo(14 * 4 * byte, 5)
})

test('what does not fit: how often each will really be read', () => {
  const { intervals, utilisation } = predict({ wire: 'serial', devices: [...devices(16, 600), ...devices(16, 4000)] })
  const cost = 5 + (53 * 11_000) / 9600 + 30
  const load = intervals.reduce((sum, { predictedMs }) => sum + cost / predictedMs, 0)
  expect(utilisation).toBeGreaterThan(2)
  expect(load).toBeCloseTo(1, 2)
  expect(new Set(intervals.map(({ predictedMs }) => Math.round(predictedMs))).size).toBe(2)
})

test('an empty bus has nothing to say', () => {
  expect(predict({ devices: [] })).toEqual({ cycleMs: 0, utilisation: 0, complaints: [], intervals: [] })
})
