/**
 * A door as a machine: closed, open, held (open for too long), forced (opened though nobody was let through). Pure; times are
 * monotonic ms. Who was let through: a card, the exit button, a lock that released; for some time after it the door may be opened.
 * A door that was found open, or of which nothing was known, is open and not forced: nobody saw how it was opened.
 */
export type DoorState = 'closed' | 'open' | 'held' | 'forced'
export const DOOR_STATES: readonly DoorState[] = ['closed', 'open', 'held', 'forced']

export type Door = {
  /** null: the contact says nothing. */
  readonly state: DoorState | null
  /** When it took this state. */
  readonly since: number
  /** Whether somebody is let through now; null: nothing tells. */
  readonly granted: boolean | null
  /** Until when somebody was last seen to be let through. */
  readonly grantedAt: number
}

export type DoorTimes = {
  /** So long after somebody was let through the door may be opened. */
  readonly unlockMs: number
  /** Open for so long is held. */
  readonly heldMs: number
}

export const UNKNOWN_DOOR: Door = {
  state: null,
  since: Number.NEGATIVE_INFINITY,
  granted: null,
  grantedAt: Number.NEGATIVE_INFINITY,
}

/** Whether somebody is let through, as of `now`. */
export function grant(door: Door, granted: boolean | null, now: number): Door {
  // What ends now was so until now.
  const lets = granted === true || (door.granted === true && granted === false)
  return { ...door, granted, grantedAt: lets ? Math.max(door.grantedAt, now) : door.grantedAt }
}

/** What the contact says, as of `now`: true closed, false open, null nothing. Returns the same object where nothing changes. */
export function move(door: Door, closed: boolean | null, now: number, times: DoorTimes): Door {
  if (closed === null) return turn(door, null, now)
  if (closed) return turn(door, 'closed', now)
  if (door.state === null) return turn(door, 'open', now)
  return door.state === 'closed' ? turn(door, mayOpen(door, now, times) ? 'open' : 'forced', now) : door
}

/** Time alone: what stands open for too long is held. A forced door stays one until it is closed. */
export function wait(door: Door, now: number, times: DoorTimes): Door {
  const due = dueAt(door, times)
  return due !== null && now >= due ? turn(door, 'held', due) : door
}

/** When time alone will move it; null: never. */
export function dueAt({ state, since }: Door, { heldMs }: DoorTimes): number | null {
  return state === 'open' ? since + heldMs : null
}

/** Where nothing tells who is let through, nobody can say that a door was forced. */
function mayOpen({ granted, grantedAt }: Door, now: number, { unlockMs }: DoorTimes): boolean {
  return granted !== false || now - grantedAt <= unlockMs
}

function turn(door: Door, state: DoorState | null, now: number): Door {
  return door.state === state ? door : { ...door, state, since: now }
}
