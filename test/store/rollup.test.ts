import fc from 'fast-check'
import { expect, test } from 'vitest'
import { coarsen, combine, fuller, merge, Minutes, packBuckets, unpackBuckets } from '../../src/store/rollup.ts'

const reading = fc.record({ at: fc.nat(600_000), value: fc.integer({ min: -10_000, max: 10_000 }).map((n) => n / 10) })

test('minutes and what is made of them agree with the naive sum over all readings', () => {
  fc.assert(
    fc.property(fc.array(reading, { minLength: 1, maxLength: 200 }), (readings) => {
      readings.sort((a, b) => a.at - b.at)
      const minutes = new Minutes()
      for (const { at, value } of readings) minutes.add(at, value)
      const naive = (width: number) =>
        [...Map.groupBy(readings, ({ at }) => Math.floor(at / width))].map(([at, group]) => ({
          at,
          min: Math.min(...group.map(({ value }) => value)),
          max: Math.max(...group.map(({ value }) => value)),
          mean: expect.closeTo(group.reduce((sum, { value }) => sum + value, 0) / group.length, 1),
          last: group.at(-1)?.value,
          count: group.length,
        }))
      expect(minutes.peek()).toEqual(naive(60_000))
      expect(coarsen(minutes.peek(), (at) => Math.floor(at / 5))).toEqual(naive(300_000))
      expect(unpackBuckets(packBuckets(minutes.peek(), 0), 0)).toEqual(minutes.peek())
    }),
  )
})

test('taking out what is over leaves what is open', () => {
  const minutes = new Minutes()
  for (const at of [0, 30_000, 60_000, 120_000]) minutes.add(at, at)
  expect(minutes.take(2).map(({ at, count }) => [at, count])).toEqual([
    [0, 2],
    [1, 1],
  ])
  minutes.add(121_000, 7)
  expect(minutes.peek().map(({ at, count, last }) => [at, count, last])).toEqual([[2, 2, 7]])
})

test('two parts of a minute add up; two accounts of the same minute do not', () => {
  const a = { at: 1, min: 1, max: 3, mean: 2, last: 3, count: 2 }
  const b = { at: 1, min: 0, max: 0, mean: 0, last: 0, count: 2 }
  expect(merge([a], [b], combine)).toEqual([{ at: 1, min: 0, max: 3, mean: 1, last: 0, count: 4 }])
  expect(merge([a], [{ ...b, count: 1 }], fuller)).toEqual([a])
})
