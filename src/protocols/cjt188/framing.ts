/**
 * Questions on the wire and what answers them. The sequence number SER is the only protection against late answers, so every
 * question carries the number of its exchange there, and an answer with another one belongs to an earlier question.
 */
import type { Framing, Overheard, Question, Split, Verdict } from '../protocol.ts'
import { FROM_METER, functionOf, functionText, isFromMeter, isRefusal } from './control.ts'
import { ANY_ADDRESS, buildFrame, type Frame, FRAME_MAX, parseFrame, sameKind, splitFrame } from './frame.ts'
import { DATA_HEAD, isItem } from './item.ts'

/** `Question.body`: number of FE bytes, type, control code, then the data field with SER left 0. */
const QUESTION_HEAD = 3
/** `answer.body`: type, address as it travels, control code; then the data field. */
export const ANSWER_HEAD = 9
/** SER within the data field. */
const SER = 2

/** Meters begin to answer 20 ms after a question at the earliest: a pause as long ends an exchange. */
const QUIET_MS = 20

export function questionBody(parts: { wakeUp: number; type: number; control: number; data: Uint8Array }): Uint8Array {
  return Uint8Array.of(parts.wakeUp, parts.type, parts.control, ...parts.data)
}

/** The data field of an answer's body. */
export function answerData(body: Uint8Array): Uint8Array {
  return body.subarray(ANSWER_HEAD)
}

export const cjt188Framing: Framing = {
  name: 'cjt188',
  frameMax: FRAME_MAX,
  correlates: false,
  frame({ address, body }, transaction) {
    const [wakeUp = 0, type = 0, control = 0] = body
    const data = body.slice(QUESTION_HEAD)
    if (data.length > SER) data[SER] = transaction & 0xff
    return buildFrame({ wakeUp, type, address: String(address), control, data })
  },
  split(received, question) {
    const found = splitFrame(received)
    if (found.kind !== 'more' || question === undefined) return found
    // Noise that looks like the head of a long frame would hold back the true answer until the timeout.
    const answer = findAnswer(received, question)
    return answer > 0 ? { kind: 'junk', used: answer } : found
  },
  judge(bytes, question, transaction) {
    const frame = parseFrame(bytes)
    if (frame === null) return { kind: 'other', why: 'length' }
    const verdict = judgeContent(frame, question, transaction)
    if (verdict.kind === 'other' || isFrom(frame, question)) return verdict
    return { kind: 'other', why: 'address', from: frame.address }
  },
  quietMs: (line) => (line === null ? 0 : QUIET_MS),
  describe(bytes): Overheard | null {
    const frame = parseFrame(bytes)
    if (frame === null) return null
    const direction = isFromMeter(frame.control) ? 'reply' : 'request'
    return { direction, address: frame.address, function: functionText(frame.control) }
  },
}

/** null: no SER stands in this frame. */
function serOf({ control, data }: Frame): number | null {
  // A refusal is SER and two bytes of status; one maker's has the identifier before them.
  if (isRefusal(control)) return (data.length === 3 ? data[0] : data[SER]) ?? null
  return data[SER] ?? null
}

function judgeContent(frame: Frame, { body }: Question, transaction: number): Verdict {
  const { control, data } = frame
  const asked = body[2] ?? 0
  if (!isFromMeter(control)) return { kind: 'other', why: control === asked ? 'echo' : 'function' }
  if (functionOf(control) !== functionOf(asked)) return { kind: 'other', why: 'function' }
  const refused = isRefusal(control)
  if (!refused) {
    if (data.length < DATA_HEAD) return { kind: 'other', why: 'length' }
    if (!isItem(data, body[QUESTION_HEAD] ?? 0, body[QUESTION_HEAD + 1] ?? 0)) return { kind: 'other', why: 'function' }
  }
  if (serOf(frame) !== (transaction & 0xff)) return { kind: 'other', why: 'transaction' }
  // A standard refusal gives no reason: 0. What the longer form gives is the maker's.
  if (refused) return { kind: 'fault', fault: { kind: 'exception', code: data.length === 4 ? (data[3] ?? 0) : 0 } }
  return { kind: 'answer', body: answerBody(frame) }
}

function answerBody({ type, address, control, data }: Frame): Uint8Array {
  const body = new Uint8Array(ANSWER_HEAD + data.length)
  body[0] = type
  for (let at = 0; at < 7; at++) body[1 + at] = Number.parseInt(address.slice(12 - 2 * at, 14 - 2 * at), 16)
  body[8] = control | FROM_METER
  body.set(data, ANSWER_HEAD)
  return body
}

function isFrom(frame: Frame, { address, body }: Question): boolean {
  return sameKind(body[1] ?? 0, frame.type) && (address === ANY_ADDRESS || address === frame.address)
}

/** Where a whole, sound answer to exactly this question begins, its wake-up bytes included; -1: nowhere. */
function findAnswer(received: Uint8Array, question: Question): number {
  for (let at = 1; at < received.length; at++) {
    const found: Split = splitFrame(received.subarray(at))
    if (found.kind !== 'frame') continue
    const frame = parseFrame(found.frame)
    if (frame === null || !isFrom(frame, question)) continue
    // Whatever sequence number it has: also a late answer shows where frames begin.
    if (judgeContent(frame, question, serOf(frame) ?? 0).kind !== 'other') return at
  }
  return -1
}
