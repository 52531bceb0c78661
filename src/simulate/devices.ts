/**
 * The devices of a site as they would answer: values by signal or by force, shown in registers and coils, and what a write
 * changes. No sockets here.
 */
import type { Point, Value } from '../model/point.ts'
import type { Device, Limits } from '../model/site.ts'
import { meant } from '../protocols/modbus/extract.ts'
import { blockOf } from '../protocols/modbus/index.ts'
import type { Coder } from './encode.ts'
import type { Signal } from './signals.ts'

/** Modbus exception codes that a device itself would give. */
export const ILLEGAL_ADDRESS = 2
export const ILLEGAL_VALUE = 3

export type Cell = {
  readonly point: Point
  /** Standard name, else key: what other signals of the device call it. */
  readonly name: string
  readonly signal: Signal
  /** null: not of a Modbus device. */
  readonly coder: Coder | null
  /** What a device of another protocol can hold of a value. Left out: all. */
  readonly fit?: (value: Value) => Value
  forced: Value | undefined
}

/** What the rest of the simulator wants to hear of a device. */
export type Ears = {
  /** The value that was shown; called for every read. */
  readonly shown: (cell: Cell, value: Value) => void
  readonly written: (
    device: Device,
    write: { table: 'coil' | 'holding'; start: number; raw: readonly number[]; cells: readonly Cell[] },
  ) => void
}

export type BitTable = 'coil' | 'discrete'
export type RegisterTable = 'holding' | 'input'

export class SimulatedDevice {
  readonly device: Device
  readonly cells: readonly Cell[]
  readonly #limits: Limits | null
  readonly #elapsedMs: () => number
  readonly #ears: Ears
  readonly #byName: ReadonlyMap<string, Cell>
  readonly #fixed: ReadonlyMap<number, number>
  #frozen: ReadonlyMap<Cell, Value> | null = null
  /** Published messages that no broker took. */
  lost = 0
  /** Does not answer: its plug is out. */
  paused = false

  /** `fixed`: registers that say always the same, by address of the holding table. */
  constructor(
    device: Device,
    cells: readonly Cell[],
    elapsedMs: () => number,
    ears: Ears,
    fixed: ReadonlyMap<number, number> = new Map(),
  ) {
    this.device = device
    this.cells = cells
    this.#fixed = fixed
    this.#limits = device.link.kind === 'bus' ? device.link.limits : null
    this.#elapsedMs = elapsedMs
    this.#ears = ears
    this.#byName = new Map(cells.map((cell) => [cell.name, cell]))
  }

  /** The value at this moment, as the device can hold it. */
  value(cell: Cell): Value {
    return this.#frozen?.get(cell) ?? this.#live(cell)
  }

  /** The same, and somebody reads it. */
  show(cell: Cell): Value {
    const value = this.value(cell)
    this.#ears.shown(cell, value)
    return value
  }

  /** It said so by itself: in a line or a message. */
  told(cell: Cell, value: Value): void {
    this.#ears.shown(cell, value)
  }

  #live(cell: Cell): Value {
    const value = cell.forced ?? cell.signal(this.#elapsedMs(), this.#of)
    const ranged = typeof value === 'number' && cell.forced === undefined ? within(cell.point.range, value) : value
    const fit = cell.coder?.fit ?? cell.fit
    return fit === undefined ? ranged : fit(ranged)
  }

