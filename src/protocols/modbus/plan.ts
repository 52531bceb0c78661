/**
 * Which reads serve which points: the fewest that the device's limits allow. Points of one block share table and period; a
 * value's registers are never torn. A block that the device refused comes apart between its points, where it has a hole first,
 * and its parts are judged by themselves: the set of refused keys is all that has to be remembered.
 */
import type { ModbusPlace, ModbusTable, Point, SunspecModel } from '../../model/point.ts'
import type { Limits } from '../../model/site.ts'
import { blockOf, type Extent, keyOf, type ModbusBlock } from './block.ts'
import { wordsOf } from './encoding.ts'
import type { Part } from './extract.ts'
import { BITS_MAX, REGISTERS_MAX } from './pdu.ts'
import { around, isBitTable, modelStretchOf, placeFlaw, placeOf, type Stretch, stretch, stretchOf } from './place.ts'
import type { Models } from './sunspec.ts'

/** A hole of one register costs what ten bits cost (the usual defaults: 8 registers, 80 bits). */
const GAP_BITS_PER_REGISTER = 10

/** `apart`: what the point needs besides, of other stretches. */
type Span = Stretch & { readonly point: number; readonly apart: readonly Part[] }

type Group = {
  readonly table: ModbusTable
  readonly everyMs: number
  readonly model?: SunspecModel
  readonly spans: Span[]
}

/** Throws RangeError for a place that passes address 65535: `placeFlaw` finds those when the file is loaded. */
export function plan(points: readonly Point[], limits: Limits, refused: ReadonlySet<string>): readonly ModbusBlock[] {
  const groups = new Map<string, Group>()
  for (const point of points) {
    const place = placeOf(point)
    if (place === null || point.source.from !== 'field' || point.source.everyMs === null) continue
    const { everyMs } = point.source
    const { table, model } = place
    const key = `${table} ${everyMs} ${model?.id} ${model?.base}`
    const group = groups.get(key) ?? { table, everyMs, spans: [], ...(model === undefined ? {} : { model }) }
    groups.set(key, group)
    const span = spanOf(point.index, place, limits)
    if (span.end > 0x10000) throw new RangeError(`${point.id}: ${placeFlaw(place, limits)}`)
    group.spans.push(span)
  }
  const models: Models = new Map()
  return [...groups.values()].flatMap((group) => blocksOf(group, limits, refused, models))
}

function blocksOf(
  { table, everyMs, model, spans }: Group,
  limits: Limits,
  refused: ReadonlySet<string>,
  models: Models,
): readonly ModbusBlock[] {
  const extent = (run: readonly Span[]): Extent => extentOf(run, table, limits)
  const isRefused = (run: readonly Span[]): boolean => refused.has(keyOf(table, extent(run), model))
  return join(spans, table, limits)
    .flatMap((run) => comeApart(run, isRefused))
    .map((run) => {
      const apart = run.flatMap((span) => span.apart)
      return blockOf(
        {
          table,
          ...extent(run),
          points: run.map((span) => span.point),
          everyMs,
          ...(apart.length === 0 ? {} : { apart: joinParts(apart, limits) }),
          ...(model === undefined ? {} : { model }),
          ...(limits.wideCount === true ? { wideCount: true } : {}),
        },
        models,
      )
    })
}

/** What the point needs: in one read where the limits allow it, so that value and scale are of the same moment. */
function spanOf(point: number, place: ModbusPlace, limits: Limits): Span {
  if (place.model !== undefined) return { point, ...modelStretchOf(place), apart: [] }
  let span = stretchOf(place)
  const apart: Part[] = []
  for (const { table, address, as } of place.factors ?? []) {
    const own = stretch(address, wordsOf(as, null))
    const both = around(span, own)
    if (table === place.table && joins(...inOrder(span, own), both, table, limits)) span = both
    else apart.push({ table, start: own.start, count: own.end - own.start })
  }
  return { point, ...span, apart }
}

function inOrder(a: Stretch, b: Stretch): [Stretch, Stretch] {
  return a.start <= b.start ? [a, b] : [b, a]
}

function reach(table: ModbusTable, limits: Limits): { most: number; gap: number } {
  return isBitTable(table)
    ? { most: Math.min(limits.maxBits, BITS_MAX), gap: limits.maxGap * GAP_BITS_PER_REGISTER }
    : { most: Math.min(limits.maxRegisters, REGISTERS_MAX), gap: limits.maxGap }
}

/** May `first` and `second` (which begins no earlier) be read at once, as `both`? */
function joins(first: Stretch, second: Stretch, both: Stretch, table: ModbusTable, limits: Limits): boolean {
  const { most, gap } = reach(table, limits)
  if (second.start - first.end > gap || both.end - both.start > most) return false
  const holes = limits.holes ?? []
  return !holes.some((hole) => hole.table === table && hole.start < second.start && hole.end > first.end)
}

/** Runs of points, each to be read at once; sorted by address. */
function join<S extends Stretch & { readonly point: number }>(
  spans: readonly S[],
  table: ModbusTable,
  limits: Limits,
): S[][] {
  const runs: S[][] = []
  let run: S[] = []
  let whole: Stretch = { start: 0, end: Number.NEGATIVE_INFINITY }
  for (const span of spans.toSorted((a, b) => a.start - b.start || a.end - b.end || a.point - b.point)) {
    const both = { start: whole.start, end: Math.max(whole.end, span.end) }
    if (joins(whole, span, both, table, limits)) {
      run.push(span)
      whole = both
    } else {
      run = [span]
      runs.push(run)
      whole = span
    }
  }
  return runs
}

function joinParts(parts: readonly Part[], limits: Limits): readonly Part[] {
  const byTable = Map.groupBy(parts, (part) => part.table)
  return [...byTable].flatMap(([table, own]) =>
    join(
      own.map(({ start, count }) => ({ ...stretch(start, count), point: 0 })),
      table,
      limits,
    ).map((run) => ({ table, ...extentOf(run, table, limits) })),
  )
}

function comeApart(run: Span[], isRefused: (run: readonly Span[]) => boolean): Span[][] {
  if (!isRefused(run)) return [run]
  const cut = seam(run)
  if (cut === null) return [run]
  return [run.slice(0, cut), run.slice(cut)].flatMap((part) => comeApart(part, isRefused))
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

function extentOf(run: readonly Stretch[], table: ModbusTable, { bitsStep = 1, minRegisters = 1 }: Limits): Extent {
  const start = run[0]?.start ?? 0
  const end = run.reduce((last, span) => Math.max(last, span.end), start)
  if (isBitTable(table)) {
    const from = start - (start % bitsStep)
    return { start: from, count: Math.min(Math.ceil((end - from) / bitsStep) * bitsStep, 0x10000 - from) }
  }
  return { start, count: Math.min(Math.max(end - start, minRegisters), 0x10000 - start) }
}
