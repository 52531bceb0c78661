/**
 * Month ends that the gateway was not there to read, from the meter's own history: it keeps what its registers said on its last
 * twelve settlement days. Which day that is is a setting of the meter (04000B01: DDhh, usually 0100, the month's first midnight);
 * a meter that settles on another day has no month end to give, and what it has is said to be of its own moment.
 *
 * Midnights in between are not filled here: the reference names the timed freezes (0500nn0s) without their formats.
 */

/** Wall time of the site's zone, to the hour: `2026-11-01T00`. */
export type Hour = string

export type Settlement = {
  /** The moment whose register it is. */
  readonly at: Hour
  /** It closed a calendar month: at is the first midnight of the next one. */
  readonly monthEnd: boolean
  /** Data identifiers to read, one for each of `items`. */
  readonly items: readonly string[]
}

const KEPT = 12
const MONTHS = 12

/**
 * Settlements after `since` up to `now`, oldest first, as far back as the meter remembers. `settles` is what 04000B01 says (four
 * digits, DDhh); `items` are data identifiers of the present (their last pair 00). A sentence where the setting is none: 99 as day
 * means that the meter does not settle.
 */
export function settlementsSince(
  { since, now, settles }: { readonly since: Hour; readonly now: Hour; readonly settles: string },
  items: readonly string[],
): readonly Settlement[] | string {
  const [, day = '', hour = ''] = /^(\d\d)(\d\d)$/.exec(settles) ?? []
  // Days that not every month has are none of the standard's.
  if (day < '01' || day > '28' || hour > '23' || hour === '') return `"${settles}" is no settlement day: 0100 to 2823`
  const unfit = items.find((item) => !/^[0-9A-F]{6}00$/.test(item))
  if (unfit !== undefined) return `${unfit} is no item of the present: its settlements cannot be named`
  const [year = 0, month = 1] = now.split('-').map(Number)
  const monthEnd = day === '01' && hour === '00'
  const last = `${monthText(year, month)}-${day}T${hour}` <= now ? 0 : 1
  const found = Array.from({ length: KEPT }, (_, back): Settlement => {
    const at = `${monthText(year, month - last - back)}-${day}T${hour}`
    const nth = (back + 1).toString(16).padStart(2, '0').toUpperCase()
    return { at, monthEnd, items: items.map((item) => item.slice(0, 6) + nth) }
  })
  return found.filter(({ at }) => at > since).reverse()
}

/** `month` may be 0 or less: of the years before. */
function monthText(year: number, month: number): string {
  const index = year * MONTHS + month - 1
  return `${Math.floor(index / MONTHS)}-${String((index % MONTHS) + 1).padStart(2, '0')}`
}
