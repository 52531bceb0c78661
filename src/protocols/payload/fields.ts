/** Fields of a published document become readings of points. What a point's type asks for decides how a field is understood. */
import type { Point } from '../../model/point.ts'
import type { Reading } from '../../model/sample.ts'
import { compileTreatment, isFault, NO_VALUE, type Outcome, plain, type Raw } from '../treatment.ts'
import { bare, understand } from '../understand.ts'
import { fieldOf, stepsOf } from './document.ts'
import { type PayloadOutcome, refused } from './payload.ts'

type Field = {
  readonly point: Point
  readonly steps: readonly string[]
  readonly treat: ((raw: Raw) => Outcome) | null
}

const FIELDS = new WeakMap<readonly Point[], readonly Field[]>()

/** null: not a point of a device that publishes. */
export function pathOf(point: Point): string | null {
  return point.source.from === 'field' && point.source.place.protocol === 'payload' ? point.source.place.path : null
}

function fieldsOf(points: readonly Point[]): readonly Field[] {
  const known = FIELDS.get(points)
  if (known !== undefined) return known
  const fields = points.flatMap((point): Field[] => {
    if (point.source.from !== 'field' || point.source.place.protocol !== 'payload') return []
    return [{ point, steps: stepsOf(point.source.place.path), treat: compileTreatment(point.source.treatment) }]
  })
  FIELDS.set(points, fields)
  return fields
}

/** Points whose field is missing get nothing: a message may carry only what changed. */
export function readFields(json: unknown, points: readonly Point[], retained: boolean): PayloadOutcome {
  const readings: Reading[] = []
  let oldEvents = 0
  for (const { point, steps, treat } of fieldsOf(points)) {
    const field = fieldOf(json, steps)
    if (field === undefined) continue
    // An event is told once, when it happens; an empty one says that it is over.
    if (point.kind === 'event' && (retained || field === '' || field === null)) {
      oldEvents += 1
      continue
    }
    readings.push(readingOf(point.index, outcomeOf(field, point, treat), retained))
  }
  if (readings.length > 0) return { kind: 'readings', readings }
  return refused(oldEvents > 0 ? 'old_event' : 'no_point')
}

function readingOf(point: number, outcome: Outcome, retained: boolean): Reading {
  if (isFault(outcome)) return { point, fault: outcome }
  return retained ? { point, value: outcome, doubt: 'stale' } : { point, value: outcome }
}

function outcomeOf(field: unknown, point: Point, treat: ((raw: Raw) => Outcome) | null): Outcome {
  const labelled = point.source.from === 'field' && point.source.treatment.map !== null
  const raw = labelled ? bare(field) : understand(field, point.type)
  if (raw === null) return NO_VALUE
  return treat === null ? plain(raw) : treat(raw)
}
