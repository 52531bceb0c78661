/** When lane t is cut, and with which clock (design, section 5). Pure. */
import type { ClockReading, TimeQuality } from '../model/journal.ts'
import type { StoreSettings } from '../model/site.ts'
import type { ChunkHead } from './heads.ts'

/** How long telemetry waits for a trustworthy clock. */
export const HOLD_MS = 15 * 60_000

export type Cut = {
  readonly chunks: readonly ChunkHead[]
  readonly quality: TimeQuality
  /** UTC = mono + rebase for all of it; null: each chunk's own offset. */
  readonly rebaseMs: number | null
}

export type CutPolicy = {
  readonly now: ClockReading
  readonly boot: number
  readonly cut: StoreSettings['cut']
  readonly commitEveryMs: number
  /** Cut what is open. What waits for the clock goes on waiting. */
  readonly force: boolean
  /** UTC of mono 0 where nothing is known: the time floor. */
  readonly floorMs: number
  /** Since when (mono) this boot's telemetry has been waiting for the clock; null: it is not. */
  readonly heldSinceMono: number | null
}

function isTrusted(quality: TimeQuality): boolean {
  return quality === 1 || quality === 2 || quality === 4
}

/** `waiting` are the uncut chunks in their order; the cuts are a prefix of them. */
export function planCuts(waiting: readonly ChunkHead[], policy: CutPolicy): readonly Cut[] {
  const cuts: Cut[] = []
  let from = 0
  while (from < waiting.length) {
    const first = waiting[from]
    if (first === undefined) break
    let to = from + 1
    while (to < waiting.length && isAlike(first, waiting[to])) to++
    const trust = trustOf(first, waiting, policy)
    if (trust === 'wait') break
    const isOpen = to === waiting.length && first.boot === policy.boot && first.quality === policy.now.quality
    const done = cutRun(waiting.slice(from, to), { ...policy, ...trust, isOpen, force: policy.force || !isOpen })
    cuts.push(...done)
    const used = done.reduce((sum, cut) => sum + cut.chunks.length, 0)
    if (from + used < to) break
    from = to
  }
  return cuts
}

/** A batch never spans a boot, a configuration or a change of trust; a stepped clock begins a new one too. */
function isAlike(a: ChunkHead, b: ChunkHead | undefined): boolean {
  return (
    b !== undefined &&
    a.boot === b.boot &&
    a.cv === b.cv &&
    a.quality === b.quality &&
    (a.quality === 0 || Math.abs(a.offsetMs - b.offsetMs) < 1000)
  )
}

type Trust = { readonly quality: TimeQuality; readonly rebaseMs: number | null }

function trustOf(chunk: ChunkHead, waiting: readonly ChunkHead[], policy: CutPolicy): Trust | 'wait' {
  if (isTrusted(chunk.quality)) return { quality: chunk.quality, rebaseMs: null }
  const isOurs = chunk.boot === policy.boot
  if (isOurs && isTrusted(policy.now.quality)) return { quality: 4, rebaseMs: policy.now.offsetMs }
  const learnt = waiting.find((other) => other.boot === chunk.boot && isTrusted(other.quality))
  if (learnt !== undefined) return { quality: 4, rebaseMs: learnt.offsetMs }
  const since = policy.heldSinceMono
  if (isOurs && since !== null && policy.now.mono - since < HOLD_MS) return 'wait'
  if (chunk.quality === 3) return { quality: 3, rebaseMs: null }
  return { quality: 0, rebaseMs: policy.floorMs }
}

/** Cuts a run of alike chunks by size; the rest stays open until its age or `force` closes it. */
function cutRun(run: readonly ChunkHead[], policy: CutPolicy & Trust & { readonly isOpen: boolean }): Cut[] {
  const cuts: Cut[] = []
  let open: ChunkHead[] = []
  let samples = 0
  let bytes = 0
  const close = (): void => {
    if (open.length > 0) cuts.push({ chunks: open, quality: policy.quality, rebaseMs: policy.rebaseMs })
    open = []
    samples = 0
    bytes = 0
  }
  for (const chunk of run) {
    if (samples + chunk.count > policy.cut.samples || bytes + chunk.bytes > policy.cut.bytes) close()
    open.push(chunk)
    samples += chunk.count
    bytes += chunk.bytes
  }
  if (policy.force || samples >= policy.cut.samples || bytes >= policy.cut.bytes) close()
  else {
    const oldest = Math.min(...open.map((chunk) => chunk.monoMin))
    // The commit before the due moment cuts when it is nearer than the one after it.
    if (policy.now.mono - oldest >= policy.cut.everyMs - policy.commitEveryMs / 2) close()
  }
  return cuts
}
