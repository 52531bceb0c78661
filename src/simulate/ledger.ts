/**
 * The consumer's side of the nothing-lost proof (uplink contract, section 9): which numbers of which lane came, which were declared
 * dropped, and which the gateway says are delivered and are not. Pure; time plays no part.
 */
import type { Lane } from '../model/journal.ts'

/** One lane of one epoch of one gateway. */
export type LaneKey = { readonly gateway: string; readonly epoch: string; readonly lane: Lane }
export type Range = { readonly from: number; readonly to: number }
export type Receipt = LaneKey & { readonly number: number; readonly id: string; readonly samples: number }
/** `new`; `duplicate`: came before with the same id; `conflict`: the same number with another id, which must never happen. */
export type Judgement = 'new' | 'duplicate' | 'conflict'
export type Gap = LaneKey & Range

export type LedgerReport = {
  readonly batches: number
  readonly samples: number
  readonly duplicates: number
  readonly conflicts: number
  /** Numbers that a `drop` declares. */
  readonly dropped: number
  readonly droppedSamples: number
  /** Numbers up to the last heartbeat's `ack` that neither came nor are declared. */
  readonly undeclared: number
  readonly gaps: readonly Gap[]
}

export type Ledger = {
  readonly receive: (receipt: Receipt) => Judgement
  /** `from` and `to` are null for samples that never had a number. */
  readonly drop: (key: LaneKey, drop: { from: number | null; to: number | null; samples: number }) => void
  /** The gateway says: all up to `ack` are delivered or declared. */
  readonly heard: (key: LaneKey, ack: number) => void
  /** All numbers up to it are here or declared. */
  readonly low: (key: LaneKey) => number
  readonly report: () => LedgerReport
}

type LaneBook = { readonly key: LaneKey; readonly ids: Map<number, string>; covered: readonly Range[]; ack: number }

/** Ids remembered per lane: a duplicate older than that is counted, its id is not compared. */
const IDS_MAX = 100_000

export function createLedger(): Ledger {
  const books = new Map<string, LaneBook>()
  const counts = { batches: 0, samples: 0, duplicates: 0, conflicts: 0, dropped: 0, droppedSamples: 0 }

  function bookOf({ gateway, epoch, lane }: LaneKey): LaneBook {
    const name = `${gateway} ${epoch} ${lane}`
    const known = books.get(name)
    if (known !== undefined) return known
    const book: LaneBook = { key: { gateway, epoch, lane }, ids: new Map(), covered: [], ack: 0 }
    books.set(name, book)
    return book
  }

  function gapsOf({ key, covered, ack }: LaneBook): readonly Gap[] {
    return missing(covered, ack).map((range) => ({ ...key, ...range }))
  }

  return {
    receive(receipt) {
      const book = bookOf(receipt)
      const known = book.ids.get(receipt.number)
      if (known !== undefined && known !== receipt.id) {
        counts.conflicts += 1
        return 'conflict'
      }
      if (known !== undefined || contains(book.covered, receipt.number)) {
        counts.duplicates += 1
        return 'duplicate'
      }
      book.ids.set(receipt.number, receipt.id)
      const [oldest] = book.ids.keys()
      if (book.ids.size > IDS_MAX && oldest !== undefined) book.ids.delete(oldest)
      book.covered = withRange(book.covered, { from: receipt.number, to: receipt.number })
      counts.batches += 1
      counts.samples += receipt.samples
      return 'new'
    },
    drop(key, { from, to, samples }) {
      counts.droppedSamples += samples
      if (from === null || to === null || to < from) return
      const book = bookOf(key)
      const before = sizeOf(book.covered)
      book.covered = withRange(book.covered, { from, to })
      counts.dropped += sizeOf(book.covered) - before
    },
    heard(key, ack) {
      const book = bookOf(key)
      book.ack = Math.max(book.ack, ack)
    },
    low(key) {
      const [first] = bookOf(key).covered
      return first !== undefined && first.from <= 1 ? first.to : 0
    },
    report() {
      const gaps = [...books.values()].flatMap(gapsOf)
      return { ...counts, undeclared: sizeOf(gaps), gaps }
    },
  }
}

function sizeOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)
}

function contains(ranges: readonly Range[], number: number): boolean {
  return ranges.some(({ from, to }) => from <= number && number <= to)
}

/** Ranges stay sorted, apart from each other and never touching. */
export function withRange(ranges: readonly Range[], added: Range): readonly Range[] {
  const before = ranges.filter(({ to }) => to < added.from - 1)
  const after = ranges.filter(({ from }) => from > added.to + 1)
  const touched = ranges.slice(before.length, ranges.length - after.length)
  const from = Math.min(added.from, ...touched.map((range) => range.from))
  const to = Math.max(added.to, ...touched.map((range) => range.to))
  return [...before, { from, to }, ...after]
}

/** What of 1..upTo is in none of the ranges. */
export function missing(ranges: readonly Range[], upTo: number): readonly Range[] {
  const holes: Range[] = []
  let next = 1
  for (const { from, to } of ranges) {
    if (from > upTo) break
    if (from > next) holes.push({ from: next, to: from - 1 })
    next = Math.max(next, to + 1)
  }
  if (next <= upTo) holes.push({ from: next, to: upTo })
  return holes
}
