/**
 * Answers as the devices of a site, on real sockets: modbus-tcp buses behind modbus-serial's server, RS-485 lines by a slave of
 * our own in a TCP stream or behind a pseudo terminal, and devices that publish over MQTT.
 */
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { matches } from '../broker/topic.ts'
import { characterMs, lineOf as lineSetting } from '../bus/timing.ts'
import type { Value } from '../model/point.ts'
import type { Bus, Site } from '../model/site.ts'
import { protocolOf } from '../protocols/all.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { Scope } from '../runtime/scope.ts'
import { Book } from './book.ts'
import { cjt188Speaker } from './cjt188.ts'
import type { Cell, SimulatedDevice } from './devices.ts'
import { dlt645Speaker } from './dlt645.ts'
import { Faults, type FaultSpec } from './faults.ts'
import { serveBytes } from './listener.ts'
import { mbusSpeaker } from './mbus.ts'
import { MODBUS_TCP_FAULTS, serveModbusTcp } from './modbustcp.ts'
import { openPty } from './pty.ts'
import type { Publisher, PublishSettings } from './publish.ts'
import { createSlave, type Later, type Line, type Speaker } from './line.ts'
import { fraction, seedOf } from './random.ts'
import { asciiSpeaker, rtuSpeaker } from './rtu.ts'
import { buildWorld, inverted } from './world.ts'

const HOST = '127.0.0.1'
/** About 60 MB at worst; a run of an hour over 200 points at 1 s fits. */
const CHANGES_MAX = 500_000
const WRITES_MAX = 100_000

/** One value that a device began to show. `at` is UTC ms, `mono` monotonic ms of the given clock. */
export type Change = { readonly point: string; readonly value: Value; readonly mono: number; readonly at: number }

export type WriteSeen = {
  readonly device: string
  readonly table: 'coil' | 'holding'
  readonly start: number
  /** Registers, or 0 and 1. */
  readonly raw: readonly number[]
  /** What it meant, by point id; empty where it covers no whole point. */
  readonly values: Readonly<Record<string, Value>>
  /** A register that a gateway must never write was among them. */
  readonly forbidden: boolean
  readonly mono: number
  readonly at: number
}

export type SimulatedBus = {
  readonly id: string
  /** As it would stand in a site file that wants to reach it. */
  readonly wire: string
  readonly address:
    | { readonly kind: 'modbus-tcp' | 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'serial'; readonly path: string }
}

export type SimulatorOptions = {
  readonly site: Site
  readonly clock: Pick<Clock, 'mono' | 'utc'>
  readonly log: Log
  /** The same seed shows the same community. */
  readonly seed: number
  /**
   * Left out: each bus listens on the port that its wire names. 0: on free ports. N: on N, N+1, … in the order of the buses.
   * Always on loopback.
   */
  readonly portBase?: number
  /**
   * RS-485 lines take the time that their speed asks for, and devices think for so long, least and most. Left out: bytes arrive at once.
   */
  readonly thinkMs?: readonly [number, number]
  /** Where pseudo terminals get their names, one per serial bus. Default: a folder of this process under the system's temporary one. */
  readonly ptyFolder?: string
  /** For devices that publish; `site`: to the broker that the site file names, as soon as it is there. Left out, they are silent. */
  readonly broker?: PublishSettings | 'site'
  /** By device id, from the start. */
  readonly faults?: Readonly<Record<string, readonly FaultSpec[]>>
  /** Somebody wrote an output: point id and what it is now. */
  readonly onWrite?: (pointId: string, value: Value) => void
}

export type Simulator = {
  readonly buses: readonly SimulatedBus[]
  /** Force a point (a composed one too); null: back to its signal. A device that publishes says so at once. Throws RangeError for unknown ids. */
  readonly set: (pointId: string, value: Value | null) => void
  readonly get: (pointId: string) => Value
  /** A bus: its connections end and new ones are refused. A device: it does not answer. */
  readonly pause: (id: string) => Promise<void>
  readonly resume: (id: string) => Promise<void>
  /** Replaces the faults of a device; an empty list heals it. */
  readonly fault: (device: string, specs: readonly FaultSpec[]) => void
  readonly writes: readonly WriteSeen[]
  readonly changes: readonly Change[]
  /** Entries of `changes` and `writes` that there was no room for. */
  readonly dropped: () => number
  readonly close: () => Promise<void>
}

