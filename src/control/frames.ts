/**
 * From the chunks of a wire to frames in words, with the values of the site's points: the same real decoder for what is live
 * (`trace`) and for a capture (`replay`). Time is in microseconds of the chunks; what is held is never more than a frame.
 */
import { printHex } from '../bytes/hex.ts'
import { causeText } from '../model/fault.ts'
import type { Text, Value } from '../model/point.ts'
import type { Language } from '../model/site.ts'
import { explain } from '../protocols/explain.ts'
import type { ExplainedFrame } from '../protocols/explained.ts'
import type { Question } from '../protocols/protocol.ts'
import { SecretEar } from './secrets.ts'
import type { Entry, WireBook } from './wirebook.ts'

/** `bytes` null: personal, and masked where it was captured; `count` says how many there were. */
export type Chunk = {
  readonly us: number
  readonly dir: 'in' | 'out'
  readonly bytes: Uint8Array | null
  readonly count: number
}

export type PointValue = {
  readonly point: string
  readonly value: Value | null
  readonly unit: string | null
  readonly cause: string | null
}

export type Decoded = {
  readonly us: number
  readonly dir: 'in' | 'out'
  /** null: masked. */
  readonly hex: string | null
  readonly count: number
  readonly frames: readonly ExplainedFrame[]
  readonly junk: string
  readonly why: string | null
  /** From the question's last byte handed over to this answer's last byte. */
  readonly tookUs: number | null
  readonly device: string | null
  readonly values: readonly PointValue[]
}

/** By the framing's name. */
const EXPLAINERS: Readonly<Record<string, string>> = {
  rtu: 'modbus-rtu',
  tcp: 'modbus-tcp',
  ascii: 'modbus-ascii',
  dlt645: 'dlt645',
  cjt188: 'cjt188',
  mbus: 'mbus',
}
/** Bytes that come so long after the last ones begin anew. */
const GAP_US = 300_000
const HELD_MAX = 1024

const HIDDEN: Text = { en: 'a meter’s password may be in it: it is not shown', zh: '其中可能有电表密码：不予显示' }

type Held = { readonly us: number; bytes: number[]; lastUs: number; isSecret: boolean }

type Whole = Chunk & { readonly bytes: Uint8Array; readonly lastUs?: number; readonly isSecret?: boolean }

export class FrameReader {
  readonly #book: WireBook | null
  readonly #names: readonly string[]
  #asked: { readonly us: number; readonly sent: Uint8Array } | null = null
  /** The question whose answer is awaited, and the parts that came. */
  #entry: { readonly entry: Entry; question: Question; bodies: Uint8Array[]; more: Question | null } | null = null
  #held: Held | null = null
  readonly #ear: SecretEar | null
  #heardSecret = false

  readonly #language: Language

  /** `framings`: names of what is spoken, where there is no site to tell; `language`: of what people read in the frames. */
  constructor(
    book: WireBook | null,
    { framings = [], language = 'en' }: { framings?: readonly string[]; language?: Language } = {},
  ) {
    this.#book = book
    this.#language = language
    const spoken = book === null ? framings : book.framings.map(({ name }) => name)
    this.#names = spoken.flatMap((name) => EXPLAINERS[name] ?? [])
    this.#ear = spoken.includes('dlt645') ? new SecretEar() : null
  }

  /** Was a part of a meter's password in the chunk that was pushed last? Its bytes are to be shown to nobody. */
  get heardSecret(): boolean {
    return this.#heardSecret
  }

