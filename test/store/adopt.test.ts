import { expect, test } from 'vitest'
import type { Point } from '../../src/model/point.ts'
import { commit, fakeClock, good, LIMITS, open, temporaryDir } from './site.ts'
import { makePoints } from './settings.ts'

/** The points in another order, one gone, one new. */
function reordered(): { points: readonly Point[]; devices: readonly { id: string }[] } {
  const old = makePoints(3, 4)
  const kept = old.filter(({ id }) => id !== 'd0.p1').toReversed()
  const [first] = old
  if (first === undefined) throw new Error('there are points')
  const added = { ...first, id: 'd9.new' as Point['id'], key: 'new', device: 3 }
  return {
    points: [added, ...kept].map((point, index) => ({ ...point, index })),
    devices: [{ id: 'd0' }, { id: 'd1' }, { id: 'd2' }, { id: 'd9' }],
  }
}

test('samples before and after a reload keep their names, under their own configuration', async () => {
  const clock = fakeClock()
  const dir = temporaryDir()
  const store = await open(dir, clock)
  await commit(store, clock, { reports: [good(0, 1000, 1), good(1, 1000, true)] })
  // Not posted yet when the reload comes: the order of calls is what counts.
  const last = commit(store, clock, { reports: [good(0, 1000, 2)] })
  const { points, devices } = reordered()
  const adopted = store.adopt({ points, devices, catalogueSha: 'other' })
  const at = points.findIndex(({ id }) => id === 'd0.p0')
  expect(at).toBeGreaterThan(0)
  const first = commit(store, clock, { reports: [good(0, 1000, 9), good(at, 1000, 3)] })
  expect(await adopted).toEqual({ cv: 2, changed: true })
  await Promise.all([last, first])
  clock.step(6000)
  await store.cutNow()
  const batches = await store.outbox('cloud').next('t', 0, LIMITS)
  const told = batches.map(({ cv, content }) => [
    cv,
    (JSON.parse(content) as { i: string; p: object }[]).map(({ i, p }) => [i, p]),
  ])
  expect(told).toEqual([
    [1, [['d0', { p0: [1, 2], p1: [true, null] }]]],
    [
      2,
      [
        ['d9', { new: [9] }],
        ['d0', { p0: [3] }],
      ],
    ],
  ])
  // The same catalogue again is no new version; the next start knows it.
  expect(await store.adopt({ points, devices, catalogueSha: 'other' })).toEqual({ cv: 2, changed: false })
  await store.close()
  const again = await open(dir, clock, { points, devices, catalogueSha: 'other' })
  expect(again.identity).toMatchObject({ cv: 2, catalogueChanged: false })
})

test('roll-ups of a point go on, those of a point that is gone are kept', async () => {
  const clock = fakeClock()
  const store = await open(temporaryDir(), clock)
  const from = clock.utc()
  store.observe(clock.now(), [good(0, 1000, 10), good(1, 1000, true)])
  await commit(store, clock, { reports: [good(0, 1000, 10)] })
  const { points, devices } = reordered()
  await store.adopt({ points, devices, catalogueSha: 'other' })
  clock.step(1000)
  const at = points.findIndex(({ id }) => id === 'd0.p0')
  store.observe(clock.now(), [good(at, 2000, 20)])
  await commit(store, clock, { reports: [good(at, 2000, 20)] })
  const query = { from: from - 60_000, to: from + 120_000, everyMs: 60_000 }
  const [row] = await store.history({ point: 'd0.p0', ...query })
  expect(row?.slice(1)).toEqual([10, 20, 15, 20, 2])
  const [gone] = await store.history({ point: 'd0.p1', ...query })
  expect(gone?.slice(1)).toEqual([1, 1, 1, 1, 1])
})
