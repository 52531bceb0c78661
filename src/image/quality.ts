/**
 * From reading to sample: is this value one to trust? What is impossible becomes bad, what is doubtful uncertain. Nothing here
 * invents a value. Cause words: uplink contract, section 5.
 */
import type { Doubt, Fault } from '../model/fault.ts'
import type { Point, PointType, Value } from '../model/point.ts'
import type { Reading, Sample } from '../model/sample.ts'

/**
 * What a point's values were so far: for rate and frozen, so it is kept only for points that have one of them. It belongs to whoever
 * keeps it and is written in place: one for every reading would be most of what the gateway throws away.
 */
export type Trace = {
  /** Some value has come. */
  begun: boolean
  /** The last value that came, and when. */
  value: Value
  mono: number
  /** Since when it has been the same, counting only time in which it was read. */
  sameSince: number
  /** The last value whose rate of change was believed, and when it came. */
  believed: Value
  believedMono: number
  /** The point was bad after the last value. */
  interrupted: boolean
}

/** null: nothing of the past of this point matters. */
export function traceOf(point: Pick<Point, 'rateMax' | 'frozenAfterMs'>): Trace | null {
  if (point.rateMax === null && point.frozenAfterMs === null) return null
  return { begun: false, value: 0, mono: 0, sameSince: 0, believed: 0, believedMono: 0, interrupted: false }
}

/** Longest text that travels (uplink contract, section 5), in UTF-16 units: a device's text is no place for more. */
const TEXT_MAX = 1024

/** `mono`: when it was read. `trace`: the point's own, with what came before; afterwards it knows of this reading, too. */
export function judge(reading: Reading, point: Point, mono: number, trace: Trace | null): Sample {
  const fault = 'fault' in reading ? reading.fault : impossible(reading.value, point)
  if (fault !== null || 'fault' in reading) {
    if (trace !== null) trace.interrupted = true
    return { point: point.index, mono, quality: 'bad', cause: fault ?? { kind: 'crc' } }
  }
  const { value } = reading
  if (trace === null) return sampleOf(point.index, mono, value, reading.doubt ?? null)
  const plausible = point.rateMax === null || !trace.begun || isPlausible(value, point.rateMax, mono, trace)
  follow(trace, value, mono, plausible)
  const doubt = reading.doubt ?? (plausible ? null : 'rate') ?? (isFrozen(point, trace) ? 'frozen' : null)
  return sampleOf(point.index, mono, value, doubt)
}

function sampleOf(point: number, mono: number, value: Value, doubt: Doubt | null): Sample {
  return doubt === null
    ? { point, mono, quality: 'good', value }
    : { point, mono, quality: 'uncertain', value, cause: doubt }
}

const FITS: Record<PointType, (value: Value) => boolean> = {
  f64: (value) => typeof value === 'number',
  u64: (value) => typeof value === 'number' || (typeof value === 'string' && /^\d{1,20}$/.test(value)),
  bool: (value) => typeof value === 'boolean',
  str: (value) => typeof value === 'string',
}

function impossible(value: Value, point: Point): Fault | null {
  // A published document may hold anything: what is not of the point's type could not be read.
  if (!FITS[point.type](value)) return { kind: 'crc' }
  if (typeof value === 'string') return value.length > TEXT_MAX ? { kind: 'out_of_range' } : null
  if (typeof value !== 'number') return null
  if (!Number.isFinite(value)) return { kind: 'sentinel' }
  if (point.range === null) return null
  const [low, high] = point.range
  return value < low || value > high ? { kind: 'out_of_range' } : null
}

/**
 * A jump is believed when the next reading agrees with it; a spike is over when a reading agrees with what was before. Polls
 * faster than a second are not held to a fraction of the change: noise has no rate.
 */
function isPlausible(value: Value, rateMax: number, mono: number, trace: Trace): boolean {
  if (typeof value === 'boolean') return true
  // Texts that are no numbers give NaN, which exceeds nothing.
  const within = (from: Value, since: number): boolean =>
    !(Math.abs(Number(value) - Number(from)) > rateMax * Math.max(1, (mono - since) / 1000))
  return within(trace.believed, trace.believedMono) || within(trace.value, trace.mono)
}

function follow(trace: Trace, value: Value, mono: number, plausible: boolean): void {
  if (!trace.begun || trace.value !== value) trace.sameSince = mono
  else if (trace.interrupted) trace.sameSince += mono - trace.mono
  if (!trace.begun || plausible) {
    trace.believed = value
    trace.believedMono = mono
  }
  trace.value = value
  trace.mono = mono
  trace.begun = true
  trace.interrupted = false
}

function isFrozen(point: Point, trace: Trace): boolean {
  return point.frozenAfterMs !== null && trace.mono - trace.sameSince >= point.frozenAfterMs
}
