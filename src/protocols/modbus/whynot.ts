/** Why bytes are no frame, as a sentence that says where to look. */
import { crc16, sum8 } from '../../bytes/checksum.ts'
import { printHex } from '../../bytes/hex.ts'
import type { Text } from '../../model/point.ts'
import { both } from '../explained.ts'
import { ascii, bytesIn } from './ascii.ts'
import { FUNCTIONS_KNOWN, isFunctionCode, parseReply, PDU_MAX, replyLength, requestLength, word } from './pdu.ts'

const REASONS: Readonly<Record<'rtu' | 'tcp' | 'ascii', (bytes: Uint8Array) => Text>> = {
  rtu: whyNotRtu,
  tcp: whyNotTcp,
  ascii: whyNotAscii,
}

export function whyNot(framing: 'rtu' | 'tcp' | 'ascii', bytes: Uint8Array): Text {
  return REASONS[framing](bytes)
}

function whyNotRtu(bytes: Uint8Array): Text {
  if (bytes.length < 4)
    return both(
      `${bytes.length} bytes are too few: unit, function and CRC take 4`,
      `只有 ${bytes.length} 字节，太短：站号、功能码和 CRC 共 4 字节`,
    )
  const fc = bytes[1] ?? 0
  if (!isFunctionCode(fc & 0x7f))
    return both(
      `byte 2 is ${hex(fc)}: function ${fc & 0x7f} is not one of ${FUNCTIONS_KNOWN}`,
      `第 2 字节是 ${hex(fc)}：功能码 ${fc & 0x7f} 不在 ${FUNCTIONS_KNOWN} 之中`,
    )
  const body = bytes.subarray(0, -2)
  const sum = crc16(body)
  const said = word(bytes, bytes.length - 2)
  if (sum === said) return both('the CRC bytes are swapped: the low byte travels first', 'CRC 两字节颠倒：低字节应在前')
  if (crc16(bytes) === 0) {
    const reply = parseReply(body.subarray(1))
    const detail = typeof reply === 'string' ? reply : 'its length'
    return both(`the CRC is right, the content is not: ${detail}`, `CRC 正确，但内容不对（${detail}）`)
  }
  const lengths = [replyLength(bytes, 1), requestLength(bytes, 1)].filter((length) => length !== null)
  const wanted = lengths.map((length) => length + 3)
  if (wanted.length > 0 && wanted.every((length) => length > bytes.length)) {
    const lacking = wanted.map((length) => length - bytes.length)
    return both(
      `function ${fc & 0x7f} with these first bytes makes ${wanted.join(' or ')} bytes, here are ${bytes.length}: ${lacking.join(' or ')} more bytes are needed`,
      `功能码 ${fc & 0x7f} 按开头几个字节应为 ${wanted.join(' 或 ')} 字节，这里只有 ${bytes.length} 字节：还差 ${lacking.join(' 或 ')} 字节`,
    )
  }
  const last = printHex(bytes.subarray(-2), ' ')
  const right = `${hex(sum & 0xff)} ${hex(sum >> 8)}`
  return both(
    `CRC: the last two bytes are ${last}, over the others it is ${right}`,
    `CRC：最后两字节是 ${last}，按前面的字节计算应为 ${right}`,
  )
}

function whyNotTcp(bytes: Uint8Array): Text {
  if (bytes.length < 8)
    return both(
      `${bytes.length} bytes are too few: header, unit and function take 8`,
      `只有 ${bytes.length} 字节，太短：报文头、站号和功能码共 8 字节`,
    )
  if (word(bytes, 2) !== 0) {
    const said = printHex(bytes.subarray(2, 4), ' ')
    return both(`bytes 3 and 4 (protocol) are ${said}, must be 00 00`, `第 3、4 字节（协议标识）是 ${said}，应为 00 00`)
  }
  const length = word(bytes, 4)
  if (length < 2 || length > 1 + PDU_MAX)
    return both(
      `bytes 5 and 6 say length ${length}, possible are 2 to ${1 + PDU_MAX}`,
      `第 5、6 字节的长度为 ${length}，应在 2 至 ${1 + PDU_MAX} 之间`,
    )
  const lacking = length + 6 - bytes.length
  return both(
    `bytes 5 and 6 say that ${length} bytes follow, here are ${bytes.length - 6}: ${lacking} more bytes are needed`,
    `第 5、6 字节说后面有 ${length} 字节，这里只有 ${bytes.length - 6} 字节：还差 ${lacking} 字节`,
  )
}

function hex(byte: number): string {
  return printHex(Uint8Array.of(byte))
}

function whyNotAscii(bytes: Uint8Array): Text {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  if (!text.startsWith(':'))
    return both(
      `a frame begins with a colon (3a), not with ${hex(bytes[0] ?? 0)}`,
      `帧以冒号（3a）开头，而不是 ${hex(bytes[0] ?? 0)}`,
    )
  const end = text.indexOf('\r\n')
  if (end < 0)
    return both(
      'a frame ends with CR LF (0d 0a): there is none, more is needed',
      '帧以 CR LF（0d 0a）结尾：这里没有，数据不完整',
    )
  const stranger = /[^0-9a-f]/i.exec(text.slice(1, end))
  if (stranger !== null)
    return both(`character ${stranger.index + 2} is no hex digit`, `第 ${stranger.index + 2} 个字符不是十六进制数字`)
  const content = bytesIn(bytes.subarray(0, end + 2))
  if (content === null)
    return both(
      `${end - 1} hex digits are half a byte too many or too few`,
      `${end - 1} 个十六进制数字，多或少半个字节`,
    )
  if (content.length < 4)
    return both(
      `${content.length} bytes are too few: unit, function, content and LRC take 4`,
      `只有 ${content.length} 字节，太短：站号、功能码、内容和 LRC 共 4 字节`,
    )
  if (end + 2 > ascii.frameMax)
    return both(
      `${end + 2} characters are too many: a frame has at most ${ascii.frameMax}`,
      `${end + 2} 个字符太多：一帧最多 ${ascii.frameMax} 个`,
    )
  const sum = -sum8(content, 0, content.length - 1) & 0xff
  const last = hex(content.at(-1) ?? 0)
  return both(
    `LRC: the last two digits are ${last}, over the others it is ${hex(sum)}`,
    `LRC：最后两位是 ${last}，按前面的内容计算应为 ${hex(sum)}`,
  )
}
