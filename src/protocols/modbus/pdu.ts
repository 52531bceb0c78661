/**
 * Protocol data units (Modbus Application Protocol V1.1b3): function codes 1-6, 15, 16, 22, 23, 43 and their exceptions.
 * `parse*` answers with a sentence when the bytes are no such unit; `build*` takes what is within the limits.
 */
import {
  buildIdentityReply,
  buildIdentityRequest,
  type IdentityReply,
  type IdentityRequest,
  identityLength,
  MEI,
  parseIdentityReply,
  parseIdentityRequest,
} from './identity.ts'

export const BITS_MAX = 2000
export const REGISTERS_MAX = 125
export const WRITE_BITS_MAX = 1968
export const WRITE_REGISTERS_MAX = 123
/** Of function 23. */
export const WRITE_WHILE_READING_MAX = 121
export const PDU_MAX = 253

export type ReadFunction = 1 | 2 | 3 | 4
export type FunctionCode = ReadFunction | 5 | 6 | 15 | 16 | 22 | 23 | 43

export const FUNCTION_NAMES: Readonly<Record<FunctionCode, string>> = {
  1: 'read coils',
  2: 'read discrete inputs',
  3: 'read holding registers',
  4: 'read input registers',
  5: 'write single coil',
  6: 'write single register',
  15: 'write multiple coils',
  16: 'write multiple registers',
  22: 'mask write register',
  23: 'read/write multiple registers',
  43: 'read device identification',
}
/** For sentences. */
export const FUNCTIONS_KNOWN = '1-6, 15, 16, 22, 23, 43'

export function isFunctionCode(code: number): code is FunctionCode {
  return code in FUNCTION_NAMES
}

export type Request =
  | { readonly fc: ReadFunction; readonly start: number; readonly count: number }
  | { readonly fc: 5; readonly start: number; readonly on: boolean }
  | { readonly fc: 6; readonly start: number; readonly register: number }
  | { readonly fc: 15; readonly start: number; readonly bits: readonly boolean[] }
  | { readonly fc: 16; readonly start: number; readonly registers: Uint8Array }
  /** The register becomes (register and `and`) or (`or` and not `and`). */
  | { readonly fc: 22; readonly start: number; readonly and: number; readonly or: number }
  /** Writes first, then reads. */
  | {
      readonly fc: 23
      readonly start: number
      readonly count: number
      readonly writeStart: number
      readonly registers: Uint8Array
    }
  | IdentityRequest

export type Reply =
  /** Bits, least significant first, or registers, high byte first. */
  | { readonly fc: ReadFunction | 23; readonly content: Uint8Array }
  | { readonly fc: 5; readonly start: number; readonly on: boolean }
  | { readonly fc: 6; readonly start: number; readonly register: number }
  | { readonly fc: 15 | 16; readonly start: number; readonly count: number }
  | { readonly fc: 22; readonly start: number; readonly and: number; readonly or: number }
  | IdentityReply
  /** `fc` is the function that was asked. */
  | { readonly fc: number; readonly exception: number }

export function buildRequest(request: Request): Uint8Array {
  switch (request.fc) {
    case 5:
      return five(5, request.start, request.on ? 0xff00 : 0)
    case 6:
      return five(6, request.start, request.register)
    case 15:
      return many(15, request.start, request.bits.length, packBits(request.bits))
    case 16:
      return many(16, request.start, request.registers.length / 2, request.registers)
    case 22:
      return Uint8Array.of(...five(22, request.start, request.and), request.or >> 8, request.or & 0xff)
    case 23:
      return readWrite(request.start, request.count, request.writeStart, request.registers)
    case 43:
      return buildIdentityRequest(request)
    default:
      return five(request.fc, request.start, request.count)
  }
}

/** Function 5 with a value that the standard does not know: some boards take it for a time. */
export function buildCoilWord(start: number, value: number): Uint8Array {
  return five(5, start, value)
}

export function buildReply(reply: Reply): Uint8Array {
  if ('exception' in reply) return Uint8Array.of(reply.fc | 0x80, reply.exception)
  if ('content' in reply) {
    const pdu = new Uint8Array(2 + reply.content.length)
    pdu[0] = reply.fc
    pdu[1] = reply.content.length
    pdu.set(reply.content, 2)
    return pdu
  }
  if ('objects' in reply) return buildIdentityReply(reply)
  if ('count' in reply) return five(reply.fc, reply.start, reply.count)
  return buildRequest(reply)
}

export function parseRequest(pdu: Uint8Array): Request | string {
  const fc = pdu[0] ?? 0
  if (!isFunctionCode(fc)) return `function code ${fc} is not one of ${FUNCTIONS_KNOWN}`
  const start = word(pdu, 1)
  const second = word(pdu, 3)
  if (fc === 15 || fc === 16) return parseMany(pdu, fc, start, second)
  if (fc === 22) return parseMask(pdu)
  if (fc === 23) return parseReadWrite(pdu, start, second)
  if (fc === 43) return parseIdentityRequest(pdu)
  if (pdu.length !== 5) return `a request of function ${fc} has 5 bytes, these are ${pdu.length}`
  if (fc === 5) return coilWord(second) ?? { fc, start, on: second !== 0 }
  if (fc === 6) return { fc, start, register: second }
  return flawOf(start, second, fc <= 2 ? BITS_MAX : REGISTERS_MAX) ?? { fc, start, count: second }
}