  readonly #of = (name: string): Value | undefined => {
    const cell = this.#byName.get(name)
    return cell === undefined ? undefined : this.#live(cell)
  }

  /** Frozen, it goes on showing what it measured when it froze. */
  freeze(on: boolean): void {
    if (!on) this.#frozen = null
    else this.#frozen ??= new Map(this.cells.map((cell) => [cell, this.#live(cell)]))
  }

  /** Two bytes a register, or the exception. */
  readRegisters(table: RegisterTable, start: number, count: number): Uint8Array | number {
    if (count > (this.#limits?.maxRegisters ?? 125)) return ILLEGAL_VALUE
    const touched = this.#touched(table, start, count).filter(({ cell }) => isRead(cell))
    const fixed = table === 'holding' ? [...this.#fixed].filter(([at]) => at >= start && at < start + count) : []
    if (touched.length + fixed.length === 0) return ILLEGAL_ADDRESS
    if (this.#limits?.maxGap === 0 && covered(touched) < count) return ILLEGAL_ADDRESS
    const registers = new Uint8Array(2 * count)
    for (const { cell, coder } of touched) {
      coder.put(this.show(cell), registers, start, this.#factorOf(coder))
    }
    for (const [at, register] of fixed) registers.set([register >> 8, register & 0xff], 2 * (at - start))
    return registers
  }

  /** What its other registers multiply the value by. Those that no point shows are 0: no decimals, the power of one. */
  #factorOf({ place }: Coder): number {
    let product = 1
    for (const { table, address, means } of place.factors ?? []) {
      const cell = this.cells.find(({ coder }) => coder?.place.table === table && coder.place.address === address)
      const factor = meant(cell?.coder?.raw(this.value(cell)) ?? 0, means)
      if (typeof factor === 'number' && factor !== 0) product *= factor
    }
    return product
  }

  /** An undeclared bit between declared ones reads false; beyond them it is refused. */
  readBit(table: BitTable, address: number): boolean | number {
    const [found] = this.#touched(table, address, 1)
    if (found === undefined) {
      const known = this.#places(table)
      const inside = known.some((at) => at < address) && known.some((at) => at > address)
      return inside ? false : ILLEGAL_ADDRESS
    }
    return found.coder.bit(this.show(found.cell))
  }

  /** null: done. */
  writeBit(address: number, on: boolean): number | null {
    const touched = this.#touched('coil', address, 1)
    if (touched.length === 0) return ILLEGAL_ADDRESS
    this.#take('coil', address, 1, Uint8Array.of(on ? 1 : 0), [on ? 1 : 0])
    return null
  }

  writeRegisters(start: number, registers: Uint8Array): number | null {
    const count = registers.length / 2
    const touched = this.#touched('holding', start, count)
    if (touched.length === 0) return ILLEGAL_ADDRESS
    const raw = Array.from({ length: count }, (_, n) => ((registers[2 * n] ?? 0) << 8) | (registers[2 * n + 1] ?? 0))
    this.#take('holding', start, count, registers, raw)
    return null
  }

  /** The gateway's own codec says what the written registers mean. */
  #take(table: 'coil' | 'holding', start: number, count: number, content: Uint8Array, raw: readonly number[]): void {
    const whole = this.#touched(table, start, count).filter(
      ({ coder }) => coder.place.address >= start && coder.place.address + coder.size <= start + count,
    )
    const plain = whole.filter(
      ({ coder }) => coder.place.write?.values === undefined && coder.place.model === undefined,
    )
    const points = plain.filter(({ coder }) => coder.place.factors === undefined).map(({ cell }) => cell.point)
    const block = blockOf({ points: points.map((point) => point.index), everyMs: 0, table, start, count })
    const body = Uint8Array.of(table === 'coil' ? 1 : 3, content.length, ...content)
    for (const reading of block.read(points, [body])) {
      const cell = plain.find((each) => each.cell.point.index === reading.point)?.cell
      if (cell !== undefined && 'value' in reading) cell.forced = reading.value
    }
    for (const { cell, coder } of whole) this.#takeValue(cell, coder, raw[coder.place.address - start])
    this.#ears.written(this.device, { table, start, raw, cells: whole.map(({ cell }) => cell) })
  }

  /** Values of their own: 256 written is a relay that closes, and reads 1. */
  #takeValue(cell: Cell, { place }: Coder, raw: number | undefined): void {
    const [text] = Object.entries(place.write?.values ?? {}).find(([, each]) => each === raw) ?? []
    if (text === undefined) return
    cell.forced =
      text === 'true' || text === 'false' ? text === 'true' : cell.point.type === 'str' ? text : Number(text)
  }

  #touched(table: string, start: number, count: number): readonly { cell: Cell; coder: Coder }[] {
    return this.cells.flatMap((cell) => {
      const { coder } = cell
      if (coder === null || coder.place.table !== table) return []
      const { address } = coder.place
      return address < start + count && address + coder.size > start ? [{ cell, coder }] : []
    })
  }

  #places(table: string): readonly number[] {
    return this.cells.flatMap(({ coder }) => (coder?.place.table === table ? [coder.place.address] : []))
  }
}

/** What can only be written has no answer. */
function isRead({ point }: Cell): boolean {
  return point.source.from === 'field' && point.source.everyMs !== null
}

function within(range: readonly [number, number] | null, value: number): number {
  return range === null ? value : Math.min(range[1], Math.max(range[0], value))
}

function covered(touched: readonly { coder: Coder }[]): number {
  const registers = new Set<number>()
  for (const { coder } of touched) {
    for (let n = 0; n < coder.size; n++) registers.add(coder.place.address + n)
    // Scales that are no points of their own exist all the same.
    for (const factor of coder.place.factors ?? []) registers.add(factor.address)
  }
  return registers.size
}
