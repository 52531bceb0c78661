/** The codec of CJ/T 188 the other way round: values become the data field that a meter would send. Layouts are those of the codec. */
import { isFilled, writeBcd, writePairs } from '../bytes/bcd.ts'
import { shift10 } from '../bytes/number.ts'
import type { Cjt188Habits, Cjt188Place, Treatment, Value } from '../model/point.ts'
import { readContent } from '../protocols/cjt188/content.ts'
import { itemBytes } from '../protocols/cjt188/item.ts'
import {
  AMOUNT_BYTES,
  type Layout,
  LAYOUTS,
  layoutsOf,
  type Part,
  PLAIN_BYTES,
  sizeOf,
} from '../protocols/cjt188/layout.ts'
import { valueIn } from '../protocols/cjt188/read.ts'
import { compileTreatment, isFault, type Raw, untreat } from '../protocols/treatment.ts'

/** Codes of the units that all meters are read in: kWh, kW, m³, m³/h. */
const UNIT_CODES = { energy: 0x05, power: 0x17, volume: 0x2c, flow: 0x35 } as const
const MOMENT = '2026-01-15T18:30:00'

/** What a meter holds of one field. */
export type Shown = { readonly place: Cjt188Place; readonly raw: Raw }

/** The value as the meter can hold it: what the codec reads of what the meter would send. */
export function fitCjt188(place: Cjt188Place, treatment: Treatment): (value: Value) => Value {
  const treat = compileTreatment(treatment)
  return (value) => {
    const raw = untreat(treatment, value)
    if (typeof raw === 'object') return value
    const data = encodeData(place.item, place.habits, [{ place, raw }])
    const content = data === null ? null : readContent(data, pinnedOf(place.habits))
    const found = content === null ? value : valueIn(content, place)
    if (isFault(found)) return typeof value === 'string' && place.field === 'clock' ? MOMENT : value
    const shown = treat === null ? found : treat(found)
    return isFault(shown) ? value : shown
  }
}

/** null: a meter knows nothing of this item. Fields that no point asks for are absent. */
export function encodeData(item: string, habits: Cjt188Habits, shown: readonly Shown[]): Uint8Array | null {
  const layout = layoutOf(item, habits, shown)
  if (layout === null) return null
  const payload = new Uint8Array(layout.length)
  let at = 0
  for (const part of layout.parts) {
    payload.set(encodePart(part, layout, shown), at)
    at += sizeOf(part)
  }
  return Uint8Array.of(...itemBytes(item, habits.identifier), 0, ...payload)
}

export function pinnedOf({ layout }: Cjt188Habits): (typeof LAYOUTS)[number] | null {
  return LAYOUTS.find((name) => name === layout) ?? null
}

/** The first layout that has all fields that are asked for. */
function layoutOf(item: string, habits: Cjt188Habits, shown: readonly Shown[]): Layout | null {
  const pinned = pinnedOf(habits)
  const fields = shown.map(({ place }) => place.field)
  const candidates = layoutsOf(item).filter(({ name }) => pinned === null || item !== '901F' || name === pinned)
  const kind = habits.type >> 4 === 2 ? 'heat' : 'water'
  const ranked = [...candidates.filter(({ name }) => name.startsWith(kind)), ...candidates]
  const named = (layout: Layout): readonly string[] =>
    layout.parts.flatMap((part) => ('name' in part ? [part.name] : []))
  return (
    ranked.find((layout) => fields.every((field) => named(layout).includes(field) || isStatusOrClock(field))) ??
    ranked[0] ??
    null
  )
}

function isStatusOrClock(field: string): boolean {
  return field === 'clock' || field === 'valve' || field === 'battery_low' || field.startsWith('status')
}

function encodePart(part: Part, { unitFirst }: Layout, shown: readonly Shown[]): Uint8Array {
  switch (part.is) {
    case 'amount': {
      const digits = encodeCount(rawOf(part.name, shown), part.decimals, AMOUNT_BYTES - 1)
      const code = isFilled(digits, 0, digits.length, 0xff) ? 0xff : UNIT_CODES[part.quantity]
      return unitFirst ? Uint8Array.of(code, ...digits) : Uint8Array.of(...digits, code)
    }
    case 'plain':
      return encodeCount(rawOf(part.name, shown), part.decimals, PLAIN_BYTES)
    case 'clock':
      return encodeClock(rawOf('clock', shown))
    case 'status':
      return encodeStatus(shown)
  }
}

function rawOf(name: string, shown: readonly Shown[]): Raw | undefined {
  return shown.find(({ place }) => place.field === name)?.raw
}

function encodeCount(raw: Raw | undefined, decimals: number, bytes: number): Uint8Array {
  const wanted = Number(raw)
  if (raw === undefined || !Number.isFinite(wanted)) return new Uint8Array(bytes).fill(0xff)
  const most = 10 ** (2 * bytes) - 1
  return writeBcd(Math.min(most, Math.max(0, Math.round(shift10(wanted, decimals)))), bytes)
}

function encodeClock(raw: Raw | undefined): Uint8Array {
  if (raw === undefined) return new Uint8Array(7)
  const digits = String(raw).replace(/\D/g, '')
  return writePairs(digits.length === 14 ? digits : MOMENT.replace(/\D/g, ''))
}

function encodeStatus(shown: readonly Shown[]): Uint8Array {
  let word = 0
  for (const { place, raw } of shown) {
    const { field, habits } = place
    const [low, high] = habits.status === 'low' ? [0, 1] : [7, 6]
    const bit = /^status bit (\d+)$/.exec(field)?.[1]
    if (field === 'status') word |= Number(raw) & 0xffff
    else if (field === 'valve') word |= ((Number(raw) & 1) << low) | (((Number(raw) >> 1) & 1) << high)
    else if (field === 'battery_low' && raw === true) word |= 1 << (habits.status === 'low' ? 2 : 5)
    else if (bit !== undefined && raw === true) word |= 1 << Number(bit)
  }
  return Uint8Array.of(word & 0xff, word >> 8)
}
