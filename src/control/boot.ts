/** What a start says of the end before it (uplink contract, section 6, `boot`): the first event of an epoch, and of every boot. */
import type { Event } from '../model/journal.ts'
import type { Identity } from '../store/contract.ts'

export function describeBoot(
  { clean, previous, lastCommitAt }: Pick<Identity, 'clean' | 'previous' | 'lastCommitAt'>,
  { version, firstAt }: { readonly version: string; readonly firstAt: number },
): Event['body'] {
  // Something went on here before, and what would say how it ended is gone.
  const isLost = previous !== null
  return {
    version,
    clean: clean && !isLost,
    lastCommitAt,
    firstAt,
    prevEp: previous?.epoch ?? null,
    prevHi: previous?.hi ?? null,
    why: isLost ? 'state_lost' : clean ? 'start' : 'power',
  }
}
