/**
 * One rule at work: its machine, its live occurrences, its outputs. What chatters is parked: the alarm stays raised and counts,
 * instead of filling the journal and working a relay to death.
 */
import type { Alarm, AlarmEvent, Transition } from '../model/alarm.ts'
import type { Value } from '../model/point.ts'
import type { Truth } from './condition.ts'
import { type AlarmState, dueAt, isActive, NORMAL, RAISED, step } from './machine.ts'
import { change, isLive, type Kept, raise, type Raise } from './occurrence.ts'
import type { Watch } from './rule.ts'

/** One level to be written to the field. */
export type OutputLevel = { readonly rule: string; readonly point: number; readonly value: Value }

/** What a step gives away; the board collects it over all entries. */
export type Sink = {
  readonly tell: (transition: Transition) => void
  readonly write: (level: OutputLevel) => void
}

export type Now = {
  readonly mono: number
  readonly utc: number
}

/** More raises than this within the window are chatter; it ends when there is none for as long. Also the pace of its updates. */
export const CHATTER = { raisesMax: 10, windowMs: 60_000 } as const
/** Cleared occurrences of one rule that wait for an acknowledgement; beyond it the oldest is acknowledged by the gateway itself. */
export const RETURNED_MAX = 10

export class Entry {
  readonly watch: Watch
  #state: AlarmState
  #alarms: readonly Alarm[]
  #parked: { readonly toldAt: number; readonly toldN: number } | null = null
  /** When it was raised lately. */
  #raises: readonly number[] = []
  /** The level that was written in this boot. */
  #level: boolean | null = null
  #suppressedBy: string | null
  /** What is durable of it changed since it was last asked. */
  #touched = false

  constructor(watch: Watch, kept: Kept, mono: number) {
    this.watch = watch
    this.#alarms = kept.alarms
    this.#state = this.active === null ? NORMAL : RAISED
    this.#suppressedBy = this.active?.last.suppressed ?? null
    if (kept.parked && this.active !== null) {
      this.#parked = { toldAt: mono, toldN: this.active.last.n }
      this.#raises = [mono]
    }
  }

  get alarms(): readonly Alarm[] {
    return this.#alarms
  }

  /** The occurrence that is active: the newest, if any. */
  get active(): Alarm | null {
    const newest = this.#alarms.at(-1)
    return newest?.last.active ? newest : null
  }

  /** What must be durable of it, if that changed since the last call. */
  takeKept(): Kept | null {
    if (!this.#touched) return null
    this.#touched = false
    return { alarms: this.#alarms, parked: this.#parked !== null }
  }

  get suppressed(): boolean {
    return this.#suppressedBy !== null
  }

  /** Monotonic ms at which time alone moves it; null: never. */
  nextDue(): number | null {
    const due = dueAt(this.#state, this.watch.rule)
    const parked =
      this.#parked === null ? null : Math.min(this.#parked.toldAt, this.#raises.at(-1) ?? 0) + CHATTER.windowMs
    return due === null ? parked : parked === null ? due : Math.min(due, parked)
  }

  advance(truth: Truth, now: Now, snapshot: () => Omit<Raise, 'at'>, sink: Sink): void {
    const before = isActive(this.#state)
    const { onDelayMs, offDelayMs, latch } = this.watch.rule
    const held = latch && this.active?.last.acked === false
    this.#state = step(this.#state, truth, now.mono, { onDelayMs, offDelayMs, held })
    const after = isActive(this.#state)
    if (after && !before) this.#raise(now, snapshot, sink)
    if (before && !after && this.#parked === null) this.#clear(now, sink)
    this.#tendParked(now, sink)
    this.#write(truth, sink)
  }

  /** A dead bus makes its children silent: what is active says why, what was waiting waits anew. */
  suppress(cause: string | null, now: Now, sink: Sink): void {
    if (cause === this.#suppressedBy) return
    this.#suppressedBy = cause
    if (this.#state.phase === 'pending') this.#state = NORMAL
    const { active } = this
    if (active !== null)
      this.#tell(active, cause === null ? 'unsuppressed' : 'suppressed', now, { suppressed: cause }, sink)
  }

  /** Acknowledges these of its occurrences; a latched one clears with it. Returns how many were not acknowledged before. */
  acknowledge(alarms: readonly Alarm[], by: string, now: Now, sink: Sink): number {
    const open = alarms.filter((alarm) => !alarm.last.acked && this.#alarms.includes(alarm))
    for (const alarm of open) this.#tell(alarm, 'acked', now, { acked: true, by }, sink)
    return open.length
  }

  #raise(now: Now, snapshot: () => Omit<Raise, 'at'>, sink: Sink): void {
    this.#raises = [...this.#raises, now.mono].filter((at) => now.mono - at < CHATTER.windowMs)
    const { active } = this
    if (this.#parked !== null && active !== null) {
      this.#replace(active, { no: active.no, last: { ...active.last, n: active.last.n + 1 } })
      this.#raises = [now.mono]
      return
    }
    this.#makeRoom(now, sink)
    const alarm = raise(this.watch, { ...snapshot(), at: now.utc })
    this.#alarms = [...this.#alarms, alarm]
    this.#touched = true
    sink.tell(alarm.last)
    if (this.#raises.length > CHATTER.raisesMax) this.#parked = { toldAt: now.mono, toldN: 1 }
  }

  #clear(now: Now, sink: Sink): void {
    const { active } = this
    if (active !== null) this.#tell(active, 'cleared', now, { active: false }, sink)
  }

  #makeRoom(now: Now, sink: Sink): void {
    const returned = this.#alarms.filter((alarm) => !alarm.last.active)
    const surplus = returned.slice(0, Math.max(0, returned.length - RETURNED_MAX + 1))
    this.acknowledge(surplus, 'gatehouse', now, sink)
  }

  #tendParked(now: Now, sink: Sink): void {
    const { active } = this
    if (this.#parked === null || active === null) return
    if (now.mono - (this.#raises.at(-1) ?? 0) >= CHATTER.windowMs) {
      this.#unpark(active, now, sink)
    } else if (now.mono - this.#parked.toldAt >= CHATTER.windowMs) {
      if (active.last.n !== this.#parked.toldN) this.#tell(active, 'updated', now, {}, sink)
      this.#parked = { toldAt: now.mono, toldN: active.last.n }
    }
  }

  /** Quiet again: what is announced falls in with what is. */
  #unpark(active: Alarm, now: Now, sink: Sink): void {
    const untold = this.#parked?.toldN !== active.last.n
    this.#parked = null
    this.#touched = true
    if (!isActive(this.#state)) this.#clear(now, sink)
    else if (untold) this.#tell(active, 'updated', now, {}, sink)
  }

  /** The level follows what is announced, so that parked chatter does not reach the relay. */
  #write(truth: Truth, sink: Sink): void {
    const raised = this.active !== null
    if (this.#level === raised || (this.#level === null && truth === 'unknown')) return
    this.#level = raised
    for (const { point, value, onClear } of this.watch.rule.do) {
      const level = raised ? value : onClear
      if (level !== null) sink.write({ rule: this.watch.rule.id, point, value: level })
    }
  }

  #tell(alarm: Alarm, ev: AlarmEvent, now: Now, fields: Parameters<typeof change>[3], sink: Sink): void {
    const next = change(alarm, ev, now.utc, fields)
    this.#replace(alarm, next)
    sink.tell(next.last)
  }

  #replace(alarm: Alarm, next: Alarm): void {
    this.#touched = true
    this.#alarms = this.#alarms.map((known) => (known === alarm ? next : known)).filter(isLive)
  }
}
