/**
 * What meters said at midnight, told once per device and day as `freeze` events. At midnight itself they are asked; a midnight that
 * was missed (no power, no answer) is told late from what was read around it, and where nothing was, that is told: no value is
 * invented or carried over.
 */
import { causeText } from '../model/fault.ts'
import type { Event, EventType } from '../model/journal.ts'
import type { Point, Value } from '../model/point.ts'
import type { Device, Site } from '../model/site.ts'
import type { Sample } from '../model/sample.ts'
import type { Zone } from '../runtime/zone.ts'
import type { Store } from '../store/contract.ts'
import type { FreezeBook } from './freezebook.ts'

export type FreezeOptions = {
  readonly site: () => Site
  readonly zone: Zone
  /** UTC ms. */
  readonly now: () => number
  readonly utc: (mono: number) => number
  readonly mono: () => number
  readonly latest: (point: number) => Sample
  /** Asks now, ahead of the polls; resolves when the answers, or why there are none, are what `latest` says. */
  readonly refresh: (points: readonly number[], signal: AbortSignal) => Promise<void>
  readonly history: Store['history']
  readonly tell: (type: EventType, device: string, body: Event['body']) => Promise<void>
  readonly book: FreezeBook
  readonly signal: AbortSignal
}

/** So far from midnight a reading is still midnight's. */
const AROUND_MS = 5 * 60_000
/** Older midnights are not told any more: one event per device and day is enough said of a month without power. */
const DAYS_MAX = 31
/** A lost reply must not cost the day. */
const TRIES = 2

/** Runs some seconds after midnight, and again later, for what was missed. Does nothing where nothing is to tell. */
export function createMidnights(options: FreezeOptions): () => Promise<void> {
  const { zone, book, signal } = options
  /** Why a device had nothing to say at the midnight itself: `device midnight`. */
  const silent = new Map<string, string>()

  return async () => {
    const now = options.now()
    const today = zone.periodStart(now, 'day')
    const site = options.site()
    const asked = new Map<number, (() => Promise<void>)[]>()
    for (const { device, points } of metersOf(site)) {
      if (!isStill(site)) return
      const told = book.of(device.id).day
      // Its first day begins now: what was before it nobody asked for.
      if (told === null) await book.note(device.id, { day: today })
      for (const at of told === null ? [] : missed(told, today)) {
        if (now - at >= AROUND_MS) {
          await late(device, points, at)
        } else if (device.link.kind === 'bus' && !silent.has(`${device.id} ${at}`)) {
          const queue = asked.get(device.link.bus) ?? []
          queue.push(() => live({ device, points }, at, site))
          asked.set(device.link.bus, queue)
        }
      }
    }
    await Promise.all([...asked.values()].map((queue) => oneByOne(queue, site)))
  }

  async function oneByOne(queue: readonly (() => Promise<void>)[], site: Site): Promise<void> {
    for (const next of queue) if (isStill(site)) await next()
  }

  /** After a reload points have other numbers: what is left comes with the next run. */
  function isStill(site: Site): boolean {
    return !signal.aborted && options.site() === site
  }

  function missed(told: number, today: number): readonly number[] {
    const days: number[] = []
    // A day has 23 to 25 hours: twelve before its midnight it was the day before.
    for (let at = today; at > told && days.length < DAYS_MAX; at = zone.periodStart(at - 12 * 3_600_000, 'day'))
      days.push(at)
    return days.reverse()
  }

  async function live({ device, points }: Meter, at: number, site: Site): Promise<void> {
    const began = Math.floor(options.mono())
    let open = points
    for (let attempt = 0; attempt < TRIES && open.length > 0 && isStill(site); attempt++) {
      await options.refresh(
        open.map(({ index }) => index),
        signal,
      )
      open = open.filter(({ index }) => !isFresh(options.latest(index), began))
    }
    if (!isStill(site)) return
    const good: Found[] = []
    const faults: Record<string, string> = {}
    for (const point of points) {
      const sample = options.latest(point.index)
      if (sample.quality !== 'good') faults[point.key] = causeText(sample.cause)
      else if (!isFresh(sample, began)) faults[point.key] = causeText({ kind: 'not_read' })
      else good.push({ point, value: sample.value, readAt: options.utc(sample.mono) })
    }
    if (good.length > 0) return await tell(device, at, { ...bodyOf(good), ...namedOf(faults), source: 'live' })
    // It may come back within the minutes that still count: what then was read is found when this midnight is told late.
    silent.set(`${device.id} ${at}`, Object.values(faults)[0] ?? 'not_read')
  }

  async function late(device: Device, points: readonly Point[], at: number): Promise<void> {
    const good: Found[] = []
    const faults: Record<string, string> = {}
    const why = silent.get(`${device.id} ${at}`) ?? 'no_sample'
    for (const point of points) {
      const found = await nearest(point, at)
      if (found === null) faults[point.key] = why
      else good.push(found)
    }
    silent.delete(`${device.id} ${at}`)
    if (good.length === 0) return await tell(device, at, { source: 'none', why })
    await tell(device, at, { ...bodyOf(good), ...namedOf(faults), source: 'history' })
  }

  async function nearest(point: Point, at: number): Promise<Found | null> {
    const around = { from: at - AROUND_MS, to: at + AROUND_MS + 1 }
    const rows = await options.history({ point: point.id, ...around, everyMs: 0, good: true })
    let best: Found | null = null
    for (const [readAt, , , , last] of rows) {
      if (last === null || (best !== null && Math.abs(best.readAt - at) < Math.abs(readAt - at))) continue
      best = { point, value: last, readAt }
    }
    return best
  }

  /** Told before it is noted: a power cut in between tells a day twice, never not at all. */
  async function tell({ id }: Device, at: number, body: Event['body']): Promise<void> {
    await options.tell('freeze', id, { period: 'day', at, ...body })
    await book.note(id, { day: at })
  }
}

export type Found = { readonly point: Point; readonly value: Value; readonly readAt: number }

/** What is told of good values. `readAt` is the last of them. */
export function bodyOf(found: readonly Found[]): Event['body'] {
  const units = found.flatMap(({ point }) => (point.unit === null ? [] : [[point.key, point.unit] as const]))
  return {
    values: Object.fromEntries(found.map(({ point, value }) => [point.key, value])),
    ...(units.length === 0 ? {} : { units: Object.fromEntries(units) }),
    readAt: Math.max(...found.map(({ readAt }) => readAt)),
  }
}

export function namedOf(faults: Readonly<Record<string, string>>): Event['body'] {
  return Object.keys(faults).length === 0 ? {} : { faults }
}

export type Meter = { readonly device: Device; readonly points: readonly Point[] }

/** Metering devices that are read from the field, with their counters of the present. */
export function metersOf({ devices, points }: Pick<Site, 'devices' | 'points'>): readonly Meter[] {
  return devices.flatMap((device): readonly Meter[] => {
    if (device.category !== 'meter' || device.freeze === false) return []
    const own = device.points.flatMap((index) => points[index] ?? []).filter(isPresent)
    return own.length === 0 ? [] : [{ device, points: own }]
  })
}

/** A counter read from the field, and not one that the meter itself froze. */
function isPresent({ kind, source }: Point): boolean {
  if (kind !== 'counter' || source.from !== 'field') return false
  const { place } = source
  if (place.protocol !== 'dlt645') return true
  // 2007: the last pair is the settlement. 1997: 94 and 98 are the months before.
  return place.item.length === 8 ? place.item.endsWith('00') : !/^9[48]/.test(place.item)
}

function isFresh(sample: Sample, since: number): boolean {
  return sample.quality === 'good' && sample.mono >= since
}
