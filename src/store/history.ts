/**
 * History: raw reports come from lane t's chunks, roll-ups from all readings. Minutes of the open hour are in memory; its raw reports
 * are read from the segments. When an hour is over it moves into history.db, in slices, so that a commit waits for one slice at most.
 */
import type { ClockReading, TimeQuality } from '../model/journal.ts'
import { Archive } from './archive.ts'
import type { HistoryQuery, HistoryRow } from './contract.ts'
import type { Dictionary } from './dictionary.ts'
import type { ChunkHead } from './heads.ts'
import type { Run, Setup } from './messages.ts'
import { type PackedSamples, SamplePacker } from './packed.ts'
import { answer } from './query.ts'
import { isDamage } from './recovery.ts'
import { type Bucket, combine, fuller, HOUR_MS, Minutes, numberOf } from './rollup.ts'
import type { SegmentNote, Segments } from './segments.ts'

export type Breath = () => Promise<void>

/** A chunk that is not in history.db yet. Its offset is null until its boot learns the time. */
type Pending = { readonly segment: number; readonly head: ChunkHead; offsetMs: number | null }

/** Heads held in memory; what lies beyond is loaded when these are done (only after a long lag). */
const PENDING_MAX = 20_000
/** Samples taken apart in one pass: bounds the memory of the hourly job. */
const PASS_SAMPLES = 500_000
const SLICE_MS = 8
/** Into the next hour: late samples still come in time. */
const GRACE_MS = 5000

export type HistoryOptions = {
  readonly dir: string
  readonly setup: Setup
  readonly segments: Segments
  readonly boot: number
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
}

export class History {
  readonly #archive: Archive
  readonly #segments: Segments
  readonly #boot: number
  readonly #log: HistoryOptions['log']
  #points: Setup['points']
  readonly #timezone: string
  /** By index of the site's points. */
  #minutes: Minutes[] = []
  readonly #archived = new WeakMap<Dictionary, number[]>()
  #pending: Pending[] = []
  /** false: segments hold more than was loaded. */
  #isComplete = true
  #isWorking = false

  constructor(options: HistoryOptions) {
    this.#archive = new Archive(options.dir, (message) => options.log('warn', message))
    this.#segments = options.segments
    this.#boot = options.boot
    this.#log = options.log
    this.#points = options.setup.points
    this.#timezone = options.setup.timezone
    this.#load()
  }

