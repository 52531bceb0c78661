/**
 * From what is known to what is probably wrong, most probable first. Pure: each rule looks at the evidence and says how sure it is,
 * 0 to 1, and what speaks for it. Nothing here is learnt; the numbers say which of two causes a person would look at first.
 */
import type { Text } from '../model/point.ts'
import { type CauseWord, type Evidence, isUp, type Said } from './explain-evidence.ts'
import { CAUSES, type CauseKey, fill, SIGNS, type SignKey, type Values } from './explain-words.ts'
import { type Guess, NOISE_ABOVE, ofClosed, ofGarbage, ofLateness, ofSilence } from './explain-silence.ts'
import { spanText, valueText } from './explain-text.ts'
import { meterReasons } from './reason.ts'

export type Sign = { readonly key: SignKey; readonly text: Text }

export type Cause = {
  readonly key: CauseKey
  readonly link: (typeof CAUSES)[CauseKey]['link']
  /** 0 to 1. */
  readonly confidence: number
  readonly text: Text
  readonly signs: readonly Sign[]
  readonly check: readonly Text[]
}

/** More than these are no help. */
const CAUSES_MAX = 4
const FOREIGN_MIN = 3
const LOAD_FULL = 0.95
const TEXT_SHOWN = 40

/** Never empty: a good point gets `fine`. */
export function judgeCauses(evidence: Evidence): readonly Cause[] {
  const said = present(evidence)
  const guesses = [...ofWire(evidence), ...ofSaid(evidence, said)]
  const best = new Map<CauseKey, Guess>()
  for (const guess of guesses) {
    const known = best.get(guess.key)
    if (known === undefined || known.confidence < guess.confidence) best.set(guess.key, guess)
  }
  const sorted = [...best.values()].toSorted((a, b) => b.confidence - a.confidence).slice(0, CAUSES_MAX)
  const given = commonValues(evidence, said)
  return (sorted.length === 0 ? [{ key: 'fine', confidence: 1 } as const] : sorted).map((guess) =>
    causeOf(guess, given),
  )
}

function causeOf({ key, confidence, signs = [], values = {} }: Guess, given: Values): Cause {
  const { link, text, check } = CAUSES[key]
  const filled = { ...given, ...values }
  return {
    key,
    link,
    confidence: Math.round(confidence * 100) / 100,
    text: fill(text, filled),
    signs: signs.flatMap((sign) => (sign === null ? [] : [{ key: sign[0], text: fill(SIGNS[sign[0]], sign[1]) }])),
    check: check.map((one) => fill(one, filled)),
  }
}

/** What was found just now outweighs what the last poll found. */
function present({ sample, trial }: Evidence): Said {
  if (trial === null) return sample
  // A value that came, and is old or doubted for what it did over time: one more reading does not change that.
  return trial.said.quality === 'good' && sample.quality === 'uncertain' ? sample : trial.said
}

// ---- the wire itself ---------------------------------------------------------------------------------------------------

const SYSTEM: readonly (readonly [RegExp, CauseKey])[] = [
  [/ENOENT|no such file|ENXIO|ENODEV|no such device/i, 'port_missing'],
  [/EACCES|EPERM|permission denied/i, 'port_denied'],
  [/EBUSY|EAGAIN|resource temporarily unavailable|cannot lock|lock port|busy/i, 'port_busy'],
  [/ECONNREFUSED/i, 'host_refuses'],
  [/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EHOSTDOWN|ENOTFOUND|EAI_AGAIN|took no connection/i, 'host_silent'],
]
const SERIAL: ReadonlySet<CauseKey> = new Set(['port_missing', 'port_denied', 'port_busy'])

function ofWire({ bus, port }: Evidence): readonly Guess[] {
  if (bus === null || isUp(bus)) return []
  const system = bus.why === null ? null : (['system', { why: bus.why }] as const)
  const opened = bus.opens > 1 ? (['opened', { n: bus.opens }] as const) : null
  if (bus.wire === 'serial') {
    if (port !== null && !port.exists) return [{ key: 'port_missing', confidence: 0.95, signs: [system] }]
    if (port !== null && port.holder !== null) {
      const holder = { en: `: ${port.holder}`, zh: `：${port.holder}` }
      return [{ key: 'port_busy', confidence: 0.95, signs: [system], values: { holder } }]
    }
    if (port !== null && !port.permitted) return [{ key: 'port_denied', confidence: 0.95, signs: [system] }]
  }
  const known = SYSTEM.find(
    ([pattern, key]) => (bus.wire === 'serial') === SERIAL.has(key) && pattern.test(bus.why ?? ''),
  )
  if (known !== undefined) return [{ key: known[1], confidence: 0.92, signs: [system], values: { holder: '' } }]
  if (bus.wire === 'serial') return [{ key: 'port_missing', confidence: 0.6, signs: [system] }]
  if (bus.opens > 2)
    return [
      { key: 'line_drops', confidence: 0.7, signs: [opened, system] },
      { key: 'host_silent', confidence: 0.4 },
    ]
  return bus.cause === 'closed'
    ? [
        { key: 'host_silent', confidence: 0.6, signs: [system] },
        { key: 'line_drops', confidence: 0.5, signs: [system] },
      ]
    : [
        { key: 'host_silent', confidence: 0.6, signs: [system] },
        { key: 'host_refuses', confidence: 0.55, signs: [system] },
      ]
}

