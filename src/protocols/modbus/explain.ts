/** Says what bytes are, frame by frame, or why they are none: for people with a capture and a doubt. */
import { crc16 } from '../../bytes/checksum.ts'
import { printHex } from '../../bytes/hex.ts'
import { causeText } from '../../model/fault.ts'
import type { Text } from '../../model/point.ts'
import { both, type Said, type SaidFrame, wrapIn } from '../explained.ts'
import type { Question } from '../protocol.ts'
import { ascii, bytesIn } from './ascii.ts'
import { rtu, tcp } from './framing.ts'
import { objectName, objectText } from './identity.ts'
import {
  FUNCTION_NAMES,
  isFunctionCode,
  parseReply,
  parseRequest,
  type Reply,
  replyLength,
  type Request,
  requestLength,
  unpackBits,
  word,
} from './pdu.ts'
import { questionOf } from './question.ts'
import { narrowed, splitWide, WIDE_COUNT } from './wide.ts'
import { whyNot } from './whynot.ts'

const FRAMINGS = { rtu, tcp, ascii }
export type FramingName = keyof typeof FRAMINGS

/** Modbus Application Protocol V1.1b3, section 7. */
const EXCEPTIONS: Readonly<Record<number, Text>> = {
  1: both('illegal function', '非法功能码'),
  2: both('illegal data address', '非法数据地址'),
  3: both('illegal data value', '非法数据值'),
  4: both('server device failure', '从站设备故障'),
  5: both('acknowledge', '已接受，处理中'),
  6: both('server device busy', '从站设备忙'),
  7: both('negative acknowledge', '否定确认'),
  8: both('memory parity error', '存储器奇偶校验错'),
  10: both('gateway path unavailable', '网关路径不可用'),
  11: both('gateway target device failed to respond', '网关目标设备无应答'),
}
const UNKNOWN = both('unknown', '未知')
const TABLES = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input', 23: 'holding' } as const
const COLON = 0x3a
const NOTHING = both('nothing', '无')

/** An envelope opened. `transaction` is null where there is none. */
type Frame = {
  readonly unit: number
  readonly pdu: Uint8Array
  readonly bytes: Uint8Array
  readonly transaction: number | null
  /** Answered with a byte count of 16 bits; `pdu` is as the standard would have it. */
  readonly wide?: true
}
type Asked = { readonly request: Request; readonly question: Question; readonly transaction: number | null }

/** `framing` null: whichever fits. */
export function explainModbus(framing: FramingName | null, bytes: Uint8Array, request: Uint8Array | null): Said {
  if (framing !== null) return explainAs(framing, bytes, request)
  const isWhole = ({ frames, junk }: Said): boolean => frames.length > 0 && junk === ''
  const asAscii = bytes[0] === COLON ? explainAs('ascii', bytes, request) : null
  if (asAscii !== null && asAscii.frames.length > 0) return asAscii
  const asTcp = explainAs('tcp', bytes, request)
  if (isWhole(asTcp)) return asTcp
  const asRtu = explainAs('rtu', bytes, request)
  if (asRtu.frames.length > 0) return asRtu
  if (asTcp.frames.length > 0) return asTcp
  // What begins with a colon is meant to be a line of text.
  if (asAscii !== null) return asAscii
  const [rtuWhy, tcpWhy] = [asRtu.why ?? NOTHING, asTcp.why ?? NOTHING]
  return {
    ...asRtu,
    why: both(`as RTU: ${rtuWhy.en}; as TCP: ${tcpWhy.en}`, `按 RTU：${rtuWhy.zh}；按 TCP：${tcpWhy.zh}`),
  }
}