  /** A reload: minutes go on under the point's name, wherever it is numbered now; those of points that are gone are put away. */
  adopt(points: Setup['points']): void {
    const open = new Map<string, Minutes>()
    for (const [index, minutes] of this.#minutes.entries()) {
      const id = this.#points[index]?.id
      if (id !== undefined && minutes !== undefined) open.set(id, minutes)
    }
    const next: Minutes[] = []
    for (const { index, id } of points) {
      const minutes = open.get(id)
      if (minutes !== undefined) next[index] = minutes
      open.delete(id)
    }
    this.#archive.together(() => {
      for (const [id, minutes] of open) {
        const taken = minutes.take(Number.POSITIVE_INFINITY)
        if (taken.length > 0) this.#putMinutes(this.#archive.enter(id), taken, combine)
      }
    })
    this.#points = points
    this.#minutes = next
  }

  /** All chunks after (segment, n) are still to come into history.db. */
  #progress(): { readonly segment: number; readonly n: number } {
    const [segment = 0, n = 0] = (this.#archive.meta('progress') ?? '0 0').split(' ').map(Number)
    return { segment, n }
  }

  #load(): void {
    const from = this.#progress()
    this.#pending = []
    this.#isComplete = true
    for (const note of this.#segments.notes) {
      if (note.first < from.segment) continue
      try {
        const heads = this.#segments.open(note).headsAfter(note.first === from.segment ? from.n : 0)
        for (const head of heads) this.#pending.push({ segment: note.first, head, offsetMs: knownOffset(head) })
      } catch (error) {
        if (!isDamage(error)) throw error
        this.#log('warn', `${note.file}: not in history: ${String(error)}`)
      }
      if (this.#pending.length > PENDING_MAX) {
        this.#isComplete = false
        break
      }
    }
    for (const pending of this.#pending) pending.offsetMs ??= this.#learnt(pending.head.boot)
  }

  #learnt(boot: number): number | null {
    const told = this.#pending.find(({ head }) => head.boot === boot && isTrusted(head.quality))
    return told?.offsetMs ?? null
  }

  /** Chunks that became durable. */
  add(note: SegmentNote, heads: readonly ChunkHead[], time: ClockReading): void {
    if (!this.#isComplete) return
    for (const head of heads) this.#pending.push({ segment: note.first, head, offsetMs: knownOffset(head) })
    if (isTrusted(time.quality)) this.#learn(time)
  }

  #learn(time: ClockReading): void {
    for (const pending of this.#pending) {
      if (pending.head.boot === this.#boot) pending.offsetMs ??= time.offsetMs
    }
  }

  /** Readings without a time (quality 0) are not rolled up: their reports are, once the time is known. */
  observe({ time, samples }: Run): void {
    if (time.quality === 0) return
    for (let index = 0; index < samples.count; index++) {
      const value = numberOf(samples, index)
      if (value === null) continue
      const point = samples.point[index] ?? 0
      let minutes = this.#minutes[point]
      if (minutes === undefined) {
        minutes = new Minutes()
        this.#minutes[point] = minutes
      }
      minutes.add((samples.mono[index] ?? 0) + time.offsetMs, value)
    }
  }

  /** Moves hours that are over. Returns at once when there are none or when it is at it already. */
  async work(time: ClockReading, breath: Breath): Promise<void> {
    if (time.quality === 0 || this.#isWorking) return
    const hour = Math.floor((time.mono + time.offsetMs - GRACE_MS) / HOUR_MS)
    const first = this.#pending[0]
    const isBehind =
      first !== undefined && first.offsetMs !== null && hourOf(first.head.monoMax + first.offsetMs) < hour
    if (!isBehind && hour === this.#lastHour) return
    await this.#move(hour, breath)
    this.#lastHour = hour
  }
  #lastHour = -1

  /** At an orderly end: the open hour too. */
  async flush(time: ClockReading, breath: Breath): Promise<void> {
    if (time.quality === 0) return
    // What is being moved this moment is let finish: at most an hour's worth, in slices.
    while (this.#isWorking) await breath()
    await this.#move(Number.POSITIVE_INFINITY, breath)
  }

  async #move(beforeHour: number, breath: Breath): Promise<void> {
    this.#isWorking = true
    try {
      await this.#moveMinutes(beforeHour, breath)
      for (;;) {
        const group = this.#nextGroup(beforeHour)
        const last = group.at(-1)
        if (last === undefined) break
        await this.#moveGroup(group, breath)
        this.#archive.putMeta('progress', `${last.segment} ${last.head.n}`)
        const done = new Set(group)
        this.#pending = this.#pending.filter((pending) => !done.has(pending))
        if (this.#pending.length === 0 && !this.#isComplete) this.#load()
      }
    } finally {
      this.#isWorking = false
    }
  }

  /** A prefix of what is pending, all of it over. What has no time and never will is passed by. */
  #nextGroup(beforeHour: number): readonly Pending[] {
    let to = 0
    let samples = 0
    for (const { head, offsetMs } of this.#pending) {
      if (offsetMs === null ? head.boot === this.#boot : hourOf(head.monoMax + offsetMs) >= beforeHour) break
      samples += head.count
      to++
      if (samples > 4 * PASS_SAMPLES) break
    }
    return this.#pending.slice(0, to)
  }

  async #moveMinutes(beforeHour: number, breath: Breath): Promise<void> {
    for (let index = 0; index < this.#points.length; ) {
      const until = performance.now() + SLICE_MS
      this.#archive.together(() => {
        for (; index < this.#points.length && performance.now() < until; index++) {
          const taken = this.#minutes[index]?.take(beforeHour * 60) ?? []
          const id = this.#points[index]?.id
          if (taken.length > 0 && id !== undefined) this.#putMinutes(this.#archive.enter(id), taken, combine)
        }
      })
      await breath()
    }
  }

  #putMinutes(point: number, minutes: readonly Bucket[], meet: (a: Bucket, b: Bucket) => Bucket): void {
    const byHour = Map.groupBy(minutes, (bucket) => Math.floor(bucket.at / 60))
    for (const [hour, buckets] of byHour) this.#archive.addMinutes(hour, point, buckets, meet)
  }

  /** In passes over a share of the points each: memory stays bounded. */
  async #moveGroup(group: readonly Pending[], breath: Breath): Promise<void> {
    const total = group.reduce((sum, { head }) => sum + head.count, 0)
    const passes = Math.max(1, Math.ceil(total / PASS_SAMPLES))
    for (let pass = 0; pass < passes; pass++) {
      const rows = new Map<number, { hour: number; point: number; packer: SamplePacker; replay: Minutes | null }>()
      let until = performance.now() + SLICE_MS
      for (const pending of group) {
        this.#takeApart(pending, (hour, point, samples, index, utc) => {
          if (point % passes !== pass) return
          const key = hour * 2 ** 20 + point
          let row = rows.get(key)
          if (row === undefined) {
            const replay = pending.head.boot === this.#boot && pending.head.quality !== 0 ? null : new Minutes()
            row = { hour, point, packer: new SamplePacker(16), replay }
            rows.set(key, row)
          }
          copy(samples, index, utc, row.packer)
          const value = numberOf(samples, index)
          if (value !== null) row.replay?.add(utc, value)
        })
        if (performance.now() > until) {
          await breath()
          until = performance.now() + SLICE_MS
        }
      }
      await this.#putRows([...rows.values()], breath)
    }
  }

  async #putRows(
    rows: readonly { hour: number; point: number; packer: SamplePacker; replay: Minutes | null }[],
    breath: Breath,
  ): Promise<void> {
    for (let at = 0; at < rows.length; ) {
      const until = performance.now() + SLICE_MS
      this.#archive.together(() => {
        for (; at < rows.length && performance.now() < until; at++) {
          const row = rows[at]
          if (row === undefined) continue
          const { hour, point, packer, replay } = row
          const known = this.#archive.raw(hour, point)
          this.#archive.putRaw(hour, point, united(known, packer.take()))
          if (replay !== null) this.#putMinutes(point, replay.peek(), fuller)
        }
      })
      await breath()
    }
  }

  #takeApart(
    { segment, head, offsetMs }: Pending,
    visit: (hour: number, point: number, samples: PackedSamples, index: number, utc: number) => void,
    only: string | null = null,
  ): void {
    const note = this.#segments.notes.find((other) => other.first === segment)
    if (note === undefined || offsetMs === null) return
    const packer = new SamplePacker(only === null ? head.count : 16)
    try {
      const source = this.#segments.open(note)
      const wanted = only === null ? null : source.dictionary.numbersOf(only)
      if (source.samplesOf(head.n, packer, wanted) === null) return
      const numbers = this.#numbersOf(source.dictionary)
      const samples = packer.take()
      for (let index = 0; index < samples.count; index++) {
        const utc = Math.round((samples.mono[index] ?? 0) + offsetMs)
        visit(hourOf(utc), numbers[samples.point[index] ?? 0] ?? 0, samples, index, utc)
      }
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#log('warn', `${note.file}: chunk ${head.n} is not in history: ${String(error)}`)
    }
  }

  #numbersOf(dictionary: Dictionary): number[] {
    let numbers = this.#archived.get(dictionary)
    if (numbers === undefined || numbers.length < dictionary.rows.length) {
      numbers = dictionary.rows.map((row) => this.#archive.enter(`${row.device}.${row.key}`))
      this.#archived.set(dictionary, numbers)
    }
    return numbers
  }

  query(query: HistoryQuery, breath: Breath): Promise<readonly HistoryRow[]> {
    const index = this.#points.find((point) => point.id === query.point)?.index
    const number = this.#archive.numberOf(query.point)
    const minutes = (index === undefined ? undefined : this.#minutes[index])?.peek() ?? []
    const open = async (visit: (samples: PackedSamples, at: number, utc: number) => void): Promise<void> => {
      let until = performance.now() + SLICE_MS
      for (const pending of this.#pending.slice()) {
        const { head, offsetMs } = pending
        if (offsetMs === null || head.monoMax + offsetMs < query.from || head.monoMin + offsetMs >= query.to) continue
        this.#takeApart(pending, (_hour, _point, samples, at, utc) => visit(samples, at, utc), query.point)
        if (performance.now() < until) continue
        await breath()
        until = performance.now() + SLICE_MS
      }
    }
    return answer(query, { archive: this.#archive, number, minutes, open, timezone: this.#timezone, breath })
  }

  /** Everything of the segment is in history.db. */
  covers(note: SegmentNote): boolean {
    const first = this.#pending[0]
    return this.#isComplete ? first === undefined || first.segment > note.first : this.#progress().segment > note.first
  }

  /** What came from a segment that is gone is passed by. */
  forget(note: SegmentNote): void {
    this.#pending = this.#pending.filter((pending) => pending.segment !== note.first)
  }

  get archive(): Archive {
    return this.#archive
  }

  bytes(): number {
    return this.#archive.bytes()
  }

  close(): void {
    this.#archive.close()
  }
}

function isTrusted(quality: TimeQuality): boolean {
  return quality === 1 || quality === 2 || quality === 4
}

function knownOffset(head: ChunkHead): number | null {
  return head.quality === 0 ? null : head.offsetMs
}

function hourOf(utc: number): number {
  return Math.floor(utc / HOUR_MS)
}

function copy(samples: PackedSamples, index: number, utc: number, into: SamplePacker): void {
  const kind = samples.kind[index] ?? 0
  const cause = samples.cause[index] ?? 0
  const value = samples.value[index] ?? 0
  const text = kind === 4 ? samples.texts[value] : undefined
  if (text === undefined) into.put(0, utc, kind, cause, value)
  else into.putText(0, utc, cause, text)
}

/** Both, in order of time, what is in both once. */
function united(known: PackedSamples | null, added: PackedSamples): PackedSamples {
  const parts = known === null ? [added] : [known, added]
  const all = parts.flatMap((samples) => Array.from({ length: samples.count }, (_, index) => ({ samples, index })))
  all.sort((a, b) => (a.samples.mono[a.index] ?? 0) - (b.samples.mono[b.index] ?? 0))
  const packer = new SamplePacker(all.length)
  let before = ''
  for (const { samples, index } of all) {
    const value = samples.value[index] ?? 0
    const text = samples.kind[index] === 4 ? samples.texts[value] : value
    const identity = `${samples.mono[index]} ${samples.kind[index]} ${samples.cause[index]} ${text}`
    if (known === null || identity !== before) copy(samples, index, samples.mono[index] ?? 0, packer)
    before = identity
  }
  return packer.take()
}
