/** One question of a search, and its bytes. */
import { parseHex } from '../bytes/hex.ts'
import type { Ask, Heard, Inquiry } from './inquiry.ts'

export type Asking = {
  readonly ask: Ask
  readonly idle: boolean
  readonly isTcp: boolean
  readonly signal: AbortSignal
}

/** A wire that is too busy for idle questions is waited for; one that is gone ends the search by what `ask` throws. null: stopped. */
export async function askStep(
  { ask, idle, signal }: Pick<Asking, 'ask' | 'idle' | 'signal'>,
  line: string | null,
  wanted: Omit<Inquiry, 'idle' | 'line'>,
): Promise<Heard | null> {
  while (!signal.aborted) {
    const heard = await ask({ ...wanted, idle, ...(line === null ? {} : { line }) })
    if (heard.outcome !== 'unsent' || heard.fault !== 'expired') return heard
  }
  return null
}

/** An M-Bus address that the standard keeps for later: nobody answers it, and to other protocols the question is no frame. */
const NOBODY = 252
const NOISE_TIMEOUT_MS = 300

/** Bytes come also when nobody was asked who could answer: another master, another setting, A and B exchanged, or an empty wire's noise. */
export async function isNoisy(options: Asking, line: string | null): Promise<boolean> {
  for (let again = 0; again < 2; again++) {
    const wanted = { protocol: 'mbus', address: NOBODY, what: { who: true }, timeoutMs: NOISE_TIMEOUT_MS } as const
    const heard = await askStep(options, line, wanted)
    if (heard?.outcome !== 'garbled') return false
  }
  return true
}

export function bodiesOf({ bodies }: Heard): readonly Uint8Array[] {
  return bodies.map((hex) => {
    const bytes = parseHex(hex)
    if (typeof bytes === 'string') throw new Error(`an answer is no hex: ${bytes}`)
    return bytes
  })
}
