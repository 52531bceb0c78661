/** Simulated DL/T 645 meters against the codec: what a meter holds is what a reader gets, whatever else happens on the line. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { Point, Value } from '../../src/model/point.ts'
import { pointId } from '../../src/model/point.ts'
import type { Device } from '../../src/model/site.ts'
import { dlt645Framing } from '../../src/protocols/dlt645/framing.ts'
import { answeredAddress, dlt645, EVERYBODY, readAddress, shortAddress } from '../../src/protocols/dlt645/index.ts'
import { rtu } from '../../src/protocols/modbus/framing.ts'
import type { Question } from '../../src/protocols/protocol.ts'
import { type Cell, SimulatedDevice } from '../../src/simulate/devices.ts'
import { dlt645Speaker } from '../../src/simulate/dlt645.ts'
import { fitDlt645 } from '../../src/simulate/dlt645encode.ts'
import { Faults } from '../../src/simulate/faults.ts'
import { createSlave, type Slave } from '../../src/simulate/line.ts'
import { rtuSpeaker } from '../../src/simulate/rtu.ts'
import { dlt645Point, LIMITS } from '../protocols/make.ts'

const METER = '202306150042'
const framing = dlt645Framing

const SHOWN: readonly (readonly [item: string, as: string | null, value: Value])[] = [
  ['00010000', null, 4821.17],
  ['00010100', null, 512.03],
  ['00010200', null, 1800.44],
  ['00000000', null, -12.34],
  ['02010100', null, 231.4],
  ['02010200', null, 229.8],
  ['02010300', null, 230.1],
  ['02020100', null, -1.5],
  ['02030000', null, 3.2145],
  ['02060000', null, -0.912],
  ['02800002', null, 49.98],
  ['01010000', null, 12.3456],
  ['01010000', 'when', '2026-06-30T15:45'],
  ['04000101', null, '2026-11-23'],
  ['04000102', null, '23:17:59'],
  ['04000402', null, '002241020208'],
  ['04000404', null, '220V'],
  ['04000503', 'bit 4', true],
  ['04000503', 'bit 6', false],
  ['9010', null, 100.5],
  ['B611', null, 223],
]

type Rig = { slave: Slave; device: SimulatedDevice; faults: Faults; sent: Uint8Array[]; points: readonly Point[] }

function meter(address: string, shown: typeof SHOWN): { device: SimulatedDevice; points: readonly Point[] } {
  const points = shown.map(([item, as], index) => {
    const point = dlt645Point(index, item, as)
    return {
      ...point,
      id: pointId(address, point.key),
      type: typeof shown[index]?.[2] === 'string' ? 'str' : 'f64',
    } as Point
  })
  const cells = points.map((point, index): Cell => {
    const { source } = point
    if (source.from !== 'field' || source.place.protocol !== 'dlt645') throw new Error('no place')
    const value = shown[index]?.[2] ?? 0
    return {
      point,
      name: point.key,
      signal: () => value,
      coder: null,
      fit: fitDlt645(source.place, source.treatment),
      forced: undefined,
    }
  })
  const link = { kind: 'bus', bus: 0, protocol: 'dlt645', address, line: null, limits: LIMITS } as const
  const device = { id: address, link } as unknown as Device
  return {
    device: new SimulatedDevice(device, cells, () => 0, { shown: () => undefined, written: () => undefined }),
    points,
  }
}

let rig: Rig

beforeEach(() => {
  const faults = new Faults(1)
  const { device, points } = meter(METER, SHOWN)
  const other = meter('000012345643', [['00010000', null, 7]])
  const sent: Uint8Array[] = []
  const line = { devices: [device, other.device], faults, later: () => undefined }
  const slave = createSlave(line, (bytes) => sent.push(bytes), [rtuSpeaker, dlt645Speaker])
  rig = { slave, device, faults, sent, points }
})

/** The answer to a question, judged; null: none. */
function ask(question: Question): ReturnType<typeof framing.judge> | null {
  rig.sent.length = 0
  rig.slave.receive(framing.frame(question, 0))
  const [reply] = rig.sent
  if (reply === undefined) return null
  const split = framing.split(reply)
  return split.kind === 'frame' ? framing.judge(split.frame, question, 0) : null
}

function readAll(): Record<number, Value | string> {
  const values: Record<number, Value | string> = {}
  for (const block of dlt645.plan(rig.points, LIMITS, new Set())) {
    const bodies: Uint8Array[] = []
    let question: Question | undefined = block.ask(METER)
    while (question !== undefined) {
      const verdict = ask(question)
      if (verdict?.kind !== 'answer') throw new Error(`${block.key}: ${verdict?.kind}`)
      bodies.push(verdict.body)
      question = verdict.more
    }
    for (const reading of block.read(rig.points, bodies)) {
      values[reading.point] = 'value' in reading ? reading.value : reading.fault.kind
    }
  }
  return values
}

