/** What was refused, by name: counted always, logged when it is new, so that a client that repeats itself does not fill the log. */
import type { Log } from '../runtime/log.ts'

export type Refuse = (why: string, who: string) => void

/** Pairs of reason and person that have been logged; when full, all are news again. */
const LOGGED_MAX = 256

export function createRefusals(log: Log): { refuse: Refuse; counts: () => Record<string, number> } {
  const counts = new Map<string, number>()
  const logged = new Set<string>()
  return {
    refuse(why, who) {
      counts.set(why, (counts.get(why) ?? 0) + 1)
      const mark = `${why} ${who}`
      if (logged.has(mark)) return
      if (logged.size >= LOGGED_MAX) logged.clear()
      logged.add(mark)
      log.warn({ broker: 'refused', why, who: who.slice(0, 200) }, 'broker refused')
    },
    counts: () => Object.fromEntries(counts),
  }
}
