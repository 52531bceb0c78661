/** A site small enough to read, and a clock that stands still until told. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { ClockReading, Item, TimeQuality } from '../../src/model/journal.ts'
import type { Value } from '../../src/model/point.ts'
import type { Sample } from '../../src/model/sample.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { SILENT } from '../../src/runtime/log.ts'
import type { Store } from '../../src/store/contract.ts'
import { openStore, type StoreOptions } from '../../src/store/store.ts'
import { makePoints, SETTINGS } from './settings.ts'

export const T0 = Date.UTC(2023, 10, 14, 22, 0)

export const FLOOR = Date.UTC(2023, 0)

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
