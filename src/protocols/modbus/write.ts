/** A value on its way to the device. Whether it may be written at all (role, range, step, rate) is decided elsewhere. */
import type { ModbusEncoding, ModbusOrder, ModbusPlace, Point, Treatment, Value } from '../../model/point.ts'
import type { Address, Question } from '../protocol.ts'
import { type Raw, sentinelsOf, untreat } from '../treatment.ts'
import { encodingOf, type NumberEncoding, wordsOf, writeNumber, writeText } from './encoding.ts'
import { buildCoilWord, buildRequest, word } from './pdu.ts'
import { placeFlaw, placeOf } from './place.ts'
import { changeBits } from './question.ts'

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
  const bits = bitsFor(place, point.source.treatment, value)
  if (bits !== null) return typeof bits === 'string' ? bits : changeBits(bits, address)
  const body = pduFor(place, point.source.treatment, value)
  if (typeof body === 'string') return body
  return { address, body, writes: true, answerBytes: ANSWER_BYTES }
}

/** What shares its register with others changes its own bits and no more. null: the value has its registers for itself. */
function bitsFor(
  place: ModbusPlace,
  treatment: Treatment,
  value: Value,
): { start: number; mask: number; bits: number; multiple: boolean } | string | null {
  const { table, write } = place
  const as = write?.as ?? place.as
  const [low, high] = as === 'bit' ? [place.bit ?? 0, place.bit ?? 0] : (place.bits ?? [])
  const alone = low === undefined || high === undefined || write?.values !== undefined
  if (table !== 'holding' || alone || place.plus !== undefined || place.factors !== undefined) return null
  // Written elsewhere, or as something else, it is a value like any other.
  if (as !== 'bit' && (write?.address !== undefined || write?.as !== undefined || wordsOf(as, null) !== 1)) return null
  const { bits: _, ...whole } = place
  const raw = rawOf(whole, treatment, value)
  if (typeof raw === 'object') return raw.why
  const number = round('u16', raw)
  const most = 2 ** (high - low + 1) - 1
  if (number === null) return `"${raw}" is not a number`
  if (number < 0 || number > most)
    return `${raw} (before scaling) does not fit into ${bitsText(low, high)}: 0 to ${most}`
  if (treatment.invalid.includes(Number(number))) return `${number} means "no value" to this device`
  const start = write?.address ?? place.address
  return { start, mask: most << low, bits: Number(number) << low, multiple: write?.multiple ?? false }
}

function bitsText(low: number, high: number): string {
  return low === high ? `bit ${low}` : `bits ${low} to ${high}`
}

/** The request's PDU, or why there is none. */
function pduFor(place: ModbusPlace, treatment: Treatment, value: Value): Uint8Array | string {
  const { write, model } = place
  const table = write?.table ?? place.table
  const start = write?.address ?? place.address
  if (table === 'discrete' || table === 'input') return `${table} ${start} can only be read`
  if (model !== undefined && write?.address === undefined)
    return `model ${model.id} offset ${start} is only read: nobody promises that it is where it was`
  const raw = rawOf(place, treatment, value)
  if (typeof raw === 'object') return raw.why
  if (table === 'coil') return coil(start, place, raw)
  const as = write?.as ?? (write?.values === undefined ? place.as : wordFor(place.as))
  if (as === 'bit') return `bit ${place.bit} of holding ${start} is scaled by other registers: it cannot be written`
  if (as === 'string') return text(start, place, raw)
  return number(start, { as, order: write?.order ?? place.order, multiple: write?.multiple ?? false }, treatment, raw)
}

/** Where values are listed, the register is written as a whole. */
function wordFor(as: ModbusEncoding): ModbusEncoding {
  return as === 'bit' || as === 'bits' ? 'u16' : as
}

function rawOf(place: ModbusPlace, treatment: Treatment, value: Value): Raw | { readonly why: string } {
  const { write, factors, plus, bits } = place
  if (write?.values !== undefined) {
    const raw = write.values[String(value)]
    return raw ?? { why: `"${value}" is none of ${Object.keys(write.values).join(', ')}` }
  }
  const own = write?.scale !== undefined || write?.offset !== undefined
  if (own) return untreat({ ...treatment, scale: write.scale ?? 1, offset: write.offset ?? 0 }, value)
  const elsewhere = write?.address !== undefined || write?.as !== undefined
  if ((factors !== undefined || plus !== undefined || bits !== undefined) && !elsewhere)
    return { why: `what holding ${place.address} means depends on other registers or bits` }
  return untreat(treatment, value)
}

function coil(start: number, { as, write }: ModbusPlace, raw: Raw): Uint8Array | string {
  if (write?.values !== undefined || as === 'u16') {
    const word = round('u16', raw)
    if (word === null || word < 0 || word > 0xffff) return `${raw} (before scaling) does not fit into u16: 0 to 65535`
    return buildCoilWord(start, Number(word))
  }
  if (raw !== true && raw !== false && raw !== 0 && raw !== 1) return `a coil takes true or false, not ${raw}`
  const on = raw === true || raw === 1
  return buildRequest(write?.multiple === true ? { fc: 15, start, bits: [on] } : { fc: 5, start, on })
}

function text(start: number, place: ModbusPlace, raw: Raw): Uint8Array | string {
  const length = place.length ?? 2
  const registers = writeText(String(raw), length, place.order)
  return registers === null
    ? `the text takes more than the ${length} bytes of its place`
    : buildRequest({ fc: 16, start, registers })
}

function number(
  start: number,
  { as, order, multiple }: { as: NumberEncoding; order: ModbusOrder; multiple: boolean },
  treatment: Treatment,
  raw: Raw,
): Uint8Array | string {
  const rounded = round(as, raw)
  if (rounded === null) return `"${raw}" is not a number`
  const { min, max, words, signedBits } = encodingOf(as)
  if (rounded < min || rounded > max) return `${rounded} (before scaling) does not fit into ${as}: ${min} to ${max}`
  if (sentinelsOf(treatment.invalid, signedBits).includes(Number(rounded)))
    return `${rounded} means "no value" to this device`
  const registers = writeNumber(as, order, rounded)
  return buildRequest(
    words === 1 && !multiple ? { fc: 6, start, register: word(registers, 0) } : { fc: 16, start, registers },
  )
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
