/** An outbox in memory, for tests: cuts batches from entries, keeps what is not confirmed. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../../src/bytes/json.ts'
import type { Batch, Lane } from '../../src/model/journal.ts'
import type { Identity, Outbox } from '../../src/store/contract.ts'

export const EPOCH = '5f3a9c1e'

export const IDENTITY: Identity = {
  epoch: EPOCH,
  boot: 12,
  newEpoch: false,
  previous: null,
  clean: true,
  lastCommitAt: null,
  cv: 42,
  catalogueChanged: false,
}

export type FakeOutbox = {
  readonly outbox: Outbox
  readonly add: (lane: Lane, options?: { old?: boolean; agoMs?: number; padding?: string }) => Batch
  readonly onCut: (listener: () => void) => () => void
  readonly waiting: (lane: Lane) => readonly number[]
  readonly setAside: readonly { lane: Lane; number: number; why: string }[]
}

export function createFakeOutbox(mono: () => number): FakeOutbox {
  const batches: Record<Lane, Batch[]> = { t: [], a: [], e: [] }
  const done: Record<Lane, Set<number>> = { t: new Set(), a: new Set(), e: new Set() }
  const setAside: { lane: Lane; number: number; why: string }[] = []
  const listeners = new Set<() => void>()
  const open = (lane: Lane): Batch[] => batches[lane].filter(({ number }) => !done[lane].has(number))

  function entriesOf(lane: Lane, number: number, at: number, padding: string): unknown[] {
    if (lane === 't') return [{ i: 'meter_12', t: [0], p: { energy: [number], note: [padding] } }]
    if (lane === 'a') return [{ id: `alarm_${number}`, rv: 1, ev: 'raised', at, text: padding }]
    return [{ id: `event_${number}`, ty: 'health', at, i: null, body: { padding } }]
  }

  return {
    setAside,
    /** `old`: of an earlier boot, an hour ago unless said otherwise. */
    add(lane, { old = false, agoMs = old ? 3_600_000 : 0, padding = '' } = {}) {
      const number = batches[lane].length + 1
      const t0 = Date.now() - agoMs
      const content = canonicalJson(entriesOf(lane, number, t0, padding))
      const batch: Batch = {
        lane,
        number,
        id: createHash('sha256').update(content).digest('hex').slice(0, 16),
        epoch: EPOCH,
        boot: old ? 11 : 12,
        t0,
        quality: 1,
        errorMs: null,
        mono: null,
        cv: 42,
        count: lane === 't' ? 2 : 1,
        newestAt: t0,
        cutMono: old ? null : mono(),
        content,
      }
      batches[lane].push(batch)
      for (const listener of listeners) listener()
      return batch
    },
    onCut(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    waiting: (lane) => open(lane).map(({ number }) => number),
    outbox: {
      async next(lane, after, { max, bytesMax }) {
        await Promise.resolve()
        const found: Batch[] = []
        let bytes = 0
        for (const batch of open(lane)) {
          if (batch.number <= after) continue
          if (found.length === max || (found.length > 0 && bytes + batch.content.length > bytesMax)) break
          bytes += batch.content.length
          found.push(batch)
        }
        return found
      },
      confirm(lane, number) {
        done[lane].add(number)
      },
      async setAside(lane, number, why) {
        await Promise.resolve()
        done[lane].add(number)
        setAside.push({ lane, number, why })
      },
      position(lane) {
        const hi = batches[lane].length
        const waiting = open(lane)
        const lo = waiting[0]?.number ?? hi + 1
        return { hi, ack: lo - 1, lo, kept: 1, waiting: waiting.length }
      },
      oldestAt: (lane) => open(lane)[0]?.t0 ?? null,
      waiting() {
        const all = [...open('t'), ...open('a'), ...open('e')]
        return {
          batches: all.length,
          samples: all.reduce((sum, { count }) => sum + count, 0),
          oldestAt: all.length === 0 ? null : Math.min(...all.map(({ t0 }) => t0)),
        }
      },
    },
  }
}
