import { closeSync, cpSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import type { Store } from '../../src/store/contract.ts'
import { openStore } from '../../src/store/store.ts'
import { commit, fakeClock, FLOOR, good, LIMITS, open, storeOptions, T0, temporaryDir } from './site.ts'

/** The directory as a kill would leave it at this moment: nothing is closed. */
function killed(dir: string): string {
  const copy = temporaryDir()
  for (const name of readdirSync(dir)) {
    if (name !== 'gatehouse.lock' && name !== 'state.db-kept') cpSync(join(dir, name), join(copy, name))
  }
  return copy
}

async function drops(store: Store): Promise<unknown[]> {
  const batches = await store.outbox('cloud').next('e', 0, LIMITS)
  return batches
    .flatMap(({ content }): { ty?: string; body: unknown }[] => JSON.parse(content))
    .filter(({ ty }) => ty === 'drop')
    .map(({ body }) => body)
}

test('after an unclean end numbering goes on at the fence and the jump is declared', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const store = await open(dir, clock)
  await commit(store, clock, {
    reports: [good(0, 1000, 1)],
    items: [{ lane: 'a', body: { n: 1 } }],
    states: [['k', 'v']],
  })
  await store.cutNow()
  await commit(store, clock, { reports: [good(1, 1500, 2)] })

  const again = await open(killed(dir), fakeClock(1, T0 + 10_000))
  expect(again.identity).toMatchObject({ boot: 2, clean: false, newEpoch: false, lastCommitAt: T0 + 1500 })
  expect(again.states.get('k')).toBe('v')
  const outbox = again.outbox('cloud')
  const batches = await outbox.next('t', 0, LIMITS)
  // The leftover of the first boot is cut first, above the fence.
  await again.cutNow()
  const all = await outbox.next('t', 0, LIMITS)
  expect(batches.map(({ number }) => number)).toEqual([1])
  expect(all.map(({ number, boot, content }) => [number, boot, content])).toEqual([
    [1, 1, '[{"i":"d0","p":{"p0":[1]},"t":[0]}]'],
    [1001, 1, '[{"i":"d0","p":{"p1":[2]},"t":[0]}]'],
  ])
  const none = { tFrom: null, tTo: null, n: 0, why: 'power' }
  expect(await drops(again)).toEqual([
    { ln: 't', from: 2, to: 1000, ...none },
    { ln: 'a', from: 2, to: 1000, ...none },
    { ln: 'e', from: 1, to: 1000, ...none },
  ])
  outbox.confirm('t', 1)
  outbox.confirm('t', 1001)
  expect(outbox.position('t')).toEqual({ hi: 1001, ack: 1001, lo: 1002, kept: 1, waiting: 0 })
  expect(outbox.position('a')).toMatchObject({ hi: 1000, ack: 0, lo: 1, waiting: 1 })
})

test('a jump is declared once, and a clean start after it declares nothing', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const first = await open(dir, clock)
  await commit(first, clock, { items: [{ lane: 'a', body: {} }] })
  const copy = killed(dir)
  const second = await open(copy, clock)
  await second.close()
  const third = await open(copy, clock)
  expect(await drops(third)).toHaveLength(3)
  expect(third.identity).toMatchObject({ boot: 3, clean: true })
  await commit(third, clock, { items: [{ lane: 'a', body: {} }] })
  expect(third.outbox('cloud').position('a')).toMatchObject({ hi: 1001, waiting: 2 })
})

test('a damaged segment is set aside and declared, and the rest goes on', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const first = await open(dir, clock)
  for (let round = 0; round < 60; round++) {
    clock.step(10)
    const values = Array.from({ length: 12 }, (_, point) => good(point, clock.mono(), Math.sin(round * 12 + point)))
    await commit(first, clock, { reports: values, ...(round === 0 ? { items: [{ lane: 'a', body: { n: 1 } }] } : {}) })
  }
  await first.cutNow()
  await first.close()
  const file = join(dir, 't-1.db')
  const handle = openSync(file, 'r+')
  for (let at = 3000; at < statSync(file).size; at += 700) writeSync(handle, Uint8Array.of(0xa5, 0x5a), 0, 2, at)
  closeSync(handle)

  const second = await open(dir, clock)
  const outbox = second.outbox('cloud')
  // Whether the structure or only a checksum is hurt: nothing wrong is offered, and what is missing is said.
  expect(await outbox.next('t', 0, LIMITS)).toEqual([])
  expect(second.status().suspect).toContain('t-1.db')
  expect(await drops(second)).toMatchObject([{ ln: 't', from: 1, to: 1, why: 'disk' }])
  expect(outbox.position('t')).toMatchObject({ hi: 1, ack: 1, waiting: 0 })
  expect(await outbox.next('a', 0, LIMITS)).toHaveLength(1)
  await commit(second, clock, { reports: [good(0, clock.mono(), 7)] })
  await second.cutNow()
  expect((await outbox.next('t', 0, LIMITS)).map(({ number }) => number)).toEqual([2])
})

