/** What real devices ask of the codec beyond the standard: values in several places, writes that differ from reads, odd frames. */
import { describe, expect, test } from 'vitest'
import type { ModbusFactor, ModbusPlace, Point, Treatment, Value } from '../../src/model/point.ts'
import type { Limits } from '../../src/model/site.ts'
import { rtu, tcp } from '../../src/protocols/modbus/framing.ts'
import { modbus, type ModbusBlock, placeFlaw } from '../../src/protocols/modbus/index.ts'
import { buildReply, parseRequest } from '../../src/protocols/modbus/pdu.ts'
import type { Question } from '../../src/protocols/protocol.ts'
import { bytes, LIMITS, modbusPoint } from './make.ts'

/** A device that shows these registers, asked as a bus would ask: follow-ons until there are none. */
function device(registers: Readonly<Record<number, number>>) {
  const asked: string[] = []
  const answer = (question: Question): Uint8Array => {
    const request = parseRequest(question.body)
    if (typeof request === 'string' || !('count' in request)) throw new Error('no read')
    asked.push(`${request.start}+${request.count}`)
    const words = Array.from({ length: request.count }, (_, at) => registers[request.start + at] ?? 0)
    return buildReply({
      fc: request.fc,
      content: Uint8Array.from(words.flatMap((word) => [(word >> 8) & 0xff, word & 0xff])),
    })
  }
  const poll = (block: ModbusBlock, points: readonly Point[]) => {
    const bodies: Uint8Array[] = []
    for (let question: Question | null = block.ask(1); question !== null; ) {
      const frame = rtu.frame({ ...question, body: answer(question) }, 0)
      const verdict = rtu.judge(frame, question, 0)
      if (verdict.kind !== 'answer') throw new Error(verdict.kind)
      bodies.push(verdict.body)
      question = verdict.more ?? null
    }
    return block.read(points, bodies)
  }
  return { asked, poll }
}

function read(points: readonly Point[], registers: Readonly<Record<number, number>>, limits: Partial<Limits> = {}) {
  const { asked, poll } = device(registers)
  const readings = modbus.plan(points, { ...LIMITS, ...limits }, new Set()).flatMap((block) => poll(block, points))
  const values = readings.map((reading) => ('value' in reading ? reading.value : reading.fault.kind))
  return { asked, values }
}

const factor = (address: number, means: ModbusFactor['means'], more: Partial<ModbusFactor> = {}): ModbusFactor => ({
  table: 'holding',
  address,
  as: 'u16',
  order: 'ABCD',
  means,
  invalid: [],
  ...more,
})

describe('values in several places', () => {
  test('bits of a register are a number', () => {
    const state = modbusPoint(0, { address: 29, as: 'u16', bits: [4, 7] }, { map: { 7: 'automatic' } })
    const door = modbusPoint(1, { address: 29, as: 'u16', bits: [8, 11] })
    expect(read([state, door], { 29: 0x0573 })).toEqual({ asked: ['29+1'], values: ['automatic', 5] })
    const high = modbusPoint(0, { address: 4, as: 'u32', bits: [28, 31] })
    expect(read([high], { 4: 0xa000, 5: 1 }).values).toEqual([10])
  })

  test('integer and fraction are summed in decimal, in one read', () => {
    const total = modbusPoint(0, {
      address: 8,
      as: 's32',
      order: 'CDAB',
      plus: { address: 10, as: 'f32', scale: 1 },
    })
    // 18423 and 0.2, low word first.
    expect(read([total], { 8: 18423, 9: 0, 10: 0xcccd, 11: 0x3e4c })).toEqual({ asked: ['8+4'], values: [18423.2] })
  })

  test('high and low words that lie apart', () => {
    const counter = modbusPoint(0, { address: 20, as: 'u16', plus: { address: 12, as: 'u16', scale: 65536 } })
    expect(read([counter], { 12: 2, 20: 5 })).toEqual({ asked: ['12+9'], values: [131_077] })
  })

  test('a second part that does not fit into the read is refused', () => {
    const place: ModbusPlace = {
      protocol: 'modbus',
      table: 'holding',
      address: 0,
      as: 'u16',
      order: 'ABCD',
      bit: null,
      length: null,
      plus: { address: 200, as: 'u16', scale: 1 },
    }
    expect(placeFlaw(place, LIMITS)).toMatch(/^201 registers do not fit/)
  })
})

