import { expect, test } from 'vitest'
import { createZone } from '../../src/runtime/zone.ts'

const iso = (ms: number): string => new Date(ms).toISOString()

test('a day in Shanghai begins at 16:00 UTC of the day before', () => {
  const { periodStart } = createZone('Asia/Shanghai')
  const noon = Date.UTC(2026, 10, 23, 4)
  expect(iso(periodStart(noon, 'day'))).toBe('2026-11-22T16:00:00.000Z')
  expect(iso(periodStart(noon, 'month'))).toBe('2026-10-31T16:00:00.000Z')
  expect(iso(periodStart(noon + 1_234_567, 'hour'))).toBe('2026-11-23T04:00:00.000Z')
})

test('the day on which the clocks change begins where it began', () => {
  const { periodStart } = createZone('Europe/Berlin')
  expect(iso(periodStart(Date.UTC(2026, 2, 29, 12), 'day'))).toBe('2026-03-28T23:00:00.000Z')
  expect(iso(periodStart(Date.UTC(2026, 9, 25, 12), 'day'))).toBe('2026-10-24T22:00:00.000Z')
})

test('an unknown zone is refused', () => {
  expect(() => createZone('Asia/Nowhere')).toThrow(RangeError)
})
