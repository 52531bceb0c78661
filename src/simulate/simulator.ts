/**
 * Answers as the devices of a site, on real sockets: modbus-tcp buses behind modbus-serial's server, RS-485 lines by a slave of
 * our own in a TCP stream or behind a pseudo terminal, boards that print lines on such wires, and devices that publish over MQTT.
 */
import { nearest } from '../derive/nearest.ts'
import type { Value } from '../model/point.ts'
import type { Site } from '../model/site.ts'
import type { Clock } from '../runtime/clock.ts'
import { Halt } from '../runtime/halt.ts'
import type { Log } from '../runtime/log.ts'
import { Scope } from '../runtime/scope.ts'
import { Book } from './book.ts'
import type { Cell, SimulatedDevice } from './devices.ts'
import { FAULT_KINDS, type FaultKind, Faults, type FaultSpec } from './faults.ts'
import { MODBUS_TCP_FAULTS } from './modbustcp.ts'
import type { Publisher, PublishSettings } from './publish.ts'
import { createPrinter, isPrinting, type Printer, printerFaults } from './printer.ts'
import { brokerOf } from './sitebroker.ts'
import { checkPorts, lineOf, openWire, paceOf, type SimulatedBus, timersOf, type Wired } from './wires.ts'
import { buildWorld, inverted } from './world.ts'

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
  /**
   * For devices that publish; an address, or `site`: the broker that the site file names, as soon as it is there. Both come in by the
   * names of the site file. Left out, they are silent.
   */
  readonly broker?: PublishSettings | string
  /** How often boards that print look whether something moved. Default 1 s. */
  readonly lookMs?: number
  /** By device id, from the start. */
  readonly faults?: Readonly<Record<string, readonly FaultSpec[]>>
  /** Somebody wrote an output: point id and what it is now. */
  readonly onWrite?: (pointId: string, value: Value) => void
}

export type Simulator = {
  readonly buses: readonly SimulatedBus[]
  /** Devices that publish, and where: null, nowhere. */
  readonly publishing: { readonly devices: readonly string[]; readonly server: string | null }
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
    if (device === undefined) throw unknown(id, world.devices)
    const can = possible(site, device)
    const wrong = specs.find(({ kind }) => !can.includes(kind))
    if (wrong !== undefined) throw impossible(id, wrong.kind, can)
    faults.set(id, specs)
    device.freeze(faults.frozen(id))
  }

  const wires = new Map<string, Wired>()
  const printers = new Map<number, Printer>()
  try {
    for (const [id, specs] of Object.entries(options.faults ?? {})) fault(id, specs)
    checkPorts(site, options.portBase)
    for (const bus of site.buses) {
      const line = lineOf(bus, { devices: world.devices, faults, scope, pace: paceOf(bus, options) })
      const printing = line.devices.filter(isPrinting)
      const printer =
        printing.length === 0 ? null : createPrinter(printing, { faults, later: line.later, lookMs: options.lookMs })
      if (printer !== null) {
        scope.defer(printer.close)
        printers.set(bus.index, printer)
      }
      wires.set(bus.id, await scope.open(openWire(bus, line, { ...options, printer })))
    }
    const publishers = world.devices.filter(({ device }) => device.link.kind === 'topic')
    const settings = settingsOf(options)
    const parts = { faults, later: timersOf(scope), seed, utc: () => clock.utc(clock.mono()) }
    const publisher = await openPublishing(publishers, settings, parts)
    if (publisher !== null) scope.defer(publisher.close)
    for (const { simulated } of wires.values()) log.info({ bus: simulated.id, wire: simulated.wire }, 'simulated')
    const server = settings === undefined ? null : typeof settings.url === 'string' ? settings.url : settings.url()
    return simulatorOf(publisher, { devices: publishers.map(({ device }) => device.id), server })
  } catch (error) {
    await scope.close()
    throw error
  }

  function simulatorOf(publisher: Publisher | null, publishing: Simulator['publishing']): Simulator {
    const plug = (device: SimulatedDevice, paused: boolean): void => {
      if (device.paused === paused) return
      device.paused = paused
      publisher?.paused(device)
    }
    return {
      buses: [...wires.values()].map(({ simulated }) => simulated),
      publishing,
      set(pointId, value) {
        const { owner, cell, invert } = world.find(pointId)
        const before = cell.forced
        cell.forced = value === null ? undefined : inverted(value, invert)
        try {
          note(cell, owner.value(cell))
          const { link } = owner.device
          if (link.kind === 'lines') printers.get(link.bus)?.print(owner, cell)
          publisher?.publish(owner, cell)
        } catch (error) {
          // A value that the device cannot hold must not be met again at its next turn.
          cell.forced = before
          throw error
        }
      },
      get: valueOf,
      async pause(id) {
        const device = deviceOf(id)
        if (device !== undefined) plug(device, true)
        else await wireOf(id).pause()
      },
      async resume(id) {
        const device = deviceOf(id)
        if (device !== undefined) plug(device, false)
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

  function wireOf(id: string): Wired {
    const wire = wires.get(id)
    if (wire === undefined) throw new RangeError(`${id} is neither a bus nor a device that a simulator plays`)
    return wire
  }
}

/** mqtt is a large library: loaded only where something publishes. */
async function openPublishing(
  devices: readonly SimulatedDevice[],
  settings: PublishSettings | undefined,
  parts: { faults: Faults; later: ReturnType<typeof timersOf>; seed: number; utc: () => number },
): Promise<Publisher | null> {
  if (settings === undefined || devices.length === 0) return null
  const { openPublisher } = await import('./publish.ts')
  return openPublisher(devices, settings, parts)
}

function settingsOf({ broker, site }: SimulatorOptions): PublishSettings | undefined {
  if (typeof broker !== 'string') return broker
  return brokerOf(site, broker === 'site' ? null : broker)
}

/** MQTT brings a message whole or not at all, and nobody is asked. */
const PUBLISH_FAULTS: readonly FaultKind[] = ['late', 'silent', 'garbled', 'wrong_unit', 'frozen']

function possible(site: Site, { device: { link } }: SimulatedDevice): readonly FaultKind[] {
  if (link.kind === 'topic') return PUBLISH_FAULTS
  if (link.kind === 'lines') return printerFaults(link.form)
  if (link.kind === 'composed') return []
  return site.buses[link.bus]?.wire.kind === 'modbus-tcp' ? MODBUS_TCP_FAULTS : FAULT_KINDS
}

function unknown(id: string, devices: readonly SimulatedDevice[]): Halt {
  const near = nearest(
    id,
    devices.map(({ device }) => device.id),
  )
  return new Halt({
    kind: 'usage',
    text: {
      en: `${id} is no device of this site that a simulator plays`,
      zh: `${id} 不是本站点中可模拟的设备`,
    },
    hint: near === null ? null : { en: `did you mean ${near}?`, zh: `是否想写 ${near}？` },
  })
}

function impossible(id: string, kind: FaultKind, can: readonly FaultKind[]): Halt {
  const list = can.join(', ')
  return new Halt({
    kind: 'usage',
    text: { en: `${id} cannot be ${kind}: it can be ${list}`, zh: `${id} 不能模拟 ${kind}，可用：${list}` },
    hint: null,
  })
}