  /** Is what comes in now to be shown to nobody? */
  get masks(): boolean {
    if (this.#book === null) return false
    return this.#entry === null ? this.#book.personal : this.#entry.entry.personal
  }

  /** What this chunk completes; what was held before and came to nothing is first. */
  push(chunk: Chunk): readonly Decoded[] {
    const { bytes, us } = chunk
    this.#heardSecret = chunk.dir === 'in' && bytes !== null && this.#ear?.hears(bytes) === true
    if (chunk.dir === 'out') {
      const before = this.flush()
      this.#ask(bytes ?? new Uint8Array(0), us)
      return [...before, this.#decode({ ...chunk, bytes: bytes ?? new Uint8Array(0) })]
    }
    if (bytes === null) return [...this.flush(), masked(chunk)]
    const before = this.#held !== null && us - this.#held.lastUs > GAP_US ? this.flush() : []
    this.#held ??= { us, bytes: [], lastUs: us, isSecret: false }
    this.#held.bytes.push(...bytes)
    this.#held.lastUs = us
    this.#held.isSecret ||= this.#heardSecret
    const whole = this.#decode(this.#chunkOf(this.#held))
    const isWhole = (whole.frames.length > 0 && whole.junk === '') || this.#held.bytes.length > HELD_MAX
    if (!isWhole) return before
    this.#held = null
    return [...before, whole]
  }

  /** What is held, as far as it can be understood. */
  flush(): readonly Decoded[] {
    const held = this.#held
    this.#held = null
    return held === null ? [] : [this.#decode(this.#chunkOf(held))]
  }

  #chunkOf({ bytes, ...held }: Held): Whole {
    return { ...held, dir: 'in', bytes: Uint8Array.from(bytes), count: bytes.length }
  }

  #ask(sent: Uint8Array, us: number): void {
    this.#asked = { us, sent }
    const open = this.#entry
    if (open !== null && open.more !== null && sameEnd(open.entry.framing.frame(open.more, 0), sent, open.entry)) {
      open.question = open.more
      open.more = null
      return
    }
    const entry = this.#book?.find(sent) ?? null
    this.#entry =
      entry === null ? null : { entry, question: entry.block.ask(entry.device.link.address), bodies: [], more: null }
  }

  #decode(chunk: Whole): Decoded {
    const { us, dir, bytes, count } = chunk
    const hex = printHex(bytes)
    const request = dir === 'in' && this.#asked !== null ? printHex(this.#asked.sent) : null
    const isSecret = chunk.isSecret ?? false
    const said = this.#explain(hex, request)
    const isWhole = said.junk === ''
    const isAnswer = dir === 'in' && this.#asked !== null && said.frames.length > 0
    return {
      us,
      dir,
      hex: isSecret ? null : hex,
      count,
      ...said,
      ...(isSecret && !isWhole ? { junk: '', why: HIDDEN[this.#language] } : {}),
      tookUs: isAnswer && this.#asked !== null ? (chunk.lastUs ?? us) - this.#asked.us : null,
      device: this.#entry?.entry.device.id ?? null,
      values: dir === 'in' && isWhole ? this.#valuesIn(bytes) : [],
    }
  }

  /** The reading that leaves least over. */
  #explain(hex: string, request: string | null): Pick<Decoded, 'frames' | 'junk' | 'why'> {
    let best: Pick<Decoded, 'frames' | 'junk' | 'why'> = { frames: [], junk: hex, why: null }
    for (const name of this.#names) {
      const said = explain(name, hex, request, { language: this.#language })
      if (typeof said === 'string') continue
      if (said.frames.length > 0 && said.junk === '') return said
      if (said.junk.length < best.junk.length || best.why === null) best = said
    }
    return best
  }

  /** Of the site's points, by the block that asked for them. */
  #valuesIn(bytes: Uint8Array): readonly PointValue[] {
    const open = this.#entry
    if (open === null || this.#book === null || this.#asked === null) return []
    const { framing, block } = open.entry
    const { sent } = this.#asked
    const transaction = ((sent[0] ?? 0) << 8) | (sent[1] ?? 0)
    const split = framing.split(bytes, open.question)
    if (split.kind !== 'frame') return []
    const verdict = framing.judge(split.frame, open.question, transaction)
    if (verdict.kind !== 'answer') return []
    open.bodies.push(verdict.body.slice())
    if (verdict.more !== undefined) {
      open.more = verdict.more
      return []
    }
    const { points } = this.#book
    const readings = block.read(points, open.bodies)
    this.#entry = null
    return readings.flatMap((reading): readonly PointValue[] => {
      const point = points[reading.point]
      if (point === undefined) return []
      const { id, unit } = point
      const said =
        'fault' in reading ? { value: null, cause: causeText(reading.fault) } : { value: reading.value, cause: null }
      return [{ point: id, unit, ...said }]
    })
  }
}

function masked({ us, dir, count }: Chunk): Decoded {
  return { us, dir, hex: null, count, frames: [], junk: '', why: null, tookUs: null, device: null, values: [] }
}

function sameEnd(a: Uint8Array, b: Uint8Array, { framing }: Entry): boolean {
  const from = framing.correlates ? 2 : 0
  return a.length === b.length && a.subarray(from).every((byte, at) => byte === b[from + at])
}
