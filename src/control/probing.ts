/**
 * Reads registers or bits of a Modbus device by hand, and says what they may mean. Read functions only (1 to 4); what a driver
 * forbids, keeps personal or calls a hole is not touched, neither as asked nor as a neighbour of it.
 */
import type { RunningBus } from '../bus/bus.ts'
import type { Visit } from '../bus/seats.ts'
import { AT } from '../driver/place.ts'
import { causeText } from '../model/fault.ts'
import type { ModbusTable, Point } from '../model/point.ts'
import type { Device, Site } from '../model/site.ts'
import { encodingOf, isNumberEncoding, type NumberEncoding } from '../protocols/modbus/encoding.ts'
import { placeOf, stretchOf } from '../protocols/modbus/place.ts'
import { questionOf } from '../protocols/modbus/question.ts'
import { findReadings, numbersAt, readShown, type Registers } from './expectation.ts'
import { OperationError } from './operation.ts'
import type { ProbeAnswer, ProbeCandidate, ProbeRead, ProbeWanted } from './shapes-probe.ts'

export type Closed = {
  readonly table: ModbusTable
  readonly start: number
  readonly end: number
  /** The point it belongs to; null: a hole. */
  readonly point: string | null
}

export type ProbeOn = {
  readonly bus: Pick<RunningBus, 'ask'>
  readonly visit: Visit
  readonly closed: readonly Closed[]
}

const FUNCTION = { coil: 1, discrete: 2, holding: 3, input: 4 } as const
const WORDS_MOST = 4
const WORD_BITS = 16
/** Function code and byte count. */
const HEAD = 2

/** What may not be read by hand of this device. */
export function closedOf({ points }: Pick<Site, 'points'>, device: Device): readonly Closed[] {
  if (device.link.kind !== 'bus') return []
  const own = device.points.flatMap((index) => points[index] ?? []).filter((point) => point.forbidden || point.personal)
  const holes = (device.link.limits.holes ?? []).map((hole) => ({ ...hole, point: null }))
  return [...own.flatMap(stretchesOf), ...holes]
}

function stretchesOf(point: Point): readonly Closed[] {
  const place = placeOf(point)
  if (place === null) return []
  const { table, model, write } = place
  // Where a model lies is only known from the device: all behind the first one is closed.
  if (model !== undefined) return [{ table, start: model.base, end: 0x10000, point: point.id }]
  const { start, end } = stretchOf(place)
  const written = write?.address ?? start
  return [
    { table, start, end, point: point.id },
    { table: write?.table ?? table, start: written, end: written + end - start, point: point.id },
  ]
}

type Place = { readonly table: ModbusTable; readonly address: number }

/** Throws OperationError for what cannot or may not be asked. */
export async function probeModbus(on: ProbeOn, wanted: ProbeWanted): Promise<ProbeAnswer> {
  const place = placeWanted(wanted.at)
  const bits = bitsWanted(wanted.as)
  if (bits !== null && wanted.expect !== undefined && !isBits(place.table))
    throw wrong(
      'bits of a register are listed: --as bits without --expect',
      '寄存器的位只能列出：--as bits，不带 --expect',
    )
  const as = bits === null ? encodingWanted(wanted.as) : null
  if (as !== null && isBits(place.table))
    throw wrong(`a ${place.table} is one bit: --as is for registers`, `${place.table} 就是一位：--as 只用于寄存器`)
  const count = wanted.count ?? (isBits(place.table) || bits !== null ? 1 : as === null ? 2 : encodingOf(as).words)
  if (place.address + count > 0x10000) throw wrong('address 65535 is the last', '地址最大为 65535')
  const closed = closedIn(on.closed, place.table, place.address, place.address + count)
  if (closed !== null) throw forbidden(closed)
  const at = placeText(place.table, place.address)
  if (wanted.expect === undefined) {
    const read = await readPart(on, place.table, place.address, count)
    const readings = bits === null && !isBits(place.table) ? readingsOf(read, place, as) : bitsOf(read, place, bits)
    return { at, reads: [read], readings, candidates: [] }
  }
  return isBits(place.table)
    ? expectBit(on, place, wanted.expect)
    : expectNumber(
        on,
        { table: place.table === 'input' ? 'input' : 'holding', address: place.address },
        as,
        wanted.expect,
      )
}

