/**
 * Modbus ASCII (Modbus over Serial Line V1.02, 2.5.2): a colon, every byte as two hex digits (lower case is taken too), LRC, CR LF.
 * Characters may come up to a second apart, so no silence means anything here: a frame begins at its colon and nowhere else.
 */
import { sum8 } from '../../bytes/checksum.ts'
import type { Framing, Question, Split } from '../protocol.ts'
import { judgePdu, unitOf } from './judge.ts'
import { describePdu } from './overhear.ts'
import { PDU_MAX } from './pdu.ts'

const COLON = 0x3a
const CR = 0x0d
const LF = 0x0a
/** Unit and LRC. */
const AROUND = 2
/** Unit, function, a byte of content, LRC. */
const BYTES_MIN = 4
/** Colon, CR, LF. */
const MARKS = 3
const JUNK: Split = { kind: 'junk', used: 1 }

const DIGITS = Array.from('0123456789ABCDEF', (digit) => digit.charCodeAt(0))
/** By character; -1: no hex digit. */
const NIBBLES = Int8Array.from({ length: 256 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(value) ? -1 : value
})

export const ascii: Framing = {
  name: 'ascii',
  frameMax: frameLength(PDU_MAX),
  correlates: false,
  frame(question) {
    const bytes = new Uint8Array(question.body.length + AROUND)
    bytes[0] = unitOf(question.address)
    bytes.set(question.body, 1)
    bytes[bytes.length - 1] = -sum8(bytes)
    const frame = new Uint8Array(MARKS + 2 * bytes.length)
    frame[0] = COLON
    for (const [at, byte] of bytes.entries()) {
      frame[1 + 2 * at] = DIGITS[byte >> 4] ?? 0
      frame[2 + 2 * at] = DIGITS[byte & 15] ?? 0
    }
    frame.set([CR, LF], frame.length - 2)
    return frame
  },
  split,
  judge(frame, question) {
    const bytes = bytesIn(frame)
    if (bytes === null) return { kind: 'other', why: 'length' }
    if (bytes[0] !== unitOf(question.address)) return { kind: 'other', why: 'unit' }
    return judgePdu(bytes.subarray(1, -1), question)
  },
  answerLength: (question: Question) => frameLength(question.answerBytes),
  quietMs: () => 0,
  describe(frame) {
    const bytes = bytesIn(frame)
    return bytes === null ? null : describePdu(bytes[0] ?? 0, bytes.subarray(1, -1))
  },
}

function split(received: Uint8Array): Split {
  if (received.length > 0 && received[0] !== COLON) return JUNK
  for (let at = 1; at < received.length; at++) {
    const character = received[at] ?? 0
    if (character === CR) {
      const end = received[at + 1]
      if (end === undefined) return at + 1 < ascii.frameMax ? { kind: 'more' } : JUNK
      const frame = received.subarray(0, at + 2)
      return end === LF && isSound(frame) ? { kind: 'frame', frame, used: frame.length } : JUNK
    }
    // A colon in the middle begins another frame: this one was cut short.
    if ((NIBBLES[character] ?? -1) < 0 || at >= ascii.frameMax) return JUNK
  }
  return { kind: 'more' }
}

function isSound(frame: Uint8Array): boolean {
  const bytes = bytesIn(frame)
  // The bytes and their LRC add up to nothing.
  return bytes !== null && bytes.length >= BYTES_MIN && frame.length <= ascii.frameMax && sum8(bytes) === 0
}

/** Unit, PDU and LRC of a frame with its marks; null: half a byte is missing, or it is no frame at all. */
export function bytesIn(frame: Uint8Array): Uint8Array | null {
  const length = (frame.length - MARKS) / 2
  if (!Number.isInteger(length) || length < AROUND) return null
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) {
    const high = NIBBLES[frame[1 + 2 * at] ?? 0] ?? -1
    const low = NIBBLES[frame[2 + 2 * at] ?? 0] ?? -1
    if (high < 0 || low < 0) return null
    bytes[at] = (high << 4) | low
  }
  return bytes
}

function frameLength(pdu: number): number {
  return MARKS + 2 * (pdu + AROUND)
}

/** Lines as people copy them, with or without their ends (`\r\n` in letters, too); null: this is no such text. */
export function linesOf(text: string): Uint8Array | null {
  const lines = text.split(/\s|\\r|\\n/).filter((line) => line !== '')
  if (!lines[0]?.startsWith(':')) return null
  const characters = lines.map((line) => `${line}\r\n`).join('')
  return Uint8Array.from(characters, (character) => Math.min(character.charCodeAt(0), 0xff))
}
