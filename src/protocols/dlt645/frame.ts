/**
 * Frames of DL/T 645, both editions: `68 A0..A5 68 C L DATA CS 16` behind any number of FE wake-up bytes. Every byte of DATA
 * travels with 33H added; CS is the sum of all bytes from the first 68 on, as sent. A frame may begin anywhere in noise, so a
 * candidate that turns out false costs one byte and no more.
 */
import type { Text } from '../../model/point.ts'
import { both } from '../explained.ts'
import type { Split } from '../protocol.ts'
import { readPairs, writePairs } from '../../bytes/bcd.ts'

export const WAKE_UP = 0xfe
const START = 0x68
const END = 0x16
const SHIFT = 0x33
/** Start, address, start, control, length; behind the data checksum and end. */
const HEAD = 10
const TAIL = 2
export const DATA_MAX = 200
/** More FE than any meter sends (7 were seen): a stuck line, to be shed. */
const WAKE_UP_MAX = 32
export const FRAME_MAX = WAKE_UP_MAX + HEAD + DATA_MAX + TAIL
export const ADDRESS_DIGITS = 12

/** `address`: 12 digits, most significant first; A stands for a digit that a short address leaves out. `data` after subtracting 33H. */
export type Frame = {
  readonly wakeUp: number
  readonly address: string
  readonly control: number
  readonly data: Uint8Array
}

/** `address` has 12 hexadecimal digits; `data` at most 255 bytes (meters take 200). */
export function buildFrame({ wakeUp, address, control, data }: Frame): Uint8Array {
  const frame = new Uint8Array(wakeUp + HEAD + data.length + TAIL)
  frame.fill(WAKE_UP, 0, wakeUp)
  frame[wakeUp] = START
  frame.set(writePairs(address), wakeUp + 1)
  frame.set([START, control, data.length], wakeUp + 7)
  for (const [at, byte] of data.entries()) frame[wakeUp + HEAD + at] = (byte + SHIFT) & 0xff
  frame[frame.length - 2] = checksum(frame, wakeUp, frame.length - TAIL)
  frame[frame.length - 1] = END
  return frame
}

/** What a frame that `splitFrame` found says; null: these bytes are no frame. */
export function parseFrame(bytes: Uint8Array): Frame | null {
  const split = splitFrame(bytes)
  if (split.kind !== 'frame' || split.used !== bytes.length) return null
  const wakeUp = wakeUpOf(bytes)
  const length = bytes[wakeUp + 9] ?? 0
  const data = new Uint8Array(length)
  for (let at = 0; at < length; at++) data[at] = ((bytes[wakeUp + HEAD + at] ?? 0) - SHIFT) & 0xff
  return { wakeUp, address: readPairs(bytes, wakeUp + 1, 6), control: bytes[wakeUp + 8] ?? 0, data }
}

/** Wake-up bytes in front belong to the frame. */
export function splitFrame(received: Uint8Array): Split {
  const wakeUp = wakeUpOf(received)
  if (wakeUp > WAKE_UP_MAX) return { kind: 'junk', used: 1 }
  if (wakeUp === received.length) return { kind: 'more' }
  const junk: Split = { kind: 'junk', used: wakeUp + 1 }
  if (received[wakeUp] !== START) return junk
  const have = received.length - wakeUp
  if (!isAddress(received, wakeUp + 1)) return junk
  if (have > 7 && received[wakeUp + 7] !== START) return junk
  if (have < HEAD) return { kind: 'more' }
  const length = received[wakeUp + 9] ?? 0
  if (length > DATA_MAX) return junk
  const used = wakeUp + HEAD + length + TAIL
  if (received.length < used) return { kind: 'more' }
  const sound = received[used - 1] === END && received[used - 2] === checksum(received, wakeUp, used - TAIL)
  return sound ? { kind: 'frame', frame: received.subarray(0, used), used } : junk
}

/** Why the bytes at the front are no frame, for people. */
export function flawOf(received: Uint8Array): Text {
  const from = wakeUpOf(received)
  const bytes = received.subarray(from)
  if (bytes.length === 0) return both('only FE wake-up bytes, and no frame behind them', '只有 FE 唤醒字节，后面没有帧')
  if (bytes[0] !== START)
    return both(`a frame begins with 68, here is ${hex(bytes[0])}`, `帧以 68 开头，这里是 ${hex(bytes[0])}`)
  if (bytes.length < HEAD + TAIL)
    return both(
      `${bytes.length} bytes from 68 on are too few: an empty frame has 12`,
      `从 68 起只有 ${bytes.length} 字节，太短：空帧也有 12 字节`,
    )
  if (!isAddress(bytes, 1))
    return both(
      `the address ${hex(...bytes.subarray(1, 7))} has digits above nine`,
      `地址 ${hex(...bytes.subarray(1, 7))} 含有大于 9 的数字`,
    )
  if (bytes[7] !== START)
    return both(
      `behind the address there must be 68, here is ${hex(bytes[7])}`,
      `地址后面应是 68，这里是 ${hex(bytes[7])}`,
    )
  const length = bytes[9] ?? 0
  if (length > DATA_MAX)
    return both(
      `the length says ${length} bytes of data, at most ${DATA_MAX} are possible`,
      `长度字节为 ${length}，数据最多 ${DATA_MAX} 字节`,
    )
  const end = HEAD + length
  if (bytes.length < end + TAIL)
    return both(
      `${length} bytes of data are announced, the frame is cut short: ${end + TAIL - bytes.length} more bytes are needed`,
      `应有 ${length} 字节数据，帧不完整：还差 ${end + TAIL - bytes.length} 字节`,
    )
  const wanted = checksum(bytes, 0, end)
  if (bytes[end] !== wanted)
    return both(
      `the checksum is ${hex(bytes[end])}, it would be ${hex(wanted)}`,
      `校验和是 ${hex(bytes[end])}，应为 ${hex(wanted)}`,
    )
  return both(`a frame ends with 16, here is ${hex(bytes[end + 1])}`, `帧以 16 结尾，这里是 ${hex(bytes[end + 1])}`)
}

/** Digits, or A for any: a 68 in noise, with FE behind it, is told from a frame by its address. */
function isAddress(bytes: Uint8Array, from: number): boolean {
  for (let at = from; at < from + 6 && at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte >> 4 > 10 || (byte & 15) > 10) return false
  }
  return true
}

function wakeUpOf(bytes: Uint8Array): number {
  let count = 0
  while (count < bytes.length && bytes[count] === WAKE_UP) count += 1
  return count
}

function checksum(bytes: Uint8Array, from: number, end: number): number {
  let sum = 0
  for (let at = from; at < end; at++) sum += bytes[at] ?? 0
  return sum & 0xff
}

function hex(...bytes: readonly (number | undefined)[]): string {
  return bytes.map((byte) => (byte ?? 0).toString(16).padStart(2, '0').toUpperCase()).join(' ')
}
