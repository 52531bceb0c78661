import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Counter, type CounterLimits, counterLimits, stepCounter } from '../../src/derive/counter.ts'
import { makePoint } from '../image/points.ts'

const UNKNOWN: CounterLimits = { modulus: null, rateMax: null }

/** Readings every 10 s. Prints what was gained each time, with the event where there was one. */
function gains(readings: readonly number[], limits = UNKNOWN): string {
  let counter: Counter | null = null
  return readings
    .map((value, step) => {
      const result = stepCounter(counter, { value, mono: step * 10_000, utc: null }, limits)
      counter = result.counter
      const gain = Number(result.gain.toFixed(6))
      return result.event === null ? `${gain}` : `${gain}:${result.event}`
    })
    .join(' ')
}

describe('a counter that grows', () => {
  it('gains what it grew by', () => {
    expect(gains([1000, 1001, 1001, 1003.5])).toBe('0 1 0 2.5')
  })

  it('from zero the first step waits for the second', () => {
    expect(gains([0, 0, 1, 1, 2])).toBe('0 0 0 1 1')
  })

  it('a burst is counted in full, one reading later', () => {
    expect(gains([1000, 1001, 1002, 1003, 3000, 3002, 3003])).toBe('0 1 1 1 0 1999 1')
  })
})

describe('a counter that does something else', () => {
  it('a blip to zero and back costs nothing', () => {
    expect(gains([1000, 1001, 0, 1002, 1003])).toBe('0 1 0 1:blip 1')
  })

  it('a blip upwards costs nothing', () => {
    expect(gains([1000, 1001, 1002, 1003, 9_000_000, 1004, 1005])).toBe('0 1 1 1 0 1:blip 1')
  })

  it('a reset counts from zero', () => {
    expect(gains([1000, 1001, 1002, 1003, 0, 1, 2])).toBe('0 1 1 1 0 1:reset 1')
  })

  it('another meter in its place brings no gain of its own', () => {
    expect(gains([1000, 1001, 1002, 1003, 700, 701, 702])).toBe('0 1 1 1 0 1:replaced 1')
    const limits = { modulus: null, rateMax: 1 }
    expect(gains([1000, 1001, 50_000, 50_001, 50_002], limits)).toBe('0 1 0 1:replaced 1')
  })

  it('wraps at the modulus of its encoding', () => {
    const limits = { modulus: 65_536, rateMax: null }
    expect(gains([65_500, 65_510, 65_520, 65_530, 4, 14], limits)).toBe('0 10 10 10 0 20:wrap')
  })

  it('wraps at all nines of its display', () => {
    expect(gains([99_996, 99_997, 99_998, 99_999, 0, 1])).toBe('0 1 1 1 0 2:wrap')
  })

  it('a step back by rounding is no news', () => {
    expect(gains([1234.55, 1234.56, 1234.57, 1234.58, 1234.57, 1234.58])).toBe('0 0.01 0.01 0.01 0 0:blip')
  })
})

it('across a restart: growth counts, a fall is never a gain', () => {
  const old: Counter = { last: { value: 5000, mono: null, utc: null }, candidate: null, peak: 0.1, grown: 3 }
  expect(stepCounter(old, { value: 5400, mono: 5, utc: null }, UNKNOWN)).toMatchObject({ gain: 400, event: null })
  const fallen = stepCounter(old, { value: 300, mono: 5, utc: null }, UNKNOWN)
  expect(fallen.gain).toBe(0)
  expect(stepCounter(fallen.counter, { value: 301, mono: 10_005, utc: null }, UNKNOWN)).toMatchObject({
    gain: 1,
    event: 'replaced',
  })
})

it('never a negative gain, and never more than the rate allows, whatever the readings', () => {
  const limits = { modulus: 65_536, rateMax: 10 }
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 70_000 })), (readings) => {
      let counter: Counter | null = null
      let sum = 0
      for (const [step, value] of readings.entries()) {
        const result = stepCounter(counter, { value, mono: step * 1000, utc: null }, limits)
        counter = result.counter
        expect(result.gain).toBeGreaterThanOrEqual(0)
        sum += result.gain
      }
      expect(sum).toBeLessThanOrEqual(10 * readings.length)
    }),
  )
})

it('a counter that only grows loses nothing, with blips thrown in', () => {
  const step = fc.record({ growth: fc.integer({ min: 1, max: 50 }), blip: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let value = 100_000
      let counter = stepCounter(null, { value, mono: 0, utc: null }, UNKNOWN).counter
      let sum = 0
      let mono = 0
      const read = (reading: number): void => {
        mono += 1000
        const result = stepCounter(counter, { value: reading, mono, utc: null }, UNKNOWN)
        counter = result.counter
        sum += result.gain
      }
      for (const { growth, blip } of steps) {
        if (blip) read(0)
        value += growth
        read(value)
      }
      // What waits as a candidate is counted with the next two readings.
      read(value)
      read(value)
      expect(sum).toBe(value - 100_000)
    }),
  )
})

it('knows the modulus of its encoding', () => {
  const register = (as: 'u16' | 's32' | 'bcd32', scale: number, offset = 0) =>
    counterLimits(
      makePoint(0, {
        source: {
          from: 'field',
          place: { protocol: 'modbus', table: 'input', address: 0, as, order: 'ABCD', bit: null, length: null },
          treatment: { scale, offset, invalid: [], map: null, invert: false },
          everyMs: 1000,
        },
      }),
    ).modulus
  expect(register('u16', 1)).toBe(65_536)
  expect(register('bcd32', 0.01)).toBe(1_000_000)
  expect(register('s32', 1)).toBeNull()
  expect(register('u16', 1, 5)).toBeNull()
})
