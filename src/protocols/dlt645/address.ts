/** Meter numbers: twelve digits, leading zeros count. */
import type { Address } from '../protocol.ts'
import { unpackDigits } from './bcd.ts'
import { FN, functionOf } from './control.ts'
import { ADDRESS_DIGITS } from './frame.ts'

/** A in place of a digit: any. On this one every meter answers, so only one may hear it. */
export const EVERYBODY = 'AAAAAAAAAAAA'
/** Broadcast: meters obey and do not answer. */
export const BROADCAST = '999999999999'

export function address(written: number | string): { readonly address: Address } | string {
  const text = String(written).trim()
  const padded = text.padStart(ADDRESS_DIGITS, '0')
  if (typeof written === 'number') return `address ${text} is a number: quote it, "${padded}"`
  if (text === BROADCAST) return `${BROADCAST} is broadcast: every meter would hear it and none would answer`
  if (/^A+[0-9A]*$/i.test(text)) {
    return `"${text}" stands for any meter: a scan may ask so, but a device needs a number of its own`
  }
  if (!/^\d+$/.test(text)) return `"${text}" is not a meter number: twelve digits`
  if (text.length > ADDRESS_DIGITS) {
    return `"${text}" has ${text.length} digits, a meter number has 12: bar codes show more, the number is the last 12 before the check digit`
  }
  if (text.length < ADDRESS_DIGITS) {
    return `"${text}" has ${text.length} digits, a meter number has 12: leading zeros count, "${padded}"`
  }
  return { address: text }
}

/** Last digits of a number (an even count) as a short address: the meter that ends with them answers. */
export function shortAddress(tail: string): Address {
  return tail.padStart(ADDRESS_DIGITS, 'A')
}

/** The meter's number from the body of the answer to `readAddress`; null: it is none. */
export function answeredAddress(body: Uint8Array): string | null {
  if (functionOf(body[0] ?? 0) !== FN.readAddress || body.length !== 7) return null
  const digits = unpackDigits(body, 1, 6)
  return /^\d{12}$/.test(digits) ? digits : null
}
