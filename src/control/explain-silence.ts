/** No answer, late answers, garbled answers: which part of the line or of the device is it? Part of `explain-judge.ts`. */
import type { Asked, Evidence } from './explain-evidence.ts'
import { spanText } from './explain-text.ts'
import type { CauseKey, SignKey, Values } from './explain-words.ts'

export type Guess = {
  readonly key: CauseKey
  readonly confidence: number
  readonly signs?: readonly (readonly [SignKey, Values] | null)[]
  readonly values?: Values
}

/** Share of garbled answers above which a device is thought of as garbled rather than disturbed. */
const GARBLED_ABOVE = 0.4
/** Below this share nobody speaks of noise. */
export const NOISE_ABOVE = 0.01

export function ofSilence(evidence: Evidence): readonly Guess[] {
  const { device, bus } = evidence
  if (device === null || bus === null) return [{ key: 'not_read', confidence: 0.5 }]
  const late = ofLateness(evidence)
  const isKnown = device.answers > 0 || evidence.lastGood !== null
  const before: readonly [SignKey, Values] | null =
    device.answers > 0
      ? ['answeredBefore', { n: device.answers }]
      : evidence.lastGood === null
        ? ['neverAnswered', {}]
        : ['lastGood', { ago: spanText(evidence.lastGood.ageMs) }]
  const others = othersOf(evidence)
  const silent = noBytes(evidence)
  if (others.answering > 0) {
    const signs = [['othersAnswer', { n: others.answering, total: others.total }] as const, before, silent]
    const dead = device.answers > 0 ? 0.82 : isKnown ? 0.7 : 0.4
    const unknown = device.answers > 0 ? 0.15 : isKnown ? 0.45 : 0.78
    return [
      ...late,
      { key: 'device_dead', confidence: dead, signs },
      { key: device.answers > 0 ? 'device_moved' : 'device_unknown', confidence: unknown, signs },
    ]
  }
  const nobody: readonly [SignKey, Values] | null =
    others.total > 0 ? ['nobodyAnswers', { total: others.total + 1 }] : null
  if (others.total > 0 && (isKnown || others.everAnswered)) {
    const signs = [nobody, before, silent]
    return [...late, { key: 'segment_dead', confidence: 0.85, signs }, { key: 'device_dead_alone', confidence: 0.2 }]
  }
  if (isKnown) {
    const signs = [before, silent]
    return [...late, { key: 'device_dead_alone', confidence: 0.8, signs }, { key: 'segment_dead', confidence: 0.3 }]
  }
  const signs = [nobody, before, silent]
  if (bus.wire === 'modbus-tcp') {
    return [
      { key: 'device_unknown', confidence: 0.65, signs },
      { key: 'device_dead_alone', confidence: 0.4, signs },
    ]
  }
  return [
    { key: 'wiring_or_line', confidence: others.total > 0 ? 0.78 : 0.65, signs },
    { key: 'device_unknown', confidence: others.total > 0 ? 0.25 : 0.5, signs },
    { key: 'segment_dead', confidence: 0.35, signs },
    { key: 'device_dead_alone', confidence: others.total > 0 ? 0.1 : 0.4, signs },
  ]
}

/** Its answers come, after we have given up. */
export function ofLateness({ device, bus }: Evidence): readonly Guess[] {
  if (device === null || bus === null) return []
  const own = device.slowestMs > 0.9 * device.timeoutMs
  if (!own && bus.lateFrames === 0) return []
  return [
    {
      key: 'device_late',
      confidence: own ? 0.92 : 0.5,
      signs: [
        bus.lateFrames > 0 ? ['answersLate', { n: bus.lateFrames }] : null,
        ['tookSo', { slow: spanText(device.slowestMs) }],
      ],
    },
  ]
}

export function ofClosed(evidence: Evidence): readonly Guess[] {
  const { bus } = evidence
  if (bus === null) return []
  return [
    { key: 'line_drops', confidence: bus.opens > 2 ? 0.75 : 0.5, signs: [['opened', { n: bus.opens }]] },
    ...ofSilence(evidence).map((guess) => ({ ...guess, confidence: guess.confidence * 0.5 })),
  ]
}

export function ofGarbage(evidence: Evidence): readonly Guess[] {
  const { device, bus } = evidence
  if (device === null || bus === null) return [{ key: 'value_invalid', confidence: 0.7 }]
  // Our own bytes and nothing else: that the adapter returns them is not why nobody answers.
  if (
    evidence.trial?.asked.every(({ sent, received }) => received.length === sent.length && beginsWith(received, sent))
  )
    return ofSilence(evidence)
  const echoed = ofEcho(evidence)
  if (echoed.length > 0) return echoed
  const others = othersOf(evidence)
  if (device.answers === 0 && !others.everAnswered && evidence.lastGood === null) return everythingIsGarbage(evidence)
  const attempts = device.answers + device.errors.crc
  const share = attempts === 0 ? 1 : device.errors.crc / attempts
  const garbled: readonly [SignKey, Values] = ['crcOfTotal', { n: device.errors.crc, total: attempts }]
  const late = ofLateness(evidence)
  if (others.garbled > 0) {
    const signs = [garbled, ['othersGarbled', { n: others.garbled }] as const]
    return [...late, { key: 'noise', confidence: 0.85, signs }, { key: 'device_noise', confidence: 0.3, signs }]
  }
  const signs = [garbled, others.total > 0 ? (['othersClean', {}] as const) : null]
  const isMost = share > GARBLED_ABOVE
  return [
    ...late,
    { key: 'address_twice', confidence: isMost ? 0.75 : 0.4, signs },
    { key: 'device_noise', confidence: isMost ? 0.5 : 0.75, signs },
  ]
}

