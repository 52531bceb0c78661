/**
 * What a device's exchanges say about it. An exception is proof of life, except where a gateway speaks for a unit that it cannot
 * reach. Silent attempts in a row make it offline; attempts that fail in between, and answers that take much longer than they used
 * to, make it degraded: the warning before. Mutated in place, once per exchange: this is the hot path. Time is an argument.
 */
import type { Fault } from '../model/fault.ts'
import type { DeviceState, Trend } from '../model/sample.ts'
import type { Refusal } from '../protocols/protocol.ts'

export type Health = {
  /** null: not heard of yet. */
  state: Exclude<DeviceState, 'maintenance'> | null
  /** Why it is degraded. */
  why: Trend['why'] | null
  /** Attempts failed since the last answer, and how many of them (without a break) were silent. */
  failures: number
  silences: number
  /** Back-off steps taken; 0: not backing off. */
  step: number
  /** The wire has just come back and the device was well before: it is given short rests until then. */
  patientUntil: number
  /** Share of failed attempts, the last ten weighing most. */
  failureShare: number
  readonly errors: { timeout: number; crc: number; exception: number }
  answers: number
  averageMs: number
  maxMs: number
  /** The last twenty answers or so, and the device's own past: the last thousand or so. */
  recentMs: number
  usualMs: number
  /** Slowest answer of the last five to ten minutes, late ones included. */
  slowestMs: number
  /** The two windows of which it is the larger. */
  slowestNow: number
  slowestBefore: number
  slowestSince: number
  /** Monotonic ms of the last answer with values. */
  lastGood: number | null
}

export type Judgement =
  /** `again`: ask the same once more now. Else the round is over, and the device rests for `restMs`. */
  { readonly again: boolean; readonly restMs: number; readonly wentOffline: boolean; readonly degraded: boolean }

/** What is plugged in again starts up for a while; nobody should wait a whole step for it. */
const PATIENCE_MS = 15_000
const PATIENT_REST_MS = 1000
const BACKOFF_BASE_MS = 5000
const BACKOFF_MAX_MS = 60_000
const SHARE_WEIGHT = 0.1
const DEGRADED_ABOVE = 0.2
const WELL_BELOW = 0.05
const RECENT_WEIGHT = 0.05
const USUAL_WEIGHT = 0.001
/** Before so many answers a device has no past to be compared with. */
const PAST_MIN = 200
/** Slow: twice as long as usual and more, by what a person would notice; well again: clearly below that. */
const SLOW_ABOVE = { times: 2, plusMs: 20 }
const QUICK_BELOW = { times: 1.5, plusMs: 10 }
const SLOWEST_KEPT_MS = 300_000
/** A reply that is later than this is not waited for twice as long: the wire has other devices. */
const SLOWEST_MAX_MS = 10_000

export function createHealth(): Health {
  return {
    state: null,
    why: null,
    failures: 0,
    silences: 0,
    step: 0,
    patientUntil: 0,
    failureShare: 0,
    errors: { timeout: 0, crc: 0, exception: 0 },
    answers: 0,
    averageMs: 0,
    maxMs: 0,
    recentMs: 0,
    usualMs: 0,
    slowestMs: 0,
    slowestNow: 0,
    slowestBefore: 0,
    slowestSince: 0,
    lastGood: null,
  }
}

/** A gateway that speaks for a unit it cannot reach tells of the unit's silence. */
export function isSilence(fault: Fault, means?: Refusal): boolean {
  return fault.kind === 'timeout' || means === 'unreached' || means === 'unheard'
}

/** The device answered (values or an exception of its own). true: its state changed. */
export function heard(health: Health, ms: number, now: number): boolean {
  health.failures = 0
  health.silences = 0
  health.step = 0
  health.failureShare *= 1 - SHARE_WEIGHT
  health.answers += 1
  health.averageMs += (ms - health.averageMs) * Math.max(0.05, 1 / health.answers)
  health.recentMs += (ms - health.recentMs) * Math.max(RECENT_WEIGHT, 1 / health.answers)
  health.usualMs += (ms - health.usualMs) * Math.max(USUAL_WEIGHT, 1 / health.answers)
  if (ms > health.maxMs) health.maxMs = ms
  slow(health, ms, now)
  if (health.state === 'online') {
    if (health.answers < PAST_MIN || !isAbove(health, SLOW_ABOVE)) return false
    health.state = 'degraded'
    health.why = 'slow'
    return true
  }
  if (health.state === 'degraded') {
    const ill = health.why === 'slow' ? isAbove(health, QUICK_BELOW) : health.failureShare >= WELL_BELOW
    if (ill) return false
  } else health.failureShare = 0
  health.state = 'online'
  health.why = null
  return true
}

function isAbove({ recentMs, usualMs }: Health, { times, plusMs }: { times: number; plusMs: number }): boolean {
  return recentMs > times * usualMs + plusMs
}

/** A reply took so long, whether it was waited for or not. */
export function slow(health: Health, ms: number, now: number): void {
  if (now - health.slowestSince > SLOWEST_KEPT_MS) {
    health.slowestBefore = health.slowestNow
    health.slowestNow = 0
    health.slowestSince = now
  }
  if (ms > health.slowestNow) health.slowestNow = Math.min(ms, SLOWEST_MAX_MS)
  health.slowestMs = Math.max(health.slowestNow, health.slowestBefore)
}

/** An attempt failed: silence or a garbled reply. */
export function missed(
  health: Health,
  fault: Fault,
  { retries, now, means }: { retries: number; now: number; means?: Refusal | undefined },
): Judgement {
  count(health, fault)
  health.failures += 1
  health.silences = isSilence(fault, means) ? health.silences + 1 : 0
  health.failureShare += (1 - health.failureShare) * SHARE_WEIGHT
  const wentOffline = health.silences > retries && health.state !== 'offline'
  if (wentOffline) {
    health.state = 'offline'
    health.why = null
  }
  const degraded = health.failureShare > DEGRADED_ABOVE && health.state === 'online'
  if (degraded) {
    health.state = 'degraded'
    health.why = 'errors'
  }
  // Already backing off: one probe each.
  if (health.step === 0 && health.failures <= retries) return { again: true, restMs: 0, wentOffline, degraded }
  if (now < health.patientUntil) {
    health.step = 1
    return { again: false, restMs: PATIENT_REST_MS, wentOffline, degraded }
  }
  const restMs = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** health.step)
  health.step = Math.min(health.step + 1, 10)
  return { again: false, restMs, wentOffline, degraded }
}

/** Its wire was down and is up again. A device that was silent before gets no favour: it would cost the others. */
export function wireBack(health: Health, now: number): void {
  if (health.state === 'online' || health.state === 'degraded') health.patientUntil = now + PATIENCE_MS
}

export function count(health: Health, fault: Fault): void {
  if (fault.kind === 'timeout' || fault.kind === 'crc' || fault.kind === 'exception') health.errors[fault.kind] += 1
}

/** How it does against its own past; null: nothing to be said yet. */
export function trendOf(health: Health): Omit<Trend, 'why'> | null {
  if (health.answers + health.failures === 0) return null
  return {
    errorShare: Math.round(health.failureShare * 1000) / 1000,
    responseMs: Math.round(health.recentMs * 10) / 10,
    usualMs: Math.round(health.usualMs * 10) / 10,
  }
}
