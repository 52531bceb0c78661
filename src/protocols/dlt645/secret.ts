/**
 * Passwords on the wire. A master that writes, switches or clears sends the meter's password in clear; who listens must not keep
 * it. All that is no plain question is held to be such: the editions place passwords differently, and makers have their own.
 */
import { FN, functionOf, isFromMeter } from './control.ts'

const START = 0x68
const HEAD = 10
/** Questions that hold no password, of both editions: all others are hidden. */
const PLAIN: readonly number[] = [
  FN.read,
  FN.readFollowing,
  FN.readAddress,
  FN.writeAddress,
  FN.freeze,
  FN.time,
  FN.read97,
  FN.readFollowing97,
]

/** May the data behind this control code hold a password? */
export function isSecret(control: number): boolean {
  return !isFromMeter(control) && !PLAIN.includes(functionOf(control))
}

/** Where data that may hold a password lies in these bytes, its checksum with it, since that tells of it; `to` may lie behind their end. */
export function secretsIn(bytes: Uint8Array): readonly { readonly from: number; readonly to: number }[] {
  const found: { from: number; to: number }[] = []
  for (let at = 0; at + HEAD <= bytes.length; at++) {
    if (bytes[at] !== START || bytes[at + 7] !== START || !isSecret(bytes[at + 8] ?? 0)) continue
    const length = bytes[at + 9] ?? 0
    if (length > 0) found.push({ from: at + HEAD, to: at + HEAD + length + 1 })
  }
  return found
}
