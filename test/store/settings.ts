/** Points and settings for tests, also for the ones that run in a process of their own. */
import { type Point, type PointType, pointId } from '../../src/model/point.ts'
import type { StoreSettings } from '../../src/model/site.ts'

export const SETTINGS: StoreSettings = {
  commitEveryMs: 5,
  wearBytesPerDay: 2 ** 31,
  budgetBytes: 2 ** 31,
  keepMs: {
    raw: 7 * 86_400_000,
    minutes: 90 * 86_400_000,
    hours: 730 * 86_400_000,
    alarms: 1000 * 86_400_000,
    audit: 200 * 86_400_000,
    access: 30 * 86_400_000,
    acked: 86_400_000,
  },
  cut: { everyMs: 5000, samples: 3600, bytes: 49_152 },
}

const LABEL = { en: 'x', zh: 'x' }

export function makePoints(devices: number, each: number, type: PointType = 'f64'): Point[] {
  return Array.from({ length: devices * each }, (_, index) => {
    const device = Math.floor(index / each)
    const key = `p${index % each}`
    return {
      index,
      id: pointId(`d${device}`, key),
      device,
      key,
      title: LABEL,
      std: null,
      kind: 'gauge',
      type,
      unit: 'V',
      source: {
        from: 'field',
        place: { protocol: 'payload', path: '$' },
        treatment: { scale: 1, offset: 0, invalid: [], map: null, invert: false },
        everyMs: 1000,
      },
      range: null,
      rateMax: null,
      debounceMs: 0,
      maxAgeMs: null,
      frozenAfterMs: null,
      deadband: 0,
      heartbeatMs: 300_000,
      personal: false,
      forbidden: false,
      write: null,
    }
  })
}
