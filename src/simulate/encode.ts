/**
 * The codec the other way round: a physical value becomes the registers that the device would show. Tables are those of the
 * codec; what is written here is only how several values share one stretch of registers.
 */
import { scaling, shortestF32 } from '../bytes/number.ts'
import type { ModbusPlace, Treatment, Value } from '../model/point.ts'
import {
  encodingOf,
  isNumberEncoding,
  type NumberEncoding,
  wordsOf,
  writeNumber,
  writeText,
} from '../protocols/modbus/encoding.ts'
import { stretchOf } from '../protocols/modbus/place.ts'
import { sentinelsOf, untreat } from '../protocols/treatment.ts'

export type Coder = {
  readonly place: ModbusPlace
  /** Registers, or bits on coils and discrete inputs. */
  readonly size: number
  /** The value as the device can hold it: rounded to its scale, clamped to its width. */
  readonly fit: (value: Value) => Value
  /**
   * Puts the value into `registers` (two bytes each, high byte first), whose first register has the address `start`. `factor` is
   * what the device's other registers multiply it by.
   */
  readonly put: (value: Value, registers: Uint8Array, start: number, factor?: number) => void
  /** The value's raw number; NaN: it has none. */
  readonly raw: (value: Value) => number
  /** Of a coil or a discrete input. */
  readonly bit: (value: Value) => boolean
}

export function coderFor(place: ModbusPlace, treatment: Treatment): Coder {
  return {
    place,
    size: stretchOf(place).end - place.address,
    fit: fitter(place, treatment),
    put(value, registers, start, factor = 1) {
      const { scale, offset } = treatment
      const raw = rawOf(
        factor === 1 ? treatment : { ...treatment, scale: scale * factor, offset: offset * factor },
        value,
      )
      put(place, raw, registers, start)
    },
    raw: (value) => Number(rawOf(treatment, value)),
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
  if (place.table === 'coil' || !isNumberEncoding(as)) return (value) => String(value)
  const { bits, plus } = place
  const most = bits === undefined ? null : 2 ** (bits[1] - bits[0] + 1) - 1
  const scale = scaling(treatment.scale, treatment.offset)
  const apply = (raw: number): number => (scale === null ? raw : scale.apply(raw))
  return (value) => {
    // Labels and the decimal text of 64-bit counters stand for themselves.
    if (typeof value !== 'number' || treatment.map !== null) return value
    const raw = scale === null ? value : scale.invert(value)
    if (plus !== undefined)
      return apply(plus.scale < 1 || plus.as === 'f32' ? Math.round(raw * 16) / 16 : Math.round(raw))
    return apply(most === null ? beside(as, treatment, fitRaw(as, raw)) : Math.min(most, Math.max(0, Math.round(raw))))
  }
}

/** A counter at the end of its width would say "no value": the nearest number that is one, towards the middle. */
function beside(as: NumberEncoding, treatment: Treatment, raw: number): number {
  if (treatment.invalid.length === 0) return raw
  const { min, max, signedBits } = encodingOf(as)
  const sentinels = sentinelsOf(treatment.invalid, signedBits)
  const step = 2 * raw > Number(min) + Number(max) ? -1 : 1
  let number = raw
  while (sentinels.includes(number)) number += step
  return number
}

function fitRaw(as: NumberEncoding, raw: number): number {
  if (as === 'f32') return shortestF32(Math.fround(raw))
  if (as === 'f64') return raw
  const { min, max } = encodingOf(as)
  return Math.min(Number(max), Math.max(Number(min), Math.round(raw)))
}

function put(place: ModbusPlace, raw: Raw, registers: Uint8Array, start: number): void {
  const at = 2 * (place.address - start)
  if (place.as === 'bit') return putBit(place.bit ?? 0, truth(raw), registers, at)
  if (place.as === 'string') {
    const length = place.length ?? 2
    const bytes = writeText(String(raw), length, place.order)
    if (bytes === null) throw new RangeError(`"${raw}" takes more than ${length} bytes`)
    return copy(bytes, registers, at)
  }
  const { as, order, bits, plus } = place
  if (!isNumberEncoding(as)) return
  if (bits !== undefined) return putBits(bits, Number(raw), registers, at + 2 * (wordsOf(as, null) - 1))
  if (plus !== undefined && isNumberEncoding(plus.as)) {
    const [first, second] = parts(as, Number(raw), plus.scale)
    copy(writeNumber(plus.as, order, fitRaw(plus.as, second)), registers, 2 * (plus.address - start))
    return copy(writeNumber(as, order, fitRaw(as, first)), registers, at)
  }
  copy(writeNumber(as, order, typeof raw === 'bigint' ? raw : whole(as, raw)), registers, at)
}

/** A high word counts what does not fit into the low one; a fraction is what is left behind the point. */
function parts(as: NumberEncoding, raw: number, scale: number): [number, number] {
  if (scale > 1) return [raw % scale, Math.floor(raw / scale)]
  const integer = as === 'f32' || as === 'f64' ? raw : Math.trunc(raw)
  return [integer, (raw - integer) / scale]
}

/** `last` is the register with the least significant bits, whose number counts on into the registers before it. */
function putBits([low, high]: readonly [number, number], raw: number, registers: Uint8Array, last: number): void {
  for (let bit = low; bit <= high; bit++)
    putBit(bit % 16, Math.floor(raw / 2 ** (bit - low)) % 2 === 1, registers, last - 2 * Math.floor(bit / 16))
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
