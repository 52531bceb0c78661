/**
 * The devices of a modbus-tcp bus behind the server of modbus-serial: a stack that is not ours, so that an error in our codec
 * cannot be answered by the same error. It frames replies by itself: of the faults only those that need no bytes of ours exist here.
 */
import { type FCallback, type FCallbackVal, type IServiceVector, ServerTCP } from 'modbus-serial'
import type { BitTable, RegisterTable, SimulatedDevice } from './devices.ts'
import { type FaultKind, type Misdeed } from './faults.ts'
import { freePort, type Served, taken } from './listener.ts'
import type { Line } from './line.ts'
import { unitOn } from './rtu.ts'

export const MODBUS_TCP_FAULTS: readonly FaultKind[] = ['late', 'silent', 'exception', 'frozen']

/** What a gateway to a serial line answers for a unit that nobody has: 0B, target failed to respond. */
const NO_TARGET = 11
const PORT_TRIES = 5

export async function serveModbusTcp(target: { host: string; port: number }, line: Line): Promise<Served> {
  const vector = vectorOf(line)
  const first = await open(target, vector)
  const { port } = first
  let server: ServerTCP | null = first.server
  const end = async (): Promise<void> => {
    const ending = server
    server = null
    // The callback of close() is given nothing of interest: a server that was listening always ends.
    if (ending !== null) await new Promise<void>((resolve) => ending.close(() => resolve()))
  }
  return {
    port,
    pause: end,
    close: end,
    async resume() {
      server ??= (await open({ host: target.host, port }, vector)).server
    },
  }
}

/** modbus-serial takes port 0 for 502, so a free port is looked for first; it may be gone a moment later. */
async function open(
  { host, port }: { host: string; port: number },
  vector: IServiceVector,
): Promise<{ server: ServerTCP; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const chosen = port === 0 ? await freePort(host) : port
    try {
      return { server: await start(host, chosen, vector), port: chosen }
    } catch (error) {
      if (port !== 0 || attempt >= PORT_TRIES) throw error
    }
  }
}

function start(host: string, port: number, vector: IServiceVector): Promise<ServerTCP> {
  return new Promise((resolve, reject) => {
    const server = new ServerTCP(vector, { host, port, unitID: 255 })
    server.on('serverError', (error) => reject(taken(host, port, error ?? new Error('unknown'))))
    // A master that breaks its connection is no fault of a device.
    server.on('socketError', () => undefined)
    server.on('initialized', () => resolve(server))
  })
}

function vectorOf(line: Line): IServiceVector {
  const deeds = createDeeds(line)
  const serve = (unit: number, job: (device: SimulatedDevice) => number | null, done: FCallback): void => {
    deeds(unit, done, (device) => done(exception(job(device))))
  }
  const bit = (table: BitTable, address: number, unit: number, done: FCallbackVal<boolean>): void => {
    const fail: FCallback = (error) => done(error, false)
    deeds(unit, fail, (device) => {
      const value = device.readBit(table, address)
      if (typeof value === 'number') fail(exception(value))
      else done(null, value)
    })
  }
  const registers = (
    table: RegisterTable,
    { start, count }: { start: number; count: number },
    unit: number,
    done: FCallbackVal<number[]>,
  ): void => {
    const fail: FCallback = (error) => done(error, [])
    deeds(unit, fail, (device) => {
      const content = device.readRegisters(table, start, count)
      if (typeof content === 'number') fail(exception(content))
      else done(null, wordsIn(content))
    })
  }
  const one =
    (table: RegisterTable) =>
    (address: number, unit: number, done: FCallbackVal<number>): void =>
      registers(table, { start: address, count: 1 }, unit, (error, [word = 0]) => done(error, word))
  return {
    getCoil: (address: number, unit: number, done: FCallbackVal<boolean>) => bit('coil', address, unit, done),
    getDiscreteInput: (address: number, unit: number, done: FCallbackVal<boolean>) =>
      bit('discrete', address, unit, done),
    getHoldingRegister: one('holding'),
    getInputRegister: one('input'),
    getMultipleHoldingRegisters: (start: number, count: number, unit: number, done: FCallbackVal<number[]>) =>
      registers('holding', { start, count }, unit, done),
    getMultipleInputRegisters: (start: number, count: number, unit: number, done: FCallbackVal<number[]>) =>
      registers('input', { start, count }, unit, done),
    setCoil: (address: number, on: boolean, unit: number, done: FCallback) =>
      serve(unit, (device) => device.writeBit(address, on), done),
    setRegister: (address: number, value: number, unit: number, done: FCallback) =>
      serve(unit, (device) => device.writeRegisters(address, bytesOf([value])), done),
    setRegisterArray: (address: number, values: number[], unit: number, done: FCallback) =>
      serve(unit, (device) => device.writeRegisters(address, bytesOf(values)), done),
  }
}

/**
 * Who answers, and how. The server asks for bits one by one: all that it asks in one turn belongs to one request, which gets
 * one misdeed.
 */
function createDeeds(line: Line): (unit: number, fail: FCallback, job: (device: SimulatedDevice) => void) => void {
  let ongoing: { unit: number; misdeed: Misdeed } | null = null
  const misdeedOf = (unit: number, device: SimulatedDevice): Misdeed => {
    if (ongoing?.unit === unit) return ongoing.misdeed
    const misdeed = line.faults.next(device.device.id)
    ongoing = { unit, misdeed }
    queueMicrotask(() => {
      ongoing = null
    })
    return misdeed
  }
  return (unit, fail, job) => {
    const device = unitOn(line, unit)
    if (device === undefined) return fail(exception(NO_TARGET))
    if (device.paused) return
    const misdeed = misdeedOf(unit, device)
    if (misdeed.silent) return
    const go = (): void => (misdeed.exception === null ? job(device) : fail(exception(misdeed.exception)))
    if (misdeed.delayMs > 0) line.later(misdeed.delayMs, go)
    else go()
  }
}

function exception(code: number | null): Error | null {
  return code === null ? null : Object.assign(new Error(`exception ${code}`), { modbusErrorCode: code })
}

function wordsIn(content: Uint8Array): number[] {
  return Array.from({ length: content.length / 2 }, (_, n) => ((content[2 * n] ?? 0) << 8) | (content[2 * n + 1] ?? 0))
}

function bytesOf(words: readonly number[]): Uint8Array {
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]))
}
