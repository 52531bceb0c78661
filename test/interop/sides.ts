/** Modbus devices by stacks that are not ours, each on a real socket or pty: what they hold can be set and looked at. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type IServiceVector, ServerSerial, ServerTCP } from 'modbus-serial'
import type { ModbusTable } from '../../src/model/point.ts'
import type { Wire } from '../../src/model/site.ts'
import { freePort, portOpen, ROOT, start, startPtyPair, startPymodbus, until } from './tools.ts'

export type Side = {
  readonly wire: Wire
  readonly set: (table: ModbusTable, address: number, values: readonly number[]) => Promise<void>
  readonly get: (table: ModbusTable, address: number, count: number) => Promise<number[]>
  readonly close: () => Promise<void>
}

export type SideKind = {
  readonly name: string
  readonly ascii: boolean
  /** Functions that this stack refuses with exception 1. */
  readonly without: readonly number[]
  /** Functions that it says nothing to: their length is unknown to it, so to it they are noise. */
  readonly silent?: readonly number[]
  readonly open: (dir: string) => Promise<Side>
}

/** Entries of each table that exist: behind them is exception 2. */
export const ENTRIES = 1000
const BAUD = 9600

async function pymodbus(mode: 'tcp' | 'rtu' | 'ascii', dir: string): Promise<Side> {
  const port = await freePort()
  const line = mode === 'tcp' ? null : await startPtyPair(dir)
  const args = line === null ? ['tcp', String(port)] : [mode, line.ends[1], String(BAUD)]
  const device = await startPymodbus(args)
  return {
    wire: line === null ? { kind: 'modbus-tcp', host: '127.0.0.1', port } : { kind: 'serial', path: line.ends[0] },
    set: (table, address, values) => device.order({ unit: 1, table, address, values }),
    async get(table, address, count) {
      await device.order({ get: { unit: 1, table, address, count } })
      const said = device.lines.findLast((text) => text.includes('"values"')) ?? ''
      return (JSON.parse(said) as { values: number[] }).values
    },
    async close() {
      await device.kill()
      await line?.kill()
    },
  }
}

/** Compiled once for all tests of a run. */
let compiled: Promise<string> | null = null

async function compile(dir: string): Promise<string> {
  const program = join(dir, 'libmodbus_server')
  const source = join(ROOT, 'test/interop/libmodbus_server.c')
  const args = ['-Wall', '-Wextra', '-Werror', '-O1', '-I/usr/include/modbus', '-o', program, source, '-lmodbus']
  await promisify(execFile)('gcc', args)
  return program
}

async function libmodbus(mode: 'tcp' | 'rtu', dir: string): Promise<Side> {
  compiled ??= compile(dir)
  const port = await freePort()
  const line = mode === 'tcp' ? null : await startPtyPair(dir)
  const device = start(await compiled, line === null ? ['tcp', String(port)] : ['rtu', line.ends[1], String(BAUD)])
  await until(`libmodbus: ${device.lines.join(' ')}`, () => device.lines.includes('listening'))
  async function order(text: string): Promise<string> {
    const before = device.lines.length
    device.child.stdin?.write(`${text}\n`)
    await until(`libmodbus to take "${text}"`, () => device.lines.length > before)
    return device.lines[before] ?? ''
  }
  return {
    wire: line === null ? { kind: 'modbus-tcp', host: '127.0.0.1', port } : { kind: 'serial', path: line.ends[0] },
    async set(table, address, values) {
      const said = await order(`set ${table} ${address} ${values.join(' ')}`)
      if (said !== 'ok') throw new Error(`libmodbus: ${said}`)
    },
    async get(table, address, count) {
      const [word, ...values] = (await order(`get ${table} ${address} ${count}`)).split(' ')
      if (word !== 'values') throw new Error(`libmodbus: ${word}`)
      return values.map(Number)
    },
    async close() {
      await device.kill()
      await line?.kill()
    },
  }
}

class IllegalAddress extends Error {
  readonly modbusErrorCode = 2
}

type Tables = Readonly<Record<ModbusTable, Uint16Array>>

function vectorOf(tables: Tables): IServiceVector {
  const read = (table: ModbusTable, address: number): number => {
    const value = tables[table][address]
    if (value === undefined) throw new IllegalAddress()
    return value
  }
  const write = (table: ModbusTable, address: number, value: number): void => {
    read(table, address)
    tables[table][address] = value
  }
  // What throws in a promise becomes an exception; what throws at once does not.
  return {
    getCoil: async (address: number) => read('coil', address) !== 0,
    getDiscreteInput: async (address: number) => read('discrete', address) !== 0,
    getHoldingRegister: async (address: number) => read('holding', address),
    getInputRegister: async (address: number) => read('input', address),
    setCoil: async (address: number, on: boolean) => write('coil', address, on ? 1 : 0),
    setRegister: async (address: number, value: number) => write('holding', address, value),
  }
}

async function modbusSerial(mode: 'tcp' | 'rtu', dir: string): Promise<Side> {
  const tables: Tables = {
    coil: new Uint16Array(ENTRIES),
    discrete: new Uint16Array(ENTRIES),
    holding: new Uint16Array(ENTRIES),
    input: new Uint16Array(ENTRIES),
  }
  const port = await freePort()
  const line = mode === 'tcp' ? null : await startPtyPair(dir)
  const vector = vectorOf(tables)
  const server =
    line === null
      ? new ServerTCP(vector, { host: '127.0.0.1', port, unitID: 255 })
      : new ServerSerial(vector, { path: line.ends[1], baudRate: BAUD, unitID: 1 })
  if (line === null) await until('modbus-serial', () => portOpen(port))
  else await new Promise<void>((resolve) => server.once('initialized', resolve))
  return {
    wire: line === null ? { kind: 'modbus-tcp', host: '127.0.0.1', port } : { kind: 'serial', path: line.ends[0] },
    async set(table, address, values) {
      tables[table].set(values, address)
    },
    get: async (table, address, count) => [...tables[table].subarray(address, address + count)],
    async close() {
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await line?.kill()
    },
  }
}

export const SIDES: readonly SideKind[] = [
  { name: 'pymodbus TCP', ascii: false, without: [], open: (dir) => pymodbus('tcp', dir) },
  { name: 'pymodbus RTU', ascii: false, without: [], open: (dir) => pymodbus('rtu', dir) },
  { name: 'pymodbus ASCII', ascii: true, without: [], open: (dir) => pymodbus('ascii', dir) },
  { name: 'libmodbus TCP', ascii: false, without: [43], open: (dir) => libmodbus('tcp', dir) },
  { name: 'libmodbus RTU', ascii: false, without: [], silent: [43], open: (dir) => libmodbus('rtu', dir) },
  { name: 'modbus-serial TCP', ascii: false, without: [22, 23, 43], open: (dir) => modbusSerial('tcp', dir) },
  { name: 'modbus-serial RTU', ascii: false, without: [22, 23, 43], open: (dir) => modbusSerial('rtu', dir) },
]
