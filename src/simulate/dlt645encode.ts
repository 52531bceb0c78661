/** The codec of DL/T 645 the other way round: values become the bytes that a meter would show. Formats are those of the codec. */
import type { Dlt645Place, Treatment, Value } from '../model/point.ts'
import { writePairs } from '../bytes/bcd.ts'
import { writeInteger } from '../protocols/dlt645/bcd.ts'
import { type Format, isNumber } from '../protocols/dlt645/format.ts'
import { formatOf } from '../protocols/dlt645/place.ts'
import { compileTreatment, isFault, type Raw, untreat } from '../protocols/treatment.ts'

/** What a meter says of a moment that nobody described. */
const MOMENT = '2026-01-15T18:30:00'
const WORDS = 'SIM'

/** The value as the meter can hold it: rounded to its digits, within them; a text of the right form. */
export function fitDlt645(place: Dlt645Place, treatment: Treatment): (value: Value) => Value {
  const format = formatOf(place)
  if (format === null) return (value) => value
  if (format.type === 'str') return (value) => (fits(format, String(value)) ? value : usual(format))
  if (format.type === 'bool') return (value) => (typeof value === 'number' ? value !== 0 : value)
  if (!isNumber(format)) return (value) => value
  const treat = compileTreatment(treatment)
  return (value) => {
    // Labels stand for themselves.
    if (typeof value !== 'number' || treatment.map !== null) return value
    const raw = integerOf(format, rawOf(treatment, value)) / 10 ** format.decimals
    const shown = treat === null ? raw : treat(raw)
    return isFault(shown) ? raw : shown
  }
}

/** Throws for a value that no meter could show: the test or scenario that set it is wrong. */
export function rawOf(treatment: Treatment, value: Value): Raw {
  const raw = untreat(treatment, value)
  if (typeof raw === 'object') throw new RangeError(raw.why)
  return raw
}

/** Bytes of one item, from all points that lie in it: the bits of a word, a demand and its time. */
export function encodeItem(parts: readonly { readonly place: Dlt645Place; readonly raw: Raw }[]): Uint8Array {
  const formats = parts.flatMap(({ place, raw }) => {
    const format = formatOf(place)
    return format === null ? [] : [{ format, raw }]
  })
  const bytes = new Uint8Array(formats[0]?.format.bytes ?? 0)
  for (const { format, raw } of formats) put(bytes, format, raw)
  return bytes
}

function put(bytes: Uint8Array, format: Format, raw: Raw): void {
  if (isNumber(format)) {
    bytes.set(writeInteger(integerOf(format, raw), format.width))
    const since = bytes.subarray(format.width)
    if (format.when !== null && since.every((byte) => byte === 0)) since.set(writePairs(digitsOf(MOMENT).slice(2, 12)))
    return
  }
  const [word = '', count = ''] = format.name.split(' ')
  if (word === 'bits') return set(bytes, Number(raw))
  if (word === 'bit') return raw === true ? set(bytes, 1 << Number(count)) : undefined
  const text = String(raw)
  if (word === 'text') return bytes.set(Uint8Array.from(text, (letter) => letter.charCodeAt(0)).reverse())
  const packed = pack(word, digitsOf(text), format.bytes)
  bytes.set(packed, bytes.length - packed.length)
}

function set(bytes: Uint8Array, word: number): void {
  bytes[0] = (bytes[0] ?? 0) | (word & 0xff)
  if (bytes.length > 1) bytes[1] = (bytes[1] ?? 0) | (word >> 8)
}

function pack(word: string, digits: string, bytes: number): Uint8Array {
  switch (word) {
    case 'when':
    case 'stamp':
      return writePairs(digits.slice(2))
    case 'date':
      return packDate(digits)
    case 'datetime':
      return Uint8Array.of(...writePairs(digits.slice(8)), ...packDate(digits.slice(0, 8)))
    default:
      return writePairs(digits.padStart(2 * bytes, '0'))
  }
}

/** WW DD MM YY */
function packDate(digits: string): Uint8Array {
  const [year, month, day] = [digits.slice(0, 4), digits.slice(4, 6), digits.slice(6, 8)].map(Number)
  const weekday = new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day)).getUTCDay()
  return Uint8Array.of(weekday, ...writePairs(digits.slice(2)))
}

const FORMS: Readonly<Record<string, { readonly form: RegExp; readonly usual: string }>> = {
  when: { form: /^\d{4}-\d\d-\d\dT\d\d:\d\d$/, usual: MOMENT.slice(0, 16) },
  stamp: { form: /^\d{4}-\d\d-\d\dT\d\d:\d\d$/, usual: MOMENT.slice(0, 16) },
  short: { form: /^\d\d-\d\dT\d\d:\d\d$/, usual: MOMENT.slice(5, 16) },
  date: { form: /^\d{4}-\d\d-\d\d$/, usual: MOMENT.slice(0, 10) },
  time: { form: /^\d\d:\d\d:\d\d$/, usual: MOMENT.slice(11) },
  datetime: { form: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/, usual: MOMENT },
}

function fits(format: Format, text: string): boolean {
  const [word = ''] = format.name.split(' ')
  const known = FORMS[word]
  if (known !== undefined) return known.form.test(text)
  return word === 'digits'
    ? /^\d+$/.test(text) && text.length === 2 * format.bytes
    : /^[\x20-\x7e]+$/.test(text) && text.length <= format.bytes
}

function usual(format: Format): string {
  const [word = ''] = format.name.split(' ')
  return FORMS[word]?.usual ?? (word === 'digits' ? '1'.padStart(2 * format.bytes, '0') : WORDS.slice(0, format.bytes))
}

/** What the digits of the format can say. */
function integerOf(format: Format, raw: Raw): number {
  if (!isNumber(format)) return 0
  const places = 2 * format.width
  // The sign takes the highest bit of the first digit.
  const most = format.signed ? 8 * 10 ** (places - 1) - 1 : 10 ** places - 1
  const wanted = Math.round(Number((Number(raw) * 10 ** format.decimals).toPrecision(15)))
  return Math.min(most, Math.max(format.signed ? -most : 0, wanted))
}

function digitsOf(text: string): string {
  return text.replace(/\D/g, '')
}
