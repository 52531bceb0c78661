/** Roll-ups: minutes from all readings, hours from minutes. Pure. Text has none; booleans count as 0 and 1. */
import { packChunk, unpackChunk } from './chunk.ts'
import { FALSE, GOOD, NONE, NUMBER, type PackedSamples, SamplePacker, TEXT, TRUE } from './packed.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000

/** `at`: number of the period (minute or hour) since 1970. */
export type Bucket = {
  readonly at: number
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly last: number
  readonly count: number
}

/** The number a sample counts as in a roll-up; null: it does not. A stale value is no reading. */
export function numberOf(samples: PackedSamples, index: number): number | null {
  const kind = samples.kind[index]
  if (kind === NONE || kind === TEXT || samples.cause[index] === STALE) return null
  return kind === NUMBER ? (samples.value[index] ?? null) : kind === TRUE ? 1 : 0
}
const STALE = 11

/** Two parts of one period, `b` the later one. */
export function combine(a: Bucket, b: Bucket): Bucket {
  const count = a.count + b.count
  return {
    at: a.at,
    min: Math.min(a.min, b.min),
    max: Math.max(a.max, b.max),
    mean: short((a.mean * a.count + b.mean * b.count) / count),
    last: b.last,
    count,
  }
}

/** Seven significant digits: what a mean is worth, and four bytes instead of eight. */
function short(mean: number): number {
  return Number(mean.toPrecision(7))
}

/** Minutes of one point. A clock that steps back begins the earlier minute anew; parts meet again in `merge`. */
export class Minutes {
  #at = -1
  #min = 0
  #max = 0
  #sum = 0
  #last = 0
  #count = 0
  #done: Bucket[] = []

  add(utcMs: number, value: number): void {
    const at = Math.floor(utcMs / MINUTE_MS)
    if (at !== this.#at) {
      this.#close()
      this.#at = at
      this.#min = value
      this.#max = value
      this.#sum = 0
      this.#count = 0
    }
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
    this.#sum += value
    this.#last = value
    this.#count++
  }

  #close(): void {
    if (this.#count > 0) this.#done.push(this.#bucket())
    this.#count = 0
  }

  #bucket(): Bucket {
    const mean = short(this.#sum / this.#count)
    return { at: this.#at, min: this.#min, max: this.#max, mean, last: this.#last, count: this.#count }
  }

  /** All there are, the open one too. */
  peek(): readonly Bucket[] {
    return this.#count > 0 ? [...this.#done, this.#bucket()] : this.#done
  }

  /** Takes out what lies before minute `end`. */
  take(end: number): readonly Bucket[] {
    if (this.#at < end) this.#close()
    const taken = this.#done.filter((bucket) => bucket.at < end)
    if (taken.length > 0) this.#done = this.#done.filter((bucket) => bucket.at >= end)
    return taken
  }
}

/** One bucket per period, ascending. `meet` says what becomes of two of the same period. */
export function merge(
  a: readonly Bucket[],
  b: readonly Bucket[],
  meet: (a: Bucket, b: Bucket) => Bucket,
): readonly Bucket[] {
  const merged = new Map(a.map((bucket) => [bucket.at, bucket]))
  for (const bucket of b) {
    const known = merged.get(bucket.at)
    merged.set(bucket.at, known === undefined ? bucket : meet(known, bucket))
  }
  return [...merged.values()].sort((x, y) => x.at - y.at)
}

/** Of two accounts of the same period the one that saw more: for periods computed again from what was reported. */
export function fuller(a: Bucket, b: Bucket): Bucket {
  return b.count > a.count ? b : a
}

/** Coarser buckets: `periodOf` maps a bucket to the number of the wider period. */
export function coarsen(buckets: readonly Bucket[], periodOf: (at: number) => number): readonly Bucket[] {
  return merge(
    [],
    buckets.map((bucket) => ({ ...bucket, at: periodOf(bucket.at) })),
    combine,
  )
}

const COLUMNS = { device: [0, 0, 0, 0, 0], slot: [0, 1, 2, 3, 4], at: [[0, 1, 2, 3, 4]] }

/** As bytes; periods count from `base`. */
export function packBuckets(buckets: readonly Bucket[], base: number): Uint8Array {
  const packer = new SamplePacker(buckets.length * 5)
  for (const { at, ...numbers } of buckets) {
    ;[numbers.min, numbers.max, numbers.mean, numbers.last, numbers.count].forEach((value, column) => {
      packer.put(column, at, NUMBER, GOOD, value)
    })
  }
  const samples = packer.take()
  return packChunk({ samples, from: 0, to: samples.count }, COLUMNS, base)
}

export function unpackBuckets(bytes: Uint8Array, base: number): readonly Bucket[] {
  const packer = new SamplePacker()
  unpackChunk(bytes, COLUMNS, base, packer)
  const { count, mono, value } = packer.take()
  const buckets: Bucket[] = []
  for (let at = 0; at + 4 < count; at += 5) {
    const [min = 0, max = 0, mean = 0, last = 0, number = 0] = value.subarray(at, at + 5)
    buckets.push({ at: mono[at] ?? 0, min, max, mean, last, count: number })
  }
  return buckets
}

/** What a raw value is in a row of history: numbers as they are, booleans 0 and 1, text as text, bad null. */
export function rowValue(samples: PackedSamples, index: number): number | string | null {
  switch (samples.kind[index]) {
    case NUMBER:
      return samples.value[index] ?? null
    case FALSE:
      return 0
    case TRUE:
      return 1
    case TEXT:
      return samples.texts[samples.value[index] ?? 0] ?? null
    default:
      return null
  }
}
