/**
 * Which samples are worth sending: a value that moved beyond its deadband since it was last *reported* (so a slow drift is seen),
 * every change of quality or cause, and a heartbeat, so that silence always means "unchanged and read". Of a point of kind `event`
 * every reading is one: the same card twice is two passages.
 */
import type { Point } from '../model/point.ts'
import type { Sample } from '../model/sample.ts'
import { isChange } from './intake.ts'

export class Reports {
  readonly #reported: (Sample | undefined)[]
  readonly #deadband: Float64Array
  readonly #heartbeatMs: Float64Array
  readonly #isEvent: Uint8Array

  constructor(points: readonly Pick<Point, 'index' | 'kind' | 'deadband' | 'heartbeatMs'>[]) {
    this.#reported = points.map(() => undefined)
    this.#deadband = Float64Array.from(points, (point) => point.deadband)
    this.#heartbeatMs = Float64Array.from(points, (point) => point.heartbeatMs)
    this.#isEvent = Uint8Array.from(points, (point) => (point.kind === 'event' ? 1 : 0))
  }

  /** The samples that are reports, in order; they count as reported from here on. */
  pick(samples: readonly Sample[]): readonly Sample[] {
    return samples.filter((sample) => this.#take(sample))
  }

  #take(sample: Sample): boolean {
    const { point } = sample
    const last = this.#reported[point]
    if (last !== undefined && !this.#isNews(last, sample)) return false
    this.#reported[point] = sample
    return true
  }

  #isNews(last: Sample, sample: Sample): boolean {
    // Two within one millisecond are two all the same; the same one grown old is none.
    if (this.#isEvent[sample.point] === 1)
      return last.mono !== sample.mono || last.quality === 'bad' || last.quality === sample.quality
    if (sample.mono - last.mono >= (this.#heartbeatMs[sample.point] ?? 0)) return true
    if (!isChange(last, sample)) return false
    if (last.quality !== sample.quality || last.quality === 'bad' || sample.quality === 'bad') return true
    if (last.quality === 'uncertain' && sample.quality === 'uncertain' && last.cause !== sample.cause) return true
    if (typeof last.value !== 'number' || typeof sample.value !== 'number') return true
    return Math.abs(sample.value - last.value) > (this.#deadband[sample.point] ?? 0)
  }
}