// ---- what the point says -------------------------------------------------------------------------------------------------

function ofSaid(evidence: Evidence, said: Said): readonly Guess[] {
  if (evidence.bus !== null && !isUp(evidence.bus)) return []
  if (said.quality === 'good') return ofGood(evidence)
  if (evidence.link === 'topic') return ofTopic(evidence, said)
  if (evidence.link === 'lines' && isAbsence(said)) return [{ key: 'lines_silent', confidence: 0.85 }]
  return [...RULES[said.cause ?? 'not_read'](evidence, said), ...ofOthers(evidence), ...ofTexts(evidence)]
}

type Rule = (evidence: Evidence, said: Said) => readonly Guess[]

/** A table over every word that a point can say: a new one does not compile without its rule. */
const RULES: Readonly<Record<CauseWord, Rule>> = {
  timeout: ofSilence,
  closed: ofClosed,
  refused: ofClosed,
  crc: ofGarbage,
  exception: ofException,
  sentinel: () => [{ key: 'sensor_missing', confidence: 0.9 }],
  device_fault: (evidence) => [...ofOtherReadings(evidence, 0.8), { key: 'value_invalid', confidence: 0.75 }],
  out_of_range: ofRange,
  not_read: (evidence) =>
    evidence.link === 'bus' && (evidence.device?.answers ?? 0) === 0
      ? [...ofSilence(evidence), { key: 'not_read', confidence: 0.3 }]
      : [{ key: 'not_read', confidence: 0.8 }],
  not_configured: () => [{ key: 'not_configured', confidence: 0.95 }],
  stale: ofStale,
  frozen: () => [{ key: 'frozen', confidence: 0.9 }],
  rate: () => [{ key: 'rate', confidence: 0.85 }],
  substituted: () => [{ key: 'substituted', confidence: 0.95 }],
  first_after_timeout: (evidence) => [
    { key: 'first_after_timeout', confidence: 0.7 },
    ...ofLateness(evidence),
    ...((evidence.device?.errors.crc ?? 0) > 1 ? ofGarbage(evidence) : []),
  ],
}

/** Somebody else answers, or somebody else asks: beside whatever the point says. */
function ofOthers(evidence: Evidence): readonly Guess[] {
  const { bus, device } = evidence
  const strangers = device?.strangers ?? []
  const asks = bus !== null && bus.foreign.length > 0 && bus.foreignFrames >= FOREIGN_MIN
  const guesses: Guess[] = []
  // The answers that another master gets come from other addresses, too.
  if (strangers.length > 0)
    guesses.push({ key: 'stranger', confidence: asks ? 0.3 : 0.93, values: { other: strangers.join(', ') } })
  if (bus === null || bus.foreignFrames < FOREIGN_MIN) return guesses
  const share = bus.foreignFrames / Math.max(1, bus.frames)
  const other = asks ? ` (${bus.foreign.join('; ')})` : ''
  const confidence = asks ? (share > 0.02 ? 0.93 : 0.6) : strangers.length > 0 ? 0.2 : 0.55
  guesses.push({ key: 'second_master', confidence, signs: [['foreign', { n: bus.foreignFrames }]], values: { other } })
  return guesses
}

/** Texts alone, and never a frame: what is connected there is no line in transparent mode. */
function ofTexts({ bus }: Evidence): readonly Guess[] {
  const [first] = bus?.texts ?? []
  if (bus === null || first === undefined) return []
  const values = { text: first.text.slice(0, TEXT_SHOWN), n: first.count }
  return [{ key: 'server_text', confidence: bus.frames === 0 ? 0.8 : 0.3, values }]
}

const EXCEPTIONS: Readonly<Record<number, CauseKey>> = {
  1: 'function_missing',
  2: 'register_missing',
  3: 'request_refused',
  4: 'device_failure',
  5: 'device_busy',
  6: 'device_busy',
  10: 'target_silent',
  11: 'target_silent',
}

function ofException({ siblings, device }: Evidence, { code }: Said): readonly Guess[] {
  const edition = device?.edition ?? null
  const key = edition !== null ? 'meter_refuses' : (EXCEPTIONS[code ?? 0] ?? 'exception_other')
  const values: Values = edition === null ? {} : { why: meterReasons(code ?? 0, edition) }
  const good = siblings.filter(({ quality }) => quality === 'good').length
  const total = siblings.length
  const same = siblings.filter(({ cause, code: other }) => cause === 'exception' && other === code).length
  const signs: NonNullable<Guess['signs']> =
    total > 0 && same === total ? [['siblingsSame', {}]] : good > 0 ? [['siblingsGood', { n: good, total }]] : []
  return [{ key, confidence: 0.9, signs, values }]
}

