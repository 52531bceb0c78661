/**
 * Which batch goes next: the window and the order of one uplink (uplink contract, section 4, steps 4 to 6, and section 10).
 * It does nothing itself: facts and times come in, decisions go out; `sender.ts` does the asking, sending and confirming.
 *
 * Four streams: lanes a and e, and lane t twice: young batches (`t`) and the backlog (`b`).
 * Promised: at most 16 on the way, of which 4 places only alarms may take; a before e before t before b, but a long backlog of a or e lets
 * live data through; nothing is queued here beyond a handful of prepared batches per stream.
 */
import type { Lane } from '../model/journal.ts'
import { createBucket, createRateMeter } from './meter.ts'
import { createStrikes } from './strikes.ts'
import type { UplinkTimings } from './timings.ts'
import { verdictOf } from './verdict.ts'

export type Stream = 'a' | 'e' | 't' | 'b'
/** In order of sending. */
export const STREAMS = ['a', 'e', 't', 'b'] as const satisfies readonly Stream[]
export const LANE_OF: Readonly<Record<Stream, Lane>> = { a: 'a', e: 'e', t: 't', b: 't' }

/** A batch in its wire form. */
export type Parcel = {
  readonly lane: Lane
  readonly number: number
  readonly samples: number
  readonly payload: Uint8Array
}
export type Dispatch = { readonly stream: Stream; readonly parcel: Parcel }

/** What the drain cannot know by itself, at one moment. */
export type DrainFacts = {
  /** Highest number cut, per lane. */
  readonly hi: Readonly<Record<Lane, number>>
  /** Lane t: numbers up to this one are old. */
  readonly oldUpTo: number
  /** Only lane a may be sent (budget used up, identity in doubt). */
  readonly alarmsOnly: boolean
  /** QoS 1 messages of others that are on their way (the state message). */
  readonly others: number
}

/** Please read unacknowledged batches above `after`; hand them to `offer` with the same ticket. */
export type Want = { readonly stream: Stream; readonly after: number; readonly ticket: number }

/** What an answer means: free it, send it again later, or set it aside for ever. */
export type Settlement = 'confirm' | 'again' | 'aside'

/** How a connection ended: `peer` closed it, or anything else. Only the former can be an answer to a batch. */
export type Ending = 'peer' | 'other'

const WINDOW = 16
const RESERVED = 4
/** Prepared batches per stream: enough to fill the window, little enough to be forgotten at any time. */
export const READY_MAX = 8
/** A live batch that waited so long goes before alarms and events, every fourth time. */
const PATIENCE_MS = 3_000
/** Live data in the last minute: the backlog takes at most this share of the measured line. */
const SHARE_WHILE_LIVE = 0.25
const LIVE_MS = 60_000

type Hold = { readonly since: number; readonly waitMs: number; readonly at: number }
type StreamState = {
  ready: Parcel[]
  /** Highest number handed out or prepared. */
  after: number
  /** The store had nothing more up to this number. */
  emptyTo: number
  askedAt: number | null
  /** Settled since the store was asked: what was read may be older than that. */
  readonly settled: Set<number>
  ticket: number
  hold: Hold | null
  headSince: number | null
}
type Flight = Dispatch & { readonly sentAt: number }

export type Drain = {
  /** A new connection: everything unacknowledged is sent again, in order of numbers. */
  readonly connected: (now: number, options: { receiveMax: number }) => void
  /** Returns the batch that has killed its fifth connection, if it did. */
  readonly lost: (ending: Ending) => { readonly lane: Lane; readonly number: number } | null
  readonly wants: (now: number, facts: DrainFacts) => readonly Want[]
  /** `hi`: what was the highest number when the store was asked. `passed`: up to this one, what is not among the parcels is not this stream's. */
  readonly offer: (
    want: Want,
    parcels: readonly Parcel[],
    now: number,
    facts: { hi: number; oldUpTo: number; passed?: number },
  ) => void
  /** The next one to be sent now; it is on its way from here on. */
  readonly next: (now: number, facts: DrainFacts) => Dispatch | null
  /** The broker answered with an MQTT reason code (3.1.1: 0). */
  readonly answered: (lane: Lane, number: number, code: number, now: number) => Settlement
  /** Setting aside is done (or failed, then it is sent again). */
  readonly asideDone: (lane: Lane, number: number) => void
  /** The oldest one on its way was sent before this moment and is not answered. */
  readonly isOverdue: (now: number) => boolean
  /** Since when batches come back undelivered; null: they do not. */
  readonly undeliveredSince: () => number | null
  readonly inFlight: () => number
  /** Measured, bytes per second. */
  readonly rate: () => number
}

