/**
 * From raw value to what the point says, the same for every protocol: sentinels are compared with the raw value, then scale
 * and offset in decimal, labels, inversion. And the way back, for writes.
 */
import { scaling } from '../bytes/number.ts'
import type { Fault } from '../model/fault.ts'
import type { Treatment, Value } from '../model/point.ts'
import { readCard } from './card.ts'

/** bigint: a 64-bit integer beyond 2^53. */
export type Raw = number | bigint | boolean | string

/** A value, or the fault that stands in its place. */
export type Outcome = Value | Fault

export const SENTINEL: Fault = { kind: 'sentinel' }
/** The device answered, and what it says is no value: NaN, a digit above nine, text where a number belongs. */
export const NO_VALUE: Fault = { kind: 'device_fault' }
/** A card number with wrong parity or of another length. */
export const UNREADABLE: Fault = { kind: 'crc' }

export function isFault(outcome: Outcome): outcome is Fault {
  return typeof outcome === 'object'
}

function labelKey(raw: Raw): string {
  return typeof raw === 'boolean' ? (raw ? '1' : '0') : String(raw)
}

/**
 * Sentinels as people write them are bit patterns: 0x8000 means the s16 -32768. `signedBits` is the width of a signed raw
 * number, 0 where there is none.
 */
export function sentinelsOf(invalid: readonly number[], signedBits: number): readonly number[] {
  if (signedBits === 0) return invalid
  return invalid.flatMap((number) => {
    const folded = number >= 2 ** (signedBits - 1) && number < 2 ** signedBits ? [number - 2 ** signedBits] : []
    return [number, ...folded]
  })
}

/** null: the raw value is the value (the common case costs nothing). */
export function compileTreatment(treatment: Treatment, signedBits = 0): ((raw: Raw) => Outcome) | null {
  const { card } = treatment
  if (card !== undefined) return (raw) => readCard(card, raw) ?? UNREADABLE
  const scale = scaling(treatment.scale, treatment.offset)
  const invalid = sentinelsOf(treatment.invalid, signedBits)
  const labels = treatment.map === null ? null : new Map(Object.entries(treatment.map))
  const invert = treatment.invert
  if (scale === null && invalid.length === 0 && labels === null && !invert) return null
  return (raw) => {
    if (invalid.length > 0 && typeof raw !== 'string' && invalid.includes(Number(raw))) return SENTINEL
    if (labels !== null) return labels.get(labelKey(raw)) ?? labels.get(String(raw)) ?? String(raw)
    if (typeof raw === 'boolean') return raw !== invert
    if (typeof raw === 'string' || scale === null) return plain(raw)
    const value = scale.apply(raw)
    return Number.isFinite(value) ? value : NO_VALUE
  }
}

/** A raw value as it travels without any treatment. */
export function plain(raw: Raw): Value {
  return typeof raw === 'bigint' ? raw.toString() : raw
}

/** The raw value to be written, or a sentence that says why there is none. */
export function untreat(treatment: Treatment, value: Value): Raw | { readonly why: string } {
  if (treatment.map !== null) return unlabel(treatment.map, value)
  if (typeof value === 'boolean') return value !== treatment.invert
  const scale = scaling(treatment.scale, treatment.offset)
  if (scale === null) return value
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) return { why: `"${value}" is not a number` }
  return scale.invert(number)
}

function unlabel(map: Readonly<Record<string, string>>, value: Value): Raw | { readonly why: string } {
  const entry = Object.entries(map).find(([, label]) => label === String(value))
  // A raw value without a label travels as its decimal text, so it may come back as that.
  const raw = entry?.[0] ?? (/^-?\d+$/.test(String(value)) ? String(value) : null)
  if (raw === null) return { why: `"${value}" is none of ${Object.values(map).join(', ')}` }
  return /^-?\d+$/.test(raw) ? Number(raw) : raw
}
