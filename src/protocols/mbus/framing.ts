/**
 * The read cycle as a chain of questions. First the link is reset (SND_NKE) or the meter selected, which is answered by E5; then
 * the meter is asked for its data (REQ_UD2), and again as long as it says that more follows. Which question of the chain this is
 * stands in the question itself, and with it the frame count bit: set for the first telegram after a reset, then in turn. So a
 * repeated question is the same question, and nothing has to be remembered between two exchanges.
 */
import type { Address, Framing, Overheard, Question, Split, Verdict } from '../protocol.ts'
import { NO_VALUE } from '../treatment.ts'
import { idOf, isSelected, selectionOf } from './address.ts'
import {
  ACK,
  buildFrame,
  EVERYBODY,
  FCB,
  type Frame,
  FRAME_MAX,
  isFromMaster,
  isResponse,
  parseFrame,
  REQ_UD2,
  SELECTED,
  SND_NKE,
  SND_UD,
  splitFrame,
} from './frame.ts'
import { CI_ERROR, CI_FIXED, CI_VARIABLE } from './header.ts'
import { isReadable, readTelegram } from './telegram.ts'

/** `Question.body`: C, which telegram (0 the first), how many at most; long frames: then CI and data. */
const HEAD = 3
const CI_SELECT = 0x52
/** Meters begin to answer after 11 bit times at the earliest; three characters of silence are the end of an exchange. */
const QUIET_BITS = 33

/** The first question of a read. */
export function ask(address: Address, telegrams: number): Question {
  const secondary = typeof address === 'string'
  const body = secondary
    ? Uint8Array.of(SND_UD, 0, telegrams, CI_SELECT, ...selectionOf(address))
    : Uint8Array.of(SND_NKE, 0, telegrams)
  return { address, body, writes: false, answerBytes: 1 }
}

/** C, A, CI and 252 bytes: nothing says beforehand how much a meter sends. */
const ANSWER_MAX = 255

function askData(address: Address, telegram: number, telegrams: number): Question {
  const control = telegram % 2 === 0 ? REQ_UD2 | FCB : REQ_UD2
  return { address, body: Uint8Array.of(control, telegram, telegrams), writes: false, answerBytes: ANSWER_MAX }
}

export const mbusFraming: Framing = {
  name: 'mbus',
  frameMax: FRAME_MAX,
  correlates: false,
  frame({ address, body }) {
    const [control = 0] = body
    const to = typeof address === 'number' ? address : SELECTED
    if (body.length <= HEAD) return buildFrame({ is: 'short', control, address: to })
    return buildFrame({ is: 'long', control, address: to, ci: body[HEAD] ?? 0, data: body.subarray(HEAD + 1) })
  },
  split(received, question) {
    const found = splitFrame(received)
    if (found.kind !== 'more' || question === undefined || !asksData(question)) return found
    // Noise that looks like the head of a long frame would hold back the true answer until the timeout.
    const answer = findAnswer(received, question)
    return answer > 0 ? { kind: 'junk', used: answer } : found
  },
  judge(bytes, question) {
    const frame = parseFrame(bytes)
    return frame === null ? { kind: 'other', why: 'length' } : judgeFrame(frame, question)
  },
  quietMs: (line) => (line === null ? 0 : (QUIET_BITS * 1000) / line.baud),
  /** A single byte is no proof of a frame. */
  overhear(received): Split {
    return received[0] === ACK ? { kind: 'junk', used: 1 } : splitFrame(received)
  },
  describe(bytes): Overheard | null {
    const frame = parseFrame(bytes)
    if (frame === null || frame.is === 'ack') return null
    const direction = isFromMaster(frame.control) ? 'request' : 'reply'
    return { direction, address: String(frame.address), function: functionText(frame.control) }
  },
}

/** `5B REQ_UD2` */
export function functionText(control: number): string {
  const code = control.toString(16).padStart(2, '0').toUpperCase()
  const base = control & ~FCB
  const name =
    control === SND_NKE
      ? 'SND_NKE'
      : base === REQ_UD2
        ? 'REQ_UD2'
        : base === SND_UD
          ? 'SND_UD'
          : isResponse(control)
            ? 'RSP_UD'
            : 'unknown'
  return `${code} ${name}`
}

function asksData({ body }: Question): boolean {
  return ((body[0] ?? 0) & ~FCB) === REQ_UD2
}

function judgeFrame(frame: Frame, question: Question): Verdict {
  const { address, body } = question
  const [control = 0, telegram = 0, telegrams = 1] = body
  if (frame.is === 'ack') {
    if (asksData(question)) return { kind: 'other', why: 'function' }
    // Nothing in it says who acknowledges; whoever answers the next question says it.
    return { kind: 'answer', body: Uint8Array.of(ACK), more: askData(address, 0, telegrams) }
  }
  if (isFromMaster(frame.control)) return { kind: 'other', why: frame.control === control ? 'echo' : 'function' }
  if (!asksData(question) || frame.is !== 'long' || !isResponse(frame.control))
    return { kind: 'other', why: 'function' }
  // A primary address says nothing of who the meter is, only that this answer is another's; its number does.
  if (typeof address === 'number' && frame.address !== address && address !== EVERYBODY) {
    return { kind: 'other', why: 'unit', from: String(frame.address) }
  }
  const stranger = strangerIn(frame, address)
  if (stranger !== null) return { kind: 'other', why: 'address', from: stranger }
  const { ci, data } = frame
  if (ci === CI_ERROR) return { kind: 'fault', fault: { kind: 'exception', code: data[0] ?? 0 } }
  if (!isReadable(ci)) return { kind: 'fault', fault: NO_VALUE }
  const answer = Uint8Array.of(frame.control, frame.address, ci, ...data)
  const goesOn = telegram + 1 < telegrams && readTelegram(ci, data).more
  return goesOn
    ? { kind: 'answer', body: answer, more: askData(address, telegram + 1, telegrams) }
    : { kind: 'answer', body: answer }
}

/** The number of the meter that answers, if it is not the one that was selected. */
function strangerIn({ ci, data }: Extract<Frame, { is: 'long' }>, asked: Address): string | null {
  if (typeof asked === 'number' || (ci !== CI_VARIABLE && ci !== CI_FIXED) || data.length < 4) return null
  const id = idOf(data)
  return isSelected(asked, id) ? null : id
}

/** Where a whole, sound answer to exactly this question begins; -1: nowhere. */
function findAnswer(received: Uint8Array, question: Question): number {
  for (let at = 1; at < received.length; at++) {
    if (received[at] !== 0x68) continue
    const found = splitFrame(received.subarray(at))
    if (found.kind === 'frame' && mbusFraming.judge(found.frame, question, 0).kind !== 'other') return at
  }
  return -1
}
