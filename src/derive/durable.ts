/** What a formula keeps over a restart, as the text of a durable state: read back with care, since a file may hold anything. */
import type { Formula } from '../model/point.ts'
import type { Counter, Reached } from './counter.ts'
import type { Count, Hours, Increase } from './formula.ts'

type Fields = Readonly<Record<string, unknown>>

/** The text names the formula, so a state of another formula under the same key is not taken for its own. */
export function formulaName(formula: Formula, of: string): string {
  return formula.kind === 'increase' ? `increase ${of} ${formula.over}` : `${formula.kind} ${of}`
}

export function writeIncrease(name: string, { period, gain, counter, partial }: Increase): string {
  const { last, candidate, peak, grown } = counter
  const kept = (reached: Reached): Fields => ({ value: reached.value, utc: reached.utc })
  return JSON.stringify({
    name,
    period,
    gain,
    partial,
    peak,
    grown,
    last: kept(last),
    candidate: candidate === null ? null : kept(candidate),
  })
}

export function writeHours(name: string, { ms }: Hours): string {
  return JSON.stringify({ name, ms: Math.round(ms) })
}

export function writeCount(name: string, { times, last }: Count): string {
  return JSON.stringify({ name, times, last })
}

/** null: it is not a state of this formula. */
export function readIncrease(name: string, text: string): Increase | null {
  const fields = readFields(name, text)
  if (fields === null) return null
  const last = readReached(fields['last'])
  const counter: Counter | null =
    last !== null && isAmount(fields['peak']) && isAmount(fields['grown'])
      ? { last, candidate: readReached(fields['candidate']), peak: fields['peak'], grown: fields['grown'] }
      : null
  const period = fields['period']
  if (counter === null || !isAmount(fields['gain']) || (period !== null && !isFinite(period))) return null
  return { period, gain: fields['gain'], counter, partial: fields['partial'] === true }
}

export function readHours(name: string, text: string): Hours | null {
  const ms = readFields(name, text)?.['ms']
  return isAmount(ms) ? { ms, trueAt: null } : null
}

export function readCount(name: string, text: string): Count | null {
  const fields = readFields(name, text)
  const times = fields?.['times']
  const last = fields?.['last']
  return isAmount(times) && (last === null || typeof last === 'boolean') ? { times, last } : null
}

function readFields(name: string, text: string): Fields | null {
  const fields = asFields(parseJson(text))
  return fields !== null && fields['name'] === name ? fields : null
}

/** undefined: the text is not JSON; it is then like any other text that is not a state. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null ? (value as Fields) : null
}

function readReached(value: unknown): Reached | null {
  const fields = asFields(value)
  if (fields === null || !isFinite(fields['value'])) return null
  const utc = fields['utc']
  return { value: fields['value'], mono: null, utc: isFinite(utc) ? utc : null }
}

function isFinite(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isAmount(value: unknown): value is number {
  return isFinite(value) && value >= 0
}
