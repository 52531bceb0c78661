/** A site small enough to read, and a clock that stands still until told. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ClockReading, Item, TimeQuality } from '../../src/model/journal.ts'
import { type Point, type PointType, pointId, type Value } from '../../src/model/point.ts'
import type { Sample } from '../../src/model/sample.ts'
import type { StoreSettings } from '../../src/model/site.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { SILENT } from '../../src/runtime/log.ts'
import type { Store } from '../../src/store/contract.ts'
import { openStore, type StoreOptions } from '../../src/store/store.ts'

export const T0 = Date.UTC(2023, 10, 14, 22, 0)

export const FLOOR = Date.UTC(2023, 0)

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

export type FakeClock = Clock & { step: (ms: number) => void; trust: (quality: TimeQuality, offsetMs?: number) => void }

export function fakeClock(quality: TimeQuality = 1, offsetMs = T0): FakeClock {
  let mono = 1000
  let floor = FLOOR
  let offset = offsetMs
  let trusted = quality
  const now = (): ClockReading => ({ mono, offsetMs: offset, quality: trusted, errorMs: null })
  return {
    mono: () => mono,
    now,
    utc: (at?: number) => (at ?? mono) + offset,
    floorMs: () => floor,
    raiseFloor: (utcMs) => {
      floor = Math.max(floor, utcMs)
    },
    step: (ms) => {
      mono += ms
    },
    trust: (next: TimeQuality, at?: number) => {
      trusted = next
      offset = at ?? offset
    },
  }
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

export function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'gatehouse-store-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export const good = (point: number, mono: number, value: Value): Sample => ({ point, mono, quality: 'good', value })

export function storeOptions(dir: string, clock: Clock, more: Partial<StoreOptions> = {}): StoreOptions {
  const points = makePoints(3, 4)
  return {
    dir,
    settings: SETTINGS,
    points,
    devices: [{ id: 'd0' }, { id: 'd1' }, { id: 'd2' }],
    catalogueSha: 'abc',
    clock,
    log: SILENT,
    uplinks: ['cloud'],
    timezone: 'Asia/Shanghai',
    ...more,
  }
}

export async function open(dir: string, clock: Clock, more: Partial<StoreOptions> = {}): Promise<Store> {
  const store = await openStore(storeOptions(dir, clock, more))
  onTestFinished(() => store.close())
  return store
}

/** Resolves when all of it is durable. */
export function commit(
  store: Store,
  clock: Clock,
  delta: {
    reports?: readonly Sample[]
    items?: readonly Item[]
    states?: readonly (readonly [string, string | null])[]
  },
): Promise<void> {
  return new Promise((resolve, reject) => {
    store.commit({
      time: clock.now(),
      reports: delta.reports ?? [],
      items: delta.items ?? [],
      states: delta.states ?? [],
      urgent: true,
      settled: (error) => (error === null ? resolve() : reject(error)),
    })
  })
}

export const LIMITS = { max: 1000, bytesMax: 10_000_000 }