function explainAs(framing: FramingName, bytes: Uint8Array, request: Uint8Array | null): Said {
  const asked = request === null ? null : readRequest(framing, request)
  if (asked !== null && 'en' in asked)
    return { frames: [], junk: printHex(bytes), why: wrapIn('the request is none: ', '请求不是一帧：', asked) }
  const frames: SaidFrame[] = []
  const junk: number[] = []
  let firstJunk = -1
  for (let at = 0; at < bytes.length; ) {
    const frame = CUTS[framing](bytes.subarray(at), asked)
    if (frame === null) {
      if (firstJunk < 0) firstJunk = at
      junk.push(bytes[at] ?? 0)
      at += 1
      continue
    }
    frames.push(explainFrame(framing, frame, asked))
    at += frame.bytes.length
  }
  const why = firstJunk < 0 ? null : whyNot(framing, bytes.subarray(firstJunk))
  return { frames, junk: printHex(Uint8Array.from(junk)), why }
}

function readRequest(framing: FramingName, bytes: Uint8Array): Asked | Text {
  const frame = CUTS[framing](bytes, null)
  if (frame === null) return whyNot(framing, bytes)
  const request = parseRequest(frame.pdu)
  if (typeof request === 'string') return both(request, `内容不对（${request}）`)
  const question = { ...questionOf(request, frame.unit), body: frame.pdu }
  return { request, question, transaction: frame.transaction }
}

/** The frame at the front, request or reply; null: there is none. */
const CUTS: Readonly<Record<FramingName, (bytes: Uint8Array, asked: Asked | null) => Frame | null>> = {
  tcp(bytes) {
    const split = tcp.split(bytes)
    if (split.kind !== 'frame') return null
    return { unit: bytes[6] ?? 0, pdu: split.frame.subarray(7), bytes: split.frame, transaction: word(bytes, 0) }
  },
  ascii(bytes) {
    const split = ascii.split(bytes)
    const content = split.kind === 'frame' ? bytesIn(split.frame) : null
    if (split.kind !== 'frame' || content === null) return null
    return { unit: content[0] ?? 0, pdu: content.subarray(1, -1), bytes: split.frame, transaction: null }
  },
  rtu(bytes, asked) {
    const answers = [plainFrame(bytes, replyLength(bytes, 1)), wideFrame(bytes)]
    const request = plainFrame(bytes, requestLength(bytes, 1))
    // A wide answer may have the length and the sum of a request: who gives the request knows that this is the answer.
    const sound = (asked === null ? [request, ...answers] : [...answers, request]).filter((frame) => frame !== null)
    // Zeros behind a frame leave its CRC right: the shortest is meant.
    return sound.reduce<Frame | null>(
      (best, frame) => (best === null || frame.bytes.length < best.bytes.length ? frame : best),
      null,
    )
  },
}

function plainFrame(bytes: Uint8Array, length: number | null): Frame | null {
  if (length === null || bytes.length < length + 3 || crc16(bytes, 0, length + 3) !== 0) return null
  const frame = bytes.subarray(0, length + 3)
  return { unit: frame[0] ?? 0, pdu: frame.subarray(1, -2), bytes: frame, transaction: null }
}

function wideFrame(bytes: Uint8Array): Frame | null {
  const split = splitWide(bytes, 0)
  if (split?.kind !== 'frame') return null
  const pdu = narrowed(split.frame.subarray(1, -2))
  return { unit: split.frame[0] ?? 0, pdu, bytes: split.frame, transaction: null, wide: true }
}

function explainFrame(framing: FramingName, frame: Frame, asked: Asked | null): SaidFrame {
  const request = parseRequest(frame.pdu)
  const reply = parseReply(frame.pdu)
  const transaction = {
    ...(frame.transaction === null ? {} : { transaction: frame.transaction }),
    ...(frame.wide === undefined ? {} : { wideCount: true }),
  }
  const base = { protocol: `modbus-${framing}`, address: String(frame.unit), readings: [], fault: null, note: null }
  const code = frame.pdu[0] ?? 0
  const fc = code & 0x7f
  const head = { ...base, function: `${fc} ${isFunctionCode(fc) ? FUNCTION_NAMES[fc] : 'unknown'}` }
  // Without the question a write and its echo are the same bytes: shown as the request.
  const asRequest = typeof request !== 'string' && (typeof reply === 'string' || (asked === null && code >= 5))
  if (asRequest) return { ...head, direction: 'request', fields: { ...transaction, ...requestFields(request) } }
  if (typeof reply === 'string') {
    const note = both(`the envelope is sound, its content is not: ${reply}`, `外层正确，但内容不对（${reply}）`)
    return { ...head, direction: 'reply', fields: transaction, note }
  }
  const note = asked === null ? null : mismatch(framing, frame, asked)
  return {
    ...head,
    direction: 'reply',
    fields: { ...transaction, ...replyFields(reply) },
    readings: replyReadings(reply, note === null ? asked : null),
    fault: 'exception' in reply ? causeText({ kind: 'exception', code: reply.exception }) : null,
    note,
  }
}

