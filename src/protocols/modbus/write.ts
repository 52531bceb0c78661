/** A value on its way to the device. Whether it may be written at all (role, range, step, rate) is decided elsewhere. */
import type { ModbusPlace, Point, Treatment, Value } from '../../model/point.ts'
import type { Address, Question } from '../protocol.ts'
import { type Raw, sentinelsOf, untreat } from '../treatment.ts'
import { encodingOf, type NumberEncoding, writeNumber, writeText } from './encoding.ts'
import { buildRequest, type Request, word } from './pdu.ts'
import { placeFlaw, placeOf } from './place.ts'

/** Replies to writes repeat the first five bytes. */
const ANSWER_BYTES = 5
const ANY_LIMITS = {
  maxRegisters: 123,
  maxBits: 1968,
  maxGap: 0,
  minGapMs: 0,
  guardMs: 0,
  timeoutMs: 0,
  retries: 0,
  echo: false,
}

/** The question, or why this value cannot be written, as a sentence. */
export function write(point: Point, value: Value, address: Address): Question | string {
  const place = placeOf(point)
  if (place === null || point.source.from !== 'field') return `${point.id} is not a register or coil of a Modbus device`
  if (address === 0) return 'unit 0 is broadcast: it would write to every device of the bus, and none would answer'
  const flaw = placeFlaw(place, ANY_LIMITS)
  if (flaw !== null) return flaw
  const request = requestFor(place, point.source.treatment, value)
  if (typeof request === 'string') return request
  return { address, body: buildRequest(request), writes: true, answerBytes: ANSWER_BYTES }
}

function requestFor(place: ModbusPlace, treatment: Treatment, value: Value): Request | string {
  if (place.table === 'discrete' || place.table === 'input') return `${place.table} ${place.address} can only be read`
  const raw = untreat(treatment, value)
  if (typeof raw === 'object') return raw.why
  if (place.table === 'coil') return coil(place, raw)
  if (place.as === 'bit') {
    return `bit ${place.bit} of holding ${place.address} shares its register with others: writing it would need the register as a whole`
  }
  if (place.as === 'string') return text(place, raw)
  return number(place, place.as, treatment, raw)
}

function coil(place: ModbusPlace, raw: Raw): Request | string {
  if (raw !== true && raw !== false && raw !== 0 && raw !== 1) return `a coil takes true or false, not ${raw}`
  return { fc: 5, start: place.address, on: raw === true || raw === 1 }
}

function text(place: ModbusPlace, raw: Raw): Request | string {
  const length = place.length ?? 2
  const registers = writeText(String(raw), length, place.order)
  return registers === null
    ? `the text takes more than the ${length} bytes of its place`
    : { fc: 16, start: place.address, registers }
}

function number(place: ModbusPlace, as: NumberEncoding, treatment: Treatment, raw: Raw): Request | string {
  const rounded = round(as, raw)
  if (rounded === null) return `"${raw}" is not a number`
  const { min, max, words, signedBits } = encodingOf(as)
  if (rounded < min || rounded > max) return `${rounded} (before scaling) does not fit into ${as}: ${min} to ${max}`
  if (sentinelsOf(treatment.invalid, signedBits).includes(Number(rounded)))
    return `${rounded} means "no value" to this device`
  const registers = writeNumber(as, place.order, rounded)
  return words === 1
    ? { fc: 6, start: place.address, register: word(registers, 0) }
    : { fc: 16, start: place.address, registers }
}

function round(as: NumberEncoding, raw: Raw): number | bigint | null {
  if (typeof raw === 'bigint') return raw
  if (typeof raw === 'boolean') return raw ? 1 : 0
  if (typeof raw === 'string') {
    // The decimal text of a 64-bit counter must not lose its last digits on the way.
    if (/^-?\d+$/.test(raw) && as !== 'f32' && as !== 'f64') return BigInt(raw)
    if (raw.trim() === '') return null
  }
  const number = Number(raw)
  if (!Number.isFinite(number)) return null
  return as === 'f32' || as === 'f64' ? number : Math.round(number)
}
