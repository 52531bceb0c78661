/**
 * Two envelopes of one PDU. RTU (Modbus over Serial Line V1.02): unit, PDU, CRC low byte first; nothing in a reply says which
 * request it answers. TCP (Messaging Implementation Guide V1.0b): transaction, 0000, length, unit, PDU.
 */
import { crc16 } from '../../bytes/checksum.ts'
import type { Framing, Question, Split } from '../protocol.ts'
import { judgePdu, unitOf } from './judge.ts'
import { describe, overhear } from './overhear.ts'
import { PDU_MAX, replyLength, word } from './pdu.ts'
import { silenceOf } from './timing.ts'
import { isWide, narrowed, splitWide } from './wide.ts'

const MORE: Split = { kind: 'more' }
const JUNK: Split = { kind: 'junk', used: 1 }

const RTU_OVERHEAD = 3
const MBAP = 7

export const rtu: Framing = {
  name: 'rtu',
  frameMax: RTU_OVERHEAD + PDU_MAX,
  correlates: false,
  frame(question) {
    const end = 1 + question.body.length
    const frame = new Uint8Array(end + 2)
    frame[0] = unitOf(question.address)
    frame.set(question.body, 1)
    const crc = crc16(frame, 0, end)
    frame[end] = crc & 0xff
    frame[end + 1] = crc >> 8
    return frame
  },
  split(received, question) {
    const found = splitFor(received, 0, question)
    if (found.kind !== 'more' || question === undefined) return found
    // Noise that looks like the head of a long frame would hold back the true answer until the timeout.
    const answer = findAnswer(received, question)
    return answer > 0 ? { kind: 'junk', used: answer } : found
  },
  judge(frame, question) {
    if (frame[0] !== unitOf(question.address)) return { kind: 'other', why: 'unit' }
    const pdu = frame.subarray(1, frame.length - 2)
    return isWide(question) ? judgePdu(narrowed(pdu), question, question.answerBytes - 1) : judgePdu(pdu, question)
  },
  quietMs: (line) => (line === null ? 0 : silenceOf(line.baud).frameMs),
  overhear,
  describe,
}

export const tcp: Framing = {
  name: 'tcp',
  frameMax: MBAP + PDU_MAX,
  correlates: true,
  frame(question, transaction) {
    const length = 1 + question.body.length
    const frame = new Uint8Array(MBAP + question.body.length)
    frame.set([transaction >> 8, transaction & 0xff, 0, 0, length >> 8, length & 0xff, unitOf(question.address)])
    frame.set(question.body, MBAP)
    return frame
  },
  split(received) {
    if ((received[2] ?? 0) !== 0 || (received[3] ?? 0) !== 0) return JUNK
    if (received.length < 6) return MORE
    const length = word(received, 4)
    if (length < 2 || length > 1 + PDU_MAX) return JUNK
    const end = 6 + length
    return received.length < end ? MORE : { kind: 'frame', frame: received.subarray(0, end), used: end }
  },
  judge(frame, question, transaction) {
    if (word(frame, 0) !== transaction) return { kind: 'other', why: 'transaction' }
    // Some servers answer as unit FF whatever was asked (esp8266 library, issue 356): the transaction id is proof enough.
    if (frame[6] !== unitOf(question.address) && frame[6] !== 0xff) return { kind: 'other', why: 'unit' }
    return judgePdu(frame.subarray(MBAP), question)
  },
  quietMs: () => 0,
}

function splitFor(received: Uint8Array, from: number, question: Question | undefined): Split {
  return (isWide(question) ? splitWide(received, from) : null) ?? splitRtu(received, from)
}

/** A CRC run over a frame and its own trailing CRC leaves zero. */
function splitRtu(received: Uint8Array, from: number): Split {
  const have = received.length - from
  if (have < 2) return MORE
  const length = replyLength(received, from + 1)
  if (length === null) return JUNK
  const end = from + length + RTU_OVERHEAD
  if (received.length < end) return MORE
  return crc16(received, from, end) === 0
    ? { kind: 'frame', frame: received.subarray(from, end), used: end - from }
    : JUNK
}

/** Where a whole, sound answer to exactly this question begins; -1: nowhere. */
function findAnswer(received: Uint8Array, question: Question): number {
  const unit = unitOf(question.address)
  for (let at = 1; at + 5 <= received.length; at++) {
    if (received[at] !== unit) continue
    const found = splitFor(received, at, question)
    if (found.kind === 'frame' && rtu.judge(found.frame, question, 0).kind !== 'other') return at
  }
  return -1
}
