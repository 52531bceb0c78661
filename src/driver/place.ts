/** Where a value lies: what `at`, `as`, `bit`, `length` and `order` of a point say, checked. */
import type { ModbusEncoding, ModbusOrder, ModbusPlace, ModbusTable, PayloadPlace } from '../model/point.ts'

/** `holding 99`, `input 0x1F` */
export const AT = /^(coil|discrete|input|holding) (0x[0-9a-fA-F]{1,4}|\d{1,5})$/
/** A step may hold what a topic level or a component name holds: `relay/0/power`, `switch:0.apower`. */
const PATH = /^(\$|[A-Za-z_][A-Za-z0-9_:/-]*(\.[A-Za-z0-9_-]+)*)$/

export type PlaceKeys = {
  readonly at: string
  readonly as?: ModbusEncoding | undefined
  readonly bit?: number | undefined
  readonly length?: number | undefined
  readonly order?: ModbusOrder | undefined
}

export type PlaceFault =
  | { readonly why: 'badPlace' | 'badPath' | 'encodingMissing'; readonly key: 'at' }
  | { readonly why: 'encodingUnfit'; readonly key: 'as'; readonly as: string; readonly table: string }
  | { readonly why: 'keyNeedsEncoding'; readonly key: 'bit' | 'length'; readonly as: string }
  | { readonly why: 'encodingNeedsKey'; readonly key: 'as'; readonly needs: 'bit' | 'length'; readonly as: string }

export function parsePlace(keys: PlaceKeys, orderDefault: ModbusOrder): ModbusPlace | PlaceFault {
  const [, table, number] = AT.exec(keys.at) ?? []
  const address = Number(number)
  if (!isTable(table) || address > 65_535) return { why: 'badPlace', key: 'at' }
  const isBit = table === 'coil' || table === 'discrete'
  const as = keys.as ?? (isBit ? 'bit' : null)
  if (as === null) return { why: 'encodingMissing', key: 'at' }
  if (isBit && as !== 'bit') return { why: 'encodingUnfit', key: 'as', as, table }
  if (keys.bit !== undefined && (as !== 'bit' || isBit)) return { why: 'keyNeedsEncoding', key: 'bit', as: 'bit' }
  if (keys.length !== undefined && as !== 'string') return { why: 'keyNeedsEncoding', key: 'length', as: 'string' }
  if (as === 'string' && keys.length === undefined) return { why: 'encodingNeedsKey', key: 'as', needs: 'length', as }
  if (as === 'bit' && !isBit && keys.bit === undefined) return { why: 'encodingNeedsKey', key: 'as', needs: 'bit', as }
  return {
    protocol: 'modbus',
    table,
    address,
    as,
    order: keys.order ?? orderDefault,
    bit: keys.bit ?? null,
    length: keys.length ?? null,
  }
}

export function parsePath(at: string): PayloadPlace | PlaceFault {
  return PATH.test(at) ? { protocol: 'payload', path: at } : { why: 'badPath', key: 'at' }
}

/** How screens show a place: `input 72 (manual: 30073)`. */
export function placeText(place: ModbusPlace | PayloadPlace, manual: string): string {
  if (place.protocol === 'payload') return place.path
  const { table, address } = place
  const own = `${table} ${address}`
  const digit = { coil: '0', discrete: '1', input: '3', holding: '4' }[table]
  switch (manual) {
    case '0x':
      return `${own} (manual: 0x${address.toString(16).toUpperCase().padStart(4, '0')})`
    case '1based':
      return `${own} (manual: ${address + 1})`
    case '3x_1based':
    case '4x_1based':
      return `${own} (manual: ${digit}${String(address + 1).padStart(4, '0')})`
    case '3xx_1based':
    case '4xx_1based':
      return `${own} (manual: ${digit}${String(address + 1).padStart(5, '0')})`
    default:
      return own
  }
}

function isTable(text: string | undefined): text is ModbusTable {
  return text === 'coil' || text === 'discrete' || text === 'input' || text === 'holding'
}