export function parseReply(pdu: Uint8Array): Reply | string {
  const code = pdu[0] ?? 0
  if (code & 0x80) {
    return pdu.length === 2
      ? { fc: code & 0x7f, exception: pdu[1] ?? 0 }
      : `an exception has 2 bytes, these are ${pdu.length}`
  }
  if (!isFunctionCode(code)) return `function code ${code} is not one of ${FUNCTIONS_KNOWN}`
  if (code <= 4 || code === 23) return parseContent(pdu, code as ReadFunction | 23)
  if (code === 22) return parseMask(pdu)
  if (code === 43) return parseIdentityReply(pdu)
  if (pdu.length !== 5) return `a reply of function ${code} has 5 bytes, these are ${pdu.length}`
  const start = word(pdu, 1)
  const second = word(pdu, 3)
  if (code === 5) return coilWord(second) ?? { fc: 5, start, on: second !== 0 }
  if (code === 6) return { fc: 6, start, register: second }
  return { fc: code as 15 | 16, start, count: second }
}

/** Length of the reply's PDU that begins at `from`; of one that is not all there: at least so long. null: these bytes begin none. */
export function replyLength(bytes: Uint8Array, from: number): number | null {
  const code = bytes[from] ?? 0
  const second = bytes[from + 1]
  if (code & 0x80) return isFunctionCode(code & 0x7f) && second !== 0 ? 2 : null
  if (!isFunctionCode(code)) return null
  if (code === 43) return identityLength(bytes, from)
  if (code === 22) return 7
  if (code > 4 && code !== 23) return 5
  if (second === undefined) return 3
  return isContentLength(code, second) ? 2 + second : null
}

/** The same of a request. */
export function requestLength(bytes: Uint8Array, from: number): number | null {
  const code = bytes[from] ?? 0
  if (!isFunctionCode(code)) return null
  if (code === 15 || code === 16) return withContent(bytes, from, 6)
  if (code === 23) return withContent(bytes, from, 10)
  if (code === 22) return 7
  if (code === 43) return (bytes[from + 1] ?? MEI) === MEI ? 4 : null
  return 5
}

/** The last byte of the head counts what follows. */
function withContent(bytes: Uint8Array, from: number, head: number): number | null {
  const count = bytes[from + head - 1] ?? 1
  return count > 0 && head + count <= PDU_MAX ? head + count : null
}

/** Whether a reply with bits or registers can have so many bytes of them. */
export function isContentLength(code: number, bytes: number): boolean {
  return code <= 2 ? bytes >= 1 && bytes <= BITS_MAX / 8 : bytes >= 2 && bytes % 2 === 0 && bytes <= 250
}

function parseContent(pdu: Uint8Array, fc: ReadFunction | 23): Reply | string {
  const bytes = pdu[1] ?? 0
  if (!isContentLength(fc, bytes)) return `a byte count of ${bytes} cannot be in a reply of function ${fc}`
  if (pdu.length !== 2 + bytes) return `${bytes} bytes are announced, ${pdu.length - 2} follow`
  return { fc, content: pdu.subarray(2) }
}

function parseMany(pdu: Uint8Array, fc: 15 | 16, start: number, count: number): Request | string {
  const flaw = flawOf(start, count, fc === 15 ? WRITE_BITS_MAX : WRITE_REGISTERS_MAX)
  if (flaw !== null) return flaw
  const bytes = fc === 15 ? Math.ceil(count / 8) : 2 * count
  if (pdu[5] !== bytes || pdu.length !== 6 + bytes)
    return `${count} values take ${bytes} bytes, these are ${pdu.length - 6}`
  const content = pdu.subarray(6)
  return fc === 15 ? { fc, start, bits: unpackBits(content, count) } : { fc, start, registers: content }
}

function parseMask(pdu: Uint8Array): (Request & Reply & { readonly fc: 22 }) | string {
  if (pdu.length !== 7) return `function 22 has 7 bytes, these are ${pdu.length}`
  return { fc: 22, start: word(pdu, 1), and: word(pdu, 3), or: word(pdu, 5) }
}

function parseReadWrite(pdu: Uint8Array, start: number, count: number): Request | string {
  const writeStart = word(pdu, 5)
  const written = word(pdu, 7)
  const flaw = flawOf(start, count, REGISTERS_MAX) ?? flawOf(writeStart, written, WRITE_WHILE_READING_MAX)
  if (flaw !== null) return flaw
  if (pdu[9] !== 2 * written || pdu.length !== 10 + 2 * written)
    return `${written} values take ${2 * written} bytes, these are ${pdu.length - 10}`
  return { fc: 23, start, count, writeStart, registers: pdu.subarray(10) }
}

function flawOf(start: number, count: number, most: number): string | null {
  if (count < 1 || count > most) return `count ${count} is not within 1..${most}`
  return start + count > 0x10000 ? `${start}+${count} passes address 65535` : null
}

function coilWord(value: number): string | null {
  return value === 0xff00 || value === 0 ? null : `a coil is FF00 or 0000, not ${value.toString(16)}`
}

export function unpackBits(content: Uint8Array, count: number): boolean[] {
  return Array.from({ length: count }, (_, bit) => (((content[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1)
}

function packBits(bits: readonly boolean[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  for (const [bit, on] of bits.entries()) if (on) bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (1 << (bit & 7))
  return bytes
}

function five(fc: number, first: number, second: number): Uint8Array {
  return Uint8Array.of(fc, first >> 8, first & 0xff, second >> 8, second & 0xff)
}

function many(fc: number, start: number, count: number, content: Uint8Array): Uint8Array {
  const pdu = new Uint8Array(6 + content.length)
  pdu.set(five(fc, start, count))
  pdu[5] = content.length
  pdu.set(content, 6)
  return pdu
}

function readWrite(start: number, count: number, writeStart: number, registers: Uint8Array): Uint8Array {
  const pdu = new Uint8Array(10 + registers.length)
  pdu.set(five(23, start, count))
  // What is written follows in the form of function 16, without its code.
  pdu.set(many(16, writeStart, registers.length / 2, registers).subarray(1), 5)
  return pdu
}

export function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
