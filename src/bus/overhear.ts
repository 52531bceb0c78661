/**
 * What is said on a wire without our asking. Bytes that are no answer are searched for frames of every protocol of the wire; who
 * sends them is counted: `another master polls unit 7 every 2 s`. Nothing heard here is ever a value. Bounded in bytes and in names.
 */
import type { Framing, Overheard } from '../protocols/protocol.ts'

/** So long without a byte, and what comes next belongs to nothing before it. */
const GAP_MS = 200
/** Speakers that are told apart. Beyond that the one not heard for longest is forgotten. */
const SPEAKERS_MAX = 32
/** Another master has asked: it is left so long to get its answer; by what must not be lost, longer. */
const YIELD_MS = 150
const YIELD_WRITE_MS = 500
/** Whoever asked so often, and not more often than this, is expected at its usual time. A write stays clear of it by so much. */
const EXPECT_COUNT = 3
const EXPECT_EVERY_MIN_MS = 1000
const EXPECT_AHEAD_MS = 150
const EXPECT_LATE_MS = 50
/** After so many missed turns it is gone. */
const EXPECT_TURNS_MAX = 3
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

  /** A whole frame, of any protocol of the wire, begins here. */
  begins(bytes: Uint8Array): boolean {
    return this.#findAt(bytes, 0) !== null
  }

  #find(bytes: Uint8Array): Found | null {
    for (let from = 0; from < bytes.length; from++) {
      const found = this.#findAt(bytes, from)
      if (found !== null) return found
    }
    return null
  }

  #findAt(bytes: Uint8Array, from: number): Found | null {
    const part = bytes.subarray(from)
    for (const framing of this.#framings) {
      const split = framing.overhear === undefined ? framing.split(part) : framing.overhear(part)
      if (split.kind === 'frame') return { framing, frame: split.frame, from, used: split.used }
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

  /** Until when to wait so that a request that is expected now or in a moment is heard first; `now`: none is. */
  clearAt(now: number): number {
    let clear = now
    for (const { direction, count, everyMs, lastAt } of this.#speakers.values()) {
      if (direction !== 'request' || count < EXPECT_COUNT || everyMs === null || everyMs < EXPECT_EVERY_MIN_MS) continue
      const turns = Math.max(1, Math.ceil((now - EXPECT_LATE_MS - lastAt) / everyMs))
      const next = lastAt + turns * everyMs
      if (turns <= EXPECT_TURNS_MAX && next <= now + EXPECT_AHEAD_MS) clear = Math.max(clear, next + EXPECT_LATE_MS)
    }
    return clear
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
  /** What was asked last and is not answered yet. */
  #asked: { readonly address: string; readonly at: number } | null = null

  constructor(strangers: Strangers) {
    this.#strangers = strangers
  }

  /** A frame that nobody of us asked for. */
  note(framing: Framing, heard: Overheard | null, now: number): void {
    this.#strangers.note(framing, heard, now)
    this.#asked = heard?.direction === 'request' ? { address: heard.address, at: now } : null
  }

  /** When one of our requests may go out. A write that collides is lost, and is never repeated: it also waits for who is expected. */
  freeAt(writes: boolean, now: number): number {
    if (this.#asked !== null) {
      const until = this.#asked.at + (writes ? YIELD_WRITE_MS : YIELD_MS)
      if (until > now) return until
    }
    return writes ? this.#strangers.clearAt(now) : now
  }

  /** The answer to what it has just asked, although we may have asked the same before. */
  isTheirs(heard: Overheard | null, now: number): boolean {
    const asked = this.#asked
    return (
      asked !== null &&
      heard?.direction === 'reply' &&
      now < asked.at + YIELD_WRITE_MS &&
      heard.address === asked.address
    )
  }
}

export function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const whole = new Uint8Array(head.length + tail.length)
  whole.set(head)
  whole.set(tail, head.length)
  return whole
}
