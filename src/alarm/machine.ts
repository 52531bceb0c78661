/**
 * One alarm's phases over time. Pure: state in, state out; `now` is monotonic ms. An unknown input moves nothing, not even the
 * clock of a delay: a silent sensor must neither raise nor clear.
 */
import type { Truth } from './condition.ts'

export type AlarmState =
  | { readonly phase: 'normal' }
  /** True, but not for long enough. */
  | { readonly phase: 'pending'; readonly since: number; readonly unknownSince: number | null }
  | { readonly phase: 'raised' }
  /** Raised and no longer true, but not for long enough. */
  | { readonly phase: 'clearing'; readonly since: number; readonly unknownSince: number | null }
  /** No longer true; stays active until somebody has acknowledged it. */
  | { readonly phase: 'latched' }

export type Delays = {
  readonly onDelayMs: number
  readonly offDelayMs: number
  /** The rule latches and its alarm is not acknowledged. */
  readonly held: boolean
}

export const NORMAL: AlarmState = { phase: 'normal' }
export const RAISED: AlarmState = { phase: 'raised' }
const LATCHED: AlarmState = { phase: 'latched' }

export function isActive(state: AlarmState): boolean {
  return state.phase === 'raised' || state.phase === 'clearing' || state.phase === 'latched'
}

/** Returns the same object where nothing changes. */
export function step(state: AlarmState, truth: Truth, now: number, delays: Delays): AlarmState {
  switch (state.phase) {
    case 'normal':
      return truth !== 'yes' ? state : wait('pending', now, now, delays)
    case 'raised':
      return truth !== 'no' ? state : wait('clearing', now, now, delays)
    case 'pending':
      if (truth === 'no') return NORMAL
      return truth === 'unknown' ? hold(state, now) : wait('pending', resume(state, now), now, delays, state)
    case 'clearing':
      if (truth === 'yes') return RAISED
      return truth === 'unknown' ? hold(state, now) : wait('clearing', resume(state, now), now, delays, state)
    case 'latched':
      if (truth === 'yes') return RAISED
      return delays.held ? state : NORMAL
  }
}

/** When a delay ends if nothing else happens; null: nothing is waiting, or its clock stands still. */
export function dueAt(state: AlarmState, { onDelayMs, offDelayMs }: Omit<Delays, 'held'>): number | null {
  if (state.phase !== 'pending' && state.phase !== 'clearing') return null
  if (state.unknownSince !== null) return null
  return state.since + (state.phase === 'pending' ? onDelayMs : offDelayMs)
}

type Waiting = Extract<AlarmState, { since: number }>

function wait(
  phase: 'pending' | 'clearing',
  since: number,
  now: number,
  { onDelayMs, offDelayMs, held }: Delays,
  before?: Waiting,
): AlarmState {
  if (phase === 'pending' && now - since >= onDelayMs) return RAISED
  if (phase === 'clearing' && now - since >= offDelayMs) return held ? LATCHED : NORMAL
  const same = before !== undefined && before.since === since && before.unknownSince === null
  return same ? before : { phase, since, unknownSince: null }
}

function hold(state: Waiting, now: number): AlarmState {
  return state.unknownSince === null ? { ...state, unknownSince: now } : state
}

/** The begin of the delay, later by the time in which nothing was known. */
function resume(state: Waiting, now: number): number {
  return state.unknownSince === null ? state.since : state.since + (now - state.unknownSince)
}
