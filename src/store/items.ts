/** Batches of lanes a and e: the items of one commit, as they travel. */
import { canonicalJson } from '../bytes/json.ts'
import type { ClockReading, Drop } from '../model/journal.ts'
import { ulid } from '../runtime/ulid.ts'
import { contentId } from './content.ts'
import type { BatchHead } from './heads.ts'

export type ItemFrame = {
  readonly boot: number
  readonly cv: number
  readonly time: ClockReading
  /** UTC of mono 0 while nothing is known. */
  readonly floorMs: number
}

/** UTC by the best that is known: the clock, or the floor plus the monotonic clock, never 1970. */
export function utcOf(time: ClockReading, floorMs: number): number {
  return Math.round(time.mono + (time.quality === 0 ? floorMs : time.offsetMs))
}

export function buildItemBatch(
  number: number,
  texts: readonly string[],
  { boot, cv, time, floorMs }: ItemFrame,
): BatchHead & { readonly content: string } {
  const content = `[${texts.join(',')}]`
  const t0 = utcOf(time, floorMs)
  return {
    number,
    boot,
    cv,
    t0,
    quality: time.quality,
    errorMs: time.errorMs,
    mono: time.quality === 0 ? Math.round(time.mono) : null,
    count: texts.length,
    newestAt: t0,
    cutMono: time.mono,
    id: contentId(content),
    content,
  }
}

/** Items of one commit in as many batches as their bytes ask for. */
export function splitItems(texts: readonly string[], bytesMax: number): readonly (readonly string[])[] {
  const groups: string[][] = []
  let open: string[] = []
  let bytes = 0
  for (const text of texts) {
    const size = Buffer.byteLength(text) + 1
    if (open.length > 0 && bytes + size > bytesMax) {
      groups.push(open)
      open = []
      bytes = 0
    }
    open.push(text)
    bytes += size
  }
  if (open.length > 0) groups.push(open)
  return groups
}

/** Every deliberate or suffered loss is an event of its own on lane e. */
export function dropItem(drop: Drop, at: number): string {
  return canonicalJson({ id: ulid(at), ty: 'drop', at, i: null, body: drop })
}
