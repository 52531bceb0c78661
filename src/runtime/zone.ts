/** Calendar periods in a named time zone. Everything stored is UTC; only people and schedules live in a zone. */

export type Period = 'hour' | 'day' | 'month'

/** Throws a RangeError for a name that the runtime does not know. */
export function createZone(timezone: string): { readonly periodStart: (utcMs: number, over: Period) => number } {
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
  }
}
