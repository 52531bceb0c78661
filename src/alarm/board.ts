/**
 * All rules of a site and their live alarms. Steps when points changed, facts were stated or a delay has ended; gives transitions,
 * output levels and the durable states that changed. A restart goes on from the states: the same occurrences, no second raise.
 */
import type { View } from '../image/image.ts'
import type { Alarm, Rule, Transition } from '../model/alarm.ts'
import { causeWords } from '../model/fault.ts'
import type { Text, Value } from '../model/point.ts'
import type { Arrival } from '../model/sample.ts'
import type { Site } from '../model/site.ts'
import { type BuiltinDelays, builtinId } from './builtin.ts'
import type { Truth } from './condition.ts'
import { Entry, type Now, type OutputLevel, type Sink } from './entry.ts'
import { change, readKept, ruleOfKey, stateKey, writeKept } from './occurrence.ts'
import { planWatches, type Watch } from './rule.ts'

export type { OutputLevel } from './entry.ts'

export type BoardStep = {
  /** For lane a, in order. */
  readonly transitions: readonly Transition[]
  /** To be written at once: levels, not events. */
  readonly outputs: readonly OutputLevel[]
  readonly states: readonly (readonly [key: string, value: string | null])[]
}

export type AckTarget = { readonly no: number } | { readonly rule: string } | 'all'

export type BoardOptions = {
  readonly ulid: (utcMs: number) => string
  /** Durable states as they were at start. */
  readonly states: ReadonlyMap<string, string>
  readonly now: Now
  readonly delays?: BuiltinDelays
}

/** One rule as it stands, for whoever asks why. */
export type RuleLook = {
  readonly rule: Rule
  readonly truth: Truth
  readonly active: boolean
  /** `bus:riser_b3`: silent by design. */
  readonly suppressed: string | null
  /** Indices of the points that its condition reads. */
  readonly inputs: readonly number[]
  /** What was said with the fact, of a built-in rule. */
  readonly detail: Text | null
}

type Fact = { readonly truth: Truth; readonly detail: Text | null }

const NOBODY_SAID: Fact = { truth: 'unknown', detail: null }

export class Board {
  readonly #site: Site
  readonly #ulid: (utcMs: number) => string
  readonly #entries = new Map<string, Entry>()
  readonly #byPoint: readonly (readonly Entry[])[]
  readonly #byBus: readonly (readonly Entry[])[]
  readonly #facts = new Map<string, Fact>()
  /** Per bus: is it down? undefined: nobody said so far. */
  readonly #busDown: (boolean | undefined)[]
  readonly #dirty = new Set<Entry>()
  readonly #timed = new Set<Entry>()
  /** Of rules that are gone: told and kept with the first step. */
  readonly #farewell: Transition[] = []
  readonly #goneStates: (readonly [string, string | null])[] = []
  #lastNo = 0

  constructor(site: Site, options: BoardOptions) {
    this.#site = site
    this.#ulid = options.ulid
    this.#busDown = site.buses.map(() => undefined)
    const byPoint: Entry[][] = site.points.map(() => [])
    const byBus: Entry[][] = site.buses.map(() => [])
    const watches = planWatches(site, options.delays)
    for (const watch of watches) {
      const entry = this.#open(watch, options)
      for (const input of watch.condition?.inputs ?? []) byPoint[input]?.push(entry)
      if (watch.bus !== null) byBus[watch.bus.index]?.push(entry)
    }
    this.#byPoint = byPoint
    this.#byBus = byBus
    this.#adoptGone(options)
  }

