/** What is known of chunks and batches without reading their content. */
import type { Lane, TimeQuality } from '../model/journal.ts'

export type ChunkHead = {
  /** Number within its segment. */
  readonly n: number
  readonly boot: number
  readonly cv: number
  /** Whole monotonic ms of the oldest and of the newest sample. */
  readonly monoMin: number
  readonly monoMax: number
  /** UTC = mono + offset, as the clock said at the commit. */
  readonly offsetMs: number
  readonly quality: TimeQuality
  readonly errorMs: number | null
  readonly count: number
  /** Estimate of its JSON. */
  readonly bytes: number
}

export type BatchHead = {
  readonly number: number
  readonly boot: number
  readonly cv: number
  readonly t0: number
  readonly quality: TimeQuality
  readonly errorMs: number | null
  readonly mono: number | null
  readonly count: number
  readonly newestAt: number
  /** Monotonic ms of the cut, in its own boot. */
  readonly cutMono: number
  readonly id: string
}

/** What the front keeps of each batch. */
export type BatchNote = {
  readonly lane: Lane
  readonly number: number
  readonly count: number
  readonly newestAt: number
}

/** Enough to tell whether two sides hold the same batch. */
export type BatchId = { readonly number: number; readonly count: number; readonly id: string }

export type DeclaredGap = { readonly lane: Lane; readonly from: number; readonly to: number }
