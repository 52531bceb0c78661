/**
 * Cards that no maker has given out: all ones but for the last byte, so that whoever meets such a number in a log or a table sees
 * that nobody is behind it. And the way back from the text of a card to what a reader writes.
 */
import type { CardForm } from '../model/point.ts'
import { readCard } from '../protocols/card.ts'

const CARDS = 20
const W26_FACILITY = 255
const W26_FIRST = 0xff00
const UID_FIRST = 0xffffff00

/** The text of the n-th made-up card, as a reader of that form names it. Without a form: its number. */
export function madeUpCard(form: CardForm | null, n: number): string {
  const which = 1 + (n % CARDS)
  if (form === null) return String(UID_FIRST + which)
  if (form.startsWith('uid')) return `uid:${(UID_FIRST + which).toString(16).toUpperCase()}`
  if (form.startsWith('wiegand34')) return `w34:${UID_FIRST + which}`
  return `w26:${W26_FACILITY}:${W26_FIRST + which}`
}

/** What the reader writes for it; a text that no card of this form has is written as it is. */
export function rawCard(form: CardForm, card: string): string {
  const raw = written(form, card)
  return raw !== null && readCard(form, raw) === card ? raw : card
}

function written(form: CardForm, card: string): string | null {
  const [, facility, number] = /^w26:(\d{1,3}):(\d{1,5})$/.exec(card) ?? []
  if (facility !== undefined && number !== undefined) {
    const [high, low] = [Number(facility), Number(number)]
    return written26(form, high, low)
  }
  const [, wide] = /^w34:(\d{1,10})$/.exec(card) ?? []
  if (wide !== undefined) return written34(form, Number(wide))
  const [, uid] = /^uid:([0-9A-F]+)$/.exec(card) ?? []
  if (uid === undefined) return null
  return form === 'uid_reversed' ? (uid.match(/../g) ?? []).toReversed().join('') : uid
}

function written26(form: CardForm, facility: number, card: number): string | null {
  const number = facility * 65_536 + card
  switch (form) {
    case 'wiegand26_decimal':
      return String(number)
    case 'wiegand26_pair':
      return `${String(facility).padStart(3, '0')},${String(card).padStart(5, '0')}`
    case 'wiegand26_raw':
      return String(Number.parseInt(framed(number, 24), 2))
    case 'wiegand_bits':
      return framed(number, 24)
    default:
      return null
  }
}

function written34(form: CardForm, number: number): string | null {
  switch (form) {
    case 'wiegand34_decimal':
      return String(number)
    case 'wiegand34_hex':
      return number.toString(16).toUpperCase().padStart(8, '0')
    case 'wiegand34_raw':
      return BigInt(`0b${framed(number, 32)}`).toString()
    case 'wiegand_bits':
      return framed(number, 32)
    default:
      return null
  }
}

/** The first half with even parity, the second with odd. */
function framed(number: number, bits: number): string {
  const data = number.toString(2).padStart(bits, '0')
  const even = ones(data.slice(0, bits / 2)) % 2
  const odd = 1 - (ones(data.slice(bits / 2)) % 2)
  return `${even}${data}${odd}`
}

function ones(bits: string): number {
  return bits.replaceAll('0', '').length
}
