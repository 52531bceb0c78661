/** The codec of M-Bus the other way round: a point's value becomes the data record that the point asks for. */
import type { MbusPlace, Treatment, Value } from '../model/point.ts'
import { EXTENSION, QUANTITIES } from '../protocols/mbus/quantity.ts'
import { FUNCTIONS, readRecord } from '../protocols/mbus/record.ts'
import { parseSelector, type Selector } from '../protocols/mbus/select.ts'
import { compileTreatment, isFault, type Raw, untreat } from '../protocols/treatment.ts'

export type RecordSelector = Extract<Selector, { from: 'record' }>

const INT16 = 0x02
const INT32 = 0x04
const FLOAT = 0x05
const TEXT_VIF = 0x7c
const FORWARD = 0x3b
const BACKWARD = 0x3c
const MOMENT = '2026-01-15T18:30'

/** VIF of each quantity, fine enough for what meters show and coarse enough for 32 bits. */
const CODES: Readonly<Record<string, readonly number[]>> = {
  energy: [0x03],
  volume: [0x13],
  mass: [0x1b],
  on_time: [0x20],
  operating_time: [0x24],
  power: [0x2b],
  flow: [0x3b],
  mass_flow: [0x53],
  flow_temperature: [0x59],
  return_temperature: [0x5d],
  temperature_difference: [0x61],
  external_temperature: [0x65],
  pressure: [0x69],
  date: [0x6c],
  datetime: [0x6d],
  heat_cost: [0x6e],
  averaging_duration: [0x70],
  actuality_duration: [0x74],
  fabrication_number: [0x78],
  enhanced_id: [0x79],
  bus_address: [0x7a],
  access_number: [0xfd, 0x08],
  parameter_set: [0xfd, 0x0b],
  model_version: [0xfd, 0x0c],
  firmware_version: [0xfd, 0x0e],
  software_version: [0xfd, 0x0f],
  error_flags: [0xfd, 0x17],
  digital_input: [0xfd, 0x1b],
  voltage: [0xfd, 0x47],
  current: [0xfd, 0x59],
  cumulation_counter: [0xfd, 0x61],
  remaining_days: [0xfd, 0x74],
}

/** null: a place of the header (status). */
export function recordSelector(place: MbusPlace): RecordSelector | null {
  const selector = parseSelector(place.record)
  return typeof selector === 'string' || selector.from === 'status' ? null : selector
}

/** The value as the meter can hold it: what the codec reads of what the meter would send. */
export function fitMbus(place: MbusPlace, treatment: Treatment, asText: boolean): (value: Value) => Value {
  const selector = recordSelector(place)
  const treat = compileTreatment(treatment)
  if (selector === null) return (value) => value
  return (value) => {
    const raw = untreat(treatment, value)
    if (typeof raw === 'object') return value
    const read = readRecord(encodeRecord(selector, raw), 0)
    if ('flaw' in read || isFault(read.record.value)) return value
    const found = asText ? String(read.record.value) : read.record.value
    const shown = treat === null ? found : treat(found)
    return isFault(shown) ? value : shown
  }
}

export function encodeRecord(selector: RecordSelector, raw: Raw): Uint8Array {
  const codes = codesOf(selector)
  const special = selector.quantity === null ? 'number' : QUANTITIES.get(selector.quantity)?.special
  if (special === 'date') return Uint8Array.of(...difOf(selector, INT16), ...codes, ...dateOf(String(raw)))
  if (special === 'datetime')
    return Uint8Array.of(...difOf(selector, INT32), ...codes, ...timeOf(String(raw)), ...dateOf(String(raw)))
  const real = selector.vif !== null || selector.text !== null
  const one = readRecord(Uint8Array.of(...difOf(selector, INT32), ...codes, 1, 0, 0, 0), 0)
  const step = 'record' in one && typeof one.record.value === 'number' && one.record.value !== 0 ? one.record.value : 1
  const number = Number.isFinite(Number(raw)) ? Number(raw) / step : 0
  const data = new DataView(new ArrayBuffer(4))
  if (real) data.setFloat32(0, number, true)
  else data.setInt32(0, Math.min(0x7fffffff, Math.max(-0x80000000, Math.round(number))), true)
  return Uint8Array.of(...difOf(selector, real ? FLOAT : INT32), ...codes, ...new Uint8Array(data.buffer))
}

function codesOf({ quantity, vif, text, direction }: RecordSelector): readonly number[] {
  if (vif !== null) return (vif.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16))
  const codes = text === null ? [...(CODES[quantity ?? ''] ?? [0x6e])] : [TEXT_VIF]
  const more = direction === null ? [] : [direction === 'forward' ? FORWARD : BACKWARD]
  const last = codes.length - 1
  if (more.length > 0) codes[last] = (codes[last] ?? 0) | EXTENSION
  const words =
    text === null ? [] : [text.length, ...Array.from(text, (letter) => letter.charCodeAt(0) & 0xff).reverse()]
  return [...codes, ...words, ...more]
}

/** DIF and as many DIFE as storage, tariff and subunit need. */
function difOf(selector: RecordSelector, type: number): readonly number[] {
  const bytes = [type | (FUNCTIONS.indexOf(selector.function) << 4) | ((selector.storage % 2) << 6)]
  let storage = Math.floor(selector.storage / 2)
  let { tariff, subunit } = selector
  while (storage > 0 || tariff > 0 || subunit > 0) {
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) | EXTENSION
    bytes.push((storage % 16) | ((tariff % 4) << 4) | ((subunit % 2) << 6))
    storage = Math.floor(storage / 16)
    tariff = Math.floor(tariff / 4)
    subunit = Math.floor(subunit / 2)
  }
  return bytes
}

function momentOf(text: string): readonly number[] {
  const digits = (/^\d{4}-\d\d-\d\d/.test(text) ? text : MOMENT).match(/\d+/g) ?? []
  return digits.map(Number)
}

function dateOf(text: string): readonly number[] {
  const [year = 2026, month = 1, day = 1] = momentOf(text)
  const short = year % 100
  return [day | ((short & 7) << 5), month | ((short >> 3) << 4)]
}

function timeOf(text: string): readonly number[] {
  const [, , , hour = 0, minute = 0] = momentOf(text)
  return [minute, hour]
}
