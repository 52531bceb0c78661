import { describe, expect, test } from 'vitest'
import type { ModbusPlace, Treatment, Value } from '../../src/model/point.ts'
import { modbus } from '../../src/protocols/modbus/index.ts'
import { buildReply } from '../../src/protocols/modbus/pdu.ts'
import { bytes, LIMITS, modbusPoint } from './make.ts'

function readOne(place: Partial<ModbusPlace>, hex: string, treatment: Partial<Treatment> = {}) {
  const point = modbusPoint(0, place, treatment)
  const [block] = modbus.plan([point], LIMITS, new Set())
  if (block === undefined) throw new Error('nothing planned')
  const fc = { coil: 1, discrete: 2, holding: 3, input: 4 }[block.table] as 1 | 2 | 3 | 4
  const [reading] = block.read([point], [buildReply({ fc, content: bytes(hex) })])
  if (reading === undefined) throw new Error('nothing read')
  return 'fault' in reading ? reading.fault.kind : reading.value
}

describe('read', () => {
  test.each<[string, Partial<ModbusPlace>, string, Partial<Treatment>, Value]>([
    ['s16 scaled', { as: 's16' }, '08fe', { scale: 0.1 }, 230.2],
    ['scale and offset', { as: 'u16' }, '00d9', { scale: 0.1, offset: -40 }, -18.3],
    ['sentinel written as bits of a signed number', { as: 's16' }, '8000', { invalid: [0x8000] }, 'sentinel'],
    ['sentinel before scaling', { as: 'u16' }, 'ffff', { invalid: [0xffff], scale: 0.1 }, 'sentinel'],
    ['next to the sentinel', { as: 'u16' }, 'fffe', { invalid: [0xffff], scale: 0.1 }, 6553.4],
    ['label', { as: 'u16' }, '0002', { map: { 2: 'running' } }, 'running'],
    ['no label', { as: 'u16' }, '0007', { map: { 2: 'running' } }, '7'],
    ['bit of the high byte', { as: 'bit', bit: 9 }, '0200', {}, true],
    ['bit of the low byte, inverted', { as: 'bit', bit: 0 }, '0001', { invert: true }, false],
    ['coil', { table: 'coil', as: 'bit' }, '01', {}, true],
    ['discrete input, inverted', { table: 'discrete', as: 'bit' }, '01', { invert: true }, false],
    ['order says nothing about one register', { as: 'u16', order: 'DCBA' }, '1234', {}, 0x1234],
    ['u64 within 2^53 is a number', { as: 'u64' }, '001fffffffffffff', {}, Number.MAX_SAFE_INTEGER],
    ['s64 beyond -2^53 is text', { as: 's64' }, 'ffdfffffffffffff', {}, '-9007199254740993'],
    ['u64, last word first', { as: 'u64', order: 'CDAB' }, '0001 0000 0000 0020', {}, '9007199254740993'],
    ['u64 scaled', { as: 'u64' }, '0000000000003039', { scale: 0.001 }, 12.345],
    ['infinity', { as: 'f32' }, '7f800000', {}, 'device_fault'],
    ['f64 NaN', { as: 'f64' }, '7ff8000000000000', {}, 'device_fault'],
    ['f32 scaled', { as: 'f32' }, '43663333', { scale: 0.001 }, 0.2302],
    ['f32 next to 230.2', { as: 'f32' }, '43663334', {}, 230.20001],
    ['bcd32 with an A', { as: 'bcd32' }, '1234A678', {}, 'device_fault'],
    ['text with bytes swapped', { as: 'string', length: 6, order: 'BADC' }, '5550 504d 372d', {}, 'PUMP-7'],
    ['text ends at 00', { as: 'string', length: 6 }, '414200434445', {}, 'AB'],
    ['text of odd length', { as: 'string', length: 3 }, '41424344', {}, 'ABC'],
    ['text that is none', { as: 'string', length: 2 }, 'ff01', {}, 'device_fault'],
  ])('%s', (_, place, hex, treatment, value) => {
    expect(readOne(place, hex, treatment)).toBe(value)
  })

  test('an answer that cannot be this block gives faults, never values', () => {
    const points = [modbusPoint(0, { address: 0 }), modbusPoint(1, { address: 1 })]
    const [block] = modbus.plan(points, LIMITS, new Set())
    if (block === undefined) throw new Error('nothing planned')
    for (const hex of ['', '03', '0302', '03020001', '040400010002', '03040001']) {
      const readings = block.read(points, [bytes(hex)])
      expect(readings).toEqual([
        { point: 0, fault: { kind: 'device_fault' } },
        { point: 1, fault: { kind: 'device_fault' } },
      ])
    }
  })

  test('points are found by their index wherever they stand', () => {
    const point = modbusPoint(7, { address: 3 })
    const [block] = modbus.plan([point], LIMITS, new Set())
    if (block === undefined) throw new Error('nothing planned')
    expect(block.read([point], [bytes('0302002a')])).toEqual([{ point: 7, value: 42 }])
  })
})

