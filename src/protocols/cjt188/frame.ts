/**
 * Frames of CJ/T 188: `68 T A0..A6 C L DATA CS 16` behind any number of FE wake-up bytes. Data travels as it is (no 33H added);
 * CS is the sum of all bytes from the 68 on. 68 may also stand in the address: length, sum and 16 say what a frame is.
 */
import { readPairs, writePairs } from '../../bytes/bcd.ts'
import { sum8 } from '../../bytes/checksum.ts'
import type { Text } from '../../model/point.ts'
import { both } from '../explained.ts'
import type { Split } from '../protocol.ts'

export const WAKE_UP = 0xfe
const START = 0x68
const END = 0x16
/** Start, type, address, control, length; behind the data checksum and end. */
const HEAD = 11
const TAIL = 2
export const DATA_MAX = 255
/** Meters were seen to send 13. A line that says nothing but FE is stuck. */
const WAKE_UP_MAX = 32
export const FRAME_MAX = WAKE_UP_MAX + HEAD + DATA_MAX + TAIL

export const ADDRESS_DIGITS = 14
/** Every meter answers to it: for one meter alone on its wire. */
export const ANY_ADDRESS = 'AAAAAAAAAAAAAA'
export const ANY_TYPE = 0xaa

/** `address`: 14 hexadecimal digits as printed; meters with letters in theirs were seen. */
export type Frame = {
  readonly wakeUp: number
  readonly type: number
  readonly address: string
  readonly control: number
  readonly data: Uint8Array
}

export function buildFrame({ wakeUp, type, address, control, data }: Frame): Uint8Array {
  const frame = new Uint8Array(wakeUp + HEAD + data.length + TAIL)
  frame.fill(WAKE_UP, 0, wakeUp)
  frame.set([START, type], wakeUp)
  frame.set(writePairs(address), wakeUp + 2)
  frame.set([control, data.length], wakeUp + 9)
  frame.set(data, wakeUp + HEAD)
  frame[frame.length - 2] = sum8(frame, wakeUp, frame.length - TAIL)
  frame[frame.length - 1] = END
  return frame
}

/** What a frame that `splitFrame` found says; null: these bytes are no frame. */
export function parseFrame(bytes: Uint8Array): Frame | null {
  const split = splitFrame(bytes)
  if (split.kind !== 'frame' || split.used !== bytes.length) return null
  const wakeUp = wakeUpOf(bytes)
  return {
    wakeUp,
    type: bytes[wakeUp + 1] ?? 0,
    address: readPairs(bytes, wakeUp + 2, 7),
    control: bytes[wakeUp + 9] ?? 0,
    data: bytes.subarray(wakeUp + HEAD, bytes.length - TAIL),
  }
}

/** Wake-up bytes in front belong to the frame. */
export function splitFrame(received: Uint8Array): Split {
  const wakeUp = wakeUpOf(received)
  if (wakeUp > WAKE_UP_MAX) return { kind: 'junk', used: 1 }
  if (wakeUp === received.length) return { kind: 'more' }
  const junk: Split = { kind: 'junk', used: wakeUp + 1 }
  const have = received.length - wakeUp
  if (received[wakeUp] !== START || (have > 1 && !isType(received[wakeUp + 1] ?? 0))) return junk
  if (have < HEAD) return { kind: 'more' }
  const used = wakeUp + HEAD + (received[wakeUp + 10] ?? 0) + TAIL
  if (received.length < used) return { kind: 'more' }
  const sound = received[used - 1] === END && received[used - 2] === sum8(received, wakeUp, used - TAIL)
  return sound ? { kind: 'frame', frame: received.subarray(0, used), used } : junk
}

/** 10..19 water, 20..29 heat and cooling, 30..39 gas, 40..49 others; AA any. */
export function isType(type: number): boolean {
  return (type >= 0x10 && type <= 0x4f) || type === ANY_TYPE
}

/** Meters answer with another type of the same kind than was asked for (25 to a question for 20). */
export function sameKind(asked: number, answered: number): boolean {
  return asked === ANY_TYPE || asked >> 4 === answered >> 4
}

/** Why the bytes at the front are no frame, for people. */
export function flawOf(received: Uint8Array): Text {
  const bytes = received.subarray(wakeUpOf(received))
  if (bytes.length === 0) return both('only FE wake-up bytes, and no frame behind them', '只有 FE 唤醒字节，后面没有帧')
  if (bytes[0] !== START)
    return both(`a frame begins with 68, here is ${hex(bytes[0])}`, `帧以 68 开头，这里是 ${hex(bytes[0])}`)
  if (bytes.length > 1 && !isType(bytes[1] ?? 0)) {
    return bytes[7] === START
      ? OTHER_PROTOCOL
      : both(
          `byte 2 is ${hex(bytes[1])}: meter types are 10 to 4F, or AA for any`,
          `第 2 字节是 ${hex(bytes[1])}：表类型为 10 至 4F，AA 表示任意`,
        )
  }
  if (bytes.length < HEAD + TAIL)
    return both(
      `${bytes.length} bytes from 68 on are too few: an empty frame has 13`,
      `从 68 起只有 ${bytes.length} 字节，太短：空帧也有 13 字节`,
    )
  const length = bytes[10] ?? 0
  const end = HEAD + length
  if (bytes.length < end + TAIL) {
    return bytes[7] === START
      ? OTHER_PROTOCOL
      : both(
          `${length} bytes of data are announced, the frame is cut short: ${end + TAIL - bytes.length} more bytes are needed`,
          `应有 ${length} 字节数据，帧不完整：还差 ${end + TAIL - bytes.length} 字节`,
        )
  }
  if (bytes[end + 1] !== END) {
    return bytes[7] === START
      ? OTHER_PROTOCOL
      : both(`a frame ends with 16, here is ${hex(bytes[end + 1])}`, `帧以 16 结尾，这里是 ${hex(bytes[end + 1])}`)
  }
  return both(
    `the checksum is ${hex(bytes[end])}, it would be ${hex(sum8(bytes, 0, end))}`,
    `校验和是 ${hex(bytes[end])}，应为 ${hex(sum8(bytes, 0, end))}`,
  )
}

const OTHER_PROTOCOL = both(
  'a second 68 seven bytes behind the first: this looks like DL/T 645, an electricity meter',
  '第一个 68 之后第七字节又是 68：像是 DL/T 645（电能表）',
)

function wakeUpOf(bytes: Uint8Array): number {
  let count = 0
  while (count < bytes.length && bytes[count] === WAKE_UP) count += 1
  return count
}

function hex(byte: number | undefined): string {
  return (byte ?? 0).toString(16).padStart(2, '0').toUpperCase()
}
