/**
 * How values lie in registers. A register is 16 bits, high byte first on the wire, always; `order` says how the bytes of a
 * number of several registers lie (A is the most significant byte) and whether a text has its bytes swapped in pairs.
 */
import { shortestF32 } from '../../bytes/number.ts'
import type { ModbusEncoding, ModbusOrder } from '../../model/point.ts'

/** `view` holds the value's bytes in order ABCD. null: these bytes are no value. */
type Encoding = {
  readonly words: 1 | 2 | 4
  /** Width of a two's complement number, else 0. */
  readonly signedBits: 0 | 16 | 32 | 64
  readonly min: bigint | number
  readonly max: bigint | number
  readonly read: (view: DataView) => number | bigint | null
  /** `raw` is within min..max, and an integer where the encoding holds integers. */
  readonly write: (view: DataView, raw: number | bigint) => void
}

const F32_MAX = 3.4028234663852886e38

const ENCODINGS = {
  u16: { words: 1, signedBits: 0, min: 0n, max: 0xffffn, read: (v) => v.getUint16(0), write: writeU16 },
  s16: {
    words: 1,
    signedBits: 16,
    min: -0x8000n,
    max: 0x7fffn,
    read: (v) => v.getInt16(0),
    write: (v, raw) => v.setInt16(0, Number(raw)),
  },
  bits: { words: 1, signedBits: 0, min: 0n, max: 0xffffn, read: (v) => v.getUint16(0), write: writeU16 },
  bcd16: {
    words: 1,
    signedBits: 0,
    min: 0n,
    max: 9999n,
    read: (v) => readBcd(v.getUint16(0), 4),
    write: (v, raw) => v.setUint16(0, bcdOf(raw)),
  },
  u32: {
    words: 2,
    signedBits: 0,
    min: 0n,
    max: 0xffff_ffffn,
    read: (v) => v.getUint32(0),
    write: (v, raw) => v.setUint32(0, Number(raw)),
  },
  s32: {
    words: 2,
    signedBits: 32,
    min: -0x8000_0000n,
    max: 0x7fff_ffffn,
    read: (v) => v.getInt32(0),
    write: (v, raw) => v.setInt32(0, Number(raw)),
  },
  bcd32: {
    words: 2,
    signedBits: 0,
    min: 0n,
    max: 99_999_999n,
    read: (v) => readBcd(v.getUint32(0), 8),
    write: (v, raw) => v.setUint32(0, bcdOf(raw)),
  },
  f32: {
    words: 2,
    signedBits: 0,
    min: -F32_MAX,
    max: F32_MAX,
    read: (v) => finite(shortestF32(v.getFloat32(0))),
    write: (v, raw) => v.setFloat32(0, Number(raw)),
  },
  sm16: {
    words: 1,
    signedBits: 0,
    min: -0x7fffn,
    max: 0x7fffn,
    read: (v) => magnitude(v.getUint16(0), 0x8000),
    write: (v, raw) => v.setUint16(0, raw < 0 ? 0x8000 - Number(raw) : Number(raw)),
  },
  sm32: {
    words: 2,
    signedBits: 0,
    min: -0x7fff_ffffn,
    max: 0x7fff_ffffn,
    read: (v) => magnitude(v.getUint32(0), 0x8000_0000),
    write: (v, raw) => v.setUint32(0, raw < 0 ? 0x8000_0000 - Number(raw) : Number(raw)),
  },
  mod10k32: {
    words: 2,
    signedBits: 0,
    min: 0n,
    max: 99_999_999n,
    read: (v) => readMod10k(v, 2),
    write: (v, raw) => writeMod10k(v, 2, BigInt(raw)),
  },
  mod10k64: {
    words: 4,
    signedBits: 0,
    min: 0n,
    max: 9_999_999_999_999_999n,
    read: (v) => readMod10k(v, 4),
    write: (v, raw) => writeMod10k(v, 4, BigInt(raw)),
  },
  u64: {
    words: 4,
    signedBits: 0,
    min: 0n,
    max: 0xffff_ffff_ffff_ffffn,
    read: (v) => (v.getUint32(0) < 0x20_0000 ? v.getUint32(0) * 2 ** 32 + v.getUint32(4) : v.getBigUint64(0)),
    write: (v, raw) => v.setBigUint64(0, BigInt(raw)),
  },
  s64: {
    words: 4,
    signedBits: 64,
    min: -0x8000_0000_0000_0000n,
    max: 0x7fff_ffff_ffff_ffffn,
    read: (v) => narrow(v.getBigInt64(0)),
    write: (v, raw) => v.setBigInt64(0, BigInt(raw)),
  },
  f64: {
    words: 4,
    signedBits: 0,
    min: -Number.MAX_VALUE,
    max: Number.MAX_VALUE,
    read: (v) => finite(v.getFloat64(0)),
    write: (v, raw) => v.setFloat64(0, Number(raw)),
  },
} as const satisfies Partial<Record<ModbusEncoding, Encoding>>

export type NumberEncoding = keyof typeof ENCODINGS

export function isNumberEncoding(name: ModbusEncoding): name is NumberEncoding {
  return name in ENCODINGS
}

export function encodingOf(name: NumberEncoding): Encoding {
  return ENCODINGS[name]
}

