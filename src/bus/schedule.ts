/**
 * Who is asked next: commands first, then reads on demand, then the poll whose deadline is nearest. Pure: state and `now` in, one
 * choice out. Bounded by the number of devices and blocks of one wire; nothing here waits.
 *
 * A poll has a grid of its own (origin and period), so that beats neither drift nor bunch up, and a beat that was missed is
 * skipped, not caught up. A device may be closed for a while: minimum gap, back-off after silence, hold after a doubtful answer.
 */
import type { Device, Line } from '../model/site.ts'
import type { Block, Framing, Question } from '../protocols/protocol.ts'
import type { Health } from './health.ts'
import type { Suspicion } from './suspicion.ts'
import type { BusLink } from './timing.ts'

/** One block of one device, asked again and again. */
export type Task = {
  readonly seat: Seat
  readonly block: Block
  /** Always the same question, so it is built once. */
  readonly question: Question
  /** 0: only on demand. */
  everyMs: number
  origin: number
  due: number
  busy: boolean
  /** An alarm needs one of its points. */
  urgent: boolean
  /** The device rejects it and it cannot be split further: asked once a minute. */
  rejected: boolean
  /** What its last exchange took. */
  lastMs: number
}

/** What an address on the wire needs to be asked. */
export type Berth = {
  readonly link: BusLink
  /** The same object for the same setting. */
  readonly line: Line | null
  readonly framing: Framing
  /** Requests that this device may have in flight. */
  readonly flyingMax: number
  readonly health: Health
  flying: number
  /** Minimum gap between two requests: holds for everything. */
  gapUntil: number
  /** A reply may still come that would be mistaken: holds for all that reads. */
  holdUntil: number
}

/** A device at its wire. */
export type Seat = Berth & {
  readonly device: Device
  tasks: readonly Task[]
  /** Silent devices cost one timeout per step: holds for polls. */
  backoffUntil: number
  suspicion: Suspicion | null
  /** Who answers in its place, and how often somebody did. null: it answers itself, as far as is known. */
  readonly identity: { answersAs: string | null; misaddressed: number }
}

/** A question of somebody's own: ahead of everything, or when nothing else is due. */
export type Command = { readonly seat: Berth; readonly question: Question; readonly expiresAt: number }
/** Somebody waits for this block. */
export type Demand = { readonly task: Task; readonly expiresAt: number }

export type Schedule = {
  seats: readonly Seat[]
  /** In order of arrival. */
  readonly commands: Command[]
  readonly demands: Demand[]
  /** Questions that have all the time in the world. */
  readonly idle: Command[]
  /** So much later must a poll of the present line setting be due to lose against one of another. */
  lineChangeMs: number
  /** Polls in a row that went before their turn because alarms need them. */
  urgentInARow: number
}

export type Choice =
  | { readonly kind: 'command'; readonly command: Command }
  /** `passes`: before its turn, because an alarm needs it. */
  | { readonly kind: 'task'; readonly task: Task; readonly passes: boolean }
  /** Nothing may be asked before `until` (Infinity: not before something changes). */
  | { readonly kind: 'wait'; readonly until: number }

/** Changing the line setting costs a pause: exchanges of one setting are asked in a row, for about so long when the wire is full. */
export const LINE_CHANGE_MS = 500
const LINE_CHANGE_MAX_MS = 2000
/** A change costs at most about a tenth of the time. */
const LINE_CHANGE_SHARE = 10
/** After so many polls that alarms need, one goes by its deadline: nobody starves. */
const URGENT_MAX = 3
const REJECTED_EVERY_MS = 60_000
/** All first reads begin within this time, in the order of the site file. */
const FIRST_ROUND_MS = 250

export function choose(schedule: Schedule, now: number, line: Line | null): Choice {
  let until = Number.POSITIVE_INFINITY
  for (const command of schedule.commands) {
    const { seat, question } = command
    const opensAt = isFull(seat)
      ? Number.POSITIVE_INFINITY
      : question.writes
        ? seat.gapUntil
        : Math.max(seat.gapUntil, seat.holdUntil)
    if (opensAt <= now) return { kind: 'command', command }
    if (opensAt < until) until = opensAt
  }
  for (const demand of schedule.demands) {
    const { seat } = demand.task
    // While a device is under suspicion it is asked one thing only, and the demand waits behind it.
    const task = seat.suspicion?.task ?? demand.task
    if (task.busy || isFull(seat)) continue
    const opensAt = Math.max(seat.gapUntil, seat.holdUntil)
    if (opensAt <= now) return { kind: 'task', task, passes: false }
    if (opensAt < until) until = opensAt
  }
  const choice = mostOverdue(schedule, { now, line, until })
  return choice.kind === 'wait' ? whenIdle(schedule, now, choice.until) : choice
}

