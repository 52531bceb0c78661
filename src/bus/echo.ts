/** Adapters that receive while they send: our own request comes back before the answer does. */
import type { Flight, Step } from './flight.ts'

/** So many reads in a row came back as sent, and the adapter is known to echo. */
const ECHOES_PROVE = 3

/** What an adapter is seen to do. */
export class EchoHabit {
  #inARow = 0

  isKnown(): boolean {
    return this.#inARow >= ECHOES_PROVE
  }

  /** Reads tell whether the adapter returns what is sent; a write's answer looks like its echo and tells nothing. */
  learn({ echoed, question, exchange }: Flight): void {
    if (question.writes || exchange.limits.echo || question.unanswered === true) return
    this.#inARow = echoed ? Math.min(this.#inARow + 1, ECHOES_PROVE) : 0
  }
}

/** The copy at the front of what came in answer to this flight. null: there is none to come. */
export function echoed(flight: Flight | undefined, input: Uint8Array): Step | null {
  if (flight === undefined || !flight.echoDue) return null
  const { sent } = flight
  const length = Math.min(input.length, sent.length)
  for (let at = 0; at < length; at++) {
    if (input[at] === sent[at]) continue
    // Noise before the echo of a write is shed: its answer looks like the echo, so the echo must be seen first.
    if (flight.question.writes) return { kind: 'junk', used: 1 }
    flight.echoDue = false
    return null
  }
  if (length < sent.length) return { kind: 'more' }
  flight.echoDue = false
  flight.echoed = true
  return { kind: 'frame', frame: sent, framing: null, used: length }
}
