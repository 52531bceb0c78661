/**
 * The writer's heart: what is durable of all lanes. Synchronous, one caller, no clock of its own: every time comes with a message.
 * An error is retried once on files opened anew; what then cannot be stored is said (`CommitResult`), counted and declared.
 */
import type { Batch, ClockReading, Drop, Lane } from '../model/journal.ts'
import { planCuts } from './cut.ts'
import { isCorruption } from './database.ts'
import { type Announce, Entries, messageOf } from './entries.ts'
import type { BatchNote, ChunkHead } from './heads.ts'
import { utcOf } from './items.ts'
import type { Catalogue, Commit, CommitResult, Loss, Run, Setup } from './messages.ts'
import { isDamage, type Start } from './recovery.ts'
import { DamageError, type Segment, type StoredBatch } from './segment.ts'
import type { SegmentNote, Segments } from './segments.ts'
import { splitRun } from './split.ts'
import type { ItemBatch, State } from './state.ts'

const SEGMENT_BYTES_MAX = 32 * 2 ** 20
/** Batches cut in one commit: an alarm behind it waits for them. */
const CUTS_MAX = 8
/** Contents kept until they are sent, which is soon after the cut: in characters, and a character is a byte. */
const CONTENTS_MAX = 4 * 2 ** 20

export class Journal {
  readonly #state: State
  readonly #segments: Segments
  readonly #setup: Setup
  readonly #start: Start
  /** The site's catalogue: a reload replaces it. */
  #catalogue: Catalogue & { readonly cv: number }
  readonly #announce: Announce
  readonly #entries: Entries
  readonly #contents = new Map<number, string>()
  #contentsLength = 0
  #numbers: Uint32Array<ArrayBuffer> | null = null
  #waiting: ChunkHead[]
  #lastChunk: number
  #heldSinceMono: number | null = null
  #samplesCommitted = 0
  #suspect: string | null

  constructor(parts: { state: State; segments: Segments; setup: Setup; start: Start; announce: Announce }) {
    this.#state = parts.state
    this.#segments = parts.segments
    this.#setup = parts.setup
    this.#start = parts.start
    this.#catalogue = { ...parts.setup, cv: parts.start.identity.cv }
    this.#announce = parts.announce
    this.#entries = new Entries(parts)
    this.#waiting = [...parts.start.waiting]
    this.#lastChunk = parts.segments.current?.lastChunk() ?? 0
    this.#suspect = parts.start.suspect
  }

  /** From the next commit on. What is committed and not cut stays under the configuration that it came with. */
  adopt(catalogue: Catalogue, cv: number): void {
    this.#catalogue = { ...catalogue, cv }
    this.#numbers = null
    this.#entries.adopt(cv)
  }

  get hi(): Readonly<Record<Lane, number>> {
    return this.#entries.hi
  }

  get samplesCommitted(): number {
    return this.#samplesCommitted
  }

  get suspect(): string | null {
    return this.#suspect
  }

  /** Chunks that are committed but not cut. */
  get uncut(): number {
    return this.#waiting.length
  }

  /** State first: an alarm does not wait for telemetry. Without samples nothing is cut either: that has time until the answer is out. */
  commit(commit: Commit): CommitResult {
    const { time, runs, loss } = commit
    if (loss !== null) this.#entries.lose(loss, time)
    const stateError = this.#entries.commit(commit)
    const samplesError = runs.length === 0 ? null : this.#commitSamples(runs, time, false)
    if (samplesError !== null) for (const run of runs) this.#entries.lose(lossOf(run, this.#start.floorMs), time)
    else this.#entries.declareLoss(time, runs.length > 0)
    return { stateError, samplesError }
  }

  get dropped(): Readonly<Record<Lane, number>> {
    return this.#entries.dropped
  }

  /** Declares a loss on lane e, durable together with what `more` writes. */
  declare(drop: Drop, time: ClockReading, more?: () => void): void {
    this.#entries.declare(drop, time, more)
  }

  /** Cuts a few batches of what is due (`force`: of all that is open); true: there may be more. Throws when the disk refuses. */
  cutSome(time: ClockReading, force: boolean): boolean {
    const before = this.#entries.hi.t
    const error = this.#commitSamples([], time, force)
    if (error !== null) throw new Error(error)
    return this.#entries.hi.t - before >= CUTS_MAX
  }

  // ---- lane t --------------------------------------------------------------------------------------------------------

