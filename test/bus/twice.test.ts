/** The first reply comes so late that the repeated question gets it: nobody can tell, so the value must not get out at all. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Asked, fakeTime, fakeWire, pass, readingsOf, rtuFrame, run } from './rig.ts'

beforeEach(fakeTime)
afterEach(() => {
  vi.useRealTimers()
})

test('the answer to the first of two questions, when it comes for the second, is held back until the next agrees', async () => {
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
  expect(seen[0]).toEqual([1002, null])
  expect(seen.map(([, doubt]) => doubt)).toEqual(seen.map(() => null))
  expect(seen.length).toBeGreaterThan(4)
  await bus.close()
})

test('a device that never answers twice in a row still has values, marked', async () => {
  let asked = 0
  const wire = fakeWire('rtu', (request: Asked, pipe) => {
    asked += 1
    const reply = rtuFrame(request.unit, Uint8Array.of(3, 2, 0, asked))
    if (asked % 2 === 0) setTimeout(() => pipe.feed(reply), 10)
  })
  const { bus, arrivals } = run({ devices: [{ address: 1, points: [{ at: 0, everyMs: 1000 }] }] }, wire)
  for (let step = 0; step < 200; step++) await pass(100)
  const seen = readingsOf(arrivals).flatMap((each) => ('value' in each ? [[each.value, each.doubt ?? null]] : []))
  expect(seen.length).toBeGreaterThan(10)
  // Two are held back in vain.
  expect(seen[0]).toEqual([6, 'first_after_timeout'])
  expect(seen.filter(([, doubt]) => doubt === null)).toEqual([])
  await bus.close()
})

test('whoever waits for a value gets the one that was confirmed', async () => {
  let asked = 0
  const wire = fakeWire('rtu', (request: Asked, pipe) => {
    asked += 1
    const reply = rtuFrame(request.unit, Uint8Array.of(3, 2, 0, asked))
    if (asked > 1) setTimeout(() => pipe.feed(reply), 10)
  })
  const { bus } = run({ devices: [{ address: 1, points: [{ at: 0, everyMs: 60_000 }] }] }, wire)
  const read = bus.read([0])
  await pass(3000)
  expect(await read).toEqual([{ point: 0, value: 3 }])
  await bus.close()
})
