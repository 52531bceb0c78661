/** One data record: DIF and DIFE say which value of the meter, VIF and VIFE of what quantity, then the data. */
import { readPairs } from '../../bytes/bcd.ts'
import { shift10 } from '../../bytes/number.ts'
import type { Text as Words } from '../../model/point.ts'
import { both } from '../explained.ts'
import { fromJoules } from '../meterunits.ts'
import { NO_VALUE, type Outcome } from '../treatment.ts'
import { type DateRead, readDate, readDateTime } from './date.ts'
import { EXTENSION, MANUFACTURER, type Quantity, quantityOf, TABLE_1, TABLE_2, TEXT } from './quantity.ts'
import { extentOf, type RawValue, readText, readValue } from './value.ts'

export const FUNCTIONS = ['instantaneous', 'maximum', 'minimum', 'error'] as const
export type RecordFunction = (typeof FUNCTIONS)[number]

export type MbusRecord = {
  readonly function: RecordFunction
  readonly storage: number
  readonly tariff: number
  readonly subunit: number
  /** A name of `QUANTITIES`, or '' where only code and text are known. */
  readonly quantity: string
  /** VIF and VIFE in hexadecimal. */
  readonly vif: string
  /** The meter's own words for a quantity that the standard has none for. */
  readonly text: string | null
  readonly direction: 'forward' | 'backward' | null
  /** Codes behind the VIF that change what the value means and are not read here. */
  readonly notes: readonly string[]
  /** As the standard counts, in `unit`. */
  readonly shown: Outcome
  readonly unit: string | null
  /** In the unit that all meters are read in. */
  readonly value: Outcome
  readonly normalUnit: string | null
  /** An impossible date as the bytes say it. */
  readonly dateText: string | null
}

/** A record and where the next begins; or why the bytes are none. */
export type RecordRead = { readonly record: MbusRecord; readonly next: number } | { readonly flaw: Words }

const CHAIN_MAX = 10
const TYPE_INT16 = 2
const TYPE_INT32 = 4

export function readRecord(data: Uint8Array, start: number): RecordRead {
  const which = readWhich(data, start)
  if ('flaw' in which) return which
  const what = readWhat(data, which.next)
  if ('flaw' in what) return what
  const { type, next: _next, ...place } = which
  const extent = extentOf(type, data, what.next)
  if (extent === null)
    return {
      flaw: both(
        `the data of a record (VIF ${what.vif}) is cut short or of no known length`,
        `一条记录（VIF ${what.vif}）的数据不完整或长度未知`,
      ),
    }
  const { from, length } = extent
  const { quantity, exponent, next: _at, ...named } = what
  const value = evaluate(quantity, exponent, { type, data, from, length })
  return { record: { ...place, ...named, quantity: quantity?.name ?? '', ...value }, next: from + length }
}

type Which = Pick<MbusRecord, 'function' | 'storage' | 'tariff' | 'subunit'> & {
  readonly type: number
  readonly next: number
}

function readWhich(data: Uint8Array, start: number): Which | { readonly flaw: Words } {
  const dif = data[start] ?? 0
  let storage = (dif >> 6) & 1
  let tariff = 0
  let subunit = 0
  let at = start + 1
  let extended = (dif & EXTENSION) !== 0
  for (let n = 0; extended; n++, at++) {
    if (at >= data.length) return { flaw: both('the data ends inside a DIF chain', '数据在 DIF 链中间结束') }
    if (n === CHAIN_MAX) return { flaw: both('more than ten DIFE', 'DIFE 多于十个') }
    const dife = data[at] ?? 0
    // Beyond 32 bits, so no shifting.
    storage += (dife & 0x0f) * 2 ** (1 + 4 * n)
    tariff += ((dife >> 4) & 3) * 4 ** n
    subunit += ((dife >> 6) & 1) * 2 ** n
    extended = (dife & EXTENSION) !== 0
  }
  const name = FUNCTIONS[(dif >> 4) & 3] ?? 'instantaneous'
  return { function: name, storage, tariff, subunit, type: dif & 0x0f, next: at }
}

type What = Pick<MbusRecord, 'vif' | 'text' | 'direction' | 'notes'> & {
  readonly quantity: Quantity | null
  /** Of the multipliers behind the VIF. */
  readonly exponent: number
  readonly next: number
}

