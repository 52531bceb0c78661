/** Where a value lies: `at` is a data identifier, `field` one of the quantities that its answer holds. */
import type { Cjt188Habits, Cjt188Place, Point, PointType } from '../../model/point.ts'
import { NORMAL_UNITS } from '../meterunits.ts'
import type { Placed, PlaceWords } from '../protocol.ts'
import { STATUS_BITS } from './content.ts'
import { isType } from './frame.ts'
import { LAYOUTS, layoutsOf } from './layout.ts'

/** Three FE wake every mains meter; the type is the commonest, a cold-water meter. */
export const HABITS: Cjt188Habits = { type: 0x10, identifier: '901F', layout: null, status: 'low', wakeUp: 3 }

const ITEM = /^[0-9A-Fa-f]{4}$/
const STATUS_BIT = /^status bit (\d{1,2})$/

type FieldFacts = { readonly type: PointType; readonly unit: string | null }

/** Fields that an answer about this item can have. */
function fieldsOf(item: string): ReadonlyMap<string, FieldFacts> {
  const fields = new Map<string, FieldFacts>()
  for (const { parts } of layoutsOf(item)) {
    for (const part of parts) {
      if (part.is === 'amount') fields.set(part.name, { type: 'f64', unit: NORMAL_UNITS[part.quantity] })
      else if (part.is === 'plain') fields.set(part.name, { type: 'f64', unit: part.unit })
      else if (part.is === 'clock') fields.set('clock', { type: 'str', unit: null })
      else {
        fields.set('status', { type: 'f64', unit: null })
        fields.set('valve', { type: 'f64', unit: null })
        fields.set('battery_low', { type: 'bool', unit: null })
      }
    }
  }
  return fields
}

/** Which bit of the status a field names; null: it is none. */
export function bitOf(field: string): number | null {
  const bit = STATUS_BIT.exec(field)?.[1]
  return bit === undefined || Number(bit) >= STATUS_BITS ? null : Number(bit)
}

export function place(words: PlaceWords): Placed | string {
  const item = words.at.toUpperCase()
  if (!ITEM.test(item)) return `"${words.at}" is no data identifier: four hexadecimal digits, such as "901F"`
  const fields = fieldsOf(item)
  if (fields.size === 0)
    return `what ${item} holds is not known: 901F (present data) and D120 to D12B (settled months) are`
  const { field } = words
  const names = [...fields.keys()].join(', ')
  if (field === undefined) return `\`field\` is missing: which quantity of ${item}: ${names}`
  const bit = fields.has('status') ? bitOf(field) : null
  const facts = bit === null ? fields.get(field) : ({ type: 'bool', unit: null } satisfies FieldFacts)
  if (facts === undefined) {
    const bits = fields.has('status')
      ? `, or a bit of the status, "status bit 0" to "status bit ${STATUS_BITS - 1}"`
      : ''
    return `${item} has no field "${field}": it has ${names}${bits}`
  }
  const habits = habitsOf(words.options ?? {})
  if (typeof habits === 'string') return habits
  const at: Cjt188Place = { protocol: 'cjt188', item, field, habits }
  return { place: at, type: facts.type, ...(facts.unit === null ? {} : { unit: facts.unit }) }
}

function habitsOf(options: NonNullable<PlaceWords['options']>): Cjt188Habits | string {
  const { type = HABITS.type, identifier = HABITS.identifier, layout, status = HABITS.status } = options
  const { wakeUp = HABITS.wakeUp } = options
  const code = typeof type === 'string' ? Number.parseInt(type, 16) : Number(type)
  if (!isType(code)) return `cjt188.type ${type} is no meter type: "10" to "4F", or "AA" for any`
  if (identifier !== '901F' && identifier !== '1F90') return 'cjt188.identifier is "901F" or "1F90"'
  const pinned = LAYOUTS.find((name) => name === layout) ?? null
  if (pinned === null && layout !== undefined) return `cjt188.layout ${layout} is none of ${LAYOUTS.join(', ')}`
  if (status !== 'low' && status !== 'high') return 'cjt188.status is "low" or "high"'
  if (typeof wakeUp !== 'number' || !Number.isInteger(wakeUp) || wakeUp < 0 || wakeUp > 20) {
    return 'cjt188.wakeUp is a whole number, 0 to 20'
  }
  return { type: code, identifier, layout: pinned, status, wakeUp }
}

export function placeOf(point: Point): Cjt188Place | null {
  return point.source.from === 'field' && point.source.place.protocol === 'cjt188' ? point.source.place : null
}
