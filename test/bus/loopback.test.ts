/** Real sockets: modbus-serial's server, a stack that is not ours, as the device; and a raw RTU line in a TCP stream. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { ServerTCP } from 'modbus-serial'
import { afterEach, expect, test } from 'vitest'
import { openBus, type RunningBus } from '../../src/bus/bus.ts'
import type { Point } from '../../src/model/point.ts'
import type { Arrival } from '../../src/model/sample.ts'
import type { Wire } from '../../src/model/site.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { openPipe } from '../../src/transport/open.ts'
import { modbusPoint } from '../protocols/make.ts'
import { honest, marked, parse, rtuFrame, site, type SiteSpec } from './rig.ts'

const closers: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function freePort(): Promise<number> {
  const probe = createServer()
  probe.listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}

type Memory = { registers: Map<number, number>; writes: [number, number][]; reads: Map<number, number> }

async function modbusServer(port: number): Promise<Memory & { close: () => Promise<void> }> {
  const memory: Memory = { registers: new Map(), writes: [], reads: new Map() }
  const server = new ServerTCP(
    {
      getHoldingRegister: (address: number, unit: number) => {
        memory.reads.set(address, (memory.reads.get(address) ?? 0) + 1)
        return memory.registers.get(address) ?? marked(unit, address)
      },
      setRegister: (address: number, value: number) => {
        memory.registers.set(address, value)
        memory.writes.push([address, value])
      },
    },
    { host: '127.0.0.1', port, unitID: 255 },
  )
  await once(server, 'initialized')
  let open = true
  const close = async (): Promise<void> => {
    if (!open) return
    open = false
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  closers.push(close)
  return { ...memory, close }
}

type Live = { bus: RunningBus; until: (seen: (arrival: Arrival) => boolean) => Promise<Arrival> }

function live(spec: SiteSpec, wire: Wire, points?: readonly Point[]): Live {
  const built = { ...site(spec), ...(points === undefined ? {} : { points }) }
  const arrivals: Arrival[] = []
  let waiting: { seen: (arrival: Arrival) => boolean; resolve: (arrival: Arrival) => void } | null = null
  const bus = openBus({
    ...built,
    bus: { ...built.bus, wire },
    clock: { mono: () => performance.now() },
    post(arrival) {
      arrivals.push(arrival)
      if (waiting?.seen(arrival)) waiting.resolve(arrival)
    },
    log: SILENT,
    signal: new AbortController().signal,
    openPipe,
  })
  closers.push(bus.close)
  return {
    bus,
    until: (seen) => {
      // What was there before does not count: the caller waits for news.
      return new Promise((resolve) => {
        waiting = { seen, resolve }
      })
    },
  }
}

const device = (address: number): SiteSpec['devices'][number] => ({
  address,
  points: [
    { at: 0, everyMs: 20, write: { readBack: true } },
    { at: 50, everyMs: 20 },
  ],
})
const good =
  (point: number, value: number) =>
  (arrival: Arrival): boolean =>
    arrival.kind === 'scan' &&
    arrival.readings.some((reading) => reading.point === point && 'value' in reading && reading.value === value)

test('reads, writes, loses and finds again the server of modbus-serial', async () => {
  const port = await freePort()
  const first = await modbusServer(port)
  const { bus, until } = live(
    { wire: 'modbus-tcp', inFlight: 4, devices: [device(1), device(2)] },
    { kind: 'modbus-tcp', host: '127.0.0.1', port },
  )
  await until(good(3, marked(2, 50)))
  expect(await bus.write({ id: '1', point: 0, value: 777, by: 'cli:root', role: 'operator' })).toEqual({
    outcome: 'done',
    readBack: 777,
  })
  expect(first.writes).toEqual([[0, 777]])
  expect(await bus.read([1])).toEqual([{ point: 1, value: marked(1, 50) }])
  const down = until(({ kind }) => kind === 'bus')
  await first.close()
  expect(await down).toMatchObject({ state: 'offline' })
  const up = until(({ kind }) => kind === 'bus')
  await modbusServer(port)
  expect(await up).toMatchObject({ state: 'online' })
  await until(good(1, marked(1, 50)))
  expect(bus.status()).toMatchObject({ state: 'online', lateFrames: 0, junkBytes: 0 })
})

test('RTU in a TCP stream, each reply torn into single bytes', async () => {
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('data', (request) => {
      const asked = parse('rtu', request)
      for (const byte of rtuFrame(asked.unit, honest(asked)!)) socket.write(Uint8Array.of(byte))
    })
    socket.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const { bus, until } = live(
    { wire: 'tcp', devices: [device(1), device(9)] },
    { kind: 'tcp', host: '127.0.0.1', port },
  )
  await until(good(3, marked(9, 50)))
  await until(good(0, marked(1, 0)))
  expect(bus.devices().map(({ state, errors }) => [state, errors])).toEqual([
    ['online', { timeout: 0, crc: 0, exception: 0 }],
    ['online', { timeout: 0, crc: 0, exception: 0 }],
  ])
  await bus.close()
})

test('a SunSpec row is walked once, and its model read from then on', async () => {
  const port = await freePort()
  const { registers, reads } = await modbusServer(port)
  // SunS, the common model of 65 registers, model 103: 43.21 kW with its factor of ten.
  const row = [40_000, 0x5375, 40_001, 0x6e53, 40_002, 1, 40_003, 65, 40_069, 103, 40_070, 50, 40_083, 4321, 40_084, 1]
  for (let at = 0; at < row.length; at += 2) registers.set(row[at]!, row[at + 1]!)
  const factor = { table: 'holding', address: 15, as: 's16', order: 'ABCD', means: 'power', invalid: [] } as const
  const power = modbusPoint(0, { model: { id: 103, base: 40_000 }, address: 14, as: 's16', factors: [factor] }, {}, 20)
  const { until } = live(
    { wire: 'modbus-tcp', devices: [{ ...device(1), points: [{ at: 0, everyMs: 20 }] }] },
    { kind: 'modbus-tcp', host: '127.0.0.1', port },
    [power],
  )
  await until(good(0, 43_210))
  await until(good(0, 43_210))
  await until(good(0, 43_210))
  expect([reads.get(40_000), reads.get(40_002)]).toEqual([1, 1])
})