async function expectNumber(
  on: ProbeOn,
  place: { readonly table: 'input' | 'holding'; readonly address: number },
  as: NumberEncoding | null,
  shown: string,
): Promise<ProbeAnswer> {
  if (readShown(shown) === null)
    throw wrong(
      `--expect takes a number as the display shows it, not "${shown}"`,
      `--expect 应为仪表显示的数字，而不是“${shown}”`,
    )
  const reads: ProbeRead[] = []
  const images: Registers[] = []
  for (const table of [place.table, place.table === 'holding' ? 'input' : 'holding'] as const) {
    for (const each of await readAround(on, table, place.address)) {
      reads.push(each.read)
      if (each.image !== null) images.push(each.image)
    }
  }
  const found = findReadings(images, { ...place, shown, ...(as === null ? {} : { as }) })
  const candidates = found.map(({ table, address, as: encoding, order, scale, value, off, alike }) => ({
    at: placeText(table, address),
    as: encoding,
    order,
    scale,
    value,
    off,
    alike: [...alike],
  }))
  return { at: placeText(place.table, place.address), reads, readings: [], candidates: distinct(candidates) }
}

/** One read for all; a device that knows only part of it is asked for the parts. */
async function readAround(
  on: ProbeOn,
  table: 'input' | 'holding',
  address: number,
): Promise<readonly { read: ProbeRead; image: Registers | null }[]> {
  const tries: (readonly [number, number])[] = [[-1, WORDS_MOST + 2]]
  for (const words of [2, 1]) for (const offset of [0, -1, 1]) tries.push([offset, words])
  const done: { read: ProbeRead; image: Registers | null }[] = []
  for (const [offset, words] of tries) {
    const start = Math.max(0, address + offset)
    const end = Math.min(0x10000, address + offset + words)
    if (start >= end || closedIn(on.closed, table, start, end) !== null) continue
    if (done.some(({ image }) => image !== null && image.start <= start && end <= image.start + image.bytes.length / 2))
      continue
    const read = await readPart(on, table, start, end - start)
    const raw = read.raw as readonly number[] | null
    const image =
      raw === null ? null : { table, start, bytes: Uint8Array.from(raw.flatMap((word) => [word >> 8, word & 0xff])) }
    done.push({ read, image })
    // Only "not these registers" is worth another try.
    if (image === null && read.fault !== 'exception:2' && read.fault !== 'exception:3') break
    if (words > WORDS_MOST && image !== null) break
  }
  return done
}

async function expectBit(on: ProbeOn, place: Place, shown: string): Promise<ProbeAnswer> {
  const wanted = BITS[shown.trim().toLowerCase()]
  if (wanted === undefined)
    throw wrong(`a ${place.table} is on or off, not "${shown}"`, `${place.table} 只有 on 或 off，而不是“${shown}”`)
  const reads: ProbeRead[] = []
  const candidates: ProbeCandidate[] = []
  for (const table of [place.table, place.table === 'coil' ? 'discrete' : 'coil'] as const) {
    for (const offset of [0, -1, 1]) {
      const address = place.address + offset
      if (address < 0 || address > 0xffff || closedIn(on.closed, table, address, address + 1) !== null) continue
      const read = await readPart(on, table, address, 1)
      reads.push(read)
      if (read.raw?.[0] === wanted)
        candidates.push({ at: read.at, as: 'bit', order: null, scale: null, value: wanted, off: 0, alike: [] })
      if (read.fault === 'timeout' || read.fault === 'exception:1') break
    }
  }
  return { at: placeText(place.table, place.address), reads, readings: [], candidates }
}

const BITS: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  '1': true,
  off: false,
  false: false,
  '0': false,
}

async function readPart({ bus, visit }: ProbeOn, table: ModbusTable, start: number, count: number): Promise<ProbeRead> {
  const question = questionOf({ fc: FUNCTION[table], start, count }, visit.address)
  const result = await bus.ask({ ...visit, question, idle: false })
  const read = { at: placeText(table, start), count, raw: null }
  if (result.kind === 'unsent') return { ...read, fault: result.why === 'closed' ? 'closed' : 'not_read' }
  if (result.kind === 'fault') return { ...read, fault: causeText(result.fault) }
  const content = result.bodies[0]?.subarray(HEAD) ?? new Uint8Array(0)
  const raw = isBits(table)
    ? Array.from({ length: count }, (_, at) => (((content[at >> 3] ?? 0) >> (at & 7)) & 1) === 1)
    : Array.from({ length: count }, (_, at) => ((content[2 * at] ?? 0) << 8) | (content[2 * at + 1] ?? 0))
  return { ...read, raw, fault: null }
}

/** What somebody looks for first; the rest with --as. */
const SENSIBLE: ReadonlySet<string> = new Set(['u16', 's16', 'u32', 's32', 'f32'])

