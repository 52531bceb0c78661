/**
 * The start: which epoch and boot this is, where each lane's numbers go on, and what is missing.
 *
 * After an unclean end the tail of a lane may be lost although its numbers were seen outside, so numbering goes on at the fence.
 * Every number between what is on disk and there is declared as dropped; so is every other hole, whatever made it.
 */
import { randomBytes } from 'node:crypto'
import type { ClockReading, Drop, Lane } from '../model/journal.ts'
import type { Identity } from './contract.ts'
import { isCorruption } from './database.ts'
import type { BatchNote, ChunkHead, DeclaredGap } from './heads.ts'
import { buildItemBatch, dropItem, utcOf } from './items.ts'
import { DamageError, type Segment } from './segment.ts'
import type { SegmentNote, Segments } from './segments.ts'
import { FENCE_STEP, type SavedCursor, type State } from './state.ts'

export const LANES = ['t', 'a', 'e'] as const satisfies readonly Lane[]

export type Start = {
  readonly identity: Identity
  readonly hi: Record<Lane, number>
  readonly fence: Record<Lane, number>
  /** What was missing and is declared now. */
  readonly dropped: Record<Lane, number>
  readonly notes: readonly BatchNote[]
  readonly gaps: readonly DeclaredGap[]
  readonly cursors: readonly SavedCursor[]
  /** Chunks that an earlier boot left uncut. */
  readonly waiting: readonly ChunkHead[]
  readonly floorMs: number
  /** Why the storage is suspect, null: it is not. */
  readonly suspect: string | null
}

export type RecoveryOptions = {
  readonly catalogueSha: string
  readonly time: ClockReading
  /** Build date: no time before it is believed. */
  readonly floorMs: number
  readonly say: (message: string) => void
}

type Found = { readonly notes: BatchNote[]; readonly lost: DeclaredGap[]; suspect: string | null }

export function recover(state: State, segments: Segments, options: RecoveryOptions): Start {
  const isNew = state.meta('epoch') === null
  const previous = isNew ? retireSegments(segments, options) : null
  if (isNew) createEpoch(state, options)
  const epoch = state.meta('epoch') ?? ''
  const ended = isNew ? '{"t":0,"a":0,"e":0}' : (state.meta('ended') ?? '')
  const clean = ended !== ''

  const found = readSegments(segments, epoch, clean, options)
  const newest = segments.current
  const waiting = newest === null ? [] : newest.headsAfter(newest.lastBatch()?.last ?? 0)
  const notes = [...found.notes, ...state.notes('a'), ...state.notes('e')]
  const floorMs = Math.max(options.floorMs, Number(state.meta('floor') ?? 0), trustedTime(newest))

  const fence = { t: state.fence('t'), a: state.fence('a'), e: state.fence('e') }
  const hi = clean ? numbersOf(ended, fence) : { ...fence }
  const catalogueChanged = state.meta('catalogue') !== options.catalogueSha
  const cv = Number(state.meta('cv') ?? 0) + (catalogueChanged ? 1 : 0)
  const boot = Number(state.meta('boot') ?? 0) + 1
  for (const lane of LANES) fence[lane] = hi[lane] + FENCE_STEP

  // First that this start was: if it dies here, the next one jumps again, over numbers that nobody used.
  state.commit(() => {
    state.putMeta('boot', String(boot))
    state.putMeta('cv', String(cv))
    state.putMeta('catalogue', options.catalogueSha)
    state.putMeta('floor', String(floorMs))
    state.putMeta('ended', '')
    for (const lane of LANES) state.raiseFence(lane, fence[lane])
  })

  const lastCommitAt = newestTime(notes, newest)
  const gaps = [...state.gaps()]
  const missing = LANES.flatMap((lane) =>
    holes(lane, hi[lane], Number(state.meta(`gone.${lane}`) ?? 0), notes, gaps).map((gap) => ({
      gap,
      drop: describe(gap, found.lost),
    })),
  )
  if (missing.length > 0) {
    const frame = { boot, cv, time: options.time, floorMs }
    const at = utcOf(options.time, floorMs)
    const batch = buildItemBatch(
      hi.e + 1,
      missing.map(({ drop }) => dropItem(drop, at)),
      frame,
    )
    state.commit(() => {
      for (const { gap, drop } of missing) state.putGap(gap, drop.why)
      state.putBatch('e', batch)
    })
    hi.e++
    gaps.push(...missing.map(({ gap }) => gap))
    notes.push({ lane: 'e', number: batch.number, count: batch.count, newestAt: batch.newestAt })
  }
  const dropped = { t: 0, a: 0, e: 0 }
  for (const { drop } of missing) dropped[drop.ln] += drop.n
  return {
    dropped,
    identity: {
      epoch,
      boot,
      newEpoch: isNew,
      previous,
      clean,
      lastCommitAt,
      cv,
      catalogueChanged,
    },
    hi,
    fence,
    notes,
    gaps,
    cursors: state.cursors(),
    waiting,
    floorMs,
    suspect: found.suspect,
  }
}

function createEpoch(state: State, options: RecoveryOptions): void {
  state.commit(() => {
    state.putMeta('epoch', randomBytes(4).toString('hex'))
    state.putMeta('floor', String(options.floorMs))
    for (const lane of LANES) state.raiseFence(lane, FENCE_STEP)
  })
}

