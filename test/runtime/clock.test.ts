import { expect, test } from 'vitest'
import { createClock, isTrusted } from '../../src/runtime/clock.ts'

const FLOOR = Date.UTC(2026, 0, 1)

function fakeHost(start: { wall: number; rtc: boolean }) {
  const host = { mono: 0, wall: start.wall, synced: false }
  const sources = {
    mono: () => host.mono,
    wall: () => host.wall,
    synchronised: () => host.synced,
    errorMs: () => 12,
    hardwareClock: () => start.rtc,
  }
  const pass = (ms: number): void => {
    host.mono += ms
    host.wall += ms
  }
  return { host, sources, pass }
}

test('a box without a clock battery boots in 1970, is not believed, and is believed once synchronised', () => {
  const { host, sources, pass } = fakeHost({ wall: 1000, rtc: false })
  const clock = createClock('auto', { floorMs: FLOOR, sources })
  expect(clock.now().quality).toBe(0)
  pass(60_000)
  expect(clock.now().quality).toBe(0)
  // Nobody is told 1970.
  expect(clock.utc()).toBe(FLOOR + 60_000)
  const truth = Date.UTC(2026, 10, 23)
  host.wall = truth
  host.synced = true
  const reading = clock.now()
  expect(reading.quality).toBe(1)
  expect(reading.errorMs).toBe(12)
  expect(clock.utc(0)).toBe(truth - 60_000)
})

test('before the floor even a synchronised clock is not believed', () => {
  const { host, sources } = fakeHost({ wall: FLOOR - 1, rtc: true })
  host.synced = true
  expect(createClock('auto', { floorMs: FLOOR, sources }).now().quality).toBe(0)
  expect(createClock('system', { floorMs: FLOOR, sources }).now().quality).toBe(0)
})

test('hardware clock only is 3, lost synchronisation is holdover', () => {
  const { host, sources, pass } = fakeHost({ wall: FLOOR + 1, rtc: true })
  const clock = createClock('auto', { floorMs: FLOOR, sources })
  expect(clock.now().quality).toBe(3)
  host.synced = true
  pass(1000)
  expect(clock.now().quality).toBe(1)
  host.synced = false
  pass(1000)
  expect(clock.now().quality).toBe(2)
  expect([0, 1, 2, 3, 4].map((quality) => isTrusted(quality as 0 | 1 | 2 | 3 | 4))).toEqual([
    false,
    true,
    true,
    false,
    true,
  ])
})

test('a raised floor stays', () => {
  const { sources } = fakeHost({ wall: FLOOR + 5, rtc: false })
  const clock = createClock('system', { floorMs: FLOOR, sources })
  expect(clock.now().quality).toBe(1)
  clock.raiseFloor(FLOOR + 10)
  clock.raiseFloor(FLOOR)
  expect(clock.floorMs()).toBe(FLOOR + 10)
})
