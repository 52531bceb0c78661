/** How long the disk budget lasts: printed by `check` before anything is installed. */
import type { Site } from '../model/site.ts'

/** Bytes on disk of a sample of noisy signals, chunk, batch row and history together: see `npm run bench`, written per sample. */
const BYTES_PER_SAMPLE = 6
const DAY_MS = 86_400_000

export type Capacity = {
  /** If every reading were a report: what the budget must be able to bear. */
  readonly samplesPerDayMost: number
  /** If nothing moved: heartbeats alone. */
  readonly samplesPerDayLeast: number
  /** Days of raw data that the budget holds when every reading is a report. */
  readonly daysAtMost: number
  /** `keep.raw` in days. */
  readonly daysWanted: number
}

export function capacityOf(site: Pick<Site, 'points' | 'store'>): Capacity {
  let most = 0
  let least = 0
  for (const point of site.points) {
    const beats = DAY_MS / point.heartbeatMs
    least += beats
    const everyMs = point.source.from === 'field' ? point.source.everyMs : null
    most += everyMs === null ? beats : DAY_MS / everyMs
  }
  return {
    samplesPerDayMost: Math.round(most),
    samplesPerDayLeast: Math.round(least),
    daysAtMost: most === 0 ? Number.POSITIVE_INFINITY : site.store.budgetBytes / (most * BYTES_PER_SAMPLE),
    daysWanted: site.store.keepMs.raw / DAY_MS,
  }
}
