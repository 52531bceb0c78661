import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { HistoryRow, Store } from '../../src/store/contract.ts'
import { commit, type FakeClock, fakeClock, good, open, T0, temporaryDir } from './site.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const ALL = { from: T0 - DAY, to: T0 + 3 * DAY }

/** A reading every 20 s, each other one reported, from `from` on. */
async function run(store: Store, clock: FakeClock, { from, to }: { from: number; to: number }): Promise<void> {
  for (let index = from; index < to; index++) {
    const samples = [good(0, clock.mono(), index / 10), good(1, clock.mono(), index % 2 === 0)]
    store.observe(clock.now(), samples)
    await commit(store, clock, { reports: index % 2 === 0 ? samples : [] })
    clock.step(20_000)
  }
}

const naive = (indexes: readonly number[], everyMs: number): HistoryRow[] =>
  [...Map.groupBy(indexes, (index) => Math.floor((T0 + 1000 + index * 20_000) / everyMs) * everyMs)].map(
    ([t, group]) => [
      t,
      Math.min(...group) / 10,
      Math.max(...group) / 10,
      expect.closeTo(group.reduce((sum, index) => sum + index / 10, 0) / group.length, 4) as unknown as number,
      (group.at(-1) ?? 0) / 10,
      group.length,
    ],
  )

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, at) => from + at)

/** Reads until the hour that is over has been moved: what it answers must not depend on that. */
test('raw, minutes and hours agree with all readings: open hour, moved hour, after a restart, after a lost history.db', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  let store = await open(dir, clock)
  await run(store, clock, { from: 0, to: 250 })
  const check = async (indexes: readonly number[]): Promise<void> => {
    expect(await store.history({ point: 'd0.p0', ...ALL, everyMs: 60_000 })).toEqual(naive(indexes, 60_000))
    expect(await store.history({ point: 'd0.p0', ...ALL, everyMs: 300_000 })).toEqual(naive(indexes, 300_000))
    expect(await store.history({ point: 'd0.p0', ...ALL, everyMs: HOUR })).toEqual(naive(indexes, HOUR))
    const raw = indexes
      .filter((index) => index % 2 === 0)
      .map((index) => [T0 + 1000 + index * 20_000, index / 10, index / 10, index / 10, index / 10, 1])
    expect(await store.history({ point: 'd0.p0', ...ALL, everyMs: 0 })).toEqual(raw)
  }
  await check(range(0, 250))
  await store.close()
  store = await open(dir, clock)
  await check(range(0, 250))
  // In the middle of an hour and of a minute.
  await run(store, clock, { from: 250, to: 300 })
  await check(range(0, 300))
  await store.close()

  // Lost: raw comes back from the segments, roll-ups from what was reported.
  for (const part of ['', '-wal', '-shm']) rmSync(join(dir, `history.db${part}`), { force: true })
  store = await open(dir, clock)
  const reported = range(0, 300).filter((index) => index % 2 === 0)
  expect(await store.history({ point: 'd0.p0', ...ALL, everyMs: 0 })).toHaveLength(150)
  await commit(store, clock, { states: [['tick', '1']] })
  await store.close()
  store = await open(dir, clock)
  expect(await store.history({ point: 'd0.p0', ...ALL, everyMs: HOUR })).toEqual(naive(reported, HOUR))
})

test('booleans count as 0 and 1, text keeps its last word, bad is a break', async () => {
  const clock = fakeClock()
  const store = await open(temporaryDir(), clock)
  await commit(store, clock, { reports: [good(0, 1000, true), good(1, 1000, 'open')] })
  await commit(store, clock, {
    reports: [
      good(0, 2000, false),
      good(1, 2000, 'shut'),
      { point: 2, mono: 2000, quality: 'bad', cause: { kind: 'timeout' } },
    ],
  })
  expect(await store.history({ point: 'd0.p0', ...ALL, everyMs: 0 })).toEqual([
    [T0 + 1000, 1, 1, 1, 1, 1],
    [T0 + 2000, 0, 0, 0, 0, 1],
  ])
  expect(await store.history({ point: 'd0.p1', ...ALL, everyMs: HOUR })).toEqual([[T0, null, null, null, 'shut', 2]])
  expect(await store.history({ point: 'd0.p2', ...ALL, everyMs: 0 })).toEqual([[T0 + 2000, null, null, null, null, 0]])
  expect(await store.history({ point: 'd9.none', ...ALL, everyMs: 0 })).toEqual([])
})

test('days begin at local midnight', async () => {
  const clock = fakeClock()
  const store = await open(temporaryDir(), clock)
  store.observe(clock.now(), [good(0, 1000, 5)])
  await store.cutNow()
  // 22:00 UTC on the 14th is 06:00 on the 15th in Shanghai; that day began at 16:00 UTC.
  expect(await store.history({ point: 'd0.p0', ...ALL, everyMs: DAY })).toEqual([
    [Date.UTC(2023, 10, 14, 16), 5, 5, 5, 5, 1],
  ])
})
