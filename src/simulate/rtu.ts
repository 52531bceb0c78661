/** Modbus slaves of a line, in RTU and in ASCII. */
import { crc16 } from '../bytes/checksum.ts'
import { buildReply, parseRequest, type Reply, type Request, requestLength, word } from '../protocols/modbus/pdu.ts'
import { ascii, bytesIn } from '../protocols/modbus/ascii.ts'
import { rtu } from '../protocols/modbus/framing.ts'
import type { Framing } from '../protocols/protocol.ts'
import type { SimulatedDevice } from './devices.ts'
import type { Misdeed } from './faults.ts'
import { deliver, type Line, type Send, type Speaker } from './line.ts'

const OVERHEAD = 3
/** Device identification. */
const SHORTEST = 4 + OVERHEAD
/** Of a function that nobody here knows: as most requests. */
const UNKNOWN_LENGTH = 5
const ILLEGAL_FUNCTION = 1
const NOBODY = 0

export const rtuSpeaker: Speaker = {
  cut: cutRequest,
  serve: (line, frame, send) => serve(line, { framing: rtu, frame, inner: frame.subarray(0, -2) }, send),
}

export const asciiSpeaker: Speaker = {
  cut(bytes) {
    const split = ascii.split(bytes)
    return split.kind === 'frame' ? split.used : null
  },
  serve(line, frame, send) {
    const inner = bytesIn(frame)?.subarray(0, -1)
    if (inner !== undefined) serve(line, { framing: ascii, frame, inner }, send)
  },
}

/** Length of the request at the beginning; null: none, or not all of it. */
function cutRequest(bytes: Uint8Array): number | null {
  // Whatever the function: the shortest request that every device must understand, or refuse, is as long as this.
  if (bytes.length < SHORTEST) return null
  const length = (requestLength(bytes, 1) ?? UNKNOWN_LENGTH) + OVERHEAD
  return bytes.length >= length && crc16(bytes, 0, length) === 0 ? length : null
}

/** The Modbus device of that unit. */
export function unitOn(line: Line, unit: number): SimulatedDevice | undefined {
  return modbusOn(line).find(({ device: { link } }) => link.kind === 'bus' && link.address === unit)
}

function modbusOn({ devices }: Line): readonly SimulatedDevice[] {
  return devices.filter(({ device: { link } }) => link.kind === 'bus' && link.protocol === 'modbus')
}

/** Unit and PDU, taken out of their envelope. */
type Opened = { readonly framing: Framing; readonly frame: Uint8Array; readonly inner: Uint8Array }

function serve(line: Line, { framing, frame, inner }: Opened, send: Send): void {
  const [address = 0, code = 0] = inner
  const request = parseRequest(inner.subarray(1))
  if (address === NOBODY) {
    // Broadcast: everybody obeys, nobody answers.
    for (const device of modbusOn(line))
      if (typeof request !== 'string' && speaksAscii(device) === (framing === ascii)) answer(device, request)
    return
  }
  const device = unitOn(line, address)
  if (device === undefined || device.paused || speaksAscii(device) !== (framing === ascii)) return
  const misdeed = line.faults.next(device.device.id)
  if (misdeed.silent) return
  const body = bodyOf(device, replyTo(device, request, misdeed, code))
  const reply = framing.frame(
    { address: misdeed.wrongUnit ? (address % 247) + 1 : address, body, writes: false, answerBytes: 0 },
    0,
  )
  deliver(line, { device, request: frame, reply, misdeed }, send)
}

function speaksAscii({ device: { link } }: SimulatedDevice): boolean {
  return link.kind === 'bus' && link.ascii === true
}

/** Some controllers count the bytes of what they read in 16 bits. */
function bodyOf({ device: { link } }: SimulatedDevice, reply: Reply): Uint8Array {
  const body = buildReply(reply)
  const isWide = link.kind === 'bus' && link.limits.wideCount === true && 'content' in reply && (body[0] ?? 0) > 2
  return isWide ? Uint8Array.of(body[0] ?? 0, 0, ...body.subarray(1)) : body
}

function replyTo(device: SimulatedDevice, request: Request | string, misdeed: Misdeed, code: number): Reply {
  if (misdeed.exception !== null) return { fc: code, exception: misdeed.exception }
  if (typeof request === 'string') return { fc: code & 0x7f, exception: ILLEGAL_FUNCTION }
  return answer(device, request)
}

/** What a sound device replies. */
export function answer(device: SimulatedDevice, request: Request): Reply {
  const { fc } = request
  switch (fc) {
    case 1:
    case 2:
      return bits(device, fc, request.start, request.count)
    case 3:
    case 4: {
      const content = device.readRegisters(fc === 3 ? 'holding' : 'input', request.start, request.count)
      return typeof content === 'number' ? { fc, exception: content } : { fc, content }
    }
    case 5:
      return refusal(fc, device.writeBit(request.start, request.on)) ?? request
    case 6: {
      const { register } = request
      return refusal(fc, device.writeRegisters(request.start, Uint8Array.of(register >> 8, register & 0xff))) ?? request
    }
    case 15:
      return (
        refusal(fc, writeBits(device, request.start, request.bits)) ?? {
          fc,
          start: request.start,
          count: request.bits.length,
        }
      )
    case 16:
      return (
        refusal(fc, device.writeRegisters(request.start, request.registers)) ?? {
          fc,
          start: request.start,
          count: request.registers.length / 2,
        }
      )
    case 22:
      return changed(device, request)
    case 23: {
      const refused = refusal(fc, device.writeRegisters(request.writeStart, request.registers))
      if (refused !== null) return refused
      const content = device.readRegisters('holding', request.start, request.count)
      return typeof content === 'number' ? { fc, exception: content } : { fc, content }
    }
    case 43:
      // As most devices in the field do.
      return { fc, exception: ILLEGAL_FUNCTION }
  }
}

function changed(device: SimulatedDevice, request: Request & { readonly fc: 22 }): Reply {
  const { fc, start, and, or } = request
  const content = device.readRegisters('holding', start, 1)
  if (typeof content === 'number') return { fc, exception: content }
  const register = (word(content, 0) & and) | (or & ~and)
  return refusal(fc, device.writeRegisters(start, Uint8Array.of(register >> 8, register & 0xff))) ?? request
}

function refusal(fc: number, exception: number | null): Reply | null {
  return exception === null ? null : { fc, exception }
}

function bits(device: SimulatedDevice, fc: 1 | 2, start: number, count: number): Reply {
  const content = new Uint8Array(Math.ceil(count / 8))
  for (let n = 0; n < count; n++) {
    const bit = device.readBit(fc === 1 ? 'coil' : 'discrete', start + n)
    if (typeof bit === 'number') return { fc, exception: bit }
    if (bit) content[n >> 3] = (content[n >> 3] ?? 0) | (1 << (n & 7))
  }
  return { fc, content }
}

function writeBits(device: SimulatedDevice, start: number, bits: readonly boolean[]): number | null {
  for (const [n, on] of bits.entries()) {
    const exception = device.writeBit(start + n, on)
    if (exception !== null) return exception
  }
  return null
}
