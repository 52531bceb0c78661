/** Says what a lift's monitoring block and codes are. Source of the block: the public code of a platform that receives it (CIC). */
import { crc16 } from '../../bytes/checksum.ts'
import { printHex } from '../../bytes/hex.ts'
import type { Text } from '../../model/point.ts'
import { both, type Said, type SaidFrame } from '../explained.ts'
import { LIFT_CODES, MONARCH } from './codes.ts'

const UNIT = 0x02
const FUNCTION = 0x03
/** Index 0 of the block. */
const BASE = 0xc800
/** Unit, function, first register, how many; behind them two bytes each, and the checksum. */
const HEAD = 5
const LOGIN = [0x55, 0xaa, 0x0f] as const
const IMSI_DIGITS = 15

export function explainCic(bytes: Uint8Array): Said {
  const frames: SaidFrame[] = []
  const junk: number[] = []
  let firstJunk = -1
  for (let at = 0; at < bytes.length; ) {
    const found = loginAt(bytes.subarray(at)) ?? blockAt(bytes.subarray(at))
    if (found === null) {
      if (firstJunk < 0) firstJunk = at
      junk.push(bytes[at] ?? 0)
      at += 1
      continue
    }
    frames.push(found.frame)
    at += found.used
  }
  const why = firstJunk < 0 ? null : flawOf(bytes.subarray(firstJunk))
  return { frames, junk: printHex(Uint8Array.from(junk)), why }
}

type Found = { readonly frame: SaidFrame; readonly used: number }

/** Who logs in is known by the number of its SIM card, which is not shown. */
function loginAt(bytes: Uint8Array): Found | null {
  const used = LOGIN.length + IMSI_DIGITS
  const digits = bytes.subarray(LOGIN.length, used)
  const isLogin = LOGIN.every((byte, at) => bytes[at] === byte) && digits.length === IMSI_DIGITS
  if (!isLogin || !digits.every((byte) => byte >= 0x30 && byte <= 0x39)) return null
  return { frame: { ...PLAIN, address: '', function: 'login', fields: { imsi: '***' } }, used }
}

const PLAIN = { protocol: 'cic', direction: 'message', readings: [], fault: null, note: null } as const

function blockAt(bytes: Uint8Array): Found | null {
  const count = bytes[4] ?? 0
  const used = HEAD + 2 * count + 2
  if (bytes[0] !== UNIT || bytes[1] !== FUNCTION || count === 0 || bytes.length < used) return null
  if (crc16(bytes, 0, used) !== 0) return null
  const start = word(bytes, 2)
  const registers = new Map(Array.from({ length: count }, (_, at) => [start - BASE + at, word(bytes, HEAD + 2 * at)]))
  const readings = [...registers].map(([index, value]) => ({ key: `register ${BASE + index}`, value, unit: null }))
  const fields = { start, count, ...meaningOf(registers) }
  return { frame: { ...PLAIN, address: String(UNIT), function: 'status block', fields, readings }, used }
}

function meaningOf(registers: ReadonlyMap<number, number>): Record<string, unknown> {
  const speed = registers.get(0)
  const door = registers.get(5)
  const mode = registers.get(10)
  const fault = registers.get(11)
  const floor = registers.get(12)
  const connected = registers.get(35)
  const people = registers.get(38)
  return {
    ...(speed === undefined ? {} : { speed_raw: speed }),
    ...(door === undefined ? {} : { door_code: door & 7, door_open: (door & 7) === 3 }),
    ...(mode === undefined
      ? {}
      : { mode_low_nibble: mode & 15, inspection: (mode & 15) === 1, direction: (mode >> 8) & 15 }),
    ...(fault === undefined ? {} : faultOf(Math.floor(fault / 100))),
    ...(floor === undefined ? {} : { floor }),
    ...(connected === undefined ? {} : { connected: (connected & 15) === 1 }),
    ...(people === undefined ? {} : { trapped: (people & 2) !== 0 }),
  }
}

function faultOf(number: number): Record<string, unknown> {
  if (number === 0) return { fault: null }
  const code = MONARCH.get(number)
  return { fault: `E${number}`, ...(code === undefined ? {} : { gb24476: code }) }
}

function flawOf(bytes: Uint8Array): Text {
  if (bytes[0] !== UNIT || (bytes.length > 1 && bytes[1] !== FUNCTION)) {
    const first = printHex(bytes.subarray(0, 2), ' ')
    return both(
      `a block begins with 02 03, a login with 55 aa 0f; here is ${first}`,
      `数据块以 02 03 开头，登录以 55 aa 0f 开头，这里是 ${first}`,
    )
  }
  const used = HEAD + 2 * (bytes[4] ?? 0) + 2
  if (bytes.length < used || bytes.length < HEAD) {
    const lacking = used - bytes.length
    return both(`the block is cut short: ${lacking} more bytes are needed`, `数据块不完整：还差 ${lacking} 字节`)
  }
  const right = crc16(bytes, 0, used - 2)
  const said = printHex(bytes.subarray(used - 2, used), ' ')
  const wanted = printHex(Uint8Array.of(right & 0xff, right >> 8), ' ')
  return both(
    `CRC: the last two bytes are ${said}, over the others it is ${wanted}`,
    `CRC：最后两字节是 ${said}，按前面的字节计算应为 ${wanted}`,
  )
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}

/** `written` is one code in decimal, or Monarch's number: `41`, `E41`. */
export function explainLiftCode(written: string): Said | Text {
  const [, monarch, digits] = /^(E?)(\d{1,4})$/i.exec(written.trim()) ?? []
  if (digits === undefined)
    return both(
      `"${written}" is no code: write it like 41, a Monarch fault like E41`,
      `"${written}" 不是代码：写成 41，默纳克故障写成 E41`,
    )
  const number = Number(digits)
  const code = monarch === '' ? number : MONARCH.get(number)
  const known = code === undefined ? undefined : LIFT_CODES.get(code)
  if (code === undefined || known === undefined)
    return {
      frames: [],
      junk: '',
      why: both(
        `no code ${written} is known: platforms have their own above 90`,
        `未知代码 ${written}：90 以上各平台自定`,
      ),
    }
  const fields = { code, class: known.class, name: known.name.en }
  const note = both(`${code} ${known.name.en}`, `${code} ${known.name.zh}`)
  return {
    frames: [{ ...PLAIN, protocol: 'gb24476', address: '', function: 'code', fields, note }],
    junk: '',
    why: null,
  }
}
