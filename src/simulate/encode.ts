/**
 * The codec the other way round: a physical value becomes the registers that the device would show. Tables are those of the
 * codec; what is written here is only how several values share one stretch of registers.
 */
import { scaling, shortestF32 } from '../bytes/number.ts'
import type { ModbusPlace, Treatment, Value } from '../model/point.ts'
import { encodingOf, isNumberEncoding, wordsOf, writeNumber, writeText } from '../protocols/modbus/encoding.ts'
import { untreat } from '../protocols/treatment.ts'

export type Coder = {
  readonly place: ModbusPlace
  /** Registers, or bits on coils and discrete inputs. */
  readonly size: number
  /** The value as the device can hold it: rounded to its scale, clamped to its width. */
  readonly fit: (value: Value) => Value
  /** Puts the value into `registers` (two bytes each, high byte first), whose first register has the address `start`. */
  readonly put: (value: Value, registers: Uint8Array, start: number) => void
  /** Of a coil or a discrete input. */
  readonly bit: (value: Value) => boolean
}

export function coderFor(place: ModbusPlace, treatment: Treatment): Coder {
  const size = place.table === 'coil' || place.table === 'discrete' ? 1 : wordsOf(place.as, place.length)
  return {
    place,
    size,
    fit: fitter(place, treatment),
    put: (value, registers, start) => put(place, rawOf(treatment, value), registers, 2 * (place.address - start)),
    bit: (value) => truth(rawOf(treatment, value)),
  }
}

type Raw = number | bigint | boolean | string

/** Throws for a value that no device of this kind could show: the test or scenario that set it is wrong. */
function rawOf(treatment: Treatment, value: Value): Raw {
  const raw = untreat(treatment, value)
  if (typeof raw === 'object') throw new RangeError(raw.why)
  return raw
}

function truth(raw: Raw): boolean {
  return raw === true || Number(raw) === 1
}

function fitter(place: ModbusPlace, treatment: Treatment): (value: Value) => Value {
  const { as } = place
  if (as === 'bit') return (value) => (typeof value === 'number' ? value !== 0 : value)
  if (!isNumberEncoding(as)) return (value) => String(value)
  const scale = scaling(treatment.scale, treatment.offset)
  const apply = (raw: number): number => (scale === null ? raw : scale.apply(raw))
  return (value) => {
    // Labels and the decimal text of 64-bit counters stand for themselves.
    if (typeof value !== 'number' || treatment.map !== null) return value
    const raw = scale === null ? value : scale.invert(value)
    return apply(fitRaw(as, raw))
  }
}

function fitRaw(as: Parameters<typeof encodingOf>[0], raw: number): number {
  if (as === 'f32') return shortestF32(Math.fround(raw))
  if (as === 'f64') return raw
  const { min, max } = encodingOf(as)
  return Math.min(Number(max), Math.max(Number(min), Math.round(raw)))
}

function put(place: ModbusPlace, raw: Raw, registers: Uint8Array, at: number): void {
  if (place.as === 'bit') return putBit(place.bit ?? 0, truth(raw), registers, at)
  if (place.as === 'string') {
    const length = place.length ?? 2
    const bytes = writeText(String(raw), length, place.order)
    if (bytes === null) throw new RangeError(`"${raw}" takes more than ${length} bytes`)
    return copy(bytes, registers, at)
  }
  if (!isNumberEncoding(place.as)) return
  copy(writeNumber(place.as, place.order, typeof raw === 'bigint' ? raw : whole(place.as, raw)), registers, at)
}

/** A counter's decimal text may pass 2^53; everything else is a number. */
function whole(as: string, raw: Raw): number | bigint {
  if (typeof raw === 'string' && (as === 'u64' || as === 's64')) return BigInt(raw)
  const number = Number(raw)
  return as === 'f32' || as === 'f64' ? number : Math.round(number)
}

/** Bit 0 is the least significant of a register whose high byte comes first. Other bits stay as they are. */
function putBit(bit: number, on: boolean, registers: Uint8Array, at: number): void {
  const byte = at + (bit > 7 ? 0 : 1)
  if (byte < 0 || byte >= registers.length) return
  const mask = 1 << (bit & 7)
  registers[byte] = on ? (registers[byte] ?? 0) | mask : (registers[byte] ?? 0) & ~mask
}

/** A value that reaches beyond the stretch that was asked for is shown as far as it lies within. */
function copy(bytes: Uint8Array, registers: Uint8Array, at: number): void {
  for (const [i, byte] of bytes.entries()) {
    const to = at + i
    if (to >= 0 && to < registers.length) registers[to] = byte
  }
}
