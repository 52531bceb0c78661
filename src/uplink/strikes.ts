/**
 * Which batch kills connections. MQTT 3.1.1 has no way to refuse a message but to hang up, so the batch at the head when the broker
 * hung up is under suspicion: from the second time on it is sent alone, and the fifth time it is out.
 */
export type Strikes = {
  /** One more; true: that was the last one. */
  readonly strike: (key: string) => boolean
  /** To be sent alone, so that a further strike is certainly its own. */
  readonly isSuspect: (key: string) => boolean
  readonly forget: (key: string) => void
}

const OUT = 5
const SUSPECT = 2
/** More suspects than this are no suspects but a bad line: the oldest is forgotten. */
const KNOWN_MAX = 64

export function createStrikes(): Strikes {
  const counts = new Map<string, number>()
  return {
    strike(key) {
      const count = (counts.get(key) ?? 0) + 1
      counts.set(key, count)
      const [oldest] = counts.keys()
      if (counts.size > KNOWN_MAX && oldest !== undefined) counts.delete(oldest)
      return count >= OUT
    },
    isSuspect: (key) => (counts.get(key) ?? 0) >= SUSPECT,
    forget(key) {
      counts.delete(key)
    },
  }
}