/** Only a wrong speed makes more bytes of an answer; one byte too many may be a glitch as the line turns. */
const MORE_BYTES = 1.05
const FEWER_BYTES = 0.75

/**
 * Nobody was ever understood on this wire, and bytes come. Each mistake garbles in its own way: swapped wires keep the number of
 * bytes and turn them over, a wrong speed changes their number, a wrong parity keeps number and about half of the bytes.
 */
function everythingIsGarbage(evidence: Evidence): readonly Guess[] {
  const asked = evidence.trial?.asked.filter(({ received }) => received.length > 0) ?? []
  const received = sum(asked, (each) => each.received.length)
  const expected = sum(asked, (each) => each.expectedBytes ?? 0)
  const sign: readonly [SignKey, Values] =
    received > 0 ? ['garbage', { n: received, total: expected }] : ['junk', { n: evidence.bus?.junkBytes ?? 0 }]
  const signs = [sign, ['neverAnswered', {}] as const]
  const ratio = expected === 0 || received === 0 ? null : received / expected
  if (asked.some(isTurnedOver)) return guesses({ polarity: 0.9, speed: 0.35, parity: 0.1 }, signs)
  if (asked.some(isHalfRight)) return guesses({ polarity: 0.3, speed: 0.3, parity: 0.88 }, signs)
  if (ratio !== null && (ratio > MORE_BYTES || ratio < FEWER_BYTES))
    return guesses({ polarity: 0.45, speed: 0.82, parity: 0.15 }, signs)
  return guesses({ polarity: 0.7, speed: 0.5, parity: 0.3 }, signs)
}

function guesses(
  sure: { polarity: number; speed: number; parity: number },
  signs: NonNullable<Guess['signs']>,
): readonly Guess[] {
  return [
    { key: 'garbage_polarity', confidence: sure.polarity, signs },
    { key: 'garbage_speed', confidence: sure.speed, signs },
    { key: 'garbage_parity', confidence: sure.parity, signs },
  ]
}

/** With A and B swapped a receiver finds its start bit one bit late: a byte comes inverted and shifted by one. */
function isTurnedOver({ sent, received }: Asked): boolean {
  const [first = 0] = sent
  const turned = (~first & 0xff) >> 1
  return first !== 0xfe && turned !== 0 && received.subarray(0, 3).includes(turned)
}

/**
 * The right number of bytes, and of address and function, which an answer repeats, at least one is right: where the parity bit is
 * taken for a stop bit about every second byte is delivered as 00. Of seven bits with parity, bit 7 is the parity.
 */
function isHalfRight({ sent, received, expectedBytes }: Asked): boolean {
  if (received.length !== expectedBytes) return false
  const head = [0, 1].map((at) => ({ want: sent[at] ?? 0, got: received[at] ?? 0 }))
  const plausible = head.every(({ want, got }) => got === want || got === 0 || (got & 0x7f) === want)
  return plausible && head.some(({ want, got }) => got !== 0 && (got & 0x7f) === (want & 0x7f))
}

function ofEcho({ trial, device }: Evidence): readonly Guess[] {
  if (trial === null || device?.echo === true) return []
  const heard = trial.asked.some(({ sent, received }) => beginsWith(received, sent))
  return heard ? [{ key: 'echo', confidence: 0.95, signs: [['echoed', {}]] }] : []
}

// ---- small looks at the evidence ---------------------------------------------------------------------------------------

function othersOf({ neighbours }: Evidence): {
  readonly total: number
  readonly answering: number
  readonly everAnswered: boolean
  readonly garbled: number
} {
  const answering = neighbours.filter(({ state }) => state === 'online' || state === 'degraded').length
  const garbled = neighbours.filter(({ errors, answers }) => errors.crc > Math.max(1, NOISE_ABOVE * answers)).length
  return { total: neighbours.length, answering, everAnswered: neighbours.some(({ answers }) => answers > 0), garbled }
}

function noBytes({ trial }: Evidence): readonly [SignKey, Values] | null {
  const isSilent =
    trial !== null && trial.asked.length > 0 && trial.asked.every(({ received }) => received.length === 0)
  return isSilent ? ['noBytes', {}] : null
}

function beginsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return head.length > 0 && bytes.length >= head.length && head.every((byte, at) => bytes[at] === byte)
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
