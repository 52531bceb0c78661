import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Transition } from '../../src/model/alarm.ts'
import { Bench } from './bench.ts'
import { makeRule } from './site.ts'

type Action =
  | { readonly kind: 'read'; readonly point: number; readonly value: boolean | null }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'bus'; readonly down: boolean }
  | { readonly kind: 'ack' }

const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({
    kind: fc.constant('read' as const),
    point: fc.constantFrom(0, 2),
    value: fc.constantFrom(true, false, null),
  }),
  fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 0, max: 40 }) }),
  fc.record({ kind: fc.constant('bus' as const), down: fc.boolean() }),
  fc.constant({ kind: 'ack' as const }),
)
const actions = fc.array(action, { maxLength: 40 })

function rules(onDelayMs: number, offDelayMs: number, latch: boolean) {
  return [
    makeRule('one', '!pump_1.running', { onDelayMs, offDelayMs, latch }),
    makeRule('both', '!pump_1.running && !pump_2.running', { onDelayMs, offDelayMs, latch }),
  ]
}

function perform(bench: Bench, step: Action): void {
  switch (step.kind) {
    case 'read':
      bench.read(step.point, step.value)
      return
    case 'wait':
      bench.wait(step.seconds)
      return
    case 'bus':
      bench.fact('bus_offline.pumps', step.down ? 'yes' : 'no')
      return
    case 'ack':
      bench.ack('all')
  }
}

/** What every consumer relies on, per occurrence. */
function check(transitions: readonly Transition[]): void {
  const last = new Map<string, Transition>()
  const active = new Map<string, string>()
  for (const transition of transitions) {
    const { id, rv, ev, rule } = transition
    const before = last.get(id)
    expect(rv).toBe((before?.rv ?? 0) + 1)
    expect(ev === 'raised').toBe(before === undefined)
    if (ev === 'raised') {
      expect(active.get(rule)).toBeUndefined()
      active.set(rule, id)
    } else {
      expect(before?.active === true || before?.acked === false).toBe(true)
    }
    if (ev === 'cleared') {
      expect(before?.active).toBe(true)
      active.delete(rule)
    }
    expect(transition.active).toBe(active.get(rule) === id)
    if (before?.acked) expect(transition.acked).toBe(true)
    last.set(id, transition)
  }
}

it('every occurrence: raised first, rv one by one, cleared once, acknowledged for good, restarts included', () => {
  fc.assert(
    fc.property(
      actions,
      fc.array(fc.nat(40), { maxLength: 5 }),
      fc.constantFrom(0, 15_000),
      fc.constantFrom(0, 15_000),
      fc.boolean(),
      (steps, restarts, onDelayMs, offDelayMs, latch) => {
        const bench = new Bench(rules(onDelayMs, offDelayMs, latch))
        for (const [index, step] of steps.entries()) {
          perform(bench, step)
          if (restarts.includes(index)) bench.restart()
        }
        check(bench.transitions)
        // What is durable is what is live.
        const live = JSON.stringify(bench.board.live().map((alarm) => alarm.last))
        bench.restart()
        expect(JSON.stringify(bench.board.live().map((alarm) => alarm.last))).toBe(live)
      },
    ),
    { numRuns: 300 },
  )
})

/** Ids are given anew in each run; what is told must be the same otherwise. */
function told(bench: Bench): string[] {
  return bench.transitions.map(({ ev, rule, rv, n, active, acked, suppressed, at }) =>
    [ev, rule, rv, n, active, acked, suppressed, at].join(' '),
  )
}

it('a restart at any step gives the same later transitions as none (rules without delays)', () => {
  // Ten seconds between steps: chatter is counted anew after a restart.
  const slow = fc.array(
    action.filter((step) => step.kind !== 'wait'),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(slow, fc.nat(20), fc.boolean(), (steps, at, latch) => {
      const run = (restartAt: number | null): string[] => {
        const bench = new Bench(rules(0, 0, latch))
        let bus: Action = { kind: 'bus', down: false }
        perform(bench, bus)
        for (const [index, step] of steps.entries()) {
          if (index === restartAt) {
            bench.restart()
            // The field says again how the bus is.
            perform(bench, bus)
          }
          if (step.kind === 'bus') bus = step
          perform(bench, step)
          bench.wait(10)
        }
        return told(bench)
      }
      // The bus itself has delays.
      const ofRules = (words: string[]): string[] => words.filter((word) => !word.includes('bus_offline'))
      expect(ofRules(run(at))).toEqual(ofRules(run(null)))
    }),
    { numRuns: 300 },
  )
})
