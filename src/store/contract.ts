/**
 * The store as the rest of the house sees it. Nothing here waits for the disk unless it returns a promise.
 * Promises kept: design, section 3.
 */
import type { Batch, ClockReading, Item, Lane } from '../model/journal.ts'
import type { Point } from '../model/point.ts'
import type { Sample } from '../model/sample.ts'
import type { Device } from '../model/site.ts'

/** One turn's changes. Everything in it becomes durable in one commit per kind of file; alarm state, item and number are one commit. */
export type StoreDelta = {
  readonly time: ClockReading
  /** Samples judged worth keeping: lane t. */
  readonly reports: readonly Sample[]
  /** Entries of lanes a and e, already in wire form. */
  readonly items: readonly Item[]
  /** Small durable state: alarm states, baselines of counters, cursors of jobs. null deletes. */
  readonly states: readonly (readonly [key: string, value: string | null])[]
  /** true: commit now (alarm edges, commands, local QoS 1 publishes); false: with the next telemetry commit. */
  readonly urgent: boolean
  /** Called once all of it is durable, or with the error. */
  readonly settled?: (error: Error | null) => void
}

export type Identity = {
  readonly epoch: string
  readonly boot: number
  /** The epoch was created in this start. */
  readonly newEpoch: boolean
  /** What is known of the epoch that could not be continued; null: nothing. Highest numbers found of it; null: none was, so nobody knows. */
  readonly previous: { readonly epoch: string; readonly hi: Readonly<Record<Lane, number | null>> } | null
  /** The last run ended orderly. true also for the very first start. */
  readonly clean: boolean
  /** UTC ms of the last durable commit before this start. */
  readonly lastCommitAt: number | null
  /** Config version under which this boot's batches are cut. */
  readonly cv: number
  /** The catalogue's hash differs from the last boot's: metadata must be told. */
  readonly catalogueChanged: boolean
}

export type StoreStatus = {
  readonly samplesCommitted: number
  readonly bytes: number
  /** Age of the oldest delta that is not durable yet. */
  readonly lagMs: number
  readonly durable: boolean
  /** Of it, lanes a and e and the states: what alarms and commands need. On a full disk they still are while telemetry is not. */
  readonly entriesDurable: boolean
  /** Why the storage is not to be trusted (a damaged segment was set aside, numbers were missing), null: it is. */
  readonly suspect: string | null
  readonly commitEveryMs: number
  /** Extrapolated from what was written so far in this boot (block device where it can be read, else /proc/self/io). */
  readonly wearBytesPerDay: number
  readonly wearSource: 'block' | 'process' | 'none'
  readonly batchesCut: Readonly<Record<Lane, number>>
  /** Samples (entries, for lanes a and e) declared dropped in this boot. */
  readonly dropped: Readonly<Record<Lane, number>>
}

/** `ack`: all numbers up to it are acknowledged or declared dropped. `lo`: lowest not yet acknowledged. `kept`: oldest that can be sent again. */
export type LanePosition = {
  readonly hi: number
  readonly ack: number
  readonly lo: number
  readonly kept: number
  readonly waiting: number
}

/** One uplink's view of the journal. */
export type Outbox = {
  /** Unacknowledged batches of a lane with a number above `after`, ascending; at most `max` batches or (after the first) `bytesMax` of content. */
  readonly next: (lane: Lane, after: number, limits: { max: number; bytesMax: number }) => Promise<readonly Batch[]>
  /** In memory at once, on disk within a minute: resends are harmless. */
  readonly confirm: (lane: Lane, number: number) => void
  /** Never send it again: declared as `drop` (`why: deadletter`) on lane e, kept on disk. */
  readonly setAside: (lane: Lane, number: number, why: string) => Promise<void>
  readonly position: (lane: Lane) => LanePosition
  /** When the newest of the oldest batch of the lane that waits was taken; null: none waits. */
  readonly oldestAt: (lane: Lane) => number | null
  readonly waiting: () => { readonly batches: number; readonly samples: number; readonly oldestAt: number | null }
}

export type Tally = {
  /** Numbers; null where there is none. */
  readonly first: number | null
  readonly last: number | null
  readonly batches: number
  readonly samples: number
  readonly sha256: string
}

export type HistoryQuery = {
  readonly point: string
  /** UTC ms. */
  readonly from: number
  readonly to: number
  /** 0: raw reports (min = max = mean = last, count 1); else bucket width. */
  readonly everyMs: number
  /** Of raw reports only those of good quality: neither doubted nor stale. */
  readonly good?: true
}
/** [t, min, max, mean, last, count]; numbers only, booleans as 0 and 1; text points carry text in `last` and null elsewhere. */
export type HistoryRow = readonly [
  t: number,
  min: number | null,
  max: number | null,
  mean: number | null,
  last: number | string | null,
  count: number,
]

export type Store = {
  readonly identity: Identity
  /** Durable states as they were at start. */
  readonly states: ReadonlyMap<string, string>
  readonly commit: (delta: StoreDelta) => void
  /** All readings of a turn, for roll-ups. */
  readonly observe: (time: ClockReading, samples: readonly Sample[]) => void
  readonly outbox: (uplink: string) => Outbox
  /**
   * What was cut above `after` and up to `upTo`, as a consumer can work it out from what it received: numbers, counts, and SHA-256
   * over the batches' ids in order, written one after the other. Batches that are not kept any more are missing from it.
   */
  readonly tally: (lane: Lane, after: number, upTo: number) => Promise<Tally>
  /**
   * A reload: what is committed after this call (it need not have resolved) is numbered by these points. Resolves with the version of the
   * configuration, raised where the catalogue's hash is another; rejects when that could not be made durable: the old version holds.
   */
  readonly adopt: (site: {
    readonly points: readonly Point[]
    readonly devices: readonly Pick<Device, 'id'>[]
    readonly catalogueSha: string
  }) => Promise<{ readonly cv: number; readonly changed: boolean }>
  /** Called after a commit that cut batches. Returns the way to stop. */
  readonly onCut: (listener: () => void) => () => void
  /** The connection counter, raised and durable. */
  readonly nextConnection: () => Promise<number>
  readonly history: (query: HistoryQuery) => Promise<readonly HistoryRow[]>
  readonly status: () => StoreStatus
  /** Cut what is open, for all lanes (step 4 of a session; at stop). */
  readonly cutNow: () => Promise<void>
  /** true while the writer answers and no delta waits longer than 30 s. */
  readonly healthy: () => boolean
  /** Orderly end: cut, commit, save cursors, mark clean. state.db is left open on purpose (design, section 4). */
  readonly close: () => Promise<void>
}
