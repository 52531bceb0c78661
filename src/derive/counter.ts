/**
 * What a counter gained between two readings. A counter only grows, so a value that is lower, or higher than it can have become,
 * is first only a candidate: the next reading says whether it was a blip (the old line goes on), a wrap, a reset to zero, or
 * another counter in its place. A gain is never negative and never a jump that nobody consumed.
 */
import type { ModbusEncoding, Point } from '../model/point.ts'

export type Counter = {
  readonly last: Reached
  /** An extraordinary value that waits for the next reading. */
  readonly candidate: Reached | null
  /** The fastest growth that was believed, per second, and in how many readings it grew at all (up to LEARNT). */
  readonly peak: number
  readonly grown: number
}

export type Reached = {
  readonly value: number
  /** Monotonic ms; null: read in an earlier boot. */
  readonly mono: number | null
  /** UTC ms; null: the clock was not trusted. */
  readonly utc: number | null
}

export type CounterLimits = {
  /** The value at which it starts again from zero; null: unknown. */
  readonly modulus: number | null
  /** Largest plausible growth in one second; null: unknown, then it is learnt. */
  readonly rateMax: number | null
}

export type CounterEvent = 'wrap' | 'reset' | 'replaced' | 'blip'

export type CounterStep = { readonly counter: Counter; readonly gain: number; readonly event: CounterEvent | null }

/** So many growing readings make a rate that can be compared with. */
const LEARNT = 3
/** Consumption comes in bursts: only what is this much faster than ever before is worth a second look. */
const BURST = 100

export function stepCounter(counter: Counter | null, now: Reached, limits: CounterLimits): CounterStep {
  if (counter === null) return { counter: { last: now, candidate: null, peak: 0, grown: 0 }, gain: 0, event: null }
  const { last, candidate } = counter
  if (isOrdinary(counter, last, now, limits)) {
    const gain = now.value - last.value
    return { counter: advance(counter, now, gain), gain, event: candidate === null ? null : 'blip' }
  }
  if (candidate === null || !confirms(counter, candidate, now, limits)) {
    return { counter: { ...counter, candidate: now }, gain: 0, event: null }
  }
  return now.value >= last.value
    ? acceptJump(counter, candidate, now, limits)
    : acceptFall(counter, candidate, now, limits)
}

/** Seconds between two readings, at least one; across a restart by UTC; Infinity where nobody knows. */
function elapsed(from: Reached, to: Reached): number {
  if (from.mono !== null && to.mono !== null) return Math.max(1, (to.mono - from.mono) / 1000)
  if (from.utc !== null && to.utc !== null) return Math.max(1, (to.utc - from.utc) / 1000)
  return Number.POSITIVE_INFINITY
}

/** The largest growth between two moments that needs no second look. */
function bound(counter: Counter, from: Reached, to: Reached, limits: CounterLimits): number {
  const seconds = elapsed(from, to)
  if (limits.rateMax !== null) return limits.rateMax * seconds
  if (counter.grown >= LEARNT) return BURST * counter.peak * seconds
  // Nothing learnt yet: doubling is extraordinary.
  return Math.abs(from.value)
}

function isOrdinary(counter: Counter, from: Reached, to: Reached, limits: CounterLimits): boolean {
  const gain = to.value - from.value
  return gain >= 0 && gain <= bound(counter, from, to, limits)
}

/** Goes on from the candidate, by less than the jump itself. */
function confirms(counter: Counter, candidate: Reached, now: Reached, limits: CounterLimits): boolean {
  const gain = now.value - candidate.value
  const jump = Math.abs(candidate.value - counter.last.value)
  return gain >= 0 && gain <= Math.max(jump, bound(counter, candidate, now, limits))
}

function advance(counter: Counter, now: Reached, gain: number): Counter {
  const grew = gain > 0 && Number.isFinite(elapsed(counter.last, now))
  return {
    last: now,
    candidate: null,
    peak: grew ? Math.max(counter.peak, gain / elapsed(counter.last, now)) : counter.peak,
    grown: grew ? Math.min(LEARNT, counter.grown + 1) : counter.grown,
  }
}

/** Higher than expected, twice. Faster than the driver's limit allows it is another counter; else a burst that was real. */
function acceptJump(counter: Counter, candidate: Reached, now: Reached, limits: CounterLimits): CounterStep {
  const impossible = limits.rateMax !== null && !isOrdinary(counter, counter.last, candidate, limits)
  if (impossible) return replace(counter, candidate, now, limits)
  const gain = now.value - counter.last.value
  return { counter: advance(counter, now, gain), gain, event: null }
}

/** Lower than before, twice. */
function acceptFall(counter: Counter, candidate: Reached, now: Reached, limits: CounterLimits): CounterStep {
  const known = limits.rateMax !== null || counter.grown >= LEARNT
  const most = known ? bound(counter, counter.last, now, limits) : 0
  const wrapped = gainOfWrap(counter.last.value, now.value, limits.modulus, known ? most : null)
  if (wrapped !== null) return restart(counter, now, wrapped, 'wrap')
  if (Number.isFinite(most) && now.value <= most) return restart(counter, now, now.value, 'reset')
  return replace(counter, candidate, now, limits)
}

/** Another counter: only what it gained before our eyes is its own, and only where that is believable. */
function replace(counter: Counter, candidate: Reached, now: Reached, limits: CounterLimits): CounterStep {
  const gain = isOrdinary(counter, candidate, now, limits) ? now.value - candidate.value : 0
  return restart(counter, now, gain, 'replaced')
}

function restart(counter: Counter, now: Reached, gain: number, event: CounterEvent): CounterStep {
  return { counter: { ...counter, last: now, candidate: null }, gain, event }
}

/**
 * The last value stood close below the modulus (the encoding's, or all nines of a decimal display) and the way through zero is
 * one that the counter can have gone: within `most`, or where nothing is known within a hundredth of the modulus.
 */
function gainOfWrap(last: number, value: number, modulus: number | null, most: number | null): number | null {
  const decimal = last >= 90 ? 10 ** Math.ceil(Math.log10(last)) : null
  for (const [wrap, near] of [
    [modulus, 0.9],
    [decimal, 0.99],
  ] as const) {
    if (wrap === null || last < wrap * near || last > wrap) continue
    const gain = wrap - last + value
    if (gain <= Math.min(most ?? wrap / 100, wrap / 10)) return gain
  }
  return null
}

const MODULI: Partial<Record<ModbusEncoding, number>> = {
  u16: 2 ** 16,
  u32: 2 ** 32,
  bcd16: 10 ** 4,
  bcd32: 10 ** 8,
}

/** What the point's encoding and its driver say of a counter. */
export function counterLimits(point: Point): CounterLimits {
  const { source, rateMax } = point
  if (source.from !== 'field' || source.place.protocol !== 'modbus') return { modulus: null, rateMax }
  const raw = MODULI[source.place.as]
  const { scale, offset } = source.treatment
  return { modulus: raw === undefined || offset !== 0 || scale <= 0 ? null : raw * scale, rateMax }
}
