/**
 * What serial servers and cellular modems say for themselves in a connection: a registration text when it opens, a heartbeat every
 * so often. It is no part of any frame: it is shed without spoiling the exchange under way, counted, and named, so that somebody
 * can switch it off. Bounded in length and in number.
 */

/** Shorter ones cannot be told from garbled bytes, longer ones are none of this kind. */
const LENGTH_MIN = 4
const LENGTH_MAX = 128
/** Texts that are told apart. Beyond that the one not heard for longest is forgotten. */
const TEXTS_MAX = 8

export type ServerText = {
  readonly text: string
  readonly count: number
  /** Monotonic ms. */
  readonly lastAt: number
}

export class Texts {
  readonly #heard = new Map<string, { count: number; lastAt: number }>()

  note(bytes: Uint8Array, now: number): void {
    const text = String.fromCharCode(...bytes).trim()
    const count = (this.#heard.get(text)?.count ?? 0) + 1
    // Set anew: the first one of the map is the one not heard for longest.
    this.#heard.delete(text)
    this.#heard.set(text, { count, lastAt: now })
    if (this.#heard.size > TEXTS_MAX)
      for (const oldest of [...this.#heard.keys()].slice(0, 1)) this.#heard.delete(oldest)
  }

  /** The one heard most often first. */
  list(): readonly ServerText[] {
    return [...this.#heard].map(([text, seen]) => ({ text, ...seen })).sort((a, b) => b.count - a.count)
  }
}

/**
 * Length of a text at the front of `input`, its line end included; 0: there is none. It ends with the input, with its line, or where
 * a frame begins: printable bytes that run into others are a garbled answer.
 */
export function textLength(input: Uint8Array, isFrame: (rest: Uint8Array) => boolean): number {
  let at = 0
  while (at < input.length && isPrintable(input[at])) {
    if (isFrame(input.subarray(at))) return at < LENGTH_MIN ? 0 : at
    if (++at > LENGTH_MAX) return 0
  }
  if (at < LENGTH_MIN) return 0
  if (at === input.length) return at
  const ends = at
  // Unit 10 is a line feed.
  while (isLineEnd(input[at]) && !isFrame(input.subarray(at))) at += 1
  return at > ends || isFrame(input.subarray(at)) ? at : 0
}

function isPrintable(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x20 && byte < 0x7f
}

function isLineEnd(byte: number | undefined): boolean {
  return byte === 0x0d || byte === 0x0a
}
