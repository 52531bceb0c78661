/** Where a value lies: what `at`, `as`, `bit`, `length` and `order` of a point say, checked. */
import type { ModbusEncoding, ModbusOrder, ModbusPlace, ModbusTable, PayloadPlace } from '../model/point.ts'
import { ENCODINGS } from './schema-point.ts'

/** `holding 99`, `input 0x1F` */
export const AT = /^(coil|discrete|input|holding) (0x[0-9a-fA-F]{1,4}|\d{1,5})$/
/** `model 103 14`: SunSpec model and offset in it. */
const MODEL = /^model (\d{1,5}) (\d{1,5})$/
/** `holding 10-19` */
const HOLE = /^(coil|discrete|input|holding) (0x[0-9a-fA-F]{1,4}|\d{1,5})(?:-(0x[0-9a-fA-F]{1,4}|\d{1,5}))?$/
const BITS = /^(\d{1,2})-(\d{1,2})$/
/** A step may hold what a topic level or a component name holds: `relay/0/power`, `switch:0.apower`. */
const PATH = /^(\$|[A-Za-z_][A-Za-z0-9_:/-]*(\.[A-Za-z0-9_-]+)*)$/

const SUNSPEC_BASE = 40_000

export type PlaceKeys = {
  readonly at: string
  readonly as?: string | undefined
  readonly bit?: number | undefined
  readonly bits?: string | undefined
  readonly length?: number | undefined
  readonly order?: ModbusOrder | undefined
}

export type PlaceFault =
  | { readonly why: 'badPlace' | 'badPath' | 'encodingMissing'; readonly key: 'at' }
  | { readonly why: 'badEncoding'; readonly key: 'as'; readonly as: string }
  | { readonly why: 'encodingUnfit'; readonly key: 'as'; readonly as: string; readonly table: string }
  | { readonly why: 'keyNeedsEncoding'; readonly key: 'bit' | 'length'; readonly as: string }
  | { readonly why: 'encodingNeedsKey'; readonly key: 'as'; readonly needs: 'bit' | 'length'; readonly as: string }

/** `sunspec`: where the row of models begins. */
export function parsePlace(
  keys: PlaceKeys,
  orderDefault: ModbusOrder,
  sunspec: number = SUNSPEC_BASE,
): ModbusPlace | PlaceFault {
  const found = whereOf(keys.at)
  if (found === null) return { why: 'badPlace', key: 'at' }
  const { table, address, model } = found
  const isBit = table === 'coil' || table === 'discrete'
  const as = keys.as ?? (isBit ? 'bit' : null)
  if (as === null) return { why: 'encodingMissing', key: 'at' }
  if (!isEncoding(as)) return { why: 'badEncoding', key: 'as', as }
  // Coils that take a number in place of on and off: whoever writes them says so.
  if (isBit && as !== 'bit' && !(table === 'coil' && as === 'u16'))
    return { why: 'encodingUnfit', key: 'as', as, table }
  if (keys.bit !== undefined && (as !== 'bit' || isBit)) return { why: 'keyNeedsEncoding', key: 'bit', as: 'bit' }
  if (keys.length !== undefined && as !== 'string') return { why: 'keyNeedsEncoding', key: 'length', as: 'string' }
  if (as === 'string' && keys.length === undefined) return { why: 'encodingNeedsKey', key: 'as', needs: 'length', as }
  if (as === 'bit' && !isBit && keys.bit === undefined) return { why: 'encodingNeedsKey', key: 'as', needs: 'bit', as }
  const bits = bitsOf(keys.bits)
  return {
    protocol: 'modbus',
    table,
    address,
    as,
    order: keys.order ?? orderDefault,
    bit: keys.bit ?? null,
    length: keys.length ?? null,
    ...(bits === null ? {} : { bits }),
    ...(model === null ? {} : { model: { id: model, base: sunspec } }),
  }
}

export function parsePath(at: string): PayloadPlace | PlaceFault {
  return PATH.test(at) ? { protocol: 'payload', path: at } : { why: 'badPath', key: 'at' }
}

/** `end` is the first address behind. null: no such stretch. */
export function parseHole(text: string): { table: ModbusTable; start: number; end: number } | null {
  const [, table, from, to] = HOLE.exec(text) ?? []
  const start = Number(from)
  const end = (to === undefined ? start : Number(to)) + 1
  return isTable(table) && start < end && end <= 0x10000 ? { table, start, end } : null
}

function whereOf(at: string): { table: ModbusTable; address: number; model: number | null } | null {
  const [, id, offset] = MODEL.exec(at) ?? []
  if (id !== undefined) return within({ table: 'holding', address: Number(offset), model: Number(id) })
  const [, table, number] = AT.exec(at) ?? []
  return isTable(table) ? within({ table, address: Number(number), model: null }) : null
}

function within<W extends { address: number }>(where: W): W | null {
  return where.address <= 65_535 ? where : null
}

function bitsOf(text: string | undefined): readonly [number, number] | null {
  const [, low, high] = BITS.exec(text ?? '') ?? []
  return low === undefined ? null : [Number(low), Number(high)]
}

/** What the maker prints for an address, as the driver's `manual` says; null: what we say. Screens show both: `input 72 (manual: 30073)`. */
export function manualNumber(
  { table, address }: Pick<ModbusPlace, 'table' | 'address'>,
  manual: string,
): string | null {
  const digit = { coil: '0', discrete: '1', input: '3', holding: '4' }[table]
  switch (manual) {
    case '0x':
      return `0x${address.toString(16).toUpperCase().padStart(4, '0')}`
    case '1based':
      return String(address + 1)
    case '3x_1based':
    case '4x_1based':
      return `${digit}${String(address + 1).padStart(4, '0')}`
    case '3xx_1based':
    case '4xx_1based':
      return `${digit}${String(address + 1).padStart(5, '0')}`
    default:
      return null
  }
}

/** `at` as it is written, and the maker's number beside it. */
export function atText(at: string, manual: string | undefined): string {
  const [, table, address] = AT.exec(at) ?? []
  if (!isTable(table) || address === undefined || manual === undefined) return at
  const number = manualNumber({ table, address: Number(address) }, manual)
  return number === null ? at : `${at} (manual: ${number})`
}

export function isEncoding(text: string): text is ModbusEncoding {
  return ENCODINGS.some((encoding) => encoding === text)
}

function isTable(text: string | undefined): text is ModbusTable {
  return text === 'coil' || text === 'discrete' || text === 'input' || text === 'holding'
}
