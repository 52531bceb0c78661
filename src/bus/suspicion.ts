/**
 * RTU replies carry no request id: after a timeout the missing reply may still come, and would pass for the answer to the next
 * request of the same shape. So a device that let one time out is asked the same thing again and nothing else; its first answer
 * is held back (it may be the late one, then a further reply is still under way); until that one must have come, the device is not
 * asked at all (others are); and a second answer of the same block, undisturbed, clears it and is shown in its place. A device that
 * never manages two in a row would have no value at all that way: then its answers are shown, marked.
 *
 * A late reply is recognised up to the plausible lateness: four silences and one timeout after its request, where a silence is
 * the timeout or twice the slowest answer seen. Replies later than that cannot be told from true ones by anybody.
 */
import type { Berth, Task } from './schedule.ts'
import { quietMs } from './timing.ts'

export type Suspicion = {
  /** The only block that the device may be asked. */
  readonly task: Task
  /** When the oldest and the newest request were sent whose replies may still come. */
  firstMissAt: number
  lastMissAt: number
  /** How many replies may still come. */
  owed: number
  /** One doubtful answer is in; the next one clears the device. */
  confirming: boolean
  /** So many doubtful answers were followed by none. */
  unconfirmed: number
}

/** `held`: not to be shown, the next answer is. `marked`: to be shown with its doubt. */
export type Trust = 'sure' | 'held' | 'marked'

/** So many answers are held back in vain. */
const HELD_MAX = 2

export function silenceMs(seat: Berth): number {
  const { timeoutMs, guardMs } = seat.link.limits
  return Math.max(timeoutMs, 2 * seat.health.slowestMs, quietMs(seat.framing, seat.line, guardMs))
}

/** Replies are thought possible for so long after their request. */
export function plausibleMs(seat: Berth): number {
  return 4 * silenceMs(seat) + seat.link.limits.timeoutMs
}

/** A read was given up. `spoilt`: its reply did come, garbled, so none is owed. */
export function suspect(
  task: Task,
  { sentAt, spoilt, now }: { readonly sentAt: number; readonly spoilt: boolean; readonly now: number },
): void {
  const { seat } = task
  // The wire may be used for others before.
  seat.holdUntil = Math.max(seat.holdUntil, now + silenceMs(seat))
  const owed = spoilt ? 0 : 1
  const { suspicion } = seat
  if (suspicion === null) {
    seat.suspicion = { task, firstMissAt: sentAt, lastMissAt: sentAt, owed, confirming: false, unconfirmed: 0 }
    return
  }
  if (suspicion.confirming) suspicion.unconfirmed += 1
  if (sentAt - suspicion.lastMissAt > plausibleMs(seat)) {
    suspicion.firstMissAt = sentAt
    suspicion.owed = owed
  } else {
    suspicion.owed += owed
  }
  suspicion.lastMissAt = sentAt
  suspicion.confirming = false
}

/** An answer came. To the task under suspicion it may be an earlier one's, and is not to be trusted alone. */
export function trust(task: Task, sentAt: number, now: number): Trust {
  const { seat } = task
  const { suspicion } = seat
  if (suspicion === null || suspicion.task !== task) return 'sure'
  if (suspicion.confirming) {
    seat.suspicion = null
    return 'sure'
  }
  suspicion.confirming = true
  const plausible = plausibleMs(seat)
  if (suspicion.owed > 0 && sentAt - suspicion.lastMissAt < plausible) {
    // If this was the oldest request's reply, the newest one's comes after the same delay, give or take half a timeout.
    seat.holdUntil = sentAt + Math.min(now - suspicion.firstMissAt, plausible) + seat.link.limits.timeoutMs / 2
  }
  task.due = Math.max(now, seat.holdUntil)
  return suspicion.unconfirmed < HELD_MAX ? 'held' : 'marked'
}

/** A reply came that nobody was waiting for. true: no further one is owed. */
export function lateReply(task: Task, ageMs: number, now: number): boolean {
  const { seat } = task
  const { suspicion } = seat
  if (suspicion === null) {
    // Answered twice: whichever came first may have been the answer to something earlier.
    const sentAt = now - ageMs
    seat.suspicion = { task, firstMissAt: sentAt, lastMissAt: sentAt, owed: 0, confirming: false, unconfirmed: 0 }
    return true
  }
  suspicion.owed = Math.max(0, suspicion.owed - 1)
  if (suspicion.owed > 0) return false
  seat.holdUntil = Math.min(seat.holdUntil, now)
  if (suspicion.confirming) suspicion.task.due = Math.min(suspicion.task.due, now)
  return true
}
