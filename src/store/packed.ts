/**
 * Samples in columns: the form in which they cross the thread border, are packed into chunks and read back.
 * Nothing here allocates per sample.
 */
import { causeText, type Doubt, type Fault } from '../model/fault.ts'
import type { Sample } from '../model/sample.ts'

/** What stands in `value`. */
export const NONE = 0
export const NUMBER = 1
export const FALSE = 2
export const TRUE = 3
export const TEXT = 4

export const GOOD = 0
export const EXCEPTION = 3

/** The words of the uplink contract, section 5, by their number on disk: append only, never reorder. */
export const CAUSES = [
  'good',
  'timeout',
  'crc',
  'exception',
  'closed',
  'refused',
  'sentinel',
  'out_of_range',
  'device_fault',
  'not_read',
  'not_configured',
  'stale',
  'frozen',
  'rate',
  'substituted',
  'first_after_timeout',
] as const satisfies readonly ('good' | Fault['kind'] | Doubt)[]

const CAUSE_NUMBER: ReadonlyMap<string, number> = new Map(CAUSES.map((cause, index) => [cause, index]))

export type PackedSamples = {
  readonly count: number
  /** Number of the point: of the site at the border, of the segment's dictionary inside a segment. */
  readonly point: Uint32Array<ArrayBuffer>
  /** Monotonic ms of the boot. */
  readonly mono: Float64Array<ArrayBuffer>
  readonly kind: Uint8Array<ArrayBuffer>
  /** Index into CAUSES. */
  readonly cause: Uint8Array<ArrayBuffer>
  /** The number; for texts the index into `texts`; for a device's exception without value its code. */
  readonly value: Float64Array<ArrayBuffer>
  readonly texts: readonly string[]
}

/** The cause as it travels, 0 for good. */
export function causeOf(samples: PackedSamples, index: number): string | 0 {
  const cause = samples.cause[index] ?? GOOD
  if (cause === GOOD) return 0
  if (cause === EXCEPTION) return causeText({ kind: 'exception', code: samples.value[index] ?? 0 })
  return CAUSES[cause] ?? 'not_read'
}

/** Collects samples into columns that grow by doubling and are reused after each `take`. */
export class SamplePacker {
  #count = 0
  #point: Uint32Array<ArrayBuffer>
  #mono: Float64Array<ArrayBuffer>
  #kind: Uint8Array<ArrayBuffer>
  #cause: Uint8Array<ArrayBuffer>
  #value: Float64Array<ArrayBuffer>
  #texts: string[] = []

  constructor(capacity = 256) {
    this.#point = new Uint32Array(capacity)
    this.#mono = new Float64Array(capacity)
    this.#kind = new Uint8Array(capacity)
    this.#cause = new Uint8Array(capacity)
    this.#value = new Float64Array(capacity)
  }

  get count(): number {
    return this.#count
  }

  add(sample: Sample): void {
    if (sample.quality === 'bad') {
      const { cause } = sample
      const code = cause.kind === 'exception' ? cause.code : 0
      this.put(sample.point, sample.mono, NONE, CAUSE_NUMBER.get(cause.kind) ?? GOOD, code)
      return
    }
    const cause = sample.quality === 'good' ? GOOD : (CAUSE_NUMBER.get(sample.cause) ?? GOOD)
    const { value } = sample
    if (typeof value === 'number') this.put(sample.point, sample.mono, NUMBER, cause, value)
    else if (typeof value === 'boolean') this.put(sample.point, sample.mono, value ? TRUE : FALSE, cause, 0)
    else this.putText(sample.point, sample.mono, cause, value)
  }

  putText(point: number, mono: number, cause: number, text: string): void {
    this.put(point, mono, TEXT, cause, this.#texts.push(text) - 1)
  }

  put(point: number, mono: number, kind: number, cause: number, value: number): void {
    if (this.#count === this.#point.length) this.#grow()
    const at = this.#count++
    this.#point[at] = point
    this.#mono[at] = mono
    this.#kind[at] = kind
    this.#cause[at] = cause
    this.#value[at] = value
  }

  /** What was collected, in buffers of its own (they may be transferred); the packer is empty afterwards. */
  take(): PackedSamples {
    const end = this.#count
    const taken: PackedSamples = {
      count: end,
      point: this.#point.slice(0, end),
      mono: this.#mono.slice(0, end),
      kind: this.#kind.slice(0, end),
      cause: this.#cause.slice(0, end),
      value: this.#value.slice(0, end),
      texts: this.#texts,
    }
    this.#count = 0
    this.#texts = []
    return taken
  }

  #grow(): void {
    const size = this.#point.length * 2
    this.#point = enlarged(this.#point, new Uint32Array(size))
    this.#mono = enlarged(this.#mono, new Float64Array(size))
    this.#kind = enlarged(this.#kind, new Uint8Array(size))
    this.#cause = enlarged(this.#cause, new Uint8Array(size))
    this.#value = enlarged(this.#value, new Float64Array(size))
  }
}

function enlarged<T extends Uint32Array | Float64Array | Uint8Array>(from: T, into: T): T {
  into.set(from)
  return into
}

/** Some of them, without a copy. */
export function rangeOf(samples: PackedSamples, from: number, to: number): PackedSamples {
  return {
    count: to - from,
    point: samples.point.subarray(from, to),
    mono: samples.mono.subarray(from, to),
    kind: samples.kind.subarray(from, to),
    cause: samples.cause.subarray(from, to),
    value: samples.value.subarray(from, to),
    texts: samples.texts,
  }
}

/** The buffers of packed samples, for postMessage's transfer list. */
export function buffersOf(samples: PackedSamples): ArrayBuffer[] {
  return [samples.point.buffer, samples.mono.buffer, samples.kind.buffer, samples.cause.buffer, samples.value.buffer]
}
