/** Says what bytes are, frame by frame, or why they are none: for people with a capture and a doubt. */
import { crc16 } from '../../bytes/checksum.ts'
import { printHex } from '../../bytes/hex.ts'
import { causeText } from '../../model/fault.ts'
import type { Explained, ExplainedFrame } from '../explained.ts'
import type { Framing, Question } from '../protocol.ts'
import { rtu, tcp } from './framing.ts'
import {
  FUNCTION_NAMES,
  isFunctionCode,
  parseReply,
  parseRequest,
  PDU_MAX,
  type Reply,
  replyLength,
  type Request,
  unpackBits,
  word,
} from './pdu.ts'

/** Modbus Application Protocol V1.1b3, section 7. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge',
  6: 'server device busy',
  7: 'negative acknowledge',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target device failed to respond',
}
const TABLES = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' } as const

/** An envelope opened. `transaction` is null on RTU. */
type Frame = {
  readonly unit: number
  readonly pdu: Uint8Array
  readonly bytes: Uint8Array
  readonly transaction: number | null
}
type Asked = { readonly request: Request; readonly question: Question; readonly transaction: number | null }

/** `framing` null: whichever of the two fits. */
export function explainModbus(framing: 'rtu' | 'tcp' | null, bytes: Uint8Array, request: Uint8Array | null): Explained {
  if (framing !== null) return explainAs(framing, bytes, request)
  const asTcp = explainAs('tcp', bytes, request)
  if (asTcp.frames.length > 0 && asTcp.junk === '') return asTcp
  const asRtu = explainAs('rtu', bytes, request)
  if (asRtu.frames.length > 0 || asTcp.frames.length === 0) {
    const both = asRtu.frames.length === 0 && asTcp.why !== null && asRtu.why !== null
    return both ? { ...asRtu, why: `as RTU: ${asRtu.why}; as TCP: ${asTcp.why}` } : asRtu
  }
  return asTcp
}

function explainAs(framing: 'rtu' | 'tcp', bytes: Uint8Array, request: Uint8Array | null): Explained {
  const asked = request === null ? null : readRequest(framing, request)
  if (typeof asked === 'string') return { frames: [], junk: printHex(bytes), why: `the request is none: ${asked}` }
  const frames: ExplainedFrame[] = []
  const junk: number[] = []
  let firstJunk = -1
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at)
    const frame = cut(framing, rest, asked)
    if (frame === null) {
      if (firstJunk < 0) firstJunk = at
      junk.push(bytes[at] ?? 0)
      at += 1
      continue
    }
    frames.push(explainFrame(framing, frame, asked))
    at += frame.bytes.length
  }
  const why = firstJunk < 0 ? null : (framing === 'rtu' ? whyNotRtu : whyNotTcp)(bytes.subarray(firstJunk))
  return { frames, junk: printHex(Uint8Array.from(junk)), why }
}

function readRequest(framing: 'rtu' | 'tcp', bytes: Uint8Array): Asked | string {
  const frame = cut(framing, bytes, null)
  if (frame === null) return (framing === 'rtu' ? whyNotRtu : whyNotTcp)(bytes)
  const request = parseRequest(frame.pdu)
  if (typeof request === 'string') return request
  const answerBytes = 'count' in request ? 2 + (request.fc <= 2 ? Math.ceil(request.count / 8) : 2 * request.count) : 5
  const question = { address: frame.unit, body: frame.pdu, writes: request.fc > 4, answerBytes }
  return { request, question, transaction: frame.transaction }
}

/** The frame at the front, request or reply. */
function cut(framing: 'rtu' | 'tcp', bytes: Uint8Array, asked: Asked | null): Frame | null {
  if (framing === 'tcp') {
    const split = tcp.split(bytes)
    if (split.kind !== 'frame') return null
    return { unit: bytes[6] ?? 0, pdu: split.frame.subarray(7), bytes: split.frame, transaction: word(bytes, 0) }
  }
  const lengths = [replyLength(bytes[1] ?? 0, bytes[2] ?? 0), requestLength(bytes)]
  for (const length of asked === null ? lengths.reverse() : lengths) {
    if (length === null || bytes.length < length + 3 || crc16(bytes, 0, length + 3) !== 0) continue
    const frame = bytes.subarray(0, length + 3)
    return { unit: frame[0] ?? 0, pdu: frame.subarray(1, -2), bytes: frame, transaction: null }
  }
  return null
}

function requestLength(bytes: Uint8Array): number | null {
  const fc = bytes[1] ?? 0
  if (!isFunctionCode(fc)) return null
  return fc < 15 ? 5 : 6 + (bytes[6] ?? 0)
}