describe('scales from other registers', () => {
  const pressure = modbusPoint(0, {
    address: 4,
    as: 's16',
    factors: [factor(3, 'decimals'), factor(2, { 0: 1000, 1: 1, 3: 100 })],
  })

  test('decimals and unit, read with the value', () => {
    expect(read([pressure], { 2: 3, 3: 2, 4: 123 })).toEqual({ asked: ['2+3'], values: [123] })
    expect(read([pressure], { 2: 1, 3: 3, 4: -5 & 0xffff }).values).toEqual([-0.005])
  })

  test('a unit that nobody described is no value', () => {
    expect(read([pressure], { 2: 6, 3: 0, 4: 1 }).values).toEqual(['device_fault'])
  })

  test('a power that is no scale, or says that there is none', () => {
    const watts = modbusPoint(0, {
      address: 14,
      as: 's16',
      factors: [factor(15, 'power', { as: 's16', invalid: [0x8000] })],
    })
    expect(read([watts], { 14: 4321, 15: -1 & 0xffff }).values).toEqual([432.1])
    expect(read([watts], { 14: 4321, 15: 2 }).values).toEqual([432_100])
    expect(read([watts], { 14: 4321, 15: 0x8000 }).values).toEqual(['sentinel'])
    expect(read([watts], { 14: 4321, 15: 99 }).values).toEqual(['device_fault'])
  })

  test('far away: asked in the same turn, once for all points of the block', () => {
    const ratios = [factor(141, 'factor'), factor(142, 'factor')]
    const a = modbusPoint(0, { address: 356, as: 's32', factors: ratios })
    const b = modbusPoint(1, { address: 358, as: 's32', factors: ratios }, { scale: 0.001 })
    expect(read([a, b], { 141: 10, 142: 40, 357: 7, 359: 7 })).toEqual({
      asked: ['356+4', '141+2'],
      values: [2800, 2.8],
    })
  })

  test('what is asked besides is foreseen', () => {
    const scaled = modbusPoint(0, { address: 0, factors: [factor(100, 'factor')] })
    const [block] = modbus.plan([scaled], LIMITS, new Set())
    expect(block?.follows).toEqual({ questions: 1, bytes: 15 })
    expect(modbus.plan([modbusPoint(0, {})], LIMITS, new Set())[0]?.follows).toBeUndefined()
  })

  test('a scale that did not come spoils its points, not the others', () => {
    const scaled = modbusPoint(0, { address: 0, factors: [factor(100, 'factor')] })
    const plain = modbusPoint(1, { address: 1 })
    const [block] = modbus.plan([scaled, plain], LIMITS, new Set())
    const own = buildReply({ fc: 3, content: Uint8Array.of(0, 1, 0, 2) })
    expect(block?.read([scaled, plain], [own])).toEqual([
      { point: 0, fault: { kind: 'device_fault' } },
      { point: 1, value: 2 },
    ])
    expect(block?.read([scaled, plain], [own, bytes('030400010002')])).toEqual([
      { point: 0, fault: { kind: 'device_fault' } },
      { point: 1, fault: { kind: 'device_fault' } },
    ])
  })
})

