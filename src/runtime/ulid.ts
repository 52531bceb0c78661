/** ULIDs: 48 bits of ms, 80 random bits, Crockford base 32; sortable by time, without a clock only unique. */
import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

export function ulid(utcMs: number): string {
  let text = ''
  let time = Math.max(0, Math.floor(utcMs))
  for (let digit = 0; digit < 10; digit++) {
    text = ALPHABET.charAt(time % 32) + text
    time = Math.floor(time / 32)
  }
  for (const byte of randomBytes(16)) text += ALPHABET.charAt(byte & 31)
  return text
}