  #open(watch: Watch, { states, now }: BoardOptions): Entry {
    const text = states.get(stateKey(watch.rule.id))
    const entry = new Entry(watch, text === undefined ? { alarms: [], parked: false } : readKept(text), now.mono)
    this.#entries.set(watch.rule.id, entry)
    this.#dirty.add(entry)
    for (const { no } of entry.alarms) this.#lastNo = Math.max(this.#lastNo, no)
    return entry
  }

  /** Rules that the site file no longer has: what was active is cleared, what was not acknowledged still waits for it. */
  #adoptGone(options: BoardOptions): void {
    for (const [key, text] of options.states) {
      const id = ruleOfKey(key)
      if (id === null || this.#entries.has(id)) continue
      const alarms = readKept(text).alarms.map((alarm) => {
        if (!alarm.last.active) return alarm
        const cleared = change(alarm, 'cleared', options.now.utc, { active: false, by: 'config' })
        this.#farewell.push(cleared.last)
        return cleared
      })
      const waiting = alarms.filter((alarm) => !alarm.last.acked)
      const kept = writeKept({ alarms: waiting, parked: false })
      if (kept !== text) this.#goneStates.push([key, kept])
      if (kept === null) continue
      this.#open(gone(id, waiting.at(-1)?.last), { ...options, states: new Map([[key, kept]]) })
    }
  }

  /** `key`: the id of a built-in rule. Counts with the next step. A key that no rule has is a bug and throws. */
  setFact(key: string, truth: Truth, detail: Text | null = null): void {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.watch.condition !== null) throw new RangeError(`there is no built-in alarm ${key}`)
    this.#facts.set(key, { truth, detail })
    this.#dirty.add(entry)
    const { announces } = entry.watch
    if (announces === null || truth === 'unknown' || this.#busDown[announces] === (truth === 'yes')) return
    this.#busDown[announces] = truth === 'yes'
    for (const child of this.#byBus[announces] ?? []) this.#dirty.add(child)
  }

  /** The facts in what the field says of devices and buses. */
  arrive(arrival: Exclude<Arrival, { kind: 'scan' }>): void {
    // "Does not answer" is said by the alarm itself.
    const { cause } = arrival
    const detail = cause === null || (arrival.kind === 'device' && cause.kind === 'timeout') ? null : causeWords(cause)
    const truth = arrival.state === 'offline' ? 'yes' : 'no'
    const of = arrival.kind === 'bus' ? this.#site.buses[arrival.bus] : this.#site.devices[arrival.device]
    if (of === undefined) throw new RangeError(`there is no such ${arrival.kind}`)
    const key = builtinId(arrival.kind === 'bus' ? 'bus_offline' : 'device_offline', of.id)
    if (this.#entries.has(key)) this.setFact(key, truth, detail)
  }

  /** Points that conditions of rules name. */
  inputs(): readonly number[] {
    return this.#byPoint.flatMap((entries, point) => (entries.length > 0 ? [point] : []))
  }

  /** `changed`: points whose value, quality or cause is another than at the last step; may name one twice. */
  step(changed: readonly number[], view: View, now: Now): BoardStep {
    for (const point of changed) for (const entry of this.#byPoint[point] ?? []) this.#dirty.add(entry)
    for (const entry of this.#timed)
      if ((entry.nextDue() ?? Number.POSITIVE_INFINITY) <= now.mono) this.#dirty.add(entry)
    const output = new Output()
    output.transitions.push(...this.#farewell.splice(0))
    output.states.push(...this.#goneStates.splice(0))
    for (const entry of this.#dirty) this.#advance(entry, view, now, output)
    this.#dirty.clear()
    return output
  }

  /** Who: `cli:root`, `cloud:ops_1`. A latched alarm whose condition is over clears with the next step, which is then due. */
  ack(target: AckTarget, by: string, now: Now): BoardStep & { readonly acked: number } {
    const output = new Output()
    let acked = 0
    for (const entry of this.#entries.values()) {
      const meant = entry.alarms.filter(
        ({ no, last }) => target === 'all' || ('no' in target ? target.no === no : target.rule === last.rule),
      )
      if (meant.length === 0) continue
      acked += entry.acknowledge(meant, by, now, output)
      this.#save(entry, output)
      this.#dirty.add(entry)
    }
    return { transitions: output.transitions, outputs: output.outputs, states: output.states, acked }
  }

  /** null: there is no such rule. */
  look(id: string, view: View): RuleLook | null {
    const entry = this.#entries.get(id)
    if (entry === undefined) return null
    const { watch, active } = entry
    return {
      rule: watch.rule,
      truth: this.#truthOf(watch, view),
      active: active !== null,
      suppressed: active?.last.suppressed ?? (entry.suppressed ? `bus:${watch.bus?.id ?? ''}` : null),
      inputs: watch.condition?.inputs ?? [],
      detail: watch.condition === null ? this.#fact(watch).detail : null,
    }
  }

  /** Ids of all rules, built-in ones too. */
  ids(): readonly string[] {
    return [...this.#entries.keys()]
  }

  /** Ids of the rules whose condition reads this point. */
  watching(point: number): readonly string[] {
    return (this.#byPoint[point] ?? []).map(({ watch }) => watch.rule.id)
  }

  /** Occurrences that are not both cleared and acknowledged, by number. */
  live(): readonly Alarm[] {
    return [...this.#entries.values()].flatMap((entry) => entry.alarms).sort((a, b) => a.no - b.no)
  }

  counts(): { readonly active: number; readonly unacknowledged: number } {
    const live = this.live()
    return {
      active: live.filter((alarm) => alarm.last.active).length,
      unacknowledged: live.filter((alarm) => !alarm.last.acked).length,
    }
  }

  /** Monotonic ms at which a step is due though nothing changes: 0 for at once, null for never. */
  nextDue(): number | null {
    if (this.#dirty.size > 0 || this.#farewell.length > 0) return 0
    let due: number | null = null
    for (const entry of this.#timed) {
      const at = entry.nextDue()
      if (at !== null && (due === null || at < due)) due = at
    }
    return due
  }

  #advance(entry: Entry, view: View, now: Now, output: Output): void {
    const { watch } = entry
    const down = watch.bus === null ? false : this.#busDown[watch.bus.index]
    if (watch.bus !== null && down !== undefined) entry.suppress(down ? `bus:${watch.bus.id}` : null, now, output)
    // While nobody has said how the bus is, what was suppressed before a restart stays so.
    const silent = down === true || (down === undefined && entry.suppressed)
    const truth = silent ? 'unknown' : this.#truthOf(watch, view)
    entry.advance(truth, now, () => this.#snapshot(watch, view, now), output)
    this.#save(entry, output)
    if (entry.nextDue() === null) this.#timed.delete(entry)
    else this.#timed.add(entry)
  }

  #truthOf(watch: Watch, view: View): Truth {
    return watch.condition === null ? this.#fact(watch).truth : watch.condition.evaluate(view)
  }

  #fact(watch: Watch): Fact {
    return this.#facts.get(watch.rule.id) ?? NOBODY_SAID
  }

  #snapshot(watch: Watch, view: View, now: Now) {
    const inputs: Record<string, Value | null> = {}
    for (const input of watch.condition?.inputs ?? []) {
      const id = this.#site.points[input]?.id
      const sample = view.get(input)
      if (id !== undefined) inputs[id] = sample.quality === 'bad' ? null : sample.value
    }
    return { no: this.#nextNo(), id: this.#ulid(now.utc), inputs, detail: this.#fact(watch).detail }
  }

  /** Short enough to be typed, and not soon used again, so that a slow hand does not acknowledge another alarm. */
  #nextNo(): number {
    const taken = new Set(this.live().map((alarm) => alarm.no))
    do this.#lastNo = this.#lastNo >= NO_MAX ? 1 : this.#lastNo + 1
    while (taken.has(this.#lastNo) && taken.size < NO_MAX)
    return this.#lastNo
  }

  #save(entry: Entry, output: Output): void {
    const kept = entry.takeKept()
    if (kept !== null) output.states.push([stateKey(entry.watch.rule.id), writeKept(kept)])
  }
}

const NO_MAX = 9999

class Output implements BoardStep, Sink {
  readonly transitions: Transition[] = []
  readonly outputs: OutputLevel[] = []
  readonly states: (readonly [string, string | null])[] = []
  readonly tell = (transition: Transition): void => {
    this.transitions.push(transition)
  }
  readonly write = (level: OutputLevel): void => {
    this.outputs.push(level)
  }
}

/** A stand-in for a rule that the site file no longer has, so that its alarms can still be acknowledged. */
function gone(id: string, last: Transition | undefined): Watch {
  const nothing = { en: id, zh: id }
  return {
    rule: {
      id,
      device: null,
      when: '',
      onDelayMs: 0,
      offDelayMs: 0,
      latch: false,
      priority: last?.pri ?? 'low',
      text: last?.text ?? nothing,
      advice: last?.advice ?? null,
      do: [],
    },
    i: last?.i ?? null,
    place: last?.place ?? {},
    condition: null,
    bus: null,
    announces: null,
  }
}
