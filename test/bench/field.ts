/** Buses without the rest of the gateway: TCP devices on real sockets, and a slow RS-485 line in virtual time. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openBus } from '../../src/bus/bus.ts'
import { predictBus } from '../../src/bus/predict.ts'
import type { Point } from '../../src/model/point.ts'
import type { Arrival } from '../../src/model/sample.ts'
import type { Bus, Device, Line, Wire } from '../../src/model/site.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { type OpenPipe, openPipe } from '../../src/transport/open.ts'
import { LIMITS, modbusPoint } from '../protocols/make.ts'
import { pause } from './rig.ts'
import type { Bench } from './scenarios.ts'
import { type Station, virtualPair, virtualTime } from './virtual.ts'

const TEXT = { en: '', zh: '' }
const FAST: Line = { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 }
const SLOW: Line = { baud: 2400, dataBits: 8, parity: 'N', stopBits: 1 }

type Unit = { readonly bus: number; readonly address: number; readonly line: Line | null }

/** Devices with so many registers each, from 0, all polled alike. */
function fieldOf(
  wires: readonly Wire[],
  units: readonly Unit[],
  { registers, everyMs }: { registers: number; everyMs: number },
): { buses: Bus[]; devices: Device[]; points: Point[] } {
  const points: Point[] = []
  const devices = units.map(({ bus, address, line }, index): Device => {
    const own = Array.from({ length: registers }, (_, register) => {
      const point = modbusPoint(points.length, { address: register }, {}, everyMs)
      points.push({ ...point, device: index })
      return point.index
    })
    return {
      index,
      id: `device_${index}`,
      driver: 'bench/device',
      driverSha: '',
      category: 'io',
      brick: null,
      model: TEXT,
      name: TEXT,
      place: {},
      tags: {},
      family: null,
      link: { kind: 'bus', bus, protocol: 'modbus', address, line, limits: { ...LIMITS, guardMs: 0, timeoutMs: 500 } },
      params: {},
      points: own,
    }
  })
  const buses = wires.map(
    (wire, index): Bus => ({ index, id: `bus_${index}`, wireText: '', wire, line: FAST, inFlight: 1 }),
  )
  return { buses, devices, points }
}

type Devices = { readonly ports: readonly number[]; readonly close: () => void }

async function startDevices(count: number): Promise<Devices> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./device.ts', import.meta.url)), String(count)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [line] = await new Promise<string[]>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (text) => resolve([text]))
    child.once('error', reject)
  })
  const { ports } = JSON.parse(line ?? '') as { ports: number[] }
  return { ports, close: () => child.kill() }
}

const WARM_UP_MS = 1000

/** One device as fast as it answers, and a hundred once a second: what the buses alone cost. */
export async function tcpDevices({ seconds, say }: Bench): Promise<void> {
  for (const [count, everyMs] of [
    [1, 1],
    [100, 1000],
  ] as const) {
    const devices = await startDevices(count)
    const wires = devices.ports.map((port): Wire => ({ kind: 'modbus-tcp', host: '127.0.0.1', port }))
    const site = fieldOf(
      wires,
      wires.map((_, bus) => ({ bus, address: 1, line: null })),
      { registers: 100, everyMs },
    )
    let samples = 0
    const post = (arrival: Arrival): void => {
      if (arrival.kind === 'scan') samples += arrival.readings.filter((reading) => 'value' in reading).length
    }
    const stop = new AbortController()
    const common = {
      ...site,
      clock: { mono: () => performance.now() },
      post,
      log: SILENT,
      signal: stop.signal,
      openPipe,
    }
    const running = site.buses.map((bus) => openBus({ ...common, bus }))
    try {
      await pause(WARM_UP_MS)
      const before = { samples, cpu: process.cpuUsage(), at: performance.now() }
      await pause(seconds * 1000)
      const wallMs = performance.now() - before.at
      const cpu = process.cpuUsage(before.cpu)
      const rate = ((samples - before.samples) / wallMs) * 1000
      const cpuMs = (cpu.user + cpu.system) / 1000
      const name =
        count === 1 ? 'one TCP device, 100 registers, as fast as it goes' : '100 TCP devices, 100 registers each at 1 s'
      say({ name: `${name}: exchanges`, value: rate / 100, unit: 'per second' })
      say({ name: `${name}: CPU of the buses`, value: (cpuMs / wallMs) * 100, unit: '% of a core' })
      say({ name: `${name}: CPU of an exchange`, value: (cpuMs * 1e5) / (samples - before.samples), unit: 'µs' })
    } finally {
      stop.abort()
      await Promise.all(running.map((bus) => bus.close()))
      devices.close()
    }
  }
}

const SIMULATED_MS = 600_000

/** A line that is asked more than it can carry; `dead` never answer, `slow` speak at 2400 baud. */
async function line9600(
  { say }: Bench,
  { name, dead, slow }: { name: string; dead: readonly number[]; slow: number },
): Promise<void> {
  const lineOf = (unit: number): Line => (unit > 32 - slow ? SLOW : FAST)
  const units = Array.from({ length: 32 }, (_, at): Unit => ({ bus: 0, address: at + 1, line: lineOf(at + 1) }))
  const site = fieldOf([{ kind: 'serial', path: 'virtual' }], units, { registers: 20, everyMs: 1000 })
  const stations = units.flatMap(({ address }): Station[] =>
    dead.includes(address) ? [] : [{ unit: address, line: lineOf(address) }],
  )
  const [bus] = site.buses
  if (bus === undefined) return
  const predicted = predictBus(bus, site.devices, site.points)
  const time = virtualTime()
  const pair = virtualPair(time, stations)
  const reads = new Map<number, number>()
  const stop = new AbortController()
  const cpu = process.cpuUsage()
  try {
    const running = openBus({
      ...site,
      bus,
      clock: time,
      post(arrival) {
        if (arrival.kind === 'scan' && arrival.readings.some((reading) => 'value' in reading))
          reads.set(arrival.device, (reads.get(arrival.device) ?? 0) + 1)
      },
      log: SILENT,
      signal: stop.signal,
      openPipe: pair.openPipe satisfies OpenPipe,
    })
    await time.run(SIMULATED_MS)
    await running.close()
  } finally {
    time.end()
  }
  const spent = process.cpuUsage(cpu)
  const { exchanges, usedMs, changes } = pair.traffic
  const note = 'request, 25 ms of thinking, answer, silence'
  say({ name: `${name}: line time used`, value: (usedMs / SIMULATED_MS) * 100, unit: '%', note })
  const rarest = Math.min(...stations.map(({ unit }) => reads.get(unit - 1) ?? 0))
  const cycle = {
    value: SIMULATED_MS / rarest / 1000,
    unit: 's',
    note: `without dead ones predicted ${(predicted.cycleMs / 1000).toPrecision(3)} s`,
  }
  say({ name: `${name}: all read once in`, ...cycle })
  if (changes > 0)
    say({ name: `${name}: changes of speed`, value: (changes / SIMULATED_MS) * 60_000, unit: 'per minute' })
  say({ name: `${name}: CPU of an exchange`, value: (spent.user + spent.system) / exchanges, unit: 'µs' })
}

export async function serialLine(bench: Bench): Promise<void> {
  await line9600(bench, { name: '9600 baud, 32 devices of 20 registers', dead: [], slow: 0 })
  await line9600(bench, { name: '9600 baud, three of 32 dead', dead: [5, 17, 30], slow: 0 })
  await line9600(bench, { name: '9600 and 2400 baud on one pair, 24 and 8 devices', dead: [], slow: 8 })
}
