/**
 * What follows from the end of each exchange: readings go out, faults are counted, retried, rested on, told once. The wire is
 * `exchange.ts`, whose turn it is `schedule.ts`; here is what the outcome means for the device.
 */
import type { Fault } from '../model/fault.ts'
import type { Point } from '../model/point.ts'
import type { Arrival, Reading } from '../model/sample.ts'
import type { Log } from '../runtime/log.ts'
import type { Outcome } from './flight.ts'
import { count, heard, isSilence, missed, trendOf, wireBack } from './health.ts'
import { faultsOf, type Orders } from './orders.ts'
import { land, rejectedBeat, type Seat, type Task } from './schedule.ts'
import type { Roster } from './seats.ts'
import { suspect, trust } from './suspicion.ts'

export type RoundsHost = {
  readonly points: readonly Point[]
  readonly roster: Roster
  readonly orders: Orders
  readonly post: (arrival: Arrival) => void
  readonly log: Log
  /** Replies name their request: no suspicion is needed. */
  readonly correlates: boolean
  /** Something answered on this connection. */
  readonly prove: () => void
  /** A request was not answered on this connection. */
  readonly unanswered: () => void
  readonly remember: (seat: Seat, blockKey: string) => void
  /** Whoever waited for a block that came apart. */
  readonly redirect: (from: Task) => void
}

/** A device that is busy wants a pause. */
const BUSY_PAUSE_MS = 1000

export type Rounds = {
  /** The end of one read. */
  readonly finish: (task: Task, outcome: Outcome, now: number) => void
  /** The end of one write: what it says about the device's health. */
  readonly finishWrite: (seat: Seat, outcome: Outcome, now: number) => void
  /** No value of this wire is alive. */
  readonly wireDown: (fault: Fault, now: number) => void
  /** It can be asked again; whether anybody answers is not known yet. */
  readonly wireBack: (now: number) => void
  /** All is asked anew. */
  readonly wireUp: (now: number) => void
}

