/** What waits for the next commit, on the main thread. Bounded: when the disk does not answer, the newest reports are counted and let go. */
import { canonicalJson } from '../bytes/json.ts'
import type { ClockReading } from '../model/journal.ts'
import type { Sample } from '../model/sample.ts'
import type { StoreDelta } from './contract.ts'
import type { Commit, Loss, Run } from './messages.ts'
import { buffersOf, SamplePacker } from './packed.ts'

/** About 5 MB. Reports of urgent deltas are never let go: their sender waits. */
export const SAMPLES_MAX = 200_000
/** A clock that steps by more begins a new run. */
const STEP_MS = 50

/** Who waits, and for what: a delta without telemetry is durable when its entries and states are. */
type Settled = { readonly tell: NonNullable<StoreDelta['settled']>; readonly wantsSamples: boolean }

/** Samples under one clock. */
class Runs {
  readonly #runs: { time: ClockReading; packer: SamplePacker }[] = []
  /** Used again by each commit, so it has grown to the usual size. */
  readonly #spare = new SamplePacker()
  count = 0

  add(time: ClockReading, samples: readonly Sample[]): void {
    if (samples.length === 0) return
    let run = this.#runs.at(-1)
    if (
      run === undefined ||
      run.time.quality !== time.quality ||
      Math.abs(run.time.offsetMs - time.offsetMs) > STEP_MS
    ) {
      run = { time, packer: this.#runs.length === 0 ? this.#spare : new SamplePacker() }
      this.#runs.push(run)
    }
    for (const sample of samples) run.packer.add(sample)
    this.count += samples.length
  }

  take(): readonly Run[] {
    this.count = 0
    return this.#runs.splice(0).map(({ time, packer }) => ({ time, samples: packer.take() }))
  }
}

export class Pending {
  readonly #reports = new Runs()
  readonly #observed = new Runs()
  #items: { readonly lane: 'a' | 'e'; readonly text: string }[] = []
  readonly #states = new Map<string, string | null>()
  #settled: Settled[] = []
  #loss: Loss | null = null
  /** Somebody waits for samples. */
  #isUrgent = false
  /** Monotonic ms of the oldest delta in it with entries, and with samples. */
  #entriesSince: number | null = null
  #samplesSince: number | null = null

  /** Throws on an item that has no JSON form: that is a bug of its maker, and nothing of the delta is taken. */
  add(delta: StoreDelta): void {
    const items = delta.items.map(({ lane, body }) => ({ lane, text: canonicalJson(body) }))
    this.#items.push(...items)
    for (const [key, value] of delta.states) this.#states.set(key, value)
    if (delta.settled !== undefined) {
      this.#settled.push({ tell: delta.settled, wantsSamples: delta.reports.length > 0 })
    }
    if (!delta.urgent && this.#reports.count + delta.reports.length > SAMPLES_MAX) this.#lose(delta)
    else this.#reports.add(delta.time, delta.reports)
    if (delta.reports.length > 0) {
      this.#samplesSince ??= delta.time.mono
      this.#isUrgent ||= delta.urgent
    } else this.#entriesSince ??= delta.time.mono
  }

  observe(time: ClockReading, samples: readonly Sample[]): void {
    if (this.#observed.count + samples.length <= SAMPLES_MAX) this.#observed.add(time, samples)
  }

  #lose({ reports, time }: StoreDelta): void {
    const at = Math.round(time.mono + time.offsetMs)
    this.#loss = {
      samples: reports.length + (this.#loss?.samples ?? 0),
      from: this.#loss?.from ?? at,
      to: at,
    }
  }

  get isEmpty(): boolean {
    return this.sinceMono === null && this.#observed.count === 0
  }

  /** Monotonic ms of the oldest delta in it; null: none. */
  get sinceMono(): number | null {
    if (this.#entriesSince === null || this.#samplesSince === null) return this.#entriesSince ?? this.#samplesSince
    return Math.min(this.#entriesSince, this.#samplesSince)
  }

  /** `entries`: what has time stays, so that an alarm does not wait for a second's telemetry; unless somebody waits for samples. */
  take(
    time: ClockReading,
    what: 'all' | 'entries',
  ): { commit: Commit; transfer: ArrayBuffer[]; settled: readonly Settled[]; sinceMono: number | null } {
    const withSamples = what === 'all' || this.#isUrgent
    const runs = withSamples ? this.#reports.take() : []
    const observed = withSamples ? this.#observed.take() : []
    const loss = withSamples ? this.#loss : null
    const commit = { time, runs, observed, items: this.#items, states: [...this.#states], loss }
    const settled = this.#settled.filter(({ wantsSamples }) => withSamples || !wantsSamples)
    const sinceMono = withSamples ? this.sinceMono : this.#entriesSince
    this.#settled = this.#settled.filter(({ wantsSamples }) => !withSamples && wantsSamples)
    this.#items = []
    this.#states.clear()
    this.#entriesSince = null
    if (withSamples) {
      this.#samplesSince = null
      this.#loss = null
      this.#isUrgent = false
    }
    return { commit, transfer: [...runs, ...observed].flatMap((run) => buffersOf(run.samples)), settled, sinceMono }
  }
}