test('every value that it shows is read, in rows and alone, of both editions', () => {
  expect(Object.values(readAll())).toEqual(SHOWN.map(([, , value]) => value))
})

test('values are held as a meter can: rounded, within their digits', () => {
  const fit = (item: string, value: Value, scale = 1): Value =>
    fitDlt645(
      { protocol: 'dlt645', item, as: null },
      { scale, offset: 0, invalid: [], map: null, invert: false },
    )(value)
  expect(fit('02010100', 230.1499)).toBe(230.1)
  expect(fit('02010100', -3)).toBe(0)
  expect(fit('02010100', 5000)).toBe(999.9)
  expect(fit('02060000', -9)).toBe(-7.999)
  expect(fit('02030000', 3214.56, 1000)).toBe(3214.6)
  expect(fit('04000101', '')).toBe('2026-01-15')
  expect(fit('04000402', '12')).toBe('000000000001')
})

describe('who answers', () => {
  test('the meter asked; nobody for a number that nobody has; nobody to the time', () => {
    const body = Uint8Array.of(0x11, 0, 0, 1, 0)
    const question = { body, writes: false, answerBytes: 9 }
    expect(ask({ ...question, address: METER })?.kind).toBe('answer')
    expect(ask({ ...question, address: '111111111111' })).toBeNull()
    expect(ask({ ...question, address: shortAddress('43') })?.kind).toBe('answer')
    expect(
      ask({ address: '999999999999', body: Uint8Array.of(8, 0, 0, 0, 1, 1, 0x26), writes: true, answerBytes: 0 }),
    ).toBeNull()
  })
  test('two at once are no answer, one is its number', () => {
    expect(ask(readAddress())).toBeNull()
    expect(rig.sent).toHaveLength(1)
    const verdict = ask({ ...readAddress(), address: shortAddress('42') })
    expect(verdict?.kind === 'answer' && answeredAddress(verdict.body)).toBe(METER)
    expect(EVERYBODY).toBe('AAAAAAAAAAAA')
  })
  test('what it does not have it refuses, a write as well', () => {
    const question = { address: METER, writes: false, answerBytes: 0 }
    expect(ask({ ...question, body: Uint8Array.of(0x11, 0, 3, 2, 2) })).toMatchObject({ fault: { code: 2 } })
    expect(ask({ ...question, body: Uint8Array.of(0x14, 1, 1, 0, 4) })).toMatchObject({ fault: { code: 4 } })
    expect(ask({ ...question, body: Uint8Array.of(0x01, 0x99, 0xb6) })).toMatchObject({ fault: { code: 2 } })
  })
})

describe('misdeeds', () => {
  const question: Question = { address: METER, body: Uint8Array.of(0x11, 0, 1, 1, 2), writes: false, answerBytes: 7 }
  test.each([
    ['silent', null],
    ['garbled', null],
    ['wrong_unit', { kind: 'other', why: 'address', from: '202306150043' }],
    ['exception', { kind: 'fault', fault: { kind: 'exception', code: 2 }, means: 'unsupported' }],
  ] as const)('%s', (kind, wanted) => {
    rig.faults.set(METER, [{ kind, code: 2 }])
    expect(ask(question)).toEqual(wanted)
  })
})

describe('a line of several languages', () => {
  test('a Modbus request before, behind and in two pieces around is none of its business', () => {
    const modbus = rtu.frame({ address: 8, body: Uint8Array.of(3, 0, 0, 0, 2), writes: false, answerBytes: 6 }, 0)
    const question = framing.frame(
      { address: METER, body: Uint8Array.of(0x11, 0, 1, 1, 2), writes: false, answerBytes: 7 },
      0,
    )
    rig.slave.receive(Uint8Array.of(...modbus, ...question.subarray(0, 5)))
    expect(rig.sent).toEqual([])
    rig.slave.receive(Uint8Array.of(...question.subarray(5), ...modbus))
    expect(rig.sent).toHaveLength(1)
  })
  test('noise that looks like the head of a longer request hides nothing', () => {
    const question = framing.frame(
      { address: METER, body: Uint8Array.of(0x11, 0, 1, 1, 2), writes: false, answerBytes: 7 },
      0,
    )
    rig.slave.receive(Uint8Array.of(1, 16, 0, 0, 0, 100, 200, 1, 2, ...question))
    expect(rig.sent).toHaveLength(1)
  })
})