export function createRounds(host: RoundsHost): Rounds {
  function scan(seat: Seat, readings: readonly Reading[], now: number): void {
    if (readings.length > 0) host.post({ kind: 'scan', device: seat.device.index, mono: now, readings })
  }

  function tell(seat: Seat, cause: Fault | null, now: number): void {
    const state = seat.health.state ?? 'offline'
    const { why } = seat.health
    const figures = why === null ? null : trendOf(seat.health)
    const trend = figures === null || why === null ? {} : { trend: { why, ...figures } }
    host.post({ kind: 'device', device: seat.device.index, mono: now, state, cause, ...trend })
    host.log.info({ device: seat.device.id, state, cause: cause?.kind, ...trend }, `device ${state}`)
  }

  function alive(seat: Seat, ms: number, now: number): void {
    host.prove()
    const wasSilent = seat.health.state === 'offline'
    seat.backoffUntil = 0
    if (!heard(seat.health, ms, now)) return
    tell(seat, null, now)
    // All its values are marked bad: none waits for its next beat.
    if (wasSilent) for (const task of seat.tasks) if (!task.busy) task.due = Math.min(task.due, now)
  }

  function answered(task: Task, outcome: Outcome & { kind: 'answer' }, now: number): void {
    const { seat } = task
    alive(seat, outcome.ms, now)
    task.rejected = false
    const trusted = host.correlates ? 'sure' : trust(task, outcome.sentAt, now)
    // Whoever waits for it gets the next one.
    if (trusted === 'held') return
    const read = task.block.read(host.points, outcome.bodies)
    const readings = trusted === 'marked' ? read.map(doubted) : read
    seat.health.lastGood = now
    scan(seat, readings, now)
    host.orders.answer(task, readings)
  }

  /** The device speaks, and there is no value. */
  function refused(task: Task, { fault, means, ...outcome }: Outcome & { kind: 'fault' }, now: number): void {
    const { seat } = task
    alive(seat, outcome.ms, now)
    count(seat.health, fault)
    if (!host.correlates) trust(task, outcome.sentAt, now)
    if (means === 'busy' || means === 'accepted') seat.gapUntil = now + BUSY_PAUSE_MS
    if (means === 'part' && cameApart(task, now)) return
    if ((means === 'part' || means === 'unsupported') && !task.rejected) {
      task.rejected = true
      task.due = rejectedBeat(task, now)
      const code = fault.kind === 'exception' ? fault.code : undefined
      host.log.warn({ device: seat.device.id, block: task.block.key, code }, 'device rejects a read')
    }
    const readings = faultsOf(task, fault)
    scan(seat, readings, now)
    host.orders.answer(task, readings)
  }

  function cameApart(task: Task, now: number): boolean {
    const { seat } = task
    const parts = host.roster.split(task)
    if (parts.length === 0) return false
    for (const part of parts) {
      part.origin = task.origin
      part.due = now
    }
    if (seat.suspicion?.task === task) seat.suspicion = null
    host.remember(seat, task.block.key)
    host.log.info({ device: seat.device.id, block: task.block.key, parts: parts.length }, 'read came apart')
    host.redirect(task)
    return true
  }

  function unheard(task: Task, fault: Fault, outcome: Outcome & { kind: 'fault' }, now: number): void {
    const { seat } = task
    if (fault.kind !== 'exception') {
      host.unanswered()
      if (!host.correlates) suspect(task, { sentAt: outcome.sentAt, spoilt: outcome.spoilt, now })
    } else host.prove()
    const wasOffline = seat.health.state === 'offline'
    if (!fail(seat, outcome, now)) {
      // The same again, at once.
      task.due = Math.min(task.due, now)
      return
    }
    // The probe after the rest asks the same.
    task.due = Math.min(task.due, now)
    if (!wasOffline && seat.health.state !== 'offline') scan(seat, faultsOf(task, fault), now)
    host.orders.disappoint(seat, fault)
  }

  /** Counts a failed attempt. true: the round is over and the device rests. */
  function fail(seat: Seat, { fault, means }: Outcome & { kind: 'fault' }, now: number): boolean {
    // Several were in flight at once: one silence, one step.
    if (seat.backoffUntil > now) {
      count(seat.health, fault)
      return true
    }
    const { again, restMs, wentOffline, degraded } = missed(seat.health, fault, {
      retries: seat.link.limits.retries,
      now,
      means,
    })
    if (wentOffline || degraded) tell(seat, fault, now)
    if (wentOffline) scan(seat, faultsAt(host.roster.pointsOf(seat), fault), now)
    if (!again) seat.backoffUntil = now + restMs
    return !again
  }

  return {
    finish(task, outcome, now) {
      task.busy = false
      task.lastMs = outcome.tookMs
      land(task.seat, now)
      if (outcome.kind === 'answer') {
        answered(task, outcome, now)
        return
      }
      const { fault, means } = outcome
      if (fault.kind === 'closed' || fault.kind === 'refused') task.due = Math.min(task.due, now)
      else if (isSilence(fault, means) || fault.kind === 'crc') unheard(task, fault, outcome, now)
      else refused(task, outcome, now)
    },

    finishWrite(seat, outcome, now) {
      land(seat, now)
      if (outcome.kind === 'answer') {
        // To a broadcast nobody answers: that says nothing of anybody.
        if (outcome.bodies.length > 0) alive(seat, outcome.ms, now)
        return
      }
      const { fault } = outcome
      if (fault.kind === 'timeout' || fault.kind === 'crc') {
        host.unanswered()
        fail(seat, outcome, now)
      } else if (fault.kind !== 'closed' && fault.kind !== 'refused') {
        count(seat.health, fault)
        host.prove()
      }
    },

    wireDown(fault, now) {
      for (const seat of host.roster.seats) scan(seat, faultsAt(host.roster.pointsOf(seat), fault), now)
    },

    wireBack(now) {
      for (const seat of host.roster.seats) wireBack(seat.health, now)
    },

    wireUp(now) {
      for (const seat of host.roster.seats) {
        seat.backoffUntil = 0
        for (const task of seat.tasks) if (task.everyMs > 0 && !task.busy) task.due = Math.min(task.due, now)
      }
    },
  }
}

function faultsAt(points: readonly number[], fault: Fault): readonly Reading[] {
  return points.map((point) => ({ point, fault }))
}

function doubted(reading: Reading): Reading {
  return 'fault' in reading ? reading : { ...reading, doubt: 'first_after_timeout' }
}