function readWhat(data: Uint8Array, start: number): What | { readonly flaw: Words } {
  if (start >= data.length) return { flaw: both('the data ends before a VIF', '数据在 VIF 之前结束') }
  const vif = data[start] ?? 0
  const low = vif & ~EXTENSION
  let at = start + 1
  let text: string | null = null
  if (low === TEXT) {
    const length = data[at] ?? 0
    if (at >= data.length || at + 1 + length > data.length)
      return { flaw: both('the data ends inside the text of a VIF', '数据在 VIF 文本中间结束') }
    text = readText(data, at + 1, length)
    at += 1 + length
  }
  const chain: number[] = []
  for (let extended = (vif & EXTENSION) !== 0; extended; at++) {
    if (at >= data.length) return { flaw: both('the data ends inside a VIF chain', '数据在 VIF 链中间结束') }
    if (chain.length === CHAIN_MAX) return { flaw: both('more than ten VIFE', 'VIFE 多于十个') }
    const vife = data[at] ?? 0
    chain.push(vife)
    extended = (vife & EXTENSION) !== 0
  }
  const table = (low === TABLE_1 || low === TABLE_2) && vif >= EXTENSION ? low : null
  const code = table === null ? vif : (chain[0] ?? 0)
  const codes = hex([vif, ...chain])
  const rest = table === null ? chain : chain.slice(1)
  return { vif: codes, text, quantity: quantityOf(table, code), ...refinedBy(rest, low === MANUFACTURER), next: at }
}

/** What the codes behind the VIF do to it. Behind FF they are the maker's, and so is everything about a VIF that is the maker's itself. */
function refinedBy(chain: readonly number[], own: boolean): Pick<What, 'direction' | 'notes' | 'exponent'> {
  let exponent = 0
  let direction: MbusRecord['direction'] = null
  if (own) return { exponent, direction, notes: [] }
  const notes: string[] = []
  for (const [n, vife] of chain.entries()) {
    const code = vife & ~EXTENSION
    if (code === MANUFACTURER) {
      notes.push(hex(chain.slice(n)))
      break
    }
    if (code >= 0x70 && code <= 0x77) exponent += code - 0x76
    else if (code === 0x7d) exponent += 3
    else if (code === 0x3b) direction = 'forward'
    else if (code === 0x3c) direction = 'backward'
    else notes.push(hex([vife]))
  }
  return { exponent, direction, notes }
}

type Data = { readonly type: number; readonly data: Uint8Array; readonly from: number; readonly length: number }
type Evaluated = Pick<MbusRecord, 'shown' | 'unit' | 'value' | 'normalUnit' | 'dateText'>

function evaluate(quantity: Quantity | null, exponent: number, bytes: Data): Evaluated {
  if (quantity !== null && quantity.special !== 'number') {
    const date = readDateOf(quantity, bytes)
    return { ...same(date?.possible === true ? date.text : NO_VALUE), dateText: date?.text ?? null }
  }
  const raw = readValue(bytes.type, bytes.data, bytes.from, bytes.length)
  return { ...scaled(quantity, exponent, raw), dateText: null }
}

function readDateOf({ special }: Quantity, { type, data, from }: Data): DateRead | null {
  if (special === 'date') return type === TYPE_INT16 ? readDate(data[from] ?? 0, data[from + 1] ?? 0) : null
  return type === TYPE_INT32 ? readDateTime(data, from) : null
}

function scaled(quantity: Quantity | null, more: number, raw: RawValue): Omit<Evaluated, 'dateText'> {
  if (raw === null)
    return { ...same(NO_VALUE), unit: quantity?.unit?.name ?? null, normalUnit: quantity?.unit?.normal ?? null }
  const exponent = (quantity?.exponent ?? 0) + more
  const times = quantity?.times ?? 1
  const unit = quantity?.unit ?? null
  if (typeof raw === 'string') return same(raw)
  if (unit === null && exponent === 0) return same(typeof raw === 'bigint' ? raw.toString() : raw)
  const shown = product(shift10(raw, exponent), times)
  if (unit === null) return same(shown)
  const moved = unit.joules ? fromJoules(shift10(raw, exponent + unit.shift)) : shift10(raw, exponent + unit.shift)
  const value = product(moved, times * unit.times)
  const finite = Number.isFinite(shown) && Number.isFinite(value)
  return {
    shown: finite ? shown : NO_VALUE,
    unit: unit.name,
    value: finite ? value : NO_VALUE,
    normalUnit: unit.normal,
  }
}

function same(outcome: Outcome): Omit<Evaluated, 'dateText'> {
  const sound = typeof outcome === 'number' && !Number.isFinite(outcome) ? NO_VALUE : outcome
  return { shown: sound, unit: null, value: sound, normalUnit: null }
}

/** Twelve digits are what any of these counters has; the rest is the rounding of the factor. */
function product(value: number, times: number): number {
  return times === 1 ? value : Number((value * times).toPrecision(12))
}

function hex(bytes: readonly number[]): string {
  return readPairs(Uint8Array.from(bytes.toReversed()), 0, bytes.length)
}
