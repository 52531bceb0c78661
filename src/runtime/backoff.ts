/** Exponential back-off with full jitter: the wait before attempt n is random(0 .. min(maxMs, baseMs * 2^n)). */
export type Backoff = {
  /** The next wait in ms; each call is one more failure. */
  readonly next: () => number
  readonly reset: () => void
}

export function createBackoff(options: {
  baseMs: number
  maxMs: number
  /** Waits are never shorter than this share of their ceiling. 0: full jitter. */
  floor?: number
  random?: () => number
}): Backoff {
  const random = options.random ?? Math.random
  const floor = options.floor ?? 0
  let failures = 0
  return {
    next() {
      const ceiling = Math.min(options.maxMs, options.baseMs * 2 ** Math.min(failures, 30))
      failures += 1
      return Math.round(ceiling * (floor + (1 - floor) * random()))
    },
    reset() {
      failures = 0
    },
  }
}
