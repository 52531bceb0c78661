/**
 * Addresses: a primary one, 0 to 250, or a secondary one: the eight digits of the meter's number, if need be followed by
 * manufacturer (4 hexadecimal digits), version (2) and medium (2). A letter F in place of a digit stands for any.
 */
import { readPairs, writePairs } from '../../bytes/bcd.ts'
import type { Text } from '../../model/point.ts'
import type { Address } from '../protocol.ts'
import { ADDRESS_MAX } from './frame.ts'

const SECONDARY = /^[0-9A-F]{8}([0-9A-F]{8})?$/
const ANY_REST = 'FFFFFFFF'

export function address(written: number | string): { readonly address: Address } | Text {
  if (typeof written === 'string') {
    const digits = written.replaceAll(' ', '').toUpperCase()
    if (SECONDARY.test(digits)) return { address: digits.length === 8 ? digits + ANY_REST : digits }
    if (!/^\d{1,3}$/.test(digits)) {
      return {
        en: `"${written}" is no M-Bus address: 0 to ${ADDRESS_MAX}, or the eight digits of the meter's number`,
        zh: `"${written}" 不是 M-Bus 地址：应为 0 到 ${ADDRESS_MAX}，或 8 位表号`,
      }
    }
  }
  const primary = Number(written)
  if (!Number.isInteger(primary) || primary < 0 || primary > ADDRESS_MAX) {
    return {
      en: `${written} is no M-Bus address: 0 to ${ADDRESS_MAX}, or the eight digits of the meter's number, quoted`,
      zh: `${written} 不是 M-Bus 地址：应为 0 到 ${ADDRESS_MAX}，或加引号的 8 位表号`,
    }
  }
  return { address: primary }
}

/** What is sent to select the meter, behind CI 52: number and manufacturer with the least significant byte first. */
export function selectionOf(secondary: string): Uint8Array {
  const rest = secondary.slice(8).padEnd(8, 'F')
  return Uint8Array.of(
    ...writePairs(secondary.slice(0, 8)),
    ...writePairs(rest.slice(0, 4)),
    Number.parseInt(rest.slice(4, 6), 16),
    Number.parseInt(rest.slice(6, 8), 16),
  )
}

/** The meter whose header this is may be the one selected. `header`: the first eight bytes behind CI 72 or 73. */
export function isSelected(secondary: string, id: string): boolean {
  for (let at = 0; at < 8; at++) if (secondary[at] !== 'F' && secondary[at] !== id[at]) return false
  return true
}

/** The meter's number as its header has it. */
export function idOf(data: Uint8Array): string {
  return readPairs(data, 0, 4)
}
