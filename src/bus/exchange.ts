/**
 * One request and its reply, or a fault, on one open pipe. Promised here, whatever comes in: no reply is taken for another's, no
 * byte extends a deadline, and what is kept of the input is never longer than one frame.
 *
 * A framing that correlates (Modbus TCP) may have several requests in flight; a late reply shows by its transaction id. RTU has no
 * such id: one request at a time, silence before each, and after a timeout or a bad checksum a longer silence in which whatever
 * comes is dropped. Time is an argument; the host calls `expire` when `wakeAt` says so.
 */
import type { Fault } from '../model/fault.ts'
import type { Line, Limits } from '../model/site.ts'
import type { Framing, Question } from '../protocols/protocol.ts'
import { characterMs, frameSilenceMs, quietMs } from './timing.ts'

export type Outcome =
  /** `body` is lent: it is read before the call returns. */
  | { readonly kind: 'answer'; readonly body: Uint8Array; readonly sentAt: number; readonly ms: number }
  | {
      readonly kind: 'fault'
      readonly fault: Fault
      readonly sentAt: number
      readonly ms: number
      /** A whole reply's worth of bytes came, but garbled: none is owed any more. */
      readonly spoilt: boolean
    }

/** What is asked of one device, and who wants to know. */
export type Exchange = {
  readonly question: Question
  readonly limits: Limits
  readonly line: Line | null
  /** Slowest answer this device was seen to give, 0: none yet. */
  readonly slowestMs: () => number
  readonly settled: (outcome: Outcome, now: number) => void
  /** A reply came after its request was given up, or a second time. true: no further reply is owed, silence may end. */
  readonly late: (ageMs: number, now: number) => boolean
}

/** Counted over all connections of a bus. */
export type WireCounts = { frames: number; late: number; foreign: number; junkBytes: number; busyMs: number }

export function createCounts(): WireCounts {
  return { frames: 0, late: 0, foreign: 0, junkBytes: 0, busyMs: 0 }
}

type Flight = {
  readonly exchange: Exchange
  readonly transaction: number
  readonly sent: Uint8Array
  readonly sentAt: number
  /** Length of a good reply: when so many bytes have come and none of it was one, it was garbled. */
  readonly expected: number
  deadline: number
  junk: number
  echoDue: boolean
}

type Past = { readonly exchange: Exchange; readonly sentAt: number; readonly until: number }

const NOTHING = new Uint8Array(0)
/** Requests whose reply may still turn up. More are not remembered: their replies count as foreign. */
const PAST_MAX = 8
const PAST_KEPT_MS = 60_000
/** Adapters deliver a frame in pieces up to 16 ms apart; three of those without a byte, and no more is coming. */
const GARBLED_AFTER_MS = 50
/** A shortest RTU frame. Fewer stray bytes are noise on a silent line, not a garbled answer. */
const GARBLED_BYTES_MIN = 4
/** A line that never falls silent is asked nevertheless: the exchange then says what is wrong. */
const SILENCE_WAIT_MAX_MS = 2000

export class Wire {
  readonly #framing: Framing
  readonly #flightsMax: number
  readonly #counts: WireCounts
  readonly #write: (bytes: Uint8Array) => void
  /** The stream cannot be trusted any more: the connection must go. */
  readonly #desynchronised: () => void
  readonly #flights: Flight[] = []
  /** Given up, and their replies may still turn up. */
  readonly #missed: Past[] = []
  /** The last one that was answered: some devices and adapters answer twice. */
  #answered: Past | null = null
  #dead = false
  #held: Uint8Array = NOTHING
  #transaction: number
  #lastActivity: number
  #silenceUntil = 0
  /** Whose reply the silence waits for. Another device's late reply does not end it. */
  #silencedBy: Exchange | null = null
  #waitingSince: number | null = null
  #busySince: number | null = null

  constructor(options: {
    framing: Framing
    flightsMax: number
    counts: WireCounts
    write: (bytes: Uint8Array) => void
    desynchronised: () => void
    /** Where transaction ids start: at random, so that a reply of an earlier connection does not fit. */
    firstTransaction: number
    now: number
  }) {
    this.#framing = options.framing
    this.#flightsMax = options.framing.correlates ? options.flightsMax : 1
    this.#counts = options.counts
    this.#write = options.write
    this.#desynchronised = options.desynchronised
    this.#transaction = options.firstTransaction & 0xffff
    this.#lastActivity = options.now
  }

