/**
 * Lanes a and e, states, fences, and what is declared: everything that is one commit of state.db. An error is retried once on the file
 * opened anew; entries that still cannot be stored are owed and go with the next commit.
 */
import type { ClockReading, Drop, Lane } from '../model/journal.ts'
import type { BatchNote, ChunkHead, DeclaredGap } from './heads.ts'
import { buildItemBatch, dropItem, type ItemFrame, splitItems, utcOf } from './items.ts'
import type { Commit, Loss, Setup } from './messages.ts'
import { LANES, type Start } from './recovery.ts'
import type { SegmentNote } from './segments.ts'
import { FENCE_LOW, FENCE_STEP, type ItemBatch, type State } from './state.ts'

/** Items that wait for the disk to come back. The oldest go first, counted in the log. */
const OWED_MAX = 10_000
/** Losses are declared when the disk is back, or after so long. */
const LOSS_EVERY_MS = 60_000

export type Announce = {
  readonly cut: (notes: readonly BatchNote[], gaps: readonly DeclaredGap[]) => void
  readonly log: (level: 'info' | 'warn' | 'error', message: string) => void
  /** Chunks that became durable. */
  readonly chunks: (segment: SegmentNote, heads: readonly ChunkHead[], time: ClockReading) => void
}

type ItemText = Commit['items'][number]

export class Entries {
  readonly #state: State
  readonly #setup: Setup
  readonly #start: Start
  readonly #announce: Announce
  readonly #fence: Record<Lane, number>
  /** Highest number of each lane that is durable; lane t's is moved by whoever cuts it. */
  readonly hi: Record<Lane, number>
  /** Under which names and scales hold: a reload may raise it. */
  #cv: number
  #owedItems: ItemText[] = []
  readonly #owedStates = new Map<string, string | null>()
  #loss: Loss | null = null
  /** Samples (entries, for lanes a and e) declared dropped in this boot. */
  readonly dropped: Record<Lane, number>
  #lossSince = 0

  constructor(parts: { state: State; setup: Setup; start: Start; announce: Announce }) {
    this.#state = parts.state
    this.#setup = parts.setup
    this.#start = parts.start
    this.#announce = parts.announce
    this.#fence = { ...parts.start.fence }
    this.hi = { ...parts.start.hi }
    this.#cv = parts.start.identity.cv
    this.dropped = { ...parts.start.dropped }
  }

  adopt(cv: number): void {
    this.#cv = cv
  }

  #frame(time: ClockReading): ItemFrame {
    return { boot: this.#start.identity.boot, cv: this.#cv, time, floorMs: this.#start.floorMs }
  }

  commit({ items, states, time }: Commit): string | null {
    this.#owedItems.push(...items)
    for (const [key, value] of states) this.#owedStates.set(key, value)
    if (this.#owedItems.length === 0 && this.#owedStates.size === 0) return null
    try {
      this.#storeItems(this.#owedItems, this.#owedStates, time, () => undefined)
      this.#owedItems = []
      this.#owedStates.clear()
      return null
    } catch (error) {
      const over = this.#owedItems.length - OWED_MAX
      if (over > 0) {
        this.#owedItems.splice(0, over)
        this.#announce.log(
          'error',
          `${over} entries of lanes a and e were lost: the disk has refused them for too long`,
        )
      }
      return messageOf(error)
    }
  }

