/**
 * How the bytes of one data item are a value. The standard writes formats as `XXXXXX.XX` (a digit each, two to a byte, least
 * significant pair first); a sign is bit 7 of the most significant byte. All bytes FF: no value. A digit above nine: a fault,
 * never zero.
 */
import type { Fault } from '../../model/fault.ts'
import type { PointKind, PointType } from '../../model/point.ts'
import { NO_VALUE, type Raw, SENTINEL } from '../treatment.ts'
import { isFilled } from '../../bytes/bcd.ts'
import { readDigits, readInteger } from './bcd.ts'

export type Format = {
  /** As a driver would write it. */
  readonly name: string
  readonly bytes: number
  readonly type: PointType
  readonly kind: PointKind
  readonly read: (bytes: Uint8Array, at: number) => Raw | Fault
}

export type NumberFormat = Format & {
  readonly decimals: number
  readonly signed: boolean
  /** Of the number alone. */
  readonly width: number
  /** The time at which a maximum demand occurred, behind the number. */
  readonly when: Format | null
}

export function isNumber(format: Format): format is NumberFormat {
  return 'decimals' in format
}

/** Bytes behind the value of a maximum demand: when it was, mm hh DD MM YY. */
const STAMP_BYTES = 5
/** More digits do not fit into a number exactly. */
const DIGITS_MAX = 14

function sentinelFirst(bytes: number, read: Format['read']): Format['read'] {
  return (from, at) => (isFilled(from, at, bytes, 0xff) ? SENTINEL : read(from, at))
}

/** `-` in front: signed. An even number of X, at most 14. */
export function numberFormat(pattern: string): NumberFormat {
  const signed = pattern.startsWith('-')
  const [whole = '', fraction = ''] = pattern.slice(signed ? 1 : 0).split('.')
  const bytes = (whole.length + fraction.length) / 2
  const power = 10 ** fraction.length
  return {
    name: pattern,
    bytes,
    type: 'f64',
    kind: 'gauge',
    decimals: fraction.length,
    signed,
    width: bytes,
    when: null,
    // An integer over a power of ten is the double nearest to the decimal.
    read: sentinelFirst(bytes, (from, at) => {
      const integer = readInteger(from, at, bytes, signed)
      return integer === null ? NO_VALUE : integer / power
    }),
  }
}

/** A number, and behind it the time at which it occurred: a driver reads that with `as: when`. */
export function demandFormat(pattern: string): NumberFormat {
  const number = numberFormat(pattern)
  const bytes = number.bytes + STAMP_BYTES
  const when = textFormat('when', bytes, (from, at) => stamp(from, at + number.bytes))
  return { ...number, bytes, when }
}

/** The same for what stands alone: mm hh DD MM YY. */
export const STAMP = textFormat('stamp', STAMP_BYTES, stamp)

/** 1997: mm hh DD MM, no year. */
export const SHORT_STAMP = textFormat('short stamp', 4, (from, at) => {
  const digits = readDigits(from, at, 4)
  if (digits === null) return NO_VALUE
  const [month = '', day = '', hour = '', minute = ''] = pairs(digits)
  return isDay(month, day) && isTime(hour, minute) ? `${month}-${day}T${hour}:${minute}` : NO_VALUE
})

/** WW DD MM YY; the weekday (0 Sunday) says nothing that the date does not. */
export const DATE = textFormat('date', 4, (from, at) => {
  const digits = readDigits(from, at + 1, 3)
  if (digits === null) return NO_VALUE
  const [year = '', month = '', day = ''] = pairs(digits)
  return isDay(month, day) ? `20${year}-${month}-${day}` : NO_VALUE
})

/** ss mm hh */
export const TIME = textFormat('time', 3, (from, at) => {
  const digits = readDigits(from, at, 3)
  if (digits === null) return NO_VALUE
  const [hour = '', minute = '', second = ''] = pairs(digits)
  return isTime(hour, minute) && second < '60' ? `${hour}:${minute}:${second}` : NO_VALUE
})

