/**
 * What is said on a wire without our asking. Bytes that are no answer are searched for frames of every protocol of the wire; who
 * sends them is counted: `another master polls unit 7 every 2 s`. Nothing heard here is ever a value. Bounded in bytes and in names.
 */
import type { Framing, Overheard } from '../protocols/protocol.ts'

/** So long without a byte, and what comes next belongs to nothing before it. */
const GAP_MS = 200
/** Speakers that are told apart. Beyond that the one not heard for longest is forgotten. */
const SPEAKERS_MAX = 32
/** Another master has asked: it is left so long to get its answer. */
const YIELD_MS = 150
/** Weight of the newest interval between two frames of one speaker. */
const INTERVAL_WEIGHT = 0.2

const NOTHING = new Uint8Array(0)

type Found = { readonly framing: Framing; readonly frame: Uint8Array; readonly from: number; readonly used: number }

/** Finds frames in bytes that nobody asked for. */
export class Overhearer {
  readonly #framings: readonly Framing[]
  readonly #keepMax: number
  #buffer: Uint8Array = NOTHING
  #lastAt = Number.NEGATIVE_INFINITY

  constructor(framings: readonly Framing[]) {
    this.#framings = framings
    this.#keepMax = Math.max(0, ...framings.map(({ frameMax }) => frameMax))
  }

  /** Frames in the order in which they came; they are copies. */
  hear(bytes: Uint8Array, now: number): readonly { readonly framing: Framing; readonly frame: Uint8Array }[] {
    if (now - this.#lastAt > GAP_MS) this.#buffer = NOTHING
    this.#lastAt = now
    let rest = this.#buffer.length === 0 ? bytes : joined(this.#buffer, bytes)
    const frames: { framing: Framing; frame: Uint8Array }[] = []
    for (let found = this.#find(rest); found !== null; found = this.#find(rest)) {
      frames.push({ framing: found.framing, frame: found.frame.slice() })
      rest = rest.subarray(found.from + found.used)
    }
    // A frame's beginning is all that is worth keeping.
    this.#buffer = rest.slice(Math.max(0, rest.length - this.#keepMax))
    return frames
  }

  /** The line speaks differently from now on, or our own answer came in between. */
  forget(): void {
    this.#buffer = NOTHING
  }

  #find(bytes: Uint8Array): Found | null {
    for (let from = 0; from < bytes.length; from++) {
      const part = bytes.subarray(from)
      for (const framing of this.#framings) {
        const split = framing.overhear === undefined ? framing.split(part) : framing.overhear(part)
        if (split.kind === 'frame') return { framing, frame: split.frame, from, used: split.used }
      }
    }
    return null
  }
}

/** One speaker and what it says. */
export type Stranger = {
  readonly protocol: string
  readonly direction: 'request' | 'reply'
  /** The address in the frame: who is asked, or who answers. null: the frame does not tell. */
  readonly from: string | null
  readonly function: string | null
  readonly count: number
  /** Usual time between two such frames; null: heard once. */
  readonly everyMs: number | null
  /** Monotonic ms. */
  readonly lastAt: number
}

type Speaker = { -readonly [Key in keyof Stranger]: Stranger[Key] }

/** Who was heard, by protocol, address and function. */
export class Strangers {
  readonly #speakers = new Map<string, Speaker>()

  /** `heard` null: nothing can be said of the frame. */
  note(framing: Framing, heard: Overheard | null, now: number): void {
    const key = `${framing.name} ${heard?.direction ?? ''} ${heard?.address ?? ''} ${heard?.function ?? ''}`
    const known = this.#speakers.get(key)
    if (known === undefined) {
      if (this.#speakers.size >= SPEAKERS_MAX) this.#forgetOldest()
      this.#speakers.set(key, {
        protocol: framing.name,
        direction: heard?.direction ?? 'reply',
        from: heard?.address ?? null,
        function: heard?.function ?? null,
        count: 1,
        everyMs: null,
        lastAt: now,
      })
      return
    }
    const interval = now - known.lastAt
    known.everyMs = known.everyMs === null ? interval : known.everyMs + (interval - known.everyMs) * INTERVAL_WEIGHT
    known.count += 1
    known.lastAt = now
  }

  /** The one heard most often first. */
  list(): readonly Stranger[] {
    return [...this.#speakers.values()]
      .map((speaker) => ({ ...speaker, everyMs: speaker.everyMs === null ? null : Math.round(speaker.everyMs) }))
      .sort((a, b) => b.count - a.count)
  }

  #forgetOldest(): void {
    let oldest: string | null = null
    let at = Number.POSITIVE_INFINITY
    for (const [key, { lastAt }] of this.#speakers) {
      if (lastAt >= at) continue
      oldest = key
      at = lastAt
    }
    if (oldest !== null) this.#speakers.delete(oldest)
  }
}

/** Another master on the wire: it is let finish, and what it is answered is not ours. */
export class Others {
  readonly #strangers: Strangers
  #asked: string | null = null
  yieldUntil = 0

  constructor(strangers: Strangers) {
    this.#strangers = strangers
  }

  /** A frame that nobody of us asked for. */
  note(framing: Framing, heard: Overheard | null, now: number): void {
    this.#strangers.note(framing, heard, now)
    const asks = heard?.direction === 'request'
    this.#asked = asks ? heard.address : null
    this.yieldUntil = asks ? now + YIELD_MS : now
  }

  /** The answer to what it has just asked, although we may have asked the same before. */
  isTheirs(heard: Overheard | null, now: number): boolean {
    return heard?.direction === 'reply' && now < this.yieldUntil && heard.address === this.#asked
  }
}

export function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}
