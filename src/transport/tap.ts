/** Counts the bytes of a wire and, while somebody listens (`trace`), shows them. Costs two additions a chunk when nobody does. */
import type { Pipe } from './transport.ts'

export type Direction = 'in' | 'out'
/** The bytes are the listener's own copy. */
export type TapListener = (direction: Direction, bytes: Uint8Array) => void

export type Tap = {
  readonly bytes: Readonly<Record<Direction, number>>
  /** Returns the way to stop. */
  readonly listen: (listener: TapListener) => () => void
  /** The same pipe, seen through this tap. A tap outlives the pipes of its wire. */
  readonly on: (pipe: Pipe) => Pipe
}

/** `masked`: what passes is personal (card numbers), so a listener sees how much and when, and zeroes in place of the bytes. */
export function createTap({ masked = false }: { readonly masked?: boolean } = {}): Tap {
  const bytes = { in: 0, out: 0 }
  const listeners = new Set<TapListener>()
  function show(direction: Direction, chunk: Uint8Array): void {
    bytes[direction] += chunk.length
    for (const listener of listeners) listener(direction, masked ? new Uint8Array(chunk.length) : chunk.slice())
  }
  return {
    bytes,
    listen(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
    on: (pipe) => ({
      ...pipe,
      write(chunk) {
        show('out', chunk)
        pipe.write(chunk)
      },
      onData(listener) {
        pipe.onData((chunk) => {
          show('in', chunk)
          listener(chunk)
        })
      },
    }),
  }
}
