/** Binary-coded decimals as meters send them: two digits a byte, the least significant pair first. */

/** The number that `length` bytes of digits say (exact up to seven bytes); null: a nibble above nine. */
export function readBcd(bytes: Uint8Array, from: number, length: number): number | null {
  let value = 0
  for (let at = from + length - 1; at >= from; at--) {
    const byte = bytes[at] ?? 0
    if (byte >> 4 > 9 || (byte & 15) > 9) return null
    value = 100 * value + 10 * (byte >> 4) + (byte & 15)
  }
  return value
}

/** Puts a whole number, 0 or more, into `length` bytes. Digits that do not fit are cut off in front, as counters roll over. */
export function writeBcd(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let rest = value
  for (let at = 0; at < length; at++) {
    const pair = rest % 100
    bytes[at] = (Math.floor(pair / 10) << 4) | (pair % 10)
    rest = Math.floor(rest / 100)
  }
  return bytes
}

/** The pairs as they would be printed, most significant first; nibbles above nine stay what they are (AA of a wildcard). */
export function readPairs(bytes: Uint8Array, from = 0, length = bytes.length - from): string {
  let digits = ''
  for (let at = from + length - 1; at >= from; at--) digits += (bytes[at] ?? 0).toString(16).padStart(2, '0')
  return digits.toUpperCase()
}

/** `digits`: an even number of hexadecimal digits, as printed. */
export function writePairs(digits: string): Uint8Array {
  const bytes = new Uint8Array(digits.length / 2)
  for (let at = 0; at < bytes.length; at++) {
    const end = digits.length - 2 * at
    bytes[at] = Number.parseInt(digits.slice(end - 2, end), 16)
  }
  return bytes
}

export function isFilled(bytes: Uint8Array, from: number, length: number, byte: number): boolean {
  for (let at = from; at < from + length; at++) if (bytes[at] !== byte) return false
  return true
}
