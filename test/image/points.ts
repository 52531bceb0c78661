/** Points for tests: what is not said is the dullest possible. */
import { type Point, type PointSource, pointId, type Treatment } from '../../src/model/point.ts'

const TREATMENT: Treatment = { scale: 1, offset: 0, invalid: [], map: null, invert: false }

export function field(everyMs: number | null = 1000): PointSource {
  return { from: 'field', place: { protocol: 'payload', path: '$' }, treatment: TREATMENT, everyMs }
}

export function makePoint(index: number, given: Partial<Point> = {}): Point {
  const key = given.key ?? `p${index}`
  return {
    index,
    id: pointId('device', key),
    device: 0,
    key,
    title: { en: key, zh: key },
    std: null,
    kind: 'gauge',
    type: 'f64',
    unit: null,
    source: field(),
    range: null,
    rateMax: null,
    debounceMs: 0,
    maxAgeMs: null,
    frozenAfterMs: null,
    deadband: 0,
    heartbeatMs: 300_000,
    personal: false,
    forbidden: false,
    write: null,
    ...given,
  }
}
