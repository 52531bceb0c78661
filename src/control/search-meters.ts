/**
 * Meters by the wildcards of their protocols. Where several answer at once, a number is narrowed: of DL/T 645 by pairs of digits from
 * the right, of M-Bus by digits from the left. CJ/T 188 can only tell those of different types apart.
 */
import { byHand } from '../driver/byhand.ts'
import { TOLD_NOTHING } from '../driver/identify.ts'
import { answeredBy as cjt188By } from '../protocols/cjt188/index.ts'
import { answeredAddress, shortAddress } from '../protocols/dlt645/index.ts'
import { answeredBy as mbusBy, MEDIA } from '../protocols/mbus/index.ts'
import type { Heard } from './inquiry.ts'
import { askStep, bodiesOf, isNoisy } from './search-ask.ts'
import type { Found, Search, SearchEvent } from './search-found.ts'
import { MBUS_TIMEOUT_MS, METER_TIMEOUT_MS, NARROW_TIMEOUT_MS, type Step } from './search-plan.ts'

const DEPTH_MAX = 6

type MeterStep = Extract<Step, { kind: 'meters' }>

export function searchMeters(options: Search, step: MeterStep): AsyncGenerator<SearchEvent> {
  switch (step.protocol) {
    case 'dlt645':
      return dlt645(options, step, { tail: '', luck: { found: 0, barren: 0 } })
    case 'cjt188':
      return cjt188(options, step)
    case 'mbus':
      return mbus(options, step)
  }
}

/** So many spoilt answers in a row without a meter behind them: it is no meters that spoil each other. */
const BARREN_MAX = 3

/** `barren`: spoilt answers in a row, looked into to the end, behind which nobody was found. */
type Luck = { found: number; barren: number }

type Narrowing = {
  /** Last digits of the numbers looked for; empty: all. */
  readonly tail: string
  readonly luck: Luck
}

async function* dlt645(options: Search, step: MeterStep, { tail, luck }: Narrowing): AsyncGenerator<SearchEvent> {
  const address = String(shortAddress(tail))
  const timeoutMs = tail === '' ? METER_TIMEOUT_MS : NARROW_TIMEOUT_MS
  const wanted = { protocol: 'dlt645', address, what: { who: true }, timeoutMs } as const
  const heard = await askStep(options, step.line, wanted)
  if (heard === null || options.signal.aborted) return
  const number = numberIn(heard)
  if (number !== null) {
    // Of two that answer one after the other only the first is heard; asked again, it may be the other one.
    const again = await askStep(options, step.line, wanted)
    const other = again === null || again.outcome === 'silent' ? number : numberIn(again)
    if (other === number) {
      luck.found += 1
      luck.barren = 0
      yield { kind: 'found', found: await dlt645Found(options, step, { number, ms: heard.ms }) }
      return
    }
  }
  if (heard.outcome === 'silent' && tail === '') {
    // Some meters do not know the question; every one knows its energy.
    for (const item of ['00010000', '9010']) {
      const old = await askStep(options, step.line, {
        protocol: 'dlt645',
        address,
        what: { at: item },
        timeoutMs: METER_TIMEOUT_MS,
      })
      if (old?.outcome === 'answer') yield { kind: 'note', note: 'unnamed', at: `dlt645 ${step.line ?? ''}` }
      if (old?.outcome !== 'silent') break
    }
  }
  if (heard.outcome !== 'garbled' && number === null) return
  const note = { kind: 'note', at: `dlt645 ${step.line ?? ''}` } as const
  if (number === null && (await isNoisy(options, step.line))) {
    luck.barren = BARREN_MAX
    yield { ...note, note: 'noise' }
    return
  }
  if (tail === '') yield { ...note, note: 'narrowing' }
  const before = luck.found
  for (let pair = 0; pair < 100 && tail.length < 2 * DEPTH_MAX && !options.signal.aborted; pair++) {
    if (luck.barren >= BARREN_MAX) break
    const longer = String(pair).padStart(2, '0') + tail
    yield { kind: 'within', at: pair, of: 100, tail: longer }
    yield* dlt645(options, step, { tail: longer, luck })
  }
  if (luck.found === before) luck.barren += 1
}

const MODEL = '0400040B'

/** A meter of 2007 may name its model; many leave the field empty, and those of 1997 do not have it. */
async function dlt645Found(
  options: Search,
  { line }: MeterStep,
  { number, ms }: { readonly number: string; readonly ms: number | null },
): Promise<Found> {
  const words = { protocol: 'dlt645', at: MODEL } as const
  const made = byHand(words)
  const heard = await askStep(options, line, {
    protocol: 'dlt645',
    address: number,
    what: { at: MODEL },
    timeoutMs: METER_TIMEOUT_MS,
  })
  const [reading] =
    typeof made === 'string' || heard?.outcome !== 'answer' ? [] : made.block.read(made.points, bodiesOf(heard))
  const model = reading !== undefined && 'value' in reading ? String(reading.value).trim() : ''
  const says = /[0-9A-Za-z]/.test(model) ? [model] : []
  return { protocol: 'dlt645', address: number, line, says, told: TOLD_NOTHING, ms }
}

function numberIn(heard: Heard): string | null {
  const [body] = bodiesOf(heard)
  return heard.outcome === 'answer' && body !== undefined ? answeredAddress(body) : null
}

