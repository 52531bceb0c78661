/**
 * One request and its reply, or a fault, on one wire. Promised here, whatever comes in: no reply is taken for another's, no byte
 * extends a deadline, and what is kept of the input is never longer than one frame.
 *
 * A framing that correlates (Modbus TCP) may have several requests in flight; a late reply shows by its transaction id. A serial
 * line has one request at a time, of whichever protocol; silence before each, and after a timeout or a bad checksum a longer silence
 * in which whatever comes is dropped. An answer that asks for a follow-on keeps its turn until it is whole. Time is an argument;
 * the host calls `step` when `wakeAt` says so.
 */
import type { Fault } from '../model/fault.ts'
import type { Framing } from '../protocols/protocol.ts'
import { EchoHabit, echoed } from './echo.ts'
import {
  createFlight,
  deadlineOf,
  endsWith,
  failed,
  launch,
  type Exchange,
  type Flight,
  type Outcome,
  type Step,
  type WireCounts,
} from './flight.ts'
import { joined, Others, Overhearer, type Strangers } from './overhear.ts'
import { Pasts } from './past.ts'
import { Silence } from './silence.ts'
import { textLength, type Texts } from './texts.ts'
import { characterMs, quietMs } from './timing.ts'

const NOTHING = new Uint8Array(0)
/** Adapters deliver a frame in pieces up to 16 ms apart; three of those without a byte, and no more is coming. */
const GARBLED_AFTER_MS = 50
/** A shortest RTU frame. Fewer stray bytes are noise on a silent line, not a garbled answer. */
const GARBLED_BYTES_MIN = 4
/** A follow-on that the line does not let through is sent nevertheless. */
const FOLLOW_ON_WAIT_MAX_MS = 2000
/** A device that answers with too little so often in a row cannot do more at once. */
const SHORT_PROVES = 2
/** Parts of one answer. More is a device that never comes to an end. */
const PARTS_MAX = 64

export class Wire {
  readonly #correlates: boolean
  /** The framing of a stream whose replies name their request. */
  readonly #correlating: Framing | null
  readonly #flightsMax: number
  readonly #counts: WireCounts
  readonly #others: Others
  readonly #overhearer: Overhearer
  readonly #silence: Silence
  readonly #echoes = new EchoHabit()
  readonly #texts: Texts | null
  /** The stream cannot be trusted any more: the connection must go. */
  readonly #desynchronised: () => void
  readonly #flights: Flight[] = []
  readonly #pasts = new Pasts()
  /** How often in a row a device answered this with less than was asked for. */
  readonly #shorts = new WeakMap<Exchange, number>()
  #write: (bytes: Uint8Array) => void
  #dead = false
  #held: Uint8Array = NOTHING
  #transaction: number
  #busySince: number | null = null

  constructor(options: {
    /** All that are spoken on this wire. */
    framings: readonly Framing[]
    flightsMax: number
    counts: WireCounts
    strangers: Strangers
    /** Where texts between frames are told; null: nobody prints any on this wire. */
    texts?: Texts | null
    write: (bytes: Uint8Array) => void
    desynchronised: () => void
    /** Where transaction ids start: at random, so that a reply of an earlier connection does not fit. */
    firstTransaction: number
    now: number
  }) {
    this.#correlating = options.framings.find(({ correlates }) => correlates) ?? null
    this.#correlates = this.#correlating !== null
    this.#flightsMax = this.#correlates ? options.flightsMax : 1
    this.#overhearer = new Overhearer(options.framings)
    this.#counts = options.counts
    this.#others = new Others(options.strangers)
    this.#texts = options.texts ?? null
    this.#write = options.write
    this.#desynchronised = options.desynchronised
    this.#transaction = options.firstTransaction & 0xffff
    this.#silence = new Silence(this.#others, options.now)
  }

  hasRoom(): boolean {
    return this.#flights.length < this.#flightsMax
  }

  /** Speaks with another line setting from now on, perhaps through a port opened anew. What was missed stays remembered. */
  retuned(now: number, write?: (bytes: Uint8Array) => void): void {
    if (write !== undefined) this.#write = write
    this.#held = NOTHING
    this.#overhearer.forget()
    this.#silence.active(now)
  }

