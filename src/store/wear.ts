/**
 * What the store costs the card. Flash wears by commits: measured at the block device where it can be found, and telemetry commits are
 * stretched to hold `store.wear`. Other programs on the same device count too: it is one card.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import type { StoreSettings } from '../model/site.ts'
import type { StoreStatus } from './contract.ts'

const DAY_MS = 86_400_000
const LOOK_EVERY_MS = 10_000
/** Over so long the rate is judged. */
const WINDOW_MS = 60_000
export const COMMIT_EVERY_MAX_MS = 10_000
const SECTOR = 512

type Counter = { readonly source: StoreStatus['wearSource']; readonly read: () => number }

export function findCounter(dir: string): Counter {
  const { dev } = statSync(dir)
  // Linux: 12 bits of major, 20 of minor, interleaved (makedev(3)).
  const major = (dev >>> 8) & 0xfff
  const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00)
  const stat = `/sys/dev/block/${major}:${minor}/stat`
  if (existsSync(stat)) return { source: 'block', read: () => sectorsWritten(readFileSync(stat, 'utf8')) * SECTOR }
  if (existsSync('/proc/self/io')) {
    return {
      source: 'process',
      read: () => Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]),
    }
  }
  return { source: 'none', read: () => 0 }
}

/** Seventh field of a block device's stat (kernel, Documentation/block/stat.rst). */
function sectorsWritten(stat: string): number {
  return Number(stat.trim().split(/\s+/)[6])
}

/** The next interval: in proportion to how far the rate is from the limit, never below what is configured. Pure. */
export function stretch(
  everyMs: number,
  { bytesPerDay, limit, baseMs }: { bytesPerDay: number; limit: number; baseMs: number },
): number {
  const wanted = everyMs * (bytesPerDay / limit)
  // Halfway: part of the rate does not depend on the interval.
  const next = Math.round((everyMs + wanted) / 2)
  return Math.max(baseMs, Math.min(Math.max(COMMIT_EVERY_MAX_MS, baseMs), next))
}

export class Wear {
  readonly #counter: Counter
  readonly #settings: StoreSettings
  readonly #first: { mono: number; bytes: number }
  #window: { mono: number; bytes: number }
  #lookedMono: number
  bytesPerDay = 0
  commitEveryMs: number

  constructor(dir: string, settings: StoreSettings, mono: number, counter: Counter = findCounter(dir)) {
    this.#settings = settings
    this.#counter = counter
    this.commitEveryMs = settings.commitEveryMs
    this.#first = { mono, bytes: counter.read() }
    this.#window = this.#first
    this.#lookedMono = mono
  }

  get source(): StoreStatus['wearSource'] {
    return this.#counter.source
  }

  /** Looks at the counter at most every 10 s. */
  step(mono: number): void {
    if (this.#counter.source === 'none' || mono - this.#lookedMono < LOOK_EVERY_MS) return
    this.#lookedMono = mono
    const bytes = this.#counter.read()
    const elapsed = mono - this.#first.mono
    this.bytesPerDay = Math.round(((bytes - this.#first.bytes) / elapsed) * DAY_MS)
    const inWindow = mono - this.#window.mono
    if (inWindow < WINDOW_MS) return
    const rate = ((bytes - this.#window.bytes) / inWindow) * DAY_MS
    const { wearBytesPerDay: limit, commitEveryMs: baseMs } = this.#settings
    this.commitEveryMs = stretch(this.commitEveryMs, { bytesPerDay: rate, limit, baseMs })
    this.#window = { mono, bytes }
  }
}
