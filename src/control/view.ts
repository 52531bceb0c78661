/** The gateway as operations see it: one view made of the rooms that `gateway.ts` has wired. */
import { monitorEventLoopDelay, type RecordableHistogram } from 'node:perf_hooks'
import type { Board } from '../alarm/board.ts'
import type { Broker } from '../broker/broker.ts'
import { createTeller } from '../broker/write.ts'
import type { RunningBus } from '../bus/bus.ts'
import type { Image } from '../image/image.ts'
import type { Alarm } from '../model/alarm.ts'
import type { WriteOutcome, WriteRequest } from '../model/command.ts'
import type { EventType } from '../model/journal.ts'
import type { DeviceState } from '../model/sample.ts'
import type { Device, Site } from '../model/site.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Store } from '../store/contract.ts'
import type { Uplink } from '../uplink/uplink.ts'
import type {
  AuditEntry,
  BusStatus,
  DeviceStatus,
  GatewayView,
  Latency,
  ProcessStatus,
  UplinkStatus,
} from './context.ts'
import { createOutlets } from './outlets.ts'

export type Rooms = {
  readonly version: string
  /** When this run began; left out: now. */
  readonly startedMono?: number
  readonly site: Site
  readonly clock: Clock
  readonly store: Store
  readonly image: Image
  readonly board: Board
  readonly buses: readonly RunningBus[]
  readonly broker: Broker | null
  readonly uplinks: ReadonlyMap<string, Uplink>
  readonly onTurn: GatewayView['onTurn']
  readonly since: (kind: 'bus' | 'device', index: number) => number | null
  /** What was last said of a device; null, or left out: nothing so far. */
  readonly stateOf?: (device: number) => DeviceState | null
  readonly adopt: (step: ReturnType<Board['ack']>) => Promise<void>
  readonly tell: (
    type: EventType,
    device: string | null,
    body: Readonly<Record<string, unknown>>,
    options?: { urgent: boolean },
  ) => Promise<void>
  readonly keep: (
    states: readonly (readonly [string, string | null])[],
    how?: { readonly urgent?: boolean },
  ) => Promise<void>
  readonly reload: GatewayView['reload']
  /** Microseconds. */
  readonly toOutput: RecordableHistogram
  readonly toDurable: RecordableHistogram
}

/** What nobody can tell a device: it is composed, or only prints. */
const NO_WAY: WriteOutcome = {
  outcome: 'refused',
  cause: 'not writable from here',
  reason: { en: 'not writable from here', zh: '无法从这里写入' },
}

