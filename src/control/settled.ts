/**
 * Settlements (usually month ends) of DL/T 645-2007 meters, from the meter's own history, told as `freeze` events with the
 * settlement's own time. Which register of the history is which month follows from the meter's clock, not from ours: it is read
 * before, and a meter whose clock is far off gives no month at all.
 */
import type { CommandResult } from '../bus/orders.ts'
import { causeText, type Fault } from '../model/fault.ts'
import type { Event, EventType } from '../model/journal.ts'
import type { Point, Value } from '../model/point.ts'
import type { Device, Site } from '../model/site.ts'
import { itemOf, readItem, type Settlement, settlementsSince } from '../protocols/dlt645/index.ts'
import type { Question } from '../protocols/protocol.ts'
import type { Zone } from '../runtime/zone.ts'
import { bodyOf, type Found, metersOf, namedOf } from './freeze.ts'
import type { FreezeBook } from './freezebook.ts'

export type SettledOptions = {
  readonly site: () => Site
  readonly zone: Zone
  /** UTC ms. */
  readonly now: () => number
  /** Does it answer its polls? Others are not asked. */
  readonly speaks: (device: number) => boolean
  /** One question to a device of the site, ahead of its polls. */
  readonly ask: (device: Device, question: Question) => Promise<CommandResult>
  readonly tell: (type: EventType, device: string, body: Event['body']) => Promise<void>
  readonly book: FreezeBook
  readonly signal: AbortSignal
}

type MeterDevice = Device & { readonly link: Extract<Device['link'], { kind: 'bus' }> }
type Meter = { readonly device: MeterDevice; readonly points: readonly Point[] }
/** What the meter said; `never`: asking again will not change it. */
type Said =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'fault'; readonly cause: string; readonly never: boolean }

const SETTLEMENT_DAY = '04000B01'
const DATE = '04000101'
const TIME = '04000102'
/** A meter whose clock is slow settles later than ours says. */
const AFTER_MS = 10 * 60_000
/** The broadcast of the time corrects 5 minutes at most; what is further off is wrong, and so are its months. */
const CLOCK_OFF_MAX_MS = 3_600_000
const FIRST_OF_MONTH = '0100'

