/** Where a value lies: `at` says in words which record of the meter's answer. */
import type { MbusPlace, Point, PointType } from '../../model/point.ts'
import type { Placed, PlaceWords } from '../protocol.ts'
import { factsOf, parseSelector } from './select.ts'

/** More would be a meter that comes to no end. */
export const TELEGRAMS_MAX = 16

export function place({ at, as, options }: PlaceWords): Placed | string {
  const selector = parseSelector(at)
  if (typeof selector === 'string') return selector
  const telegrams = options?.['telegrams'] ?? TELEGRAMS_MAX
  if (typeof telegrams !== 'number' || !Number.isInteger(telegrams) || telegrams < 1 || telegrams > TELEGRAMS_MAX) {
    return `mbus.telegrams is a whole number, 1 to ${TELEGRAMS_MAX}`
  }
  if (as !== undefined && as !== 'string')
    return `an M-Bus record says itself what it is: only \`as: string\` may be added, not ${as}`
  const { unit, special } = factsOf(selector)
  const type: PointType = special === 'bit' ? 'bool' : special === 'number' && as === undefined ? 'f64' : 'str'
  const found: MbusPlace = { protocol: 'mbus', record: at, telegrams }
  return { place: found, type, ...(unit === null || type !== 'f64' ? {} : { unit }) }
}

export function placeOf(point: Point): MbusPlace | null {
  return point.source.from === 'field' && point.source.place.protocol === 'mbus' ? point.source.place : null
}
