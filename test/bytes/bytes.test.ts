import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc16 } from '../../src/bytes/checksum.ts'
import { parseHex, printHex } from '../../src/bytes/hex.ts'
import { decimalsOf, scaling, shortestF32 } from '../../src/bytes/number.ts'

describe('crc16', () => {
  test('the check value of CRC-16/MODBUS', () => {
    expect(crc16(new TextEncoder().encode('123456789'))).toBe(0x4b37)
  })
  test('over bytes and their own CRC it is zero', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const crc = crc16(bytes)
        return crc16(Uint8Array.of(...bytes, crc & 0xff, crc >> 8)) === 0
      }),
    )
  })
  test('a part of a buffer', () => {
    expect(crc16(Uint8Array.of(9, 1, 2, 9), 1, 3)).toBe(crc16(Uint8Array.of(1, 2)))
  })
})

describe('hex', () => {
  test.each(['01 03 00 6b', '01:03:00:6B', '0103006b', '0x01, 0x03, 0x00, 0x6b'])('%s', (text) => {
    expect(parseHex(text)).toEqual(Uint8Array.of(1, 3, 0, 0x6b))
  })
  test('says what is wrong', () => {
    expect(parseHex('01 0g')).toBe('"g" is not a hex digit')
    expect(parseHex('01 0')).toBe('3 hex digits are half a byte too many or too few')
  })
  test('what is printed reads back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(parseHex(printHex(bytes, ' '))).toEqual(bytes)
      }),
    )
  })
})

describe('scaling', () => {
  test.each([
    [2302, 0.1, 0, 230.2],
    [3, 0.1, 0, 0.3],
    [-25, 0.1, 0, -2.5],
    [217, 0.1, -40, -18.3],
    [6000, 0.01, 0, 60],
    [1, 1e-7, 0, 1e-7],
    [12_345, 1, 0.5, 12_345.5],
    [7, 1 / 3, 0, 2.33333333333333],
    [0, -0.1, 0, 0],
    [230.2, 0.001, 0, 0.2302],
  ])('%d * %d + %d = %d', (raw, scale, offset, value) => {
    expect(scaling(scale, offset)?.apply(raw)).toBe(value)
  })
  test('a bigint keeps what a double can hold', () => {
    expect(scaling(0.001, 0)?.apply(18_446_744_073_709_551_615n)).toBe(18_446_744_073_709_552)
  })
  test('nothing to do is null', () => expect(scaling(1, 0)).toBeNull())
  test('no product has more decimals than its scale', () => {
    const decimals = fc.integer({ min: 0, max: 6 })
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 999 }), decimals, (raw, factor, places) => {
        const scale = factor / 10 ** places
        const value = scaling(scale, 0)?.apply(raw) ?? raw
        expect(decimalsOf(value)).toBeLessThanOrEqual(decimalsOf(scale))
      }),
    )
  })
  test('inverted it is the raw value again', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0.1, 0.01, 0.001, 0.5, 10, -1), fc.integer(), (raw, scale, offset) => {
        const both = scaling(scale, offset)
        const value = both?.apply(raw) ?? raw
        expect(Math.round(both?.invert(value) ?? raw) - raw).toBe(0)
      }),
    )
  })
})

describe('shortestF32', () => {
  test.each([
    [230.2, 230.2],
    [0.1, 0.1],
    [16_777_216, 16_777_216],
    [3.4028234663852886e38, 3.4028235e38],
    [1e-45, 1e-45],
    [-12.34, -12.34],
    [-0, 0],
  ])('%d', (single, decimal) => expect(shortestF32(Math.fround(single))).toBe(decimal))

  test('reads back as the same f32, and no shorter decimal does', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (single) => {
        const decimal = shortestF32(single)
        expect(Math.fround(decimal) - single).toBe(0)
        const digits = digitsOf(decimal)
        if (digits > 1 && digits <= 9 && !Number.isInteger(single)) {
          expect(Math.fround(Number(single.toPrecision(digits - 1)))).not.toBe(single)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

function digitsOf(decimal: number): number {
  return Math.abs(decimal).toExponential().split('e')[0]?.replace('.', '').length ?? 0
}
