/** What is live: points, their changes as they come, and reading now. */
import * as z from 'zod'
import type { Point } from '../model/point.ts'
import type { Site } from '../model/site.ts'
import type { CallContext } from './context.ts'
import { findPoint, findPoints } from './find.ts'
import { pointsMatching } from './glob.ts'
import { answering, streaming } from './operation.ts'
import { pointRow } from './rows.ts'
import { type PointRow, pointRow as pointShape } from './shapes.ts'

const pattern = z.string().min(1).max(200)

export const points = answering({
  name: 'points',
  role: 'viewer',
  input: z.strictObject({ pattern: pattern.default('*'), titles: z.boolean().default(false) }),
  output: z.array(pointShape),
  run: ({ view }, input) => findPoints(view.site(), input.pattern).map((point) => pointRow(view, point, input.titles)),
})

/** A value that does not change is said again this often, so that a watcher sees that it is still read. */
const REPEAT_MS = 10_000

export const watch = streaming({
  name: 'watch',
  role: 'viewer',
  input: z.strictObject({ pattern: pattern.default('*') }),
  output: pointShape,
  run: ({ view, signal }, input) => {
    // A pattern that matches nothing is refused before the stream begins.
    findPoints(view.site(), input.pattern)
    return follow(view, input.pattern, signal)
  },
})

/** The present state first, then what changed. Between two groups a point waits once, with its newest sample: the wait is bounded. */
async function* follow(
  view: CallContext['view'],
  pattern: string,
  signal: AbortSignal,
): AsyncGenerator<readonly PointRow[]> {
  let site = view.site()
  let byIndex = indexed(site, pattern)
  const said = new Map<string, PointRow>()
  const fresh = new Set<number>(byIndex.keys())
  let wake: () => void = () => undefined
  const stop = view.onTurn((indices) => {
    if (view.site() !== site) {
      // A reload: points are numbered anew, some are gone, some are new.
      site = view.site()
      byIndex = indexed(site, pattern)
      fresh.clear()
      for (const index of byIndex.keys()) fresh.add(index)
    }
    for (const index of indices) if (byIndex.has(index)) fresh.add(index)
    if (fresh.size > 0) wake()
  })
  const onAbort = (): void => wake()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    while (!signal.aborted) {
      const rows: PointRow[] = []
      for (const index of fresh) {
        const point = byIndex.get(index)
        if (point === undefined) continue
        const row = pointRow(view, point)
        if (!isNews(said.get(row.point), row)) continue
        said.set(row.point, row)
        rows.push(row)
      }
      fresh.clear()
      if (rows.length > 0) yield rows
      else if (!signal.aborted) await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    stop()
    signal.removeEventListener('abort', onAbort)
  }
}

function indexed(site: Site, pattern: string): ReadonlyMap<number, Point> {
  return new Map(pointsMatching(site, pattern).map((point) => [point.index, point]))
}

function isNews(before: PointRow | undefined, row: PointRow): boolean {
  return (
    before === undefined ||
    before.value !== row.value ||
    before.quality !== row.quality ||
    before.cause !== row.cause ||
    row.at - before.at >= REPEAT_MS
  )
}

export const read = answering({
  name: 'read',
  role: 'viewer',
  input: z.strictObject({
    points: z.array(z.string().min(1).max(200)).min(1).max(100),
    titles: z.boolean().default(false),
  }),
  output: z.array(pointShape),
  run: async ({ view, signal }, input) => {
    const site = view.site()
    const wanted = input.points.map((id) => findPoint(site, id))
    await view.refresh([...fieldSources(site, wanted)], signal)
    return wanted.map((point) => pointRow(view, point, input.titles))
  },
})

/** The field points of wires on which these points rest: a composed or counted point is as fresh as its source. */
export function fieldSources(site: Site, wanted: readonly Point[]): ReadonlySet<number> {
  const found = new Set<number>()
  const seen = new Set<number>()
  const open = wanted.map(({ index }) => index)
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    const point = site.points[index]
    if (point === undefined || seen.has(index)) continue
    seen.add(index)
    const { source } = point
    if (source.from === 'field') {
      if (site.devices[point.device]?.link.kind === 'bus') found.add(index)
    } else if (source.from === 'point') open.push(source.point)
    else if (source.from === 'none') continue
    else if (source.formula.kind === 'expression') open.push(...(site.devices[point.device]?.points ?? []))
    else open.push(source.formula.of)
  }
  return found
}
