/** Bytes as people write them. */

const PRINTED = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Reads `01 03 00 6b`, `01:03:00:6B`, `0103006b`, `0x01,0x03` in any mixture.
 * Returns a sentence when it is not hex: which character, or that a digit is missing.
 */
export function parseHex(text: string): Uint8Array | string {
  const digits = text.replace(/0x/gi, '').replace(/[\s:,-]/g, '')
  const stranger = /[^0-9a-f]/i.exec(digits)
  if (stranger) return `"${stranger[0]}" is not a hex digit`
  if (digits.length % 2 === 1) return `${digits.length} hex digits are half a byte too many or too few`
  const bytes = new Uint8Array(digits.length / 2)
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16)
  return bytes
}

/** Lower case, two digits a byte. */
export function printHex(bytes: Uint8Array, between = ''): string {
  let text = ''
  for (const byte of bytes) text += (text === '' ? '' : between) + PRINTED[byte]
  return text
}
