/** Timelines that an electrician can read: one column per step. */
import { expect } from 'vitest'
import type { Truth } from '../../src/alarm/condition.ts'
import { type AlarmState, type Delays, NORMAL, step } from '../../src/alarm/machine.ts'

const TRUTHS: Readonly<Record<string, Truth>> = { _: 'unknown', y: 'yes', n: 'no' }

/** A rule with its limit: `above: 30`. Inputs are numbers, or `_` for a silent sensor; without limit `y`, `n` and `_`. */
export type Timed = Delays & { readonly above?: number }

export function play(
  rule: Timed,
  timeline: { readonly everyS: number; readonly input: string; readonly phase: string },
): void {
  let state: AlarmState = NORMAL
  const phases = timeline.input
    .trim()
    .split(/\s+/)
    .map((input, column) => {
      const truth: Truth = TRUTHS[input] ?? (Number(input) > (rule.above ?? 0) ? 'yes' : 'no')
      state = step(state, truth, column * timeline.everyS * 1000, rule)
      return state.phase
    })
  expect(phases).toEqual(timeline.phase.trim().split(/\s+/))
}
