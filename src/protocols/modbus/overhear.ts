/**
 * Frames that nobody of us asked for, on an RTU line: another master's requests, and what it is answered. Only the checksum tells
 * a frame there, so both readings of its first bytes are tried.
 */
import { crc16 } from '../../bytes/checksum.ts'
import type { Overheard, Split } from '../protocol.ts'
import { FUNCTION_NAMES, isFunctionCode, parseRequest, replyLength, requestLength } from './pdu.ts'

const OVERHEAD = 3

export function overhear(received: Uint8Array): Split {
  if (received.length < 2) return { kind: 'more' }
  let incomplete = false
  for (const length of [replyLength(received, 1), requestLength(received, 1)]) {
    if (length === null) continue
    const end = length + OVERHEAD
    if (received.length < end) incomplete = true
    else if (crc16(received, 0, end) === 0) return { kind: 'frame', frame: received.subarray(0, end), used: end }
  }
  return incomplete ? { kind: 'more' } : { kind: 'junk', used: 1 }
}

export function describe(frame: Uint8Array): Overheard | null {
  return frame.length < 4 ? null : describePdu(frame[0] ?? 0, frame.subarray(1, -2))
}

/** A write's reply may look like its request; then it counts as the request. */
export function describePdu(unit: number, pdu: Uint8Array): Overheard | null {
  const code = (pdu[0] ?? 0) & 0x7f
  if (!isFunctionCode(code)) return null
  const isRequest = ((pdu[0] ?? 0) & 0x80) === 0 && typeof parseRequest(pdu) !== 'string'
  return {
    direction: isRequest ? 'request' : 'reply',
    address: String(unit),
    function: `${code} ${FUNCTION_NAMES[code]}`,
  }
}