export async function openSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { site, clock, log, seed } = options
  const scope = new Scope()
  const changes = new Book<Change>(CHANGES_MAX)
  const writes = new Book<WriteSeen>(WRITES_MAX)
  const faults = new Faults(seed)
  const began = clock.mono()
  const last = new Map<Cell, Value>()

  const note = (cell: Cell, value: Value): void => {
    if (last.get(cell) === value) return
    last.set(cell, value)
    const mono = clock.mono()
    for (const point of world.names(cell))
      changes.add({ point, value: ofPoint(point, value), mono, at: clock.utc(mono) })
  }
  const ofPoint = (point: string, value: Value): Value => inverted(value, world.find(point).invert)
  const world = buildWorld(site, {
    seed,
    elapsedMs: () => clock.mono() - began,
    ears: {
      shown: note,
      written(device, { table, start, raw, cells }) {
        const values = cells.map((cell) => [cell.point.id, valueOf(cell.point.id)] as const)
        const mono = clock.mono()
        const forbidden = cells.some((cell) => cell.point.forbidden)
        const at = clock.utc(mono)
        writes.add({ device: device.id, table, start, raw, values: Object.fromEntries(values), forbidden, mono, at })
        log.debug({ device: device.id, table, start, raw }, 'written')
        for (const [point, value] of values) options.onWrite?.(point, value)
      },
    },
  })
  const valueOf = (pointId: string): Value => {
    const { owner, cell, invert } = world.find(pointId)
    return inverted(owner.value(cell), invert)
  }
  const deviceOf = (id: string): SimulatedDevice | undefined => world.devices.find(({ device }) => device.id === id)

  const fault = (id: string, specs: readonly FaultSpec[]): void => {
    const device = deviceOf(id)
    if (device === undefined) throw new RangeError(`${id} is no device of this site that a simulator plays`)
    const wrong = specs.find(({ kind }) => !possible(site, device).includes(kind))
    if (wrong !== undefined) {
      throw new RangeError(
        `${id} cannot be ${wrong.kind}: its bus takes ${possible(site, device).join(', ') || 'none'}`,
      )
    }
    faults.set(id, specs)
    device.freeze(faults.frozen(id))
  }

  const wires = new Map<string, Opened>()
  try {
    for (const [id, specs] of Object.entries(options.faults ?? {})) fault(id, specs)
    checkPorts(site, options.portBase)
    for (const bus of site.buses) {
      const line = lineOf(bus, { devices: world.devices, faults, scope, pace: paceOf(bus, options) })
      wires.set(bus.id, await scope.open(openWire(bus, line, options)))
    }
    const publisher = await openPublishing(world.devices, options, (device) => {
      for (const cell of device.cells) note(cell, device.value(cell))
    })
    if (publisher !== null) scope.defer(publisher.close)
    for (const { simulated } of wires.values()) log.info({ bus: simulated.id, wire: simulated.wire }, 'simulated')
    return simulatorOf(publisher)
  } catch (error) {
    await scope.close()
    throw error
  }

  function simulatorOf(publisher: Publisher | null): Simulator {
    return {
      buses: [...wires.values()].map(({ simulated }) => simulated),
      set(pointId, value) {
        const { owner, cell, invert } = world.find(pointId)
        cell.forced = value === null ? undefined : inverted(value, invert)
        note(cell, owner.value(cell))
        publisher?.publish(owner)
      },
      get: valueOf,
      async pause(id) {
        const device = deviceOf(id)
        if (device !== undefined) device.paused = true
        else await wireOf(id).pause()
      },
      async resume(id) {
        const device = deviceOf(id)
        if (device !== undefined) device.paused = false
        else await wireOf(id).resume()
      },
      fault,
      get writes() {
        return writes.entries
      },
      get changes() {
        return changes.entries
      },
      dropped: () => writes.dropped + changes.dropped,
      close: () => scope.close(),
    }
  }

  function wireOf(id: string): Opened {
    const wire = wires.get(id)
    if (wire === undefined) throw new RangeError(`${id} is neither a bus nor a device that a simulator plays`)
    return wire
  }
}

type Opened = {
  readonly simulated: SimulatedBus
  readonly pause: () => Promise<void>
  readonly resume: () => Promise<void>
  readonly close: () => Promise<void>
}

async function openWire(bus: Bus, line: Line, options: SimulatorOptions): Promise<Opened> {
  const { wire } = bus
  if (wire.kind === 'serial') return openSerialLine(bus, line, options)
  const target = { host: HOST, port: portOf(wire.port, bus.index, options.portBase) }
  const served =
    wire.kind === 'modbus-tcp'
      ? await serveModbusTcp(target, line)
      : await serveBytes(target, (socket) => {
          const slave = createSlave(line, (bytes) => socket.writable && socket.write(bytes), SPEAKERS)
          socket.on('data', (chunk) => slave.receive(chunk))
        })
  const address = { kind: wire.kind, host: HOST, port: served.port }
  return { ...served, simulated: { id: bus.id, wire: `${wire.kind}://${HOST}:${served.port}`, address } }
}

function portOf(written: number, index: number, portBase: number | undefined): number {
  if (portBase === undefined) return written
  return portBase === 0 ? 0 : portBase + index
}

