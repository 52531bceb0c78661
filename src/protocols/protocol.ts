/**
 * What a field protocol is: tables and pure functions. Timeouts, retries, resynchronisation and turn-taking are in `bus/`, once for all.
 * A protocol plans which reads serve which points, makes questions, frames them for a wire, splits what comes back, judges
 * whether a frame answers the question, and turns an answer into readings.
 */
import type { Fault } from '../model/fault.ts'
import type { Point, Value } from '../model/point.ts'
import type { Reading } from '../model/sample.ts'
import type { ModbusLimits } from '../model/site.ts'

/** Too short is not corrupt; junk costs one byte, so a true frame behind noise is still found. */
export type Split =
  | { readonly kind: 'more' }
  | { readonly kind: 'junk'; readonly used: number }
  | { readonly kind: 'frame'; readonly frame: Uint8Array; readonly used: number }

/** Points fetched by one request. `key` names the request (`holding 100+12`) in caches and for people. */
export type Block = {
  readonly key: string
  /** Indices into `Site.points`. */
  readonly points: readonly number[]
  readonly everyMs: number
  readonly table: 'coil' | 'discrete' | 'input' | 'holding'
  readonly start: number
  readonly count: number
}

/** A question to one device, before framing. */
export type Question = {
  readonly address: number
  /** Modbus: the PDU. */
  readonly body: Uint8Array
  readonly writes: boolean
  /** Length of the answer's body, for predictions. */
  readonly answerBytes: number
}

export type Verdict =
  /** Ours: the answer's body (Modbus: the PDU). */
  | { readonly kind: 'answer'; readonly body: Uint8Array }
  /** Ours, and the device says no. */
  | { readonly kind: 'fault'; readonly fault: Fault }
  /** A sound frame that answers something else: an earlier question (`echo`: an earlier write), another master's, another unit's. Waiting goes on. */
  | { readonly kind: 'other'; readonly why: 'transaction' | 'unit' | 'function' | 'length' | 'echo' }

/** One framing of one protocol: Modbus RTU, Modbus TCP. */
export type Framing = {
  readonly name: 'rtu' | 'tcp'
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
}

export type Protocol = {
  readonly name: string
  readonly framings: Readonly<Record<'rtu' | 'tcp', Framing>>
  /**
   * The fewest reads that the limits allow. Points with different `everyMs` are never in one block; a value's registers are never torn.
   * `refused` holds keys of merged blocks that the device rejected: they come apart (between their points) and stay apart.
   */
  readonly plan: (points: readonly Point[], limits: ModbusLimits, refused: ReadonlySet<string>) => readonly Block[]
  readonly ask: (block: Block, address: number) => Question
  readonly read: (block: Block, points: readonly Point[], body: Uint8Array) => readonly Reading[]
  /** How to write this value: the question, or why the value cannot be written (a sentence). */
  readonly write: (point: Point, value: Value, address: number) => Question | string
}
