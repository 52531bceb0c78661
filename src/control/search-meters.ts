/**
 * Meters by the wildcards of their protocols. Where several answer at once, a number is narrowed: of DL/T 645 by pairs of digits from
 * the right, of M-Bus by digits from the left. CJ/T 188 has no way to do that.
 */
import { answeredBy as cjt188By } from '../protocols/cjt188/index.ts'
import { answeredAddress, shortAddress } from '../protocols/dlt645/index.ts'
import { answeredBy as mbusBy, MEDIA } from '../protocols/mbus/index.ts'
import type { Heard } from './inquiry.ts'
import { askStep, bodiesOf } from './search-ask.ts'
import type { Found, Search, SearchEvent } from './search-found.ts'
import { MBUS_TIMEOUT_MS, METER_TIMEOUT_MS, NARROW_TIMEOUT_MS, type Step } from './search-plan.ts'

const DEPTH_MAX = 6

type MeterStep = Extract<Step, { kind: 'meters' }>

export function searchMeters(options: Search, step: MeterStep): AsyncGenerator<SearchEvent> {
  switch (step.protocol) {
    case 'dlt645':
      return dlt645(options, step, '')
    case 'cjt188':
      return cjt188(options, step)
    case 'mbus':
      return mbus(options, step)
  }
}

/** `tail`: last digits of the numbers looked for; empty: all. */
async function* dlt645(options: Search, step: MeterStep, tail: string): AsyncGenerator<SearchEvent> {
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
      yield {
        kind: 'found',
        found: {
          protocol: 'dlt645',
          address: number,
          line: step.line,
          says: [],
          meterType: null,
          medium: null,
          ms: heard.ms,
        },
      }
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
  if ((heard.outcome !== 'garbled' && number === null) || tail.length >= 2 * DEPTH_MAX) return
  for (let pair = 0; pair < 100 && !options.signal.aborted; pair++) {
    const longer = String(pair).padStart(2, '0') + tail
    yield { kind: 'within', at: pair, of: 100, tail: longer }
    yield* dlt645(options, step, longer)
  }
}

function numberIn(heard: Heard): string | null {
  const [body] = bodiesOf(heard)
  return heard.outcome === 'answer' && body !== undefined ? answeredAddress(body) : null
}

/** The types that the standard names, and any; the identifier either way round. */
const CJT188_ASKS = [
  { type: 0xaa, identifier: '901F' },
  { type: 0x10, identifier: '901F' },
  { type: 0x20, identifier: '901F' },
  { type: 0xaa, identifier: '1F90' },
] as const

async function* cjt188(options: Search, step: MeterStep): AsyncGenerator<SearchEvent> {
  for (const what of CJT188_ASKS) {
    const heard = await askStep(options, step.line, {
      protocol: 'cjt188',
      address: 'AAAAAAAAAAAAAA',
      what: { who: true, ...what },
      timeoutMs: METER_TIMEOUT_MS,
    })
    if (heard === null || options.signal.aborted) return
    if (heard.outcome === 'garbled') yield { kind: 'note', note: 'several', at: `cjt188 ${step.line ?? ''}` }
    const [body] = bodiesOf(heard)
    const who = heard.outcome === 'answer' && body !== undefined ? cjt188By(body) : null
    if (who !== null) {
      const says = [`type ${who.type.toString(16).padStart(2, '0').toUpperCase()}`]
      yield {
        kind: 'found',
        found: {
          protocol: 'cjt188',
          address: who.address,
          line: step.line,
          says,
          meterType: who.type,
          medium: null,
          ms: heard.ms,
        },
      }
    }
    if (heard.outcome !== 'silent') return
  }
}

async function* mbus(options: Search, step: MeterStep): AsyncGenerator<SearchEvent> {
  // Whoever is there: one meter answers soundly, several at once.
  const heard = await askMbus(options, step, 254)
  if (heard === null) return
  if (heard.outcome === 'garbled') {
    for (let digit = 0; digit < 10 && !options.signal.aborted; digit++) yield* narrowed(options, step, String(digit))
    return
  }
  const found = mbusFound(heard, step)
  if (found !== null) yield { kind: 'found', found }
}

/** By the digits of the number from the left; F stands for any. */
async function* narrowed(options: Search, step: MeterStep, head: string): AsyncGenerator<SearchEvent> {
  const heard = await askMbus(options, step, head.padEnd(8, 'F'))
  if (heard === null || heard.outcome === 'silent' || options.signal.aborted) return
  const found = mbusFound(heard, step)
  if (found !== null) yield { kind: 'found', found }
  else if (head.length < 8) {
    for (let digit = 0; digit < 10 && !options.signal.aborted; digit++)
      yield* narrowed(options, step, head + String(digit))
  }
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
    const medium = header.medium === null ? null : (MEDIA[header.medium] ?? null)
    const says = [header.manufacturer, medium, `no. ${header.id}`].filter((part) => part !== null && part !== '')
    return {
      protocol: 'mbus',
      address,
      line: step.line,
      says: says.map(String),
      meterType: null,
      medium: medium?.replace('heat', 'thermal') ?? null,
      ms: heard.ms,
    }
  }
  return null
}
