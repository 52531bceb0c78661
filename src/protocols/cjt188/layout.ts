/**
 * What stands where in the answer to a read. The standard puts the unit code behind each value; one maker's meters put it in
 * front, with the same length: the unit table tells which (the unit bytes of the true reading are all unit codes of the right kind).
 * A payload that fits no layout is no reading at all: nothing is guessed.
 */
import { isFilled } from '../../bytes/bcd.ts'
import { type MeterQuantity, meterUnit } from '../meterunits.ts'
import { monthsBack } from './item.ts'

export const LAYOUTS = ['water22_unit_after', 'water22_unit_before', 'heat46_unit_after', 'heat46_unit_before'] as const
export type LayoutName = (typeof LAYOUTS)[number]

export type Part =
  /** Four bytes of digits and a unit code. */
  | { readonly is: 'amount'; readonly name: string; readonly decimals: number; readonly quantity: MeterQuantity }
  /** Three bytes of digits in a fixed unit. */
  | { readonly is: 'plain'; readonly name: string; readonly decimals: number; readonly unit: string }
  | { readonly is: 'clock' }
  | { readonly is: 'status' }

export type Layout = {
  readonly name: string
  readonly unitFirst: boolean
  /** Of what follows identifier and sequence number. */
  readonly length: number
  readonly parts: readonly Part[]
}

export const AMOUNT_BYTES = 5
export const PLAIN_BYTES = 3
const SIZES = { amount: AMOUNT_BYTES, plain: PLAIN_BYTES, clock: 7, status: 2 } as const

const WATER: readonly Part[] = [
  { is: 'amount', name: 'total', decimals: 2, quantity: 'volume' },
  { is: 'amount', name: 'settled', decimals: 2, quantity: 'volume' },
  { is: 'clock' },
  { is: 'status' },
]
/** Flow was zero in every frame seen: that it has four decimals is what the standard is known to say, and nothing here confirms it. */
const HEAT: readonly Part[] = [
  { is: 'amount', name: 'settled_heat', decimals: 2, quantity: 'energy' },
  { is: 'amount', name: 'heat', decimals: 2, quantity: 'energy' },
  { is: 'amount', name: 'power', decimals: 2, quantity: 'power' },
  { is: 'amount', name: 'flow', decimals: 4, quantity: 'flow' },
  { is: 'amount', name: 'volume', decimals: 2, quantity: 'volume' },
  { is: 'plain', name: 'supply_temperature', decimals: 2, unit: '°C' },
  { is: 'plain', name: 'return_temperature', decimals: 2, unit: '°C' },
  { is: 'plain', name: 'hours', decimals: 0, unit: 'h' },
  { is: 'clock' },
  { is: 'status' },
]

const PRESENT: readonly Layout[] = [
  layout('water22_unit_after', WATER),
  layout('water22_unit_before', WATER),
  layout('heat46_unit_after', HEAT),
  layout('heat46_unit_before', HEAT),
]
const SETTLED: readonly Layout[] = (['volume', 'energy'] as const).flatMap((quantity) => {
  const name = quantity === 'volume' ? 'volume' : 'heat'
  const parts: readonly Part[] = [{ is: 'amount', name, decimals: 2, quantity }]
  return [layout('settled_unit_after', parts), layout('settled_unit_before', parts)]
})

function layout(name: string, parts: readonly Part[]): Layout {
  return { name, unitFirst: name.endsWith('before'), parts, length: parts.reduce((sum, { is }) => sum + SIZES[is], 0) }
}

export function sizeOf(part: Part): number {
  return SIZES[part.is]
}

/** Layouts that an answer about this item can have; none: what it holds is not known. */
export function layoutsOf(item: string): readonly Layout[] {
  if (item === '901F') return PRESENT
  return monthsBack(item) === null ? [] : SETTLED
}

/** The layout of this payload. `pinned`: the only one that may be taken; else the one whose unit bytes are units. null: none fits. */
export function layoutFor(item: string, payload: Uint8Array, pinned: LayoutName | null): Layout | null {
  const fitting = layoutsOf(item).filter(({ length }) => length === payload.length)
  if (pinned !== null && item === '901F') return fitting.find(({ name }) => name === pinned) ?? null
  return fitting.find((candidate) => hasUnits(candidate, payload)) ?? null
}

function hasUnits({ parts, unitFirst }: Layout, payload: Uint8Array): boolean {
  let at = 0
  for (const part of parts) {
    if (part.is === 'amount') {
      const code = payload[unitFirst ? at : at + 4] ?? 0
      const absent = isFilled(payload, unitFirst ? at + 1 : at, 4, 0xff)
      if (meterUnit(code)?.quantity !== part.quantity && !(absent && code === 0xff)) return false
    }
    at += SIZES[part.is]
  }
  return true
}
