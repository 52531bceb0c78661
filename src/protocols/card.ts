/**
 * Card numbers, however a reader or controller writes them, as one text by which a card is known: `w26:<facility>:<card>`,
 * `w34:<32 bit decimal>`, `uid:<hex>`. Two readers that write one card differently then mean the same. A number of another length
 * or with wrong parity is no number: nothing is guessed. The text is personal and goes no further than to its pseudonym.
 * Formats: H10301 (26 bit: even parity, 8 bit facility, 16 bit card, odd parity) and its 34 bit sister with 32 bits of data.
 */
import type { CardForm } from '../model/point.ts'
import type { Raw } from './treatment.ts'

export type Wiegand =
  | { readonly format: 'H10301' | 'W34'; readonly facility: number; readonly card: number; readonly parityOk: boolean }
  | { readonly format: null; readonly why: 'length' | 'digits' }

/** `bits` as the reader sends them, both parity bits included, as text of 0 and 1. */
export function readWiegand(bits: string): Wiegand {
  if (!/^[01]*$/.test(bits)) return { format: null, why: 'digits' }
  if (bits.length !== 26 && bits.length !== 34) return { format: null, why: 'length' }
  const data = bits.slice(1, -1)
  const half = data.length / 2
  const parityOk = ones(bits.slice(0, half + 1)) % 2 === 0 && ones(bits.slice(half + 1)) % 2 === 1
  const facilityBits = bits.length === 26 ? 8 : 16
  const facility = Number.parseInt(data.slice(0, facilityBits), 2)
  const card = Number.parseInt(data.slice(facilityBits), 2)
  return { format: bits.length === 26 ? 'H10301' : 'W34', facility, card, parityOk }
}

function ones(bits: string): number {
  return bits.replaceAll('0', '').length
}

/** null: this is no card number of that form. */
export function readCard(form: CardForm, raw: Raw): string | null {
  return typeof raw === 'boolean' ? null : FORMS[form](String(raw).trim())
}

const FORMS: Record<CardForm, (text: string) => string | null> = {
  wiegand_bits: fromBits,
  wiegand26_raw: (text) => fromBits(bitsOf(text, 26)),
  wiegand34_raw: (text) => fromBits(bitsOf(text, 34)),
  wiegand26_pair: fromPair,
  wiegand26_decimal(text) {
    const number = decimal(text, 2 ** 24 - 1)
    return number === null ? null : w26(Math.floor(number / 65_536), number % 65_536)
  },
  wiegand34_decimal: (text) => w34(decimal(text, 2 ** 32 - 1)),
  wiegand34_hex: (text) => w34(/^[0-9a-fA-F]{8}$/.test(text) ? Number.parseInt(text, 16) : null),
  uid: (text) => uid(text, false),
  uid_reversed: (text) => uid(text, true),
}

function fromBits(bits: string): string | null {
  const read = readWiegand(bits)
  if (read.format === null || !read.parityOk) return null
  return read.format === 'H10301' ? w26(read.facility, read.card) : w34(read.facility * 65_536 + read.card)
}

/** A register holds the frame as a number; what does not fit is none. */
function bitsOf(text: string, length: number): string {
  return /^\d{1,20}$/.test(text) ? BigInt(text).toString(2).padStart(length, '0') : ''
}

/** Facility and card as printed on Chinese cards: `090,00324`, also with another sign between, or joined to 8 digits. */
function fromPair(text: string): string | null {
  const [, facility, card] = /^(\d{1,3})[,:;/ -](\d{1,5})$/.exec(text) ?? /^(\d{3})(\d{5})$/.exec(text) ?? []
  const a = decimal(facility ?? '', 255)
  const b = decimal(card ?? '', 65_535)
  return a === null || b === null ? null : w26(a, b)
}

function decimal(text: string, max: number): number | null {
  if (!/^\d{1,10}$/.test(text)) return null
  const number = Number(text)
  return number <= max ? number : null
}

function w26(facility: number, card: number): string {
  return `w26:${facility}:${card}`
}

function w34(number: number | null): string | null {
  return number === null ? null : `w34:${number}`
}

/** 4, 7 or 10 bytes (ISO 14443). Which byte comes first is a setting of the reader. */
function uid(text: string, reversed: boolean): string | null {
  const bytes = text.toUpperCase().match(/../g) ?? []
  if (!/^([0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})$/.test(text.toUpperCase())) return null
  return `uid:${(reversed ? bytes.toReversed() : bytes).join('')}`
}
