import { expect, test } from 'vitest'
import type { TimeQuality } from '../../src/model/journal.ts'
import { type CutPolicy, HOLD_MS, planCuts } from '../../src/store/cut.ts'
import type { ChunkHead } from '../../src/store/heads.ts'
import { SETTINGS } from './settings.ts'

const chunk = (n: number, mono: number, more: Partial<ChunkHead> = {}): ChunkHead => ({
  n,
  boot: 1,
  cv: 1,
  monoMin: mono,
  monoMax: mono + 900,
  offsetMs: 1_700_000_000_000,
  quality: 1,
  errorMs: null,
  count: 100,
  bytes: 1000,
  ...more,
})

const policy = (mono: number, more: Partial<CutPolicy> = {}, quality: TimeQuality = 1): CutPolicy => ({
  now: { mono, offsetMs: 1_700_000_000_000, quality, errorMs: null },
  boot: 1,
  cut: SETTINGS.cut,
  commitEveryMs: 1000,
  force: false,
  floorMs: 1_690_000_000_000,
  heldSinceMono: null,
  ...more,
})

const shape = (waiting: readonly ChunkHead[], with_: CutPolicy) =>
  planCuts(waiting, with_).map(({ chunks, quality, rebaseMs }) => [chunks.map(({ n }) => n), quality, rebaseMs])

test('by age, samples and bytes, whichever comes first', () => {
  const five = [0, 1, 2, 3, 4].map((n) => chunk(n, n * 1000))
  expect(shape(five.slice(0, 4), policy(4000))).toEqual([])
  expect(shape(five, policy(5000))).toEqual([[[0, 1, 2, 3, 4], 1, null]])
  expect(shape(five.slice(0, 2), policy(1000, { cut: { ...SETTINGS.cut, samples: 200 } }))).toEqual([[[0, 1], 1, null]])
  expect(shape(five.slice(0, 3), policy(1000, { cut: { ...SETTINGS.cut, bytes: 2500 } }))).toEqual([[[0, 1], 1, null]])
  expect(shape(five.slice(0, 1), policy(0, { force: true }))).toEqual([[[0], 1, null]])
})

test('never spans a boot, a cv, a change of trust or a step of the clock; leftovers go first', () => {
  const waiting = [
    chunk(1, 9000, { boot: 1 }),
    chunk(2, 100, { boot: 2, cv: 2 }),
    chunk(3, 200, { boot: 2, cv: 3 }),
    chunk(4, 300, { boot: 2, cv: 3, quality: 2 }),
    chunk(5, 400, { boot: 2, cv: 3, quality: 2, offsetMs: 1_700_003_600_000 }),
  ]
  expect(shape(waiting, policy(500, { boot: 2, force: true }, 2)).map(([chunks]) => chunks)).toEqual([
    [1],
    [2],
    [3],
    [4],
    [5],
  ])
  // What is closed does not wait for its age; what is open does.
  expect(shape(waiting, policy(500, { boot: 2 }, 2)).map(([chunks]) => chunks)).toEqual([[1], [2], [3], [4]])
})

test('without a trusted clock telemetry waits, then goes out with the learnt offset', () => {
  const held = [chunk(1, 0, { quality: 0, offsetMs: 0 }), chunk(2, 1000, { quality: 3, offsetMs: 5 })]
  expect(shape(held, policy(60_000, { heldSinceMono: 0, force: true }, 3))).toEqual([])
  expect(shape(held, policy(60_000, { heldSinceMono: null }, 1))).toEqual([
    [[1], 4, 1_700_000_000_000],
    [[2], 4, 1_700_000_000_000],
  ])
})

test('if time does not come: tq 3 by the hardware clock, tq 0 by the floor; what follows does not wait again', () => {
  const held = [chunk(1, 0, { quality: 3, offsetMs: 5 }), chunk(2, HOLD_MS, { quality: 0, offsetMs: 0 })]
  expect(shape(held, policy(HOLD_MS, { heldSinceMono: 0 }, 0))).toEqual([[[1], 3, null]])
  expect(shape(held, policy(HOLD_MS + 5000, { heldSinceMono: 0 }, 0))).toEqual([
    [[1], 3, null],
    [[2], 0, 1_690_000_000_000],
  ])
})

test('an earlier boot without time goes out at once: by its own later clock, else at tq 0', () => {
  const learnt = [chunk(1, 0, { quality: 0, offsetMs: 0 }), chunk(2, 1000)]
  expect(shape(learnt, policy(0, { boot: 2 }))).toEqual([
    [[1], 4, 1_700_000_000_000],
    [[2], 1, null],
  ])
  expect(shape(learnt.slice(0, 1), policy(0, { boot: 2 }))).toEqual([[[1], 0, 1_690_000_000_000]])
})
