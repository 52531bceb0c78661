/** An absurd value, read as devices have been seen to mean such registers: another byte order, sign or scale. Pure. */
import type { ModbusOrder } from '../model/point.ts'
import { encodingOf, layoutOf, type NumberEncoding, readNumber } from '../protocols/modbus/encoding.ts'

type Way = { readonly as: NumberEncoding; readonly order: ModbusOrder }

const ORDERS: readonly ModbusOrder[] = ['ABCD', 'CDAB', 'BADC', 'DCBA']

/** The raw number at the front; null: these bytes are none, or too few. */
function rawNumber(registers: Uint8Array, { as, order }: Way): number | null {
  const encoding = encodingOf(as)
  if (2 * encoding.words > registers.length) return null
  const layout = encoding.words === 1 ? [0, 1] : layoutOf(order, encoding.words)
  const raw = readNumber(encoding, layout, registers, 0)
  return raw === null || typeof raw === 'string' || typeof raw === 'boolean' ? null : Number(raw)
}

/** Readings of the same registers that would lie within the range, other than the one in force; the likeliest kind first. */
export function otherReadings(
  registers: Uint8Array,
  inForce: {
    readonly as: NumberEncoding
    readonly order: ModbusOrder
    readonly scale: number
    readonly offset: number
  },
  [low, high]: readonly [number, number],
): readonly { readonly how: 'order' | 'scale' | 'sign'; readonly as: string; readonly value: number }[] {
  const { as, order, scale, offset } = inForce
  const span = high - low
  const value = (way: Way, factor: number): number | null => {
    const raw = rawNumber(registers, way)
    return raw === null ? null : Number((raw * factor + offset).toPrecision(9))
  }
  // What a wrong order makes of a float is mostly next to nothing, which is within many ranges and nobody's value.
  const fits = (found: number | null): found is number =>
    found !== null && found >= low && found <= high && Math.abs(found) > span * 1e-4
  const found: { how: 'order' | 'scale' | 'sign'; as: string; value: number }[] = []
  if (encodingOf(as).words > 1) {
    for (const other of ORDERS) {
      const got = other === order ? null : value({ as, order: other }, scale)
      if (fits(got)) found.push({ how: 'order', as: other, value: got })
    }
  }
  const signed = as === 'u16' ? 's16' : as === 'u32' ? 's32' : null
  if (signed !== null) {
    const got = value({ as: signed, order }, scale)
    const plain = value({ as, order }, scale)
    if (got !== plain && fits(got)) found.push({ how: 'sign', as: signed, value: got })
  }
  for (const factor of [0.1, 0.01, 0.001, 10, 100]) {
    const other = Number((scale * factor).toPrecision(6))
    const got = value({ as, order }, other)
    if (fits(got)) found.push({ how: 'scale', as: `scale: ${other}`, value: got })
  }
  return found
}