async function openSerialLine(bus: Bus, line: Line, options: SimulatorOptions): Promise<Opened> {
  const folder = options.ptyFolder ?? join(tmpdir(), `gatehouse-simulate-${process.pid}`)
  await mkdir(folder, { recursive: true })
  const path = join(folder, bus.id)
  const served = await serveBytes({ host: HOST, port: 0 }, (socket) => {
    const slave = createSlave(line, (bytes) => socket.writable && socket.write(bytes), SPEAKERS)
    socket.on('data', (chunk) => slave.receive(chunk))
  })
  const failed = (error: unknown): void => options.log.error({ bus: bus.id, error }, 'pty lost')
  const pty = await openPty(path, served.port, failed).catch(async (error: unknown) => {
    await served.close()
    throw error
  })
  return {
    simulated: { id: bus.id, wire: path, address: { kind: 'serial', path } },
    pause: pty.pause,
    resume: pty.resume,
    async close() {
      await pty.close()
      await served.close()
    },
  }
}

/** mqtt is a large library: loaded only where something publishes. */
async function openPublishing(
  devices: readonly SimulatedDevice[],
  { broker, site }: SimulatorOptions,
  told: (device: SimulatedDevice) => void,
): Promise<Publisher | null> {
  const publishing = devices.filter(({ device }) => device.link.kind === 'topic')
  const topics = publishing.flatMap(({ device: { link } }) => (link.kind === 'topic' ? [link.topic] : []))
  const settings = broker === 'site' ? brokerOf(site, topics) : broker
  if (settings === undefined || publishing.length === 0) return null
  const { openPublisher } = await import('./publish.ts')
  return openPublisher(publishing, settings, told)
}

/** A plain listener, and the client whose rights cover what the devices publish. Nothing where there is none. */
function brokerOf({ broker }: Site, topics: readonly string[]): PublishSettings | undefined {
  const listener = broker?.listen.find(({ kind }) => kind === 'mqtt')
  if (broker === null || listener === undefined) return undefined
  const client = broker.clients.find(({ publish }) =>
    topics.every((topic) => publish.some((filter) => matches(filter, topic))),
  )
  const password = client?.password ?? null
  return {
    url: () => `mqtt://${listener.host}:${listener.port}`,
    ...(client === undefined ? {} : { username: client.id }),
    ...(password === null ? {} : { password: password.reveal() }),
  }
}

/** undefined: bytes take no time. */
function paceOf(bus: Bus, { thinkMs, seed }: SimulatorOptions): Line['takesMs'] {
  if (thinkMs === undefined || bus.wire.kind === 'modbus-tcp') return undefined
  const [least, most] = thinkMs
  let exchanges = 0
  return ({ device: { id, link } }, { asked, replied }) => {
    if (link.kind !== 'bus') return 0
    const line = lineSetting(bus, link, protocolOf(link.protocol).line)
    exchanges += 1
    return (asked + replied) * characterMs(line) + least + (most - least) * fraction(seedOf(id, seed), exchanges)
  }
}

type LineParts = {
  readonly devices: readonly SimulatedDevice[]
  readonly faults: Faults
  readonly scope: Scope
  readonly pace: Line['takesMs']
}

function lineOf(bus: Bus, { devices, faults, scope, pace }: LineParts): Line {
  const on = devices.filter(({ device }) => device.link.kind === 'bus' && device.link.bus === bus.index)
  const timers = new Set<NodeJS.Timeout>()
  scope.defer(() => {
    for (const timer of timers) clearTimeout(timer)
  })
  const later: Later = (ms, job) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      job()
    }, ms)
    timers.add(timer)
  }
  return { devices: on, faults, later, ...(pace === undefined ? {} : { takesMs: pace }) }
}

/** What the devices of a serial line may speak. */
const SPEAKERS: readonly Speaker[] = [rtuSpeaker, asciiSpeaker, dlt645Speaker, cjt188Speaker, mbusSpeaker]

const RTU_FAULTS = ['late', 'silent', 'garbled', 'split', 'wrong_unit', 'exception', 'frozen'] as const

function possible(site: Site, { device }: SimulatedDevice): readonly FaultSpec['kind'][] {
  if (device.link.kind !== 'bus') return ['frozen']
  return site.buses[device.link.bus]?.wire.kind === 'modbus-tcp' ? MODBUS_TCP_FAULTS : RTU_FAULTS
}

/** Wires of different hosts may share a port; on one loopback they cannot. */
function checkPorts(site: Site, portBase: number | undefined): void {
  if (portBase !== undefined) return
  const taken = new Map<number, string>()
  for (const { id, wire } of site.buses) {
    if (wire.kind === 'serial') continue
    const other = taken.get(wire.port)
    if (other !== undefined) {
      throw new RangeError(
        `buses ${other} and ${id} both name port ${wire.port}, and here all are on one host: give --port-base`,
      )
    }
    taken.set(wire.port, id)
  }
}
