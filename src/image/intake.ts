/**
 * The way into the image: personal data become pseudonyms, readings are judged, contacts debounced, composed points follow. What
 * comes out has already been put into the image. Derived samples come back in through `adopt`, so that points composed of them
 * follow too. Events stand in the image for one turn: `rest` ends them.
 */
import { sameFault } from '../model/fault.ts'
import type { Point } from '../model/point.ts'
import type { Reading, Sample } from '../model/sample.ts'
import { type Follower, followSample, planFollowers } from './compose.ts'
import { type Debounce, debounce, settle, UNTOUCHED } from './debounce.ts'
import { atRest, isAtRest } from './event.ts'
import type { Image } from './image.ts'
import { judge, type Trace, traceOf } from './quality.ts'

export type Fresh = {
  /** Every sample that was taken into the image, in order. */
  readonly samples: readonly Sample[]
  /** Points whose value, quality or cause is now another than before; may name a point twice. */
  readonly changed: readonly number[]
}

/** What took an event away: for formulas and conditions to look again, not to be reported. */
export type Rested = Fresh & { readonly ends: readonly Sample[] }

/** The stand-in for a card number or a name: always the same for the same text, and no way back. */
export type Pseudonym = (text: string) => string

/** Points that follow points that follow points: deeper chains are a loop, which `check` refuses. */
const CHAIN_MAX = 8

export class Intake {
  readonly #points: readonly Point[]
  readonly #image: Image
  readonly #traces: readonly (Trace | null)[]
  readonly #debounces: Debounce[]
  readonly #followers: ReadonlyMap<number, readonly Follower[]>
  /** Points with a change that has not lasted long enough. */
  readonly #pending = new Set<number>()
  /** Event points whose event is in the image. */
  readonly #events = new Set<number>()
  readonly #pseudonym: Pseudonym | null

  /** Without `pseudonym` nothing personal comes in at all. */
  constructor(points: readonly Point[], image: Image, options: { readonly pseudonym?: Pseudonym } = {}) {
    this.#pseudonym = options.pseudonym ?? null
    this.#points = points
    this.#image = image
    this.#traces = points.map(traceOf)
    this.#debounces = points.map(() => UNTOUCHED)
    this.#followers = planFollowers(points)
  }

  /** To be called once at first: what the site has not connected says so, and so does what follows it; no event has happened. */
  begin(): Rested {
    const fresh = new Gathered()
    const ends: Sample[] = []
    for (const point of this.#points) {
      const { index, source } = point
      const sample = this.#image.get(index)
      if (point.kind === 'event' && source.from === 'field') {
        const end = atRest(point, sample.mono)
        this.#image.set(end)
        ends.push(end)
        fresh.changed.push(index)
      }
      if (source.from !== 'none') continue
      fresh.samples.push(sample)
      fresh.changed.push(index)
      this.#follow(sample, fresh, CHAIN_MAX)
    }
    return { samples: fresh.samples, changed: fresh.changed, ends }
  }

  /** Readings of one moment. What comes of them is added to `fresh`. */
  read(readings: readonly Reading[], mono: number, fresh: Gathered = new Gathered()): Fresh {
    for (const raw of readings) {
      const point = this.#point(raw.point)
      const reading = point.personal ? this.#masked(raw) : raw
      this.#pass(judge(reading, point, mono, this.#traces[point.index] ?? null), fresh, CHAIN_MAX)
    }
    return fresh
  }

  /** Some of these would be the second event of its point in this turn: they must wait for the next, or the first goes unseen. */
  mustWait(readings: readonly Reading[]): boolean {
    return this.#events.size > 0 && readings.some((reading) => this.#events.has(reading.point))
  }

  /** An event is in the image; the next turn must end it. */
  get hasEvents(): boolean {
    return this.#events.size > 0
  }