/** ss mm hh WW DD MM YY */
export const DATE_TIME = textFormat('datetime', 7, (from, at) => {
  const date = DATE.read(from, at + 3)
  const time = TIME.read(from, at)
  return typeof date === 'string' && typeof time === 'string' ? `${date}T${time}` : NO_VALUE
})

/** Digits that are a name, leading zeros kept. */
export function digitsFormat(bytes: number): Format {
  return textFormat(`digits ${bytes}`, bytes, (from, at) => readDigits(from, at, bytes) ?? NO_VALUE)
}

/** ASCII, last character first on the wire, 00 where there is none. */
export function asciiFormat(bytes: number): Format {
  return textFormat(`text ${bytes}`, bytes, (from, at) => {
    let text = ''
    for (let i = at + bytes - 1; i >= at; i--) {
      const byte = from[i] ?? 0
      if (byte === 0) continue
      if (byte < 0x20 || byte > 0x7e) return NO_VALUE
      text += String.fromCharCode(byte)
    }
    return text.trim()
  })
}

/** Status bits, first byte least significant. */
export function bitsFormat(bytes: 1 | 2): Format {
  const read = sentinelFirst(bytes, (from, at) => word(from, at, bytes))
  return { name: 'bits', bytes, type: 'f64', kind: 'bits', read }
}

/** One of them. */
export function bitFormat(bytes: 1 | 2, bit: number): Format {
  const read = sentinelFirst(bytes, (from, at) => ((word(from, at, bytes) >> bit) & 1) === 1)
  return { name: `bit ${bit}`, bytes, type: 'bool', kind: 'state', read }
}

/** From `as` of a driver; null: none of these. `standard` is what the table says of the item, null where it says nothing. */
export function formatNamed(name: string, standard: Format | null): Format | null {
  const digits = name.replace(/[^X]/g, '').length
  if (/^-?X+(\.X+)?$/.test(name)) return digits % 2 === 0 && digits <= DIGITS_MAX ? numberFormat(name) : null
  const [, word, count] = /^(bit|digits|text) (\d{1,3})$/.exec(name) ?? []
  const number = Number(count)
  const width = standard?.kind === 'bits' && standard.bytes === 1 ? 1 : 2
  switch (word ?? name) {
    case 'bits':
      return bitsFormat(width)
    case 'bit':
      return number < 8 * width ? bitFormat(width, number) : null
    case 'digits':
      return number >= 1 && number <= 32 ? digitsFormat(number) : null
    case 'text':
      return number >= 1 && number <= 64 ? asciiFormat(number) : null
    case 'when':
      return standard !== null && isNumber(standard) ? standard.when : null
    case 'date':
      return DATE
    case 'time':
      return TIME
    case 'datetime':
      return DATE_TIME
    case 'stamp':
      return STAMP
    default:
      return null
  }
}

function textFormat(name: string, bytes: number, read: Format['read']): Format {
  return { name, bytes, type: 'str', kind: 'text', read: sentinelFirst(bytes, read) }
}

function stamp(from: Uint8Array, at: number): Raw | Fault {
  if (isFilled(from, at, STAMP_BYTES, 0xff)) return SENTINEL
  const digits = readDigits(from, at, STAMP_BYTES)
  if (digits === null) return NO_VALUE
  // A meter that has had no demand yet says the moment zero.
  if (/^0+$/.test(digits)) return SENTINEL
  const [year = '', month = '', day = '', hour = '', minute = ''] = pairs(digits)
  return isDay(month, day) && isTime(hour, minute) ? `20${year}-${month}-${day}T${hour}:${minute}` : NO_VALUE
}

function pairs(digits: string): readonly string[] {
  return digits.match(/../g) ?? []
}

function isDay(month: string, day: string): boolean {
  return month >= '01' && month <= '12' && day >= '01' && day <= '31'
}

function isTime(hour: string, minute: string): boolean {
  return hour < '24' && minute < '60'
}

function word(from: Uint8Array, at: number, bytes: 1 | 2): number {
  return (from[at] ?? 0) | (bytes === 2 ? (from[at + 1] ?? 0) << 8 : 0)
}