  /** When the line will have been silent long enough for this request. Not later than now: send. */
  readyAt(exchange: Exchange, now: number): number {
    return this.#correlates ? now : this.#silence.readyAt(exchange, now)
  }

  send(exchange: Exchange, now: number): void {
    const flight = createFlight(exchange, now)
    this.#flights.push(flight)
    const yieldedMs = this.#silence.broken(exchange, now)
    if (yieldedMs > 0) {
      this.#counts.yields += 1
      exchange.yielded?.(yieldedMs)
    }
    this.#busySince ??= now
    this.#transmit(flight, now)
  }

  /** Settles what the chunk answers. What is told that way must not send: the host sends when the call has returned. */
  receive(chunk: Uint8Array, now: number): void {
    if (!this.#correlates) this.#silence.active(now)
    const input = this.#held.length === 0 ? chunk : joined(this.#held, chunk)
    this.#held = NOTHING
    let at = 0
    /** Where bytes began that are no part of an answer. */
    let noise = 0
    /** Behind a byte that belongs to nothing no text begins: that is what is left of a garbled answer. */
    let clean = (this.#listening()?.junk ?? 0) === 0
    while (at < input.length && !this.#dead) {
      const rest = input.subarray(at)
      const found = echoed(this.#listening(), rest) ?? this.#next(rest)
      if (found.kind === 'more') break
      if (found.kind === 'frame') {
        // In the order in which they came: an echo is known as ours while its answer is awaited.
        this.#overhear(input.subarray(noise, at), now)
        if (found.framing === null) this.#counts.echoes += 1
        else this.#take(found.frame, found.framing, now)
        noise = at + found.used
        clean = true
      } else {
        const printed = clean ? this.#printed(rest, now) : 0
        if (printed > 0) {
          this.#overhear(input.subarray(noise, at), now)
          at += printed
          noise = at
          continue
        }
        clean = false
        this.#shed(found.used)
      }
      at += found.used
    }
    this.#overhear(input.subarray(noise, at), now)
    // The chunk's memory is lent; a frame's beginning is small.
    if (at < input.length && !this.#dead) this.#held = input.slice(at)
    this.#hastenGarbled(now)
  }

  /** Settles what is past its deadline, and sends the follow-on whose silence is over. */
  step(now: number): void {
    for (let at = this.#flights.length - 1; at >= 0; at--) {
      const flight = this.#flights[at]
      if (flight === undefined) continue
      if (flight.resumeAt !== null) {
        // Bytes that came meanwhile have put it off.
        flight.resumeAt = Math.max(flight.resumeAt, this.#silence.quietAt(flight.exchange))
        if (flight.resumeAt <= now || now >= flight.deadline) this.#transmit(flight, now)
      } else if (deadlineOf(flight) <= now) {
        // What is held back as a beginning will not be completed; it may complete a frame that is not ours.
        this.#dropHeld(now)
        if (deadlineOf(flight) <= now) this.#over(flight, now)
      }
    }
  }

  /** The earliest moment at which `step` has something to do, Infinity when nothing is in flight. */
  wakeAt(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const flight of this.#flights) earliest = Math.min(earliest, flight.resumeAt ?? deadlineOf(flight))
    return earliest
  }

  /** The pipe is gone: every request in flight ends with this fault. */
  end(fault: Fault, now: number): void {
    for (let flight = this.#flights[0]; flight !== undefined; flight = this.#flights[0]) {
      this.#settle(flight, failed(flight, fault, now), now)
    }
  }

  #transmit(flight: Flight, now: number): void {
    this.#transaction = (this.#transaction + 1) & 0xffff
    const echoDue = !this.#correlates && (flight.exchange.limits.echo || this.#echoes.isKnown())
    const sendingMs = launch(flight, { transaction: this.#transaction, echoDue, now })
    if (!this.#correlates) {
      this.#held = NOTHING
      this.#overhearer.forget()
    }
    this.#silence.active(now + sendingMs)
    this.#write(flight.sent)
  }

  /** Whose answer is awaited; on a serial line nobody else can be meant. */
  #listening(): Flight | undefined {
    const [flight] = this.#flights
    return flight === undefined || flight.resumeAt !== null ? undefined : flight
  }

  /** What lies at the front of the input. Where nobody is listened to all of it is noise, except on a correlating stream. */
  #next(input: Uint8Array): Step {
    const flight = this.#listening()
    const framing = flight?.exchange.framing ?? this.#correlating
    if (framing === null) return { kind: 'junk', used: input.length }
    const split = framing.split(input, flight?.question)
    if (split.kind === 'frame') return { ...split, framing }
    if (split.kind === 'more' && input.length >= framing.frameMax) return { kind: 'junk', used: 1 }
    return split
  }

  /** Length of what a serial server says for itself; 0: it is none of that. */
  #printed(rest: Uint8Array, now: number): number {
    const texts = this.#texts
    if (texts === null) return 0
    const used = textLength(rest, (part) =>
      this.#flights.length > 0 ? this.#next(part).kind === 'frame' : this.#overhearer.begins(part),
    )
    if (used > 0) {
      texts.note(rest.subarray(0, used), now)
      this.#counts.textBytes += used
    }
    return used
  }

  #shed(used: number): void {
    this.#counts.junkBytes += used
    const flight = this.#listening()
    if (flight !== undefined) flight.junk += used
    // On a correlating stream a byte out of place means that all that follows is: there is no silence to start again from.
    if (!this.#correlates) return
    this.#dead = true
    this.#desynchronised()
  }

  #take(frame: Uint8Array, framing: Framing, now: number): void {
    this.#counts.frames += 1
    let isShort = false
    for (const flight of this.#flights) {
      const verdict = framing.judge(frame, flight.question, flight.transaction)
      if (verdict.kind === 'other') {
        if (verdict.short === true && this.#correlates) {
          this.#settle(flight, failed(flight, { kind: 'device_fault' }, now, 'part'), now)
          return
        }
        isShort ||= verdict.short === true
        if (verdict.why === 'address') flight.exchange.misaddressed?.(verdict.from ?? '', now)
        continue
      }
      if (verdict.kind === 'fault') {
        this.#settle(flight, failed(flight, verdict.fault, now, verdict.means), now)
      } else if (verdict.more !== undefined && flight.bodies.length + 1 >= PARTS_MAX) {
        this.#settle(flight, failed(flight, { kind: 'device_fault' }, now), now)
      } else if (verdict.more !== undefined) {
        // The part is lent and the wire is used before all are there.
        flight.bodies.push(verdict.body.slice())
        flight.question = verdict.more
        flight.resumeAt = this.#silence.quietAt(flight.exchange)
        flight.deadline = flight.resumeAt + FOLLOW_ON_WAIT_MAX_MS
      } else {
        const { sentAt, beganAt, bodies } = flight
        const whole = bodies.length === 0 ? [verdict.body] : [...bodies, verdict.body]
        this.#settle(flight, { kind: 'answer', bodies: whole, sentAt, ms: now - sentAt, tookMs: now - beganAt }, now)
      }
      return
    }
    this.#stray(frame, framing, { isShort, now })
  }

  #overhear(bytes: Uint8Array, now: number): void {
    if (this.#correlates || bytes.length === 0) return
    for (const { framing, frame } of this.#overhearer.hear(bytes, now)) {
      this.#counts.junkBytes -= frame.length
      this.#counts.frames += 1
      this.#excuse(frame.length)
      this.#stray(frame, framing, { isShort: false, now })
    }
  }

  #dropHeld(now: number): void {
    const held = this.#held
    if (this.#correlates || held.length === 0) return
    this.#held = NOTHING
    this.#shed(held.length)
    this.#overhear(held, now)
  }

  /** What turned out to be a frame is no garbled answer. */
  #excuse(bytes: number): void {
    const flight = this.#listening()
    if (flight === undefined) return
    flight.junk = Math.max(0, flight.junk - bytes)
    if (flight.junk < flight.expected) flight.garbledAt = Number.POSITIVE_INFINITY
  }

  /** A sound frame that nobody in flight asked for: our own echo, late, or not ours at all. Never a value. */
  #stray(frame: Uint8Array, framing: Framing, { isShort, now }: { isShort: boolean; now: number }): void {
    if (this.#correlates) {
      this.#counts.late += 1
      return
    }
    const flight = this.#listening()
    if (flight !== undefined && !flight.echoed && endsWith(flight.sent, frame)) {
      flight.echoed = true
      this.#counts.echoes += 1
      return
    }
    const heard = framing.describe?.(frame) ?? null
    const past = this.#others.isTheirs(heard, now) ? null : this.#pasts.take(frame, framing, now)
    if (past !== null) {
      this.#counts.late += 1
      // What was owed is here: the ordinary quiet time is enough.
      if (past.exchange.late(now - past.flight.sentAt, now))
        this.#counts.busyMs -= this.#silence.end(past.exchange, now)
      return
    }
    if (isShort && flight !== undefined) {
      flight.short = true
      return
    }
    this.#counts.foreign += 1
    this.#others.note(framing, heard, now)
    const asksOurs =
      heard?.direction === 'request' && flight !== undefined && heard.address === String(flight.question.address)
    if (!asksOurs) return
    // Whatever the device says now may be the answer to the other master's question.
    this.#counts.collisions += 1
    this.#giveUp(flight, { kind: 'crc' }, false, now)
  }