/** Registers that a value takes; a coil or a discrete input takes one bit. */
export function wordsOf(name: ModbusEncoding, lengthBytes: number | null): number {
  if (name === 'string') return Math.max(1, Math.ceil((lengthBytes ?? 2) / 2))
  return isNumberEncoding(name) ? ENCODINGS[name].words : 1
}

/** Where byte i of ABCD… lies on the wire, for values of 2 and of 4 registers. */
const LAYOUT: Readonly<Record<ModbusOrder, { readonly 2: readonly number[]; readonly 4: readonly number[] }>> = {
  ABCD: { 2: [0, 1, 2, 3], 4: [0, 1, 2, 3, 4, 5, 6, 7] },
  CDAB: { 2: [2, 3, 0, 1], 4: [6, 7, 4, 5, 2, 3, 0, 1] },
  BADC: { 2: [1, 0, 3, 2], 4: [1, 0, 3, 2, 5, 4, 7, 6] },
  DCBA: { 2: [3, 2, 1, 0], 4: [7, 6, 5, 4, 3, 2, 1, 0] },
}
const SINGLE: readonly number[] = [0, 1]

export function layoutOf(order: ModbusOrder, words: 1 | 2 | 4): readonly number[] {
  return words === 1 ? SINGLE : LAYOUT[order][words]
}

// One decode at a time, and nothing of it outlives the call: the scratch saves an allocation per value.
const SCRATCH = new Uint8Array(8)
const VIEW = new DataView(SCRATCH.buffer)

/** The number at `at`, null where the bytes are none (NaN, infinity, a BCD digit above nine). */
export function readNumber(
  encoding: Encoding,
  layout: readonly number[],
  bytes: Uint8Array,
  at: number,
): number | bigint | null {
  for (let i = 0; i < layout.length; i++) SCRATCH[i] = bytes[at + (layout[i] ?? 0)] ?? 0
  return encoding.read(VIEW)
}

/** Bytes for the wire. */
export function writeNumber(name: NumberEncoding, order: ModbusOrder, raw: number | bigint): Uint8Array {
  const encoding = ENCODINGS[name]
  encoding.write(VIEW, raw)
  const bytes = new Uint8Array(2 * encoding.words)
  for (const [from, to] of layoutOf(order, encoding.words).entries()) bytes[to] = SCRATCH[from] ?? 0
  return bytes
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })
const GB18030 = new TextDecoder('gb18030', { fatal: true })

function swapsPairs(order: ModbusOrder): boolean {
  return order === 'BADC' || order === 'DCBA'
}

/** Text ends at its first 00; trailing spaces are padding. UTF-8, else GB 18030 (which holds GB 2312); null when it is neither. */
export function readText(bytes: Uint8Array, at: number, lengthBytes: number, order: ModbusOrder): string | null {
  const swap = swapsPairs(order) ? 1 : 0
  const text = new Uint8Array(lengthBytes)
  for (let i = 0; i < lengthBytes; i++) text[i] = bytes[at + (i ^ swap)] ?? 0
  const end = text.indexOf(0)
  const used = end < 0 ? text : text.subarray(0, end)
  return (decoded(UTF8, used) ?? decoded(GB18030, used))?.trimEnd() ?? null
}

/** Padded with 00. null when it is longer than the place. */
export function writeText(text: string, lengthBytes: number, order: ModbusOrder): Uint8Array | null {
  const encoded = new TextEncoder().encode(text)
  if (encoded.length > lengthBytes) return null
  const swap = swapsPairs(order) ? 1 : 0
  const bytes = new Uint8Array(2 * Math.ceil(lengthBytes / 2))
  for (const [i, byte] of encoded.entries()) bytes[i ^ swap] = byte
  return bytes
}

function decoded(decoder: { decode: (bytes: Uint8Array) => string }, bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes)
  } catch (error) {
    // A fatal decoder has no other way to say no.
    if (error instanceof TypeError) return null
    throw error
  }
}

function writeU16(view: DataView, raw: number | bigint): void {
  view.setUint16(0, Number(raw))
}

function finite(number: number): number | null {
  return Number.isFinite(number) ? number : null
}

function narrow(integer: bigint): number | bigint {
  const number = Number(integer)
  return Number.isSafeInteger(number) ? number : integer
}

/** Minus zero is zero. */
function magnitude(bits: number, sign: number): number {
  return bits > sign ? sign - bits : bits === sign ? 0 : bits
}

const MOD = 10_000

function readMod10k(view: DataView, words: number): number | bigint | null {
  let value = 0n
  for (let word = 0; word < words; word++) {
    const group = view.getUint16(2 * word)
    if (group >= MOD) return null
    value = value * BigInt(MOD) + BigInt(group)
  }
  return narrow(value)
}

function writeMod10k(view: DataView, words: number, raw: bigint): void {
  let rest = raw
  for (let word = words - 1; word >= 0; word--) {
    view.setUint16(2 * word, Number(rest % BigInt(MOD)))
    rest /= BigInt(MOD)
  }
}

function readBcd(packed: number, digits: number): number | null {
  let value = 0
  for (let digit = digits - 1; digit >= 0; digit--) {
    const nibble = Math.floor(packed / 16 ** digit) % 16
    if (nibble > 9) return null
    value = 10 * value + nibble
  }
  return value
}

function bcdOf(raw: number | bigint): number {
  return Number.parseInt(raw.toString(), 16)
}
