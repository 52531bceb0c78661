/**
 * Two clocks and how far to trust one of them. Delays, ages and order use `mono` only; `utc` is for people and the cloud.
 * A box without a clock battery boots in 1970: a time before the floor is never trusted.
 */
import { existsSync } from 'node:fs'
import type { ClockReading, TimeQuality } from '../model/journal.ts'

export type Clock = {
  /** Monotonic ms since this process began. */
  readonly mono: () => number
  /** mono, the offset to UTC, and the trust in it, of one moment. */
  readonly now: () => ClockReading
  /** UTC ms of a monotonic moment of this boot, by what is known now. */
  readonly utc: (mono?: number) => number
}

export function isTrusted(quality: TimeQuality): boolean {
  return quality === 1 || quality === 2 || quality === 4
}

export type ClockSources = {
  readonly mono: () => number
  readonly wall: () => number
  /** true: the kernel says synchronised; null: it cannot be asked. */
  readonly synchronised: () => boolean | null
  /** A hardware clock exists. */
  readonly hardwareClock: () => boolean
}

export const HOST: ClockSources = {
  mono: () => performance.now(),
  wall: () => Date.now(),
  // systemd-timesyncd touches this mark at each synchronisation; chrony and ntpd are seen through adjtimex (see kernel.ts).
  synchronised: () => existsSync('/run/systemd/timesync/synchronized'),
  hardwareClock: () => existsSync('/dev/rtc0') || existsSync('/dev/rtc'),
}

/**
 * `system`: the host's clock counts as synchronised once past the floor (demo, tests).
 * `auto`: design, section 5.
 */
export function createClock(
  mode: 'auto' | 'system',
  options: { floorMs: number; sources?: ClockSources; recheckEveryMs?: number },
): Clock {
  const sources = options.sources ?? HOST
  const recheckEveryMs = options.recheckEveryMs ?? 1000
  let synchronisedOnce = false
  let checkedAt = Number.NEGATIVE_INFINITY
  let quality: TimeQuality = 0
  let trustedOffset: number | null = null

  function judge(wall: number): TimeQuality {
    if (wall < options.floorMs) return 0
    if (mode === 'system') return 1
    const synchronised = sources.synchronised()
    if (synchronised === true) {
      synchronisedOnce = true
      return 1
    }
    if (synchronisedOnce) return 2
    return sources.hardwareClock() ? 3 : 0
  }

  function now(): ClockReading {
    const mono = sources.mono()
    const wall = sources.wall()
    const offsetMs = wall - mono
    // A step of the wall clock is looked at immediately: it may be the synchronisation itself.
    const stepped = trustedOffset === null || Math.abs(offsetMs - trustedOffset) > 500
    if (stepped || mono - checkedAt >= recheckEveryMs) {
      quality = judge(wall)
      checkedAt = mono
    }
    trustedOffset = offsetMs
    return { mono, offsetMs, quality, errorMs: null }
  }

  return {
    mono: sources.mono,
    now,
    utc: (mono) => Math.round((mono ?? sources.mono()) + now().offsetMs),
  }
}
