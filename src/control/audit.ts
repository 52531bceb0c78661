/**
 * Once an hour, per lane, what was cut since the last time: numbers, batches, samples, and a hash that the platform can work out
 * from its own store. Equal means: proved, for these numbers (uplink contract, section 9). Ranges follow each other without a hole.
 */
import type { Event, EventType, Lane } from '../model/journal.ts'
import type { Store } from '../store/contract.ts'

const KEY = 'audit.told'
const HOUR_MS = 3_600_000

type Told = Record<Lane, number>

export type AuditOptions = {
  readonly store: Pick<Store, 'states' | 'tally'>
  /** Highest number cut. */
  readonly hi: (lane: Lane) => number
  readonly now: () => number
  readonly tell: (type: EventType, device: null, body: Event['body']) => Promise<void>
  readonly keep: (key: string, value: string) => Promise<void>
}

export function createAudit(options: AuditOptions): () => Promise<void> {
  let told = parse(options.store.states.get(KEY))
  return async () => {
    const hour = Math.floor(options.now() / HOUR_MS) * HOUR_MS
    const next: Told = { ...told }
    const events: Event['body'][] = []
    for (const lane of ['t', 'a', 'e'] as const) {
      const upTo = options.hi(lane)
      const { first, last, batches, samples, sha256 } = await options.store.tally(lane, told[lane], upTo)
      next[lane] = upTo
      if (batches > 0) events.push({ hour, ln: lane, first, last, batches, samples, sha256 })
    }
    // Told before it is noted: a power cut in between tells a range twice, never not at all.
    await Promise.all(events.map((body) => options.tell('audit', null, body)))
    told = next
    await options.keep(KEY, JSON.stringify(told))
  }
}

function parse(text: string | undefined): Told {
  const kept: unknown = text === undefined ? null : JSON.parse(text)
  const of = (lane: Lane): number => {
    const value: unknown = kept !== null && typeof kept === 'object' ? Reflect.get(kept, lane) : 0
    return typeof value === 'number' ? value : 0
  }
  return { t: of('t'), a: of('a'), e: of('e') }
}
