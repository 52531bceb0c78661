/**
 * The one framing of DL/T 645. `Question.body` is the control code and the data (33H not yet added); an answer's body the same.
 * An answer fits when function and data identifier are those asked for and the address is the one asked; the right answer under
 * another address is told apart, since it means exchanged wires or a wrong number and must never be stored.
 */
import type { Address, Framing, Overheard, Question, Verdict } from '../protocol.ts'
import { NO_VALUE } from '../treatment.ts'
import { EVERYBODY } from './address.ts'
import { editionOf, FN, functionOf, functionText, isFromMeter, itemBytes, MORE, REFUSED } from './control.ts'
import { readPairs } from '../../bytes/bcd.ts'
import { rowOf } from './items.ts'
import { ADDRESS_DIGITS, buildFrame, type Frame, FRAME_MAX, parseFrame, splitFrame } from './frame.ts'

/** Sent before each request. Sleeping meters need them, no meter minds them. */
const WAKE_UPS = 4
/** A meter that goes on longer than this does not come to an end. */
const FOLLOWING_MAX = 16
/** Between an answer's last byte and the next request; slow lines have slow meters. */
const QUIET_MS = 50
const QUIET_SLOW_MS = 100
const SLOW_BAUD = 2400

/** Bits of the error byte. */
const OTHER = 0x01
const NO_DATA = 0x02

export const dlt645Framing: Framing = {
  name: 'dlt645',
  frameMax: FRAME_MAX,
  correlates: false,
  frame({ address, body }) {
    const [control = 0] = body
    return buildFrame({ wakeUp: WAKE_UPS, address: digitsOf(address), control, data: body.subarray(1) })
  },
  split(received, question) {
    const found = splitFrame(received)
    if (found.kind !== 'more' || question === undefined) return found
    // Noise that looks like the head of a long frame would hold back the true answer until the timeout.
    const answer = findAnswer(received, question)
    return answer > 0 ? { kind: 'junk', used: answer } : found
  },
  judge(bytes, question) {
    const frame = parseFrame(bytes)
    return frame === null ? { kind: 'other', why: 'length' } : judgeFrame(frame, question)
  },
  quietMs: (line) => (line !== null && line.baud <= SLOW_BAUD ? QUIET_SLOW_MS : QUIET_MS),
  describe,
}

export function digitsOf(address: Address): string {
  return String(address).padStart(ADDRESS_DIGITS, '0').slice(-ADDRESS_DIGITS).toUpperCase()
}

function judgeFrame(frame: Frame, question: Question): Verdict {
  const asked = digitsOf(question.address)
  const [control = 0] = question.body
  if (!isFromMeter(frame.control)) {
    const echo = frame.address === asked && frame.control === control && startsWith(frame.data, question.body, 1)
    return echo ? { kind: 'other', why: 'echo' } : { kind: 'other', why: 'function', from: frame.address }
  }
  const ours = isFrom(frame.address, asked)
  if (functionOf(frame.control) !== functionOf(control)) {
    return ours ? { kind: 'other', why: 'function' } : { kind: 'other', why: 'unit', from: frame.address }
  }
  const verdict = answerOf(frame, question)
  if (ours || verdict.kind === 'other') return verdict
  return { kind: 'other', why: 'address', from: frame.address }
}

/** What the frame says to the question, whoever sent it. */
function answerOf({ control, data }: Frame, question: Question): Verdict {
  if ((control & REFUSED) !== 0) {
    const [code] = data
    // Security errors have two bytes; what has none says no without a reason.
    return code === undefined ? { kind: 'fault', fault: NO_VALUE } : refusalOf(code, question)
  }
  const asked = functionOf(question.body[0] ?? 0)
  const body = Uint8Array.of(control, ...data)
  if (asked === FN.readAddress) {
    return data.length === 6 ? { kind: 'answer', body } : { kind: 'other', why: 'length' }
  }
  const reads = asked === FN.read || asked === FN.readFollowing || asked === FN.read97 || asked === FN.reread97
  if (!reads) return { kind: 'answer', body }
  const length = itemBytes(editionOf(asked, '1997'))
  if (data.length < length) return { kind: 'other', why: 'length' }
  // Another identifier: the late answer to an earlier question.
  if (!startsWith(question.body.subarray(1, 1 + length), data, 0)) return { kind: 'other', why: 'transaction' }
  const sequence = asked === FN.readFollowing ? (question.body[5] ?? 0) : 0
  // A part out of its turn: the parts do not make a whole, and none of them is a value.
  if (asked === FN.readFollowing && data[data.length - 1] !== sequence) return { kind: 'fault', fault: NO_VALUE }
  // How the 1997 edition asks for the rest is not known for sure: its first part stands alone.
  if ((control & MORE) === 0 || length !== 4) return { kind: 'answer', body }
  if (sequence >= FOLLOWING_MAX) return { kind: 'fault', fault: NO_VALUE }
  const next = Uint8Array.of(FN.readFollowing, ...data.subarray(0, 4), sequence + 1)
  return { kind: 'answer', body, more: { address: question.address, body: next, writes: false, answerBytes: 200 } }
}

/** No such data, or another error: that of a row is of some of its items. A wrong password or tariff count is a matter of settings. */
function refusalOf(code: number, { body }: Question): Verdict {
  const fault = { kind: 'exception', code } as const
  const item = readPairs(body, 1, itemBytes(editionOf(body[0] ?? 0, '1997')))
  if (rowOf(item) !== null && (code & (OTHER | NO_DATA)) !== 0) return { kind: 'fault', fault, means: 'part' }
  return (code & NO_DATA) === 0 ? { kind: 'fault', fault } : { kind: 'fault', fault, means: 'unsupported' }
}

/** A stands for any digit; a meter asked that way may answer with its number or with the letters. */
export function isFrom(from: string, asked: string): boolean {
  if (from === asked) return true
  if (!asked.includes('A')) return false
  for (let at = 0; at < asked.length; at++) if (asked[at] !== 'A' && asked[at] !== from[at]) return false
  return true
}

/** Where a whole, sound answer to exactly this question begins; -1: nowhere. */
function findAnswer(received: Uint8Array, question: Question): number {
  for (let at = 1; at + 12 <= received.length; at++) {
    if (received[at] !== 0x68) continue
    const found = splitFrame(received.subarray(at))
    if (found.kind === 'frame' && dlt645Framing.judge(found.frame, question, 0).kind !== 'other') return at
  }
  return -1
}

function describe(bytes: Uint8Array): Overheard | null {
  const frame = parseFrame(bytes)
  if (frame === null) return null
  const edition = editionOf(frame.control, '2007')
  return {
    direction: isFromMeter(frame.control) ? 'reply' : 'request',
    address: frame.address,
    function: functionText(frame.control, edition),
  }
}

/** All of `part` lies at the front of `whole` from `from` on. */
function startsWith(part: Uint8Array, whole: Uint8Array, from: number): boolean {
  if (whole.length - from < part.length) return false
  return part.every((byte, at) => byte === whole[from + at])
}

/** Who the meter is, for a line that has only one: `68 AA… 68 13 00 DF 16`. */
export function readAddress(): Question {
  return { address: EVERYBODY, body: Uint8Array.of(FN.readAddress), writes: false, answerBytes: 7 }
}