/** state.db is new but segments are there: their numbers belong to an epoch that cannot be continued. */
function retireSegments(segments: Segments, options: RecoveryOptions): Identity['previous'] {
  let previous: Identity['previous'] = null
  for (const note of segments.notes) {
    try {
      const segment = segments.open(note)
      const hi = { t: segment.lastBatch()?.number ?? note.first - 1, a: null, e: null }
      previous = { epoch: segment.meta('epoch') ?? '', hi }
    } catch (error) {
      if (!isDamage(error)) throw error
      options.say(`${note.file}: ${String(error)}`)
    }
    segments.setAside(note, 'old')
    options.say(`${note.file} belongs to an epoch whose state.db is gone; kept as .old`)
  }
  return previous
}

/** Every segment's batches; what cannot be read is set aside. The newest one is opened for writing, after an unclean end examined whole. */
function readSegments(segments: Segments, epoch: string, clean: boolean, options: RecoveryOptions): Found {
  const found: Found = { notes: [], lost: [], suspect: null }
  const all = [...segments.notes]
  all.forEach((note, at) => {
    try {
      const isNewest = at === all.length - 1
      const segment = (isNewest ? openForWriting(segments, options) : null) ?? segments.open(note)
      if (segment.meta('epoch') !== epoch) {
        segments.setAside(note, 'foreign')
        options.say(`${note.file} is of another epoch; kept as .foreign`)
        return
      }
      const wrong = isNewest && !clean ? segment.examine() : null
      if (wrong !== null) throw new DamageError(wrong)
      adoptNotes(note, segment, found.notes)
    } catch (error) {
      if (!isDamage(error)) throw error
      const next = all[at + 1]
      found.lost.push({
        lane: 't',
        from: note.first,
        to: next === undefined ? Number.MAX_SAFE_INTEGER : next.first - 1,
      })
      found.suspect = `${note.file}: ${error instanceof Error ? error.message : String(error)}`
      segments.setAside(note, 'bad')
      options.say(`segment set aside: ${found.suspect}`)
    }
  })
  return found
}

/** null on a disk that refuses (full, read-only): alarms and reading go on, telemetry waits. */
function openForWriting(segments: Segments, options: RecoveryOptions): Segment | null {
  try {
    return segments.openNewest()
  } catch (error) {
    if (isDamage(error)) throw error
    options.say(`lane t cannot be written: ${error instanceof Error ? error.message : String(error)}`)
    return null
  }
}

function adoptNotes(note: SegmentNote, segment: Segment, notes: BatchNote[]): void {
  for (const batch of segment.notes()) {
    notes.push({ lane: 't', ...batch })
    note.last = batch.number
    note.samples += batch.count
    note.newestAt = Math.max(note.newestAt, batch.newestAt)
  }
}

export function isDamage(error: unknown): boolean {
  return error instanceof DamageError || error instanceof RangeError || isCorruption(error)
}

/** Numbers up to `hi` that are neither on disk, nor gone after acknowledgement, nor declared yet. */
function holes(
  lane: Lane,
  hi: number,
  gone: number,
  notes: readonly BatchNote[],
  gaps: readonly DeclaredGap[],
): DeclaredGap[] {
  const present = [
    ...notes.filter((note) => note.lane === lane).map((note) => ({ from: note.number, to: note.number })),
    ...gaps.filter((gap) => gap.lane === lane),
  ].sort((a, b) => a.from - b.from)
  const missing: DeclaredGap[] = []
  let next = gone + 1
  for (const { from, to } of present) {
    if (from > next) missing.push({ lane, from: next, to: from - 1 })
    next = Math.max(next, to + 1)
  }
  if (next <= hi) missing.push({ lane, from: next, to: hi })
  return missing
}

/** How many samples a lost segment held is not known: its numbers say what went. */
function describe(gap: DeclaredGap, lost: readonly DeclaredGap[]): Drop {
  const isLost = lost.some((range) => range.from <= gap.to && gap.from <= range.to)
  return { ln: gap.lane, from: gap.from, to: gap.to, n: 0, tFrom: null, tTo: null, why: isLost ? 'disk' : 'power' }
}

/** The numbers noted at an orderly end; a note that cannot be read counts as none. */
function numbersOf(text: string, fence: Record<Lane, number>): Record<Lane, number> {
  const noted: unknown = JSON.parse(text)
  const entries = new Map<string, unknown>(Object.entries(noted ?? {}))
  const number = (lane: Lane): number => {
    const value = entries.get(lane)
    return typeof value === 'number' && value <= fence[lane] ? value : fence[lane]
  }
  return { t: number('t'), a: number('a'), e: number('e') }
}

/** UTC of the newest chunk, by the clock of its time; null without one. */
function lastChunkAt(newest: Segment | null): { readonly at: number; readonly head: ChunkHead } | null {
  const head = newest?.headsAfter(newest.lastChunk() - 1)[0]
  return head === undefined ? null : { at: Math.round(head.monoMax + head.offsetMs), head }
}

function newestTime(notes: readonly BatchNote[], newest: Segment | null): number | null {
  const last = lastChunkAt(newest)
  const times = notes.map((note) => note.newestAt)
  if (last !== null && last.head.quality !== 0) times.push(last.at)
  return times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b))
}

/** Only a synchronised clock may raise the floor: a wrong year would make all later times look untrue. */
function trustedTime(newest: Segment | null): number {
  const last = lastChunkAt(newest)
  return last !== null && (last.head.quality === 1 || last.head.quality === 2) ? last.at : 0
}
