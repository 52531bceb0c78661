/** One look at the whole gateway: the shape of `status --json`, with what is broken first. */
import { causeText } from '../model/fault.ts'
import { isTrusted } from '../runtime/clock.ts'
import type { GatewayView } from './context.ts'
import { conditionOf } from './health.ts'
import { alarmRow, busRow, byUrgency, utcOf } from './rows.ts'
import type { BusRow, Problem, Status } from './shapes.ts'

/** The store says itself when it must not fall behind further (30 s); a tenth of it is worth a line. */
const LAG_WORTH_SAYING_MS = 5_000
const ALARMS_SHOWN = 5

export function buildStatus(view: GatewayView): Status {
  const site = view.site()
  const time = view.clock.now()
  const utc = view.clock.utc(time.mono)
  const store = view.store.status()
  const buses = site.buses.map((bus) => busRow(view, bus))
  const alarms = view
    .alarms()
    .map(alarmRow)
    .filter(({ state }) => state === 'unacknowledged' || state === 'acknowledged' || state === 'returned')
  const broker = view.broker()
  return {
    site: site.id,
    gateway: site.gateway.id,
    version: view.version,
    uptimeS: Math.max(0, Math.floor((time.mono - view.startedMono) / 1000)),
    clock: { trusted: isTrusted(time.quality), quality: time.quality, at: utc },
    devices: {
      total: site.devices.length,
      online: site.devices.filter(({ index }) => view.device(index).state === 'online').length,
    },
    points: countPoints(view),
    store: {
      samplesCommitted: store.samplesCommitted,
      bytes: store.bytes,
      lagMs: Math.round(store.lagMs),
      durable: store.durable,
      commitEveryMs: store.commitEveryMs,
      wearBytesPerDay: Math.round(store.wearBytesPerDay),
    },
    uplinks: Object.fromEntries(site.uplinks.map(({ id }) => [id, uplinkStatus(view, id, utc)])),
    alarms: {
      active: alarms.filter(({ active }) => active).length,
      unacknowledged: alarms.filter(({ acked }) => !acked).length,
    },
    siteName: site.name,
    epoch: view.identity.epoch,
    boot: view.identity.boot,
    buses,
    process: view.process(),
    broker: broker === null ? null : { listening: [...broker.listening], clients: broker.clients },
    problems: findProblems(view, buses),
    alarmsFirst: alarms.toSorted(byUrgency).slice(0, ALARMS_SHOWN),
  }
}

function uplinkStatus(view: GatewayView, id: string, utc: number): Status['uplinks'][string] {
  const { connected, server, reason, held } = view.uplink(id)
  const { batches, samples, oldestAt } = view.store.outbox(id).waiting()
  return {
    connected,
    waitingBatches: batches,
    waitingSamples: samples,
    oldestWaitingMs: oldestAt === null ? null : Math.max(0, utc - oldestAt),
    server,
    reason,
    held,
  }
}

function countPoints(view: GatewayView): Status['points'] {
  const { points } = view.site()
  const count = { good: 0, uncertain: 0, bad: 0 }
  for (const { index } of points) count[view.latest(index).quality] += 1
  return { total: points.length, ...count }
}

/** A dead bus is one problem, not one per device on it. */
function findProblems(view: GatewayView, buses: readonly BusRow[]): Problem[] {
  const site = view.site()
  const problems: Problem[] = []
  const store = view.store.status()
  if (!store.durable)
    problems.push({
      kind: 'store_not_durable',
      subject: null,
      cause: null,
      since: null,
      count: Math.round(store.lagMs),
    })
  else if (store.lagMs > LAG_WORTH_SAYING_MS)
    problems.push({ kind: 'store_behind', subject: null, cause: null, since: null, count: Math.round(store.lagMs) })
  for (const bus of buses) {
    if (bus.state === 'online') continue
    const { bus: subject, cause, since, devices } = bus
    problems.push({ kind: 'bus_offline', subject, cause, since, count: devices.total })
  }
  for (const device of site.devices) {
    const live = view.device(device.index)
    if (live.state !== 'offline' && live.state !== 'degraded') continue
    if (device.link.kind === 'bus' && view.bus(device.link.bus).state === 'offline') continue
    const { health, answersAs } = conditionOf(view, device)
    problems.push({
      kind: live.state === 'offline' ? 'device_offline' : 'device_degraded',
      subject: device.id,
      cause: live.cause === null ? null : causeText(live.cause),
      since: utcOf(view, live.sinceMono),
      count: null,
      ...(health === null ? {} : { health }),
      ...(answersAs === null ? {} : { answersAs }),
    })
  }
  for (const { id } of site.uplinks) {
    const { connected, reason, sinceMono, held } = view.uplink(id)
    if (!connected)
      problems.push({ kind: 'uplink_down', subject: id, cause: reason, since: utcOf(view, sinceMono), count: null })
    else if (held !== null)
      problems.push({ kind: `uplink_${held}`, subject: id, cause: null, since: null, count: null })
  }
  const { quality } = view.clock.now()
  if (!isTrusted(quality))
    problems.push({ kind: 'clock_untrusted', subject: null, cause: `tq${quality}`, since: null, count: null })
  const order: readonly Problem['kind'][] = [
    'store_not_durable',
    'bus_offline',
    'device_offline',
    'uplink_down',
    'uplink_undelivered',
    'uplink_budget',
    'clock_untrusted',
    'store_behind',
    'device_degraded',
  ]
  return problems.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
}
