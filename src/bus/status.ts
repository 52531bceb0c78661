/** What a bus and its devices say of themselves: the shapes of `buses --json` and `devices --json`, and more for people. */
import type { DeviceState, Trend } from '../model/sample.ts'
import type { Bus } from '../model/site.ts'
import type { Connection } from './connection.ts'
import type { WireCounts } from './flight.ts'
import { trendOf } from './health.ts'
import type { Stranger, Strangers } from './overhear.ts'
import type { Prediction } from './predict.ts'
import type { Seat } from './schedule.ts'
import type { Roster } from './seats.ts'
import type { ServerText, Texts } from './texts.ts'
import { quietMs } from './timing.ts'

export type BusStatus = {
  readonly bus: string
  readonly wire: string
  readonly state: 'online' | 'offline'
  /** What the system said when it could not be opened, or was lost; null: it is up. */
  readonly why: string | null
  /** Share of the last 10 to 20 s in which the wire was in use, silences included. */
  readonly utilisation: number
  /** What asking everything once takes, by the last exchanges. */
  readonly cycleMs: number
  readonly predictedMs: number
  readonly frames: number
  /** Replies to requests that had been given up. */
  readonly lateFrames: number
  /** Sound frames that answer nothing we asked: another master, another line. */
  readonly foreignFrames: number
  readonly junkBytes: number
  /** What a serial server says for itself, between the frames: registration, heartbeat. */
  readonly texts: readonly ServerText[]
  /** A bus that only listens: lines that were not used, by reason. */
  readonly refusals?: Readonly<Record<string, number>>
  /** Whom those frames come from: another master that polls, devices that answer it. */
  readonly strangers: readonly Stranger[]
  /** Copies of our own requests that the adapter returned. */
  readonly echoes: number
  /** Answers given up because another master had asked the same device meanwhile. */
  readonly collisions: number
  /** Writes that were held back until another master had finished. */
  readonly yields: number
  /** Changes of the line setting, and what one takes. */
  readonly lineChanges: number
  readonly lineChangeMs: number
  readonly health: BusHealth
  readonly bytes: { readonly in: number; readonly out: number }
  /** How often it was opened. */
  readonly opens: number
}

/** All its devices taken together: what is wrong with the wire is wrong with most of them. */
export type BusHealth = {
  readonly answers: number
  readonly errors: { readonly timeout: number; readonly crc: number; readonly exception: number }
  /** Mean over its devices of the share of failed attempts of late. */
  readonly errorShare: number
  readonly responseMs: number
  readonly usualMs: number
  readonly online: number
  readonly degraded: number
  readonly offline: number
}

export type DeviceStatus = {
  /** Index in `Site.devices`. */
  readonly index: number
  readonly device: string
  readonly driver: string
  readonly bus: string
  readonly state: DeviceState
  /** Monotonic ms of the last answer with values, null: never in this run. */
  readonly lastGood: number | null
  readonly errors: { readonly timeout: number; readonly crc: number; readonly exception: number }
  readonly answers: number
  readonly responseMs: { readonly average: number; readonly max: number; readonly slowest: number }
  /** Why it is degraded. */
  readonly why: Trend['why'] | null
  /** Against its own past; null: not heard of yet. */
  readonly trend: Omit<Trend, 'why'> | null
  /** Somebody else answers in its place, under this address; null: nobody does. */
  readonly answersAs: string | null
  /** Answers under a foreign address, held back. */
  readonly misaddressed: number
}

export function statusOf(from: {
  bus: Bus
  connection: Connection
  roster: Roster
  counts: WireCounts
  strangers: Strangers
  texts: Texts
  prediction: Prediction
  why: string | null
  bytes: BusStatus['bytes']
  utilisation: number
}): BusStatus {
  const { bus, counts } = from
  let cycleMs = 0
  for (const task of from.roster.tasks()) {
    if (task.everyMs === 0) continue
    const { seat } = task
    cycleMs +=
      task.lastMs + (bus.wire.kind === 'modbus-tcp' ? 0 : quietMs(seat.framing, seat.line, seat.link.limits.guardMs))
  }
  return {
    bus: bus.id,
    wire: bus.wireText,
    state: from.connection.state ?? 'offline',
    why: from.why,
    utilisation: round(from.utilisation, 1000),
    cycleMs: round(cycleMs, 10),
    predictedMs: round(from.prediction.cycleMs, 10),
    frames: counts.frames,
    lateFrames: counts.late,
    foreignFrames: counts.foreign,
    junkBytes: counts.junkBytes,
    texts: from.texts.list(),
    strangers: from.strangers.list(),
    echoes: counts.echoes,
    collisions: counts.collisions,
    yields: counts.yields,
    lineChanges: counts.switches,
    lineChangeMs: counts.switches === 0 ? 0 : round(counts.switchMs / counts.switches, 10),
    health: healthOf(from.roster.seats),
    bytes: { ...from.bytes },
    opens: from.connection.opens,
  }
}

function healthOf(seats: readonly Seat[]): BusHealth {
  const errors = { timeout: 0, crc: 0, exception: 0 }
  const states = { online: 0, degraded: 0, offline: 0 }
  let answers = 0
  let errorShare = 0
  let recent = 0
  let usual = 0
  let heard = 0
  for (const { health } of seats) {
    for (const kind of ['timeout', 'crc', 'exception'] as const) errors[kind] += health.errors[kind]
    states[health.state ?? 'offline'] += 1
    answers += health.answers
    errorShare += health.failureShare
    if (health.answers === 0) continue
    heard += 1
    recent += health.recentMs
    usual += health.usualMs
  }
  return {
    answers,
    errors,
    errorShare: seats.length === 0 ? 0 : round(errorShare / seats.length, 1000),
    responseMs: heard === 0 ? 0 : round(recent / heard, 10),
    usualMs: heard === 0 ? 0 : round(usual / heard, 10),
    ...states,
  }
}

/** A device behind a dead wire is offline whatever it was before. */
export function deviceStatusOf(bus: Bus, seat: Seat, wire: 'online' | 'offline' | null): DeviceStatus {
  const { device, health } = seat
  return {
    index: device.index,
    device: device.id,
    driver: device.driver,
    bus: bus.id,
    state: wire === 'online' ? (health.state ?? 'offline') : 'offline',
    lastGood: health.lastGood,
    errors: { ...health.errors },
    answers: health.answers,
    responseMs: {
      average: round(health.averageMs, 10),
      max: round(health.maxMs, 10),
      slowest: round(health.slowestMs, 10),
    },
    why: health.why,
    trend: trendOf(health),
    ...seat.identity,
  }
}

export type Meter = {
  /** Cheap enough for every exchange. */
  readonly look: (now: number, busyMs: number) => void
  readonly read: (now: number, busyMs: number) => number
}

const WINDOW_MS = 10_000

/** Share of time in use over the present window and the one before. */
export function createMeter(start: number): Meter {
  let before = { at: start, busyMs: 0 }
  let mark = before
  function look(now: number, busyMs: number): void {
    if (now - mark.at < WINDOW_MS) return
    before = mark
    mark = { at: now, busyMs }
  }
  return {
    look,
    read(now, busyMs) {
      look(now, busyMs)
      const span = now - before.at
      return span <= 0 ? 0 : Math.min(1, Math.max(0, (busyMs - before.busyMs) / span))
    },
  }
}

function round(value: number, steps: number): number {
  return Math.round(value * steps) / steps
}
