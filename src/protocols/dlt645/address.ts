/** Meter numbers: twelve digits, leading zeros count. */
import type { Text } from '../../model/point.ts'
import type { Address } from '../protocol.ts'
import { readPairs } from '../../bytes/bcd.ts'
import { FN, functionOf } from './control.ts'
import { ADDRESS_DIGITS } from './frame.ts'

/** A in place of a digit: any. On this one every meter answers, so only one may hear it. */
export const EVERYBODY = 'AAAAAAAAAAAA'
/** Broadcast: meters obey and do not answer. */
export const BROADCAST = '999999999999'

export function address(written: number | string): { readonly address: Address } | Text {
  const text = String(written).trim()
  const padded = text.padStart(ADDRESS_DIGITS, '0')
  if (typeof written === 'number') {
    return {
      en: `address ${text} is a number: quote it, "${padded}"`,
      zh: `address ${text} 是数字：请加引号，写作 "${padded}"`,
    }
  }
  if (text === BROADCAST) {
    return {
      en: `${BROADCAST} is broadcast: every meter would hear it and none would answer`,
      zh: `${BROADCAST} 是广播地址：所有电表都会收到，但都不应答`,
    }
  }
  if (/^A+[0-9A]*$/i.test(text)) {
    return {
      en: `"${text}" stands for any meter: a scan may ask so, but a device needs a number of its own`,
      zh: `"${text}" 代表任意电表：仅扫描可用，设备须写自己的表号`,
    }
  }
  if (!/^\d+$/.test(text)) {
    return { en: `"${text}" is not a meter number: twelve digits`, zh: `"${text}" 不是表号：应为 12 位数字` }
  }
  if (text.length > ADDRESS_DIGITS) {
    return {
      en: `"${text}" has ${text.length} digits, a meter number has 12: bar codes show more, the number is the last 12 before the check digit`,
      zh: `"${text}" 有 ${text.length} 位，表号为 12 位：条形码位数更多，表号是校验位之前的最后 12 位`,
    }
  }
  if (text.length < ADDRESS_DIGITS) {
    return {
      en: `"${text}" has ${text.length} digits, a meter number has 12: leading zeros count, "${padded}"`,
      zh: `"${text}" 有 ${text.length} 位，表号为 12 位：前导零须写出，如 "${padded}"`,
    }
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
  const digits = readPairs(body, 1, 6)
  return /^\d{12}$/.test(digits) ? digits : null
}
