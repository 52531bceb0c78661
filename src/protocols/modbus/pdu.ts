/**
 * Protocol data units (Modbus Application Protocol V1.1b3): function codes 1-6, 15, 16 and their exceptions.
 * `parse*` answers with a sentence when the bytes are no such unit; `build*` takes what is within the limits.
 */

export const BITS_MAX = 2000
export const REGISTERS_MAX = 125
export const WRITE_BITS_MAX = 1968
export const WRITE_REGISTERS_MAX = 123
export const PDU_MAX = 253

export type ReadFunction = 1 | 2 | 3 | 4
export type FunctionCode = ReadFunction | 5 | 6 | 15 | 16

export const FUNCTION_NAMES: Readonly<Record<FunctionCode, string>> = {
  1: 'read coils',
  2: 'read discrete inputs',
  3: 'read holding registers',
  4: 'read input registers',
  5: 'write single coil',
  6: 'write single register',
  15: 'write multiple coils',
  16: 'write multiple registers',
}

export function isFunctionCode(code: number): code is FunctionCode {
  return code in FUNCTION_NAMES
}

export type Request =
  | { readonly fc: ReadFunction; readonly start: number; readonly count: number }
  | { readonly fc: 5; readonly start: number; readonly on: boolean }
  | { readonly fc: 6; readonly start: number; readonly register: number }
  | { readonly fc: 15; readonly start: number; readonly bits: readonly boolean[] }
  | { readonly fc: 16; readonly start: number; readonly registers: Uint8Array }

export type Reply =
  /** Bits, least significant first, or registers, high byte first. */
  | { readonly fc: ReadFunction; readonly content: Uint8Array }
  | { readonly fc: 5; readonly start: number; readonly on: boolean }
  | { readonly fc: 6; readonly start: number; readonly register: number }
  | { readonly fc: 15 | 16; readonly start: number; readonly count: number }
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
    default:
      return five(request.fc, request.start, request.count)
  }
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
  if ('count' in reply) return five(reply.fc, reply.start, reply.count)
  return buildRequest(reply)
}

export function parseRequest(pdu: Uint8Array): Request | string {
  const fc = pdu[0] ?? 0
  if (!isFunctionCode(fc)) return `function code ${fc} is not one of 1-6, 15, 16`
  const start = word(pdu, 1)
  const second = word(pdu, 3)
  if (fc === 15 || fc === 16) return parseMany(pdu, fc, start, second)
  if (pdu.length !== 5) return `a request of function ${fc} has 5 bytes, these are ${pdu.length}`
  if (fc === 5) return coilWord(second) ?? { fc, start, on: second !== 0 }
  if (fc === 6) return { fc, start, register: second }
  const most = fc <= 2 ? BITS_MAX : REGISTERS_MAX
  if (second < 1 || second > most) return `count ${second} is not within 1..${most}`
  if (start + second > 0x10000) return `${start}+${second} passes address 65535`
  return { fc, start, count: second }
}

export function parseReply(pdu: Uint8Array): Reply | string {
  const code = pdu[0] ?? 0
  if (code & 0x80) {
    return pdu.length === 2
      ? { fc: code & 0x7f, exception: pdu[1] ?? 0 }
      : `an exception has 2 bytes, these are ${pdu.length}`
  }
  if (!isFunctionCode(code)) return `function code ${code} is not one of 1-6, 15, 16`
  if (code <= 4) return parseContent(pdu, code as ReadFunction)
  if (pdu.length !== 5) return `a reply of function ${code} has 5 bytes, these are ${pdu.length}`
  const start = word(pdu, 1)
  const second = word(pdu, 3)
  if (code === 5) return coilWord(second) ?? { fc: 5, start, on: second !== 0 }
  if (code === 6) return { fc: 6, start, register: second }
  return { fc: code as 15 | 16, start, count: second }
}

/** Length of a reply's PDU as far as its first bytes tell; null: they cannot begin one. */
export function replyLength(code: number, second: number): number | null {
  if (code & 0x80) return isFunctionCode(code & 0x7f) && second !== 0 ? 2 : null
  if (!isFunctionCode(code)) return null
  if (code > 4) return 5
  const plausible = code <= 2 ? second >= 1 && second <= BITS_MAX / 8 : second >= 2 && second % 2 === 0 && second <= 250
  return plausible ? 2 + second : null
}

function parseContent(pdu: Uint8Array, fc: ReadFunction): Reply | string {
  const bytes = pdu[1] ?? 0
  if (replyLength(fc, bytes) === null) return `a byte count of ${bytes} cannot be in a reply of function ${fc}`
  if (pdu.length !== 2 + bytes) return `${bytes} bytes are announced, ${pdu.length - 2} follow`
  return { fc, content: pdu.subarray(2) }
}

function parseMany(pdu: Uint8Array, fc: 15 | 16, start: number, count: number): Request | string {
  const most = fc === 15 ? WRITE_BITS_MAX : WRITE_REGISTERS_MAX
  if (count < 1 || count > most) return `count ${count} is not within 1..${most}`
  if (start + count > 0x10000) return `${start}+${count} passes address 65535`
  const bytes = fc === 15 ? Math.ceil(count / 8) : 2 * count
  if (pdu[5] !== bytes || pdu.length !== 6 + bytes)
    return `${count} values take ${bytes} bytes, these are ${pdu.length - 6}`
  const content = pdu.subarray(6)
  return fc === 15 ? { fc, start, bits: unpackBits(content, count) } : { fc, start, registers: content }
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

export function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
