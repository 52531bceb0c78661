import type { Doubt, Fault } from './fault.ts'
import type { Value } from './point.ts'

/** What a codec makes of bytes: a value or a fault. `point` is the index of the point in the site. */
export type Reading =
  | { readonly point: number; readonly value: Value; readonly doubt?: Doubt }
  | { readonly point: number; readonly fault: Fault }

/** A reading with time and judged quality. `mono` is monotonic milliseconds of this boot. A bad sample has no value to misuse. */
export type Sample =
  | { readonly point: number; readonly mono: number; readonly quality: 'good'; readonly value: Value }
  | {
      readonly point: number
      readonly mono: number
      readonly quality: 'uncertain'
      readonly value: Value
      readonly cause: Doubt
    }
  | { readonly point: number; readonly mono: number; readonly quality: 'bad'; readonly cause: Fault }

export type Quality = Sample['quality']

/** A device against its own past: why it is degraded, the share of failed attempts, and how long its answers take and used to take. */
export type Trend = {
  readonly why: 'errors' | 'slow'
  readonly errorShare: number
  readonly responseMs: number
  readonly usualMs: number
}

export type DeviceState = 'online' | 'degraded' | 'offline' | 'maintenance'

/** What the field puts into the mailbox. */
export type Arrival =
  /** Readings of one exchange or one published message, taken at the same moment. */
  | {
      readonly kind: 'scan'
      readonly device: number
      readonly mono: number
      readonly readings: readonly Reading[]
      /** Present for a local QoS 1 publish: called once its samples are durable (or with the error). The PUBACK waits for it. */
      readonly settled?: (error: Error | null) => void
    }
  | {
      readonly kind: 'device'
      readonly device: number
      readonly mono: number
      readonly state: DeviceState
      readonly cause: Fault | null
      /** With state `degraded`. */
      readonly trend?: Trend
    }
  | {
      readonly kind: 'bus'
      readonly bus: number
      readonly mono: number
      readonly state: 'online' | 'offline'
      readonly cause: Fault | null
    }
