/**
 * What leaves the disk, and in which order: acknowledged segments when their time is over or the budget asks for it, then raw history,
 * then minutes, then unacknowledged segments, declared. Whole files are unlinked, after the cursor or the `drop` event is durable:
 * on a full disk nothing can be deleted from inside a file.
 */
import type { ClockReading, Lane } from '../model/journal.ts'
import type { History } from './history.ts'
import { messageOf } from './entries.ts'
import type { Journal } from './journal.ts'
import type { Setup } from './messages.ts'
import { HOUR_MS } from './rollup.ts'
import type { SegmentNote, Segments } from './segments.ts'
import type { SavedCursor, State } from './state.ts'

/** Acknowledged segments kept for resends, whatever their age. */
const ACKED_BYTES_MAX = 256 * 2 ** 20
const DAY_MS = 86_400_000

export type RetentionOptions = {
  readonly state: State
  readonly segments: Segments
  readonly history: History
  readonly journal: Journal
  readonly setup: Setup
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  readonly gone: (lane: Lane, number: number) => void
}

export class Retention {
  readonly #o: RetentionOptions
  /** As they are on disk. */
  #cursors: readonly SavedCursor[]

  constructor(options: RetentionOptions) {
    this.#o = options
    this.#cursors = options.state.cursors()
  }

  /** Highest number of each lane that was taken away. */
  get gone(): Record<Lane, number> {
    const number = (lane: Lane): number => Number(this.#o.state.meta(`gone.${lane}`) ?? 0)
    return { t: number('t'), a: number('a'), e: number('e') }
  }

  save(cursors: readonly SavedCursor[]): void {
    if (cursors.length === 0) return
    this.#o.state.commit(() => {
      for (const cursor of cursors) this.#o.state.putCursor(cursor)
    })
    this.#cursors = cursors
  }

  /** All uplinks of the site have acknowledged everything up to it. */
  #ackedUpTo(lane: Lane): number {
    const { setup, journal } = this.#o
    const lows = setup.uplinks.map(
      (uplink) => this.#cursors.find((cursor) => cursor.uplink === uplink && cursor.lane === lane)?.low ?? 0,
    )
    return Math.min(journal.hi[lane], ...lows)
  }

  /** Each step by itself: on a full disk deleting rows fails, unlinking files does not. */
  sweep(time: ClockReading): void {
    const steps = [() => this.#sweepSegments(time)]
    if (time.quality !== 0) {
      const now = time.mono + time.offsetMs
      steps.push(
        () => this.#sweepHistory(now),
        () => this.#sweepItems(now),
      )
    }
    steps.push(() => this.#holdBudget(time))
    for (const step of steps) {
      try {
        step()
      } catch (error) {
        this.#o.log('warn', `retention: ${messageOf(error)}`)
      }
    }
  }

  /** Sealed segments from the old end on that everybody has. */
  #ackedSegments(): readonly SegmentNote[] {
    const acked = this.#ackedUpTo('t')
    const sealed = this.#o.segments.notes.slice(0, -1)
    const firstKept = sealed.findIndex((note) => note.last > acked)
    return firstKept < 0 ? sealed : sealed.slice(0, firstKept)
  }

  #sweepSegments(time: ClockReading): void {
    const { keepMs } = this.#o.setup.settings
    const now = time.quality === 0 ? Number.NEGATIVE_INFINITY : time.mono + time.offsetMs
    let bytes = this.#ackedSegments().reduce((sum, note) => sum + note.bytes, 0)
    for (const note of this.#ackedSegments()) {
      const isOver = note.newestAt < now - keepMs.acked || bytes > ACKED_BYTES_MAX
      if (!isOver || !this.#o.history.covers(note)) return
      bytes -= note.bytes
      this.#unlink(note)
    }
  }

  #unlink(note: SegmentNote): void {
    const { state, segments, history } = this.#o
    state.commit(() => {
      state.putMeta('gone.t', String(note.last))
      state.dropGapsBelow('t', note.last)
    })
    segments.unlink(note)
    history.forget(note)
    this.#o.gone('t', note.last)
  }

  #sweepHistory(now: number): void {
    const { archive } = this.#o.history
    const { keepMs } = this.#o.setup.settings
    archive.dropBefore('raw', Math.floor((now - keepMs.raw) / HOUR_MS))
    archive.dropBefore('minute', Math.floor((now - keepMs.minutes) / HOUR_MS))
    archive.dropBefore('hour', Math.floor((now - keepMs.hours) / DAY_MS))
  }

  #sweepItems(now: number): void {
    const { state, setup } = this.#o
    const keep = { a: setup.settings.keepMs.alarms, e: setup.settings.keepMs.audit }
    for (const lane of ['a', 'e'] as const) {
      const number = state.oldUpTo(lane, this.#ackedUpTo(lane), now - keep[lane])
      if (number === 0) continue
      state.commit(() => {
        state.prune(lane, number)
        state.putMeta(`gone.${lane}`, String(number))
        state.dropGapsBelow(lane, number)
      })
      this.#o.gone(lane, number)
    }
  }

  bytes(): number {
    const { state, segments, history } = this.#o
    return state.bytes() + segments.bytes() + history.bytes()
  }

  #holdBudget(time: ClockReading): void {
    const { budgetBytes } = this.#o.setup.settings
    const { archive } = this.#o.history
    for (;;) {
      if (this.bytes() <= budgetBytes) return
      const [acked] = this.#ackedSegments()
      if (acked !== undefined) this.#unlink(acked)
      else if (!dropOldest(archive, 'raw') && !dropOldest(archive, 'minute') && !this.#sacrifice(time)) return
    }
  }

  /** The oldest unacknowledged segment goes, declared. The one being written stays. */
  #sacrifice(time: ClockReading): boolean {
    const [note, ...younger] = this.#o.segments.notes
    if (note === undefined || younger.length === 0) return false
    const gone = this.gone.t
    const drop = { ln: 't', from: Math.max(gone + 1, note.first), to: note.last, n: note.samples } as const
    if (note.last >= drop.from) {
      this.#o.journal.declare({ ...drop, tFrom: null, tTo: note.newestAt, why: 'retention' }, time)
    }
    this.#o.log('warn', `budget: ${note.samples} unacknowledged samples of ${note.file} were given up, declared`)
    this.#unlink(note)
    return true
  }

  /** The cloud will not have it: said on lane e, kept on disk. */
  deadLetter({ lane, number, why }: { lane: Lane; number: number; why: string }, time: ClockReading): void {
    const batch = this.#o.journal.batchAfter(lane, number - 1, time)
    if (batch === null || batch.number !== number) throw new RangeError(`there is no batch ${number} in lane ${lane}`)
    this.#o.log('warn', `batch ${number} of lane ${lane} is set aside: ${why}`)
    const { count, t0, newestAt } = batch
    this.#o.journal.declare(
      { ln: lane, from: number, to: number, n: count, tFrom: t0, tTo: newestAt, why: 'deadletter' },
      time,
    )
  }
}

function dropOldest(archive: History['archive'], table: 'raw' | 'minute'): boolean {
  const oldest = archive.firstPeriod(table)
  const newest = archive.lastPeriod(table)
  if (oldest === null || newest === null || oldest >= newest) return false
  archive.dropBefore(table, oldest + 1)
  return true
}
