/**
 * Which reads serve which points: the fewest that the device's limits allow. Points of one block share table and period; a
 * value's registers are never torn. A block that the device refused comes apart between its points, where it has a hole first,
 * and its parts are judged by themselves: the set of refused keys is all that has to be remembered.
 */
import type { ModbusTable, Point } from '../../model/point.ts'
import type { Limits } from '../../model/site.ts'
import { blockOf, keyOf, type ModbusBlock } from './block.ts'
import { BITS_MAX, REGISTERS_MAX } from './pdu.ts'
import { endOf, isBitTable, placeFlaw, placeOf } from './place.ts'

/** A hole of one register costs what ten bits cost (the usual defaults: 8 registers, 80 bits). */
const GAP_BITS_PER_REGISTER = 10

type Span = { readonly point: number; readonly start: number; readonly end: number }

/** Throws RangeError for a place that passes address 65535: `placeFlaw` finds those when the file is loaded. */
export function plan(points: readonly Point[], limits: Limits, refused: ReadonlySet<string>): readonly ModbusBlock[] {
  const groups = new Map<string, { table: ModbusTable; everyMs: number; spans: Span[] }>()
  for (const point of points) {
    const place = placeOf(point)
    if (place === null || point.source.from !== 'field' || point.source.everyMs === null) continue
    const end = endOf(place)
    if (end > 0x10000) throw new RangeError(`${point.id}: ${placeFlaw(place, limits)}`)
    const { everyMs } = point.source
    const key = `${place.table} ${everyMs}`
    const group = groups.get(key) ?? { table: place.table, everyMs, spans: [] }
    groups.set(key, group)
    group.spans.push({ point: point.index, start: place.address, end })
  }
  return [...groups.values()].flatMap(({ table, everyMs, spans }) =>
    join(spans, reach(table, limits))
      .flatMap((run) => comeApart(run, table, refused))
      .map((run) => blockOf({ table, ...extent(run), points: run.map((span) => span.point), everyMs })),
  )
}

function reach(table: ModbusTable, limits: Limits): { most: number; gap: number } {
  return isBitTable(table)
    ? { most: Math.min(limits.maxBits, BITS_MAX), gap: limits.maxGap * GAP_BITS_PER_REGISTER }
    : { most: Math.min(limits.maxRegisters, REGISTERS_MAX), gap: limits.maxGap }
}

/** Runs of points, each to be read at once; sorted by address. */
function join(spans: Span[], { most, gap }: { most: number; gap: number }): Span[][] {
  const runs: Span[][] = []
  let run: Span[] = []
  let start = 0
  let end = Number.NEGATIVE_INFINITY
  for (const span of spans.sort((a, b) => a.start - b.start || a.end - b.end || a.point - b.point)) {
    const joins = span.start - end <= gap && Math.max(end, span.end) - start <= most
    if (joins) run.push(span)
    else {
      run = [span]
      runs.push(run)
      start = span.start
    }
    end = joins ? Math.max(end, span.end) : span.end
  }
  return runs
}

function comeApart(run: Span[], table: ModbusTable, refused: ReadonlySet<string>): Span[][] {
  if (!refused.has(keyOf(table, extent(run)))) return [run]
  const cut = seam(run)
  if (cut === null) return [run]
  return [run.slice(0, cut), run.slice(cut)].flatMap((part) => comeApart(part, table, refused))
}

/** Index before which to cut: at the widest hole, of equal ones the one nearest to the middle; null: the values overlap throughout. */
function seam(run: readonly Span[]): number | null {
  let best: { cut: number; gap: number; off: number } | null = null
  let end = run[0]?.end ?? 0
  for (const [cut, span] of run.entries()) {
    const gap = span.start - end
    const off = Math.abs(cut - run.length / 2)
    if (cut > 0 && gap >= 0 && (best === null || gap > best.gap || (gap === best.gap && off < best.off))) {
      best = { cut, gap, off }
    }
    end = Math.max(end, span.end)
  }
  return best?.cut ?? null
}

function extent(run: readonly Span[]): { start: number; count: number } {
  const start = run[0]?.start ?? 0
  return { start, count: run.reduce((end, span) => Math.max(end, span.end), start) - start }
}
