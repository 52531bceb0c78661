/** Values, ages and causes as people read them. */
import type { Text, Value } from '../model/point.ts'
import type { Language } from '../model/site.ts'
import { say, type TextKey } from './text.ts'

/** Enough digits for any instrument, none of the noise of binary fractions. */
const DIGITS = 9

export function formatValue(value: Value | null, language: Language): string {
  if (value === null) return '-'
  if (typeof value === 'boolean') return say(language, value ? 'yes' : 'no')
  if (typeof value === 'string') return value
  return formatNumber(value)
}

export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value)
  return String(Number(value.toPrecision(DIGITS)))
}

export function formatQuantity(value: Value | null, unit: string | null, language: Language): string {
  const text = formatValue(value, language)
  return unit === null || value === null ? text : `${text} ${unit}`
}

/** One figure and one unit: `45 s`, `3 min`, `2 h`, `5 d`. */
export function formatSpan(ms: number, language: Language): string {
  if (ms < 0) return formatSpan(0, language)
  const [amount, unit]: [number, TextKey] =
    ms < 999.5
      ? [ms, 'unitMs']
      : ms < 99_500
        ? [ms / 1000, 'unitS']
        : ms < 5_940_000
          ? [ms / 60_000, 'unitMin']
          : ms < 172_800_000
            ? [ms / 3_600_000, 'unitH']
            : [ms / 86_400_000, 'unitD']
  return say(language, unit, { n: amount < 10 && unit !== 'unitMs' ? trimmed(amount) : Math.round(amount) })
}

function trimmed(amount: number): string {
  return String(Math.round(amount * 10) / 10)
}

export function formatAge(at: number | null, now: number, language: Language): string {
  return at === null ? '-' : formatSpan(now - at, language)
}

export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let at = 0
  let amount = bytes
  while (amount >= 1024 && at < units.length - 1) {
    amount /= 1024
    at += 1
  }
  return `${amount >= 100 || at === 0 ? Math.round(amount) : amount.toPrecision(2)} ${units[at] ?? ''}`
}

/** 1234567 as `1 234 567`: the same in both languages. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replaceAll(/\B(?=(\d{3})+$)/g, ' ')
}

export function formatPercent(share: number): string {
  return `${Math.round(share * 100)} %`
}

export function formatPlace(place: Readonly<Record<string, string>>): string {
  return Object.values(place).join(' ')
}

const CAUSES: Readonly<Record<string, { readonly words: TextKey; readonly check: TextKey }>> = {
  timeout: { words: 'causeTimeout', check: 'checkTimeout' },
  crc: { words: 'causeCrc', check: 'checkCrc' },
  exception: { words: 'causeException', check: 'checkException' },
  closed: { words: 'causeClosed', check: 'checkClosed' },
  refused: { words: 'causeRefused', check: 'checkRefused' },
  sentinel: { words: 'causeSentinel', check: 'checkSentinel' },
  out_of_range: { words: 'causeOutOfRange', check: 'checkOutOfRange' },
  device_fault: { words: 'causeDeviceFault', check: 'checkDeviceFault' },
  not_read: { words: 'causeNotRead', check: 'checkNotRead' },
  not_configured: { words: 'causeNotConfigured', check: 'checkNotConfigured' },
  stale: { words: 'causeStale', check: 'checkStale' },
  frozen: { words: 'causeFrozen', check: 'checkFrozen' },
  rate: { words: 'causeRate', check: 'checkRate' },
  substituted: { words: 'causeSubstituted', check: 'checkSubstituted' },
  first_after_timeout: { words: 'causeFirst', check: 'checkFirst' },
}

/** Modbus Application Protocol V1.1b3, section 7. Not all of them are a no, and not all of them come from the device. */
const EXCEPTIONS: Readonly<Record<string, { readonly words: TextKey; readonly check: TextKey }>> = {
  1: { words: 'exception1', check: 'checkException1' },
  2: { words: 'exception2', check: 'checkException2' },
  3: { words: 'exception3', check: 'checkException3' },
  4: { words: 'exception4', check: 'checkDeviceFault' },
  5: { words: 'exception5', check: 'checkException5' },
  6: { words: 'exception6', check: 'checkException6' },
  7: { words: 'exception7', check: 'checkException' },
  8: { words: 'exception8', check: 'checkException8' },
  10: { words: 'exception10', check: 'checkException10' },
  11: { words: 'exception11', check: 'checkException11' },
}

/** Why a write was not done, as `bus/` words it: `word: sentence`. */
const REFUSALS: Readonly<Record<string, TextKey>> = {
  forbidden: 'refusalForbidden',
  not_writable: 'refusalNotWritable',
  role: 'refusalRole',
  type: 'refusalType',
  range: 'refusalRange',
  step: 'refusalStep',
  rate: 'refusalRate',
  min_on: 'refusalMinOn',
  min_off: 'refusalMinOff',
  value: 'refusalValue',
  full: 'refusalFull',
  read_back: 'refusalReadBack',
}

/** Why it is so, in the words of the device's protocol where it has some. */
export function formatReason(
  { cause, reason }: { readonly cause: string; readonly reason?: Text | undefined },
  language: Language,
): string {
  return reason?.[language] ?? formatCause(cause, language)
}

/** A cause in words; one that we do not know is shown as it is. What follows a colon and a blank is a sentence. */
export function formatCause(cause: string, language: Language): string {
  const at = cause.indexOf(': ')
  if (at < 0) return faultWords(cause, language)
  const [word, detail] = [cause.slice(0, at), cause.slice(at + 2)]
  const refusal = REFUSALS[word]
  if (refusal !== undefined) return say(language, refusal, { detail: faultWords(detail, language) })
  const what = faultWords(word, language)
  return what === word ? cause : say(language, 'withDetail', { what, detail: faultWords(detail, language) })
}

function faultWords(cause: string, language: Language): string {
  const [kind = '', code = ''] = cause.split(':')
  const known = CAUSES[kind]
  if (known === undefined) return cause
  return say(language, EXCEPTIONS[code]?.words ?? known.words, { code })
}

/** What to look at, or null. */
export function adviceFor(cause: string | null, language: Language): string | null {
  // A refusal explains itself.
  const [kind = '', code = ''] = (cause ?? '').split(':')
  const known = CAUSES[kind]
  return known === undefined ? null : say(language, EXCEPTIONS[code]?.check ?? known.check)
}

/** `2023-11-14 22:13:20` in the site's zone. */
export function siteTime(timezone: string): (at: number) => string {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  return (at) => format.format(at)
}