  /** A reply's worth of bytes without a reply in it: the deadline comes forward to shortly after the last byte. */
  #hastenGarbled(now: number): void {
    if (this.#correlates) return
    const flight = this.#listening()
    if (flight === undefined || flight.junk + this.#held.length < flight.expected || flight.junk === 0) return
    const end = now + GARBLED_AFTER_MS + 3.5 * characterMs(flight.exchange.line)
    flight.garbledAt = Math.min(flight.garbledAt, end)
  }

  /** The deadline has passed. */
  #over(flight: Flight, now: number): void {
    if (flight.question.unanswered === true) {
      const { sentAt, beganAt } = flight
      this.#settle(flight, { kind: 'answer', bodies: [], sentAt, ms: 0, tookMs: now - beganAt }, now)
      return
    }
    if (flight.short) {
      const times = (this.#shorts.get(flight.exchange) ?? 0) + 1
      this.#shorts.set(flight.exchange, times)
      // Once it may have been a late reply to something else.
      if (times < SHORT_PROVES) this.#giveUp(flight, { kind: 'timeout' }, true, now)
      else this.#settle(flight, failed(flight, { kind: 'device_fault' }, now, 'part'), now)
      return
    }
    const strays = flight.junk + this.#held.length
    const garbled = !this.#correlates && strays >= GARBLED_BYTES_MIN
    this.#giveUp(flight, garbled ? { kind: 'crc' } : { kind: 'timeout' }, garbled && strays >= flight.expected, now)
  }

  #giveUp(flight: Flight, fault: Fault, spoilt: boolean, now: number): void {
    if (!this.#correlates) {
      this.#dropHeld(now)
      this.#counts.busyMs += this.#silence.begin(flight.exchange, now)
    }
    this.#settle(flight, { ...failed(flight, fault, now), spoilt }, now)
  }

  #settle(flight: Flight, outcome: Outcome, now: number): void {
    const at = this.#flights.indexOf(flight)
    if (at < 0) return
    this.#flights.splice(at, 1)
    if (this.#flights.length === 0 && this.#busySince !== null) {
      this.#counts.busyMs += now - this.#busySince
      this.#busySince = null
    }
    if (!this.#correlates) this.#remember(flight, outcome, now)
    flight.exchange.settled(outcome, now)
  }

  #remember(flight: Flight, outcome: Outcome, now: number): void {
    const { exchange } = flight
    this.#counts.busyMs += quietMs(exchange.framing, exchange.line, exchange.limits.guardMs)
    const silent = outcome.kind === 'fault' && (outcome.fault.kind === 'timeout' || outcome.fault.kind === 'crc')
    if (!silent) {
      this.#echoes.learn(flight)
      this.#pasts.answered(flight, now)
      if (outcome.kind === 'answer') this.#shorts.delete(flight.exchange)
    } else if (!outcome.spoilt) this.#pasts.missed(flight, now)
  }
}
