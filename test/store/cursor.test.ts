import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Cursor } from '../../src/store/cursor.ts'

test('agrees with a set of numbers, whatever the order of acknowledgement', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(4)), { maxLength: 40 }), (acks) => {
      const cursor = new Cursor()
      const set = new Set<number>()
      for (const [from, length] of acks) {
        cursor.add(from, from + length)
        for (let number = from; number <= from + length; number++) set.add(number)
        let low = 0
        while (set.has(low + 1)) low++
        expect(cursor.low).toBe(low)
        for (let number = 1; number <= 50; number++) expect(cursor.has(number)).toBe(set.has(number))
        let before = cursor.low
        for (const [first, last] of cursor.ranges) {
          expect(first).toBeGreaterThan(before + 1)
          expect(last).toBeGreaterThanOrEqual(first)
          before = last
        }
        const again = new Cursor(cursor.low, cursor.saved())
        expect(again.ranges).toEqual(cursor.ranges)
      }
    }),
  )
})

test('with very many ranges the longest are saved: what is forgotten is only sent again', () => {
  const cursor = new Cursor()
  for (let number = 10; number < 210; number += 2) cursor.add(number)
  cursor.add(300, 400)
  expect(cursor.saved()).toHaveLength(32)
  expect(cursor.saved().at(-1)).toEqual([300, 400])
})
