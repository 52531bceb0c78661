/** Where a Modbus value lies, and what can be wrong with that. */
import type { ModbusEncoding, ModbusPlace, ModbusTable, Point } from '../../model/point.ts'
import type { Limits } from '../../model/site.ts'
import { wordsOf } from './encoding.ts'
import { REGISTERS_MAX } from './pdu.ts'

/** `end` is the first address behind. */
export type Stretch = { readonly start: number; readonly end: number }

export function isBitTable(table: ModbusTable): boolean {
  return table === 'coil' || table === 'discrete'
}

export function placeOf(point: Point): ModbusPlace | null {
  return point.source.from === 'field' && point.source.place.protocol === 'modbus' ? point.source.place : null
}

/** What must come in one read: the value's own registers and those of its second part. */
export function stretchOf(place: ModbusPlace): Stretch {
  const own = stretch(place.address, isBitTable(place.table) ? 1 : wordsOf(place.as, place.length))
  return place.plus === undefined ? own : around(own, stretch(place.plus.address, wordsOf(place.plus.as, null)))
}

/** The same with all that it is multiplied by, which is in the same model. */
export function modelStretchOf(place: ModbusPlace): Stretch {
  const parts = (place.factors ?? []).map(({ address, as }) => stretch(address, wordsOf(as, null)))
  // The model's id stands in front: what it says is checked with every read.
  return parts.reduce(around, { start: 0, end: stretchOf(place).end })
}

export function stretch(start: number, words: number): Stretch {
  return { start, end: start + words }
}

export function around(a: Stretch, b: Stretch): Stretch {
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) }
}

/** Why this place cannot be read with these limits, as a sentence; null: it can. */
export function placeFlaw(place: ModbusPlace, limits: Limits): string | null {
  const { start, end } = place.model === undefined ? stretchOf(place) : modelStretchOf(place)
  if (end > 0x10000) return `${place.table} ${place.address} as ${place.as} passes address 65535`
  if (isBitTable(place.table)) return bitFlaw(place)
  if (place.as === 'bit' && (place.bit === null || place.bit < 0 || place.bit > 15)) {
    return `${place.table} ${place.address} has bits 0 to 15: say which with \`bit:\``
  }
  const flaw = bitsFlaw(place.as, place.bits) ?? partFlaw(place)
  if (flaw !== null) return flaw
  const most = Math.min(limits.maxRegisters, REGISTERS_MAX)
  if (end - start <= most) return null
  return place.model === undefined
    ? `${end - start} registers do not fit into one read of at most ${most}`
    : `a model is read from its beginning: ${end} registers do not fit into one read of at most ${most}`
}

/** A coil that is only written may take a number: some boards use the value of function 5 for a time. */
function bitFlaw({ table, as, write }: ModbusPlace): string | null {
  if (as === 'bit' || (table === 'coil' && as === 'u16' && write !== undefined)) return null
  return `a ${table} is a bit, not ${as}`
}

function bitsFlaw(as: ModbusEncoding, bits: readonly [number, number] | undefined): string | null {
  if (bits === undefined) return null
  if (as !== 'u16' && as !== 'u32') return `bits ${bits[0]}-${bits[1]} are taken of u16 or u32, not of ${as}`
  const [low, high] = bits
  const most = 16 * wordsOf(as, null) - 1
  return low <= high && high <= most ? null : `bits ${low}-${high} do not lie within 0 to ${most}, lowest first`
}

function partFlaw({ as, plus, model, factors, table }: ModbusPlace): string | null {
  if (plus !== undefined && [as, plus.as].some((each) => each === 'string' || each === 'bit' || each === 'bits'))
    return 'only numbers have a second part'
  if (factors !== undefined && (as === 'string' || as === 'bit' || as === 'bits'))
    return 'only numbers are scaled by another register'
  for (const factor of factors ?? []) {
    if (factor.address + wordsOf(factor.as, null) > 0x10000)
      return `${factor.table} ${factor.address} passes address 65535`
    if (model !== undefined && factor.table !== table) return 'what a model is scaled by lies in the model itself'
    const flaw = bitsFlaw(factor.as, factor.bits)
    if (flaw !== null) return flaw
  }
  return null
}
