/** What is asked of one device, how it ended, and what is remembered of it: shared by the wire and by whoever asks. */
import type { Fault } from '../model/fault.ts'
import type { Limits, Line } from '../model/site.ts'
import type { Framing, Question, Refusal } from '../protocols/protocol.ts'
import { answerLength, characterMs } from './timing.ts'

/** Nobody answers a broadcast; devices take so long to digest it (Modbus over Serial Line V1.02, 2.4.1: 100 to 200 ms). */
const TURNAROUND_MS = 150

export type Outcome =
  /**
   * `bodies` are the answer's and those of its follow-ons; none for a question that nobody answers. They are lent: read before
   * the call returns. `ms` is what the (last) answer took, `tookMs` all of it.
   */
  | {
      readonly kind: 'answer'
      readonly bodies: readonly Uint8Array[]
      readonly sentAt: number
      readonly ms: number
      readonly tookMs: number
    }
  | {
      readonly kind: 'fault'
      readonly fault: Fault
      readonly sentAt: number
      readonly ms: number
      readonly tookMs: number
      /** A whole reply's worth of bytes came, but garbled: none is owed any more. */
      readonly spoilt: boolean
      /** The device (or a gateway for it) said no, and this is what it means. */
      readonly means?: Refusal
    }

/** What is asked of one device, and who wants to know. */
export type Exchange = {
  readonly question: Question
  readonly framing: Framing
  readonly limits: Limits
  readonly line: Line | null
  /** Slowest answer this device was seen to give, 0: none yet. */
  readonly slowestMs: () => number
  readonly settled: (outcome: Outcome, now: number) => void
  /** A reply came after its request was given up, or a second time. true: no further reply is owed, silence may end. */
  readonly late: (ageMs: number, now: number) => boolean
  /** Somebody else answered exactly this question under his own address. It is held back. */
  readonly misaddressed?: (from: string, now: number) => void
  /** It was held back for so long, so that another master could finish. */
  readonly yielded?: (ms: number) => void
}

/** Counted over all connections of a bus. */
export type WireCounts = {
  frames: number
  late: number
  foreign: number
  junkBytes: number
  /** Of texts that a serial server prints for itself. */
  textBytes: number
  busyMs: number
  /** Copies of our own requests that came back. */
  echoes: number
  /** Another master asked the same device while we waited for its answer. */
  collisions: number
  /** Writes that let another master pass. */
  yields: number
  /** Changes of the line setting, and the time they took. */
  switches: number
  switchMs: number
}

export function createCounts(): WireCounts {
  return {
    frames: 0,
    late: 0,
    foreign: 0,
    junkBytes: 0,
    textBytes: 0,
    busyMs: 0,
    echoes: 0,
    collisions: 0,
    yields: 0,
    switches: 0,
    switchMs: 0,
  }
}

/** What lies at the front of the input; `framing` null: our own request, come back. */
export type Step =
  | { readonly kind: 'more' }
  | { readonly kind: 'junk'; readonly used: number }
  | { readonly kind: 'frame'; readonly frame: Uint8Array; readonly framing: Framing | null; readonly used: number }

export type Flight = {
  readonly exchange: Exchange
  /** The first request's. */
  readonly beganAt: number
  /** Of the parts before the present one: the device's own copy. */
  readonly bodies: Uint8Array[]
  /** The present part. */
  question: Question
  transaction: number
  sent: Uint8Array
  sentAt: number
  /** Length of a good reply: when so many bytes have come and none of it was one, it was garbled. */
  expected: number
  deadline: number
  /** A reply's worth of bytes came and none of it was one: what then counts as the end. */
  garbledAt: number
  junk: number
  /** A part of what was asked for came, and nothing that is more. */
  short: boolean
  echoDue: boolean
  /** Our own request came back. */
  echoed: boolean
  /** A follow-on waits for silence until then; null: it is on the wire. */
  resumeAt: number | null
}

/** Before its first part is sent. */
export function createFlight(exchange: Exchange, now: number): Flight {
  return {
    exchange,
    beganAt: now,
    bodies: [],
    question: exchange.question,
    transaction: 0,
    sent: new Uint8Array(0),
    sentAt: now,
    expected: 0,
    deadline: 0,
    garbledAt: Number.POSITIVE_INFINITY,
    junk: 0,
    short: false,
    echoDue: false,
    echoed: false,
    resumeAt: null,
  }
}

/** The present part, as it goes out now. Returns how long its bytes take. */
export function launch(
  flight: Flight,
  { transaction, echoDue, now }: { readonly transaction: number; readonly echoDue: boolean; readonly now: number },
): number {
  const { exchange, question } = flight
  const { framing, limits, line } = exchange
  flight.transaction = transaction
  flight.sent = framing.frame(question, transaction)
  flight.expected = answerLength(framing, question, flight.sent.length)
  const sendingMs = flight.sent.length * characterMs(line)
  const waitMs = question.unanswered === true ? TURNAROUND_MS : limits.timeoutMs + flight.expected * characterMs(line)
  flight.sentAt = now
  flight.deadline = now + sendingMs + waitMs
  flight.garbledAt = Number.POSITIVE_INFINITY
  flight.junk = 0
  flight.short = false
  flight.echoDue = echoDue
  flight.echoed = false
  flight.resumeAt = null
  return sendingMs
}

/** How it ended without an answer. */
export function failed(
  flight: Flight,
  fault: Fault,
  now: number,
  means?: Refusal,
): Outcome & { readonly kind: 'fault' } {
  const { sentAt, beganAt } = flight
  const outcome = { kind: 'fault', fault, sentAt, ms: now - sentAt, tookMs: now - beganAt, spoilt: false } as const
  return means === undefined ? outcome : { ...outcome, means }
}

/** When it is over, answered or not. */
export function deadlineOf({ deadline, garbledAt }: Flight): number {
  return Math.min(deadline, garbledAt)
}

/** Does the frame close what was sent? The request as a codec cuts it may lack the wake-up bytes in front. */
export function endsWith(sent: Uint8Array, frame: Uint8Array): boolean {
  const from = sent.length - frame.length
  if (from < 0) return false
  return frame.every((byte, at) => byte === sent[from + at])
}
