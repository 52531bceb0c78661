/**
 * Events (a button pressed, a card shown) are not states: the value stands in the image for the turn in which it came, so that
 * conditions and formulas see it, and then the point is at rest again. Nothing is reported of the rest.
 */
import type { Point, PointType, Value } from '../model/point.ts'
import type { Sample } from '../model/sample.ts'

const REST: Readonly<Record<PointType, Value>> = { str: '', bool: false, f64: 0, u64: 0 }

export function atRest({ index, type }: Pick<Point, 'index' | 'type'>, mono: number): Sample {
  return { point: index, mono, quality: 'good', value: REST[type] }
}

/** Between events, or a device's way to say that one is over. */
export function isAtRest({ type }: Pick<Point, 'type'>, sample: Sample): boolean {
  return sample.quality !== 'bad' && sample.value === REST[type]
}
