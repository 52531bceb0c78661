import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { findCounter, stretch, Wear } from '../../src/store/wear.ts'
import { SETTINGS } from './settings.ts'

test('the interval follows the rate, between what is configured and ten seconds', () => {
  const at = (everyMs: number, times: number): number =>
    stretch(everyMs, { bytesPerDay: times, limit: 1, baseMs: 1000 })
  expect(at(1000, 0.5)).toBe(1000)
  expect(at(1000, 2)).toBe(1500)
  expect(at(9000, 4)).toBe(10_000)
  expect(at(10_000, 0.2)).toBe(6000)
  expect(stretch(20_000, { bytesPerDay: 9, limit: 1, baseMs: 20_000 })).toBe(20_000)
})

test('too much writing stretches commits minute by minute, and quiet brings them back', () => {
  let bytes = 0
  const settings = { ...SETTINGS, commitEveryMs: 1000, wearBytesPerDay: 86_400_000 }
  const wear = new Wear('.', settings, 0, { source: 'block', read: () => bytes })
  const run = (fromS: number, toS: number, bytesPerSecond: number): void => {
    for (let second = fromS; second < toS; second++) {
      bytes += bytesPerSecond
      wear.step((second + 1) * 1000)
    }
  }
  run(0, 59, 3000)
  expect(wear.commitEveryMs).toBe(1000)
  run(59, 70, 3000)
  expect(wear.commitEveryMs).toBe(2000)
  expect(wear.bytesPerDay).toBe(3000 * 86_400)
  run(70, 200, 0)
  expect(wear.commitEveryMs).toBe(1000)
})

test('here is a counter, and it counts', () => {
  const counter = findCounter(tmpdir())
  expect(['block', 'process', 'none']).toContain(counter.source)
  expect(counter.read()).toBeGreaterThanOrEqual(0)
})