type Cjt188Ask = { readonly type: number; readonly identifier: '901F' | '1F90' }

const ANY_TYPE: Cjt188Ask = { type: 0xaa, identifier: '901F' }
/** The types that the standard names: a meter may not know "any", and of several of different types each answers alone. */
const OWN_TYPES: readonly Cjt188Ask[] = [0x10, 0x11, 0x20, 0x30].map((type) => ({ type, identifier: '901F' }))
const OTHER_ORDER: Cjt188Ask = { type: 0xaa, identifier: '1F90' }

async function* cjt188(options: Search, step: MeterStep): AsyncGenerator<SearchEvent> {
  const first = await cjt188Who(options, step, ANY_TYPE)
  const at = `cjt188 ${step.line ?? ''}`
  if (first === 'garbled' && (await isNoisy(options, step.line))) {
    yield { kind: 'note', note: 'noise', at }
    return
  }
  if (first === null || typeof first === 'object') {
    if (first !== null) yield { kind: 'found', found: first }
    return
  }
  const seen = new Set<string>()
  let garbled = false
  for (const asked of first === 'silent' ? [...OWN_TYPES, OTHER_ORDER] : OWN_TYPES) {
    const who = await cjt188Who(options, step, asked)
    if (options.signal.aborted) return
    if (who === 'garbled') garbled = true
    if (who === null || typeof who === 'string' || seen.has(String(who.address))) continue
    seen.add(String(who.address))
    yield { kind: 'found', found: who }
  }
  if (garbled || (first === 'garbled' && seen.size < 2)) yield { kind: 'note', note: 'several', at }
}

/** null: stopped, or an answer that is none of a meter. */
async function cjt188Who(
  options: Search,
  { line }: MeterStep,
  what: Cjt188Ask,
): Promise<Found | 'silent' | 'garbled' | null> {
  const heard = await askStep(options, line, {
    protocol: 'cjt188',
    address: 'AAAAAAAAAAAAAA',
    what: { who: true, ...what },
    timeoutMs: METER_TIMEOUT_MS,
  })
  if (heard === null || options.signal.aborted) return null
  if (heard.outcome === 'silent' || heard.outcome === 'garbled') return heard.outcome
  const [body] = bodiesOf(heard)
  const who = heard.outcome === 'answer' && body !== undefined ? cjt188By(body) : null
  if (who === null) return null
  return {
    protocol: 'cjt188',
    address: who.address,
    line,
    says: [`type ${hexByte(who.type)}`],
    told: { ...TOLD_NOTHING, type: who.type, identifier: what.identifier },
    ms: heard.ms,
  }
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, '0').toUpperCase()
}

async function* mbus(options: Search, step: MeterStep): AsyncGenerator<SearchEvent> {
  // Whoever is there: one meter answers soundly, several at once.
  const heard = await askMbus(options, step, 254)
  if (heard === null) return
  if (heard.outcome === 'garbled') {
    if (await isNoisy(options, step.line)) yield { kind: 'note', note: 'noise', at: `mbus ${step.line ?? ''}` }
    else yield* narrowed(options, step, { head: '', luck: { found: 0, barren: 0 } })
    return
  }
  const found = mbusFound(heard, step)
  if (found !== null) yield { kind: 'found', found }
}

/** By the digits of the number from the left, those of `head` being known; F stands for any. */
async function* narrowed(
  options: Search,
  step: MeterStep,
  { head, luck }: { readonly head: string; readonly luck: Luck },
): AsyncGenerator<SearchEvent> {
  const before = luck.found
  for (let digit = 0; digit < 10 && head.length < 8 && luck.barren < BARREN_MAX; digit++) {
    const longer = head + String(digit)
    const heard = await askMbus(options, step, longer.padEnd(8, 'F'))
    if (heard === null || options.signal.aborted) return
    if (heard.outcome === 'silent') continue
    const found = mbusFound(heard, step)
    if (found === null) yield* narrowed(options, step, { head: longer, luck })
    else {
      luck.found += 1
      luck.barren = 0
      yield { kind: 'found', found }
    }
  }
  if (luck.found === before) luck.barren += 1
}

function askMbus(options: Search, step: MeterStep, address: number | string): Promise<Heard | null> {
  return askStep(options, step.line, { protocol: 'mbus', address, what: { who: true }, timeoutMs: MBUS_TIMEOUT_MS })
}

/** The answer's own address where it has one; else its number selects it. */
function mbusFound(heard: Heard, step: MeterStep): Found | null {
  if (heard.outcome !== 'answer') return null
  for (const body of bodiesOf(heard)) {
    const header = mbusBy(body)
    if (header === null) continue
    const primary = body[1] ?? 0
    const address = primary >= 1 && primary <= 250 ? primary : header.id
    if (address === null) continue
    const { id, manufacturer, version, medium } = header
    const maker = manufacturer === null ? null : `${manufacturer}${version === null ? '' : ` v${version}`}`
    const says = [maker, medium === null ? null : (MEDIA[medium] ?? `medium ${hexByte(medium)}`), `no. ${id}`]
    return {
      protocol: 'mbus',
      address,
      line: step.line,
      says: says.filter((part) => part !== null),
      told: { ...TOLD_NOTHING, manufacturer, version, medium },
      ms: heard.ms,
    }
  }
  return null
}
