import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModbusEncoding, ModbusOrder, ModbusPlace, Treatment, Value } from '../../src/model/point.ts'
import { blockOf } from '../../src/protocols/modbus/index.ts'
import { coderFor } from '../../src/simulate/encode.ts'
import { makePoint } from '../image/points.ts'

const ENCODINGS = ['u16', 's16', 'u32', 's32', 'u64', 's64', 'f32', 'f64', 'bcd16', 'bcd32'] as const
const ORDERS: readonly ModbusOrder[] = ['ABCD', 'CDAB', 'BADC', 'DCBA']
const PLAIN: Treatment = { scale: 1, offset: 0, invalid: [], map: null, invert: false }

/** What the gateway reads of the registers that the simulator shows. */
function through(place: ModbusPlace, treatment: Treatment, value: Value): { shown: Value; read: Value | null } {
  const coder = coderFor(place, treatment)
  const shown = coder.fit(value)
  const start = place.address - 1
  const count = coder.size + 2
  const registers = new Uint8Array(2 * count)
  coder.put(shown, registers, start)
  const point = makePoint(0, { source: { from: 'field', place, treatment, everyMs: 1000 } })
  const block = blockOf({ points: [0], everyMs: 1000, table: place.table, start, count })
  const [reading] = block.read([point], [Uint8Array.of(3, registers.length, ...registers)])
  return { shown, read: reading !== undefined && 'value' in reading ? reading.value : null }
}

function placeOf(as: ModbusEncoding, more: Partial<ModbusPlace> = {}): ModbusPlace {
  return { protocol: 'modbus', table: 'holding', address: 100, as, order: 'ABCD', bit: null, length: null, ...more }
}

describe('what is shown is what the gateway reads', () => {
  test('numbers, in every encoding and order, scaled', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ENCODINGS),
        fc.constantFrom(...ORDERS),
        fc.constantFrom(1, 0.1, 0.001, 0.005, 10),
        fc.constantFrom(0, -1, 273.15),
        fc.double({ min: -1e7, max: 1e7, noNaN: true }),
        (as, order, scale, offset, value) => {
          const { shown, read } = through(placeOf(as, { order }), { ...PLAIN, scale, offset }, value)
          expect(read).toBe(Object.is(shown, -0) ? 0 : shown)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('close to what was wanted', () => {
    expect(through(placeOf('s16'), { ...PLAIN, scale: 0.1 }, -10.07)).toEqual({ shown: -10.1, read: -10.1 })
    expect(through(placeOf('f32', { order: 'CDAB' }), { ...PLAIN, scale: 0.1 }, 0.31)).toEqual({
      shown: 0.31,
      read: 0.31,
    })
    expect(through(placeOf('u16'), PLAIN, 70_000)).toEqual({ shown: 65_535, read: 65_535 })
    expect(through(placeOf('u64'), PLAIN, '12345678901234567890').read).toBe('12345678901234567890')
  })

  test('never what the driver calls no value', () => {
    const top = { ...PLAIN, scale: 0.1, invalid: [0xffff, 0xfffe] }
    expect(through(placeOf('u16'), top, 7000)).toEqual({ shown: 6553.3, read: 6553.3 })
    expect(through(placeOf('s16'), { ...PLAIN, invalid: [0x8000] }, -40_000)).toEqual({ shown: -32_767, read: -32_767 })
    expect(through(placeOf('u32'), { ...PLAIN, invalid: [0] }, 0)).toEqual({ shown: 1, read: 1 })
  })

  test('bits, labels, texts', () => {
    for (const bit of [0, 7, 8, 15]) {
      expect(through(placeOf('bit', { bit }), PLAIN, true).read).toBe(true)
      expect(through(placeOf('bit', { bit }), { ...PLAIN, invert: true }, true).read).toBe(true)
      expect(through(placeOf('bit', { bit }), PLAIN, false).read).toBe(false)
    }
    expect(through(placeOf('u16'), { ...PLAIN, map: { 0: 'off', 3: 'fill' } }, 'fill').read).toBe('fill')
    expect(through(placeOf('string', { length: 8, order: 'BADC' }), PLAIN, '泵1').read).toBe('泵1')
  })

  test('bits of one register do not disturb each other', () => {
    const registers = new Uint8Array(2)
    coderFor(placeOf('bit', { bit: 2 }), PLAIN).put(true, registers, 100)
    coderFor(placeOf('bit', { bit: 9 }), PLAIN).put(true, registers, 100)
    coderFor(placeOf('bit', { bit: 3 }), PLAIN).put(false, registers, 100)
    expect([...registers]).toEqual([0x02, 0x04])
  })
})
