/** One read request with the points that it serves: how to ask and how to read them. */
import type { ModbusTable } from '../../model/point.ts'
import type { Block } from '../protocol.ts'
import { ask, createRead } from './read.ts'

/** Registers or bits that lie in a row. */
export type Extent = { readonly start: number; readonly count: number }
export type ModbusBlock = Block & Extent & { readonly table: ModbusTable }

export function keyOf(table: ModbusTable, { start, count }: Extent): string {
  return `${table} ${start}+${count}`
}

export function blockOf(
  request: Extent & { readonly table: ModbusTable; readonly points: readonly number[]; readonly everyMs: number },
): ModbusBlock {
  const key = keyOf(request.table, request)
  return { ...request, key, ask: (address) => ask(request, address), read: createRead(key, request) }
}
