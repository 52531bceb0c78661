import { expect, test } from 'vitest'
import { createHealth, heard, isSilence, missed, slow, trendOf, wireBack } from '../../src/bus/health.ts'

const TIMEOUT = { kind: 'timeout' } as const

test('offline after retries + 1 silent attempts, told once; rests of 5, 10, 20, 40, 60 s with one probe each', () => {
  const health = createHealth()
  expect(heard(health, 20, 0)).toBe(true)
  expect(health.state).toBe('online')
  expect(missed(health, TIMEOUT, { retries: 1, now: 0 })).toMatchObject({ again: true, wentOffline: false })
  expect(missed(health, TIMEOUT, { retries: 1, now: 0 })).toMatchObject({
    again: false,
    restMs: 5000,
    wentOffline: true,
  })
  const rests = Array.from({ length: 6 }, () => missed(health, TIMEOUT, { retries: 1, now: 0 }))
  expect(rests.map(({ restMs }) => restMs)).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000])
  expect(rests.some(({ again, wentOffline }) => again || wentOffline)).toBe(false)
  expect(heard(health, 20, 1000)).toBe(true)
  expect(missed(health, TIMEOUT, { retries: 1, now: 0 }).again).toBe(true)
  expect(health.errors.timeout).toBe(9)
})

test('a device never heard of goes offline too', () => {
  const health = createHealth()
  missed(health, TIMEOUT, { retries: 0, now: 0 })
  expect(health.state).toBe('offline')
})

test('garbled answers make it degraded, never offline; answers make it well again', () => {
  const health = createHealth()
  heard(health, 20, 0)
  let degraded = 0
  for (let at = 0; at < 10; at++) if (missed(health, { kind: 'crc' }, { retries: 1, now: 0 }).degraded) degraded += 1
  expect(degraded).toBe(1)
  expect(health.state).toBe('degraded')
  const changes = Array.from({ length: 60 }, () => heard(health, 20, 0))
  expect(changes.filter(Boolean)).toHaveLength(1)
  expect(health.state).toBe('online')
})

test('answers that take twice as long as they used to: degraded, with its figures, and well again when they do not', () => {
  const health = createHealth()
  for (let at = 0; at < 1000; at++) heard(health, 40, at)
  expect(health.state).toBe('online')
  const changed = Array.from({ length: 60 }, (_, at) => heard(health, 150, 1000 + at))
  expect(changed.filter(Boolean)).toHaveLength(1)
  expect(health).toMatchObject({ state: 'degraded', why: 'slow' })
  expect(trendOf(health)).toMatchObject({ errorShare: 0 })
  expect(trendOf(health)!.responseMs).toBeGreaterThan(100)
  expect(trendOf(health)!.usualMs).toBeLessThan(60)
  const back = Array.from({ length: 100 }, (_, at) => heard(health, 40, 2000 + at))
  expect(back.filter(Boolean)).toHaveLength(1)
  expect(health).toMatchObject({ state: 'online', why: null })
})

test('a device without a past, and small changes, are not called slow', () => {
  const young = createHealth()
  for (let at = 0; at < 199; at++) heard(young, at < 100 ? 10 : 500, at)
  expect(young.state).toBe('online')
  const quick = createHealth()
  for (let at = 0; at < 2000; at++) heard(quick, at < 1000 ? 3 : 15, at)
  expect(quick.state).toBe('online')
})

test('an exception is proof of life, except that of a gateway for a unit', () => {
  const means = ['unsupported', 'part', 'busy', 'accepted', 'unreached', 'unheard'] as const
  expect(means.filter((each) => isSilence({ kind: 'exception', code: 1 }, each))).toEqual(['unreached', 'unheard'])
  expect(isSilence({ kind: 'exception', code: 4 })).toBe(false)
})

test('the slowest answer is forgotten after five to ten minutes, and bounded', () => {
  const health = createHealth()
  slow(health, 700, 1000)
  slow(health, 20, 200_000)
  expect(health.slowestMs).toBe(700)
  slow(health, 30, 310_000)
  expect(health.slowestMs).toBe(700)
  slow(health, 30, 620_000)
  expect(health.slowestMs).toBe(30)
  slow(health, 1e9, 620_001)
  expect(health.slowestMs).toBe(10_000)
})

test('after its wire came back a device that was well rests briefly, one that was silent does not', () => {
  const [well, silent] = [createHealth(), createHealth()]
  heard(well, 20, 0)
  missed(silent, TIMEOUT, { retries: 0, now: 0 })
  for (const health of [well, silent]) wireBack(health, 1000)
  const rests = (health: typeof well, now: number): number => missed(health, TIMEOUT, { retries: 0, now }).restMs
  expect([rests(well, 2000), rests(well, 15_000), rests(well, 20_000)]).toEqual([1000, 1000, 10_000])
  expect(rests(silent, 2000)).toBe(10_000)
})