test.each(['', 'rubbish'])('a segment that is no database (%j) is set aside as .bad', async (text) => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const first = await open(dir, clock)
  await commit(first, clock, { reports: [good(0, 1000, 1)] })
  await first.cutNow()
  await first.close()
  const file = join(dir, 't-1.db')
  rmSync(file)
  const handle = openSync(file, 'w')
  writeSync(handle, text.repeat(600))
  closeSync(handle)
  const second = await open(dir, clock)
  expect(await drops(second)).toMatchObject([{ ln: 't', from: 1, to: 1 }])
  await commit(second, clock, { reports: [good(0, 1000, 1)] })
  await second.cutNow()
  expect((await second.outbox('cloud').next('t', 0, LIMITS)).map(({ number }) => number)).toEqual([2])
})

test('a lost state.db is a new epoch; the old segments are kept aside and their numbers told', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const first = await open(dir, clock)
  await commit(first, clock, { reports: [good(0, 1000, 1)] })
  await first.cutNow()
  await first.close()
  for (const name of ['state.db', 'state.db-wal', 'state.db-kept']) rmSync(join(dir, name), { force: true })
  const second = await open(dir, clock)
  expect(second.identity).toMatchObject({
    newEpoch: true,
    boot: 1,
    previous: { epoch: first.identity.epoch, hi: { t: 1, a: null, e: null } },
  })
  expect(second.identity.epoch).not.toBe(first.identity.epoch)
  expect(readdirSync(dir)).toContain('t-1.db.old')
  expect(await second.outbox('cloud').next('t', 0, LIMITS)).toEqual([])
})

test('a newer format is refused in words and left untouched', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  await (await open(dir, clock)).close()
  const db = new Database(join(dir, 'state.db'))
  db.pragma('user_version = 99')
  db.close()
  const refused = openStore(storeOptions(dir, clock))
  await expect(refused).rejects.toThrow(/newer Gatehouse \(format 99/)
  await expect(refused).rejects.toMatchObject({ kind: 'disk', hint: { en: expect.stringContaining('install') } })
  const after = new Database(join(dir, 'state.db'), { readonly: true })
  expect(after.pragma('user_version', { simple: true })).toBe(99)
  after.close()
})

test('booted in 1970: telemetry waits, alarms do not; when time comes it goes out at tq 4 with true times', async () => {
  const clock = fakeClock(0, 1000)
  const store = await open(temporaryDir(), clock)
  await commit(store, clock, { reports: [good(0, 1000, 1)], items: [{ lane: 'a', body: { n: 1 } }] })
  clock.step(300_000)
  await commit(store, clock, { reports: [good(0, clock.mono(), 2)] })
  await store.cutNow()
  const outbox = store.outbox('cloud')
  expect(await outbox.next('t', 0, LIMITS)).toEqual([])
  const [alarm] = await outbox.next('a', 0, LIMITS)
  expect(alarm).toMatchObject({ quality: 0, t0: FLOOR + 1000, mono: 1000 })

  clock.trust(1, T0)
  await commit(store, clock, { reports: [good(0, clock.mono(), 3)] })
  await store.cutNow()
  const batches = await outbox.next('t', 0, LIMITS)
  expect(batches.map(({ quality, t0, content, mono }) => [quality, t0, content, mono])).toEqual([
    [4, T0 + 1000, '[{"i":"d0","p":{"p0":[1,2]},"t":[0,300000]}]', null],
    [1, T0 + 301_000, '[{"i":"d0","p":{"p0":[3]},"t":[0]}]', null],
  ])
})

test('time never came: after 15 min batches go out at tq 0 with their monotonic base, never as 1970', async () => {
  const clock = fakeClock(0, 1000)
  const store = await open(temporaryDir(), clock)
  await commit(store, clock, { reports: [good(0, 1000, 1)] })
  clock.step(15 * 60_000)
  await commit(store, clock, { states: [['tick', '1']] })
  await store.cutNow()
  const [batch] = await store.outbox('cloud').next('t', 0, LIMITS)
  expect(batch).toMatchObject({ quality: 0, t0: FLOOR + 1000, mono: 1000 })
})