function mismatch(framing: FramingName, frame: Frame, asked: Asked): Text | null {
  const wide = frame.wide === undefined ? {} : { dialect: WIDE_COUNT, answerBytes: asked.question.answerBytes + 1 }
  const verdict = FRAMINGS[framing].judge(frame.bytes, { ...asked.question, ...wide }, asked.transaction ?? 0)
  if (verdict.kind !== 'other') return null
  const reasons = {
    transaction: both(
      `transaction ${frame.transaction}, asked was ${asked.transaction}`,
      `事务号 ${frame.transaction}，请求的是 ${asked.transaction}`,
    ),
    unit: both(
      `unit ${frame.unit}, asked was ${asked.question.address}`,
      `站号 ${frame.unit}，请求的是 ${asked.question.address}`,
    ),
    function: both(
      `function ${(frame.pdu[0] ?? 0) & 0x7f}, asked was ${asked.request.fc}`,
      `功能码 ${(frame.pdu[0] ?? 0) & 0x7f}，请求的是 ${asked.request.fc}`,
    ),
    length: both(
      `${frame.pdu.length} bytes of content where ${asked.question.answerBytes} would answer`,
      `内容 ${frame.pdu.length} 字节，应答应有 ${asked.question.answerBytes} 字节`,
    ),
    echo: both('it confirms another address or value than was written', '确认的地址或值与写入的不同'),
    address: both('another device answers', '应答的是另一台设备'),
  }
  return wrapIn('does not answer the request: ', '不是对该请求的应答：', reasons[verdict.why])
}

function requestFields(request: Request): Readonly<Record<string, unknown>> {
  const { fc: _, ...fields } = request
  if ('registers' in fields) return { ...fields, registers: words(fields.registers) }
  return 'and' in fields ? { ...fields, and: mask(fields.and), or: mask(fields.or) } : fields
}

function replyFields(reply: Reply): Readonly<Record<string, unknown>> {
  if ('exception' in reply) return { exception: reply.exception, meaning: EXCEPTIONS[reply.exception] ?? UNKNOWN }
  if ('content' in reply) return { bytes: reply.content.length }
  if ('and' in reply) return { start: reply.start, and: mask(reply.and), or: mask(reply.or) }
  if ('objects' in reply) {
    const { category, conformity, more, next } = reply
    return { category, conformity, more, ...(more ? { next } : {}) }
  }
  const { fc: _, ...fields } = reply
  return fields
}

function replyReadings(reply: Reply, asked: Asked | null): SaidFrame['readings'] {
  if ('objects' in reply)
    return reply.objects.map(({ id, content }) => ({ key: objectName(id), value: objectText(content), unit: null }))
  if (!('content' in reply)) return []
  const request = asked !== null && 'count' in asked.request ? asked.request : null
  const bits = reply.fc <= 2
  const values = bits ? unpackBits(reply.content, request?.count ?? 8 * reply.content.length) : words(reply.content)
  const place = request === null ? (bits ? 'bit' : 'register') : TABLES[reply.fc]
  return values.map((value, at) => ({ key: `${place} ${(request?.start ?? 0) + at}`, value, unit: null }))
}

function mask(bits: number): string {
  return bits.toString(16).padStart(4, '0')
}

function words(content: Uint8Array): number[] {
  return Array.from({ length: content.length >> 1 }, (_, at) => word(content, 2 * at))
}
