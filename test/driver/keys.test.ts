/** Keys that real devices asked for: what they come to, and what is said when they are written wrong. */
import { describe, expect, test } from 'vitest'
import type { ModbusPlace, Point } from '../../src/model/point.ts'
import { modbus } from '../../src/protocols/modbus/index.ts'
import { LIMITS } from '../protocols/make.ts'
import { check, siteOf } from './folder.ts'

const yaml = (points: string, more = ''): string =>
  `driver: io/odd\ntitle: {en: Odd, zh: 怪}\ncategory: io\nprotocol: modbus\nline: 9600 8N1\n${more}points:\n${points}\n`
const SITE = 'site: {id: s}\nbuses: {b: {wire: /dev/ttyS0}}\ndevices:\n  d: {driver: io/odd, bus: b, address: 1}\n'

const point = (points: string, key: string, more = ''): Point => {
  const site = siteOf({ 'drivers/io/odd.yaml': yaml(points, more), 'site.yaml': SITE })
  const found = site.points.find((each) => each.key === key)
  if (found === undefined) throw new Error(`no point ${key}`)
  return found
}
const place = (points: string, key: string, more = ''): ModbusPlace => {
  const { source } = point(points, key, more)
  if (source.from !== 'field' || source.place.protocol !== 'modbus') throw new Error('no register')
  return source.place
}
const said = (points: string, more = ''): string =>
  check({ 'drivers/io/odd.yaml': yaml(points, more), 'site.yaml': SITE }).lines.join('\n')

const body = (of: Point, value: number | boolean): string => {
  const question = modbus.write(of, value, 1)
  return typeof question === 'string' ? question : Buffer.from(question.body).toString('hex')
}

describe('scaleFrom', () => {
  const SCALE = '  sf: {at: holding 15, as: s16, invalid: [0x8000]}\n'

  test('names the point with the power of ten, as the contract says', () => {
    expect(place(`${SCALE}  w: {at: holding 14, as: s16, scaleFrom: sf}`, 'w').factors).toEqual([
      { table: 'holding', address: 15, as: 's16', order: 'ABCD', means: 'power', invalid: [0x8000] },
    ])
  })

  test('or says what it means, or lies in a place of its own, or has a factor for each number', () => {
    const points =
      `${SCALE}  w:\n    at: holding 14\n    as: s16\n    scaleFrom:\n      - {at: holding 16, bits: 0-7, means: decimals}\n` +
      '      - {point: sf, factors: {0x0: 1, 1: 0.5}}\n'
    expect(place(points, 'w').factors).toEqual([
      { table: 'holding', address: 16, as: 'u16', order: 'ABCD', bits: [0, 7], means: 'decimals', invalid: [] },
      { table: 'holding', address: 15, as: 's16', order: 'ABCD', means: { 0: 1, 1: 0.5 }, invalid: [0x8000] },
    ])
  })

  test.each([
    [
      'w: {at: holding 14, as: s16, scaleFrom: fs}',
      /w\.scaleFrom names fs, which is no point of this device; did you mean sf/,
    ],
    ['w: {at: holding 14, as: s16, scaleFrom: {means: decimals}}', /names a point or has at:/],
    ['w: {at: holding 14, as: s16, scaleFrom: {at: coil 3, as: bit}}', /a scale lies in a register/],
    ['w: {at: holding 14, as: string, length: 4, scaleFrom: sf}', /only numbers are scaled/],
  ])('%s', (line, message) => {
    expect(said(`${SCALE}  ${line}`)).toMatch(message)
  })
})