  /** At the begin of a turn: ends the events of the turn before. */
  rest(): Rested {
    const fresh = new Gathered()
    const ends: Sample[] = []
    for (const index of this.#events) {
      const end = atRest(this.#point(index), this.#image.get(index).mono)
      this.#image.set(end)
      ends.push(end)
      fresh.changed.push(index)
      this.#follow(end, fresh, CHAIN_MAX)
    }
    this.#events.clear()
    return { samples: fresh.samples, changed: fresh.changed, ends }
  }

  /** Samples whose quality is known: derived points, a stale sweep's. */
  adopt(samples: readonly Sample[]): Fresh {
    const fresh = new Gathered()
    for (const sample of samples) this.#pass(sample, fresh, CHAIN_MAX)
    return fresh
  }

  /** What time alone changes: values that turned stale, contacts that have settled. */
  tick(now: number): Fresh {
    const fresh = new Gathered()
    for (const index of this.#pending) {
      const point = this.#point(index)
      const settled = settle(this.#debounces[index] ?? UNTOUCHED, now, point.debounceMs)
      this.#debounces[index] = settled.state
      if (settled.passed !== null) this.#enter(settled.passed, point, fresh, CHAIN_MAX)
    }
    for (const stale of this.#image.sweep(now)) {
      fresh.samples.push(stale)
      fresh.changed.push(stale.point)
      this.#follow(stale, fresh, CHAIN_MAX)
    }
    return fresh
  }

  /** Monotonic ms at which a contact settles if nothing comes; null: none is waiting. */
  nextDue(): number | null {
    let due: number | null = null
    for (const index of this.#pending) {
      const at = (this.#debounces[index]?.pending?.mono ?? 0) + this.#point(index).debounceMs
      if (due === null || at < due) due = at
    }
    return due
  }

  #pass(sample: Sample, fresh: Gathered, chain: number): void {
    const point = this.#point(sample.point)
    const { debounceMs } = point
    if (debounceMs <= 0) {
      this.#enter(sample, point, fresh, chain)
      return
    }
    const { state, passed } = debounce(this.#debounces[sample.point] ?? UNTOUCHED, sample, debounceMs)
    this.#debounces[sample.point] = state
    if (state.pending !== null) this.#pending.add(sample.point)
    if (passed !== null) this.#enter(passed, point, fresh, chain)
    else if (state.pending === null) this.#pending.delete(sample.point)
  }

  #enter(sample: Sample, point: Point, fresh: Gathered, chain: number): void {
    if (this.#pending.size > 0) this.#pending.delete(sample.point)
    const before = this.#image.get(sample.point)
    const changed = isChange(before, sample)
    // The same statement about the same moment (a follower that the stale sweep has turned already).
    if (!changed && before.mono === sample.mono) return
    this.#image.set(sample)
    fresh.samples.push(sample)
    if (changed) fresh.changed.push(sample.point)
    if (point.kind === 'event' && sample.quality !== 'bad' && !isAtRest(point, sample)) this.#events.add(point.index)
    this.#follow(sample, fresh, chain)
  }

  /** Of a point with personal data, before anything else sees it. */
  #masked(reading: Reading): Reading {
    if ('fault' in reading) return reading
    if (this.#pseudonym === null) return { point: reading.point, fault: { kind: 'not_configured' } }
    return { ...reading, value: this.#pseudonym(String(reading.value)) }
  }

  #follow(sample: Sample, fresh: Gathered, chain: number): void {
    const followers = this.#followers.get(sample.point)
    if (followers === undefined) return
    if (chain === 0) throw new Error(`the points that follow point ${sample.point} make a loop`)
    for (const follower of followers) this.#pass(followSample(sample, follower), fresh, chain - 1)
  }

  #point(index: number): Point {
    const point = this.#points[index]
    if (point === undefined) throw new RangeError(`there is no point ${index}`)
    return point
  }
}

/** What a turn gathers. */
export class Gathered implements Fresh {
  readonly samples: Sample[] = []
  readonly changed: number[] = []

  add({ samples, changed }: Fresh): void {
    for (const sample of samples) this.samples.push(sample)
    for (const point of changed) this.changed.push(point)
  }

  without(points: ReadonlySet<number>): Fresh {
    return {
      samples: this.samples.filter((sample) => !points.has(sample.point)),
      changed: this.changed.filter((point) => !points.has(point)),
    }
  }
}

/** Do the two say something different (time aside)? */
export function isChange(before: Sample, after: Sample): boolean {
  if (before.quality !== after.quality) return true
  if (before.quality === 'bad') return after.quality === 'bad' && !sameFault(before.cause, after.cause)
  if (after.quality === 'bad' || before.value !== after.value) return true
  return before.quality === 'uncertain' && after.quality === 'uncertain' && before.cause !== after.cause
}
