/** Calendar periods in a named time zone. Everything stored is UTC; only people and schedules live in a zone. */

export type Period = 'hour' | 'day' | 'month'

/** What clocks on the wall show. */
export type Wall = {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

export type Zone = {
  readonly periodStart: (utcMs: number, over: Period) => number
  readonly wall: (utcMs: number) => Wall
  /** UTC ms of a full hour on the wall. Of an hour that comes twice the earlier one. */
  readonly utcOf: (wall: Pick<Wall, 'year' | 'month' | 'day' | 'hour'>) => number
}

/** Throws a RangeError for a name that the runtime does not know. */
export function createZone(timezone: string): Zone {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })

  function offsetAt(utcMs: number): number {
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(utcMs)) parts[type] = Number(value)
    const local = Date.UTC(
      parts['year'] ?? 0,
      (parts['month'] ?? 1) - 1,
      parts['day'],
      parts['hour'],
      parts['minute'],
      parts['second'],
    )
    return local - Math.floor(utcMs / 1000) * 1000
  }

  function startOf(utcMs: number, over: Period): number {
    const offset = offsetAt(utcMs)
    const local = new Date(utcMs + offset)
    if (over === 'hour') local.setUTCMinutes(0, 0, 0)
    else local.setUTCHours(0, 0, 0, 0)
    if (over === 'month') local.setUTCDate(1)
    // The zone may have been another hour from UTC when the period began.
    const guess = local.getTime() - offset
    return local.getTime() - offsetAt(guess)
  }

  function wall(utcMs: number): Wall {
    const local = new Date(utcMs + offsetAt(utcMs))
    return {
      year: local.getUTCFullYear(),
      month: local.getUTCMonth() + 1,
      day: local.getUTCDate(),
      hour: local.getUTCHours(),
      minute: local.getUTCMinutes(),
      second: local.getUTCSeconds(),
    }
  }

  function utcOf({ year, month, day, hour }: Pick<Wall, 'year' | 'month' | 'day' | 'hour'>): number {
    const local = Date.UTC(year, month - 1, day, hour)
    // The offset is that of the moment looked for, which lies within a day of its name in UTC: the larger one is the earlier moment.
    const offsets = [offsetAt(local - 86_400_000), offsetAt(local + 86_400_000)].sort((a, b) => b - a)
    return local - (offsets.find((offset) => offsetAt(local - offset) === offset) ?? offsets[1] ?? 0)
  }

  // Asked at every counter reading and changed once an hour: each period's last answer holds for a minute of time.
  const known = new Map<Period, { minute: number; start: number }>()
  return {
    periodStart(utcMs, over) {
      const minute = Math.floor(utcMs / 60_000)
      const last = known.get(over)
      if (last?.minute === minute) return last.start
      const start = startOf(utcMs, over)
      known.set(over, { minute, start })
      return start
    },
    wall,
    utcOf,
  }
}