  get inFlight(): number {
    return this.#flights.length
  }

  hasRoom(): boolean {
    return this.#flights.length < this.#flightsMax
  }

  /** When the line will have been silent long enough for this request. Not later than now: send. */
  readyAt(exchange: Exchange, now: number): number {
    if (this.#framing.correlates) return now
    const quietAt = this.#lastActivity + quietMs(exchange.line, exchange.limits.guardMs)
    const wanted = Math.max(quietAt, this.#silenceUntil)
    if (wanted <= now) return now
    this.#waitingSince ??= now
    return Math.min(wanted, Math.max(this.#waitingSince, this.#silenceUntil) + SILENCE_WAIT_MAX_MS)
  }

  send(exchange: Exchange, now: number): void {
    const { question, limits, line } = exchange
    this.#transaction = (this.#transaction + 1) & 0xffff
    const sent = this.#framing.frame(question, this.#transaction)
    const overhead = sent.length - question.body.length
    const expected = overhead + question.answerBytes
    const sendingMs = sent.length * characterMs(line)
    this.#flights.push({
      exchange,
      transaction: this.#transaction,
      sent,
      sentAt: now,
      expected,
      deadline: now + sendingMs + limits.timeoutMs + expected * characterMs(line),
      junk: 0,
      echoDue: limits.echo && !this.#framing.correlates,
    })
    if (!this.#framing.correlates) this.#held = NOTHING
    this.#lastActivity = now + sendingMs
    this.#waitingSince = null
    this.#busySince ??= now
    this.#write(sent)
  }

  /** Settles what the chunk answers. What is told that way must not send: the host sends when the call has returned. */
  receive(chunk: Uint8Array, now: number): void {
    if (!this.#framing.correlates) this.#lastActivity = now
    let input = this.#held.length === 0 ? chunk : joined(this.#held, chunk)
    this.#held = NOTHING
    while (input.length > 0 && !this.#dead) {
      const used = this.#echoed(input) ?? this.#next(input, now)
      if (used === 0) break
      input = input.subarray(used)
    }
    // The chunk's memory is lent; a frame's beginning is small.
    if (input.length > 0) this.#held = input.slice()
    this.#hastenGarbled(now)
  }

  /** Settles what is past its deadline. */
  expire(now: number): void {
    for (let at = this.#flights.length - 1; at >= 0; at--) {
      const flight = this.#flights[at]
      if (flight !== undefined && flight.deadline <= now) this.#giveUp(flight, now)
    }
  }

  /** The earliest deadline, Infinity when nothing is in flight. */
  wakeAt(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const flight of this.#flights) if (flight.deadline < earliest) earliest = flight.deadline
    return earliest
  }

  /** The pipe is gone: every request in flight ends with this fault. */
  end(fault: Fault, now: number): void {
    for (let flight = this.#flights[0]; flight !== undefined; flight = this.#flights[0]) {
      this.#settle(flight, { kind: 'fault', fault, sentAt: flight.sentAt, ms: now - flight.sentAt, spoilt: false }, now)
    }
  }

  /** One step through the input: how many bytes it used, 0 when a frame is not complete yet. */
  #next(input: Uint8Array, now: number): number {
    const [flight] = this.#flights
    const split = this.#framing.split(input, flight?.exchange.question)
    if (split.kind === 'frame') {
      this.#take(split.frame, now)
      return split.used
    }
    if (split.kind === 'junk') return this.#shed(split.used)
    return input.length >= this.#framing.frameMax ? this.#shed(1) : 0
  }

  #shed(count: number): number {
    this.#counts.junkBytes += count
    const [flight] = this.#flights
    if (flight !== undefined) flight.junk += count
    // On a correlating stream a byte out of place means that all that follows is: there is no silence to start again from.
    if (this.#framing.correlates) {
      this.#dead = true
      this.#desynchronised()
    }
    return count
  }

  /** Adapters that receive while they send return our own request first. How many bytes of the input are that (0: wait for more), null: none. */
  #echoed(input: Uint8Array): number | null {
    const [flight] = this.#flights
    if (flight === undefined || !flight.echoDue) return null
    const { sent } = flight
    const length = Math.min(input.length, sent.length)
    for (let at = 0; at < length; at++) {
      if (input[at] === sent[at]) continue
      // Noise before the echo of a write is shed: its answer looks like the echo, so the echo must be seen first.
      if (flight.exchange.question.writes) return this.#shed(1)
      flight.echoDue = false
      return null
    }
    if (length < sent.length) return 0
    flight.echoDue = false
    return length
  }

  #take(frame: Uint8Array, now: number): void {
    this.#counts.frames += 1
    for (const flight of this.#flights) {
      const verdict = this.#framing.judge(frame, flight.exchange.question, flight.transaction)
      if (verdict.kind === 'other') continue
      const { sentAt } = flight
      const ms = now - sentAt
      const outcome: Outcome =
        verdict.kind === 'answer'
          ? { kind: 'answer', body: verdict.body, sentAt, ms }
          : { kind: 'fault', fault: verdict.fault, sentAt, ms, spoilt: false }
      this.#settle(flight, outcome, now)
      return
    }
    this.#stray(frame, now)
  }

