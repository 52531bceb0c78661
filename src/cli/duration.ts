/** Durations as people type them: `500ms 5s 10m 24h 30d`. */
import { CliError, EXIT } from './exit.ts'
import { say } from './text.ts'
import type { Language } from '../model/site.ts'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export function parseDuration(text: string, option: string, language: Language | null): number {
  const [, amount = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text.trim()) ?? []
  const ms = Number(amount) * (UNIT_MS[unit] ?? Number.NaN)
  if (amount !== '' && ms > 0) return ms
  throw new CliError(
    EXIT.usage,
    'E_ARGS',
    say(language, 'badDuration', { option, text }),
    say(language, 'durationHint'),
  )
}
