/** Values of devices that speak by themselves, in lines or messages: as the device holds them, and back as a reader understands them. */
import type { Point, Treatment, Value } from '../model/point.ts'
import { compileTreatment, isFault, plain, untreat } from '../protocols/treatment.ts'
import { bare, understand } from '../protocols/understand.ts'
import { rawCard } from './cards.ts'

/** Such devices show two digits behind the point. */
const DIGITS = 100

/** Before scale and labels. Throws RangeError for what it cannot be. */
export function rawOf(treatment: Treatment, value: Value): Value {
  if (treatment.card !== undefined) return rawCard(treatment.card, String(value))
  const raw = untreat(treatment, value)
  if (typeof raw === 'object') throw new RangeError(raw.why)
  return plain(raw)
}

export function rounded(raw: Value): Value {
  return typeof raw === 'number' ? Math.round(raw * DIGITS) / DIGITS : raw
}

/** `held`: what is left of a raw value in the device's own form. */
export function fitSpoken(
  { type }: Pick<Point, 'type'>,
  treatment: Treatment,
  held: (raw: Value) => Value = rounded,
): (value: Value) => Value {
  const treat = compileTreatment(treatment)
  const labelled = treatment.map !== null || treatment.card !== undefined
  return (value) => {
    // What has not happened has no form.
    if (value === '') return value
    const field = held(rawOf(treatment, value))
    const raw = labelled ? bare(field) : understand(field, type)
    if (raw === null) return value
    const outcome = treat === null ? plain(raw) : treat(raw)
    // What no reader makes a value of is shown all the same: it is the reader's to refuse.
    return isFault(outcome) ? value : outcome
  }
}
