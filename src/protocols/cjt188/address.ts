/** Addresses: 14 digits as on the label, maker code included. Many labels print only the last 8 or 10 of them. */
import type { Text } from '../../model/point.ts'
import type { Address } from '../protocol.ts'
import { ADDRESS_DIGITS, ANY_ADDRESS } from './frame.ts'

const BROADCAST = '9'.repeat(ADDRESS_DIGITS)

/** Short ones are filled up with zeros in front. */
export function address(written: number | string): { readonly address: Address } | Text {
  if (typeof written === 'number') {
    const quoted = String(written).padStart(ADDRESS_DIGITS, '0')
    return {
      en: `address ${written} is a number, which loses leading zeros: quote it, "${quoted}"`,
      zh: `address ${written} 是数字，会丢失前导零：请加引号，写作 "${quoted}"`,
    }
  }
  const digits = written.replaceAll(' ', '').toUpperCase()
  if (!/^[0-9A-F]{1,14}$/.test(digits)) {
    return {
      en: `"${written}" is no CJ/T 188 address: up to 14 digits as on the meter's label, or ${ANY_ADDRESS} for the only meter of a wire`,
      zh: `"${written}" 不是 CJ/T 188 表地址：应为表牌上的数字（最多 14 位）；线路上仅有一块表时可写 ${ANY_ADDRESS}`,
    }
  }
  const whole = digits.padStart(ADDRESS_DIGITS, '0')
  if (whole !== BROADCAST) return { address: whole }
  return { en: `${BROADCAST} is broadcast: no meter answers to it`, zh: `${BROADCAST} 是广播地址：没有表会应答` }
}
