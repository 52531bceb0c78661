/**
 * Which reading of some registers is what the display shows? Every sensible one is tried: a register before and behind, both tables,
 * widths, orders, signedness, powers of ten. What comes closest by the simplest reading is first.
 */
import { scaling } from '../bytes/number.ts'
import type { ModbusOrder } from '../model/point.ts'
import { encodingOf, layoutOf, type NumberEncoding, readNumber } from '../protocols/modbus/encoding.ts'

/** Registers that were read in one go; `bytes` are two for each. */
export type Registers = { readonly table: 'input' | 'holding'; readonly start: number; readonly bytes: Uint8Array }

export type Reading = {
  readonly table: 'input' | 'holding'
  readonly address: number
  readonly as: NumberEncoding
  /** null: one register has no order. */
  readonly order: ModbusOrder | null
  readonly scale: number
}

export type Candidate = Reading & {
  readonly value: number
  /** From what is shown, as a share of it; 0: the same to the last digit shown. */
  readonly off: number
  /** Encodings that read the same number from these bytes: only another value would tell them apart. */
  readonly alike: readonly NumberEncoding[]
  /** The lower the better; differences of less than one mean little. */
  readonly cost: number
}

export type Sought = {
  /** As the display shows it: its last digit says how exact it is. */
  readonly shown: string
  readonly table: 'input' | 'holding'
  readonly address: number
  /** Only this encoding. */
  readonly as?: NumberEncoding
  /** Default 8. */
  readonly most?: number
}

// What devices do, most usual first. The figures were chosen so that each step outweighs what lies within one class.
const ENCODINGS: readonly (readonly [NumberEncoding, number])[] = [
  ['u16', 0],
  ['s16', 0.2],
  ['f32', 0.6],
  ['u32', 0.8],
  ['s32', 1],
  ['bcd16', 2],
  ['bcd32', 2.4],
  ['mod10k32', 2.6],
  ['sm16', 2.6],
  ['sm32', 2.8],
  ['u64', 2.8],
  ['s64', 3],
  ['f64', 2.8],
]
const ORDERS: readonly (readonly [ModbusOrder, number])[] = [
  ['ABCD', 0],
  ['CDAB', 0.3],
  ['DCBA', 0.9],
  ['BADC', 1],
]
const SCALES: readonly (readonly [number, number])[] = [
  [1, 0],
  [0.1, 0.2],
  [0.01, 0.4],
  [0.001, 0.6],
  [10, 1.2],
  [100, 1.8],
  [1000, 1.8],
]
/** A float is in its unit already; at most another prefix of it. */
const FLOAT_SCALES: Readonly<Record<string, number>> = { '1': 0, '0.001': 1.2, '1000': 1.6 }
/** Many manuals count from 1, so the register before is the likelier. */
const OFFSETS: readonly (readonly [number, number])[] = [
  [0, 0],
  [-1, 1],
  [1, 1.3],
]
const OTHER_TABLE = 1.1
/** Values move between looking and reading; what is further off is another quantity. */
const OFF_MOST = 0.05
const MOST = 8
const NUMBER = /^[+-]?(\d+(?:\.(\d*))?|\.(\d+))$/

/** What a display shows, and what its last digit is worth; null: no number. */
export function readShown(text: string): { readonly value: number; readonly digit: number } | null {
  const plain = text.trim()
  const found = NUMBER.exec(plain)
  if (found === null || plain.length > 24) return null
  return { value: Number(plain), digit: Number(`1e-${(found[2] ?? found[3] ?? '').length}`) }
}

/** Best first. Throws RangeError where `shown` is no number. */
export function findReadings(all: readonly Registers[], sought: Sought): readonly Candidate[] {
  const shown = readShown(sought.shown)
  if (shown === null) throw new RangeError(`"${sought.shown}" is no number`)
  const found: Candidate[] = []
  for (const registers of all) {
    const tableCost = registers.table === sought.table ? 0 : OTHER_TABLE
    for (const [offset, offsetCost] of OFFSETS) {
      const at = { ...registers, address: sought.address + offset }
      for (const each of readingsAt(at, sought.as)) {
        const matched = matchedBy(each, shown)
        if (matched === null) continue
        const { raw: _, costs, ...reading } = each
        found.push({ ...reading, ...matched, alike: [], cost: tableCost + offsetCost + costs + matched.cost })
      }
    }
  }
  return merged(found.toSorted((a, b) => a.cost - b.cost)).slice(0, sought.most ?? MOST)
}

type Tried = Reading & { readonly raw: number; readonly costs: number }

/** Every encoding and order of what lies at this address. */
export function* numbersAt(
  { table, start, bytes, address }: Registers & { readonly address: number },
  only?: NumberEncoding,
): Generator<Omit<Tried, 'scale'>> {
  const at = 2 * (address - start)
  if (at < 0) return
  for (const [as, encodingCost] of ENCODINGS) {
    if (only !== undefined && as !== only) continue
    const encoding = encodingOf(as)
    if (at + 2 * encoding.words > bytes.length) continue
    for (const [order, orderCost] of ORDERS) {
      if (encoding.words === 1 && order !== 'ABCD') continue
      const raw = readNumber(encoding, layoutOf(order, encoding.words), bytes, at)
      if (raw === null) continue
      const costs = encodingCost + orderCost
      yield { table, address, as, order: encoding.words === 1 ? null : order, raw: Number(raw), costs }
    }
  }
}

function* readingsAt(
  place: Registers & { readonly address: number },
  only: NumberEncoding | undefined,
): Generator<Tried> {
  for (const number of numbersAt(place, only)) {
    const isFloat = number.as === 'f32' || number.as === 'f64'
    for (const [scale, cost] of SCALES) {
      const scaleCost = isFloat ? FLOAT_SCALES[String(scale)] : cost
      if (scaleCost !== undefined) yield { ...number, scale, costs: number.costs + scaleCost }
    }
  }
}

function matchedBy(
  { raw, scale, as }: Tried,
  shown: { value: number; digit: number },
): Pick<Candidate, 'value' | 'off' | 'cost'> | null {
  const value = scaling(scale, 0)?.apply(raw) ?? raw
  const apart = Math.abs(value - shown.value)
  const off = apart / Math.max(Math.abs(shown.value), shown.digit)
  const slack = 1e-9 * Math.max(1, Math.abs(shown.value))
  const isFloat = as === 'f32' || as === 'f64'
  // More digits than are shown fit by chance more often; fewer cannot make the last digit move.
  const finer = isFloat ? 0 : Math.max(0, Math.log10(shown.digit / scale))
  const coarser = isFloat ? 0 : Math.max(0, Math.log10(scale / shown.digit))
  const fit = 0.35 * finer + 0.1 * coarser
  if (apart <= shown.digit / 2 + slack) return { value, off: 0, cost: fit }
  if (apart < shown.digit + slack) return { value, off, cost: fit + 0.4 }
  return off > OFF_MOST ? null : { value, off, cost: fit + 1.2 + 60 * off }
}

/** Readings of the same bytes that give the same number are one, named by the most usual. */
function merged(candidates: readonly Candidate[]): readonly Candidate[] {
  const kept = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const { table, address, as, order, scale, value } = candidate
    const { words } = encodingOf(as)
    const key = [table, address, words, order, scale, value].join(' ')
    const first = kept.get(key)
    if (first === undefined) kept.set(key, candidate)
    else if (first.as !== as) kept.set(key, { ...first, alike: [...first.alike, as] })
  }
  return [...kept.values()]
}
