/**
 * From chunks to the canonical text of `d` (uplink contract, section 5), and its identity. Pure, and the same for the same chunks
 * for ever: the batch's row holds the hash. A change here is a new ENCODER, and the old one stays.
 *
 * Points of a device share one entry where that leaves at most half its cells empty; otherwise those that were reported
 * at the same moments share one. A first pass finds the scans and decides that, a second one writes text.
 */
import { createHash } from 'node:crypto'
import { causeOf, GOOD, NONE, NUMBER, type PackedSamples, TEXT, TRUE } from './packed.ts'

export const ENCODER = 1

/** Names by dictionary number; `...Text` is the JSON text. */
export type Names = {
  readonly device: readonly number[]
  readonly deviceText: readonly string[]
  readonly keyText: readonly string[]
  /** Place of the point's key among the keys of its device, in canonical order. */
  readonly rank: readonly number[]
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
  readonly point: number
  /** Last scan with a report of it. */
  scan: number
  /** Cells written so far, empty ones included. */
  written: number
  cells: string
  causes: string
  isGood: boolean
  /** Its scans, where they decide which entry it belongs to. */
  scans: number[]
}

type DeviceTable = {
  readonly number: number
  readonly times: number[]
  /** First of the scans at the newest time. */
  run: number
  /** By rank, with holes. */
  readonly ranked: (Column | undefined)[]
  columns: number
  cells: number
  isWide: boolean
}

export function buildContent(parts: readonly ContentPart[], names: Names, t0: number): Content {
  const devices = new Map<number, DeviceTable>()
  const scans = parts.map((part) => findScans(part, names, t0, devices))
  // Wide: one entry with holes.
  for (const device of devices.values()) device.isWide = device.cells * 2 >= device.times.length * device.columns
  let count = 0
  parts.forEach(({ samples }, at) => {
    count += writeCells(samples, scans[at] ?? new Uint32Array(0), names, devices)
  })
  let text = ''
  for (const device of devices.values()) {
    for (const entry of entriesOf(device, names)) text += text === '' ? entry : `,${entry}`
  }
  return { text: `[${text}]`, count }
}

/**
 * Which scan of its device each sample belongs to. Two reports of one point in the same ms are two scans at the same offset: the
 * first report of every point goes into the first of them, the second into the second. So the text does not depend on the order
 * in which points of one ms stand, which a chunk does not keep.
 */
function findScans(
  { samples, offsetMs }: ContentPart,
  names: Names,
  t0: number,
  devices: Map<number, DeviceTable>,
): Uint32Array {
  const scans = new Uint32Array(samples.count)
  const { rank: ranks, device: numbers } = names
  let device: DeviceTable | undefined
  for (let index = 0; index < samples.count; index++) {
    const point = samples.point[index] ?? 0
    const number = numbers[point] ?? 0
    if (device?.number !== number) {
      device = devices.get(number)
      if (device === undefined) {
        device = { number, times: [], run: 0, ranked: [], columns: 0, cells: 0, isWide: true }
        devices.set(number, device)
      }
    }
    const rank = ranks[point] ?? 0
    let column = device.ranked[rank]
    if (column === undefined) {
      column = { point, scan: -1, written: 0, cells: '', causes: '', isGood: true, scans: [] }
      device.ranked[rank] = column
      device.columns++
    }
    const time = Math.round((samples.mono[index] ?? 0) + offsetMs) - t0
    const { times } = device
    if (times.length === 0 || times[times.length - 1] !== time) device.run = times.push(time) - 1
    const scan = Math.max(device.run, column.scan + 1)
    if (scan === times.length) times.push(time)
    column.scan = scan
    scans[index] = scan
    device.cells++
    if (samples.cause[index] !== GOOD) column.isGood = false
  }
  return scans
}

