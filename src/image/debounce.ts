/**
 * Contacts bounce: a change of a boolean counts once it has lasted. Until then the image keeps what it had. The value that
 * wins carries the time at which it was read, never a later one. Faults pass at once, and what comes after a fault too.
 */
import type { Sample } from '../model/sample.ts'

export type Debounce = {
  /** The value that counts, null while none does. */
  readonly stable: boolean | null
  /** A change that has not lasted long enough: the first sample of it. */
  readonly pending: Sample | null
}

export const UNTOUCHED: Debounce = { stable: null, pending: null }

export type Debounced = {
  readonly state: Debounce
  /** What goes to the image now; null: nothing yet. */
  readonly passed: Sample | null
}

export function debounce(state: Debounce, sample: Sample, lastsMs: number): Debounced {
  if (sample.quality === 'bad') return { state: UNTOUCHED, passed: sample }
  if (typeof sample.value !== 'boolean' || lastsMs <= 0) return { state: UNTOUCHED, passed: sample }
  const { value } = sample
  if (state.stable === null || value === state.stable) {
    return { state: { stable: value, pending: null }, passed: sample }
  }
  if (state.pending === null) return { state: { ...state, pending: sample }, passed: null }
  if (sample.mono - state.pending.mono < lastsMs) return { state, passed: null }
  return { state: { stable: value, pending: null }, passed: sample }
}

/** Time has passed and no other value came: lets a pending change through when it has lasted. */
export function settle(state: Debounce, now: number, lastsMs: number): Debounced {
  const { pending } = state
  if (pending === null || pending.quality === 'bad' || now - pending.mono < lastsMs) return { state, passed: null }
  return { state: { stable: pending.value === true, pending: null }, passed: pending }
}
