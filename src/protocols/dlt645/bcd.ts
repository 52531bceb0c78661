/** What DL/T 645 adds to binary-coded decimals: bit 7 of the most significant byte is a sign (2007, appendix A). */
import { readBcd, readPairs, writeBcd } from '../../bytes/bcd.ts'

/** The digits, most significant first; null: a nibble above nine. */
export function readDigits(bytes: Uint8Array, from: number, length: number): string | null {
  const digits = readPairs(bytes, from, length)
  return /^\d*$/.test(digits) ? digits : null
}

/** The integer that up to seven bytes of digits say (exact below 2^53); null: a nibble above nine. */
export function readInteger(bytes: Uint8Array, from: number, length: number, signed: boolean): number | null {
  const top = from + length - 1
  const isNegative = signed && ((bytes[top] ?? 0) & 0x80) !== 0
  if (!isNegative) return readBcd(bytes, from, length)
  const magnitude = bytes.slice(from, top + 1)
  magnitude[length - 1] = (magnitude[length - 1] ?? 0) & 0x7f
  const value = readBcd(magnitude, 0, length)
  // Minus nothing is nothing.
  return value === null || value === 0 ? value : -value
}

/** Puts `value` (a whole number) into `length` bytes; digits that do not fit are cut off in front. */
export function writeInteger(value: number, length: number): Uint8Array {
  const bytes = writeBcd(Math.abs(value), length)
  if (value < 0) bytes[length - 1] = (bytes[length - 1] ?? 0) | 0x80
  return bytes
}