/** Returns how many have a value. */
function writeCells(
  samples: PackedSamples,
  scans: Uint32Array,
  names: Names,
  devices: ReadonlyMap<number, DeviceTable>,
): number {
  const { rank: ranks, device: numbers } = names
  let count = 0
  let device: DeviceTable | undefined
  for (let index = 0; index < samples.count; index++) {
    const point = samples.point[index] ?? 0
    const number = numbers[point] ?? 0
    if (device?.number !== number) device = devices.get(number)
    const column = device?.ranked[ranks[point] ?? 0]
    if (device === undefined || column === undefined) continue
    const scan = scans[index] ?? 0
    if (device.isWide) fill(column, scan)
    else column.scans.push(scan)
    const comma = column.written++ > 0 ? ',' : ''
    column.cells += comma + cellOf(samples, index)
    if (!column.isGood) {
      const cause = causeOf(samples, index)
      column.causes += comma + (cause === 0 ? '0' : JSON.stringify(cause))
    }
    if (samples.kind[index] !== NONE) count++
  }
  return count
}

/** Empty cells up to a scan. */
function fill(column: Column, scan: number): void {
  while (column.written < scan) {
    const comma = column.written++ > 0 ? ',' : ''
    column.cells += `${comma}null`
    if (!column.isGood) column.causes += `${comma}0`
  }
}

function cellOf(samples: PackedSamples, index: number): string {
  const kind = samples.kind[index]
  if (kind === NUMBER) return `${samples.value[index]}`
  if (kind === NONE) return 'null'
  if (kind === TEXT) return JSON.stringify(samples.texts[samples.value[index] ?? 0] ?? '')
  return kind === TRUE ? 'true' : 'false'
}

function entriesOf(device: DeviceTable, names: Names): readonly string[] {
  const columns = device.ranked.filter((column) => column !== undefined)
  if (device.isWide) {
    for (const column of columns) fill(column, device.times.length)
    return [entryText(device, columns, device.times, names)]
  }
  const alike = Map.groupBy(columns, (column) => column.scans.join())
  return [...alike.values()].map((group) => {
    const times = (group[0]?.scans ?? []).map((scan) => device.times[scan] ?? 0)
    return entryText(device, group, times, names)
  })
}

function entryText(device: DeviceTable, columns: readonly Column[], times: readonly number[], names: Names): string {
  let values = ''
  let causes = ''
  for (const { point, cells, isGood, causes: words } of columns) {
    const key = names.keyText[point] ?? '""'
    values += `${values === '' ? '' : ','}${key}:[${cells}]`
    if (!isGood) causes += `${causes === '' ? '' : ','}${key}:[${words}]`
  }
  const doubts = causes === '' ? '' : `"q":{${causes}},`
  return `{"i":${names.deviceText[device.number]},"p":{${values}},${doubts}"t":[${times.join()}]}`
}

/** First 16 hex digits of SHA-256 over the UTF-8 text. */
export function contentId(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** About how many bytes a sample adds to the text; rather too many. `isNew`: its point is not in the batch yet. */
export function estimateBytes(samples: PackedSamples, index: number, keyLength: number, isNew: boolean): number {
  // A point that is new brings its key and its share of an entry.
  const extra = (isNew ? keyLength + 8 : 0) + (samples.cause[index] === GOOD ? 0 : 16) + 3
  if (samples.kind[index] === NUMBER) return extra + numberLength(samples.value[index] ?? 0)
  if (samples.kind[index] === TEXT) return extra + 3 * (samples.texts[samples.value[index] ?? 0] ?? '').length
  return extra + 5
}

/** About the length of its text, without making it. */
function numberLength(value: number): number {
  const size = Math.abs(value)
  const whole = size < 10 ? 1 : size < 100 ? 2 : size < 1000 ? 3 : size < 1_000_000 ? 6 : size < 1e12 ? 12 : 22
  if (Number.isInteger(value)) return whole
  return Math.round(value * 1000) / 1000 === value ? whole + 4 : 20
}
