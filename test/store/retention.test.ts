import { readdirSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import type { Store } from '../../src/store/contract.ts'
import { SETTINGS } from './settings.ts'
import { commit, type FakeClock, fakeClock, good, LIMITS, open, temporaryDir } from './site.ts'

const DAY = 86_400_000

/** One batch in a segment of its own. */
async function day(store: Store, clock: FakeClock): Promise<void> {
  clock.step(DAY)
  await commit(store, clock, { reports: [good(0, clock.mono(), 1)] })
  await store.cutNow()
}

const segments = (dir: string): string[] =>
  readdirSync(dir)
    .filter((name) => /^t-\d+\.db$/.test(name))
    .sort()

/** The writer looks after each commit, at most once a minute of the clock. */
async function until(store: Store, clock: FakeClock, done: () => boolean): Promise<void> {
  await vi.waitFor(async () => {
    clock.step(61_000)
    await commit(store, clock, { states: [['tick', '1']] })
    expect(done()).toBe(true)
  }, 5000)
}

test('a new segment each day; acknowledged ones leave when their time is over, the cursor saved before', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  let store = await open(dir, clock)
  for (let count = 0; count < 3; count++) await day(store, clock)
  expect(segments(dir)).toEqual(['t-1.db', 't-2.db', 't-3.db'])
  store.outbox('cloud').confirm('t', 1)
  await store.close()
  store = await open(dir, clock)
  await until(store, clock, () => !segments(dir).includes('t-1.db'))
  // The second is not acknowledged: it stays, however old.
  clock.step(3 * DAY)
  await until(store, clock, () => true)
  expect(segments(dir)).toEqual(['t-2.db', 't-3.db'])
  const outbox = store.outbox('cloud')
  expect(outbox.position('t')).toEqual({ hi: 3, ack: 1, lo: 2, kept: 2, waiting: 2 })
  await store.close()
  store = await open(dir, clock)
  expect(store.outbox('cloud').position('t')).toEqual({ hi: 3, ack: 1, lo: 2, kept: 2, waiting: 2 })
  // What left is history by now, and nothing was declared lost.
  expect(await store.history({ point: 'd0.p0', from: 0, to: clock.utc() + 1, everyMs: 0 })).toHaveLength(3)
  expect(await store.outbox('cloud').next('e', 0, LIMITS)).toEqual([])
})

test('over budget the oldest unacknowledged segment goes, declared; the newest and the alarms stay', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const store = await open(dir, clock, { settings: { ...SETTINGS, budgetBytes: 1000 } })
  await commit(store, clock, { items: [{ lane: 'a', body: { n: 1 } }] })
  for (let count = 0; count < 3; count++) await day(store, clock)
  await until(store, clock, () => segments(dir).length === 1)
  const outbox = store.outbox('cloud')
  expect(outbox.position('t')).toEqual({ hi: 3, ack: 2, lo: 3, kept: 3, waiting: 1 })
  expect(outbox.position('a')).toMatchObject({ waiting: 1 })
  const drops = (await outbox.next('e', 0, LIMITS)).flatMap(({ content }) => JSON.parse(content) as { body: unknown }[])
  expect(drops.map(({ body }) => body)).toMatchObject([
    { ln: 't', from: 1, to: 1, n: 1, why: 'retention' },
    { ln: 't', from: 2, to: 2, n: 1, why: 'retention' },
  ])
  await commit(store, clock, { items: [{ lane: 'a', body: { n: 2 } }] })
  expect(store.status().dropped).toEqual({ t: 2, a: 0, e: 0 })
})
