/** Three small measures of a line: how fast it acknowledges, how fast the backlog may go, how much of a day's budget is used. Time is an argument (ms). */

/** Older measurements fade with this time constant. */
const FADE_MS = 10_000

/** Bytes acknowledged per second of waiting for acknowledgements: idle time says nothing about a line. */
export type RateMeter = {
  /** Something is on its way now (again). */
  readonly busy: (now: number) => void
  readonly acked: (now: number, bytes: number, options: { idleNow: boolean }) => void
  /** The connection is gone: what is on its way will not come back. */
  readonly lost: () => void
  /** Bytes per second; 0 before the first acknowledgement. */
  readonly rate: () => number
}

export function createRateMeter(): RateMeter {
  let markedAt: number | null = null
  let bytesFaded = 0
  let busyMs = 0
  return {
    busy(now) {
      markedAt ??= now
    },
    acked(now, bytes, { idleNow }) {
      const passed = Math.max(0, now - (markedAt ?? now))
      const fade = Math.exp(-passed / FADE_MS)
      bytesFaded = bytesFaded * fade + bytes
      busyMs = busyMs * fade + passed
      markedAt = idleNow ? null : now
    },
    lost() {
      markedAt = null
    },
    rate: () => (bytesFaded === 0 ? 0 : (bytesFaded * 1000) / Math.max(1, busyMs)),
  }
}

/**
 * A token bucket that lets go in bursts: it opens when a burst has gathered and closes when it is spent. Single messages, each waiting
 * for its own round trip, would measure the round trip and never the line.
 */
export type Bucket = {
  readonly refill: (now: number, bytesPerSecond: number) => void
  readonly isOpen: () => boolean
  readonly take: (bytes: number) => void
}

const BURST_MAX = 16 * 1024

export function createBucket(): Bucket {
  let level = 0
  let open = false
  let refilledAt: number | null = null
  return {
    refill(now, bytesPerSecond) {
      const passed = refilledAt === null ? 0 : Math.max(0, now - refilledAt)
      refilledAt = now
      const burst = Math.min(BURST_MAX, bytesPerSecond)
      // Twice the burst: what gathers between two looks is not lost, an idle hour is not hoarded.
      level = Math.min(2 * burst, level + (passed * bytesPerSecond) / 1000)
      if (level >= burst && burst > 0) open = true
    },
    isOpen: () => open,
    take(bytes) {
      level -= bytes
      if (level <= 0) open = false
    },
  }
}

/** What a publish costs on a metered line beside its payload: about 170 B up (TLS record, TCP/IP, topic) and 110 B down (contract, section 5). */
export const FRAMING_BYTES = 280

const DAY_MS = 86_400_000

/** A day's bytes, by UTC day. */
export type Budget = {
  readonly spend: (utc: number, payloadBytes: number) => void
  /** The day's budget is used up: alarms and heartbeat only, until UTC midnight. */
  readonly isSpent: (utc: number) => boolean
  readonly spentBytes: (utc: number) => number
  /** To go on from after a restart. */
  readonly written: () => string
}

/** `before`: what an earlier run has written. A restart does not make a day longer. */
export function createBudget(bytesPerDay: number | null, before: string | null = null): Budget {
  const [, dayBefore, bytesBefore] = /^(\d{1,9}) (\d{1,15})$/.exec(before ?? '') ?? []
  let day = Number(dayBefore ?? -1)
  let bytes = Number(bytesBefore ?? 0)
  const turn = (utc: number): void => {
    const today = Math.floor(utc / DAY_MS)
    if (today === day) return
    day = today
    bytes = 0
  }
  return {
    spend(utc, payloadBytes) {
      turn(utc)
      bytes += payloadBytes + FRAMING_BYTES
    },
    isSpent(utc) {
      turn(utc)
      return bytesPerDay !== null && bytes >= bytesPerDay
    },
    spentBytes(utc) {
      turn(utc)
      return bytes
    },
    written: () => `${day} ${bytes}`,
  }
}
