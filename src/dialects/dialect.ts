/**
 * What a cloud's message shape is: topics and texts, pure functions of values. Connecting, compressing, draining and confirming
 * belong to `uplink/`; times and counters come in as arguments.
 */
import type { Batch, ClockReading, Lane } from '../model/journal.ts'

/** Who speaks: both are ids of the form `[a-z][a-z0-9_]{0,63}`. */
export type Address = { readonly tenant: string; readonly gateway: string }

/** `t` live telemetry, `b` backfill, `a` alarms, `e` events, `s` state and will, `h` heartbeat, `r` responses; down: `c` commands, `k` watermark. */
export type Topics = Readonly<Record<'t' | 'b' | 'a' | 'e' | 's' | 'h' | 'r' | 'c' | 'k', string>>

/** Facts of one connection, the same in state, will and heartbeat. */
export type Presence = {
  readonly gateway: string
  readonly boot: number
  /** The connection counter of this CONNECT. */
  readonly connection: number
}

export type OnlineFacts = Presence & {
  readonly time: ClockReading
  readonly cv: number
  /** Hash of the catalogue. */
  readonly sha: string
  /** Base 64 nonce of this boot: proves a command's freshness while the clock cannot. */
  readonly nonce: string
  readonly version: string
}

export type LaneFacts = {
  readonly epoch: string
  readonly hi: number
  readonly ack: number
  readonly lo: number
  readonly kept: number
}

export type HeartbeatFacts = Presence & {
  readonly time: ClockReading
  readonly lanes: Readonly<Record<Lane, LaneFacts>>
  readonly backlog: { readonly batches: number; readonly oldestAt: number | null }
  /** Share of one core, 0..1 and above; null: not measured. */
  readonly cpu: number | null
  /** Share of the data disk in use, 0..1; null: not measured. */
  readonly disk: number | null
}

/** The consumer has everything of this lane up to and with `upTo`. */
export type Watermark = { readonly epoch: string; readonly lane: Lane; readonly upTo: number }

export type Dialect = {
  readonly name: string
  /** MQTT 5 content type of batches, whatever their compression. */
  readonly contentType: string
  readonly topics: (address: Address) => Topics
  /** The message of a batch. The batch's content is canonical text and goes in untouched: its hash is the batch's identity. */
  readonly encode: (batch: Batch, gateway: string) => string
  readonly online: (facts: OnlineFacts) => string
  /** `will` is left with the broker at CONNECT, `stop` is said by ourselves. */
  readonly offline: (presence: Presence, why: 'will' | 'stop') => string
  readonly heartbeat: (facts: HeartbeatFacts) => string
  /** What came on topic `k`; null: not a watermark. */
  readonly watermark: (text: string) => Watermark | null
}
