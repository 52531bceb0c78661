/** The user data of an answer: header, records, and whether the meter has more to say. */
import type { Text } from '../../model/point.ts'
import { both } from '../explained.ts'
import { CI_FIXED, type Header, HEADER_BYTES, readHeader } from './header.ts'
import { readFixed } from './fixed.ts'
import { type MbusRecord, readRecord } from './record.ts'

export type Telegram = {
  readonly header: Header | null
  readonly records: readonly MbusRecord[]
  /** Another telegram follows. */
  readonly more: boolean
  /** The maker's own bytes behind the records; null: none. */
  readonly rest: Uint8Array | null
  /** Why the records cannot be trusted; null: they are whole. */
  readonly flaw: Text | null
}

const FILLER = 0x2f
const MANUFACTURER_DATA = 0x0f
const MANUFACTURER_DATA_MORE = 0x1f
/** A telegram of shortest records has fewer. */
const RECORDS_MAX = 128

export function isReadable(ci: number): boolean {
  return ci === CI_FIXED || HEADER_BYTES[ci] !== undefined
}

export function readTelegram(ci: number, data: Uint8Array): Telegram {
  if (ci === CI_FIXED) {
    const fixed = readFixed(data)
    return fixed === null
      ? flawed(both('too short for the fixed data structure', '对固定数据结构来说太短'))
      : { ...fixed, more: false, rest: null, flaw: null }
  }
  const start = HEADER_BYTES[ci]
  if (start === undefined) {
    const name = ci.toString(16).padStart(2, '0').toUpperCase()
    return flawed(both(`CI ${name} is not read here`, `这里不解析 CI ${name}`))
  }
  if (data.length < start)
    return flawed(
      both(
        `too short: the header has ${start} bytes, here are ${data.length}`,
        `太短：头部有 ${start} 字节，这里只有 ${data.length} 字节`,
      ),
    )
  return { header: readHeader(ci, data), ...readRecords(data, start) }
}

function readRecords(data: Uint8Array, start: number): Omit<Telegram, 'header'> {
  const records: MbusRecord[] = []
  for (let at = start; at < data.length; ) {
    const dif = data[at] ?? 0
    if (dif === FILLER) {
      at += 1
      continue
    }
    if (dif === MANUFACTURER_DATA || dif === MANUFACTURER_DATA_MORE) {
      return { records, more: dif === MANUFACTURER_DATA_MORE, rest: data.subarray(at + 1), flaw: null }
    }
    const read = readRecord(data, at)
    if ('flaw' in read) return { records, more: false, rest: null, flaw: read.flaw }
    if (records.length === RECORDS_MAX)
      return { records, more: false, rest: null, flaw: both('too many records', '记录太多') }
    records.push(read.record)
    at = read.next
  }
  return { records, more: false, rest: null, flaw: null }
}

function flawed(flaw: Text): Telegram {
  return { header: null, records: [], more: false, rest: null, flaw }
}
