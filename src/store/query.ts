/** Answers a question about history from what is archived and what is open. */
import type { Archive } from './archive.ts'
import type { HistoryQuery, HistoryRow } from './contract.ts'
import { GOOD, type PackedSamples, TEXT } from './packed.ts'
import { type Bucket, coarsen, combine, HOUR_MS, MINUTE_MS, merge, rowValue } from './rollup.ts'

/** Rows in one answer. */
export const ROWS_MAX = 200_000
const DAY_MS = 86_400_000
const ROWS_PER_SLICE = 24

export type Sources = {
  readonly archive: Archive
  /** The point's number in the archive; null: it is not in it. */
  readonly number: number | null
  /** Minutes in memory. */
  readonly minutes: readonly Bucket[]
  /** Visits the point's reports that are not archived yet. */
  readonly open: (visit: (samples: PackedSamples, at: number, utc: number) => void) => Promise<void>
  readonly timezone: string
  readonly breath: () => Promise<void>
}

export async function answer(query: HistoryQuery, sources: Sources): Promise<readonly HistoryRow[]> {
  if (!(query.from < query.to)) return []
  const { everyMs } = query
  if (everyMs > 0 && everyMs % MINUTE_MS === 0) {
    const rows = await rolledUp(query, sources)
    if (rows.length > 0) return rows
  }
  const raw = await rawRows(query, sources)
  return everyMs > 0 ? bucketed(raw, periodOf(query, sources.timezone)) : raw
}

/** Begin of the period that a moment lies in. Days and their multiples begin at local midnight. */
function periodOf({ everyMs }: HistoryQuery, timezone: string): (utc: number) => number {
  if (everyMs % DAY_MS !== 0) return (utc) => Math.floor(utc / everyMs) * everyMs
  const offsets = new Map<number, number>()
  const offsetOf = (utc: number): number => {
    const hour = Math.floor(utc / HOUR_MS)
    const known = offsets.get(hour)
    if (known !== undefined) return known
    const offset = zoneOffset(utc, timezone)
    offsets.set(hour, offset)
    return offset
  }
  return (utc) => {
    const local = Math.floor((utc + offsetOf(utc)) / everyMs) * everyMs
    return local - offsetOf(local - offsetOf(utc))
  }
}

const FORMATS = new Map<string, Intl.DateTimeFormat>()

/** ms by which local time is ahead of UTC. */
function zoneOffset(utc: number, timezone: string): number {
  let format = FORMATS.get(timezone)
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: timezone, timeZoneName: 'longOffset' })
    FORMATS.set(timezone, format)
  }
  const name = format.formatToParts(utc).find((part) => part.type === 'timeZoneName')?.value ?? 'GMT'
  const [, sign, hours, minutes] = /GMT([+-])(\d\d):(\d\d)/.exec(name) ?? []
  if (sign === undefined) return 0
  return (sign === '-' ? -1 : 1) * (Number(hours) * HOUR_MS + Number(minutes) * MINUTE_MS)
}

async function rolledUp(query: HistoryQuery, sources: Sources): Promise<readonly HistoryRow[]> {
  const byHours = query.everyMs % HOUR_MS === 0
  const widthMs = byHours ? HOUR_MS : MINUTE_MS
  const archived = await (byHours ? archivedHours(query, sources) : archivedMinutes(query, sources))
  const open = byHours ? coarsen(sources.minutes, (at) => Math.floor(at / 60)) : sources.minutes
  const period = periodOf(query, sources.timezone)
  const all = merge(archived, open, combine).filter(
    ({ at }) => at * widthMs + widthMs > query.from && at * widthMs < query.to,
  )
  return coarsen(all, (at) => period(at * widthMs)).map(({ at, min, max, mean, last, count }) => [
    at,
    min,
    max,
    mean,
    last,
    count,
  ])
}

async function archivedHours({ from, to }: HistoryQuery, sources: Sources): Promise<readonly Bucket[]> {
  return collect(from, to, DAY_MS, sources, (day, number) => sources.archive.hours(day, number))
}

