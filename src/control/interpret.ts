/**
 * Registers read in every way that devices have been seen to mean them: which encoding, byte order and scale gives what the display
 * shows. Pure; used to find a register's reading (`probe --expect`) and to say why a value is absurd (`explain`).
 */
import type { ModbusOrder, ModbusTable } from '../model/point.ts'
import { encodingOf, layoutOf, type NumberEncoding, readNumber } from '../protocols/modbus/encoding.ts'

export type Way = { readonly as: NumberEncoding; readonly order: ModbusOrder }

/** Simple ones first: of two that fit alike the simpler is meant. */
const SINGLES: readonly NumberEncoding[] = ['u16', 's16', 'bcd16']
const DOUBLES: readonly NumberEncoding[] = ['f32', 'u32', 's32', 'bcd32']
const QUADS: readonly NumberEncoding[] = ['u64', 's64', 'f64']
const ORDERS: readonly ModbusOrder[] = ['ABCD', 'CDAB', 'BADC', 'DCBA']
/** Of makers: powers of ten, and the few others that meters use. */
export const SCALES: readonly number[] = [1, 0.1, 0.01, 0.001, 10, 100, 1000, 0.0001, 0.5, 0.05, 0.005, 0.02, 0.2]

export const WAYS: readonly Way[] = [
  ...SINGLES.map((as): Way => ({ as, order: 'ABCD' })),
  // One register whose bytes are swapped: rare, and real.
  { as: 'u16', order: 'BADC' },
  { as: 's16', order: 'BADC' },
  ...DOUBLES.flatMap((as) => ORDERS.map((order): Way => ({ as, order }))),
  ...QUADS.flatMap((as) => ORDERS.map((order): Way => ({ as, order }))),
]

/** The raw number at byte `at`; null: these bytes are none, or too few. */
export function rawNumber(registers: Uint8Array, at: number, { as, order }: Way): number | null {
  const encoding = encodingOf(as)
  if (at < 0 || at + 2 * encoding.words > registers.length) return null
  // Encodings of one register know no order; swapped bytes are tried all the same.
  const layout = encoding.words === 1 ? (order === 'BADC' ? [1, 0] : [0, 1]) : layoutOf(order, encoding.words)
  const raw = readNumber(encoding, layout, registers, at)
  return raw === null || typeof raw === 'string' || typeof raw === 'boolean' ? null : Number(raw)
}

/** Registers as they were read. */
export type Window = { readonly table: ModbusTable; readonly start: number; readonly registers: Uint8Array }

export type Interpretation = Way & {
  readonly table: ModbusTable
  readonly address: number
  readonly scale: number
  readonly value: number
  /** Smaller is better: how far from the expected value, how far from where it was looked for, how unusual. */
  readonly score: number
}

/** What the display shows, and where it was looked for. */
export type Expectation = {
  readonly value: number
  /** Half a unit of the last digit shown, or what somebody allows. */
  readonly tolerance: number
  readonly table: ModbusTable
  readonly address: number
}

/** Best first, at most `max`. Equal readings at the same place (u16 and s16 of a small number) are all named, the usual one first. */
export function interpret(windows: readonly Window[], expected: Expectation, max = 8): readonly Interpretation[] {
  const found: Interpretation[] = []
  for (const window of windows) {
    for (let at = 0; at < window.registers.length; at += 2) {
      for (const [rank, way] of WAYS.entries()) {
        const raw = rawNumber(window.registers, at, way)
        // Nothing but zeros proves nothing unless zero was expected.
        if (raw === null || (raw === 0 && expected.value !== 0)) continue
        found.push(...scaled(window, window.start + at / 2, raw, { way, rank, expected }))
      }
    }
  }
  return found.toSorted((a, b) => a.score - b.score).slice(0, max)
}

function scaled(
  window: Window,
  address: number,
  raw: number,
  { way, rank, expected }: { way: Way; rank: number; expected: Expectation },
): readonly Interpretation[] {
  const isFloat = way.as === 'f32' || way.as === 'f64'
  const found: Interpretation[] = []
  for (const [step, scale] of SCALES.entries()) {
    // A float already is in the unit of the display, or a thousand off (W and kW).
    if (isFloat && scale !== 1 && scale !== 0.001 && scale !== 1000) continue
    const value = Number((raw * scale).toPrecision(12))
    const off = Math.abs(value - expected.value)
    if (off > expected.tolerance) continue
    const moved = (window.table === expected.table ? 0 : 3) + 2 * Math.abs(address - expected.address)
    // A coincidence is likelier the fewer digits agree: an exact hit of many digits weighs most.
    const doubt = off / expected.tolerance
    const strange = rank * 0.15 + step * 0.35 + (way.order === 'ABCD' ? 0 : way.order === 'CDAB' ? 0.6 : 1.5)
    found.push({ ...way, table: window.table, address, scale, value, score: moved + strange + doubt })
  }
  return found
}

/** Half a unit of the last digit, but not less than what a value moves while somebody types: 0.5 %. */
export function toleranceOf(shown: string): number {
  const [, decimals = ''] = /\.(\d+)$/.exec(shown.trim()) ?? []
  return Math.max(0.51 * 10 ** -decimals.length, 0.005 * Math.abs(Number(shown)))
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
    const raw = rawNumber(registers, 0, way)
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
