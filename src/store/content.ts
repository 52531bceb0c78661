/**
 * From chunks to the canonical text of `d` (uplink contract, section 5), and its identity. Pure, and the same for the same chunks
 * for ever: the batch's row holds the hash. A change here is a new ENCODER, and the old one stays.
 *
 * Points of a device share one entry where that leaves at most half its cells empty; otherwise those that were reported
 * at the same moments share one.
 */
import { createHash } from 'node:crypto'
import { causeOf, GOOD, NONE, NUMBER, type PackedSamples, TEXT, TRUE } from './packed.ts'

export const ENCODER = 1

/** Names by dictionary number. */
export type Names = {
  readonly device: readonly number[]
  readonly deviceId: readonly string[]
  readonly key: readonly string[]
}

export type ContentPart = {
  readonly samples: PackedSamples
  /** UTC = mono + offset. */
  readonly offsetMs: number
}

export type Content = {
  readonly text: string
  /** Samples with a value. */
  readonly count: number
}

type Column = {
  readonly key: string
  readonly scans: number[]
  readonly cells: string[]
  readonly causes: (string | 0)[]
  good: boolean
}

type DeviceTable = { readonly id: string; readonly times: number[]; readonly columns: Column[]; cells: number }

export function buildContent(parts: readonly ContentPart[], names: Names, t0: number): Content {
  const devices = new Map<number, DeviceTable>()
  const columns: (Column | undefined)[] = []
  let count = 0
  for (const { samples, offsetMs } of parts) {
    for (let index = 0; index < samples.count; index++) {
      const point = samples.point[index] ?? 0
      const number = names.device[point] ?? 0
      let device = devices.get(number)
      if (device === undefined) {
        device = { id: names.deviceId[number] ?? '', times: [], columns: [], cells: 0 }
        devices.set(number, device)
      }
      let column = columns[point]
      if (column === undefined) {
        column = { key: names.key[point] ?? '', scans: [], cells: [], causes: [], good: true }
        columns[point] = column
        device.columns.push(column)
      }
      const time = Math.round((samples.mono[index] ?? 0) + offsetMs) - t0
      const { times } = device
      let scan = times.length - 1
      // Two reports of one point in the same ms are two scans at the same offset.
      if (scan < 0 || times[scan] !== time || column.scans.at(-1) === scan) scan = times.push(time) - 1
      const cause = samples.cause[index] === GOOD ? 0 : causeOf(samples, index)
      column.scans.push(scan)
      column.cells.push(cellOf(samples, index))
      column.causes.push(cause)
      if (cause !== 0) column.good = false
      device.cells++
      if (samples.kind[index] !== NONE) count++
    }
  }
  const entries: string[] = []
  for (const device of devices.values()) putEntries(device, entries)
  return { text: `[${entries.join(',')}]`, count }
}

function cellOf(samples: PackedSamples, index: number): string {
  const kind = samples.kind[index]
  if (kind === NUMBER) return `${samples.value[index]}`
  if (kind === NONE) return 'null'
  if (kind === TEXT) return JSON.stringify(samples.texts[samples.value[index] ?? 0] ?? '')
  return kind === TRUE ? 'true' : 'false'
}

function putEntries(device: DeviceTable, entries: string[]): void {
  const { columns, times } = device
  columns.sort((a, b) => (a.key < b.key ? -1 : 1))
  if (device.cells * 2 >= times.length * columns.length) {
    entries.push(entryText(device.id, columns, times, null))
    return
  }
  const alike = new Map<string, Column[]>()
  for (const column of columns) {
    const moments = column.scans.join()
    const group = alike.get(moments)
    if (group === undefined) alike.set(moments, [column])
    else group.push(column)
  }
  for (const group of alike.values()) {
    const scans = group[0]?.scans ?? []
    entries.push(
      entryText(
        device.id,
        group,
        scans.map((scan) => times[scan] ?? 0),
        scans,
      ),
    )
  }
}

/** `scans` null: the entry has all scans of the device, and columns have holes; else the columns are full. */
function entryText(
  id: string,
  columns: readonly Column[],
  times: readonly number[],
  scans: readonly number[] | null,
): string {
  let text = `{"i":${JSON.stringify(id)},"p":{`
  columns.forEach((column, at) => {
    const cells = scans === null ? spread(column.scans, column.cells, times.length, 'null') : column.cells
    text += `${at > 0 ? ',' : ''}${JSON.stringify(column.key)}:[${cells.join(',')}]`
  })
  const doubtful = columns.filter((column) => !column.good)
  if (doubtful.length > 0) {
    text += '},"q":{'
    doubtful.forEach((column, at) => {
      const words = column.causes.map((cause) => (cause === 0 ? '0' : JSON.stringify(cause)))
      const cells = scans === null ? spread(column.scans, words, times.length, '0') : words
      text += `${at > 0 ? ',' : ''}${JSON.stringify(column.key)}:[${cells.join(',')}]`
    })
  }
  return `${text}},"t":[${times.join(',')}]}`
}

function spread(scans: readonly number[], cells: readonly string[], length: number, empty: string): readonly string[] {
  if (scans.length === length) return cells
  const row: string[] = Array.from({ length }, () => empty)
  scans.forEach((scan, at) => {
    row[scan] = cells[at] ?? empty
  })
  return row
}

/** First 16 hex digits of SHA-256 over the UTF-8 text. */
export function contentId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** About how many bytes a sample adds to the text; rather too many. `isNew`: its point is not in the batch yet. */
export function estimateBytes(samples: PackedSamples, index: number, keyLength: number, isNew: boolean): number {
  // A point that is new brings its key and, at worst, an entry of its own.
  const extra = (isNew ? keyLength + 12 : 0) + (samples.cause[index] === GOOD ? 0 : 16) + 4
  if (samples.kind[index] === NUMBER) return extra + `${samples.value[index]}`.length
  if (samples.kind[index] === TEXT) return extra + 3 * (samples.texts[samples.value[index] ?? 0] ?? '').length
  return extra + 5
}
