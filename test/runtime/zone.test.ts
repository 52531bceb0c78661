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

test('what a wall shows, and back', () => {
  const berlin = createZone('Europe/Berlin')
  expect(berlin.wall(Date.UTC(2026, 6, 1, 10, 20, 30))).toEqual({
    year: 2026,
    month: 7,
    day: 1,
    hour: 12,
    minute: 20,
    second: 30,
  })
  expect(createZone('Asia/Shanghai').utcOf({ year: 2026, month: 12, day: 1, hour: 0 })).toBe(Date.UTC(2026, 10, 30, 16))
  for (const [day, hour, utc] of [
    [28, 12, Date.UTC(2026, 2, 28, 11)],
    [29, 1, Date.UTC(2026, 2, 29, 0)],
    [29, 3, Date.UTC(2026, 2, 29, 1)],
    [29, 12, Date.UTC(2026, 2, 29, 10)],
  ] as const)
    expect(berlin.utcOf({ year: 2026, month: 3, day, hour })).toBe(utc)
  // 02:00 comes twice.
  expect(berlin.utcOf({ year: 2026, month: 10, day: 25, hour: 2 })).toBe(Date.UTC(2026, 9, 25, 0))
})
