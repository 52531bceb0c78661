/**
 * What a field protocol is: tables and pure functions. Timeouts, retries, resynchronisation and turn-taking are in `bus/`, once for all.
 * A protocol plans which reads serve which points, makes questions, frames them for a wire, splits what comes back, judges
 * whether a frame answers the question, and turns an answer into readings. Whoever owns a wire knows no protocol's terms:
 * a `Block` carries how to ask and how to read, a `Framing` what a frame is and how silent the line must be before one.
 */
import type { Fault } from '../model/fault.ts'
import type { Place, Point, PointKind, PointType, Text, Value } from '../model/point.ts'
import type { Reading } from '../model/sample.ts'
import type { Address, Limits, Line, ProtocolName } from '../model/site.ts'

export type { Address, ProtocolName }

/** Too short is not corrupt; junk costs one byte, so a true frame behind noise is still found. */
export type Split =
  | { readonly kind: 'more' }
  | { readonly kind: 'junk'; readonly used: number }
  | { readonly kind: 'frame'; readonly frame: Uint8Array; readonly used: number }

/** A question to one device, before framing. */
export type Question = {
  readonly address: Address
  /** Modbus: the PDU. DL/T 645: control code and data. */
  readonly body: Uint8Array
  readonly writes: boolean
  /** Length of the answer's body, for predictions. */
  readonly answerBytes: number
  /** Broadcast: nobody answers; the wire is left alone for the turnaround. */
  readonly unanswered?: boolean
  /**
   * What must be asked next, within the same turn, told by the answer's body; null: that was all. A framing passes it on as its
   * verdict's `more`.
   */
  readonly more?: (body: Uint8Array) => Question | null
  /** Asked instead, within the same turn, when the device does not know this request. A framing passes it on as `more`. */
  readonly otherwise?: Question
  /** The device frames its answers in a way of its own, which the framing knows by this name. */
  readonly dialect?: string
}

/**
 * What a refusal means to whoever asked. `unsupported`: never this request (asked again once in a long while). `part`: some of it; a
 * merged read comes apart. `busy`: after a pause. `accepted`: it is working on it, the outcome is open. `unreached`: a gateway
 * speaks, the device was not asked. `unheard`: a gateway speaks, the device did not answer.
 */
export type Refusal = 'unsupported' | 'part' | 'busy' | 'accepted' | 'unreached' | 'unheard'

export type Verdict =
  /**
   * Ours: the answer's body. `more` must be asked, within the same turn of the wire, before the answer is complete
   * (DL/T 645: follow-on frames; M-Bus: further telegrams).
   */
  | { readonly kind: 'answer'; readonly body: Uint8Array; readonly more?: Question }
  /** Ours, and the device says no. Without `means`: it is alive, and there is no value. */
  | { readonly kind: 'fault'; readonly fault: Fault; readonly means?: Refusal }
  /**
   * A sound frame that answers something else: an earlier question (`echo`: an earlier write), another master's, another unit's.
   * `address`: it answers exactly this question, but under another meter's address; `from` says whose. `short`: but for a part that
   * is missing it would be the answer. Waiting goes on.
   */
  | {
      readonly kind: 'other'
      readonly why: 'transaction' | 'unit' | 'function' | 'length' | 'echo' | 'address'
      readonly from?: string
      readonly short?: true
    }

/** A frame that nobody asked for, in words: whose it is and what it does. */
export type Overheard = {
  readonly direction: 'request' | 'reply'
  /** The address in it, as people write it. */
  readonly address: string
  /** `3 read holding registers` */
  readonly function: string
}

/** One framing of one protocol: Modbus RTU, Modbus TCP, DL/T 645. */
export type Framing = {
  /** 'rtu' 'tcp' 'ascii' 'dlt645' 'cjt188' 'mbus' */
  readonly name: string
  /** No frame is longer; a receive buffer that passes it without a frame is junk. */
  readonly frameMax: number
  /** Replies carry the request's transaction id, so a late one is recognised. */
  readonly correlates: boolean
  readonly frame: (question: Question, transaction: number) => Uint8Array
  /**
   * What lies at the front of `received`. Told what was asked, it also finds the true answer behind noise that looks like the
   * head of a longer frame; otherwise that answer would wait for the timeout.
   */
  readonly split: (received: Uint8Array, question?: Question) => Split
  readonly judge: (frame: Uint8Array, question: Question, transaction: number) => Verdict
  /** Length of a frame that answers with `answerBytes`. Left out: what is around a question is around its answer too. */
  readonly answerLength?: (question: Question) => number
  /** Silence before a request, ms. */
  readonly quietMs: (line: Line | null) => number
  /**
   * What lies at the front of `received` when nobody of us asked: requests of another master, too. Left out: `split` finds all frames.
   * Only frames that are certainly some (checksum and length) are found; the rest is junk.
   */
  readonly overhear?: (received: Uint8Array) => Split
  /** null: nothing can be said of it. */
  readonly describe?: (frame: Uint8Array) => Overheard | null
}

/** Points fetched by one request; carries how to ask and how to read. */
export type Block = {
  /** Names the request (`holding 100+12`) in caches and for people. */
  readonly key: string
  /** Indices into `Site.points`. */
  readonly points: readonly number[]
  readonly everyMs: number
  readonly ask: (address: Address) => Question
  /** What it asks depends on what earlier answers said: `ask` is called for every turn, not once. */
  readonly learns?: true
  /** What usually follows within the same turn, for predictions: questions, and the bytes of those with their answers. Left out: nothing. */
  readonly follows?: { readonly questions: number; readonly bytes: number }
  /**
   * `points` are those of the site (or any that hold the block's points), `bodies` those of the answer and of its follow-ons.
   * Bodies that cannot be this block's answer give faults, never values.
   */
  readonly read: (points: readonly Point[], bodies: readonly Uint8Array[]) => readonly Reading[]
}

/** What a driver file says of where a point lies: its keys, as written. */
export type PlaceWords = {
  readonly at: string
  readonly as?: string
  readonly field?: string
  /** The driver's block of the protocol's own name: what all its points have in common. */
  readonly options?: Readonly<Record<string, number | boolean | string>>
}

/** A place, and what the protocol's own table says of it where it says so. Decimals of the standard are the codec's, not a scale. */
export type Placed = {
  readonly place: Place
  readonly type: PointType
  readonly kind?: PointKind
  readonly unit?: string
}

export type Protocol = {
  readonly name: ProtocolName
  /** From the site file: the address, or a sentence saying what is wrong with it. */
  readonly address: (written: number | string) => { readonly address: Address } | Text
  /** null: this protocol does not run on that wire. */
  readonly framing: (wire: 'modbus-tcp' | 'tcp' | 'serial', options?: { readonly ascii?: boolean }) => Framing | null
  /** Usual line setting where neither site nor driver says one. */
  readonly line: Line | null
  /**
   * The fewest reads that the limits allow. Points with different `everyMs` are never in one block; a value's registers are never torn.
   * `refused` holds keys of merged blocks that the device rejected: they come apart (between their points) and stay apart.
   */
  readonly plan: (points: readonly Point[], limits: Limits, refused: ReadonlySet<string>) => readonly Block[]
  /** How to write this value: the question, or why the value cannot be written (a sentence). */
  readonly write: (point: Point, value: Value, address: Address) => Question | string
  /** From a driver file: the place, or a sentence saying what is wrong with it. Left out: Modbus, whose keys are the driver schema's own. */
  readonly place?: (written: PlaceWords) => Placed | string
}
