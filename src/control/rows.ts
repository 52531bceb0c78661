/** Rows as they are answered, from the site and what is live. */
import type { Alarm } from '../model/alarm.ts'
import { causeText } from '../model/fault.ts'
import type { Point } from '../model/point.ts'
import type { Bus, Device } from '../model/site.ts'
import type { GatewayView } from './context.ts'
import { busHealthOf, conditionOf } from './health.ts'
import { reasonOf } from './reason.ts'
import type { AlarmRow, BusRow, DeviceRow, PointRow } from './shapes.ts'

/** UTC ms of a monotonic moment; null stays null. */
export function utcOf(view: GatewayView, mono: number | null): number | null {
  return mono === null ? null : view.clock.utc(mono)
}

export function pointRow(view: GatewayView, point: Point, titled = false): PointRow {
  const sample = view.latest(point.index)
  const site = view.site()
  const reason = sample.quality === 'good' ? null : reasonOf(site, site.devices[point.device], sample.cause)
  return {
    point: point.id,
    value: sample.quality === 'bad' ? null : sample.value,
    unit: point.unit,
    quality: sample.quality,
    cause: sample.quality === 'good' ? null : causeText(sample.cause),
    at: view.clock.utc(sample.mono),
    ...(reason === null ? {} : { reason }),
    ...(titled ? { title: point.title } : {}),
  }
}

export function deviceRow(view: GatewayView, device: Device): DeviceRow {
  const live = view.device(device.index)
  const { link } = device
  const reason = live.cause === null ? null : reasonOf(view.site(), device, live.cause)
  return {
    device: device.id,
    driver: device.driver,
    bus: link.kind === 'bus' || link.kind === 'lines' ? (view.site().buses[link.bus]?.id ?? null) : null,
    state: live.state,
    lastGood: utcOf(view, live.lastGoodMono),
    errors: live.errors,
    name: device.name,
    place: device.place,
    address: addressOf(link),
    cause: live.cause === null ? null : causeText(live.cause),
    ...(reason === null ? {} : { reason }),
    since: utcOf(view, live.sinceMono),
    latencyMs: live.latencyMs,
    ...conditionOf(view, device),
  }
}

function addressOf(link: Device['link']): string | null {
  if (link.kind === 'bus') return String(link.address)
  if (link.kind === 'topic') return link.topic
  return link.kind === 'lines' ? link.id : null
}

export function busRow(view: GatewayView, bus: Bus): BusRow {
  const live = view.bus(bus.index)
  const states = view
    .site()
    .devices.filter(({ link }) => (link.kind === 'bus' || link.kind === 'lines') && link.bus === bus.index)
    .map(({ index }) => view.device(index))
  const latencies = states.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]))
  return {
    bus: bus.id,
    wire: bus.wireText,
    state: live.state,
    utilisation: live.utilisation,
    cycleMs: live.cycleMs,
    predictedMs: live.predictedMs,
    cause: live.cause === null ? null : causeText(live.cause),
    since: utcOf(view, live.sinceMono),
    errors: live.errors,
    devices: { total: states.length, online: states.filter(({ state }) => state === 'online').length },
    latencyMs: latencies.length === 0 ? null : latencies.reduce((sum, ms) => sum + ms, 0) / latencies.length,
    health: busHealthOf(view, bus),
  }
}

export function alarmRow({ no, last }: Alarm): AlarmRow {
  return {
    no,
    id: last.id,
    rule: last.rule,
    device: last.i,
    priority: last.pri,
    state: alarmState({ no, last }),
    active: last.active,
    acked: last.acked,
    raisedAt: last.raised,
    place: last.place,
    inputs: last.inputs,
    text: last.text,
    advice: last.advice,
    repeats: last.n,
  }
}

/** One word for the two axes and what stands over them. */
export function alarmState({ last }: Alarm): AlarmRow['state'] {
  if (last.suppressed === 'out_of_service') return 'out_of_service'
  if (last.suppressed !== null) return 'suppressed'
  if (last.shelved !== null) return 'shelved'
  if (!last.active) return 'returned'
  return last.acked ? 'acknowledged' : 'unacknowledged'
}

const URGENCY: Readonly<Record<AlarmRow['state'], number>> = {
  unacknowledged: 0,
  acknowledged: 1,
  returned: 2,
  shelved: 3,
  suppressed: 4,
  out_of_service: 5,
}
const PRIORITY: Readonly<Record<AlarmRow['priority'], number>> = { critical: 0, high: 1, medium: 2, low: 3 }

/** What wants somebody first: what is still active and unseen, then by priority, then the newest. */
export function byUrgency(a: AlarmRow, b: AlarmRow): number {
  return URGENCY[a.state] - URGENCY[b.state] || PRIORITY[a.priority] - PRIORITY[b.priority] || b.raisedAt - a.raisedAt
}
