/** Addresses: 14 digits as on the label, maker code included. Many labels print only the last 8 or 10 of them. */
import type { Address } from '../protocol.ts'
import { ADDRESS_DIGITS, ANY_ADDRESS } from './frame.ts'

const BROADCAST = '9'.repeat(ADDRESS_DIGITS)

/** Short ones are filled up with zeros in front. */
export function address(written: number | string): { readonly address: Address } | string {
  if (typeof written === 'number') {
    return `address ${written} is a number, which loses leading zeros: quote it, "${String(written).padStart(ADDRESS_DIGITS, '0')}"`
  }
  const digits = written.replaceAll(' ', '').toUpperCase()
  if (!/^[0-9A-F]{1,14}$/.test(digits)) {
    return `"${written}" is no CJ/T 188 address: up to 14 digits as on the meter's label, or ${ANY_ADDRESS} for the only meter of a wire`
  }
  const whole = digits.padStart(ADDRESS_DIGITS, '0')
  return whole === BROADCAST ? `${BROADCAST} is broadcast: no meter answers to it` : { address: whole }
}