describe('plan and ask', () => {
  test('keys are for people, questions for the wire', () => {
    const points = [modbusPoint(0, { address: 107 }), modbusPoint(1, { address: 109, as: 'u32' })]
    const [block] = modbus.plan(points, LIMITS, new Set())
    if (block === undefined) throw new Error('nothing planned')
    expect(block).toMatchObject({
      key: 'holding 107+4',
      points: [0, 1],
      everyMs: 1000,
      table: 'holding',
      start: 107,
      count: 4,
    })
    expect(block.ask(17)).toEqual({
      address: 17,
      body: bytes('03006b0004'),
      writes: false,
      answerBytes: 10,
    })
  })
  test('bits are asked with FC 1 and 2, and the answer counts bytes', () => {
    const points = [0, 18].map((address, index) => modbusPoint(index, { table: 'coil', as: 'bit', address }))
    const [block] = modbus.plan(points, LIMITS, new Set())
    if (block === undefined) throw new Error('nothing planned')
    expect(block.ask(1)).toMatchObject({ body: bytes('0100000013'), answerBytes: 5 })
  })
  test('a refused read comes apart at its hole first, then in the middle', () => {
    const points = [0, 1, 2, 3, 8].map((address, index) => modbusPoint(index, { address }))
    const keys = (refused: string[]) => modbus.plan(points, LIMITS, new Set(refused)).map((block) => block.key)
    expect(keys([])).toEqual(['holding 0+9'])
    expect(keys(['holding 0+9'])).toEqual(['holding 0+4', 'holding 8+1'])
    expect(keys(['holding 0+9', 'holding 0+4'])).toEqual(['holding 0+2', 'holding 2+2', 'holding 8+1'])
  })
  test('points that are not polled over Modbus are left to others', () => {
    expect(modbus.plan([modbusPoint(0, {}, {}, null)], LIMITS, new Set())).toEqual([])
  })
})

function writeOne(place: Partial<ModbusPlace>, value: Value, treatment: Partial<Treatment> = {}, address = 1): string {
  const question = modbus.write(modbusPoint(0, place, treatment), value, address)
  if (typeof question === 'string') return question
  expect(question).toMatchObject({ address, writes: true, answerBytes: 5 })
  return Buffer.from(question.body).toString('hex')
}

