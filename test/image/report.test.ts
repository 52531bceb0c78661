import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Reports } from '../../src/image/report.ts'
import type { Sample } from '../../src/model/sample.ts'

const good = (mono: number, value: number | string | boolean): Sample => ({ point: 0, mono, quality: 'good', value })
const bad = (mono: number, code: number): Sample => ({
  point: 0,
  mono,
  quality: 'bad',
  cause: { kind: 'exception', code },
})

function reports(deadband: number, samples: readonly Sample[]): readonly number[] {
  const picked = new Reports([{ index: 0, kind: 'gauge', deadband, heartbeatMs: 300_000 }]).pick(samples)
  return picked.map((sample) => sample.mono)
}

it('reports the first, and what moved beyond its deadband since the last report', () => {
  const drift = [20, 20.2, 20.4, 20.6, 20.8, 20.5].map((value, step) => good(step, value))
  expect(reports(0.5, drift)).toEqual([0, 3])
})

it('without a deadband any change is one, and no change is none', () => {
  expect(reports(0, [good(0, 1), good(1, 1), good(2, 1.0001), good(3, 1.0001)])).toEqual([0, 2])
  expect(reports(5, [good(0, false), good(1, true), good(2, true)])).toEqual([0, 1])
})

it('reports every change of quality and of cause, once', () => {
  const doubtful = (mono: number, cause: 'stale' | 'rate'): Sample => ({
    point: 0,
    mono,
    quality: 'uncertain',
    value: 1,
    cause,
  })
  const samples = [good(0, 1), bad(1, 2), bad(2, 2), bad(3, 4), doubtful(4, 'rate'), doubtful(5, 'stale'), good(6, 1)]
  expect(reports(100, samples)).toEqual([0, 1, 3, 4, 5, 6])
})

it('reports a heartbeat when nothing moves', () => {
  const still = Array.from({ length: 11 }, (_, minute) => good(minute * 60_000, 7))
  expect(reports(1, still)).toEqual([0, 300_000, 600_000])
})

it('what is silent is always within its deadband of the last report', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 })), (values) => {
      const samples = values.map((value, step) => good(step, value))
      const told = new Reports([{ index: 0, kind: 'gauge', deadband: 3, heartbeatMs: 1e9 }])
      let last = 0
      for (const sample of samples) {
        const value = sample.quality === 'bad' ? 0 : Number(sample.value)
        if (told.pick([sample]).length > 0) last = value
        expect(Math.abs(value - last)).toBeLessThanOrEqual(3)
      }
    }),
  )
})

it('every reading of an event is one, but not the same reading again', () => {
  const told = new Reports([{ index: 0, kind: 'event', deadband: 0, heartbeatMs: 300_000 }])
  const stale: Sample = { point: 0, mono: 2, quality: 'uncertain', value: 'card', cause: 'stale' }
  expect(told.pick([good(1, 'card'), good(2, 'card'), stale]).map((sample) => sample.mono)).toEqual([1, 2])
})
