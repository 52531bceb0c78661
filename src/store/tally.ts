/** What was cut in a range of numbers, in a form that both sides of the uplink can work out (uplink contract, section 9). */
import { createHash } from 'node:crypto'
import type { Lane } from '../model/journal.ts'
import type { Tally } from './contract.ts'
import type { Segments } from './segments.ts'
import type { State } from './state.ts'

type Range = { readonly lane: Lane; readonly after: number; readonly upTo: number }

export async function tally(
  { state, segments }: { readonly state: State; readonly segments: Segments },
  { lane, after, upTo }: Range,
  breath: () => Promise<void>,
): Promise<Tally> {
  const hash = createHash('sha256')
  let first: number | null = null
  let last: number | null = null
  let batches = 0
  let samples = 0
  const add = (rows: ReturnType<State['ids']>): void => {
    for (const { number, count, id } of rows) {
      first ??= number
      last = number
      batches += 1
      samples += count
      hash.update(id, 'utf8')
    }
  }
  if (lane !== 't') add(state.ids(lane, after, upTo))
  else {
    for (const note of segments.notes) {
      if (note.first > upTo || (note.last <= after && note !== segments.notes.at(-1))) continue
      add(segments.open(note).ids(after, upTo))
      await breath()
    }
  }
  return { first, last, batches, samples, sha256: hash.digest('hex') }
}