/** What a change of the line setting is seen to cost decides how long exchanges of one setting stay together. */
export function lineChangeOf(costMs: number): number {
  return Math.min(LINE_CHANGE_MAX_MS, Math.max(LINE_CHANGE_MS, LINE_CHANGE_SHARE * costMs))
}

function whenIdle({ idle }: Schedule, now: number, until: number): Choice {
  let wakeAt = until
  for (const command of idle) {
    const { seat } = command
    if (isFull(seat)) continue
    const opensAt = Math.max(seat.gapUntil, seat.holdUntil)
    if (opensAt <= now) return { kind: 'command', command }
    if (opensAt < wakeAt) wakeAt = opensAt
  }
  return { kind: 'wait', until: wakeAt }
}

function mostOverdue(
  schedule: Schedule,
  { now, line, until }: { now: number; line: Line | null; until: number },
): Choice {
  let best: Task | null = null
  let bestDeadline = Number.POSITIVE_INFINITY
  let urgent: Task | null = null
  let urgentDeadline = Number.POSITIVE_INFINITY
  let wakeAt = until
  for (const seat of schedule.seats) {
    if (isFull(seat)) continue
    const opensAt = Math.max(seat.gapUntil, seat.holdUntil, seat.backoffUntil)
    const change = seat.line === line ? 0 : schedule.lineChangeMs
    const only = seat.suspicion?.task ?? null
    for (const task of seat.tasks) {
      if (task.busy || (only !== null && task !== only)) continue
      const readyAt = task.due > opensAt ? task.due : opensAt
      if (readyAt > now) {
        if (readyAt < wakeAt) wakeAt = readyAt
        continue
      }
      const deadline = task.due + task.everyMs + change
      if (deadline < bestDeadline) {
        bestDeadline = deadline
        best = task
      }
      if (task.urgent && deadline < urgentDeadline && isOverdue(task, now)) {
        urgentDeadline = deadline
        urgent = task
      }
    }
  }
  if (best === null) return { kind: 'wait', until: wakeAt }
  if (urgent === null || urgent === best || schedule.urgentInARow >= URGENT_MAX) {
    return { kind: 'task', task: best, passes: false }
  }
  return { kind: 'task', task: urgent, passes: true }
}

/** Half a period late: what waits for it would notice. */
function isOverdue({ due, everyMs }: Task, now: number): boolean {
  return now - due > everyMs / 2
}

/** The request is out: the task is due again at its next beat. */
export function depart(task: Task, now: number): void {
  task.busy = true
  task.seat.flying += 1
  // The wire cannot keep the beat: from here on it counts anew, so that all such polls come round evenly.
  if (now - task.due > task.everyMs) task.origin = now
  task.due = task.rejected ? rejectedBeat(task, now) : nextBeat(task, now)
}

/** What a device rejects is asked once a minute: its firmware or wiring may change, and nobody should have to restart us. */
export function rejectedBeat(task: Task, now: number): number {
  return task.everyMs <= 0 ? Number.POSITIVE_INFINITY : now + Math.max(REJECTED_EVERY_MS, task.everyMs)
}

/** A silent device is probed with one request at a time. */
function isFull(seat: Berth): boolean {
  return seat.flying >= (seat.health.step > 0 ? 1 : seat.flyingMax)
}

/** The request is answered or given up. */
export function land(seat: Berth, now: number): void {
  seat.flying -= 1
  seat.gapUntil = now + seat.link.limits.minGapMs
}

/** The next beat of the task's grid after `now`. */
export function nextBeat(task: { readonly everyMs: number; readonly origin: number }, now: number): number {
  if (task.everyMs <= 0) return Number.POSITIVE_INFINITY
  if (now < task.origin) return task.origin
  return task.origin + (Math.floor((now - task.origin) / task.everyMs) + 1) * task.everyMs
}

/**
 * Spreads the beats of a bus's tasks over their periods, and their first reads over a short while: values are there soon, and the
 * wire is asked evenly from then on. `shift` (0..1) keeps buses out of step with each other.
 */
export function spread(tasks: readonly Task[], now: number, shift: number): void {
  tasks.forEach((task, at) => {
    if (task.everyMs <= 0) return
    const share = (at / tasks.length + shift) % 1
    task.origin = now + share * task.everyMs
    task.due = now + (at / tasks.length) * Math.min(task.everyMs, FIRST_ROUND_MS)
  })
}
