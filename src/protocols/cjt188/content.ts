/** The data field of an answer, taken apart: identifier, sequence number and the fields of its layout, each by itself good or bad. */
import { isFilled, readBcd } from '../../bytes/bcd.ts'
import { shift10 } from '../../bytes/number.ts'
import { meterUnit, NORMAL_UNITS, normalise } from '../meterunits.ts'
import { NO_VALUE, type Outcome, SENTINEL } from '../treatment.ts'
import { readClock } from './clock.ts'
import { DATA_HEAD, type ItemOrder, readItem } from './item.ts'
import { AMOUNT_BYTES, type Layout, layoutFor, type LayoutName, type Part, PLAIN_BYTES, sizeOf } from './layout.ts'

export type Field = {
  readonly name: string
  /** As the meter shows it, in `unit`. */
  readonly shown: Outcome
  readonly unit: string | null
  /** In the unit that all meters are read in. */
  readonly value: Outcome
  readonly normalUnit: string | null
}

export type Content = {
  readonly item: string
  readonly order: ItemOrder
  readonly ser: number
  /** null: the payload fits no layout that is known. */
  readonly layout: string | null
  readonly fields: readonly Field[]
  /** What follows identifier and sequence number. */
  readonly payload: Uint8Array
}

/** Bits of ST: two bytes, the first one lowest. */
export const STATUS_BITS = 16

/** null: too short to say what it answers. */
export function readContent(data: Uint8Array, pinned: LayoutName | null = null): Content | null {
  if (data.length < DATA_HEAD) return null
  const { item, order } = readItem(data)
  const payload = data.subarray(DATA_HEAD)
  const layout = layoutFor(item, payload, pinned)
  const fields = layout === null ? [] : readFields(layout, payload)
  return { item, order, ser: data[2] ?? 0, layout: layout?.name ?? null, fields, payload }
}

function readFields({ parts, unitFirst }: Layout, payload: Uint8Array): readonly Field[] {
  let at = 0
  return parts.map((part) => {
    const from = at
    at += sizeOf(part)
    return readPart(part, payload, from, unitFirst)
  })
}

function readPart(part: Part, payload: Uint8Array, from: number, unitFirst: boolean): Field {
  switch (part.is) {
    case 'amount': {
      const unit = meterUnit(payload[unitFirst ? from : from + AMOUNT_BYTES - 1] ?? 0)
      const count = readCount(payload, unitFirst ? from + 1 : from, AMOUNT_BYTES - 1)
      const known = unit?.quantity === part.quantity
      return {
        name: part.name,
        shown: typeof count === 'number' ? shift10(count, -part.decimals) : count,
        unit: unit?.name ?? null,
        value: typeof count !== 'number' ? count : known ? normalise(count, part.decimals, unit) : NO_VALUE,
        normalUnit: NORMAL_UNITS[part.quantity],
      }
    }
    case 'plain': {
      const count = readCount(payload, from, PLAIN_BYTES)
      const value = typeof count === 'number' ? shift10(count, -part.decimals) : count
      return { name: part.name, shown: value, unit: part.unit, value, normalUnit: part.unit }
    }
    case 'clock':
      return plain('clock', readClock(payload, from))
    case 'status':
      return plain('status', (payload[from] ?? 0) | ((payload[from + 1] ?? 0) << 8))
  }
}

function plain(name: string, value: Outcome): Field {
  return { name, shown: value, unit: null, value, normalUnit: null }
}

function readCount(bytes: Uint8Array, from: number, length: number): Outcome {
  if (isFilled(bytes, from, length, 0xff)) return SENTINEL
  return readBcd(bytes, from, length) ?? NO_VALUE
}
