import { connect, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { createServer } from 'node:net'
import ModbusRTU from 'modbus-serial'
import { afterEach, describe, expect, test } from 'vitest'
import type { Value } from '../../src/model/point.ts'
import type { Site } from '../../src/model/site.ts'
import { rtu } from '../../src/protocols/modbus/framing.ts'
import { modbus } from '../../src/protocols/modbus/index.ts'
import type { Question, Verdict } from '../../src/protocols/protocol.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { Scope } from '../../src/runtime/scope.ts'
import { openSimulator, type Simulator, type SimulatorOptions } from '../../src/simulate/simulator.ts'
import { handClock, RS485, siteOf, TCP } from './site.ts'

let scope = new Scope()
afterEach(async () => {
  await scope.close()
  scope = new Scope()
})

const SITE = siteOf({
  buses: { pumps: TCP, riser: RS485 },
  devices: {
    pump_1: { driver: 'pump/constant_pressure_ptech', bus: 'pumps', address: 1 },
    io_1: { driver: 'io/waveshare_relay_8ch', bus: 'pumps', address: 8 },
    air: { driver: 'environment/xy_md02', bus: 'riser', address: 3 },
    board: { driver: 'io/lctech_relay_8ch', bus: 'riser', address: 4 },
    door: { driver: 'access/door_contacts', inputs: { door_contact: 'io_1.di_1', tamper: '!io_1.di_2' } },
  },
})

type Rig = { simulator: Simulator; clock: ReturnType<typeof handClock> }

async function rig(more: Partial<SimulatorOptions> = {}): Promise<Rig> {
  const clock = handClock()
  const simulator = await scope.open(openSimulator({ site: SITE, clock, log: SILENT, seed: 7, portBase: 0, ...more }))
  return { simulator, clock }
}

function portOf(simulator: Simulator, bus: string): number {
  const found = simulator.buses.find(({ id }) => id === bus)
  if (found === undefined || found.address.kind === 'serial') throw new Error(`${bus} has no port`)
  return found.address.port
}

/** The client of modbus-serial: the other side must not be ours either. */
async function master(simulator: Simulator, unit: number): Promise<ModbusRTU.default> {
  const client = new ModbusRTU.default()
  await client.connectTCP('127.0.0.1', { port: portOf(simulator, 'pumps') })
  client.setTimeout(2000)
  client.setID(unit)
  scope.defer(() => new Promise<void>((resolve) => client.destroy(() => resolve())))
  return client
}

const FC = { coil: 1, discrete: 2, holding: 3, input: 4 } as const

/** All blocks of a device, read by the given way of asking, as point id to value. */
async function readAll(
  site: Site,
  id: string,
  ask: (fc: number, start: number, count: number) => Promise<Uint8Array>,
): Promise<Record<string, Value>> {
  const device = site.devices.find((each) => each.id === id)!
  if (device.link.kind !== 'bus') throw new Error('not on a bus')
  const points = device.points.map((index) => site.points[index]!)
  const values: Record<string, Value> = {}
  for (const block of modbus.plan(points, device.link.limits, new Set())) {
    const content = await ask(FC[block.table], block.start, block.count)
    const body = Uint8Array.of(FC[block.table], content.length, ...content)
    for (const reading of block.read(site.points, [body])) {
      if ('value' in reading) values[site.points[reading.point]!.id] = reading.value
    }
  }
  return values
}

describe('behind modbus-serial', () => {
  test('registers hold what the simulator says, read by a foreign master', async () => {
    const { simulator, clock } = await rig()
    clock.pass(61_234)
    const client = await master(simulator, 1)
    const read = await readAll(SITE, 'pump_1', async (_fc, start, count) => {
      const { buffer } = await client.readHoldingRegisters(start, count)
      return buffer
    })
    expect(Object.keys(read)).toHaveLength(15)
    for (const [point, value] of Object.entries(read)) expect(simulator.get(point), point).toBe(value)
    expect(read['pump_1.running']).toBe(true)
    expect(read['pump_1.pressure']).toBeGreaterThan(0.3)
    // Each value that was shown is in the log, with its time.
    const logged = new Map(simulator.changes.map(({ point, value, mono }) => [point, { value, mono }]))
    for (const [point, value] of Object.entries(read)) expect(logged.get(point)).toEqual({ value, mono: 62_234 })
  })

  test('a coil is written, seen, told and read back; a register too', async () => {
    const told: [string, Value][] = []
    const { simulator } = await rig({ onWrite: (point, value) => told.push([point, value]) })
    const client = await master(simulator, 8)
    await client.writeCoil(0, true)
    expect((await client.readCoils(0, 8)).data).toEqual([true, false, false, false, false, false, false, false])
    client.setID(1)
    simulator.set('pump_1.error_code', 17)
    await client.writeRegisters(1111, [0, 0])
    expect((await client.readHoldingRegisters(1111, 2)).data).toEqual([0, 0])
    expect(told).toEqual([
      ['io_1.relay_1', true],
      ['pump_1.error_code', 0],
    ])
    expect(simulator.writes).toMatchObject([
      { device: 'io_1', table: 'coil', start: 0, raw: [1], values: { 'io_1.relay_1': true }, forbidden: false },
      { device: 'pump_1', table: 'holding', start: 1111, raw: [0, 0], values: { 'pump_1.error_code': 0 } },
    ])
  })

  test('what is not there is refused: address 2, count 3, unit 11', async () => {
    const { simulator } = await rig()
    const client = await master(simulator, 1)
    await expect(client.readHoldingRegisters(3000, 2)).rejects.toMatchObject({ modbusCode: 2 })
    await expect(client.readInputRegisters(1099, 2)).rejects.toMatchObject({ modbusCode: 2 })
    await expect(client.writeRegister(3000, 1)).rejects.toMatchObject({ modbusCode: 2 })
    client.setID(99)
    await expect(client.readHoldingRegisters(1099, 2)).rejects.toMatchObject({ modbusCode: 11 })
  })

  test('a device goes silent, refuses, or freezes, and heals', async () => {
    const { simulator, clock } = await rig()
    const client = await master(simulator, 1)
    const pressure = async (): Promise<readonly number[]> => (await client.readHoldingRegisters(1099, 2)).data
    client.setTimeout(60)
    simulator.fault('pump_1', [{ kind: 'silent' }])
    await expect(pressure()).rejects.toMatchObject({ errno: 'ETIMEDOUT' })
    client.setTimeout(2000)
    simulator.fault('pump_1', [{ kind: 'exception', code: 6 }])
    await expect(pressure()).rejects.toMatchObject({ modbusCode: 6 })
    simulator.fault('pump_1', [{ kind: 'frozen' }])
    const before = await pressure()
    clock.pass(600_000)
    simulator.set('pump_1.pressure', 0.1)
    expect(await pressure()).toEqual(before)
    simulator.fault('pump_1', [])
    expect(await pressure()).not.toEqual(before)
    expect(simulator.get('pump_1.pressure')).toBe(0.1)
  })

  test('an answer can be late; bits of one request share one fault', async () => {
    const { simulator } = await rig({ faults: { io_1: [{ kind: 'late', delayMs: 40, share: 1 }] } })
    const client = await master(simulator, 8)
    const began = performance.now()
    expect((await client.readDiscreteInputs(0, 8)).data).toHaveLength(8)
    expect(performance.now() - began).toBeGreaterThan(35)
  })

  test('a fault that this server cannot make is refused when it is asked for', async () => {
    const { simulator } = await rig()
    expect(() => simulator.fault('pump_1', [{ kind: 'garbled' }])).toThrow('cannot be garbled')
    expect(() => simulator.fault('pump_9', [])).toThrow('pump_9')
  })

  test('a bus that is paused refuses, and comes back on its port', async () => {
    const { simulator } = await rig()
    const port = portOf(simulator, 'pumps')
    await simulator.pause('pumps')
    await expect(master(simulator, 1)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await simulator.resume('pumps')
    expect(portOf(simulator, 'pumps')).toBe(port)
    const client = await master(simulator, 1)
    expect((await client.readHoldingRegisters(1110, 1)).data).toEqual([1])
  })
})

describe('composed points', () => {
  test('lead to the contact behind them', async () => {
    const { simulator } = await rig()
    simulator.set('door.tamper', true)
    expect(simulator.get('io_1.di_2')).toBe(false)
    simulator.set('io_1.di_2', true)
    expect(simulator.get('door.tamper')).toBe(false)
    const changes = simulator.changes.filter(({ point }) => point === 'door.tamper' || point === 'io_1.di_2')
    expect(changes.map(({ point, value }) => `${point} ${value}`)).toEqual([
      'io_1.di_2 false',
      'door.tamper true',
      'io_1.di_2 true',
      'door.tamper false',
    ])
  })

  test('an unknown point is named', async () => {
    const { simulator } = await rig()
    expect(() => simulator.set('pump_1.presure', 1)).toThrow('pump_1.presure')
  })
})

/** A master on the bytes of an RS-485 line. */
class LineMaster {
  readonly #socket: Socket
  #received = new Uint8Array(0)
  chunks = 0
  #woken: (() => void) | null = null

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk) => {
      this.chunks += 1
      this.#received = Uint8Array.from([...this.#received, ...chunk])
      this.#woken?.()
    })
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  send(question: Question): void {
    this.write(rtu.frame(question, 0))
  }

  /** The next whole frame, judged; junk before it is counted. */
  async next(question: Question): Promise<{ verdict: Verdict; junk: number }> {
    for (let junk = 0; ; ) {
      const split = rtu.split(this.#received, question)
      if (split.kind === 'more') await new Promise<void>((resolve) => (this.#woken = resolve))
      else {
        this.#received = this.#received.slice(split.used)
        if (split.kind === 'frame') return { verdict: rtu.judge(split.frame, question, 0), junk }
        junk += split.used
      }
    }
  }

  async ask(question: Question): Promise<Verdict> {
    this.send(question)
    return (await this.next(question)).verdict
  }
}

async function lineMaster(simulator: Simulator): Promise<LineMaster> {
  const socket = connect({ host: '127.0.0.1', port: portOf(simulator, 'riser'), noDelay: true })
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  scope.defer(() => {
    socket.destroy()
  })
  return new LineMaster(socket)
}

function question(fc: number, start: number, count: number, address = 3): Question {
  const body = Uint8Array.of(fc, start >> 8, start & 0xff, count >> 8, count & 0xff)
  const answerBytes = fc <= 2 ? 2 + Math.ceil(count / 8) : fc <= 4 ? 2 + 2 * count : 5
  return { address, body, writes: fc > 4, answerBytes }
}

const CLIMATE = question(4, 1, 2)

describe('on an RS-485 line', () => {
  test('answers what it shows', async () => {
    const { simulator } = await rig()
    const line = await lineMaster(simulator)
    const ask = (address: number) => async (fc: number, start: number, count: number) => {
      const verdict = await line.ask(question(fc, start, count, address))
      if (verdict.kind !== 'answer') throw new Error(JSON.stringify(verdict))
      return verdict.body.slice(2)
    }
    const air = await readAll(SITE, 'air', ask(3))
    expect(air).toMatchObject({ 'air.unit_id': 3, 'air.baud_rate': 9600 })
    const board = await readAll(SITE, 'board', ask(4))
    expect(Object.keys(board)).toHaveLength(16)
    for (const [point, value] of Object.entries({ ...air, ...board })) expect(simulator.get(point), point).toBe(value)
  })

  test('takes writes by all four functions, and broadcasts without an answer', async () => {
    const { simulator } = await rig()
    const line = await lineMaster(simulator)
    const write = (address: number, ...body: number[]): Question => ({
      address,
      body: Uint8Array.from(body),
      writes: true,
      answerBytes: 5,
    })
    expect((await line.ask(write(4, 5, 0, 2, 0xff, 0))).kind).toBe('answer')
    expect((await line.ask(write(4, 15, 0, 0, 0, 8, 1, 0b1000_0001))).kind).toBe('answer')
    expect((await line.ask(write(3, 6, 1, 3, 0xff, 0xf1))).kind).toBe('answer')
    expect(simulator.get('air.temperature_offset')).toBe(-1.5)
    expect((await line.ask(write(3, 16, 1, 3, 0, 2, 4, 0, 5, 0, 7))).kind).toBe('answer')
    expect(['relay_1', 'relay_3', 'relay_8'].map((key) => simulator.get(`board.${key}`))).toEqual([true, false, true])
    expect(simulator.get('air.humidity_offset')).toBe(0.7)
    // Changing an address from afar is what no gateway must do; that it did would be seen.
    line.send(write(0, 6, 1, 1, 0, 9))
    expect((await line.ask(CLIMATE)).kind).toBe('answer')
    expect(simulator.writes.at(-1)).toMatchObject({ values: { 'air.unit_id': 9 }, forbidden: true })
  })

  test('finds the request behind noise and in pieces', async () => {
    const { simulator } = await rig()
    const line = await lineMaster(simulator)
    line.write(Uint8Array.of(0x00, 0xff, 0x03, 0x55, 0x10))
    const frame = rtu.frame(CLIMATE, 0)
    line.write(frame.subarray(0, 3))
    line.write(frame.subarray(3))
    // Noise swallows at most the one request that it touches.
    line.send(CLIMATE)
    expect((await line.next(CLIMATE)).verdict.kind).toBe('answer')
  })

  test('nobody answers for an address that nobody has', async () => {
    const { simulator } = await rig()
    const line = await lineMaster(simulator)
    line.send(question(4, 1, 2, 77))
    expect((await line.ask(CLIMATE)).kind).toBe('answer')
    expect(line.chunks).toBe(1)
  })

  test('every fault of a line', async () => {
    const { simulator } = await rig()
    const line = await lineMaster(simulator)
    simulator.fault('air', [{ kind: 'wrong_unit' }])
    expect(await line.ask(CLIMATE)).toEqual({ kind: 'other', why: 'unit' })
    simulator.fault('air', [{ kind: 'exception', code: 4 }])
    expect(await line.ask(CLIMATE)).toEqual({ kind: 'fault', fault: { kind: 'exception', code: 4 } })
    simulator.fault('air', [{ kind: 'garbled' }])
    line.send(CLIMATE)
    const neighbour = question(2, 0, 8, 4)
    line.send(neighbour)
    const { verdict, junk } = await line.next(neighbour)
    expect(verdict.kind).toBe('answer')
    expect(junk).toBeGreaterThan(0)
  })

  test('a torn reply comes whole, a late one comes after the next', async () => {
    const { simulator } = await rig()
    const line = await lineMaster(simulator)
    simulator.fault('air', [{ kind: 'split', delayMs: 15 }])
    expect((await line.ask(CLIMATE)).kind).toBe('answer')
    expect(line.chunks).toBe(2)
    simulator.fault('air', [{ kind: 'late', delayMs: 30 }])
    line.send(CLIMATE)
    const bits = question(2, 0, 8, 4)
    expect((await line.ask(bits)).kind).toBe('answer')
    expect((await line.next(CLIMATE)).verdict.kind).toBe('answer')
  })

  test('a paused device is silent, its neighbour is not', async () => {
    const { simulator } = await rig()
    const line = await lineMaster(simulator)
    await simulator.pause('air')
    line.send(CLIMATE)
    expect((await line.ask(question(2, 0, 8, 4))).kind).toBe('answer')
    await simulator.resume('air')
    expect((await line.ask(CLIMATE)).kind).toBe('answer')
  })
})

test('ports: written ones on one host must differ', async () => {
  const site = siteOf({ buses: { a: TCP, b: { kind: 'tcp', host: '10.1.1.21', port: 502 } }, devices: {} })
  const opening = openSimulator({ site, clock: handClock(), log: SILENT, seed: 1 })
  await expect(opening).rejects.toThrow('buses a and b both name port 502')
})

test('a broker that is not there is named', async () => {
  const site = siteOf({ devices: { lobby: { driver: 'environment/zigbee2mqtt_climate', topic: 'zigbee2mqtt/lobby' } } })
  const held = createServer()
  await new Promise<void>((resolve) => held.listen(0, '127.0.0.1', resolve))
  const bound = held.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0
  await new Promise<void>((resolve) => held.close(() => resolve()))
  const opening = openSimulator({
    site,
    clock: handClock(),
    log: SILENT,
    seed: 1,
    broker: { url: `mqtt://127.0.0.1:${port}` },
  })
  await expect(opening).rejects.toThrow(`the broker mqtt://127.0.0.1:${port} does not take`)
})

test('devices that publish say what they show, in the words of zigbee2mqtt, and at once when it is set', async () => {
  const broker = await Aedes.createBroker()
  scope.defer(() => new Promise<void>((resolve) => broker.close(() => resolve())))
  const server = createServer(broker.handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const heard: Record<string, unknown>[] = []
  let wake = (): void => undefined
  broker.on('publish', (packet, client) => {
    // The bridge and each device also say that they are there: test/simulate/publish.test.ts.
    if (client === null || /(state|availability)$/.test(packet.topic)) return
    heard.push({ topic: packet.topic, ...(JSON.parse(packet.payload.toString()) as object) })
    wake()
  })
  const until = async (count: number): Promise<void> => {
    while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve))
  }
  const bound = server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0
  const site = siteOf({
    devices: {
      lobby: { driver: 'environment/zigbee2mqtt_climate', topic: 'zigbee2mqtt/lobby' },
      door: { driver: 'access/zigbee2mqtt_contact', topic: 'zigbee2mqtt/door' },
    },
  })
  // The broker comes later than the devices, as in a box that starts.
  let url: string | null = null
  const { simulator } = await rig({ site, broker: { url: () => url } })
  url = `mqtt://127.0.0.1:${port}`
  await until(2)
  expect(heard.find(({ topic }) => topic === 'zigbee2mqtt/lobby')).toMatchObject({
    temperature: expect.closeTo(simulator.get('lobby.temperature') as number, 2),
    humidity: expect.any(Number),
    voltage: 2950,
    linkquality: expect.any(Number),
  })
  simulator.set('door.contact', false)
  await until(3)
  expect(heard.at(-1)).toMatchObject({ topic: 'zigbee2mqtt/door', contact: false, tamper: false })
})
