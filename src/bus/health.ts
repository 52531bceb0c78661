/**
 * What a device's exchanges say about it. An exception is proof of life, except 0A and 0B: there a gateway speaks for a unit that
 * it cannot reach. Silent attempts in a row make it offline; attempts that fail in between make it degraded. Mutated in place, once
 * per exchange: this is the hot path. Time is an argument.
 */
import type { Fault } from '../model/fault.ts'
import type { DeviceState } from '../model/sample.ts'

export type Health = {
  /** null: not heard of yet. */
  state: Exclude<DeviceState, 'maintenance'> | null
  /** Attempts failed since the last answer, and how many of them (without a break) were silent. */
  failures: number
  silences: number
  /** Back-off steps taken; 0: not backing off. */
  step: number
  /** The wire has just come back and the device was well before: it is given short rests until then. */
  patientUntil: number
  /** Share of failed attempts, the last twenty weighing most. */
  failureShare: number
  readonly errors: { timeout: number; crc: number; exception: number }
  answers: number
  averageMs: number
  maxMs: number
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
const SLOWEST_KEPT_MS = 300_000
/** A reply that is later than this is not waited for twice as long: the wire has other devices. */
const SLOWEST_MAX_MS = 10_000

export function createHealth(): Health {
  return {
    state: null,
    failures: 0,
    silences: 0,
    step: 0,
    patientUntil: 0,
    failureShare: 0,
    errors: { timeout: 0, crc: 0, exception: 0 },
    answers: 0,
    averageMs: 0,
    maxMs: 0,
    slowestMs: 0,
    slowestNow: 0,
    slowestBefore: 0,
    slowestSince: 0,
    lastGood: null,
  }
}

/** 0A and 0B are silence of the unit, told by its gateway. */
export function isSilence(fault: Fault): boolean {
  return fault.kind === 'timeout' || (fault.kind === 'exception' && (fault.code === 0x0a || fault.code === 0x0b))
}

/** The device answered (values or an exception of its own). true: its state changed. */
export function heard(health: Health, ms: number, now: number): boolean {
  health.failures = 0
  health.silences = 0
  health.step = 0
  health.failureShare *= 1 - SHARE_WEIGHT
  health.answers += 1
  health.averageMs += (ms - health.averageMs) * Math.max(0.05, 1 / health.answers)
  if (ms > health.maxMs) health.maxMs = ms
  slow(health, ms, now)
  if (health.state === 'online') return false
  if (health.state === 'degraded' && health.failureShare >= WELL_BELOW) return false
  if (health.state !== 'degraded') health.failureShare = 0
  health.state = 'online'
  return true
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
export function missed(health: Health, fault: Fault, { retries, now }: { retries: number; now: number }): Judgement {
  count(health, fault)
  health.failures += 1
  health.silences = isSilence(fault) ? health.silences + 1 : 0
  health.failureShare += (1 - health.failureShare) * SHARE_WEIGHT
  const wentOffline = health.silences > retries && health.state !== 'offline'
  if (wentOffline) health.state = 'offline'
  const degraded = health.failureShare > DEGRADED_ABOVE && health.state === 'online'
  if (degraded) health.state = 'degraded'
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
