/** Wires of a site on loopback: sockets, serial servers and pseudo terminals, with the devices of each bus behind them. */
import { mkdir, rmdir } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { characterMs, lineOf as lineSetting } from '../bus/timing.ts'
import type { Bus, Site } from '../model/site.ts'
import { protocolOf } from '../protocols/all.ts'
import { Halt } from '../runtime/halt.ts'
import type { Log } from '../runtime/log.ts'
import type { Scope } from '../runtime/scope.ts'
import { cjt188Speaker } from './cjt188.ts'
import type { SimulatedDevice } from './devices.ts'
import { dlt645Speaker } from './dlt645.ts'
import type { Faults } from './faults.ts'
import { createSlave, type Later, type Line, type Speaker } from './line.ts'
import { serveBytes } from './listener.ts'
import { mbusSpeaker } from './mbus.ts'
import { serveModbusTcp } from './modbustcp.ts'
import type { Printer } from './printer.ts'
import { openPty } from './pty.ts'
import { fraction, seedOf } from './random.ts'
import { asciiSpeaker, rtuSpeaker } from './rtu.ts'

const HOST = '127.0.0.1'

export type SimulatedBus = {
  readonly id: string
  /** As it would stand in a site file that wants to reach it. */
  readonly wire: string
  readonly address:
    | { readonly kind: 'modbus-tcp' | 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'serial'; readonly path: string }
  /** Ids of the devices on it. */
  readonly devices: readonly string[]
}

export type WireOptions = {
  readonly log: Log
  readonly seed: number
  readonly portBase?: number
  readonly thinkMs?: readonly [number, number]
  readonly ptyFolder?: string
}

export type Wired = {
  readonly simulated: SimulatedBus
  readonly pause: () => Promise<void>
  readonly resume: () => Promise<void>
  readonly close: () => Promise<void>
}

/** What the devices of a serial line may speak. */
const SPEAKERS: readonly Speaker[] = [rtuSpeaker, asciiSpeaker, dlt645Speaker, cjt188Speaker, mbusSpeaker]

/** `printer`: the devices of this bus print lines and are not asked. */
export async function openWire(
  bus: Bus,
  line: Line,
  { printer, ...options }: WireOptions & { readonly printer: Printer | null },
): Promise<Wired> {
  const { wire } = bus
  const devices = line.devices.map(({ device }) => device.id)
  const attach = (socket: Socket): void => {
    const send = (bytes: Uint8Array): void => void (socket.writable && socket.write(bytes))
    if (printer === null) {
      const slave = createSlave(line, send, SPEAKERS)
      socket.on('data', (chunk) => slave.receive(chunk))
      return
    }
    socket.on('close', printer.listen(send))
    // What is said to a board that only prints is read and forgotten.
    socket.resume()
  }
  if (wire.kind === 'serial') return openSerial(bus, { attach, devices, options })
  const target = { host: HOST, port: portOf(wire.port, bus.index, options.portBase) }
  const served = wire.kind === 'modbus-tcp' ? await serveModbusTcp(target, line) : await serveBytes(target, attach)
  const address = { kind: wire.kind, host: HOST, port: served.port }
  return { ...served, simulated: { id: bus.id, wire: `${wire.kind}://${HOST}:${served.port}`, address, devices } }
}

function portOf(written: number, index: number, portBase: number | undefined): number {
  if (portBase === undefined) return written
  return portBase === 0 ? 0 : portBase + index
}

async function openSerial(
  bus: Bus,
  parts: {
    readonly attach: (socket: Socket) => void
    readonly devices: readonly string[]
    readonly options: WireOptions
  },
): Promise<Wired> {
  const folder = parts.options.ptyFolder ?? join(tmpdir(), `gatehouse-simulate-${process.pid}`)
  await mkdir(folder, { recursive: true })
  const path = join(folder, bus.id)
  const served = await serveBytes({ host: HOST, port: 0 }, parts.attach)
  const failed = (error: unknown): void => parts.options.log.error({ bus: bus.id, error }, 'pty lost')
  const pty = await openPty(path, served.port, failed).catch(async (error: unknown) => {
    await served.close()
    throw error
  })
  return {
    simulated: { id: bus.id, wire: path, address: { kind: 'serial', path }, devices: parts.devices },
    pause: pty.pause,
    resume: pty.resume,
    async close() {
      await pty.close()
      await served.close()
      // Gone with the last of its ports; a folder that was given stays.
      if (parts.options.ptyFolder === undefined) await removeEmpty(folder)
    },
  }
}

/** Others still in it, or already gone. */
const STAYS = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT'])

async function removeEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && STAYS.has(String(error.code)))) throw error
  }
}

/** undefined: bytes take no time. */
export function paceOf(bus: Bus, { thinkMs, seed }: Pick<WireOptions, 'thinkMs' | 'seed'>): Line['takesMs'] {
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

export function lineOf(
  bus: Bus,
  parts: {
    readonly devices: readonly SimulatedDevice[]
    readonly faults: Faults
    readonly scope: Scope
    readonly pace: Line['takesMs']
  },
): Line {
  const on = parts.devices.filter(({ device: { link } }) => 'bus' in link && link.bus === bus.index)
  const { pace, faults } = parts
  return { devices: on, faults, later: timersOf(parts.scope), ...(pace === undefined ? {} : { takesMs: pace }) }
}

/** Timers that end with the scope. */
export function timersOf(scope: Scope): Later {
  const timers = new Set<NodeJS.Timeout>()
  scope.defer(() => {
    for (const timer of timers) clearTimeout(timer)
  })
  return (ms, job) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      job()
    }, ms)
    timers.add(timer)
  }
}

/** Wires of different hosts may share a port; on one loopback they cannot. */
export function checkPorts(site: Site, portBase: number | undefined): void {
  if (portBase !== undefined) return
  const taken = new Map<number, string>()
  for (const { id, wire } of site.buses) {
    if (wire.kind === 'serial') continue
    const other = taken.get(wire.port)
    if (other !== undefined) {
      throw new Halt({
        kind: 'usage',
        text: {
          en: `buses ${other} and ${id} both name port ${wire.port}, and here all are on one host: give --port-base`,
          zh: `总线 ${other} 与 ${id} 都用端口 ${wire.port}，而这里都在同一主机上：请给出 --port-base`,
        },
        hint: null,
      })
    }
    taken.set(wire.port, id)
  }
}