  #commitSamples(runs: readonly Run[], time: ClockReading, force: boolean): string | null {
    try {
      this.#tryCommitSamples(runs, time, force)
      return null
    } catch (error) {
      try {
        this.#reopen(error, time)
        this.#tryCommitSamples(runs, time, force)
        this.#announce.log('warn', `lane t: opened again after: ${messageOf(error)}`)
        return null
      } catch (again) {
        this.#resume(time)
        return messageOf(again)
      }
    }
  }

  #tryCommitSamples(runs: readonly Run[], time: ClockReading, force: boolean): void {
    const policy = {
      now: time,
      boot: this.#start.identity.boot,
      cut: this.#setup.settings.cut,
      commitEveryMs: this.#setup.settings.commitEveryMs,
      floorMs: this.#start.floorMs,
      heldSinceMono: this.#heldSince(runs, time),
      force,
    }
    if (runs.length === 0 && planCuts(this.#waiting, policy).length === 0) return
    this.#entries.raiseFence('t', CUTS_MAX)
    const segment = this.#ready(time)
    const note = this.#segments.notes.at(-1)
    if (note === undefined) throw new Error('there is no segment')
    const heads: ChunkHead[] = []
    const cut: BatchNote[] = []
    const contents: [number, string][] = []
    let used = 0
    segment.commit(() => {
      // Inside: dictionary rows are written with the chunk that needs them first.
      this.#numbers ??= segment.dictionary.numbersFor(
        this.#catalogue.points,
        this.#catalogue.deviceIds,
        this.#catalogue.cv,
      )
      for (const run of runs) {
        for (const part of splitRun(run, this.#numbers, segment.dictionary, policy.cut)) {
          const head = { ...part.head, n: this.#lastChunk + heads.length + 1, ...this.#origin() }
          segment.putChunk(head, part.samples, part.from, part.to)
          heads.push(head)
        }
      }
      for (const plan of planCuts([...this.#waiting, ...heads], policy).slice(0, CUTS_MAX)) {
        const number = this.#entries.hi.t + 1 + cut.length
        const { content, count, newestAt } = segment.putBatch(number, plan, time.mono)
        cut.push({ lane: 't', number, count, newestAt })
        contents.push([number, content])
        used += plan.chunks.length
      }
    })
    this.#lastChunk += heads.length
    this.#heldSinceMono = policy.heldSinceMono
    this.#waiting = [...this.#waiting, ...heads].slice(used)
    this.#samplesCommitted += heads.reduce((sum, head) => sum + head.count, 0)
    if (heads.length > 0) this.#announce.chunks(note, heads, time)
    this.#adopt(note, cut, contents)
  }

  #adopt(note: SegmentNote, cut: readonly BatchNote[], contents: readonly (readonly [number, string])[]): void {
    for (const { number, count, newestAt } of cut) {
      this.#entries.hi.t = number
      note.last = number
      note.samples += count
      note.newestAt = Math.max(note.newestAt, newestAt)
    }
    for (const [number, content] of contents) this.#remember(number, content)
    if (cut.length > 0) this.#announce.cut(cut, [])
  }

  #origin(): { boot: number; cv: number } {
    return { boot: this.#start.identity.boot, cv: this.#catalogue.cv }
  }

  #heldSince(runs: readonly Run[], time: ClockReading): number | null {
    if (time.quality !== 0 && time.quality !== 3) return null
    if (this.#heldSinceMono !== null) return this.#heldSinceMono
    const first = runs.find((run) => run.time.quality === 0 || run.time.quality === 3)
    return first === undefined ? null : (first.samples.mono[0] ?? time.mono)
  }

  /** The segment to write into: a new one where there is none, and per day or size, but never inside a batch. */
  #ready(time: ClockReading): Segment {
    const current = this.#segments.current ?? this.#openNewest()
    const note = this.#segments.notes.at(-1)
    const today = time.quality === 0 ? null : new Date(utcOf(time, 0)).toISOString().slice(0, 10)
    if (current !== null && note !== undefined) {
      const isFull = current.bytes() >= SEGMENT_BYTES_MAX
      const isOld = today !== null && current.meta('day') !== '' && current.meta('day') !== today
      if (this.#waiting.length > 0 || note.last < note.first || !(isFull || isOld)) return current
    }
    const begun = this.#segments.begin(this.#entries.hi.t + 1, this.#start.identity.epoch, today ?? '')
    this.#numbers = null
    this.#lastChunk = 0
    return begun
  }

  /** Where the start or an earlier commit could not open it. */
  #openNewest(): Segment | null {
    const segment = this.#segments.openNewest()
    if (segment === null) return null
    this.#numbers = null
    this.#lastChunk = segment.lastChunk()
    this.#waiting = [...segment.headsAfter(segment.lastBatch()?.last ?? 0)]
    return segment
  }

  #reopen(cause: unknown, time: ClockReading): void {
    this.#numbers = null
    const note = this.#segments.notes.at(-1)
    if (note === undefined) return
    try {
      if (isDamage(cause)) throw cause
      this.#segments.reopen()
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#setSegmentAside(note, error, time)
    }
  }

  /** After a failure that could not be mended: go on from what the disk says. */
  #resume(time: ClockReading): void {
    this.#numbers = null
    try {
      const segment = this.#segments.reopen()
      const note = this.#segments.notes.at(-1)
      if (segment === null || note === undefined) return
      this.#lastChunk = segment.lastChunk()
      const last = segment.lastBatch()
      this.#waiting = [...segment.headsAfter(last?.last ?? 0)]
      if (last !== null && last.number > this.#entries.hi.t) {
        const found = segment.notes().filter((batch) => batch.number > this.#entries.hi.t)
        this.#adopt(
          note,
          found.map((batch) => ({ lane: 't', ...batch })),
          [],
        )
      }
    } catch (error) {
      // A disk that refuses to open it is asked again at the next commit.
      const note = this.#segments.notes.at(-1)
      if (note !== undefined && isDamage(error)) this.#setSegmentAside(note, error, time)
    }
  }

  #setSegmentAside(note: SegmentNote, error: unknown, time: ClockReading): void {
    this.#suspect = `${note.file}: ${messageOf(error)}`
    this.#announce.log('error', `segment set aside as .bad: ${this.#suspect}`)
    const isNewest = note === this.#segments.notes.at(-1)
    this.#segments.setAside(note, 'bad')
    const uncut = isNewest ? this.#waiting.reduce((sum, head) => sum + head.count, 0) : 0
    if (isNewest) {
      this.#numbers = null
      this.#waiting = []
      this.#lastChunk = 0
    }
    if (note.last >= note.first) {
      this.declare(
        { ln: 't', from: note.first, to: note.last, n: note.samples, tFrom: null, tTo: note.newestAt, why: 'disk' },
        time,
      )
    }
    if (uncut > 0)
      this.#entries.lose({ samples: uncut, from: note.newestAt, to: utcOf(time, this.#start.floorMs) }, time)
  }

  // ---- reading -------------------------------------------------------------------------------------------------------

  /** The first batch of a lane with a number above `after`, or null. Damage is declared, not thrown. */
  batchAfter(lane: Lane, after: number, time: ClockReading): Batch | null {
    if (lane !== 't') {
      const batch = this.#state.batchAfter(lane, after)
      return batch === null ? null : this.#batchOf(lane, batch, batch.content)
    }
    let from = after
    for (;;) {
      const note = this.#segments.noteAfter(from)
      if (note === null) return null
      try {
        const segment = this.#segments.open(note)
        const batch = segment.batchAfter(from)
        if (batch === null) throw new DamageError(`batches up to ${note.last} are missing`)
        const content = this.#contentOf(segment, batch, time)
        if (content !== null) return this.#batchOf('t', batch, content)
        from = batch.number
      } catch (error) {
        if (!isDamage(error)) throw error
        this.#setSegmentAside(note, error, time)
      }
    }
  }

  /** null: it is damaged, and declared. */
  #contentOf(segment: Segment, batch: StoredBatch, time: ClockReading): string | null {
    const known = this.#contents.get(batch.number)
    if (known !== undefined) {
      // A second uplink will want it, too; a single one asks again only if its line breaks.
      if (this.#setup.uplinks.length === 1) this.#forget(batch.number)
      return known
    }
    try {
      return segment.contentOf(batch)
    } catch (error) {
      if (!isDamage(error) || isCorruption(error)) throw error
      this.#suspect = messageOf(error)
      this.#announce.log('error', `batch ${batch.number} cannot be read: ${messageOf(error)}`)
      const { number, count, t0, newestAt } = batch
      this.declare({ ln: 't', from: number, to: number, n: count, tFrom: t0, tTo: newestAt, why: 'disk' }, time)
      return null
    }
  }

  #remember(number: number, content: string): void {
    if (this.#setup.uplinks.length === 0) return
    this.#forget(number)
    this.#contents.set(number, content)
    this.#contentsLength += content.length
    for (const oldest of this.#contents.keys()) {
      if (this.#contentsLength <= CONTENTS_MAX) return
      this.#forget(oldest)
    }
  }

  #forget(number: number): void {
    this.#contentsLength -= this.#contents.get(number)?.length ?? 0
    this.#contents.delete(number)
  }

  #batchOf(lane: Lane, head: StoredBatch | ItemBatch, content: string): Batch {
    const isOurs = head.boot === this.#start.identity.boot
    return {
      lane,
      number: head.number,
      id: head.id,
      epoch: this.#start.identity.epoch,
      boot: head.boot,
      t0: head.t0,
      quality: head.quality,
      errorMs: head.errorMs,
      mono: head.mono,
      cv: head.cv,
      count: head.count,
      newestAt: head.newestAt,
      cutMono: isOurs ? head.cutMono : null,
      content,
    }
  }

  /** Orderly end. */
  end(time: ClockReading): void {
    this.#entries.end(time)
  }
}

function lossOf({ time, samples }: Run, floorMs: number): Loss {
  const offset = time.quality === 0 ? floorMs : time.offsetMs
  const first = samples.mono[0] ?? time.mono
  const last = samples.mono[samples.count - 1] ?? time.mono
  return { samples: samples.count, from: Math.round(first + offset), to: Math.round(last + offset) }
}
