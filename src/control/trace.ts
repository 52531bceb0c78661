/** A wire as it is now: every chunk with its time, and what it completes, in words. Nothing is asked for it. */
import * as z from 'zod'
import type { TapListener } from '../transport/tap.ts'
import type { CallContext } from './context.ts'
import { FrameReader, type Chunk } from './frames.ts'
import { findBus } from './find.ts'
import { lineOf } from './capture.ts'
import { streaming } from './operation.ts'
import { type TraceLine, traceLine } from './shapes-field.ts'
import { wireBook } from './wirebook.ts'

/** Chunks that wait for a slow reader. Beyond that the newest are left out and counted: those that are there keep their order. */
const WAITING_MAX = 2000

export const trace = streaming({
  name: 'trace',
  role: 'viewer',
  input: z.strictObject({ bus: z.string().min(1).max(64) }),
  output: traceLine,
  run: (context, { bus }) => {
    // A bus that does not exist is refused before the stream begins.
    findBus(context.view.site(), bus)
    return listen(context, bus)
  },
})

async function* listen({ view, caller, signal }: CallContext, id: string): AsyncGenerator<readonly TraceLine[]> {
  const began = view.clock.mono()
  const waiting: Chunk[] = []
  let lost = 0
  let wake: () => void = () => undefined
  const hear: TapListener = (dir, bytes) => {
    if (waiting.length >= WAITING_MAX) lost += 1
    else {
      const us = Math.round((view.clock.mono() - began) * 1000)
      waiting.push({ us, dir, bytes, count: bytes.length })
    }
    wake()
  }
  let site = view.site()
  const bus = findBus(site, id)
  const book = wireBook(site, bus)
  const { language = 'en' } = caller
  let reader = new FrameReader(book, { language })
  let deaf = view.wire(bus.index).listen(hear)
  const stopTurns = view.onTurn(() => {
    if (view.site() === site) return
    // A reload: the wire may be another, or gone; then this stays silent until somebody ends it.
    site = view.site()
    deaf()
    const now = site.buses.find((each) => each.id === id)
    if (now === undefined) return
    reader = new FrameReader(wireBook(site, now), { language })
    deaf = view.wire(now.index).listen(hear)
  })
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    yield [
      {
        head: {
          capture: 'gatehouse/1',
          site: site.id,
          bus: bus.id,
          wire: bus.wireText,
          framings: book.framings.map(({ name }) => name),
          at: view.clock.utc(began),
        },
      },
    ]
    while (!signal.aborted) {
      const lines = waiting.splice(0).map((chunk) => told(chunk, reader))
      if (lost > 0) lines.push({ lost })
      lost = 0
      if (lines.length > 0) yield lines
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    stopTurns()
    deaf()
    signal.removeEventListener('abort', onAbort)
  }
}

/** Masked before anything is made of it. */
function told(chunk: Chunk, reader: FrameReader): TraceLine {
  const shown: Chunk = chunk.dir === 'in' && reader.masks ? { ...chunk, bytes: null } : chunk
  const decoded = reader.push(shown)
  return {
    chunk: lineOf(reader.heardSecret ? { ...shown, bytes: null } : shown),
    decoded: decoded.map((each) => ({ ...each, frames: [...each.frames], values: [...each.values] })),
  }
}
