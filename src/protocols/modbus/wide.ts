/**
 * Reads answered with a byte count of 16 bits, which no standard knows: 01 03 00 02 hi lo crc. Inovance and Monarch lift
 * controllers and drives of their kind do so, some by a parameter, some always. All else of theirs is ordinary RTU.
 */
import { crc16 } from '../../bytes/checksum.ts'
import type { Question, Split } from '../protocol.ts'

/** What such devices are called towards the framing (`Question.dialect`). */
export const WIDE_COUNT = 'wide-count'

const CONTENT_MAX = 250
/** Unit, function, count; then content; then two bytes of checksum. */
const CONTENT_AT = 4

export function isWide(question: Question | undefined): question is Question {
  return question?.dialect === WIDE_COUNT
}

/** null: this is no such reply (an exception, the echo of a write), or not for certain one yet. */
export function splitWide(received: Uint8Array, from: number): Split | null {
  const code = received[from + 1]
  if (code !== 3 && code !== 4) return null
  const [high, low] = [received[from + 2], received[from + 3]]
  if (high !== undefined && high !== 0) return { kind: 'junk', used: 1 }
  if (low === undefined) return { kind: 'more' }
  if (low < 2 || low % 2 !== 0 || low > CONTENT_MAX) return { kind: 'junk', used: 1 }
  const end = from + CONTENT_AT + low + 2
  if (received.length < end) return { kind: 'more' }
  return crc16(received, from, end) === 0
    ? { kind: 'frame', frame: received.subarray(from, end), used: end - from }
    : { kind: 'junk', used: 1 }
}

/** The PDU as the standard would have it. */
export function narrowed(pdu: Uint8Array): Uint8Array {
  if (pdu[0] !== 3 && pdu[0] !== 4) return pdu
  const narrow = new Uint8Array(pdu.length - 1)
  narrow[0] = pdu[0]
  narrow.set(pdu.subarray(2), 1)
  return narrow
}