function readingsOf(read: ProbeRead, { table, address }: Place, as: NumberEncoding | null): ProbeAnswer['readings'] {
  if (read.raw === null || (table !== 'input' && table !== 'holding')) return []
  const words = read.raw.map(Number)
  const bytes = Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]))
  const found: ProbeAnswer['readings'] = []
  for (let at = 0; at < words.length; at++) {
    const here = { table, start: address, bytes, address: address + at }
    for (const number of numbersAt(here, as ?? undefined)) {
      if (as === null && !SENSIBLE.has(number.as)) continue
      found.push({ at: placeText(table, address + at), as: number.as, order: number.order, value: number.raw })
    }
  }
  return found
}

/** Of coils and discrete inputs each is one; of a register there are sixteen, 0 the least significant. */
function bitsOf({ raw }: ProbeRead, { table, address }: Place, only: Bits | null): ProbeAnswer['readings'] {
  return (raw ?? []).flatMap((each: number | boolean, offset) => {
    const at = placeText(table, address + offset)
    if (typeof each === 'boolean') return [{ at, as: 'bit', order: null, value: each }]
    const numbers = typeof only === 'number' ? [only] : Array.from({ length: WORD_BITS }, (_, bit) => bit)
    return numbers.map((bit) => ({ at, as: `bit ${bit}`, order: null, value: ((each >> bit) & 1) === 1 }))
  })
}

/** The same place in overlapping reads. */
function distinct(candidates: readonly ProbeCandidate[]): ProbeCandidate[] {
  const keyed = candidates.map((each) => [[each.at, each.as, each.order, each.scale].join(' '), each] as const)
  return [...new Map(keyed.toReversed()).values()].toReversed()
}

export function placeText(table: ModbusTable, address: number): string {
  return `${table} ${address}`
}

function isBits(table: ModbusTable): table is 'coil' | 'discrete' {
  return table === 'coil' || table === 'discrete'
}

function placeWanted(at: string): Place {
  const [, table, digits] = AT.exec(at.trim()) ?? []
  const address = Number(digits)
  if (table === undefined || address > 0xffff)
    throw wrong(
      `"${at}" is no place: write it like "holding 52" or "input 0x1F"`,
      `“${at}”不是位置：请写成 "holding 52" 或 "input 0x1F"`,
    )
  return { table: table as ModbusTable, address }
}

/** All bits, or the one of this number. */
type Bits = 'all' | number

/** null: something else than bits. */
function bitsWanted(as: string | undefined): Bits | null {
  if (as === 'bit' || as === 'bits') return 'all'
  const [, digits] = /^bit (\d{1,2})$/.exec(as ?? '') ?? []
  if (digits === undefined) return null
  if (Number(digits) < WORD_BITS) return Number(digits)
  throw wrong(`a register has bits 0 to 15, not ${digits}`, `寄存器的位为 0 到 15，而不是 ${digits}`)
}

function encodingWanted(as: string | undefined): NumberEncoding | null {
  if (as === undefined) return null
  const name = as as NumberEncoding
  if (isNumberEncoding(name)) return name
  throw wrong(
    `--as takes u16 s16 u32 s32 f32 u64 s64 f64 bcd16 bcd32 sm16 sm32 mod10k32, bits or "bit 5", not ${as}`,
    `--as 可用 u16 s16 u32 s32 f32 u64 s64 f64 bcd16 bcd32 sm16 sm32 mod10k32、bits 或 "bit 5"，而不是 ${as}`,
  )
}

function closedIn(closed: readonly Closed[], table: ModbusTable, start: number, end: number): Closed | null {
  return closed.find((each) => each.table === table && each.start < end && start < each.end) ?? null
}

function forbidden({ table, start, end, point }: Closed): OperationError {
  const where = end - start > 1 ? `${table} ${start}-${end - 1}` : `${table} ${start}`
  return point === null
    ? new OperationError('E_DENIED', {
        en: `${where} is a hole by the driver of this device: reading it does harm or gives nothing`,
        zh: `${where} 在该设备的驱动中标为空洞（holes）：不可读取`,
      })
    : new OperationError('E_DENIED', {
        en: `${where} belongs to ${point}, which is forbidden or personal: it is not touched by hand`,
        zh: `${where} 属于 ${point}，该点被禁止（forbidden）或涉及个人信息：不可手工访问`,
      })
}

function wrong(en: string, zh: string): OperationError {
  return new OperationError('E_ARGS', { en, zh })
}
