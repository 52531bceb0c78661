/** Live or backlog: how old a batch of lane t is. */
import type { Batch, ClockReading } from '../model/journal.ts'
import { isTrusted } from '../runtime/clock.ts'

/**
 * How long ago the newest of a batch was news, in ms; null: before this boot, and no clock says when. A batch may be cut long after
 * its samples were taken: what an earlier boot left over, and what was held back until the clock could be trusted.
 */
export function ageOf(
  batch: Pick<Batch, 'quality' | 'cutMono' | 'mono' | 'newestAt'>,
  now: ClockReading,
): number | null {
  const { quality, cutMono, mono, newestAt } = batch
  if (cutMono !== null && (quality === 1 || quality === 2)) return now.mono - cutMono
  if (cutMono !== null && mono !== null) return now.mono - mono
  const isOneClock = isTrusted(quality) ? isTrusted(now.quality) : cutMono !== null && quality === now.quality
  if (isOneClock) return now.mono + now.offsetMs - newestAt
  return cutMono === null ? null : now.mono - cutMono
}

/**
 * Which numbers of lane t are old: a ring of (when, highest number then). A number is younger than `youngMs` if and only if it is
 * above `oldUpTo`. Cuts closer together than a quarter second share a mark, so the ring is bounded.
 */
export type Ages = {
  /** What is known of numbers cut before anybody looked: all up to this one are old. */
  readonly start: (oldUpTo: number) => void
  /** The highest number cut, seen at `now`. */
  readonly saw: (now: number, hi: number) => void
  /** All numbers up to this one were cut `youngMs` ago or earlier. */
  readonly oldUpTo: (now: number) => number
}

const SHARE_MS = 250

export function createAges(youngMs: number): Ages {
  let old = 0
  let marks: { at: number; hi: number }[] = []
  return {
    start(oldUpTo) {
      old = Math.max(old, oldUpTo)
    },
    saw(now, hi) {
      const last = marks.at(-1)
      if (last === undefined ? hi <= old : hi <= last.hi) return
      if (last !== undefined && now - last.at < SHARE_MS) last.hi = hi
      else marks.push({ at: now, hi })
    },
    oldUpTo(now) {
      const firstYoung = marks.findIndex((mark) => now - mark.at < youngMs)
      const passed = firstYoung === -1 ? marks : marks.slice(0, firstYoung)
      const last = passed.at(-1)
      if (last !== undefined) {
        old = Math.max(old, last.hi)
        marks = firstYoung === -1 ? [] : marks.slice(firstYoung)
      }
      return old
    },
  }
}