describe('writes that differ from reads', () => {
  const body = (place: Partial<ModbusPlace>, value: Value, treatment: Partial<Treatment> = {}): string => {
    const question = modbus.write(modbusPoint(0, place, treatment), value, 1)
    return typeof question === 'string' ? question : Buffer.from(question.body).toString('hex')
  }

  test('values of their own: a relay board is read 1 and 0, written 256 and 512', () => {
    const relay: Partial<ModbusPlace> = { address: 1, as: 'bit', bit: 0, write: { values: { true: 256, false: 512 } } }
    expect(body(relay, true)).toBe('0600010100')
    expect(body(relay, false)).toBe('0600010200')
    expect(body(relay, 'half')).toBe('"half" is none of true, false')
  })

  test('another address, encoding and scale', () => {
    const limit: Partial<ModbusPlace> = { address: 1100, as: 'u32', write: { address: 5004, as: 'u16', scale: 0.001 } }
    expect(body(limit, 16)).toBe('06138c3e80')
    expect(body(limit, 66)).toMatch(/does not fit into u16/)
  })

  test('only by the function for several', () => {
    expect(body({ address: 26, write: { multiple: true } }, 1)).toBe('10001a0001020001')
    expect(body({ table: 'coil', as: 'bit', address: 3, write: { multiple: true } }, true)).toBe('0f000300010101')
  })

  test('a coil with a time in place of on and off', () => {
    const flash: Partial<ModbusPlace> = { table: 'coil', as: 'u16', address: 0x0200, write: {} }
    expect(body(flash, 0.7, { scale: 0.1 })).toBe('0502000007')
    expect(body(flash, 7000, { scale: 0.1 })).toMatch(/does not fit/)
    expect(body({ table: 'coil', as: 'bit', address: 5, write: { values: { true: 0x5500 } } }, true)).toBe('0500055500')
  })

  test('what depends on other registers is not written by guessing', () => {
    expect(body({ address: 4, factors: [factor(3, 'decimals')] }, 1)).toMatch(/depends on other registers/)
  })
})

describe('reads that devices insist on', () => {
  const plan = (points: readonly Point[], limits: Partial<Limits>) =>
    modbus.plan(points, { ...LIMITS, ...limits }, new Set()).map(({ key }) => key)

  test('inputs in whole groups of eight', () => {
    const input = (index: number, address: number) => modbusPoint(index, { table: 'discrete', as: 'bit', address })
    expect(plan([input(0, 3)], { bitsStep: 8 })).toEqual(['discrete 0+8'])
    expect(plan([input(0, 7), input(1, 8)], { bitsStep: 8 })).toEqual(['discrete 0+16'])
    const [block] = modbus.plan([input(0, 3)], { ...LIMITS, bitsStep: 8 }, new Set())
    expect(block?.read([input(0, 3)], [bytes('020108')])).toEqual([{ point: 0, value: true }])
  })

  test('no fewer registers than so many', () => {
    expect(plan([modbusPoint(0, { address: 3 })], { minRegisters: 4 })).toEqual(['holding 3+4'])
    expect(plan([modbusPoint(0, { address: 65_534 })], { minRegisters: 4 })).toEqual(['holding 65534+2'])
  })

  test('holes of one table are none of another', () => {
    const points = [modbusPoint(0, { address: 0 }), modbusPoint(1, { address: 4 })]
    expect(plan(points, { holes: [{ table: 'holding', start: 2, end: 3 }] })).toEqual(['holding 0+1', 'holding 4+1'])
    expect(plan(points, { holes: [{ table: 'input', start: 2, end: 3 }] })).toEqual(['holding 0+5'])
  })
})

describe('byte counts of 16 bits', () => {
  const floor = modbusPoint(0, { address: 0x1018 })
  const [block] = modbus.plan([floor], { ...LIMITS, wideCount: true }, new Set())
  if (block === undefined) throw new Error('nothing planned')
  const question = block.ask(1)
  const frame = rtu.frame({ ...question, body: bytes('0300020005') }, 0)

  test('are understood where the device is known for them', () => {
    expect(rtu.split(frame, question)).toEqual({ kind: 'frame', frame, used: 8 })
    expect(question.answerBytes).toBe(frame.length - 3)
    const verdict = rtu.judge(frame, question, 0)
    if (verdict.kind !== 'answer') throw new Error(verdict.kind)
    expect(block.read([floor], [verdict.body])).toEqual([{ point: 0, value: 5 }])
  })

  test('no proper prefix is a frame, and noise in front is shed', () => {
    for (let length = 0; length < frame.length; length++)
      expect(rtu.split(frame.subarray(0, length), question).kind, `${length} bytes`).toBe('more')
    let input = Uint8Array.of(0x00, 0xff, 0x55, ...frame)
    for (let split = rtu.split(input, question); split.kind === 'junk'; split = rtu.split(input, question))
      input = input.subarray(split.used)
    expect(input).toEqual(frame)
  })

  test('another device on the line, asked in the ordinary way, is not answered by one', () => {
    const [plainBlock] = modbus.plan([floor], LIMITS, new Set())
    const plain = plainBlock?.ask(1)
    expect(rtu.split(frame, plain).kind).toBe('junk')
  })

  test('exceptions and echoes of writes are as everywhere', () => {
    const refusal = rtu.frame({ ...question, body: bytes('8302') }, 0)
    expect(rtu.split(refusal, question)).toEqual({ kind: 'frame', frame: refusal, used: 5 })
    expect(rtu.judge(refusal, question, 0)).toMatchObject({ kind: 'fault', fault: { kind: 'exception', code: 2 } })
  })

  test('an answer of another length answers something else', () => {
    const longer = rtu.frame({ ...question, body: bytes('03000400050006') }, 0)
    expect(rtu.judge(longer, question, 0)).toEqual({ kind: 'other', why: 'length' })
  })
})

