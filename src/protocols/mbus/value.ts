/** Raw data of a record by the type in its DIF: integers, float, BCD, texts of variable length. */
import { readBcd, readPairs } from '../../bytes/bcd.ts'
import { shortestF32 } from '../../bytes/number.ts'

/** `null`: no value (a digit above nine, NaN, no data at all). */
export type RawValue = number | bigint | string | null

/** Bytes of the types of fixed length. D (variable) and F (special) are not here. */
const LENGTHS: Readonly<Record<number, number>> = {
  0: 0,
  1: 1,
  2: 2,
  3: 3,
  4: 4,
  5: 4,
  6: 6,
  7: 8,
  8: 0,
  9: 1,
  10: 2,
  11: 3,
  12: 4,
  14: 6,
}
const FLOAT = 5
const LONG_INTEGER = 7
const VARIABLE = 0x0d

/** How many bytes of `data` from `at` on belong to the value, and where it begins behind a length byte; null: not whole, or no such type. */
export function extentOf(type: number, data: Uint8Array, at: number): { from: number; length: number } | null {
  if (type !== VARIABLE) {
    const length = LENGTHS[type]
    return length === undefined || at + length > data.length ? null : { from: at, length }
  }
  const kind = data[at]
  const length = kind === undefined ? null : variableLength(kind)
  return length === null || at + 1 + length > data.length ? null : { from: at + 1, length }
}

/** 00-BF characters, C0-CF and D0-DF digits, E0-EF bytes; F0 was seen with 16 bytes, where the row goes on. */
function variableLength(kind: number): number | null {
  if (kind < 0xc0) return kind
  if (kind < 0xd0) return kind - 0xc0
  if (kind < 0xe0) return kind - 0xd0
  return kind <= 0xf0 ? kind - 0xe0 : null
}

export function readValue(type: number, data: Uint8Array, from: number, length: number): RawValue {
  if (length === 0 && type !== VARIABLE) return null
  if (type === VARIABLE) return readVariable(data[from - 1] ?? 0, data, from, length)
  if (type === FLOAT) {
    const single = new DataView(data.buffer, data.byteOffset, data.byteLength).getFloat32(from, true)
    return Number.isFinite(single) ? shortestF32(single) : null
  }
  return type < 8 ? readInteger(type, data, from, length) : readDigits(data, from, length)
}

/** Two's complement, least significant byte first. */
function readInteger(type: number, data: Uint8Array, from: number, length: number): number | bigint {
  if (type === LONG_INTEGER) {
    const long = new DataView(data.buffer, data.byteOffset, data.byteLength).getBigInt64(from, true)
    return Number.isSafeInteger(Number(long)) ? Number(long) : long
  }
  let value = 0
  for (let at = from + length - 1; at >= from; at--) value = 256 * value + (data[at] ?? 0)
  return value >= 2 ** (8 * length - 1) ? value - 2 ** (8 * length) : value
}

/** The top nibble F is a minus. */
function readDigits(data: Uint8Array, from: number, length: number): number | null {
  const top = data[from + length - 1] ?? 0
  if (top >> 4 !== 0x0f) return readBcd(data, from, length)
  const positive = data.slice(from, from + length)
  positive[length - 1] = top & 0x0f
  const value = readBcd(positive, 0, length)
  return value === null ? null : value === 0 ? 0 : -value
}

function readVariable(kind: number, data: Uint8Array, from: number, length: number): RawValue {
  if (kind < 0xc0) return readText(data, from, length)
  const pairs = readPairs(data, from, length)
  if (kind >= 0xe0) return pairs.toLowerCase()
  if (!/^\d+$/.test(pairs)) return null
  const value = BigInt(kind < 0xd0 ? pairs : `-${pairs}`)
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

/** ISO 8859-1, the last character first. What cannot be printed becomes a space. */
export function readText(data: Uint8Array, from: number, length: number): string {
  let text = ''
  for (let at = from + length - 1; at >= from; at--) {
    const code = data[at] ?? 0
    text += code < 0x20 || (code >= 0x7f && code < 0xa0) ? ' ' : String.fromCharCode(code)
  }
  return text
}
