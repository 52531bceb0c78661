/** Who the meter is and how it does: the header of an answer (12 bytes behind CI 72, 4 behind 7A, none behind 78). */
import { readPairs } from '../../bytes/bcd.ts'

export type Header = {
  /** Eight digits; makers were seen to use letters. null: a short header does not say. */
  readonly id: string | null
  /** Three letters. */
  readonly manufacturer: string | null
  readonly version: number | null
  readonly medium: number | null
  readonly access: number
  readonly status: number
  readonly signature: number
}

export const CI_VARIABLE = 0x72
export const CI_FIXED = 0x73
export const CI_NO_HEADER = 0x78
export const CI_SHORT_HEADER = 0x7a
export const CI_ERROR = 0x70

/** Bytes before the first record; undefined: not a structure that is read here (76, most significant byte first, is rare and unproven). */
export const HEADER_BYTES: Readonly<Record<number, number>> = {
  [CI_VARIABLE]: 12,
  [CI_NO_HEADER]: 0,
  [CI_SHORT_HEADER]: 4,
}

export const MEDIA: Readonly<Record<number, string>> = {
  0x00: 'other',
  0x02: 'electricity',
  0x03: 'gas',
  0x04: 'heat, outlet',
  0x06: 'hot water',
  0x07: 'water',
  0x0a: 'cooling',
  0x0b: 'cooling',
  0x0c: 'heat, inlet',
  0x0d: 'heat and cooling',
  0x0e: 'bus or system',
  0x15: 'hot water above 90 °C',
  0x16: 'cold water',
}

const STATUS: readonly (readonly [mask: number, text: string])[] = [
  [0x04, 'power low'],
  [0x08, 'permanent error'],
  [0x10, 'temporary error'],
]

/** What the status byte says, in words. Its two lowest bits are one number: 1 busy, 2 application error. */
export function statusWords(status: number): readonly string[] {
  const state = status & 3
  const first = state === 1 ? ['busy'] : state === 2 ? ['application error'] : []
  return [...first, ...STATUS.flatMap(([mask, text]) => ((status & mask) === 0 ? [] : [text]))]
}

/** null: none (78), or too short. */
export function readHeader(ci: number, data: Uint8Array): Header | null {
  const length = HEADER_BYTES[ci] ?? 0
  if (length === 0 || data.length < length) return null
  const tail = length - 4
  const state = {
    access: data[tail] ?? 0,
    status: data[tail + 1] ?? 0,
    signature: (data[tail + 2] ?? 0) | ((data[tail + 3] ?? 0) << 8),
  }
  if (ci === CI_SHORT_HEADER) return { id: null, manufacturer: null, version: null, medium: null, ...state }
  return {
    id: readPairs(data, 0, 4),
    manufacturer: manufacturerOf((data[4] ?? 0) | ((data[5] ?? 0) << 8)),
    version: data[6] ?? 0,
    medium: data[7] ?? 0,
    ...state,
  }
}

/** Three letters of five bits each, A is 1. */
function manufacturerOf(code: number): string {
  return String.fromCharCode(...[10, 5, 0].map((shift) => 0x40 + ((code >> shift) & 0x1f)))
}
