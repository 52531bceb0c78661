/** Why bytes are no frame, as a sentence that says where to look. */
import { crc16, sum8 } from '../../bytes/checksum.ts'
import { printHex } from '../../bytes/hex.ts'
import { ascii, bytesIn } from './ascii.ts'
import { FUNCTIONS_KNOWN, isFunctionCode, parseReply, PDU_MAX, replyLength, requestLength, word } from './pdu.ts'

const REASONS: Readonly<Record<'rtu' | 'tcp' | 'ascii', (bytes: Uint8Array) => string>> = {
  rtu: whyNotRtu,
  tcp: whyNotTcp,
  ascii: whyNotAscii,
}

export function whyNot(framing: 'rtu' | 'tcp' | 'ascii', bytes: Uint8Array): string {
  return REASONS[framing](bytes)
}

function whyNotRtu(bytes: Uint8Array): string {
  if (bytes.length < 4) return `${bytes.length} bytes are too few: unit, function and CRC take 4`
  const fc = bytes[1] ?? 0
  if (!isFunctionCode(fc & 0x7f)) return `byte 2 is ${hex(fc)}: function ${fc & 0x7f} is not one of ${FUNCTIONS_KNOWN}`
  const body = bytes.subarray(0, -2)
  const sum = crc16(body)
  const said = word(bytes, bytes.length - 2)
  if (sum === said) return 'the CRC bytes are swapped: the low byte travels first'
  if (crc16(bytes) === 0) {
    const reply = parseReply(body.subarray(1))
    return `the CRC is right, the content is not: ${typeof reply === 'string' ? reply : 'its length'}`
  }
  const lengths = [replyLength(bytes, 1), requestLength(bytes, 1)].filter((length) => length !== null)
  const wanted = lengths.map((length) => length + 3)
  if (wanted.length > 0 && wanted.every((length) => length > bytes.length)) {
    return `function ${fc & 0x7f} with these first bytes makes ${wanted.join(' or ')} bytes, here are ${bytes.length}`
  }
  return `CRC: the last two bytes are ${printHex(bytes.subarray(-2), ' ')}, over the others it is ${hex(sum & 0xff)} ${hex(sum >> 8)}`
}

function whyNotTcp(bytes: Uint8Array): string {
  if (bytes.length < 8) return `${bytes.length} bytes are too few: header, unit and function take 8`
  if (word(bytes, 2) !== 0) return `bytes 3 and 4 (protocol) are ${printHex(bytes.subarray(2, 4), ' ')}, must be 00 00`
  const length = word(bytes, 4)
  if (length < 2 || length > 1 + PDU_MAX) return `bytes 5 and 6 say length ${length}, possible are 2 to ${1 + PDU_MAX}`
  return `bytes 5 and 6 say that ${length} bytes follow, here are ${bytes.length - 6}`
}

function hex(byte: number): string {
  return printHex(Uint8Array.of(byte))
}

function whyNotAscii(bytes: Uint8Array): string {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  if (!text.startsWith(':')) return `a frame begins with a colon (3a), not with ${hex(bytes[0] ?? 0)}`
  const end = text.indexOf('\r\n')
  if (end < 0) return 'a frame ends with CR LF (0d 0a): there is none'
  const stranger = /[^0-9a-f]/i.exec(text.slice(1, end))
  if (stranger !== null) return `character ${stranger.index + 2} is no hex digit`
  const content = bytesIn(bytes.subarray(0, end + 2))
  if (content === null) return `${end - 1} hex digits are half a byte too many or too few`
  if (content.length < 4) return `${content.length} bytes are too few: unit, function, content and LRC take 4`
  if (end + 2 > ascii.frameMax) return `${end + 2} characters are too many: a frame has at most ${ascii.frameMax}`
  const sum = -sum8(content, 0, content.length - 1) & 0xff
  return `LRC: the last two digits are ${hex(content.at(-1) ?? 0)}, over the others it is ${hex(sum)}`
}
