/** One uplink's view of the journal, on the main thread: what was cut is known by note, what is acknowledged by cursor. */
import type { Batch, Lane } from '../model/journal.ts'
import type { LanePosition, Outbox } from './contract.ts'
import { Cursor } from './cursor.ts'
import type { BatchNote, DeclaredGap } from './heads.ts'
import type { NextQuery, Opened } from './messages.ts'
import type { SavedCursor } from './state.ts'

const LANES = ['t', 'a', 'e'] as const satisfies readonly Lane[]

/** The batches of one lane that are on disk, ascending. */
class Ledger {
  #notes: BatchNote[] = []
  hi = 0

  add(note: BatchNote): void {
    const last = this.#notes.at(-1)
    if (last !== undefined && note.number <= last.number) return
    this.#notes.push(note)
    this.hi = Math.max(this.hi, note.number)
  }

  /** Index of the first note with this number or a higher one. */
  #from(number: number): number {
    let low = 0
    let high = this.#notes.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#notes[middle]?.number ?? 0) < number) low = middle + 1
      else high = middle
    }
    return low
  }

  *between(from: number, to: number): Generator<BatchNote> {
    for (let at = this.#from(from); at < this.#notes.length; at++) {
      const note = this.#notes[at]
      if (note === undefined || note.number > to) return
      yield note
    }
  }

  forget(upTo: number): void {
    this.#notes.splice(0, this.#from(upTo + 1))
  }

  get kept(): number {
    return this.#notes[0]?.number ?? this.hi + 1
  }
}

type LaneView = { readonly cursor: Cursor; batches: number; samples: number }

export type OutboxPort = {
  readonly next: (query: NextQuery) => Promise<readonly Batch[]>
  readonly drop: (lane: Lane, number: number, why: string) => Promise<void>
}

/** All uplinks' cursors over the common ledgers. */
export class Outboxes {
  readonly #ledgers: Record<Lane, Ledger> = { t: new Ledger(), a: new Ledger(), e: new Ledger() }
  readonly #views = new Map<string, Record<Lane, LaneView>>()
  readonly #port: OutboxPort
  #changed = false

  constructor(opened: Opened, uplinks: readonly string[], port: OutboxPort) {
    this.#port = port
    for (const uplink of uplinks) {
      const view = (lane: Lane): LaneView => {
        const saved = opened.cursors.find((cursor) => cursor.uplink === uplink && cursor.lane === lane)
        return { cursor: new Cursor(saved?.low, saved?.ranges), batches: 0, samples: 0 }
      }
      this.#views.set(uplink, { t: view('t'), a: view('a'), e: view('e') })
    }
    this.cut(opened.notes, opened.gaps)
    for (const lane of LANES) {
      this.#ledgers[lane].hi = Math.max(this.#ledgers[lane].hi, opened.hi[lane])
      this.gone(lane, opened.gone[lane])
    }
    this.#changed = false
  }

  /** Became durable. A declared gap counts as acknowledged. */
  cut(notes: readonly BatchNote[], gaps: readonly DeclaredGap[]): void {
    for (const note of notes) {
      this.#ledgers[note.lane].add(note)
      for (const views of this.#views.values()) {
        const view = views[note.lane]
        if (view.cursor.has(note.number)) continue
        view.batches++
        view.samples += note.count
      }
    }
    for (const gap of gaps) for (const views of this.#views.values()) this.#cover(views, gap.lane, gap.from, gap.to)
  }

  /** Retention took everything up to the number. */
  gone(lane: Lane, number: number): void {
    if (number < 1) return
    for (const views of this.#views.values()) this.#cover(views, lane, 1, number)
    this.#ledgers[lane].forget(number)
  }

  #cover(views: Record<Lane, LaneView>, lane: Lane, from: number, to: number): void {
    const view = views[lane]
    for (const note of this.#ledgers[lane].between(Math.max(from, view.cursor.low + 1), to)) {
      if (view.cursor.has(note.number)) continue
      view.batches--
      view.samples -= note.count
    }
    view.cursor.add(from, to)
    this.#changed = true
  }

  hi(lane: Lane): number {
    return this.#ledgers[lane].hi
  }

  outbox(uplink: string): Outbox {
    const views = this.#views.get(uplink)
    if (views === undefined) throw new RangeError(`no uplink is called ${uplink}`)
    const confirm = (lane: Lane, number: number): void => this.#cover(views, lane, number, number)
    return {
      next: (lane, after, limits) => {
        const { cursor } = views[lane]
        const from = Math.max(after, cursor.low)
        if (from >= this.#ledgers[lane].hi) return Promise.resolve([])
        const acked = cursor.ranges.map(([first, last]) => [first, last] as const)
        return this.#port.next({ lane, after: from, acked, ...limits })
      },
      confirm,
      setAside: async (lane, number, why) => {
        await this.#port.drop(lane, number, why)
        confirm(lane, number)
      },
      position: (lane) => this.#position(views, lane),
      oldestAt: (lane) => this.#oldestAt(views, lane),
      waiting: () => ({
        batches: LANES.reduce((sum, lane) => sum + views[lane].batches, 0),
        samples: views.t.samples,
        oldestAt: LANES.reduce<number | null>((oldest, lane) => {
          const at = this.#oldestAt(views, lane)
          return at === null || (oldest !== null && oldest <= at) ? oldest : at
        }, null),
      }),
    }
  }

  #position(views: Record<Lane, LaneView>, lane: Lane): LanePosition {
    const { hi, kept } = this.#ledgers[lane]
    const { cursor, batches } = views[lane]
    const ack = Math.min(cursor.low, hi)
    return { hi, ack, lo: ack + 1, kept, waiting: batches }
  }

  #oldestAt(views: Record<Lane, LaneView>, lane: Lane): number | null {
    const { cursor } = views[lane]
    for (const note of this.#ledgers[lane].between(cursor.low + 1, Number.POSITIVE_INFINITY))
      if (!cursor.has(note.number)) return note.newestAt
    return null
  }

  /** What is to be saved, null when nothing changed since the last call. */
  takeCursors(): readonly SavedCursor[] | null {
    if (!this.#changed) return null
    this.#changed = false
    return [...this.#views].flatMap(([uplink, views]) =>
      LANES.map((lane) => ({ uplink, lane, low: views[lane].cursor.low, ranges: views[lane].cursor.saved() })),
    )
  }
}
