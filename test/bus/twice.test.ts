/** The first reply comes so late that the repeated question gets it: nobody can tell, so the value must not pass for a good one. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Asked, fakeTime, fakeWire, pass, readingsOf, rtuFrame, run } from './rig.ts'

beforeEach(fakeTime)
afterEach(() => {
  vi.useRealTimers()
})

test('the answer to the first of two questions is marked when it comes for the second', async () => {
  const shown: number[] = []
  const delays = [515, 270]
  const wire = fakeWire('rtu', (asked: Asked, pipe) => {
    const value = 1000 + shown.length
    const delay = delays[shown.length] ?? 10
    shown.push(performance.now())
    setTimeout(() => pipe.feed(rtuFrame(asked.unit, Uint8Array.of(3, 2, value >> 8, value & 0xff))), delay)
  })
  const { bus, arrivals } = run({ devices: [{ address: 1, points: [{ at: 0, everyMs: 1000 }] }] }, wire)
  for (let step = 0; step < 60; step++) await pass(100)
  const seen = readingsOf(arrivals).flatMap((each) => ('value' in each ? [[each.value, each.doubt ?? null]] : []))
  // Request 0 is given up at 200 ms and asked again at 400; its reply comes at 515, the second one's at 670.
  expect(seen[0]).toEqual([1000, 'first_after_timeout'])
  expect(seen.slice(1).map(([, doubt]) => doubt)).toEqual(seen.slice(1).map(() => null))
  expect(seen.slice(1).map(([value]) => value)).not.toContain(1001)
  expect(seen.length).toBeGreaterThan(4)
  await bus.close()
})
