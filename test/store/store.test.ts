import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Halt } from '../../src/runtime/halt.ts'
import { openStore } from '../../src/store/store.ts'
import { commit, fakeClock, good, LIMITS, open, storeOptions, T0, temporaryDir } from './site.ts'

test('what is committed comes out as the contract writes it, once its time is up', async () => {
  const clock = fakeClock()
  const store = await open(temporaryDir(), clock)
  expect(store.identity).toMatchObject({
    boot: 1,
    newEpoch: true,
    clean: true,
    previous: null,
    cv: 1,
    lastCommitAt: null,
  })
  await commit(store, clock, { reports: [good(0, 1000, 1234.5), good(1, 1000, true), good(4, 1000, 'off')] })
  clock.step(5000)
  await commit(store, clock, {
    reports: [
      good(0, 6000, 1234.6),
      { point: 1, mono: 6000, quality: 'bad', cause: { kind: 'exception', code: 2 } },
      { point: 4, mono: 6000, quality: 'uncertain', value: 'on', cause: 'stale' },
    ],
  })
  const [batch] = await store.outbox('cloud').next('t', 0, LIMITS)
  expect(batch).toMatchObject({
    lane: 't',
    number: 1,
    t0: T0 + 1000,
    quality: 1,
    mono: null,
    cv: 1,
    boot: 1,
    count: 5,
    cutMono: 6000,
    newestAt: T0 + 6000,
  })
  expect(batch?.content).toBe(
    '[{"i":"d0","p":{"p0":[1234.5,1234.6],"p1":[true,null]},"q":{"p1":[0,"exception:2"]},"t":[0,5000]},' +
      '{"i":"d1","p":{"p0":["off","on"]},"q":{"p0":[0,"stale"]},"t":[0,5000]}]',
  )
  expect(store.status()).toMatchObject({
    samplesCommitted: 6,
    durable: true,
    lagMs: 0,
    suspect: null,
    batchesCut: { t: 1, a: 0, e: 0 },
  })
})

test('items are numbered in their commit, one batch per lane, and an alarm does not wait for telemetry to be cut', async () => {
  const clock = fakeClock()
  const store = await open(temporaryDir(), clock)
  await commit(store, clock, {
    reports: [good(0, 1000, 1)],
    items: [
      { lane: 'a', body: { rv: 1, id: 'x' } },
      { lane: 'e', body: { ty: 'boot', id: 'y' } },
      { lane: 'a', body: { rv: 2, id: 'x' } },
    ],
    states: [['alarm.x', 'raised']],
  })
  const outbox = store.outbox('cloud')
  const [alarms] = await outbox.next('a', 0, LIMITS)
  expect(alarms).toMatchObject({ number: 1, count: 2, content: '[{"id":"x","rv":1},{"id":"x","rv":2}]', t0: T0 + 1000 })
  expect(await outbox.next('e', 0, LIMITS)).toHaveLength(1)
  expect(await outbox.next('t', 0, LIMITS)).toHaveLength(0)
  await store.cutNow()
  expect(await outbox.next('t', 0, LIMITS)).toHaveLength(1)
  expect(outbox.waiting()).toEqual({ batches: 3, samples: 1, oldestAt: T0 + 1000 })
})

test('a restart goes on where the orderly end was: numbers, states, cursors, leftovers', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const first = await open(dir, clock)
  await commit(first, clock, {
    reports: [good(0, 1000, 1)],
    items: [{ lane: 'e', body: { n: 1 } }],
    states: [
      ['k', 'v'],
      ['gone', 'x'],
    ],
  })
  await commit(first, clock, { reports: [good(1, 1001, 2)], states: [['gone', null]] })
  await first.cutNow()
  const before = await first.outbox('cloud').next('t', 0, LIMITS)
  expect(await first.nextConnection()).toBe(1)
  first.outbox('cloud').confirm('e', 1)
  await commit(first, clock, { reports: [good(2, 1002, 3)] })
  await first.close()

  const second = await open(dir, fakeClock(1, T0 + 60_000))
  expect(second.identity).toMatchObject({
    epoch: first.identity.epoch,
    boot: 2,
    newEpoch: false,
    clean: true,
    catalogueChanged: false,
    lastCommitAt: T0 + 1002,
  })
  expect([...second.states]).toEqual([['k', 'v']])
  const outbox = second.outbox('cloud')
  const after = await outbox.next('t', 0, LIMITS)
  expect(after.map(({ number, id, content, boot }) => ({ number, id, content, boot }))).toEqual([
    ...before.map(({ number, id, content, boot }) => ({ number, id, content, boot })),
    { number: 2, id: expect.any(String), content: '[{"i":"d0","p":{"p2":[3]},"t":[0]}]', boot: 1 },
  ])
  expect(after[0]?.cutMono).toBeNull()
  expect(outbox.position('e')).toEqual({ hi: 1, ack: 1, lo: 2, kept: 1, waiting: 0 })
  expect(await second.nextConnection()).toBe(2)
})

test('another catalogue is another cv; the old batches keep theirs', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const first = await open(dir, clock)
  await commit(first, clock, { reports: [good(0, 1000, 1)] })
  await first.close()
  const second = await open(dir, clock, { catalogueSha: 'other' })
  expect(second.identity).toMatchObject({ cv: 2, catalogueChanged: true })
  await commit(second, clock, { reports: [good(0, 1000, 1)] })
  await second.cutNow()
  const batches = await second.outbox('cloud').next('t', 0, LIMITS)
  expect(batches.map(({ cv, boot }) => ({ cv, boot }))).toEqual([
    { cv: 1, boot: 1 },
    { cv: 2, boot: 2 },
  ])
})

test('a second daemon on the directory is refused at once, in words, and disturbs nothing', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const store = await open(dir, clock)
  const refused = openStore(storeOptions(dir, clock))
  await expect(refused).rejects.toBeInstanceOf(Halt)
  await expect(refused).rejects.toMatchObject({ kind: 'locked' })
  await commit(store, clock, { reports: [good(0, 1000, 1)] })
  await store.close()
  await open(dir, clock)
})

test('state.db finds its long WAL again after an orderly end, so that a full disk cannot stop the start', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const store = await open(dir, clock)
  await commit(store, clock, { states: [['k', 'v']] })
  await store.close()
  expect(existsSync(join(dir, 'state.db-kept'))).toBe(true)
  const again = await open(dir, clock)
  expect(again.states.get('k')).toBe('v')
})

test('set aside: said on lane e, never offered again, still on disk', async () => {
  const clock = fakeClock()
  const store = await open(temporaryDir(), clock)
  await commit(store, clock, { reports: [good(0, 1000, 1)] })
  await store.cutNow()
  const outbox = store.outbox('cloud')
  await outbox.setAside('t', 1, 'refused five times')
  expect(await outbox.next('t', 0, LIMITS)).toEqual([])
  expect(outbox.position('t')).toEqual({ hi: 1, ack: 1, lo: 2, kept: 1, waiting: 0 })
  const [drop] = await outbox.next('e', 0, LIMITS)
  expect(JSON.parse(drop?.content ?? '')).toMatchObject([
    {
      ty: 'drop',
      i: null,
      body: { ln: 't', from: 1, to: 1, n: 1, why: 'deadletter', tFrom: T0 + 1000, tTo: T0 + 1000 },
    },
  ])
  await expect(outbox.setAside('t', 7, 'x')).rejects.toThrow('no batch 7')
})
