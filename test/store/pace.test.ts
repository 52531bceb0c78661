import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Pace } from '../../src/store/pace.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function start(everyMs: number, postMs = 0) {
  const began = Date.now()
  const posts: number[] = []
  const pace = new Pace(everyMs, async () => {
    posts.push(Date.now() - began)
    if (postMs > 0) await new Promise((resolve) => setTimeout(resolve, postMs))
  })
  return { pace, posts }
}

test('a lone urgent delta goes at once, a second one 10 ms later', async () => {
  const { pace, posts } = start(1000)
  pace.urgent()
  pace.urgent()
  pace.urgent()
  await vi.advanceTimersByTimeAsync(500)
  expect(posts).toEqual([0, 10])
})

test('under a flood the distance widens to 200 ms, and shrinks again after it', async () => {
  const { pace, posts } = start(1000)
  for (let ms = 0; ms < 4000; ms++) {
    pace.urgent()
    await vi.advanceTimersByTimeAsync(1)
  }
  const last = posts.slice(-2)
  expect((last[1] ?? 0) - (last[0] ?? 0)).toBeGreaterThanOrEqual(199)
  expect(posts.length).toBeLessThan(40)
  await vi.advanceTimersByTimeAsync(1000)
  posts.length = 0
  const from = Date.now()
  pace.urgent()
  pace.urgent()
  await vi.advanceTimersByTimeAsync(100)
  expect(posts).toHaveLength(2)
  expect(Date.now() - from).toBe(100)
})

test('what has time goes every interval; a slow disk has one commit under way, not many', async () => {
  const { pace, posts } = start(100, 350)
  pace.later()
  await vi.advanceTimersByTimeAsync(99)
  expect(posts).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  pace.urgent()
  pace.urgent()
  await vi.advanceTimersByTimeAsync(349)
  expect(posts).toEqual([100])
  await vi.advanceTimersByTimeAsync(10)
  expect(posts).toEqual([100, 450])
  pace.close()
  pace.urgent()
  await vi.advanceTimersByTimeAsync(1000)
  expect(posts).toHaveLength(2)
})
