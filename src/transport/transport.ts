/**
 * A pipe carries bytes to and from one wire and knows nothing of what they mean. Opened means ready; how it ended is a value,
 * because wires end every day.
 */
import type { Fault } from '../model/fault.ts'
import type { Line } from '../model/site.ts'

/** How a pipe ended, or why it never began. `why` is for people. */
export type Ending = { readonly kind: 'ending'; readonly fault: Fault; readonly why: string }

export type Pipe = {
  readonly kind: 'pipe'
  /** Bytes written after the end are lost without a word: `closed` has told. */
  readonly write: (bytes: Uint8Array) => void
  /**
   * One listener; what came before it was set is lost. The chunk is lent for the duration of the call: its memory is used again
   * for the next one, so whoever keeps bytes copies them.
   */
  readonly onData: (listener: (chunk: Uint8Array) => void) => void
  /** Resolves once, never rejects. After `close()` its fault is `closed` too. */
  readonly closed: Promise<Ending>
  readonly close: () => Promise<void>
  /** Changes the line setting in place. false: this wire cannot, open it again. Only serial ports have one. */
  readonly retune: (line: Line) => Promise<boolean>
}

/** Waiting for a port or a peer is cut short by `signal`. */
export type Opening = { readonly signal: AbortSignal; readonly timeoutMs?: number }

export function ending(kind: 'refused' | 'closed', why: string): Ending {
  return { kind: 'ending', fault: { kind }, why }
}
