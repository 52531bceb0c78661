import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judge, traceOf } from '../../src/image/quality.ts'
import { causeText } from '../../src/model/fault.ts'
import type { Point, Value } from '../../src/model/point.ts'
import type { Reading } from '../../src/model/sample.ts'
import { makePoint } from './points.ts'

/** Values (or faults) one second apart, as words: `good`, or the cause. */
function words(point: Point, inputs: readonly (Value | { kind: 'timeout' })[], everyMs = 1000): string[] {
  const trace = traceOf(point)
  return inputs.map((input, step) => {
    const reading: Reading = typeof input === 'object' ? { point: 0, fault: input } : { point: 0, value: input }
    const sample = judge(reading, point, step * everyMs, trace)
    return sample.quality === 'good' ? 'good' : causeText(sample.cause)
  })
}

describe('what is impossible is bad', () => {
  it('outside of its range, of another type, or no number at all', () => {
    const point = makePoint(0, { range: [0, 500] })
    expect(words(point, [0, 500, -0.1, 500.1])).toEqual(['good', 'good', 'out_of_range', 'out_of_range'])
    expect(words(point, ['open', true])).toEqual(['crc', 'crc'])
    expect(words(makePoint(0), [Number.NaN, Number.POSITIVE_INFINITY])).toEqual(['sentinel', 'sentinel'])
    expect(words(makePoint(0, { type: 'u64' }), ['18446744073709551615', 'x', 5])).toEqual(['good', 'crc', 'good'])
    expect(words(makePoint(0, { type: 'str' }), ['x'.repeat(1024), 'x'.repeat(1025)])).toEqual(['good', 'out_of_range'])
  })

  it('a bad sample has no value', () => {
    const sample = judge({ point: 0, value: 9 }, makePoint(0, { range: [0, 1] }), 5, null)
    expect(sample).toEqual({ point: 0, mono: 5, quality: 'bad', cause: { kind: 'out_of_range' } })
  })

  it('never lets a number through that is none', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        const point = makePoint(0, { rateMax: 1, frozenAfterMs: 10 })
        const trace = traceOf(point)
        for (const [step, value] of values.entries()) {
          const sample = judge({ point: 0, value }, point, step, trace)
          if (sample.quality !== 'bad') expect(Number.isFinite(sample.value)).toBe(true)
        }
      }),
    )
  })
})

describe('what is doubtful is uncertain', () => {
  it('a doubt of the codec stays', () => {
    const sample = judge({ point: 0, value: 1, doubt: 'first_after_timeout' }, makePoint(0), 5, null)
    expect(sample).toMatchObject({ quality: 'uncertain', value: 1, cause: 'first_after_timeout' })
  })

  it('a spike is doubted, a step once', () => {
    const point = makePoint(0, { rateMax: 5 })
    expect(words(point, [20, 21, 900, 22, 23])).toEqual(['good', 'good', 'rate', 'good', 'good'])
    expect(words(point, [20, 21, 60, 61, 62])).toEqual(['good', 'good', 'rate', 'good', 'good'])
    expect(words(point, [20, 900, -400, 300])).toEqual(['good', 'rate', 'rate', 'rate'])
  })

  it('the rate is over the time that passed, at least a second', () => {
    const point = makePoint(0, { rateMax: 5 })
    expect(words(point, [20, 60], 10_000)).toEqual(['good', 'good'])
    expect(words(point, [20, 24, 20, 24], 100)).toEqual(['good', 'good', 'good', 'good'])
  })

  it('the same value for too long is frozen until it moves', () => {
    const point = makePoint(0, { frozenAfterMs: 3000 })
    expect(words(point, [7, 7, 7, 7, 7, 8, 8])).toEqual(['good', 'good', 'good', 'frozen', 'frozen', 'good', 'good'])
  })

  it('time in which it could not be read does not freeze it', () => {
    const point = makePoint(0, { frozenAfterMs: 3000 })
    const timeout = { kind: 'timeout' } as const
    expect(words(point, [7, 7, timeout, timeout, timeout, 7, 7, 7])).toEqual([
      'good',
      'good',
      'timeout',
      'timeout',
      'timeout',
      'good',
      'good',
      'frozen',
    ])
  })
})
