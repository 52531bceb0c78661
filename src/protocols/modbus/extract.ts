/** How one value is taken out of the answers of its block: its raw number, what other registers scale it by, what the point says. */
import type { ModbusFactor, ModbusOrder, ModbusPlace, ModbusTable, Treatment } from '../../model/point.ts'
import { scaling } from '../../bytes/number.ts'
import { compileTreatment, NO_VALUE, type Outcome, plain, type Raw, SENTINEL, sentinelsOf } from '../treatment.ts'
import { encodingOf, isNumberEncoding, layoutOf, type NumberEncoding, readNumber, readText } from './encoding.ts'
import { isBitTable } from './place.ts'

/** Function code and byte count stand before the content. */
export const HEAD = 2

/** Registers or bits that are asked for at once. */
export type Part = { readonly table: ModbusTable; readonly start: number; readonly count: number }

/** `bodies`: of the block's own request, then of the parts that lie apart. */
export type Take = (bodies: readonly Uint8Array[]) => Outcome

type Reader = (body: Uint8Array) => Raw | null

const NOTHING = new Uint8Array(0)

/** Throws RangeError where the block does not read what the place needs: that is a fault of the plan. */
export function extractor(place: ModbusPlace, treatment: Treatment, parts: readonly [Part, ...Part[]]): Take {
  const [own] = parts
  const raw = rawReader(place, own)
  const signedBits = isNumberEncoding(place.as) ? encodingOf(place.as).signedBits : 0
  const treatBy = treater(treatment, signedBits)
  const factors = (place.factors ?? []).map((factor) => factorReader(factor, parts))
  return (bodies) => {
    const found = raw(bodies[0] ?? NOTHING)
    if (found === null) return NO_VALUE
    let product = 1
    for (const factor of factors) {
      const by = factor(bodies)
      if (typeof by !== 'number') return by
      product *= by
    }
    const treat = treatBy(product)
    return treat === null ? plain(found) : treat(found)
  }
}

/** The treatment with its scale multiplied. It changes once in a device's life, so the last one is kept. */
function treater(treatment: Treatment, signedBits: number): (product: number) => ReturnType<typeof compileTreatment> {
  let last = { product: 1, treat: compileTreatment(treatment, signedBits) }
  return (product) => {
    if (product !== last.product) {
      const scale = decimal(treatment.scale * product)
      const offset = decimal(treatment.offset * product)
      last = { product, treat: compileTreatment({ ...treatment, scale, offset }, signedBits) }
    }
    return last.treat
  }
}

/** 15 digits are what a double holds of any decimal: 0.1 × 0.01 is 0.001. */
function decimal(number: number): number {
  return Number(number.toPrecision(15))
}

function rawReader(place: ModbusPlace, part: Part): Reader {
  const offset = place.address - part.start
  if (isBitTable(part.table)) {
    const at = HEAD + (offset >> 3)
    const mask = 1 << (offset & 7)
    return (body) => ((body[at] ?? 0) & mask) !== 0
  }
  const at = HEAD + 2 * offset
  const { as, order } = place
  if (as === 'string') {
    const length = place.length ?? 2
    return (body) => readText(body, at, length, order)
  }
  if (!isNumberEncoding(as)) {
    const bit = place.bit ?? 0
    const byte = bit > 7 ? at : at + 1
    const mask = 1 << (bit & 7)
    return (body) => ((body[byte] ?? 0) & mask) !== 0
  }
  const number = numberReader(as, order, at, place.bits)
  if (place.plus === undefined || !isNumberEncoding(place.plus.as)) return number
  const { address, scale } = place.plus
  return summed(number, numberReader(place.plus.as, order, HEAD + 2 * (address - part.start)), scale)
}

function numberReader(
  as: NumberEncoding,
  order: ModbusOrder,
  at: number,
  bits?: readonly [number, number],
): (body: Uint8Array) => number | bigint | null {
  if (bits !== undefined) return bitsReader(numberReader(as, order, at), bits)
  // Most points of most devices: no need to go through a view.
  if (as === 'u16' || as === 'bits') return (body) => ((body[at] ?? 0) << 8) | (body[at + 1] ?? 0)
  const encoding = encodingOf(as)
  const layout = layoutOf(order, encoding.words)
  return (body) => readNumber(encoding, layout, body, at)
}

function bitsReader(
  whole: (body: Uint8Array) => number | bigint | null,
  [low, high]: readonly [number, number],
): (body: Uint8Array) => number | null {
  const below = 2 ** low
  const size = 2 ** (high - low + 1)
  return (body) => {
    const raw = whole(body)
    return raw === null ? null : Math.floor(Number(raw) / below) % size
  }
}

/** In decimal, so that 18423 and 0.375 are 18423.375. */
function summed(
  first: (body: Uint8Array) => number | bigint | null,
  second: (body: Uint8Array) => number | bigint | null,
  scale: number,
): Reader {
  const scaled = scaling(scale, 0)
  return (body) => {
    const a = first(body)
    const b = second(body)
    if (a === null || b === null) return null
    const part = scaled === null ? Number(b) : scaled.apply(b)
    const sum = Number(a) + part
    return Number.isInteger(sum) ? sum : decimal(sum)
  }
}

/** Beyond these a power of ten is no scale of a measured value (SunSpec: -10 to 10). */
const POWER_MAX = 10

function factorReader(
  factor: ModbusFactor,
  parts: readonly Part[],
): (bodies: readonly Uint8Array[]) => Exclude<Outcome, boolean | string> {
  const { table, address, as, order, bits, means } = factor
  if (!isNumberEncoding(as)) throw new RangeError(`${table} ${address} as ${as} is no number to scale by`)
  const { words, signedBits } = encodingOf(as)
  const at = parts.findIndex(
    (part) => part.table === table && part.start <= address && address + words <= part.start + part.count,
  )
  const part = parts[at]
  if (part === undefined) throw new RangeError(`no read of the block holds ${table} ${address}`)
  const number = numberReader(as, order, HEAD + 2 * (address - part.start), bits)
  const invalid = sentinelsOf(factor.invalid, signedBits)
  return (bodies) => {
    const body = bodies[at]
    const raw = body === undefined ? null : number(body)
    if (raw === null) return NO_VALUE
    const value = Number(raw)
    return invalid.includes(value) ? SENTINEL : meant(value, means)
  }
}

/** The factor, or why there is none. */
export function meant(raw: number, means: ModbusFactor['means']): Exclude<Outcome, boolean | string> {
  if (means === 'factor') return raw
  if (typeof means === 'object') return means[String(raw)] ?? NO_VALUE
  const power = means === 'decimals' ? -raw : raw
  return Math.abs(power) <= POWER_MAX && Number.isInteger(power) ? Number(`1e${power}`) : NO_VALUE
}
