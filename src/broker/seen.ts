/**
 * Messages that come more than once: over two radio gateways, or again after a broken line. The first counts. A repeat is answered
 * like the first: at once when that is durable, else when it is; and when it could not be made durable, the next one counts.
 */
export type Settled = (error: Error | null) => void

export type Seen = {
  /**
   * null: it was here before (`settled` is or will be called). Else a new one: what comes back must be called once with what became
   * of it.
   */
  readonly take: (names: readonly string[], settled: Settled | null) => Settled | null
}

/** Of one device; when full, the oldest is forgotten. Repeats come within seconds. */
const REMEMBERED_MAX = 32

export function createSeen(): Seen {
  const known = new Map<string, { durable: boolean; readonly waiting: Settled[] }>()

  function remember(names: readonly string[]): Settled {
    const entry = { durable: false, waiting: [] as Settled[] }
    for (const name of names) {
      known.delete(name)
      known.set(name, entry)
    }
    for (const name of known.keys()) {
      if (known.size <= REMEMBERED_MAX) break
      known.delete(name)
    }
    return (error) => {
      entry.durable = error === null
      if (error !== null) for (const name of names) if (known.get(name) === entry) known.delete(name)
      for (const settled of entry.waiting.splice(0)) settled(error)
    }
  }

  return {
    take(names, settled) {
      const before = names.map((name) => known.get(name)).find((entry) => entry !== undefined)
      if (before === undefined) return remember(names)
      if (settled !== null && !before.durable) before.waiting.push(settled)
      else settled?.(null)
      return null
    },
  }
}