function ofOtherReadings({ trial, lastGood }: Evidence, sure: number): readonly Guess[] {
  // What was good once under the same configuration is configured well.
  const factor = lastGood === null ? 1 : 0.3
  return (trial?.otherwise ?? []).slice(0, 3).map(({ how, as, value }, at) => ({
    key: how === 'order' ? 'order_wrong' : how === 'sign' ? 'sign_wrong' : 'scale_wrong',
    confidence: Math.max(0.1, (how === 'scale' ? sure - 0.15 : sure) * factor - 0.05 * at),
    values: { as, value },
  }))
}

function ofRange(evidence: Evidence): readonly Guess[] {
  const others = ofOtherReadings(evidence, 0.85)
  const surest = Math.max(0, ...others.map(({ confidence }) => confidence))
  return [...others, { key: 'out_of_range', confidence: surest > 0.5 ? 0.5 : 0.85 }]
}

function ofStale(evidence: Evidence): readonly Guess[] {
  const { bus } = evidence
  if (bus === null) return [{ key: 'stale', confidence: 0.5 }]
  if (bus.utilisation >= LOAD_FULL) {
    return [{ key: 'overloaded', confidence: 0.8 }, ...ofLateness(evidence), { key: 'stale', confidence: 0.4 }]
  }
  return [...ofLateness(evidence), { key: 'stale', confidence: 0.5 }]
}

/** Nothing has come, or nothing any more. */
function isAbsence({ cause }: Said): boolean {
  return cause === null || cause === 'not_read' || cause === 'stale' || cause === 'timeout'
}

function ofTopic({ topic }: Evidence, said: Said): readonly Guess[] {
  const own: readonly Guess[] = isAbsence(said)
    ? []
    : said.cause === 'crc' || said.cause === 'device_fault'
      ? [{ key: 'value_invalid', confidence: 0.9 }]
      : said.cause === 'closed' || said.cause === 'refused'
        ? [{ key: 'topic_silent', confidence: 0.85 }]
        : RULES[said.cause ?? 'not_read'](NOTHING_ELSE, said)
  if (topic === null || own.length > 0) return own
  const clients: readonly [SignKey, Values] = ['clients', { n: topic.clients }]
  return [
    ...(topic.clients === 0 ? [{ key: 'broker_empty', confidence: 0.9 } as const] : []),
    topic.heard
      ? { key: 'topic_silent', confidence: 0.85, signs: [clients] }
      : { key: 'topic_never', confidence: 0.85, signs: [clients] },
  ]
}

/** A good value from a wire that is disturbed: said before it gets worse. */
function ofGood(evidence: Evidence): readonly Guess[] {
  const { device, bus, sample } = evidence
  const wasBad = sample.quality !== 'good' || device?.state === 'degraded'
  const fine: Guess = { key: 'fine', confidence: wasBad ? 0.5 : 0.9 }
  if (device === null || bus === null) return [fine]
  const attempts = device.answers + device.errors.crc + device.errors.timeout
  const share = attempts === 0 ? 0 : device.errors.crc / attempts
  const disturbed = share > NOISE_ABOVE && (wasBad || share > 0.1) ? ofGarbage(evidence) : []
  return [
    fine,
    ...disturbed.map((guess) => ({ ...guess, confidence: wasBad ? 0.95 * guess.confidence : 0.4 })),
    ...(wasBad ? ofLateness(evidence) : []),
  ]
}

function commonValues({ point, bus, device, topic, trial }: Evidence, said: Said): Values {
  const range =
    point.range === null ? '' : `${valueText(point.range[0], null)} – ${valueText(point.range[1], point.unit)}`
  return {
    point: point.id,
    place: point.place ?? point.id,
    bus: bus?.id ?? '',
    wire: bus?.wireText ?? '',
    path: bus?.wireText ?? '',
    why: bus?.why ?? '',
    holder: '',
    device: device?.id ?? point.id.split('.')[0] ?? '',
    address: device?.address ?? '',
    line: device?.line ?? '-',
    timeout: spanText(device?.timeoutMs ?? 0),
    slow: spanText(Math.max(device?.slowestMs ?? 0, trial?.asked[0]?.ms ?? 0)),
    load: `${Math.round((bus?.utilisation ?? 0) * 100)} %`,
    topic: topic?.topic ?? '',
    code: said.code ?? '',
    range,
    other: '',
  }
}

/** For words whose rule looks at nothing but the word. */
const NOTHING_ELSE: Evidence = {
  point: {
    id: '' as Evidence['point']['id'],
    title: { en: '', zh: '' },
    unit: null,
    kind: 'gauge',
    type: 'f64',
    range: null,
    from: 'field',
    place: null,
    everyMs: null,
    maxAgeMs: null,
  },
  sample: { quality: 'bad', cause: null, code: null, value: null, ageMs: 0 },
  lastGood: null,
  link: 'topic',
  topic: null,
  device: null,
  siblings: [],
  neighbours: [],
  bus: null,
  port: null,
  trial: null,
}
