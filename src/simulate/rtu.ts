/**
 * The devices of one RS-485 line, as a slave on a byte stream: requests are cut out of what comes (noise costs a byte, as on a
 * real line), and replies can be late, torn, damaged or somebody else's.
 */
import { crc16 } from '../bytes/checksum.ts'
import {
  buildReply,
  PDU_MAX,
  parseRequest,
  type Reply,
  type Request,
  requestLength,
  word,
} from '../protocols/modbus/pdu.ts'
import { rtu } from '../protocols/modbus/framing.ts'
import type { SimulatedDevice } from './devices.ts'
import type { Faults, Misdeed } from './faults.ts'

const OVERHEAD = 3
const FRAME_MAX = PDU_MAX + OVERHEAD
/** Device identification. */
const SHORTEST = 4 + OVERHEAD
/** Of a function that nobody here knows: as most requests. */
const UNKNOWN_LENGTH = 5
const ILLEGAL_FUNCTION = 1
const NOBODY = 0

export type Later = (ms: number, job: () => void) => void

export type Slave = {
  readonly receive: (bytes: Uint8Array) => void
}

export type Line = {
  /** By address; undefined: nobody has it. */
  readonly device: (address: number) => SimulatedDevice | undefined
  readonly everyone: () => readonly SimulatedDevice[]
  readonly faults: Faults
  /** Timers of this line, ended with it. */
  readonly later: Later
}

export function createSlave(line: Line, send: (bytes: Uint8Array) => void): Slave {
  let received = new Uint8Array(0)
  return {
    receive(bytes) {
      received = joined(received, bytes)
      for (;;) {
        const cut = cutRequest(received)
        if (cut === 'more') break
        if (cut === 'junk') received = received.slice(1)
        else {
          serve(line, received.slice(0, cut), send)
          received = received.slice(cut)
        }
      }
      // A stream without any frame in it must not grow: the oldest bytes are noise by now.
      if (received.length > 2 * FRAME_MAX) received = received.slice(-FRAME_MAX)
    },
  }
}

/** Length of the request at the beginning. */
function cutRequest(bytes: Uint8Array): number | 'more' | 'junk' {
  // Whatever the function: the shortest request that every device must understand, or refuse, is as long as this.
  if (bytes.length < SHORTEST) return 'more'
  const length = (requestLength(bytes, 1) ?? UNKNOWN_LENGTH) + OVERHEAD
  if (bytes.length < length) return 'more'
  return crc16(bytes, 0, length) === 0 ? length : 'junk'
}

function serve(line: Line, frame: Uint8Array, send: (bytes: Uint8Array) => void): void {
  const address = frame[0] ?? 0
  const request = parseRequest(frame.subarray(1, frame.length - 2))
  if (address === NOBODY) {
    // Broadcast: everybody obeys, nobody answers.
    if (typeof request !== 'string') for (const device of line.everyone()) answer(device, request)
    return
  }
  const device = line.device(address)
  if (device === undefined || device.paused) return
  const misdeed = line.faults.next(device.device.id)
  if (misdeed.silent) return
  const body = buildReply(replyTo(device, request, misdeed, frame[1] ?? 0))
  const reply = rtu.frame(
    { address: misdeed.wrongUnit ? (address % 247) + 1 : address, body, writes: false, answerBytes: 0 },
    0,
  )
  deliver(misdeed.garbleAt === null ? reply : damaged(reply, misdeed.garbleAt), misdeed, line.later, send)
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

function damaged(frame: Uint8Array, at: number): Uint8Array {
  const bad = frame.slice()
  const index = Math.floor(at * bad.length)
  bad[index] = (bad[index] ?? 0) ^ 0x55
  return bad
}

function deliver(reply: Uint8Array, misdeed: Misdeed, later: Later, send: (bytes: Uint8Array) => void): void {
  const pause = misdeed.splitPauseMs
  const go = (): void => {
    if (pause === null) return send(reply)
    const half = Math.ceil(reply.length / 2)
    send(reply.subarray(0, half))
    later(pause, () => send(reply.subarray(half)))
  }
  if (misdeed.delayMs > 0) later(misdeed.delayMs, go)
  else go()
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
