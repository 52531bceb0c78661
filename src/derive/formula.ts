/**
 * Computed points as steps: state and reading in, state and value out. What is durable of a state is plain JSON data. A formula
 * adds only what it saw: time and consumption that nobody watched are not made up.
 */
import { type Counter, type CounterEvent, type CounterLimits, type Reached, stepCounter } from './counter.ts'

export type Period = 'hour' | 'day' | 'month'

/** UTC ms at which the period began in which `utc` lies, in the site's time zone. */
export type PeriodStart = (utc: number, over: Period) => number

export type Increase = {
  /** UTC ms of its begin; null: no trusted time yet, gains are collected all the same. */
  readonly period: number | null
  readonly gain: number
  readonly counter: Counter
  /** The last reading before the period was so old that part of the gain belongs to the period before. */
  readonly partial: boolean
}

export type IncreaseStep = {
  readonly state: Increase
  readonly event: CounterEvent | null
  /** Another period began, or the counter did something other than grow: worth keeping at once. */
  readonly turned: boolean
}

/** A reading this close before a period's begin is its opening value. */
const OPENING_MS = 3_600_000

export function stepIncrease(
  state: Increase | null,
  now: Reached,
  limits: CounterLimits,
  startOf: (utc: number) => number,
): IncreaseStep {
  const counted = stepCounter(state?.counter ?? null, now, limits)
  const period = now.utc === null ? null : startOf(now.utc)
  if (state === null) {
    return { state: { period, gain: 0, counter: counted.counter, partial: false }, event: null, turned: true }
  }
  const begins = period !== null && state.period !== null && period > state.period
  // Without a period so far (no trusted time), or with one in the future (the clock was wrong), the gain goes on under the new name.
  const renamed = period !== null && (state.period === null || period < state.period)
  const opening = state.counter.last.utc
  const next: Increase = {
    period: begins || renamed ? period : state.period,
    gain: tidy((begins ? 0 : state.gain) + counted.gain),
    counter: counted.counter,
    partial: begins ? opening !== null && opening < period - OPENING_MS : state.partial,
  }
  return { state: next, event: counted.event, turned: begins || renamed || counted.event !== null }
}

/** Sums of decimal fractions: twelve digits are more than any meter has. */
function tidy(value: number): number {
  return Number(value.toPrecision(12))
}

export type Hours = {
  readonly ms: number
  /** When it was last seen true, in this boot; null: it was not true, or nobody knows. */
  readonly trueAt: number | null
}

/** `value` null: not known. Time counts from a reading that says true to the next, unless it came out as unknown. */
export function stepHours(state: Hours | null, value: boolean | null, mono: number): Hours {
  const { ms, trueAt } = state ?? { ms: 0, trueAt: null }
  if (value !== true) return { ms: ms + (value === false && trueAt !== null ? mono - trueAt : 0), trueAt: null }
  return { ms: ms + (trueAt === null ? 0 : Math.max(0, mono - trueAt)), trueAt: mono }
}

/** To a ten-thousandth of an hour. */
export function hoursOf(state: Hours): number {
  return Math.round(state.ms / 360) / 10_000
}

export type Count = {
  readonly times: number
  readonly last: boolean | null
}

/** Counts from false to true, also over a gap; the first reading ever is no change. */
export function stepCount(state: Count | null, value: boolean): Count {
  const { times, last } = state ?? { times: 0, last: null }
  return { times: times + (value && last === false ? 1 : 0), last: value }
}
