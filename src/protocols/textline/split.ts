/**
 * Bytes to lines. A line ends with the delimiter; what is too long is thrown away up to the next one, so that a wire without any
 * delimiter (wrong speed, wrong device) cannot fill the memory, and no tail of a long line is taken for a line.
 */
import type { LineForm } from '../../model/site.ts'

export type Cutting = {
  /** Bytes of a line that has not ended. */
  readonly held: Uint8Array
  /** In the middle of a line that is too long. */
  readonly skipping: boolean
}

export const NOTHING_HELD: Cutting = { held: new Uint8Array(0), skipping: false }

export type Cut = {
  readonly state: Cutting
  /** Without delimiters, in memory of their own. Empty lines are left out: they say nothing. */
  readonly lines: readonly Uint8Array[]
  /** How many lines were too long. */
  readonly tooLong: number
}

/** However the bytes are split into chunks, the lines are the same. `chunk` is copied. */
export function cutLines(before: Cutting, chunk: Uint8Array, form: Pick<LineForm, 'delimiter' | 'maxBytes'>): Cut {
  const delimiter = Uint8Array.from(form.delimiter, (sign) => sign.charCodeAt(0))
  const bytes = joined(before.held, chunk)
  const lines: Uint8Array[] = []
  let { skipping } = before
  let tooLong = 0
  let from = 0
  for (let end = find(bytes, delimiter, from); end >= 0; end = find(bytes, delimiter, from)) {
    const line = bytes.slice(from, end)
    from = end + delimiter.length
    if (!skipping && line.length > form.maxBytes) tooLong += 1
    else if (!skipping && line.length > 0) lines.push(line)
    skipping = false
  }
  let held = bytes.slice(from)
  // A delimiter of two signs may be cut in the middle: its first part is not yet part of the line.
  if (held.length > form.maxBytes + delimiter.length - 1) {
    if (!skipping) tooLong += 1
    skipping = true
    held = held.slice(held.length - delimiter.length + 1)
  }
  return { state: { held, skipping }, lines, tooLong }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length)
  bytes.set(a)
  bytes.set(b, a.length)
  return bytes
}

/** Where `wanted` begins at or after `from`; -1: nowhere. */
function find(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const [first = 0] = wanted
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1))
    if (wanted.every((byte, index) => bytes[at + index] === byte)) return at
  return -1
}
