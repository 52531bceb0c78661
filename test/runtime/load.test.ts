import { expect, test } from 'vitest'
import { createLoadMeter, processLoad } from '../../src/runtime/load.ts'

test('a share of one core: since the process began, then between two looks; more than one core is more than 1', () => {
  let now = 5000
  let used = 500
  const meter = createLoadMeter({ mono: () => now, usedMs: () => used, ageMs: () => 2000 })
  expect(meter.share()).toBe(0.25)
  now += 10_000
  used += 15_000
  meter.look()
  expect(meter.share()).toBe(1.5)
  // Looked at twice in one moment.
  meter.look()
  expect(meter.share()).toBe(1.5)
})

test('of this process there is something to be measured', () => {
  expect(createLoadMeter(processLoad(performance.now.bind(performance))).share()).toBeGreaterThan(0)
})
