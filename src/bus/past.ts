/** Requests that are over and whose reply may still turn up: given up, or answered by a device or adapter that answers twice. */
import type { Framing } from '../protocols/protocol.ts'
import type { Exchange, Flight } from './flight.ts'

/** More are not remembered: their replies count as foreign. */
const MISSED_MAX = 8
const KEPT_MS = 60_000

export type Past = {
  readonly exchange: Exchange
  readonly flight: Pick<Flight, 'question' | 'transaction' | 'sentAt'>
  readonly until: number
}

export class Pasts {
  readonly #missed: Past[] = []
  #answered: Past | null = null

  missed(flight: Flight, now: number): void {
    this.#missed.push(pastOf(flight, now))
    if (this.#missed.length > MISSED_MAX) this.#missed.shift()
  }

  answered(flight: Flight, now: number): void {
    this.#answered = pastOf(flight, now)
  }

  /** Which request this frame would answer; it is forgotten with that, since a request has one reply. */
  take(frame: Uint8Array, framing: Framing, now: number): Past | null {
    for (let at = 0; at < this.#missed.length; at++) {
      const past = this.#missed[at]
      if (past === undefined || past.until < now || !answers(past, frame, framing)) continue
      this.#missed.splice(at, 1)
      return past
    }
    const answered = this.#answered
    if (answered === null || !answers(answered, frame, framing)) return null
    this.#answered = null
    return answered
  }
}

function pastOf({ exchange, question, transaction, sentAt }: Flight, now: number): Past {
  return { exchange, flight: { question, transaction, sentAt }, until: now + KEPT_MS }
}

function answers({ exchange, flight }: Past, frame: Uint8Array, framing: Framing): boolean {
  return exchange.framing === framing && framing.judge(frame, flight.question, flight.transaction).kind !== 'other'
}