export function buildView(rooms: Rooms): GatewayView & { readonly close: () => void } {
  const { site, clock, store, image, board } = rooms
  const startedMono = rooms.startedMono ?? clock.mono()
  const { broker } = rooms
  const teller =
    broker === null
      ? null
      : createTeller({
          devices: site.devices,
          points: site.points,
          publish: broker.publish,
          image,
          onTurn: rooms.onTurn,
          mono: clock.mono,
        })
  const cost = createCost(rooms)
  /** Devices that publish or are composed: what the spine last said of them is in the image. */
  const quiet = { timeout: 0, crc: 0, exception: 0 }

  function deviceOnBus(device: Device, bus: RunningBus): DeviceStatus {
    const status = bus.devices().find((candidate) => candidate.index === device.index)
    if (status === undefined) throw new Error(`${device.id} is not on bus ${bus.bus.id}`)
    const seen = image.get(device.points[0] ?? 0)
    return {
      state: status.state,
      sinceMono: rooms.since('device', device.index),
      cause: status.state === 'offline' && seen.quality === 'bad' ? seen.cause : null,
      lastGoodMono: status.lastGood,
      errors: status.errors,
      latencyMs: status.answers > 0 ? status.responseMs.average : null,
    }
  }

  /** As its messages, its bridge or its last will say; where none says anything: online while one of its points is good. */
  function deviceByImage(device: Device): DeviceStatus {
    let lastGoodMono: number | null = null
    let alive = false
    let cause: DeviceStatus['cause'] = null
    for (const index of device.points) {
      const sample = image.get(index)
      // That no event has happened yet is no sign of life.
      if (site.points[index]?.kind === 'event' && sample.mono <= startedMono) continue
      if (sample.quality === 'bad') cause ??= sample.cause
      else {
        lastGoodMono = Math.max(lastGoodMono ?? 0, sample.mono)
        if (sample.quality === 'good') alive = true
      }
    }
    const state = rooms.stateOf?.(device.index) ?? (alive ? 'online' : 'offline')
    const sinceMono = rooms.since('device', device.index)
    return { state, sinceMono, cause: state === 'offline' ? cause : null, lastGoodMono, errors: quiet, latencyMs: null }
  }

  function busOf(index: number): RunningBus {
    const bus = rooms.buses.find((candidate) => candidate.bus.index === index)
    if (bus === undefined) throw new RangeError(`there is no bus ${index}`)
    return bus
  }

  function bus(index: number): BusStatus {
    const running = busOf(index)
    const status = running.status()
    const errors = { timeout: 0, crc: 0, exception: 0 }
    for (const device of running.devices()) {
      errors.timeout += device.errors.timeout
      errors.crc += device.errors.crc
      errors.exception += device.errors.exception
    }
    return {
      state: status.state,
      sinceMono: rooms.since('bus', index),
      cause: status.state === 'offline' ? causeOfBus(index) : null,
      utilisation: status.utilisation,
      cycleMs: status.cycleMs,
      predictedMs: status.predictedMs,
      errors,
    }
  }

  /** What its devices' points say. */
  function causeOfBus(index: number): BusStatus['cause'] {
    const device = site.devices.find(({ link }) => (link.kind === 'bus' || link.kind === 'lines') && link.bus === index)
    const sample = device?.points[0] === undefined ? null : image.get(device.points[0])
    return sample?.quality === 'bad' ? sample.cause : null
  }

  function uplink(id: string): UplinkStatus {
    const status = rooms.uplinks.get(id)?.status()
    if (status === undefined) throw new RangeError(`there is no uplink ${id}`)
    return {
      connected: status.connected,
      sinceMono: status.since - clock.utc(0),
      server: status.server,
      reason: status.connected ? null : (status.lastError ?? 'connecting'),
      held: !status.connected ? null : status.budgetSpent ? 'budget' : status.undelivered ? 'undelivered' : null,
    }
  }

  async function acknowledge(numbers: readonly number[], by: string): Promise<readonly number[]> {
    const open = new Set(board.live().flatMap(({ no, last }) => (last.acked ? [] : [no])))
    const taken: number[] = []
    for (const no of numbers) {
      if (!open.has(no)) continue
      await rooms.adopt(board.ack({ no }, by, { mono: clock.mono(), utc: clock.utc() }))
      taken.push(no)
    }
    return taken
  }

  async function refresh(points: readonly number[], signal: AbortSignal): Promise<void> {
    const asked = new Map<number, number[]>()
    for (const index of points) {
      const point = site.points[index]
      const device = site.devices[point?.device ?? -1]
      // What has no interval is only written: nobody knows what reading it would do.
      if (device?.link.kind !== 'bus' || (point?.source.from === 'field' && point.source.everyMs === null)) continue
      asked.set(device.link.bus, [...(asked.get(device.link.bus) ?? []), index])
    }
    const reading = Promise.all([...asked].map(([index, wanted]) => busOf(index).read(wanted)))
    const given = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    await Promise.race([reading, given])
    // The readings were posted before they were returned: one turn later they are in the image.
    await new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))
  }

  async function writeField(request: WriteRequest, signal: AbortSignal): Promise<WriteOutcome> {
    const device = site.devices[site.points[request.point]?.device ?? -1]
    if (device?.link.kind === 'bus') return await busOf(device.link.bus).write(request)
    return device?.link.kind === 'topic' && teller !== null ? await teller(request, signal) : NO_WAY
  }
  const write = createOutlets({ site, mono: () => clock.mono(), write: writeField })

  return {
    version: rooms.version,
    startedMono,
    clock,
    identity: store.identity,
    site: () => site,
    latest: (point) => image.get(point),
    onTurn: rooms.onTurn,
    device(index) {
      const device = site.devices[index]
      if (device === undefined) throw new RangeError(`there is no device ${index}`)
      return device.link.kind === 'bus' ? deviceOnBus(device, busOf(device.link.bus)) : deviceByImage(device)
    },
    bus,
    wire: busOf,
    rules: {
      look: (id) => board.look(id, image),
      ids: () => board.ids(),
      watching: (point) => board.watching(point),
    },
    uplink,
    broker() {
      if (rooms.broker === null) return null
      const { clients, listening } = rooms.broker.status()
      return { clients, listening: listening.map(({ kind, host, port }) => `${kind}://${host}:${port}`) }
    },
    store,
    alarms: (): readonly Alarm[] => board.live(),
    acknowledge,
    refresh,
    write,
    audit: (entry: AuditEntry) => rooms.tell('audit', null, { ...entry }, { urgent: true }),
    process: cost.status,
    state: (key) => store.states.get(key) ?? null,
    keep: (key, value) => rooms.keep([[key, value]], { urgent: true }),
    reload: rooms.reload,
    close: cost.close,
  }
}

/** What the process itself costs, and how quick alarms were. */
function createCost(rooms: Rooms): { status: () => ProcessStatus; close: () => void } {
  const lag = monitorEventLoopDelay({ resolution: 10 })
  lag.enable()
  const latency = (histogram: RecordableHistogram): Latency => ({
    count: histogram.count,
    p50: histogram.count === 0 ? 0 : histogram.percentile(50) / 1000,
    p99: histogram.count === 0 ? 0 : histogram.percentile(99) / 1000,
  })
  return {
    status() {
      const { user, system } = process.cpuUsage()
      return {
        rssBytes: process.memoryUsage.rss(),
        cpuMs: (user + system) / 1000,
        // The monitor's own 10 ms timer is not lag.
        loopLagP99Ms: Math.max(0, lag.percentile(99) / 1e6 - 10),
        alarmToOutputMs: latency(rooms.toOutput),
        alarmToDurableMs: latency(rooms.toDurable),
      }
    },
    close: () => {
      lag.disable()
    },
  }
}
