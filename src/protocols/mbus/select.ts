/**
 * Which record a point means, in words: `energy`, `energy storage 1`, `power maximum`, `energy tariff 2`, `volume subunit 1`,
 * `energy backward`, `voltage number 3` (the third of several alike). A quantity that the standard has no name for is chosen by
 * its code (`vif FD3A`) or by the words that the meter itself gives it (`"%RH"`). `status` and `status bit 2` are the header's.
 */
import { type Special, QUANTITIES } from './quantity.ts'
import { FUNCTIONS, type MbusRecord, type RecordFunction } from './record.ts'
import type { Telegram } from './telegram.ts'

export type Selector =
  | { readonly from: 'status'; readonly bit: number | null }
  | {
      readonly from: 'record'
      readonly quantity: string | null
      readonly vif: string | null
      readonly text: string | null
      readonly function: RecordFunction
      readonly storage: number
      readonly tariff: number
      readonly subunit: number
      readonly direction: 'forward' | 'backward' | null
      /** 1: the first of those that fit. */
      readonly number: number
    }

const WORD = /"[^"]{1,64}"|\S+/g
const STATUS = /^status(?: bit ([0-7]))?$/
const NUMBERS = ['storage', 'tariff', 'subunit', 'number'] as const
const HINT = 'such as "volume", "energy storage 1", "power maximum", "energy tariff 2", "vif FD3A"'

/** A sentence: what is wrong with it. */
export function parseSelector(text: string): Selector | string {
  const status = STATUS.exec(text)
  if (status !== null) return { from: 'status', bit: status[1] === undefined ? null : Number(status[1]) }
  const [first = '', ...words] = text.match(WORD) ?? []
  const coded = first === 'vif'
  const code = coded ? (words.shift() ?? '').toUpperCase() : null
  if (code !== null && !/^([0-9A-F]{2}){1,11}$/.test(code))
    return `"${text}": behind \`vif\` comes its code in hexadecimal, ${HINT}`
  const named = first.startsWith('"') && first.endsWith('"') && first.length > 2
  if (!coded && !named && !QUANTITIES.has(first)) {
    return `"${first}" is no quantity of an M-Bus record: ${[...QUANTITIES.keys()].join(', ')}; ${HINT}`
  }
  const found = { storage: 0, tariff: 0, subunit: 0, number: 1 }
  let which: RecordFunction = 'instantaneous'
  let direction: MbusRecord['direction'] = null
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const name = NUMBERS.find((known) => known === word)
    if (name !== undefined) {
      const number = words.shift() ?? ''
      if (!/^\d{1,9}$/.test(number) || (name === 'number' && Number(number) === 0))
        return `"${text}": behind \`${name}\` comes a number`
      found[name] = Number(number)
    } else if (word === 'forward' || word === 'backward') direction = word
    else {
      const wanted = FUNCTIONS.find((known) => known === word)
      if (wanted === undefined)
        return `"${text}": "${word}" is none of ${[...FUNCTIONS, ...NUMBERS, 'forward', 'backward'].join(', ')}`
      which = wanted
    }
  }
  return {
    from: 'record',
    quantity: coded || named ? null : first,
    vif: code,
    text: named ? first.slice(1, -1) : null,
    function: which,
    direction,
    ...found,
  }
}

/** Unit and kind of data of what a selector finds, as far as its words tell. */
export function factsOf(selector: Selector): { readonly unit: string | null; readonly special: Special | 'bit' } {
  if (selector.from === 'status') return { unit: null, special: selector.bit === null ? 'number' : 'bit' }
  const known = selector.quantity === null ? undefined : QUANTITIES.get(selector.quantity)
  return known ?? { unit: null, special: 'number' }
}

/** undefined: the meter did not send it. */
export function findRecord(
  selector: Extract<Selector, { from: 'record' }>,
  telegrams: readonly Telegram[],
): MbusRecord | undefined {
  let left = selector.number
  for (const { records } of telegrams) {
    for (const record of records) {
      if (fits(record, selector) && --left === 0) return record
    }
  }
  return undefined
}

/** A named quantity with codes behind it that are not read here means something else (a limit, a duration of an excess …). */
function fits(record: MbusRecord, selector: Extract<Selector, { from: 'record' }>): boolean {
  const { quantity, vif, text } = selector
  const named =
    vif !== null
      ? record.vif === vif
      : text !== null
        ? record.text === text && record.notes.length === 0
        : record.quantity === quantity && record.notes.length === 0
  return (
    named &&
    (vif !== null || record.direction === selector.direction) &&
    record.function === selector.function &&
    record.storage === selector.storage &&
    record.tariff === selector.tariff &&
    record.subunit === selector.subunit
  )
}