function explainFrame(framing: 'rtu' | 'tcp', frame: Frame, asked: Asked | null): ExplainedFrame {
  const request = parseRequest(frame.pdu)
  const reply = parseReply(frame.pdu)
  const transaction = frame.transaction === null ? {} : { transaction: frame.transaction }
  const base = { protocol: `modbus-${framing}`, address: String(frame.unit), readings: [], fault: null, note: null }
  const code = frame.pdu[0] ?? 0
  const name = isFunctionCode(code & 0x7f) ? FUNCTION_NAMES[(code & 0x7f) as keyof typeof FUNCTION_NAMES] : 'unknown'
  const head = { ...base, function: `${code & 0x7f} ${name}` }
  // Without the question a write and its echo are the same bytes: shown as the request.
  const asRequest = typeof request !== 'string' && (typeof reply === 'string' || (asked === null && code >= 5))
  if (asRequest) return { ...head, direction: 'request', fields: { ...transaction, ...requestFields(request) } }
  if (typeof reply === 'string') {
    const note = `the envelope is sound, its content is not: ${reply}`
    return { ...head, direction: 'reply', fields: transaction, note }
  }
  const note = asked === null ? null : mismatch(framing === 'rtu' ? rtu : tcp, frame, asked)
  return {
    ...head,
    direction: 'reply',
    fields: { ...transaction, ...replyFields(reply) },
    readings: replyReadings(reply, note === null ? asked : null),
    fault: 'exception' in reply ? causeText({ kind: 'exception', code: reply.exception }) : null,
    note,
  }
}

function mismatch(framing: Framing, frame: Frame, asked: Asked): string | null {
  const verdict = framing.judge(frame.bytes, asked.question, asked.transaction ?? 0)
  if (verdict.kind !== 'other') return null
  const reasons = {
    transaction: `transaction ${frame.transaction}, asked was ${asked.transaction}`,
    unit: `unit ${frame.unit}, asked was ${asked.question.address}`,
    function: `function ${(frame.pdu[0] ?? 0) & 0x7f}, asked was ${asked.request.fc}`,
    length: `${frame.pdu.length} bytes of content where ${asked.question.answerBytes} would answer`,
    echo: 'it confirms another address or value than was written',
    address: 'another device answers',
  }
  return `does not answer the request: ${reasons[verdict.why]}`
}

function requestFields(request: Request): Readonly<Record<string, unknown>> {
  const { fc: _, ...fields } = request
  return 'registers' in fields ? { start: fields.start, registers: words(fields.registers) } : fields
}

function replyFields(reply: Reply): Readonly<Record<string, unknown>> {
  if ('exception' in reply) return { exception: reply.exception, meaning: EXCEPTIONS[reply.exception] ?? 'unknown' }
  if ('content' in reply) return { bytes: reply.content.length }
  const { fc: _, ...fields } = reply
  return fields
}

function replyReadings(reply: Reply, asked: Asked | null): ExplainedFrame['readings'] {
  if (!('content' in reply)) return []
  const request = asked !== null && 'count' in asked.request ? asked.request : null
  const bits = reply.fc <= 2
  const values = bits ? unpackBits(reply.content, request?.count ?? 8 * reply.content.length) : words(reply.content)
  const place = request === null ? (bits ? 'bit' : 'register') : TABLES[reply.fc]
  return values.map((value, at) => ({ key: `${place} ${(request?.start ?? 0) + at}`, value, unit: null }))
}

function words(content: Uint8Array): number[] {
  return Array.from({ length: content.length >> 1 }, (_, at) => word(content, 2 * at))
}

function whyNotRtu(bytes: Uint8Array): string {
  if (bytes.length < 4) return `${bytes.length} bytes are too few: unit, function and CRC take 4`
  const fc = bytes[1] ?? 0
  if (!isFunctionCode(fc & 0x7f)) return `byte 2 is ${hex(fc)}: function ${fc & 0x7f} is not one of 1-6, 15, 16`
  const body = bytes.subarray(0, -2)
  const sum = crc16(body)
  const said = word(bytes, bytes.length - 2)
  if (sum === said) return 'the CRC bytes are swapped: the low byte travels first'
  if (crc16(bytes) === 0) {
    const reply = parseReply(body.subarray(1))
    return `the CRC is right, the content is not: ${typeof reply === 'string' ? reply : 'its length'}`
  }
  const lengths = [replyLength(fc, bytes[2] ?? 0), requestLength(bytes)].filter((length) => length !== null)
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
