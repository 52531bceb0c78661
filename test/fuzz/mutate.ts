/** Inputs that are nearly right: real ones with some of their bytes changed, lost, doubled, exchanged or cut off. Seeded. */

/** A whole number, 0 <= x < below. */
export type Roll = (below: number) => number

/** Mulberry32: the same seed, the same numbers. */
export function dice(seed: number): Roll {
  let state = seed >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** The dice of one input: any input can be made again without those before it. */
export function diceOf(seed: number, name: string, index: number): Roll {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193) >>> 0
  return dice((hash ^ Math.imul(index + 1, 0x9e3779b1)) >>> 0)
}

/** Longest input: several frames of any protocol. */
const BYTES_MAX = 1200
/** Start and end marks, counts at their limits, signs, digits that are none. */
const ODD = [0x00, 0xff, 0x7f, 0x80, 0x01, 0x0d, 0x0a, 0x16, 0x33, 0x3a, 0x68, 0x99, 0xaa, 0xfa, 0xfe, 0x9a]

export function pick<T>(roll: Roll, from: readonly T[]): T {
  const chosen = from[roll(from.length)]
  if (chosen === undefined) throw new RangeError('nothing to pick from')
  return chosen
}

export function randomBytes(roll: Roll, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = roll(256)
  return bytes
}

/** The input that is being made: its length changes at every step, its memory does not. */
const draft = { bytes: new Uint8Array(2 * BYTES_MAX), length: 0 }

/** The bytes are the caller's own. */
export function mutate(roll: Roll, seeds: readonly Uint8Array[]): Uint8Array {
  draft.length = 0
  insert(0, pick(roll, seeds))
  for (let n = roll(6); n > 0; n--) STEPS[roll(STEPS.length)]?.(roll, seeds)
  return draft.bytes.slice(0, Math.min(draft.length, BYTES_MAX))
}

const STEPS: readonly ((roll: Roll, seeds: readonly Uint8Array[]) => void)[] = [
  (roll) => change(roll, (byte) => byte ^ (1 << roll(8))),
  (roll) => change(roll, () => roll(256)),
  (roll) => change(roll, () => pick(roll, ODD)),
  (roll) => change(roll, (byte) => byte + (roll(2) === 0 ? 1 : 255)),
  (roll) => cut(roll(draft.length + 1), 1 + roll(8)),
  (roll) => insert(roll(draft.length + 1), randomBytes(roll, 1 + roll(8))),
  // A piece twice.
  (roll) => insert(roll(draft.length + 1), pieceOf(draft.bytes.subarray(0, draft.length), roll, 16)),
  (roll) => cut(roll(draft.length + 1), BYTES_MAX),
  (roll) => cut(0, roll(draft.length + 1)),
  // Another one behind it, or its tail on this one's head.
  (roll, seeds) => insert(draft.length, pick(roll, seeds)),
  (roll, seeds) => {
    cut(roll(draft.length + 1), BYTES_MAX)
    insert(draft.length, pieceOf(pick(roll, seeds), roll, BYTES_MAX))
  },
]

function change(roll: Roll, by: (byte: number) => number): void {
  if (draft.length === 0) return
  const at = roll(draft.length)
  draft.bytes[at] = by(draft.bytes[at] ?? 0)
}

function cut(from: number, count: number): void {
  const to = Math.min(draft.length, from + count)
  draft.bytes.copyWithin(from, to, draft.length)
  draft.length -= to - from
}

/** What does not fit is left out. */
function insert(at: number, bytes: Uint8Array): void {
  if (draft.length + bytes.length > draft.bytes.length) return
  const inserted = bytes.slice()
  draft.bytes.copyWithin(at + inserted.length, at, draft.length)
  draft.bytes.set(inserted, at)
  draft.length += inserted.length
}

function pieceOf(bytes: Uint8Array, roll: Roll, most: number): Uint8Array {
  const from = roll(bytes.length + 1)
  return bytes.subarray(from, from + 1 + roll(most))
}

/** What a hostile document has in place of a value. */
const HOSTILE = [
  '{"toString":null}',
  '{"valueOf":1,"toString":2}',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":1}}',
  '1e999',
  '-1e999',
  '-0',
  '1e-400',
  '9007199254740993',
  '123456789012345678901234567890',
  '"\\ud800"',
  '"NaN"',
  '""',
  'null',
  'true',
  '[]',
  '[[[[1]]]]',
  '{}',
]
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g

/** Text with one of its values, or names, exchanged for another. */
export function mutateText(roll: Roll, texts: readonly string[]): string {
  const text = pick(roll, texts)
  const tokens = [...text.matchAll(TOKEN)]
  const token = tokens[roll(tokens.length + 1)]
  if (token === undefined) return roll(4) === 0 ? pick(roll, HOSTILE) : text
  const [word] = token
  const by = roll(3) === 0 ? (tokens[roll(tokens.length)]?.[0] ?? '') : pick(roll, HOSTILE)
  return `${text.slice(0, token.index)}${by}${text.slice(token.index + word.length)}`
}
