/** What a bus and its devices say of themselves: the shapes of `buses --json` and `devices --json`, and more for people. */
import type { DeviceState } from '../model/sample.ts'
import type { Bus } from '../model/site.ts'
import type { Connection } from './connection.ts'
import type { WireCounts } from './exchange.ts'
import type { Prediction } from './predict.ts'
import type { Seat } from './schedule.ts'
import type { Roster } from './seats.ts'
import { quietMs } from './timing.ts'

export type BusStatus = {
  readonly bus: string
  readonly wire: string
  readonly state: 'online' | 'offline'
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
  readonly bytes: { readonly in: number; readonly out: number }
  /** How often it was opened. */
  readonly opens: number
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
}

export function statusOf(from: {
  bus: Bus
  connection: Connection
  roster: Roster
  counts: WireCounts
  prediction: Prediction
  bytes: BusStatus['bytes']
  utilisation: number
}): BusStatus {
  const { bus, counts } = from
  let cycleMs = 0
  for (const task of from.roster.tasks()) {
    if (task.everyMs === 0) continue
    const { seat } = task
    cycleMs += task.lastMs + (bus.wire.kind === 'modbus-tcp' ? 0 : quietMs(seat.line, seat.link.limits.guardMs))
  }
  return {
    bus: bus.id,
    wire: bus.wireText,
    state: from.connection.state ?? 'offline',
    utilisation: round(from.utilisation, 1000),
    cycleMs: round(cycleMs, 10),
    predictedMs: round(from.prediction.cycleMs, 10),
    frames: counts.frames,
    lateFrames: counts.late,
    foreignFrames: counts.foreign,
    junkBytes: counts.junkBytes,
    bytes: { ...from.bytes },
    opens: from.connection.opens,
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
