/** What is durable: lanes, items, batches. Numbers and identity by uplink contract, section 2. */

export type Lane = 't' | 'a' | 'e'

/** Time quality (uplink contract, section 5): 0 unknown, 1 synchronised, 2 holdover, 3 hardware clock only, 4 corrected afterwards. */
export type TimeQuality = 0 | 1 | 2 | 3 | 4

/** What the clock says at one moment. UTC of any `mono` of this boot is `mono + offsetMs`. */
export type ClockReading = {
  readonly mono: number
  readonly offsetMs: number
  readonly quality: TimeQuality
  /** Estimated error, where the kernel gives one. */
  readonly errorMs: number | null
}

/** One entry of lane a (a Transition) or of lane e (an Event), as plain JSON data. */
export type Item = { readonly lane: 'a' | 'e'; readonly body: Readonly<Record<string, unknown>> }

export type EventType =
  | 'meta'
  | 'config'
  | 'audit'
  | 'drop'
  | 'boot'
  | 'time'
  | 'link'
  | 'diag'
  | 'device'
  | 'point'
  | 'freeze'
  | 'swap'
  | 'health'
  | 'report'
  | 'software'

/** Body of an item of lane e. `i` is a device id or null. */
export type Event = {
  readonly id: string
  readonly ty: EventType
  readonly at: number
  readonly i: string | null
  readonly body: Readonly<Record<string, unknown>>
}

/** A numbered range that never changes. `content` is the canonical JSON text of `d` (lane t) or `x` (lanes a, e). */
export type Batch = {
  readonly lane: Lane
  readonly number: number
  /** First 16 hex digits of SHA-256 over `content`. */
  readonly id: string
  readonly epoch: string
  readonly boot: number
  /** UTC ms. */
  readonly t0: number
  readonly quality: TimeQuality
  readonly errorMs: number | null
  /** Monotonic ms of t0, given with time quality 0. */
  readonly mono: number | null
  readonly cv: number
  readonly count: number
  /** UTC ms of its newest entry by the same clock as t0; on this boot use `cutMono` for age. */
  readonly newestAt: number
  /** Monotonic ms at the cut when it was cut in this boot, else null: it is old. */
  readonly cutMono: number | null
  readonly content: string
}

/** Body of a `drop` event: uplink contract, section 6. */
export type Drop = {
  readonly ln: Lane
  readonly from: number | null
  readonly to: number | null
  readonly n: number
  readonly tFrom: number | null
  readonly tTo: number | null
  readonly why: 'retention' | 'thinned' | 'deadletter' | 'disk' | 'power' | 'overload'
}
