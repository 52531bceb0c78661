/**
 * Two clocks and how far to trust one of them. Delays, ages and order use `mono` only; `utc` is for people and the cloud.
 * A box without a clock battery boots in 1970: a time before the floor is never trusted. While nothing is known (quality 0) UTC is the
 * floor plus the monotonic clock, so that nobody is told 1970, and all of it can be re-based by one offset once time has come.
 */
import type { ClockReading, TimeQuality } from '../model/journal.ts'

export type Clock = {
  /** Monotonic ms since this process began. */
  readonly mono: () => number
  /** mono, the offset to UTC, and the trust in it, of one moment. */
  readonly now: () => ClockReading
  /** UTC ms of a monotonic moment of this boot, by what is known now. */
  readonly utc: (mono?: number) => number
  /** The newest of build date, last saved time and newest row: no true time lies before it. */
  readonly floorMs: () => number
  /** Raises the floor, never lowers it. */
  readonly raiseFloor: (utcMs: number) => void
}

export type ClockSources = {
  readonly mono: () => number
  readonly wall: () => number
  /** The host's clock is being held to true time. */
  readonly synchronised: () => boolean
  /** The kernel's estimate of the largest error, ms. */
  readonly errorMs: () => number | null
  /** A hardware clock kept time while the power was off. */
  readonly hardwareClock: () => boolean
}

export function isTrusted(quality: TimeQuality): boolean {
  return quality === 1 || quality === 2 || quality === 4
}

/** A step of the wall clock larger than this makes us look at its trust at once: it may be the synchronisation itself. */
const STEP_MS = 500
const RECHECK_MS = 1000

/**
 * `system`: the host's clock counts as synchronised once past the floor (demo, tests).
 * `auto`: 1 while the host says synchronised, 2 (holdover) after that, 3 with a hardware clock and no synchronisation yet, else 0.
 */
export function createClock(mode: 'auto' | 'system', options: { floorMs: number; sources: ClockSources }): Clock {
  const { sources } = options
  let floorMs = options.floorMs
  let synchronisedOnce = false
  let checkedAt = Number.NEGATIVE_INFINITY
  let offset = Number.NaN
  let quality: TimeQuality = 0
  let errorMs: number | null = null

  function judge(wall: number): TimeQuality {
    if (wall < floorMs) return 0
    if (mode === 'system') return 1
    if (sources.synchronised()) {
      synchronisedOnce = true
      return 1
    }
    if (synchronisedOnce) return 2
    return sources.hardwareClock() ? 3 : 0
  }

  function now(): ClockReading {
    const mono = sources.mono()
    const wall = sources.wall()
    const measured = wall - mono
    const stepped = !(Math.abs(measured - offset) <= STEP_MS)
    if (stepped || mono - checkedAt >= RECHECK_MS) {
      quality = judge(wall)
      errorMs = mode === 'auto' && quality === 1 ? sources.errorMs() : null
      checkedAt = mono
      // Wall and mono are read one after the other, in whole and in broken ms: the offset moves only when it is looked at again.
      offset = measured
    }
    return { mono, offsetMs: quality === 0 ? floorMs : offset, quality, errorMs }
  }

  return {
    mono: sources.mono,
    now,
    utc(mono) {
      const reading = now()
      return Math.round((mono ?? reading.mono) + reading.offsetMs)
    },
    floorMs: () => floorMs,
    raiseFloor(utcMs) {
      floorMs = Math.max(floorMs, utcMs)
    },
  }
}