describe('write', () => {
  test.each<[string, Partial<ModbusPlace>, Value, Partial<Treatment>, string]>([
    ['coil on', { table: 'coil', as: 'bit', address: 172 }, true, {}, '0500acff00'],
    ['coil off by inversion', { table: 'coil', as: 'bit', address: 172 }, true, { invert: true }, '0500ac0000'],
    ['one register', { address: 1 }, 3, {}, '0600010003'],
    ['scaled and rounded', { address: 1 }, 12.34, { scale: 0.1 }, '060001007b'],
    ['0.29 * 100 is 29', { address: 1 }, 0.29, { scale: 0.01 }, '060001001d'],
    ['negative', { address: 1, as: 's16' }, -2.5, { scale: 0.1 }, '060001ffe7'],
    ['label', { address: 1 }, 'running', { map: { 2: 'running' } }, '0600010002'],
    ['label that is its own number', { address: 1 }, '7', { map: { 2: 'running' } }, '0600010007'],
    ['two registers', { address: 1, as: 'f32', order: 'CDAB' }, 23.5, {}, '100001000204000041bc'],
    ['64 bits as text', { address: 0, as: 'u64' }, '9007199254740993', {}, '1000000004080020000000000001'],
    ['bcd', { address: 0, as: 'bcd16' }, 1234, {}, '0600001234'],
    ['text', { address: 0, as: 'string', length: 4 }, 'AB', {}, '10000000020441420000'],
    ['discrete input', { table: 'discrete', as: 'bit' }, true, {}, 'discrete 0 can only be read'],
    ['coil, number', { table: 'coil', as: 'bit' }, 5, {}, 'a coil takes true or false, not 5'],
    ['too large', {}, 70_000, {}, '70000 (before scaling) does not fit into u16: 0 to 65535'],
    ['negative', {}, -1, {}, '-1 (before scaling) does not fit into u16: 0 to 65535'],
    ['no number', {}, 'abc', {}, '"abc" is not a number'],
    ['unknown label', {}, 'walking', { map: { 2: 'running', 3: 'stopped' } }, '"walking" is none of running, stopped'],
    ['sentinel', { as: 's16' }, -32_768, { invalid: [0x8000] }, '-32768 means "no value" to this device'],
    ['text too long', { as: 'string', length: 2 }, 'ABC', {}, 'the text takes more than the 2 bytes of its place'],
  ])('%s', (_, place, value, treatment, wanted) => {
    expect(writeOne(place, value, treatment)).toBe(wanted)
  })
  test.each<[string, Partial<ModbusPlace>, Value, Partial<Treatment>, string]>([
    ['bit set', { as: 'bit', bit: 3, address: 4 }, true, {}, '160004fff70008'],
    ['bit cleared', { as: 'bit', bit: 15, address: 4 }, false, {}, '1600047fff0000'],
    ['inverted', { as: 'bit', bit: 0, address: 4 }, false, { invert: true }, '160004fffe0001'],
    ['bit by 1', { as: 'bit', bit: 0, address: 4 }, 1, {}, '160004fffe0001'],
    ['bit by its label', { as: 'bit', bit: 1, address: 4 }, 'on', { map: { 0: 'off', 1: 'on' } }, '160004fffd0002'],
    ['some bits', { as: 'u16', bits: [4, 7], address: 4 }, 13, {}, '160004ff0f00d0'],
    ['some bits, scaled', { as: 'u16', bits: [4, 7], address: 4 }, 1.3, { scale: 0.1 }, '160004ff0f00d0'],
    ['of another register', { as: 'bit', bit: 3, write: { address: 9 } }, true, {}, '160009fff70008'],
  ])('within a register: %s', (_, place, value, treatment, wanted) => {
    const question = modbus.write(modbusPoint(0, place, treatment), value, 1)
    if (typeof question === 'string') throw new Error(question)
    expect(Buffer.from(question.body).toString('hex')).toBe(wanted)
    expect(question).toMatchObject({ address: 1, writes: true, answerBytes: 7, otherwise: { writes: false } })
  })
  test.each<[string, Partial<ModbusPlace>, Value, Partial<Treatment>, string]>([
    ['no bit', { as: 'bit', bit: 3 }, 2, {}, '2 (before scaling) does not fit into bit 3: 0 to 1'],
    ['too many', { bits: [4, 7] }, 16, {}, '16 (before scaling) does not fit into bits 4 to 7: 0 to 15'],
    ['negative', { bits: [4, 7] }, -1, {}, '-1 (before scaling) does not fit into bits 4 to 7: 0 to 15'],
    ['no number', { bits: [4, 7] }, 'x', {}, '"x" is not a number'],
    ['sentinel', { bits: [4, 7] }, 15, { invalid: [15] }, '15 means "no value" to this device'],
    ['input register', { table: 'input', as: 'bit', bit: 3 }, true, {}, 'input 0 can only be read'],
    ['two registers', { as: 'u32', bits: [4, 7] }, 1, {}, 'what holding 0 means depends on other registers or bits'],
  ])('within a register, refused: %s', (_, place, value, treatment, why) => {
    expect(writeOne(place, value, treatment)).toBe(why)
  })
  test('unit 0 is refused in a sentence', () => {
    expect(writeOne({}, 1, {}, 0)).toMatch(/^unit 0 is broadcast/)
  })
})

test('a reply of 100 registers becomes 100 readings in microseconds', () => {
  const points = Array.from({ length: 100 }, (_, index) => modbusPoint(index, { address: index }))
  const [block] = modbus.plan(points, LIMITS, new Set())
  if (block === undefined) throw new Error('nothing planned')
  const body = buildReply({ fc: 3, content: new Uint8Array(200).fill(7) })
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 50; round++) {
    const began = performance.now()
    for (let at = 0; at < 100; at++) block.read(points, [body])
    best = Math.min(best, (performance.now() - began) / 100)
  }
  // Ten microseconds on a quiet machine; the rest is for a busy one.
  expect(best).toBeLessThan(0.05)
})
