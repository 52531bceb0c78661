/** Where a Modbus value lies, and what can be wrong with that. */
import type { ModbusPlace, ModbusTable, Point } from '../../model/point.ts'
import type { Limits } from '../../model/site.ts'
import { wordsOf } from './encoding.ts'
import { REGISTERS_MAX } from './pdu.ts'

export function isBitTable(table: ModbusTable): boolean {
  return table === 'coil' || table === 'discrete'
}

export function placeOf(point: Point): ModbusPlace | null {
  return point.source.from === 'field' && point.source.place.protocol === 'modbus' ? point.source.place : null
}

/** First address behind the value. */
export function endOf(place: ModbusPlace): number {
  return place.address + (isBitTable(place.table) ? 1 : wordsOf(place.as, place.length))
}

/** Why this place cannot be read with these limits, as a sentence; null: it can. */
export function placeFlaw(place: ModbusPlace, limits: Limits): string | null {
  const end = endOf(place)
  if (end > 0x10000) return `${place.table} ${place.address} as ${place.as} passes address 65535`
  if (isBitTable(place.table)) return place.as === 'bit' ? null : `a ${place.table} is a bit, not ${place.as}`
  if (place.as === 'bit' && (place.bit === null || place.bit < 0 || place.bit > 15)) {
    return `${place.table} ${place.address} has bits 0 to 15: say which with \`bit:\``
  }
  const most = Math.min(limits.maxRegisters, REGISTERS_MAX)
  const words = end - place.address
  return words > most ? `${words} registers do not fit into one read of at most ${most}` : null
}
