/** The value as a device wants to be told it: the way back through scale, labels and inversion of the point. */
import type { Point, Value } from '../../model/point.ts'
import { plain, untreat } from '../treatment.ts'
import { pathOf } from './fields.ts'

export type Wanted = { readonly path: string; readonly raw: Value }

/** A sentence: it cannot be told. */
export function wantedOf(point: Point, value: Value): Wanted | string {
  const path = pathOf(point)
  if (path === null || point.source.from !== 'field') return `${point.key} is not a field of a published message`
  const raw = untreat(point.source.treatment, value)
  if (typeof raw === 'object') return raw.why
  return { path, raw: plain(raw) }
}

/** Switches are told in words; only a boolean is one. */
export function switchWord(raw: Value, words: { readonly on: string; readonly off: string }): string | null {
  if (typeof raw !== 'boolean') return null
  return raw ? words.on : words.off
}
