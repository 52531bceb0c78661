/** Binary coded decimals as meters send them: two digits a byte, least significant pair first. */

/** The digits, most significant first; null: a nibble above nine. `sign` masks bit 7 of the most significant byte. */
export function readDigits(bytes: Uint8Array, from: number, length: number, sign = false): string | null {
  let digits = ''
  for (let at = from + length - 1; at >= from; at--) {
    const byte = (bytes[at] ?? 0) & (sign && at === from + length - 1 ? 0x7f : 0xff)
    if (byte >> 4 > 9 || (byte & 15) > 9) return null
    digits += `${byte >> 4}${byte & 15}`
  }
  return digits
}

/** The integer that up to seven bytes of digits say (exact below 2^53); null: a nibble above nine. */
export function readInteger(bytes: Uint8Array, from: number, length: number, signed: boolean): number | null {
  let value = 0
  const top = from + length - 1
  const negative = signed && ((bytes[top] ?? 0) & 0x80) !== 0
  for (let at = top; at >= from; at--) {
    const byte = negative && at === top ? (bytes[at] ?? 0) & 0x7f : (bytes[at] ?? 0)
    if (byte >> 4 > 9 || (byte & 15) > 9) return null
    value = 100 * value + 10 * (byte >> 4) + (byte & 15)
  }
  // Minus nothing is nothing.
  return negative && value !== 0 ? -value : value
}

/** Puts `value` (a whole number) into `length` bytes; digits that do not fit are cut off in front. */
export function writeInteger(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let rest = Math.abs(value)
  for (let at = 0; at < length; at++) {
    const pair = rest % 100
    bytes[at] = (Math.floor(pair / 10) << 4) | (pair % 10)
    rest = Math.floor(rest / 100)
  }
  if (value < 0) bytes[length - 1] = (bytes[length - 1] ?? 0) | 0x80
  return bytes
}

/** Digits as written, least significant pair first on the wire. `digits` has an even number of hexadecimal digits. */
export function packDigits(digits: string): Uint8Array {
  const bytes = new Uint8Array(digits.length / 2)
  for (let at = 0; at < bytes.length; at++) {
    const end = digits.length - 2 * at
    bytes[at] = Number.parseInt(digits.slice(end - 2, end), 16)
  }
  return bytes
}

/** As `packDigits` took them: also nibbles above nine (A of a wildcard). */
export function unpackDigits(bytes: Uint8Array, from = 0, length = bytes.length - from): string {
  let digits = ''
  for (let at = from + length - 1; at >= from; at--) digits += (bytes[at] ?? 0).toString(16).padStart(2, '0')
  return digits.toUpperCase()
}

/** All bytes FF: the meter has no such value. */
export function isEmpty(bytes: Uint8Array, from: number, length: number): boolean {
  for (let at = from; at < from + length; at++) if (bytes[at] !== 0xff) return false
  return true
}
