/**
 * Data identifiers: 4 hexadecimal digits. Most 2004 meters put 901F on the wire as 90 1F, others as 1F 90, and some answer in the
 * other order than they were asked: so a question has an order, and an answer may have either.
 */

export type ItemOrder = '901F' | '1F90'

/** Identifier, sequence number: what every data field begins with. */
export const DATA_HEAD = 3

/** First bytes of identifiers that the standard uses. */
const GROUPS = new Set([0x81, 0x90, 0xa0, 0xd1, 0xd2, 0xd3, 0xd4])

/** Two bytes as they travel. */
export function itemBytes(item: string, order: ItemOrder): readonly [number, number] {
  const high = Number.parseInt(item.slice(0, 2), 16)
  const low = Number.parseInt(item.slice(2), 16)
  return order === '901F' ? [high, low] : [low, high]
}

/** The identifier at the front of a data field, and the order it came in; where both bytes could lead, as written. */
export function readItem(data: Uint8Array): { readonly item: string; readonly order: ItemOrder } {
  const [first = 0, second = 0] = data
  const order: ItemOrder = !GROUPS.has(first) && GROUPS.has(second) ? '1F90' : '901F'
  const [high, low] = order === '901F' ? [first, second] : [second, first]
  return { item: hex(high) + hex(low), order }
}

/** The data field begins with this identifier, in either order. */
export function isItem(data: Uint8Array, first: number, second: number): boolean {
  return (data[0] === first && data[1] === second) || (data[0] === second && data[1] === first)
}

/** D120 is one month back, D12B twelve; null: no settled month. */
export function monthsBack(item: string): number | null {
  const code = Number.parseInt(item, 16)
  return code >= 0xd120 && code <= 0xd12b ? code - 0xd11f : null
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0').toUpperCase()
}
