/**
 * Local outputs are levels: a rule says what an output should be, and it is written until the device has it. Nothing here waits
 * for the disk. A newer level replaces an older one that is not written yet; what a device refuses is not forced on it.
 */
import type { WriteOutcome } from '../model/command.ts'
import type { Value } from '../model/point.ts'
import { createBackoff } from '../runtime/backoff.ts'
import { sleep } from '../runtime/timer.ts'

export type Level = { readonly point: number; readonly value: Value; readonly rule: string }

export type Outputs = {
  readonly apply: (levels: readonly Level[]) => void
  /** Ends waiting retries; resolves when no write is under way. */
  readonly close: () => Promise<void>
}

export type OutputOptions = {
  readonly write: (level: Level) => Promise<WriteOutcome>
  /** Told once per level: when it was written, refused, or first failed to be written. */
  readonly told: (level: Level, outcome: WriteOutcome) => void
  readonly retryBaseMs?: number
}

export function createOutputs(options: OutputOptions): Outputs {
  const abort = new AbortController()
  /** Present while an output is being brought to its level. */
  const wanted = new Map<number, Level>()
  const working = new Map<number, Promise<void>>()

  async function bring(point: number): Promise<void> {
    const backoff = createBackoff({ baseMs: options.retryBaseMs ?? 2000, maxMs: 60_000, floor: 0.5 })
    let told: Level | null = null
    for (;;) {
      const level = wanted.get(point)
      if (level === undefined || abort.signal.aborted) break
      const outcome = await options.write(level)
      const settled = outcome.outcome === 'done' || outcome.outcome === 'refused'
      if (settled || told !== level) options.told(level, outcome)
      told = level
      if (wanted.get(point) !== level) continue
      if (settled) {
        wanted.delete(point)
        break
      }
      await sleep(backoff.next(), abort.signal)
    }
    // In the same step as the look at `wanted`, so that a level that comes next starts a bringer of its own.
    working.delete(point)
  }

  return {
    apply(levels) {
      for (const level of levels) {
        wanted.set(level.point, level)
        if (working.has(level.point)) continue
        working.set(level.point, bring(level.point))
      }
    },
    async close() {
      abort.abort()
      await Promise.allSettled(working.values())
    },
  }
}