  /** A sound frame that nobody in flight asked for: late, or not ours at all. Never a value. */
  #stray(frame: Uint8Array, now: number): void {
    if (this.#framing.correlates) {
      this.#counts.late += 1
      return
    }
    const past = this.#pastOf(frame, now)
    if (past !== null) {
      this.#counts.late += 1
      if (past.exchange.late(now - past.sentAt, now) && past.exchange === this.#silencedBy) this.#endSilence(now)
      return
    }
    this.#counts.foreign += 1
  }

  /** Which earlier request this frame would answer; it is forgotten with that, since a request has one reply. */
  #pastOf(frame: Uint8Array, now: number): Past | null {
    for (let at = 0; at < this.#missed.length; at++) {
      const past = this.#missed[at]
      if (past === undefined || past.until < now) continue
      if (this.#framing.judge(frame, past.exchange.question, 0).kind === 'other') continue
      this.#missed.splice(at, 1)
      return past
    }
    const answered = this.#answered
    if (answered === null || this.#framing.judge(frame, answered.exchange.question, 0).kind === 'other') return null
    this.#answered = null
    return answered
  }

  /** What was owed is here: the ordinary quiet time is enough. */
  #endSilence(now: number): void {
    if (this.#silenceUntil <= now) return
    this.#counts.busyMs -= this.#silenceUntil - now
    this.#silenceUntil = now
  }

  /** A reply's worth of bytes without a reply in it: the deadline comes forward to shortly after the last byte. */
  #hastenGarbled(now: number): void {
    if (this.#framing.correlates) return
    const [flight] = this.#flights
    if (flight === undefined || flight.junk + this.#held.length < flight.expected || flight.junk === 0) return
    flight.deadline = Math.min(flight.deadline, now + GARBLED_AFTER_MS + frameSilenceMs(flight.exchange.line))
  }

  #giveUp(flight: Flight, now: number): void {
    const strays = flight.junk + this.#held.length
    const garbled = !this.#framing.correlates && strays >= GARBLED_BYTES_MIN
    const ms = now - flight.sentAt
    if (!this.#framing.correlates) {
      const { limits, line, slowestMs } = flight.exchange
      this.#held = NOTHING
      this.#silencedBy = flight.exchange
      this.#silenceUntil = now + Math.max(limits.timeoutMs, 2 * slowestMs(), quietMs(line, limits.guardMs))
      this.#counts.busyMs += this.#silenceUntil - now
    }
    const fault: Fault = garbled ? { kind: 'crc' } : { kind: 'timeout' }
    const spoilt = garbled && strays >= flight.expected
    this.#settle(flight, { kind: 'fault', fault, sentAt: flight.sentAt, ms, spoilt }, now)
  }

  #settle(flight: Flight, outcome: Outcome, now: number): void {
    this.#flights.splice(this.#flights.indexOf(flight), 1)
    if (this.#flights.length === 0 && this.#busySince !== null) {
      this.#counts.busyMs += now - this.#busySince
      this.#busySince = null
    }
    if (!this.#framing.correlates) this.#remember(flight, outcome, now)
    flight.exchange.settled(outcome, now)
  }

  #remember({ exchange, sentAt }: Flight, outcome: Outcome, now: number): void {
    this.#counts.busyMs += quietMs(exchange.line, exchange.limits.guardMs)
    const past = { exchange, sentAt, until: now + PAST_KEPT_MS }
    const silent = outcome.kind === 'fault' && (outcome.fault.kind === 'timeout' || outcome.fault.kind === 'crc')
    if (!silent) {
      this.#answered = past
      return
    }
    if (outcome.spoilt) return
    this.#missed.push(past)
    if (this.#missed.length > PAST_MAX) this.#missed.shift()
  }
}

function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}
