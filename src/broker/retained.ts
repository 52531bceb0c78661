/** What the broker keeps for later subscribers is memory that clients fill: bounded per client, by number, and in all, by bytes. */

const TOPICS_MAX = 64
const BYTES_MAX = 8 * 1024 * 1024

export type Retained = {
  /** false: the message may pass, but is not to be kept. An empty payload clears and is always admitted. */
  readonly admit: (client: string, topic: string, bytes: number) => boolean
}

/** `spare`: topics that a client may have retained beyond the usual number (a bridge keeps some for each of its devices). */
export function createRetained(spare: (client: string) => number): Retained {
  const kept = new Map<string, { client: string; bytes: number }>()
  const topics = new Map<string, number>()
  let total = 0

  function forget(topic: string): void {
    const entry = kept.get(topic)
    if (entry === undefined) return
    kept.delete(topic)
    total -= entry.bytes
    topics.set(entry.client, (topics.get(entry.client) ?? 1) - 1)
  }

  return {
    admit(client, topic, bytes) {
      if (bytes === 0) {
        forget(topic)
        return true
      }
      const before = kept.get(topic)
      const many = (topics.get(client) ?? 0) - (before?.client === client ? 1 : 0)
      if (many >= TOPICS_MAX + spare(client) || total - (before?.bytes ?? 0) + bytes > BYTES_MAX) return false
      forget(topic)
      kept.set(topic, { client, bytes })
      topics.set(client, many + 1)
      total += bytes
      return true
    },
  }
}
