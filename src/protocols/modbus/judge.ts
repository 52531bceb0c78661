/** Whether a PDU answers the question, whatever envelope it came in. */
import type { Address, Question, Refusal, Verdict } from '../protocol.ts'
import { isContentLength, parseReply } from './pdu.ts'

/** What exceptions mean to whoever asked; the others say that the device is ill. */
const MEANS: Readonly<Record<number, Refusal>> = {
  1: 'unsupported',
  2: 'part',
  3: 'part',
  5: 'accepted',
  6: 'busy',
  10: 'unreached',
  11: 'unheard',
}
const ILLEGAL_FUNCTION = 1
/** How much of a write its reply repeats. */
const REPEATED: Readonly<Record<number, number>> = { 5: 5, 6: 5, 15: 5, 16: 5, 22: 7 }

/** Units are numbers; a text comes from outside and is none of ours. */
export function unitOf(address: Address): number {
  return typeof address === 'number' ? address : Number(address)
}

export function judgePdu(pdu: Uint8Array, question: Question, answerBytes = question.answerBytes): Verdict {
  const asked = question.body[0] ?? 0
  if (pdu[0] === (asked | 0x80)) return refused(pdu, question)
  if (pdu[0] !== asked) return { kind: 'other', why: 'function' }
  if (asked === 43) return identified(pdu, question)
  if (pdu.length !== answerBytes) {
    return { kind: 'other', why: 'length', ...(isShort(pdu, asked, answerBytes) ? { short: true } : {}) }
  }
  const repeated = REPEATED[asked]
  if (repeated === undefined) {
    const bytes = pdu[1] ?? 0
    const whole = bytes === pdu.length - 2 && isContentLength(asked, bytes)
    return whole ? answer(pdu, question) : { kind: 'other', why: 'length' }
  }
  // Anything else answers an earlier write.
  for (let at = 1; at < repeated; at++) if (pdu[at] !== question.body[at]) return { kind: 'other', why: 'echo' }
  return answer(pdu, question)
}

/** Whole in itself, of fewer registers or bits than were asked for: some devices answer what they can instead of refusing. */
function isShort(pdu: Uint8Array, asked: number, answerBytes: number): boolean {
  const bytes = pdu[1] ?? 0
  const isRead = REPEATED[asked] === undefined && bytes > 0
  return isRead && pdu.length < answerBytes && bytes === pdu.length - 2 && isContentLength(asked, bytes)
}

function refused(pdu: Uint8Array, question: Question): Verdict {
  if (pdu.length !== 2) return { kind: 'other', why: 'length' }
  const code = pdu[1] ?? 0
  if (code === ILLEGAL_FUNCTION && question.otherwise !== undefined)
    return { kind: 'answer', body: pdu, more: question.otherwise }
  const means = MEANS[code]
  const fault = { kind: 'exception', code } as const
  return means === undefined ? { kind: 'fault', fault } : { kind: 'fault', fault, means }
}

/** Its length is in itself. The objects begin with the one that was asked for, or an earlier question is answered. */
function identified(pdu: Uint8Array, question: Question): Verdict {
  const reply = parseReply(pdu)
  if (typeof reply === 'string' || !('objects' in reply)) return { kind: 'other', why: 'length' }
  const [, , category, object] = question.body
  const [first] = reply.objects
  const ours = reply.category === category && (first === undefined || first.id === object)
  return ours ? answer(pdu, question) : { kind: 'other', why: 'echo' }
}

function answer(body: Uint8Array, question: Question): Verdict {
  const more = question.more?.(body) ?? null
  return more === null ? { kind: 'answer', body } : { kind: 'answer', body, more }
}
