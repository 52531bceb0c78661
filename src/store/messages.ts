/** What crosses the border between the front (main thread) and the writer. Samples go in columns; their buffers change hands. */
import type { Batch, ClockReading, Lane } from '../model/journal.ts'
import type { Point } from '../model/point.ts'
import type { StoreSettings } from '../model/site.ts'
import type { HaltWords } from '../runtime/halt.ts'
import type { HistoryQuery, HistoryRow, Identity, StoreStatus, Tally } from './contract.ts'
import type { Range } from './cursor.ts'
import type { BatchNote, DeclaredGap } from './heads.ts'
import type { PackedSamples } from './packed.ts'
import type { SavedCursor } from './state.ts'

/** What samples are numbered by. */
export type Catalogue = {
  readonly points: readonly Pick<Point, 'index' | 'id' | 'device' | 'key' | 'type' | 'unit'>[]
  readonly deviceIds: readonly string[]
}

/** What the writer is started with. */
export type Setup = Catalogue & {
  readonly dir: string
  readonly settings: StoreSettings
  readonly catalogueSha: string
  readonly uplinks: readonly string[]
  readonly timezone: string
  readonly time: ClockReading
  readonly floorMs: number
}

export type Run = { readonly time: ClockReading; readonly samples: PackedSamples }

export type Loss = { readonly samples: number; readonly from: number; readonly to: number }

export type Commit = {
  readonly time: ClockReading
  /** Lane t. A run ends where the clock's trust changes or it steps. */
  readonly runs: readonly Run[]
  /** All readings since the last commit, for roll-ups. */
  readonly observed: readonly Run[]
  readonly items: readonly { readonly lane: 'a' | 'e'; readonly text: string }[]
  readonly states: readonly (readonly [key: string, value: string | null])[]
  /** Samples that the front had to let go while the disk did not answer. */
  readonly loss: Loss | null
}

/** Each half says what became of it. */
export type CommitResult = { readonly stateError: string | null; readonly samplesError: string | null }

export type NextQuery = {
  readonly lane: Lane
  readonly after: number
  readonly acked: readonly Range[]
  readonly max: number
  readonly bytesMax: number
}

export type Request =
  | { readonly op: 'commit'; readonly commit: Commit }
  | { readonly op: 'cut'; readonly time: ClockReading }
  | { readonly op: 'next'; readonly query: NextQuery }
  | { readonly op: 'cursors'; readonly time: ClockReading; readonly cursors: readonly SavedCursor[] }
  | {
      readonly op: 'drop'
      readonly time: ClockReading
      readonly lane: Lane
      readonly number: number
      readonly why: string
    }
  | { readonly op: 'connection' }
  /** A reload: samples that come after it are numbered so. Answered with the configuration's version. */
  | { readonly op: 'adopt'; readonly catalogue: Catalogue; readonly sha: string }
  | { readonly op: 'history'; readonly query: HistoryQuery }
  | { readonly op: 'tally'; readonly lane: Lane; readonly after: number; readonly upTo: number }
  | { readonly op: 'close'; readonly time: ClockReading; readonly cursors: readonly SavedCursor[] }

type Answers = {
  commit: CommitResult
  cut: null
  next: readonly Batch[]
  cursors: null
  drop: null
  connection: number
  adopt: Adopted
  history: readonly HistoryRow[]
  tally: Tally
  close: null
}
export type Adopted = { readonly cv: number; readonly changed: boolean }
export type Answer<Op extends Request['op']> = Answers[Op]

export type ToWriter = { readonly id: number; readonly request: Request }

export type WriterStatus = Pick<
  StoreStatus,
  'samplesCommitted' | 'bytes' | 'commitEveryMs' | 'wearBytesPerDay' | 'wearSource'
> & {
  readonly suspect: string | null
  readonly dropped: Readonly<Record<Lane, number>>
  /** Chunks that are committed but not cut: they want a tick. */
  readonly uncut: number
}

export type Opened = {
  readonly identity: Identity
  readonly states: ReadonlyMap<string, string>
  readonly hi: Readonly<Record<Lane, number>>
  /** Highest number that retention has taken away. */
  readonly gone: Readonly<Record<Lane, number>>
  readonly notes: readonly BatchNote[]
  readonly gaps: readonly DeclaredGap[]
  readonly floorMs: number
  readonly cursors: readonly SavedCursor[]
  readonly status: WriterStatus
}

export type FromWriter =
  | { readonly kind: 'opened'; readonly opened: Opened }
  /** It could not be opened; `halt`: for a reason that can be removed. */
  | { readonly kind: 'failed'; readonly message: string; readonly halt: HaltWords | null }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly message: string }
  /** Durable from now on. */
  | { readonly kind: 'cut'; readonly notes: readonly BatchNote[]; readonly gaps: readonly DeclaredGap[] }
  | { readonly kind: 'gone'; readonly lane: Lane; readonly number: number }
  | { readonly kind: 'status'; readonly status: WriterStatus }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly message: string }
