/**
 * Which reads serve which points: one for each data identifier, or one for a row of the standard (three phases, all tariffs,
 * all settlements) where at least two of its items are wanted at the same pace. A row that the meter refused is not asked again;
 * the set of refused keys is all that has to be remembered.
 */
import type { Point, Treatment } from '../../model/point.ts'
import type { Limits } from '../../model/site.ts'
import type { Block } from '../protocol.ts'
import { writePairs } from '../../bytes/bcd.ts'
import { FN } from './control.ts'
import { itemOf, rowOf, rowsWith } from './items.ts'
import { formatOf, placeOf } from './place.ts'
import { createRead, type Element } from './read.ts'

type Wanted = {
  readonly item: string
  readonly everyMs: number
  /** Its elements have the length of the table: it may be read in a row. */
  readonly regular: boolean
  readonly points: readonly Element[]
}

/** `noHoles` (no gap allowed) forbids rows: they bring what nobody asked for. */
export function plan(points: readonly Point[], limits: Limits, refused: ReadonlySet<string>): readonly Block[] {
  const blocks: Block[] = []
  for (const [, wanted] of Map.groupBy(wantedOf(points), ({ everyMs }) => everyMs)) {
    let left: readonly Wanted[] = wanted
    if (limits.maxGap > 0) {
      for (;;) {
        const row = bestRow(left, refused)
        if (row === null) break
        const members = new Set(rowOf(row)?.members)
        const inside = left.filter((each) => each.regular && members.has(each.item))
        blocks.push(rowBlock(row, inside))
        left = left.filter((each) => !inside.includes(each))
      }
    }
    for (const each of left) blocks.push(itemBlock(each))
  }
  return blocks
}

function wantedOf(points: readonly Point[]): readonly Wanted[] {
  const groups = new Map<string, { item: string; everyMs: number; bytes: number; points: Element[] }>()
  for (const point of points) {
    const place = placeOf(point)
    if (place === null || point.source.from !== 'field' || point.source.everyMs === null) continue
    const format = formatOf(place)
    if (format === null) throw new RangeError(`${point.id}: ${place.item} has no format`)
    const { everyMs } = point.source
    // Formats of different lengths cannot both be right: each is asked for by itself, and the wrong one shows.
    const key = `${place.item} ${everyMs} ${format.bytes}`
    const group = groups.get(key) ?? { item: place.item, everyMs, bytes: format.bytes, points: [] }
    groups.set(key, group)
    group.points.push({ point: point.index, format, treatment: point.source.treatment })
  }
  return [...groups.values()].map(({ bytes, ...group }) => ({
    ...group,
    regular: itemOf(group.item)?.format.bytes === bytes,
  }))
}

/** The row that saves most requests; null: none saves any. */
function bestRow(wanted: readonly Wanted[], refused: ReadonlySet<string>): string | null {
  const counts = new Map<string, number>()
  for (const { item, regular } of wanted) {
    if (!regular) continue
    for (const row of rowsWith(item)) if (!refused.has(row)) counts.set(row, (counts.get(row) ?? 0) + 1)
  }
  let best: string | null = null
  for (const [row, count] of counts) if (count > 1 && count > (best === null ? 1 : (counts.get(best) ?? 0))) best = row
  return best
}

function itemBlock({ item, everyMs, points }: Wanted): Block {
  const bytes = points[0]?.format.bytes ?? 0
  return {
    ...question(item, bytes),
    points: points.map(({ point }) => point),
    everyMs,
    read: createRead({ item, bytes, members: [item], sure: 1, single: true }, new Map([[item, points]])),
  }
}

const PLAIN: Treatment = { scale: 1, offset: 0, invalid: [], map: null, invert: false }

/**
 * One item by itself, outside of any plan: its only reading is of point 0. `as` and `treatment` as a point of the driver has them.
 * Throws RangeError for an item without a format.
 */
export function readItem(item: string, as: string | null = null, treatment: Treatment = PLAIN): Block {
  const format = formatOf({ protocol: 'dlt645', item, as })
  if (format === null) throw new RangeError(`${item} has no format`)
  const points = [{ point: 0, format, treatment }]
  return itemBlock({ item, everyMs: 0, regular: false, points })
}

function rowBlock(item: string, wanted: readonly Wanted[]): Block {
  const row = rowOf(item)
  if (row === null) throw new RangeError(`${item} is no row`)
  const { members, usual, sure, format } = row
  const furthest = Math.max(...wanted.map((each) => members.indexOf(each.item))) + 1
  return {
    ...question(item, format.bytes * Math.max(usual, furthest)),
    points: wanted.flatMap(({ points }) => points.map(({ point }) => point)),
    everyMs: wanted[0]?.everyMs ?? 0,
    read: createRead(
      { item, bytes: format.bytes, members, sure, single: false },
      new Map(wanted.map((each) => [each.item, each.points])),
    ),
  }
}

/** What a meter says goes into frames of at most 200 bytes of data; a part behind the first one is asked for and counted. */
const DATA_MAX = 200
const PART_NUMBER_BYTES = 1
/** Wake-up bytes, and the frame around the data. */
const FRAME_BYTES = 4 + 12

/** Follow-ons of an answer that does not fit into one frame. */
function followsOf(identifier: number, payload: number): Pick<Block, 'follows'> {
  const first = DATA_MAX - identifier
  if (payload <= first) return {}
  const questions = Math.ceil((payload - first) / (first - PART_NUMBER_BYTES))
  const around = 2 * (FRAME_BYTES + identifier + PART_NUMBER_BYTES)
  return { follows: { questions, bytes: payload - first + questions * around } }
}

function question(item: string, payload: number): Pick<Block, 'key' | 'ask' | 'follows'> {
  const control = item.length === 8 ? FN.read : FN.read97
  const identifier = writePairs(item)
  const body = Uint8Array.of(control, ...identifier)
  const answerBytes = 1 + Math.min(DATA_MAX, identifier.length + payload)
  return {
    key: item,
    ask: (address) => ({ address, body, writes: false, answerBytes }),
    ...followsOf(identifier.length, payload),
  }
}
