/**
 * The image: the latest sample of every point. What was never read is bad `not_read`, what the site has not connected bad
 * `not_configured`; neither looks like zero.
 */
import type { Point } from '../model/point.ts'
import type { Sample } from '../model/sample.ts'

/** What conditions and formulas may ask. A point that does not exist is a bug and throws. */
export type View = { readonly get: (point: number) => Sample }

export class Image implements View {
  readonly #samples: Sample[]
  readonly #maxAgeMs: Float64Array

  constructor(points: readonly Pick<Point, 'index' | 'maxAgeMs' | 'source'>[], mono: number) {
    this.#samples = points.map(({ source }, point) => ({
      point,
      mono,
      quality: 'bad',
      cause: { kind: source.from === 'none' ? 'not_configured' : 'not_read' },
    }))
    this.#maxAgeMs = new Float64Array(points.length).fill(Number.POSITIVE_INFINITY)
    for (const point of points) this.#maxAgeMs[point.index] = point.maxAgeMs ?? Number.POSITIVE_INFINITY
  }

  get size(): number {
    return this.#samples.length
  }

  get(point: number): Sample {
    const sample = this.#samples[point]
    if (sample === undefined) throw new RangeError(`there is no point ${point}`)
    return sample
  }

  set(sample: Sample): void {
    if (sample.point >= this.#samples.length) throw new RangeError(`there is no point ${sample.point}`)
    this.#samples[sample.point] = sample
  }

  /**
   * Turns what is older than its maximum age into uncertain `stale` and returns the samples that it turned. The value's own time
   * stays: an old value is never given a new one. A bad sample has no value that could age.
   */
  sweep(now: number): readonly Sample[] {
    const turned: Sample[] = []
    for (const sample of this.#samples) {
      if (sample.quality === 'bad' || now - sample.mono <= (this.#maxAgeMs[sample.point] ?? 0)) continue
      if (sample.quality === 'uncertain' && sample.cause === 'stale') continue
      turned.push({ point: sample.point, mono: sample.mono, quality: 'uncertain', value: sample.value, cause: 'stale' })
    }
    for (const sample of turned) this.#samples[sample.point] = sample
    return turned
  }
}