async function archivedMinutes({ from, to }: HistoryQuery, sources: Sources): Promise<readonly Bucket[]> {
  return collect(from, to, HOUR_MS, sources, (hour, number) => sources.archive.minutes(hour, number))
}

async function collect<T>(
  from: number,
  to: number,
  widthMs: number,
  { archive, number, breath }: Sources,
  read: (period: number, number: number) => readonly T[],
): Promise<T[]> {
  const found: T[] = []
  const table = widthMs === DAY_MS ? 'hour' : 'minute'
  const oldest = archive.firstPeriod(table)
  if (number === null || oldest === null) return found
  let sliced = 0
  const end = Math.min(Math.ceil(to / widthMs), (archive.lastPeriod(table) ?? oldest) + 1)
  for (let period = Math.max(Math.floor(from / widthMs), oldest); period < end; period++) {
    const rows = read(period, number)
    for (const row of rows) found.push(row)
    if (rows.length > 0 && ++sliced % ROWS_PER_SLICE === 0) await breath()
    if (found.length > ROWS_MAX * 60) throw tooMany()
  }
  return found
}

async function rawRows(query: HistoryQuery, sources: Sources): Promise<readonly HistoryRow[]> {
  const { archive, number, breath } = sources
  const rows: HistoryRow[] = []
  const put = (samples: PackedSamples, at: number, utc: number): void => {
    if (utc < query.from || utc >= query.to) return
    if (query.good === true && samples.cause[at] !== GOOD) return
    if (rows.length >= ROWS_MAX) throw tooMany()
    rows.push(rowOf(samples, at, utc))
  }
  const oldest = archive.firstPeriod('raw')
  if (number !== null && oldest !== null) {
    const newest = archive.lastPeriod('raw') ?? oldest
    const end = Math.min(Math.ceil(query.to / HOUR_MS), newest + 1)
    for (let hour = Math.max(Math.floor(query.from / HOUR_MS), oldest); hour < end; hour++) {
      const samples = archive.raw(hour, number)
      if (samples === null) continue
      for (let at = 0; at < samples.count; at++) put(samples, at, samples.mono[at] ?? 0)
      await breath()
    }
  }
  await sources.open(put)
  return unique(rows.sort((a, b) => a[0] - b[0]))
}

/** What is being archived this moment may be found in both places. */
function unique(rows: readonly HistoryRow[]): readonly HistoryRow[] {
  return rows.filter((row, at) => {
    const before = rows[at - 1]
    return before === undefined || before[0] !== row[0] || before[4] !== row[4]
  })
}

function rowOf(samples: PackedSamples, at: number, utc: number): HistoryRow {
  const value = rowValue(samples, at)
  if (value === null) return [utc, null, null, null, null, 0]
  if (typeof value === 'string' || samples.kind[at] === TEXT) return [utc, null, null, null, value, 1]
  return [utc, value, value, value, value, 1]
}

/** Buckets of raw rows, for widths below a minute and for text. */
function bucketed(rows: readonly HistoryRow[], periodOf: (utc: number) => number): readonly HistoryRow[] {
  const buckets = new Map<
    number,
    { min: number | null; max: number | null; sum: number; numbers: number; last: HistoryRow[4]; count: number }
  >()
  for (const [t, , , , last, count] of rows) {
    if (last === null || count === 0) continue
    const at = periodOf(t)
    const bucket = buckets.get(at) ?? { min: null, max: null, sum: 0, numbers: 0, last, count: 0 }
    if (typeof last === 'number') {
      bucket.min = Math.min(bucket.min ?? last, last)
      bucket.max = Math.max(bucket.max ?? last, last)
      bucket.sum += last
      bucket.numbers++
    }
    bucket.last = last
    bucket.count++
    buckets.set(at, bucket)
  }
  return [...buckets].map(([t, { min, max, sum, numbers, last, count }]) => [
    t,
    min,
    max,
    numbers > 0 ? Number((sum / numbers).toPrecision(7)) : null,
    last,
    count,
  ])
}

function tooMany(): RangeError {
  return new RangeError(`more than ${ROWS_MAX} rows: ask for a shorter time or wider buckets`)
}
