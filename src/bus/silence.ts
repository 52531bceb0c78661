/**
 * How long a serial line must have been silent before a request: what its protocol wants, after a missing answer the time in which
 * that may still come, and the turn of another master who was heard. Time is an argument; bytes only ever put a request off, and
 * never for ever.
 */
import type { Exchange } from './flight.ts'
import type { Others } from './overhear.ts'
import { quietMs } from './timing.ts'

/** A line that never falls silent is asked nevertheless: the exchange then says what is wrong. */
const SILENCE_WAIT_MAX_MS = 2000
/** The others on the wire wait no longer for a device that was seen to answer very late; it alone is left in peace for longer. */
const OTHERS_WAIT_MS = 1000

export class Silence {
  readonly #others: Others
  #lastActivity: number
  #until = 0
  /** Whose answer it waits for. Another device's late reply does not end it. */
  #owedTo: Exchange | null = null
  #waitingSince: number | null = null
  /** When a write began to wait for another master. */
  #yieldingSince: number | null = null

  constructor(others: Others, now: number) {
    this.#others = others
    this.#lastActivity = now
  }

  /** Bytes are on the line until then. */
  active(until: number): void {
    this.#lastActivity = until
  }

  /** What the protocol and the device want after the last byte. */
  quietAt({ framing, line, limits }: Exchange): number {
    return this.#lastActivity + quietMs(framing, line, limits.guardMs)
  }

  /** When it will have been silent long enough for this request. Not later than now: send. */
  readyAt(exchange: Exchange, now: number): number {
    const owed = this.#waitsFor(exchange) ? this.#until : 0
    const theirs = this.#others.freeAt(exchange.question.writes, now)
    const own = Math.max(this.quietAt(exchange), owed)
    const wanted = Math.max(own, theirs)
    if (wanted <= now) return now
    if (exchange.question.writes && theirs > Math.max(own, now)) this.#yieldingSince ??= now
    this.#waitingSince ??= now
    return Math.min(wanted, Math.max(this.#waitingSince, owed) + SILENCE_WAIT_MAX_MS)
  }

  /** This request goes out. Returns how long it let another master pass, where it is a write that did. */
  broken({ question }: Exchange, now: number): number {
    const yieldedMs = question.writes && this.#yieldingSince !== null ? now - this.#yieldingSince : 0
    this.#waitingSince = null
    this.#yieldingSince = null
    return yieldedMs
  }

  /** An answer is missing. Returns for how long nothing is asked. */
  begin(exchange: Exchange, now: number): number {
    const { limits, line, slowestMs, framing } = exchange
    const least = Math.max(limits.timeoutMs, quietMs(framing, line, limits.guardMs))
    const ms = Math.max(least, Math.min(2 * slowestMs(), OTHERS_WAIT_MS))
    this.#owedTo = exchange
    this.#until = now + ms
    return ms
  }

  /** A reply that was given up has come, and none is owed to that exchange any more. Returns how much silence that saves. */
  end(exchange: Exchange, now: number): number {
    const saved = this.#owedTo === exchange ? Math.max(0, this.#until - now) : 0
    this.#until -= saved
    return saved
  }

  /**
   * A command does not wait for somebody else's missing answer: most never come, and one that does is known by its address. The
   * device itself may still be at it, and would miss what is said meanwhile.
   */
  #waitsFor({ question, framing }: Exchange): boolean {
    const owed = this.#owedTo
    if (owed === null) return false
    return !question.writes || (owed.framing === framing && owed.question.address === question.address)
  }
}