describe('SunSpec', () => {
  const model = { id: 103, base: 40_000 }
  const power = modbusPoint(0, { model, address: 14, as: 's16', factors: [factor(15, 'power', { as: 's16' })] })
  const state = modbusPoint(1, { model, address: 38 })
  /** Common model of this length, then 103. */
  const row = (length: number): Record<number, number> => {
    const at = 40_004 + length
    return {
      40_000: 0x5375,
      40_001: 0x6e53,
      40_002: 1,
      40_003: length,
      [at]: 103,
      [at + 1]: 50,
      [at + 14]: 432,
      [at + 15]: 0xffff,
      [at + 38]: 4,
      [at + 52]: 0xffff,
    }
  }
  const [block] = modbus.plan([power, state], LIMITS, new Set())
  if (block === undefined) throw new Error('nothing planned')

  test('finds the model by walking, and knows the way the next time', () => {
    const { asked, poll } = device(row(65))
    expect(poll(block, [power, state])).toEqual([
      { point: 0, value: 43.2 },
      { point: 1, value: 4 },
    ])
    expect(asked.splice(0)).toEqual(['40000+2', '40002+2', '40069+2', '40069+39'])
    poll(block, [power, state])
    expect(asked).toEqual(['40069+39'])
  })

  test('an exchanged device has it elsewhere: the read says so, the next one looks again', () => {
    const { asked, poll } = device(row(66))
    expect(poll(block, [power, state])).toEqual([
      { point: 0, fault: { kind: 'device_fault' } },
      { point: 1, fault: { kind: 'device_fault' } },
    ])
    expect(poll(block, [power, state])).toContainEqual({ point: 0, value: 43.2 })
    expect(asked).toEqual(['40069+39', '40000+2', '40002+2', '40070+2', '40070+39'])
  })

  test.each([
    ['no marker', { 40_000: 1 }, 1],
    ['no such model', { 40_000: 0x5375, 40_001: 0x6e53, 40_002: 1, 40_003: 65, 40_069: 0xffff }, 3],
    ['a row without an end', { 40_000: 0x5375, 40_001: 0x6e53 }, 65],
  ])('%s: no value, and an end', (_, registers, questions) => {
    const [fresh] = modbus.plan([power, state], LIMITS, new Set())
    if (fresh === undefined) throw new Error('nothing planned')
    const { asked, poll } = device(registers)
    expect(poll(fresh, [power, state]).every((reading) => 'fault' in reading)).toBe(true)
    expect(asked).toHaveLength(questions)
  })

  test('by TCP just so', () => {
    const [fresh] = modbus.plan([power], LIMITS, new Set())
    const question = fresh?.ask(1)
    if (question === undefined) throw new Error('nothing planned')
    const reply = tcp.frame({ ...question, body: bytes('030453756e53') }, 7)
    const verdict = tcp.judge(reply, question, 7)
    expect(verdict.kind === 'answer' && parseRequest(verdict.more?.body ?? new Uint8Array())).toEqual({
      fc: 3,
      start: 40_002,
      count: 2,
    })
  })
})
