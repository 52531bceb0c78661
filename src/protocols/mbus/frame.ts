/**
 * Link frames of wired M-Bus (EN 13757-2): the single byte E5, short `10 C A CS 16`, long `68 L L 68 C A CI DATA CS 16`.
 * CS is the sum of the bytes from C to the end of the data.
 */
import { sum8 } from '../../bytes/checksum.ts'
import type { Text } from '../../model/point.ts'
import { both } from '../explained.ts'
import type { Split } from '../protocol.ts'

export const ACK = 0xe5
const SHORT = 0x10
const LONG = 0x68
const END = 0x16
const SHORT_BYTES = 5
/** 68 L L 68 in front, CS 16 behind. */
const LONG_OVERHEAD = 6
/** C, A and CI. */
const LONG_MIN = 3
export const FRAME_MAX = LONG_OVERHEAD + 255

/** Functions of C. The frame count bit (20H) tells a repeated question from the next one. */
export const SND_NKE = 0x40
export const SND_UD = 0x53
export const REQ_UD2 = 0x5b
export const FCB = 0x20
/** Bit 6: the master speaks. */
const FROM_MASTER = 0x40
/** RSP_UD with any of the bits that a slave may set beside it (more data allowed, alarm data waits). */
const RSP_UD = 0x08
const RSP_FLAGS = 0x30

/** Whoever was selected by its secondary address answers to it; and whoever is there. */
export const SELECTED = 253
export const EVERYBODY = 254
export const BROADCAST = 255
export const ADDRESS_MAX = 250

export type Frame =
  | { readonly is: 'ack' }
  | { readonly is: 'short'; readonly control: number; readonly address: number }
  | {
      readonly is: 'long'
      readonly control: number
      readonly address: number
      readonly ci: number
      readonly data: Uint8Array
    }

export function buildFrame(frame: Frame): Uint8Array {
  if (frame.is === 'ack') return Uint8Array.of(ACK)
  const { control, address } = frame
  if (frame.is === 'short') return Uint8Array.of(SHORT, control, address, (control + address) & 0xff, END)
  const length = LONG_MIN + frame.data.length
  const bytes = new Uint8Array(LONG_OVERHEAD + length)
  bytes.set([LONG, length, length, LONG, control, address, frame.ci])
  bytes.set(frame.data, 7)
  bytes[bytes.length - 2] = sum8(bytes, 4, bytes.length - 2)
  bytes[bytes.length - 1] = END
  return bytes
}

/** What a frame that `splitFrame` found says; null: these bytes are no frame. */
export function parseFrame(bytes: Uint8Array): Frame | null {
  const split = splitFrame(bytes)
  if (split.kind !== 'frame' || split.used !== bytes.length) return null
  if (bytes.length === 1) return { is: 'ack' }
  if (bytes[0] === SHORT) return { is: 'short', control: bytes[1] ?? 0, address: bytes[2] ?? 0 }
  const data = bytes.subarray(7, bytes.length - 2)
  return { is: 'long', control: bytes[4] ?? 0, address: bytes[5] ?? 0, ci: bytes[6] ?? 0, data }
}

export function splitFrame(received: Uint8Array): Split {
  const have = received.length
  switch (received[0]) {
    case undefined:
      return { kind: 'more' }
    case ACK:
      return { kind: 'frame', frame: received.subarray(0, 1), used: 1 }
    case SHORT:
      return have < SHORT_BYTES ? { kind: 'more' } : sound(received, 1, SHORT_BYTES)
    case LONG: {
      const [, length = LONG_MIN, again = length, start = LONG] = received
      if (length < LONG_MIN || again !== length || start !== LONG) return JUNK
      const used = LONG_OVERHEAD + length
      return have < 4 || have < used ? { kind: 'more' } : sound(received, 4, used)
    }
    default:
      return JUNK
  }
}

const JUNK: Split = { kind: 'junk', used: 1 }

/** The frame of `used` bytes at the front, if its sum over the bytes from `from` on is right. */
function sound(received: Uint8Array, from: number, used: number): Split {
  const right = received[used - 1] === END && received[used - 2] === sum8(received, from, used - 2)
  return right ? { kind: 'frame', frame: received.subarray(0, used), used } : JUNK
}

export function isFromMaster(control: number): boolean {
  return (control & FROM_MASTER) !== 0
}

export function isResponse(control: number): boolean {
  return (control & ~RSP_FLAGS) === RSP_UD
}

/** Why the bytes at the front are no frame, for people. */
export function flawOf(bytes: Uint8Array): Text {
  const [first = 0, length = 0, again, start] = bytes
  if (first === SHORT) {
    if (bytes.length < SHORT_BYTES)
      return both(
        `a short frame has 5 bytes, here are ${bytes.length}: ${SHORT_BYTES - bytes.length} more bytes are needed`,
        `短帧有 5 字节，这里只有 ${bytes.length} 字节：还差 ${SHORT_BYTES - bytes.length} 字节`,
      )
    if (bytes[4] !== END)
      return both(`a short frame ends with 16, here is ${hex(bytes[4])}`, `短帧以 16 结尾，这里是 ${hex(bytes[4])}`)
    return both(
      `the checksum is ${hex(bytes[3])}, it would be ${hex(sum8(bytes, 1, 3))}`,
      `校验和是 ${hex(bytes[3])}，应为 ${hex(sum8(bytes, 1, 3))}`,
    )
  }
  if (first !== LONG)
    return both(
      `a frame begins with 10, 68 or E5, here is ${hex(first)}`,
      `帧以 10、68 或 E5 开头，这里是 ${hex(first)}`,
    )
  if (bytes.length < 4)
    return both(
      `${bytes.length} bytes are too few: a long frame has 9 at least`,
      `只有 ${bytes.length} 字节，太短：长帧至少 9 字节`,
    )
  if (again !== length)
    return both(
      `the two length bytes differ: ${hex(length)} and ${hex(again)}`,
      `两个长度字节不一致：${hex(length)} 和 ${hex(again)}`,
    )
  if (start !== LONG)
    return both(`behind the lengths there must be 68, here is ${hex(start)}`, `长度之后应是 68，这里是 ${hex(start)}`)
  if (length < LONG_MIN)
    return both(`length ${length} is too small for C, A and CI`, `长度 ${length} 太小，容不下 C、A 和 CI`)
  const used = LONG_OVERHEAD + length
  if (bytes.length < used)
    return both(
      `the length makes ${used} bytes, here are ${bytes.length}: ${used - bytes.length} more bytes are needed`,
      `按长度应为 ${used} 字节，这里只有 ${bytes.length} 字节：还差 ${used - bytes.length} 字节`,
    )
  if (bytes[used - 1] !== END)
    return both(`a frame ends with 16, here is ${hex(bytes[used - 1])}`, `帧以 16 结尾，这里是 ${hex(bytes[used - 1])}`)
  return both(
    `the checksum is ${hex(bytes[used - 2])}, it would be ${hex(sum8(bytes, 4, used - 2))}`,
    `校验和是 ${hex(bytes[used - 2])}，应为 ${hex(sum8(bytes, 4, used - 2))}`,
  )
}

function hex(byte: number | undefined): string {
  return (byte ?? 0).toString(16).padStart(2, '0').toUpperCase()
}
