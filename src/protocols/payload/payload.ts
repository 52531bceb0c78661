/**
 * What a codec for devices that publish is: which topics belong to a device, what a message on one of them says, and what to
 * publish so that a device does something. Pure. Every message becomes readings, an availability, or a refusal with a name that
 * somebody counts; none throws.
 */
import type { Point, Value } from '../../model/point.ts'
import type { Reading } from '../../model/sample.ts'

/** Bytes; larger payloads are refused unread. */
export const PAYLOAD_MAX = 256 * 1024
/** Nesting; deeper documents are refused before they are parsed. */
export const DEPTH_MAX = 32

export type Refusal =
  /** Nothing in it: a retained message removed, a device renamed. Never a value. */
  | 'empty'
  | 'too_large'
  | 'too_deep'
  | 'not_utf8'
  | 'not_json'
  | 'not_an_object'
  | 'unknown_state'
  /** None of the fields that the device's points name. */
  | 'no_point'
  /** An event that a broker kept from earlier: it has been told once. */
  | 'old_event'
  | 'unknown_topic'
  /** The same message once more, over another gateway or delivered again. */
  | 'duplicate'
  /** Bytes that the network server did not decode: give the device a codec there. */
  | 'no_object'
  /** The topic is shared, and the message is of another device than any of this site. */
  | 'other_device'
  /** Degrees Fahrenheit where the driver says °C: change the device's setting. */
  | 'wrong_unit'

export type PayloadOutcome =
  | {
      readonly kind: 'readings'
      readonly readings: readonly Reading[]
      /** Names of this message: another one that bears one of them is the same once more. */
      readonly once?: readonly string[]
    }
  /** `bridge`: the state of what carries the device's messages. */
  | { readonly kind: 'availability'; readonly of: 'device' | 'bridge'; readonly state: 'online' | 'offline' }
  | { readonly kind: 'refused'; readonly why: Refusal }

export type Message = {
  readonly topic: string
  readonly payload: Uint8Array
  /** A broker kept it from earlier: its values are of unknown age. */
  readonly retained: boolean
}

/** What to publish, never retained: a kept command would switch again whenever the device returns. */
export type Telling = { readonly topic: string; readonly payload: string }

export type PayloadCodec = {
  readonly name: string
  /** Exact topics (no wildcards) that concern a device with this topic in its link and these points. */
  readonly topics: (base: string, points: readonly Point[]) => readonly string[]
  /** `points` are the device's own. Only points whose fields are in the message get a reading. */
  readonly read: (base: string, message: Message, points: readonly Point[]) => PayloadOutcome
  /** What makes the device take this value, or a sentence that says why it cannot be told. */
  readonly write: (base: string, point: Point, value: Value) => Telling | string
}

export function refused(why: Refusal): PayloadOutcome {
  return { kind: 'refused', why }
}
