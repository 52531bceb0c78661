/**
 * Control codes of both editions: D7 0 master, 1 meter; D6 the meter says no; D5 more data follows; D4 to D0 the function.
 * The editions use different functions for the same thing, so a code tells which edition is spoken; where both have it (03, 04),
 * the 2007 one is meant unless somebody says otherwise.
 */
import type { Text } from '../../model/point.ts'

export type Edition = '2007' | '1997'

export const FROM_METER = 0x80
export const REFUSED = 0x40
export const MORE = 0x20
const FUNCTION = 0x1f

export const FN = {
  read: 0x11,
  readFollowing: 0x12,
  readAddress: 0x13,
  write: 0x14,
  writeAddress: 0x15,
  freeze: 0x16,
  time: 0x08,
  relay: 0x1c,
  read97: 0x01,
  readFollowing97: 0x02,
  reread97: 0x03,
  write97: 0x04,
} as const

const NAMES_2007: Readonly<Record<number, string>> = {
  0x03: 'security',
  0x08: 'broadcast time',
  0x11: 'read data',
  0x12: 'read following data',
  0x13: 'read address',
  0x14: 'write data',
  0x15: 'write address',
  0x16: 'freeze',
  0x17: 'change baud rate',
  0x18: 'change password',
  0x19: 'clear demand',
  0x1a: 'clear meter',
  0x1b: 'clear events',
  0x1c: 'relay control',
}
const NAMES_1997: Readonly<Record<number, string>> = {
  0x01: 'read data',
  0x02: 'read following data',
  0x03: 're-read data',
  0x04: 'write data',
  0x08: 'broadcast time',
  0x0a: 'write address',
  0x0c: 'change baud rate',
  0x0f: 'change password',
  0x10: 'clear demand',
}

export function functionOf(control: number): number {
  return control & FUNCTION
}

export function isFromMeter(control: number): boolean {
  return (control & FROM_METER) !== 0
}

/** The edition whose function this is. `assumed` decides where both have it. */
export function editionOf(control: number, assumed: Edition): Edition {
  const code = functionOf(control)
  const in2007 = NAMES_2007[code] !== undefined
  const in1997 = NAMES_1997[code] !== undefined
  if (in2007 === in1997) return assumed
  return in2007 ? '2007' : '1997'
}

/** `11 read data` */
export function functionText(control: number, edition: Edition): string {
  const code = functionOf(control)
  const name = (edition === '2007' ? NAMES_2007 : NAMES_1997)[code] ?? 'unknown function'
  return `${code.toString(16).padStart(2, '0').toUpperCase()} ${name}`
}

/** Bytes of the data identifier in requests and answers of this edition. */
export function itemBytes(edition: Edition): 2 | 4 {
  return edition === '2007' ? 4 : 2
}

/** Functions whose data begins with a data identifier. */
export function namesItem(control: number, edition: Edition): boolean {
  const code = functionOf(control)
  return edition === '2007'
    ? code === FN.read || code === FN.readFollowing || code === FN.write
    : code === FN.read97 || code === FN.readFollowing97 || code === FN.reread97 || code === FN.write97
}

/** A reason of a refusal. `name` is for programs, `text` for people. */
export type Reason = { readonly name: string; readonly text: Text }

type Bits = readonly (readonly [mask: number, name: string, en: string, zh: string])[]

/** The error byte is a set of bits: several reasons may stand together. One public library reads it as a number; it is none. */
const COUNTS: Bits = [
  [0x10, 'year_zone_count_exceeded', 'more yearly time zones than the meter has', '年时区数超限'],
  [0x20, 'day_period_count_exceeded', 'more daily periods than the meter has', '日时段数超限'],
  [0x40, 'tariff_count_exceeded', 'more tariffs than the meter has', '费率数超限'],
]
const REASONS: Readonly<Record<Edition, Bits>> = {
  '2007': [
    [0x01, 'other', 'another error', '其他错误'],
    [0x02, 'no_requested_data', 'the meter has no such data item', '无请求数据'],
    [0x04, 'password_or_unauthorised', 'wrong password, or not authorised', '密码错或未授权'],
    [0x08, 'baud_cannot_change', 'the baud rate cannot be changed', '通信速率不能更改'],
    ...COUNTS,
  ],
  '1997': [
    [0x01, 'illegal_data', 'illegal data', '非法数据'],
    [0x02, 'data_identifier_error', 'the meter does not know this data identifier', '数据标识错'],
    [0x04, 'password_error', 'wrong password', '密码错'],
    ...COUNTS,
  ],
}

/** What an error byte says, bit by bit; a bit that the standard leaves open is named by its value. */
export function reasonsOf(code: number, edition: Edition): readonly Reason[] {
  const known = REASONS[edition]
    .filter(([mask]) => (code & mask) !== 0)
    .map(([, name, en, zh]): Reason => ({ name, text: { en, zh } }))
  const rest = REASONS[edition].reduce((left, [mask]) => left & ~mask, code & 0xff)
  if (rest === 0) return known
  const bits = rest.toString(16).padStart(2, '0').toUpperCase()
  const open = { en: `bits ${bits}H, which the standard leaves open`, zh: `标准未定义的位 ${bits}H` }
  return [...known, { name: `unknown_${bits.toLowerCase()}`, text: open }]
}
