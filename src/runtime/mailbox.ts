/**
 * The bounded box between the field and the spine. What is put in is taken out in one go by the next turn, so a burst
 * becomes one step and one commit. When full, the oldest entry that may be lost goes, and is counted; entries that may not be
 * lost (their sender waits for an answer) stay, so the box may pass its bound by as many senders as wait.
 */
export type Mailbox<T> = {
  readonly put: (entry: T) => void
  readonly takeAll: () => readonly T[]
  /** Entries lost since the last call. */
  readonly takeLost: () => readonly T[]
  readonly size: () => number
}

export function createMailbox<T>(options: {
  sizeMax: number
  /** May this entry be dropped when the box is full? */
  mayLose: (entry: T) => boolean
  /** Called when the box was empty and is not any more. */
  wake: () => void
}): Mailbox<T> {
  let entries: T[] = []
  let lost: T[] = []
  return {
    put(entry) {
      if (entries.length >= options.sizeMax) {
        const oldest = entries.findIndex(options.mayLose)
        if (oldest >= 0) lost.push(...entries.splice(oldest, 1))
      }
      entries.push(entry)
      if (entries.length === 1) options.wake()
    },
    takeAll() {
      const taken = entries
      entries = []
      return taken
    },
    takeLost() {
      const taken = lost
      lost = []
      return taken
    },
    size: () => entries.length,
  }
}
