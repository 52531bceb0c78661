/**
 * Our Modbus against three stacks that are not ours, over TCP, RTU and ASCII: every table, every function that we use, and what they
 * say when something is not there. The bus is the gateway's own, on real sockets and ptys.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBus, type RunningBus } from '../../src/bus/bus.ts'
import type { WriteRequest } from '../../src/model/command.ts'
import type { ModbusPlace, Point, PointType, Value, WriteRule } from '../../src/model/point.ts'
import type { Bus, Device, Line } from '../../src/model/site.ts'
import { explain } from '../../src/protocols/explain.ts'
import { identify, modbus, questionOf, readIdentity } from '../../src/protocols/modbus/index.ts'
import type { Question } from '../../src/protocols/protocol.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { openPipe } from '../../src/transport/open.ts'
import { LIMITS, modbusPoint } from '../protocols/make.ts'
import { ENTRIES, type Side, type SideKind, SIDES } from './sides.ts'
import { freshDir, removeDir } from './tools.ts'

const UNIT = 1
const LINE: Line = { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 }
const TEXT = { en: '', zh: '' }
const WRITE: WriteRule = {
  role: 'operator',
  min: null,
  max: null,
  step: null,
  readBack: true,
  minOnMs: 0,
  minOffMs: 0,
  rateMs: 0,
}

type Spec = {
  readonly place: Partial<ModbusPlace>
  readonly type?: PointType
  readonly writes?: boolean
  readonly scale?: number
}

const SPECS = {
  coil: { place: { table: 'coil', as: 'bit', address: 19 }, type: 'bool' },
  far_coil: { place: { table: 'coil', as: 'bit', address: 40 }, type: 'bool' },
  discrete: { place: { table: 'discrete', as: 'bit', address: 3 }, type: 'bool' },
  input: { place: { table: 'input', as: 's16', address: 10 }, scale: 0.1 },
  holding: { place: { address: 0, as: 'u16' } },
  u32: { place: { address: 2, as: 'u32' } },
  u32_swapped: { place: { address: 4, as: 'u32', order: 'CDAB' } },
  f32: { place: { address: 6, as: 'f32' } },
  u64: { place: { address: 8, as: 'u64' }, type: 'u64' },
  text: { place: { address: 12, as: 'string', length: 8 }, type: 'str' },
  write_coil: { place: { table: 'coil', as: 'bit', address: 100 }, type: 'bool', writes: true },
  write_coils: {
    place: { table: 'coil', as: 'bit', address: 101, write: { multiple: true } },
    type: 'bool',
    writes: true,
  },
  write_register: { place: { address: 100, as: 'u16' }, writes: true },
  write_registers: { place: { address: 102, as: 'f32' }, writes: true },
  write_bit: { place: { address: 110, as: 'bit', bit: 9 }, type: 'bool', writes: true },
  nowhere: { place: { address: ENTRIES + 4000, as: 'u16' }, writes: true },
} as const satisfies Record<string, Spec>
type Name = keyof typeof SPECS
const NAMES = Object.keys(SPECS) as Name[]

function pointOf(name: Name, index: number): Point {
  const { place, type = 'f64', writes = false, scale = 1 }: Spec = SPECS[name]
  const point = modbusPoint(index, place, { scale }, null)
  return { ...point, type, write: writes ? WRITE : null }
}

const POINTS = NAMES.map(pointOf)

function order(name: Name, value: Value): WriteRequest {
  return { id: '01J', point: NAMES.indexOf(name), value, role: 'operator', by: 'test' }
}

function deviceOf(ascii: boolean): Device {
  return {
    index: 0,
    id: 'other',
    driver: 'test/other',
    driverSha: '',
    category: 'io',
    brick: null,
    model: TEXT,
    name: TEXT,
    place: {},
    tags: {},
    family: null,
    // libmodbus takes half a second to refuse something.
    link: {
      kind: 'bus',
      bus: 0,
      protocol: 'modbus',
      address: UNIT,
      line: null,
      limits: { ...LIMITS, timeoutMs: 1000, retries: 0 },
      ascii,
    },
    params: {},
    points: POINTS.map(({ index }) => index),
  }
}

let dir: string
beforeAll(() => {
  dir = freshDir('modbus')
})
afterAll(() => {
  removeDir(dir)
})

describe.each(SIDES)('$name', (kind: SideKind) => {
  let side: Side
  let running: RunningBus
  /** Function codes of the requests since it was last emptied. */
  let asked: number[] = []
  const stop = new AbortController()
  const device = deviceOf(kind.ascii)

  beforeAll(async () => {
    const own = join(dir, kind.name.replaceAll(' ', '_'))
    mkdirSync(own)
    side = await kind.open(own)
    const bus: Bus = { index: 0, id: 'wire', wireText: '', wire: side.wire, line: LINE, inFlight: 1 }
    running = openBus({
      bus,
      devices: [device],
      points: POINTS,
      clock: { mono: () => performance.now() },
      post: () => undefined,
      log: SILENT,
      signal: stop.signal,
      openPipe,
    })
    const framing = modbus.framing(side.wire.kind, { ascii: kind.ascii })
    running.listen((direction, bytes) => {
      if (direction === 'in') return
      const said = explain(`modbus-${framing.name}`, Buffer.from(bytes).toString('hex'))
      if (typeof said === 'string') throw new Error(said)
      asked.push(...said.frames.map((frame) => Number.parseInt(frame.function, 10)))
    })
  })

  afterAll(async () => {
    stop.abort()
    await running?.close()
    await side?.close()
  })

  async function read(names: readonly Name[]): Promise<Record<string, Value | string>> {
    const readings = await running.read(names.map((name) => NAMES.indexOf(name)))
    return Object.fromEntries(
      readings.map((reading) => [
        NAMES[reading.point] ?? '',
        'value' in reading ? reading.value : JSON.stringify(reading.fault),
      ]),
    )
  }

  async function write(name: Name, value: Value): Promise<readonly number[]> {
    asked = []
    const outcome = await running.write(order(name, value))
    expect(outcome).toMatchObject({ outcome: 'done', readBack: value })
    return [...new Set(asked)]
  }

  function ask(question: Question) {
    return running.ask({ protocol: 'modbus', address: UNIT, question })
  }

  test('what it holds is what is read, in all four tables', async () => {
    await side.set('coil', 16, [0, 0, 0, 1, 0, 1])
    await side.set('coil', 40, [1])
    await side.set('discrete', 0, [0, 1, 0, 1])
    await side.set('input', 10, [0x10000 - 123])
    await side.set('holding', 0, [0x1234, 0, 0xb2d0, 0x5e7b, 0x5e7b, 0xb2d0, 0x4366, 0x3333])
    await side.set('holding', 8, [0x0020, 0, 0, 1, 0x5055, 0x4d50, 0x2d37, 0x2020])
    asked = []
    const names = [
      'coil',
      'far_coil',
      'discrete',
      'input',
      'holding',
      'u32',
      'u32_swapped',
      'f32',
      'u64',
      'text',
    ] as const
    expect(await read(names)).toEqual({
      coil: true,
      far_coil: true,
      discrete: true,
      input: -12.3,
      holding: 0x1234,
      u32: 3_000_000_123,
      u32_swapped: 3_000_000_123,
      f32: 230.2,
      u64: '9007199254740993',
      text: 'PUMP-7',
    })
    expect(new Set(asked)).toEqual(new Set([1, 2, 3, 4]))
  })

  test('a long read arrives whole', async () => {
    const values = Array.from({ length: 125 }, (_, k) => (k * 521) % 65_536)
    await side.set('holding', 300, values)
    const result = await ask(questionOf({ fc: 3, start: 300, count: 125 }, UNIT))
    if (result.kind !== 'answer') throw new Error(JSON.stringify(result))
    const [body = new Uint8Array()] = result.bodies
    expect(values.map((_, k) => ((body[2 + 2 * k] ?? 0) << 8) | (body[3 + 2 * k] ?? 0))).toEqual(values)
  })

  test('functions 5, 6, 15 and 16: what was written is there', async () => {
    expect(await write('write_coil', true)).toEqual([5, 1])
    expect(await write('write_coils', true)).toEqual([15, 1])
    expect(await side.get('coil', 99, 4)).toEqual([0, 1, 1, 0])
    expect(await write('write_coil', false)).toEqual([5, 1])
    expect(await side.get('coil', 99, 4)).toEqual([0, 0, 1, 0])
    expect(await write('write_register', 0xa55a)).toEqual([6, 3])
    expect(await side.get('holding', 99, 3)).toEqual([0, 0xa55a, 0])
    expect(await write('write_registers', -12.5)).toEqual([16, 3])
    expect(await side.get('holding', 102, 2)).toEqual([0xc148, 0])
  })

  test('function 22, or reading and writing back where it is not known: the other bits stay', async () => {
    await side.set('holding', 110, [0xa0f5])
    expect(await write('write_bit', true)).toEqual(kind.without.includes(22) ? [22, 3, 6] : [22, 3])
    expect(await side.get('holding', 110, 1)).toEqual([0xa2f5])
    await write('write_bit', false)
    expect(await side.get('holding', 110, 1)).toEqual([0xa0f5])
  })

  test('function 23 writes, then reads', async () => {
    await side.set('holding', 200, [7, 8, 9])
    const registers = Uint8Array.of(0x11, 0x22, 0x33, 0x44)
    const result = await ask(questionOf({ fc: 23, start: 200, count: 3, writeStart: 201, registers }, UNIT))
    if (kind.without.includes(23)) {
      expect(result).toMatchObject({ kind: 'fault', fault: { kind: 'exception', code: 1 } })
      return
    }
    if (result.kind !== 'answer') throw new Error(JSON.stringify(result))
    expect([...(result.bodies[0] ?? [])]).toEqual([23, 6, 0, 7, 0x11, 0x22, 0x33, 0x44])
    expect(await side.get('holding', 200, 3)).toEqual([7, 0x1122, 0x3344])
  })

  test('functions 43/14: who it says it is', async () => {
    const result = await ask(identify(UNIT, 2))
    if (kind.silent?.includes(43) === true) {
      expect(result).toMatchObject({ kind: 'fault', fault: { kind: 'timeout' } })
      return
    }
    if (kind.without.includes(43)) {
      expect(result).toMatchObject({ kind: 'fault', fault: { kind: 'exception', code: 1 }, means: 'unsupported' })
      return
    }
    if (result.kind !== 'answer') throw new Error(JSON.stringify(result))
    expect(Object.fromEntries(readIdentity(result.bodies)?.texts ?? [])).toMatchObject({
      0: 'Gatehouse tests',
      1: 'PY-1',
      2: '3.0',
      4: 'Device by pymodbus',
    })
  })

  test('what is not there is an exception, and no value', async () => {
    expect(await read(['nowhere'])).toEqual({ nowhere: '{"kind":"exception","code":2}' })
    const outcome = await running.write(order('nowhere', 1))
    expect(outcome).toEqual({ outcome: 'refused', cause: 'exception:2' })
    // And it goes on.
    expect(await read(['holding'])).toEqual({ holding: 0x1234 })
  })

  test('nothing was taken for noise, and nothing for another answer', () => {
    const { junkBytes, lateFrames, foreignFrames, opens } = running.status()
    expect({ junkBytes, lateFrames, foreignFrames, opens }).toEqual({
      junkBytes: 0,
      lateFrames: 0,
      foreignFrames: 0,
      opens: 1,
    })
  })
})