  /** One commit of state.db: states, numbered batches, and what `more` adds. Announces what became durable. */
  #storeItems(
    items: readonly ItemText[],
    states: Iterable<readonly [string, string | null]>,
    time: ClockReading,
    more: () => void,
    gaps: readonly DeclaredGap[] = [],
  ): void {
    const batches: { lane: 'a' | 'e'; batch: ItemBatch }[] = []
    for (const lane of ['a', 'e'] as const) {
      const texts = items.filter((item) => item.lane === lane).map((item) => item.text)
      const groups = splitItems(texts, this.#setup.settings.cut.bytes)
      if (groups.length > 0) this.raiseFence(lane, groups.length)
      groups.forEach((group, at) => {
        batches.push({ lane, batch: buildItemBatch(this.hi[lane] + 1 + at, group, this.#frame(time)) })
      })
    }
    const entries = [...states]
    this.#commitTwice(() => {
      for (const [key, value] of entries) this.#state.putState(key, value)
      for (const { lane, batch } of batches) this.#state.putBatch(lane, batch)
      more()
    })
    for (const { lane, batch } of batches) this.hi[lane] = batch.number
    this.#countDrops(items)
    const notes = batches.map(({ lane, batch }) => ({
      lane,
      number: batch.number,
      count: batch.count,
      newestAt: batch.newestAt,
    }))
    if (notes.length > 0 || gaps.length > 0) this.#announce.cut(notes, gaps)
  }

  /** Whoever declares one, it is an event on lane e; its text has sorted keys. */
  #countDrops(items: readonly ItemText[]): void {
    for (const { lane, text } of items) {
      if (lane !== 'e' || !text.endsWith('"ty":"drop"}')) continue
      const { body } = JSON.parse(text) as { body: Pick<Drop, 'ln' | 'n'> }
      this.dropped[body.ln] += body.n
    }
  }

  #commitTwice(body: () => void): void {
    try {
      this.#state.commit(body)
    } catch (error) {
      this.#state.reopen()
      this.#state.commit(body)
      this.#announce.log('warn', `state.db: opened again after: ${messageOf(error)}`)
    }
  }

  /** In a commit of its own, before any number above it is used. */
  raiseFence(lane: Lane, wanted: number): void {
    if (this.#fence[lane] - this.hi[lane] >= Math.max(FENCE_LOW, wanted)) return
    const fence = this.#fence[lane] + Math.max(FENCE_STEP, wanted)
    this.#commitTwice(() => this.#state.raiseFence(lane, fence))
    this.#fence[lane] = fence
  }

  /** Declares a loss on lane e, durable together with what `more` writes. */
  declare(drop: Drop, time: ClockReading, more: () => void = () => undefined): void {
    const text = dropItem(drop, utcOf(time, this.#start.floorMs))
    const gaps =
      drop.from !== null && drop.to !== null && drop.why !== 'deadletter'
        ? [{ lane: drop.ln, from: drop.from, to: drop.to }]
        : []
    this.#storeItems(
      [{ lane: 'e', text }],
      [],
      time,
      () => {
        for (const gap of gaps) this.#state.putGap(gap, drop.why)
        more()
      },
      gaps,
    )
  }

  lose(loss: Loss, time: ClockReading): void {
    if (loss.samples === 0) return
    const known = this.#loss
    if (known === null) this.#lossSince = time.mono
    this.#loss = {
      samples: loss.samples + (known?.samples ?? 0),
      from: Math.min(loss.from, known?.from ?? loss.from),
      to: Math.max(loss.to, known?.to ?? loss.to),
    }
  }

  /** `isBack`: the disk has just taken telemetry. */
  declareLoss(time: ClockReading, isBack: boolean): void {
    const loss = this.#loss
    if (loss === null || !(isBack || time.mono - this.#lossSince > LOSS_EVERY_MS)) return
    try {
      this.declare(
        { ln: 't', from: null, to: null, n: loss.samples, tFrom: loss.from, tTo: loss.to, why: 'disk' },
        time,
      )
      this.#loss = null
    } catch (error) {
      this.#lossSince = time.mono
      this.#announce.log('warn', `a loss of ${loss.samples} samples is not declared yet: ${messageOf(error)}`)
    }
  }

  /** The numbers noted, so that the next start goes on without a jump. */
  end(time: ClockReading): void {
    this.declareLoss(time, true)
    const ended = Object.fromEntries(LANES.map((lane) => [lane, this.hi[lane]]))
    this.#state.commit(() => this.#state.putMeta('ended', JSON.stringify(ended)))
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