/** Runs now and then. Asks a meter only when one of its settlements must have come since the last one told. */
export function createSettled(options: SettledOptions): () => Promise<void> {
  const { zone, book, signal } = options
  /** `0100`, or why the meter does not say; by device id, for one run of the gateway. */
  const days = new Map<string, Said>()

  return async () => {
    const site = options.site()
    const buses = Map.groupBy(settlingOf(site), ({ device }) => device.link.bus)
    await Promise.all([...buses.values()].map((meters) => oneByOne(meters, site)))
  }

  async function oneByOne(meters: readonly Meter[], site: Site): Promise<void> {
    // After a reload buses have other numbers: what is left comes with the next run.
    for (const meter of meters) if (!signal.aborted && options.site() === site) await look(meter, site)
  }

  async function look(meter: Meter, site: Site): Promise<void> {
    const { device } = meter
    const since = book.of(device.id).settled
    // What it settled before we came nobody asked for.
    if (since === null) return await book.note(device.id, { settled: hourOf(options.now()) })
    if (!options.speaks(device.index)) return
    const day = days.get(device.id) ?? (await read(device, SETTLEMENT_DAY))
    if (day.kind === 'fault' && !day.never) return
    days.set(device.id, day)
    const settles = day.kind === 'value' ? String(day.value) : FIRST_OF_MONTH
    const now = hourOf(options.now() - AFTER_MS)
    const due = settlementsSince({ since, now, settles }, itemsOf(meter))
    const [latest] = typeof due === 'string' ? none(since, now, meter) : due.slice(-1)
    if (latest === undefined) return
    const why = day.kind === 'fault' ? day.cause : typeof due === 'string' ? 'no_settlement_day' : null
    if (why !== null) return await tell(meter, latest, { source: 'none', why: `settlement_day: ${why}` })
    const clock = await clockOf(device)
    if (clock === null) return
    if ('why' in clock) return await tell(meter, latest, { source: 'none', why: `meter_clock: ${clock.why}` })
    const own = settlementsSince({ since, now: clock.hour, settles }, itemsOf(meter))
    for (const settlement of typeof own === 'string' ? [] : own) {
      const body = await frozen(meter, settlement)
      // Not answered: the ones behind it would be told out of turn.
      if (body === null || signal.aborted || options.site() !== site) return
      await tell(meter, settlement, body)
    }
  }

  /** The month ends that a meter without a settlement day would have had. */
  function none(since: string, now: string, meter: Meter): readonly Settlement[] {
    const due = settlementsSince({ since, now, settles: FIRST_OF_MONTH }, itemsOf(meter))
    return typeof due === 'string' ? [] : due.slice(-1)
  }

  /** The meter's own hour; `why`: it is not to be believed; null: not now. */
  async function clockOf(device: MeterDevice): Promise<{ hour: string } | { why: string } | null> {
    const time = await read(device, TIME)
    const date = time.kind === 'fault' ? time : await read(device, DATE)
    const failed = time.kind === 'fault' ? time : date.kind === 'fault' ? date : null
    if (failed !== null) return failed.never ? { why: failed.cause } : null
    const text = `${date.kind === 'value' ? date.value : ''}T${time.kind === 'value' ? time.value : ''}`
    const [, year, month, day, hour, minute, second] = /^(\d+)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/.exec(text) ?? []
    if (year === undefined || hour === undefined) return { why: text }
    // The next hour may begin, and the registers move on by one, before they are asked for.
    if (minute === '59') return null
    const wall = { year: Number(year), month: Number(month), day: Number(day), hour: Number(hour) }
    const utc = zone.utcOf(wall) + (Number(minute) * 60 + Number(second)) * 1000
    if (!(Math.abs(utc - options.now()) <= CLOCK_OFF_MAX_MS)) return { why: text }
    return { hour: `${year}-${month}-${day}T${hour}` }
  }

  /** null: it did not answer. */
  async function frozen({ device, points }: Meter, { items }: Settlement): Promise<Event['body'] | null> {
    const good: Found[] = []
    const faults: Record<string, string> = {}
    for (const [at, point] of points.entries()) {
      const said = await read(device, items[at] ?? '', point)
      if (said.kind === 'fault' && !said.never) return null
      if (said.kind === 'fault') faults[point.key] = said.cause
      else if (isWithin(said.value, point.range)) good.push({ point, value: said.value, readAt: options.now() })
      else faults[point.key] = causeText({ kind: 'out_of_range' })
    }
    if (good.length === 0) return { source: 'none', why: Object.values(faults)[0] ?? 'not_read' }
    return { ...bodyOf(good), ...namedOf(faults), source: 'meter' }
  }

  /** An item of the meter, read as `like` is read; left out: as the standard has it. */
  async function read(device: MeterDevice, item: string, like: Point | null = null): Promise<Said> {
    const source = like?.source.from === 'field' ? like.source : null
    const as = source?.place.protocol === 'dlt645' ? source.place.as : null
    const block = readItem(item, as, source?.treatment)
    const result = await options.ask(device, block.ask(device.link.address))
    if (result.kind === 'unsent') return { kind: 'fault', cause: result.why, never: false }
    if (result.kind === 'fault') return faulty(result.fault)
    const [reading] = block.read([], result.bodies)
    if (reading === undefined) return faulty({ kind: 'not_read' })
    return 'fault' in reading ? faulty(reading.fault) : { kind: 'value', value: reading.value }
  }

  /** Told before it is noted: a power cut in between tells it twice, never not at all. */
  async function tell({ device }: Meter, { at, monthEnd }: Settlement, body: Event['body']): Promise<void> {
    const [year = 0, month = 1, day = 1, hour = 0] = at.split(/[-T]/).map(Number)
    const period = monthEnd ? 'month' : 'settlement'
    await options.tell('freeze', device.id, { period, at: zone.utcOf({ year, month, day, hour }), ...body })
    await book.note(device.id, { settled: at })
  }

  function hourOf(utc: number): string {
    const { year, month, day, hour } = zone.wall(utc)
    return `${year}-${two(month)}-${two(day)}T${two(hour)}`
  }
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}

/** A refusal, and a register without a value, stay what they are; all else is of the wire. */
const LASTING: ReadonlySet<Fault['kind']> = new Set(['exception', 'sentinel', 'out_of_range', 'device_fault'])

function faulty(fault: Fault): Said {
  return { kind: 'fault', cause: causeText(fault), never: LASTING.has(fault.kind) }
}

function isWithin(value: Value, range: Point['range']): boolean {
  return range === null || typeof value !== 'number' || (value >= range[0] && value <= range[1])
}

function settlingOf(site: Site): readonly Meter[] {
  return metersOf(site).flatMap(({ device, points }): readonly Meter[] => {
    const { link } = device
    if (link.kind !== 'bus' || link.protocol !== 'dlt645') return []
    const own = points.filter((point) => hasSettlements(itemAt(point)))
    return own.length === 0 ? [] : [{ device: { ...device, link }, points: own }]
  })
}

/** Energies: 00, which one, tariff, settlement. 0090 is prepaid credit, whose last pair means something else. */
function hasSettlements(item: string): boolean {
  return /^00(?!90)[0-9A-F]{4}00$/.test(item) && itemOf(item) !== null
}

function itemAt({ source }: Point): string {
  return source.from === 'field' && source.place.protocol === 'dlt645' ? source.place.item : ''
}

function itemsOf({ points }: Meter): readonly string[] {
  return points.map(itemAt)
}