export function createDrain(options: {
  timings: UplinkTimings
  backfill: { readonly bytesPerSecond: number; readonly delayMs: number }
  random?: () => number
}): Drain {
  const { timings, backfill } = options
  const random = options.random ?? Math.random
  const meter = createRateMeter()
  const bucket = createBucket()
  const strikes = createStrikes()
  const streams: Record<Stream, StreamState> = { a: fresh(), e: fresh(), t: fresh(), b: fresh() }
  /** In order of sending. */
  const flights = new Map<string, Flight>()
  const aside = new Set<string>()
  let window = WINDOW
  let backfillAt = Number.POSITIVE_INFINITY
  let slow: { readonly until: number; readonly waitMs: number } | null = null
  let liveSentAt = Number.NEGATIVE_INFINITY
  let sinceLive = 0

  /** It is to be sent again: this number, what is prepared (it may be lower), and all above come from the store once more, in order. */
  function rewind(stream: Stream, number: number): void {
    const state = streams[stream]
    if (state.after < number) return
    state.after = Math.min(number, state.ready[0]?.number ?? number) - 1
    state.ready = []
    state.emptyTo = Math.min(state.emptyTo, state.after)
    state.askedAt = null
    state.ticket += 1
  }

  function settle(lane: Lane, number: number): void {
    for (const stream of STREAMS) {
      if (LANE_OF[stream] === lane && streams[stream].askedAt !== null) streams[stream].settled.add(number)
    }
  }

  function hasUnsent(stream: 'a' | 't', facts: DrainFacts): boolean {
    const state = streams[stream]
    const from = stream === 't' ? Math.max(state.after, facts.oldUpTo) : state.after
    return state.ready.length > 0 || facts.hi[stream] > Math.max(from, state.emptyTo)
  }

  function backfillMayGo(now: number, facts: DrainFacts): boolean {
    return now >= backfillAt && !facts.alarmsOnly && !hasUnsent('a', facts) && !hasUnsent('t', facts)
  }

  /** Live batches that grew old while they waited are the backlog's now. */
  function dropAged(facts: DrainFacts): void {
    const { ready } = streams.t
    while (ready[0] !== undefined && ready[0].number <= facts.oldUpTo) ready.shift()
    if (ready.length === 0) streams.t.headSince = null
  }

  function countOf(test: (flight: Flight) => boolean): number {
    let count = 0
    for (const flight of flights.values()) if (test(flight)) count += 1
    return count
  }

  function bulkBytes(): number {
    let bytes = 0
    for (const flight of flights.values()) if (flight.stream !== 'a') bytes += flight.parcel.payload.byteLength
    return bytes
  }

  /** A place is free and the line is not ahead of its acknowledgements. Lane e is bounded in bytes as t and b are: it is bulk as well. */
  function fits(stream: Stream, parcel: Parcel, others: number): boolean {
    if (flights.size + others >= window) return false
    if (stream === 'a') return true
    const reserved = Math.min(RESERVED, Math.floor(window / 4))
    if (countOf((flight) => flight.stream !== 'a') + others >= window - reserved) return false
    const bytes = bulkBytes()
    return bytes === 0 || bytes + parcel.payload.byteLength <= meter.rate()
  }

  function mayGo(stream: Stream, parcel: Parcel, now: number, facts: DrainFacts): boolean {
    const { hold } = streams[stream]
    // Undelivered: the head alone, when its time has come.
    if (hold !== null && (now < hold.at || countOf((flight) => flight.stream === stream) > 0)) return false
    if (strikes.isSuspect(keyOf(parcel)) && flights.size > 0) return false
    if (stream === 'b' && !(backfillMayGo(now, facts) && bucket.isOpen())) return false
    return fits(stream, parcel, facts.others)
  }

  function order(now: number, facts: DrainFacts): readonly Stream[] {
    if (facts.alarmsOnly) return ['a']
    const { headSince, hold } = streams.t
    const starving = headSince !== null && hold === null && now - headSince >= PATIENCE_MS && sinceLive >= 3
    // Without lane e: small events would slip into every gap that is too small for the live batch.
    return starving ? ['t', 'a'] : STREAMS
  }

  /** A stream of higher rank is being read: its batches would be late by a moment only because the disk is. */
  function awaitsHigher(stream: Stream, now: number): boolean {
    const higher = STREAMS.slice(0, STREAMS.indexOf(stream))
    return higher.some((name) => {
      const { askedAt, ready, hold } = streams[name]
      return askedAt !== null && ready.length === 0 && hold === null && now - askedAt < 1000
    })
  }

  return {
    connected(now, { receiveMax }) {
      window = Math.max(1, Math.min(WINDOW, receiveMax))
      backfillAt = now + backfill.delayMs + random() * 2 * backfill.delayMs
      flights.clear()
      for (const stream of STREAMS) {
        const { hold, ticket } = streams[stream]
        streams[stream] = { ...fresh(), hold, ticket: ticket + 1 }
      }
    },

    lost(ending) {
      const [head] = flights.values()
      flights.clear()
      meter.lost()
      backfillAt = Number.POSITIVE_INFINITY
      if (ending !== 'peer' || head === undefined) return null
      const { lane, number } = head.parcel
      if (!strikes.strike(keyOf(head.parcel))) return null
      aside.add(keyOf(head.parcel))
      return { lane, number }
    },

    wants(now, facts) {
      if (slow !== null && now < slow.until) return []
      return STREAMS.flatMap((stream) => {
        const state = streams[stream]
        if (facts.alarmsOnly && stream !== 'a') return []
        if (state.askedAt !== null || state.ready.length > READY_MAX / 2) return []
        if (stream === 'b' && !backfillMayGo(now, facts)) return []
        const after = stream === 't' ? Math.max(state.after, facts.oldUpTo) : state.after
        const hi = stream === 'b' ? facts.oldUpTo : facts.hi[LANE_OF[stream]]
        if (hi <= Math.max(after, state.emptyTo)) return []
        state.askedAt = now
        state.settled.clear()
        return [{ stream, after, ticket: state.ticket }]
      })
    },

    offer(want, parcels, now, { hi, oldUpTo, passed = 0 }) {
      const state = streams[want.stream]
      if (state.ticket !== want.ticket) return
      state.askedAt = null
      if (parcels.length === 0 && passed === 0) state.emptyTo = Math.max(state.emptyTo, hi)
      state.after = Math.max(state.after, passed)
      for (const parcel of parcels) {
        if (want.stream === 'b' && parcel.number > oldUpTo) {
          state.emptyTo = Math.max(state.emptyTo, parcel.number - 1)
          break
        }
        state.after = Math.max(state.after, parcel.number)
        if (want.stream === 't' && parcel.number <= oldUpTo) continue
        if (flights.has(keyOf(parcel)) || aside.has(keyOf(parcel)) || state.settled.has(parcel.number)) continue
        state.ready.push(parcel)
      }
      if (state.ready.length > 0) state.headSince ??= now
    },

    next(now, facts) {
      if (slow !== null && now < slow.until) return null
      const [first] = flights.values()
      if (first !== undefined && strikes.isSuspect(keyOf(first.parcel))) return null
      const live = now - liveSentAt < LIVE_MS
      bucket.refill(
        now,
        live ? Math.min(backfill.bytesPerSecond, SHARE_WHILE_LIVE * meter.rate()) : backfill.bytesPerSecond,
      )
      dropAged(facts)
      for (const stream of order(now, facts)) {
        const state = streams[stream]
        const [parcel] = state.ready
        if (parcel === undefined || !mayGo(stream, parcel, now, facts)) continue
        if (awaitsHigher(stream, now)) return null
        state.ready.shift()
        if (state.ready.length === 0) state.headSince = null
        flights.set(keyOf(parcel), { stream, parcel, sentAt: now })
        meter.busy(now)
        if (stream === 'b') bucket.take(parcel.payload.byteLength)
        else liveSentAt = now
        sinceLive = stream === 't' ? 0 : sinceLive + 1
        return { stream, parcel }
      }
      return null
    },

    answered(lane, number, code, now) {
      const key = `${lane}${number}`
      const flight = flights.get(key)
      if (flight === undefined) return 'again'
      flights.delete(key)
      const { stream, parcel } = flight
      meter.acked(now, parcel.payload.byteLength, { idleNow: flights.size === 0 })
      const verdict = verdictOf(code)
      if (verdict === 'delivered') {
        settle(lane, number)
        strikes.forget(key)
        streams[stream].hold = null
        slow = null
        return 'confirm'
      }
      if (verdict === 'refused' || (verdict === 'unclear' && strikes.strike(key))) {
        settle(lane, number)
        aside.add(key)
        return 'aside'
      }
      if (verdict === 'undelivered') streams[stream].hold = longer(streams[stream].hold, now, timings)
      else {
        const waitMs = slow === null ? timings.slowMs : Math.min(timings.slowMaxMs, slow.waitMs * 2)
        // Several answers of one burst are one complaint.
        if (slow === null || now >= slow.until) slow = { until: now + waitMs, waitMs }
      }
      rewind(stream, number)
      if (stream === 't') rewind('b', number)
      return 'again'
    },

    asideDone(lane, number) {
      const key = `${lane}${number}`
      aside.delete(key)
      strikes.forget(key)
    },

    isOverdue(now) {
      const [oldest] = flights.values()
      return oldest !== undefined && now - oldest.sentAt >= timings.ackMs
    },

    undeliveredSince() {
      const since = STREAMS.flatMap((stream) => streams[stream].hold?.since ?? [])
      return since.length === 0 ? null : Math.min(...since)
    },

    inFlight: () => flights.size,
    rate: () => meter.rate(),
  }
}

function fresh(): StreamState {
  return { ready: [], after: 0, emptyTo: 0, askedAt: null, settled: new Set(), ticket: 0, hold: null, headSince: null }
}

function keyOf(parcel: Parcel): string {
  return `${parcel.lane}${parcel.number}`
}

/** The answers of one burst, sent before the first of them came, double nothing. */
function longer(hold: Hold | null, now: number, timings: UplinkTimings): Hold {
  if (hold === null) return { since: now, waitMs: timings.undeliveredMs, at: now + timings.undeliveredMs }
  if (now < hold.at) return hold
  const waitMs = Math.min(timings.undeliveredMaxMs, hold.waitMs * 2)
  return { since: hold.since, waitMs, at: now + waitMs }
}
