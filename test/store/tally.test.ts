/** What the gateway says of an hour equals what a consumer works out from the batches that it received. */
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createAudit } from '../../src/control/audit.ts'
import type { Batch, Lane } from '../../src/model/journal.ts'
import type { Store } from '../../src/store/contract.ts'
import { commit, fakeClock, good, open, temporaryDir } from './site.ts'

async function received(store: Store, lane: Lane): Promise<readonly Batch[]> {
  return await store.outbox('cloud').next(lane, 0, { max: 10_000, bytesMax: 1e9 })
}

/** The platform's side, from the contract's words. */
function workedOut(batches: readonly Batch[]) {
  return {
    first: batches[0]?.number ?? null,
    last: batches.at(-1)?.number ?? null,
    batches: batches.length,
    samples: batches.reduce((sum, batch) => sum + batch.count, 0),
    sha256: createHash('sha256')
      .update(batches.map(({ id }) => id).join(''), 'utf8')
      .digest('hex'),
  }
}

test('each lane, over a restart, in ranges that follow each other', async () => {
  const dir = temporaryDir()
  const clock = fakeClock()
  const told: Record<string, unknown>[] = []
  const kept = new Map<string, string>()
  const audit = (store: Store) =>
    createAudit({
      store: { states: kept, tally: store.tally },
      hi: (lane) => store.outbox('cloud').position(lane).hi,
      now: clock.utc,
      tell: async (_type, _device, body) => void told.push({ ...body }),
      keep: async (key, value) => void kept.set(key, value),
    })
  const all: Record<Lane, Batch[]> = { t: [], a: [], e: [] }

  for (const boot of [1, 2]) {
    const store = await open(dir, clock)
    const run = audit(store)
    for (let k = 0; k < 20; k++) {
      clock.step(1000)
      await commit(store, clock, {
        reports: [good(0, clock.mono(), boot * 100 + k)],
        items: [{ lane: 'a', body: { k } }],
      })
      if (k % 5 === 4) await store.cutNow()
    }
    for (const lane of ['t', 'a', 'e'] as const) {
      const known = new Set(all[lane].map(({ number }) => number))
      all[lane].push(...(await received(store, lane)).filter(({ number }) => !known.has(number)))
    }
    await run()
    await run()
    await store.close()
  }

  for (const lane of ['t', 'a', 'e'] as const) {
    const ranges = told.filter(({ ln }) => ln === lane)
    let after = 0
    for (const { hour, ln: _, ...range } of ranges) {
      expect(hour).toBe(Math.floor(clock.utc() / 3_600_000) * 3_600_000)
      const mine = all[lane].filter(({ number }) => number > after && number <= (range['last'] as number))
      expect(range).toEqual(workedOut(mine))
      after = range['last'] as number
    }
    expect(after).toBe(all[lane].at(-1)?.number ?? 0)
    expect(ranges.length).toBe(all[lane].length === 0 ? 0 : 2)
  }
})