describe('parts and bits', () => {
  test('of one register, or a second part in the same read', () => {
    expect(place('  n: {at: holding 3, as: u16, bits: 4-7}', 'n').bits).toEqual([4, 7])
    expect(place('  t: {at: holding 8, as: s32, plus: {at: holding 10, as: f32}}', 't').plus).toEqual({
      address: 10,
      as: 'f32',
      scale: 1,
    })
  })

  test.each([
    ['n: {at: holding 3, as: u16, bits: 7-4}', /do not lie within 0 to 15, lowest first/],
    ['n: {at: holding 3, as: s16, bits: 0-3}', /taken of u16 or u32, not of s16/],
    ['t: {at: holding 8, as: s32, plus: {at: input 10, as: f32}}', /both parts lie in one table/],
    ['t: {at: holding 8, as: s32, plus: {at: holding 300, as: f32}}', /do not fit into one read/],
    ['n: {at: holding 3, as: u17}', /there is no encoding u17; did you mean u16\?/],
  ])('%s', (line, message) => {
    expect(said(`  ${line}`)).toMatch(message)
  })

  test('flags carry their own words', () => {
    const points =
      '  s: {at: holding 3, as: bits, flags: {0: on, 4: {name: leak, title: {en: Leak, zh: 漏水}, invert: true}}}'
    expect(point(points, 's_leak')).toMatchObject({ title: { en: 'Leak', zh: '漏水' }, type: 'bool' })
    expect(point(points, 's_leak').source).toMatchObject({ place: { as: 'bit', bit: 4 }, treatment: { invert: true } })
    expect(point(points, 's_on').title).toEqual({ en: 's_on', zh: 's_on' })
  })
})

describe('what is only written', () => {
  const points = '  limit: {at: holding 5004, as: u16, scale: 0.001, read: false, write: {min: 6, max: 32}}'

  test('is never polled, does not age, and is not read back', () => {
    const limit = point(points, 'limit')
    expect(limit).toMatchObject({ maxAgeMs: null, source: { everyMs: null }, write: { readBack: false } })
    expect(modbus.plan([limit], LIMITS, new Set())).toEqual([])
    expect(body(limit, 16)).toBe('06138c3e80')
  })

  test.each([
    ['x: {at: holding 1, as: u16, read: false}', /x is neither read nor written/],
    ['x: {at: holding 1, as: u16, read: false, write: {readBack: true}}', /cannot be read back/],
    ['x: {at: coil 1, as: u16, write: {}}', /a coil is one bit and cannot be read as u16/],
    ['x: {at: input 1, as: u16, write: {}}', /lies in the input table/],
    ['x: {at: coil 1, write: {at: holding 3, as: u16}}', /written in the holding table and read in the coil table/],
  ])('%s', (line, message) => {
    expect(said(`  ${line}`)).toMatch(message)
  })
})

describe('writes of their own', () => {
  test('values, another register, input read and holding written', () => {
    expect(
      body(point('  r: {at: holding 1, as: bit, bit: 0, write: {values: {true: 0x100, false: 512}}}', 'r'), true),
    ).toBe('0600010100')
    expect(body(point('  t: {at: input 9, as: s16, scale: 0.1, write: {at: holding 4}}', 't'), 21.5)).toBe('06000400d7')
  })

  test('a device that knows function 16 only', () => {
    const more = 'modbus: {multiple: true}\n'
    expect(body(point('  r: {at: holding 26, as: u16, write: {}}', 'r', more), 1)).toBe('10001a0001020001')
  })
})

describe('what a device bears', () => {
  const limits = (more: string) => {
    const site = siteOf({ 'drivers/io/odd.yaml': yaml('  x: {at: holding 1, as: u16}', more), 'site.yaml': SITE })
    const link = site.devices[0]?.link
    return link?.kind === 'bus' ? link.limits : null
  }

  test('reaches the planner and the framing', () => {
    const more = 'modbus: {holes: [holding 10-19, coil 0x10], minBlock: 4, bitsStep: 8, byteCount: 16}\n'
    expect(limits(more)).toMatchObject({
      holes: [
        { table: 'holding', start: 10, end: 20 },
        { table: 'coil', start: 16, end: 17 },
      ],
      minRegisters: 4,
      bitsStep: 8,
      wideCount: true,
    })
  })

  test('and a SunSpec base, where the row does not begin at 40000', () => {
    expect(place('  w: {at: model 103 14, as: s16}', 'w').model).toEqual({ id: 103, base: 40_000 })
    expect(place('  w: {at: model 103 14, as: s16}', 'w', 'modbus: {sunspec: 0}\n').model).toEqual({ id: 103, base: 0 })
    expect(said('  w: {at: model 103 200, as: s16}')).toMatch(/a model is read from its beginning: 201 registers/)
  })
})
