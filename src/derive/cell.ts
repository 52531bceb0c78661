/** One derived point at work: takes samples of its inputs, gives its own sample, knows what of it must be durable. */
import type { View } from '../image/image.ts'
import type { Doubt, Fault } from '../model/fault.ts'
import type { Value } from '../model/point.ts'
import type { Sample } from '../model/sample.ts'
import { compileTree } from './compile.ts'
import { type CounterEvent, type CounterLimits, type Reached } from './counter.ts'
import { type Door, type DoorTimes, dueAt, grant, move, UNKNOWN_DOOR, wait } from './door.ts'
import { readCount, readHours, readIncrease, writeCount, writeHours, writeIncrease } from './durable.ts'
import { hoursOf, type PeriodStart, type Period, stepCount, stepHours, stepIncrease } from './formula.ts'
import type { Tree } from './tree.ts'

export type Moment = {
  readonly mono: number
  /** UTC ms; null: the clock is not trusted, so no calendar period begins. */
  readonly utc: number | null
}

export type CellStep = {
  readonly sample: Sample
  readonly event: CounterEvent | null
  /** The durable text changed in a way that must not wait. */
  readonly save: boolean
}

/** Follows one source, sample by sample. */
export type Accumulator = {
  readonly step: (source: Sample, now: Moment) => CellStep
  /** Durable text; null: nothing yet. */
  readonly write: () => string | null
}

function quiet(sample: Sample): CellStep {
  return { sample, event: null, save: false }
}

/** While the source is not good the value stays and carries its cause; a bad source leaves no value. */
function carried(point: number, source: Sample, value: Value | null): Sample {
  if (source.quality === 'bad') return { ...source, point }
  if (value === null) return { point, mono: source.mono, quality: 'bad', cause: { kind: 'not_read' } }
  if (source.quality === 'good') return { point, mono: source.mono, quality: 'good', value }
  return { point, mono: source.mono, quality: 'uncertain', value, cause: source.cause }
}

export function createIncrease(
  point: number,
  name: string,
  over: Period,
  options: { limits: CounterLimits; periodStart: PeriodStart; saved: string | null },
): Accumulator {
  let state = options.saved === null ? null : readIncrease(name, options.saved)
  const startOf = (utc: number): number => options.periodStart(utc, over)
  return {
    step(source, now) {
      if (source.quality !== 'good') return quiet(carried(point, source, state?.gain ?? null))
      const value = Number(source.value)
      if (!Number.isFinite(value)) return quiet(noValue(point, source.mono))
      // The time of the reading, not of the turn that looks at it.
      const utc = now.utc === null ? null : now.utc - (now.mono - source.mono)
      const reached: Reached = { value, mono: source.mono, utc }
      const { state: next, event, turned } = stepIncrease(state, reached, options.limits, startOf)
      state = next
      const sample: Sample = next.partial
        ? { point, mono: source.mono, quality: 'uncertain', value: next.gain, cause: 'substituted' }
        : { point, mono: source.mono, quality: 'good', value: next.gain }
      return { sample, event, save: turned }
    },
    write: () => (state === null ? null : writeIncrease(name, state)),
  }
}

export function createHours(point: number, name: string, saved: string | null): Accumulator {
  let state = saved === null ? null : readHours(name, saved)
  return {
    step(source) {
      const value = source.quality === 'good' ? source.value === true : null
      const before = state
      state = stepHours(state, value, source.mono)
      const edge = (before?.trueAt ?? null) !== null && state.trueAt === null
      return { sample: carried(point, source, hoursOf(state)), event: null, save: edge }
    },
    write: () => (state === null ? null : writeHours(name, state)),
  }
}

export function createCount(point: number, name: string, saved: string | null): Accumulator {
  let state = saved === null ? null : readCount(name, saved)
  return {
    step(source) {
      if (source.quality !== 'good') return quiet(carried(point, source, state?.times ?? null))
      const before = state
      state = stepCount(state, source.value === true)
      return { sample: carried(point, source, state.times), event: null, save: before?.last !== state.last }
    },
    write: () => (state === null ? null : writeCount(name, state)),
  }
}

/** Looks at all its inputs at once. */
export type Computation = {
  readonly evaluate: (view: View, now: Moment) => Sample
  /** When time alone changes the result, monotonic ms; null: never. Left out: it never does. */
  readonly nextDue?: () => number | null
}

/** `of`: the contact, true while the door is closed. Nothing of it is durable: after a start nobody knows how a door was opened. */
export function createDoor(point: number, of: number, granted: number | null, times: DoorTimes): Computation {
  let door: Door = UNKNOWN_DOOR
  return {
    nextDue: () => dueAt(door, times),
    evaluate(view, now) {
      const contact = view.get(of)
      if (granted !== null) {
        const sample = view.get(granted)
        door = grant(door, sample.quality === 'good' ? sample.value === true : null, sample.mono)
      }
      const closed = contact.quality === 'good' ? contact.value === true : null
      door = wait(move(door, closed, contact.mono, times), now.mono, times)
      const mono = Math.max(contact.mono, door.since)
      if (contact.quality === 'bad') return { point, mono, quality: 'bad', cause: contact.cause }
      if (contact.quality === 'good') return { point, mono, quality: 'good', value: door.state ?? 'closed' }
      // An old value says how the door stood, and no more.
      const value = contact.value === true ? 'closed' : 'open'
      return { point, mono, quality: 'uncertain', value, cause: contact.cause }
    },
  }
}

export function createComputation(point: number, tree: Tree, inputs: readonly number[]): Computation {
  const strict = compileTree(tree)
  const lenient = compileTree(tree, 'uncertain too')
  return {
    evaluate(view) {
      const samples = inputs.map((input) => view.get(input))
      // As new as its newest input: nothing is given a time at which nobody read.
      const mono = samples.reduce((newest, sample) => Math.max(newest, sample.mono), Number.NEGATIVE_INFINITY)
      const value = strict(view)
      if (value !== undefined) return { point, mono, quality: 'good', value }
      const kept = lenient(view)
      const doubt = firstDoubt(samples)
      if (kept !== undefined && doubt !== null) return { point, mono, quality: 'uncertain', value: kept, cause: doubt }
      const fault = firstFault(samples)
      return fault === null ? noValue(point, mono) : { point, mono, quality: 'bad', cause: fault }
    },
  }
}

/** No finite result, as after a division by zero. */
function noValue(point: number, mono: number): Sample {
  return { point, mono, quality: 'bad', cause: { kind: 'out_of_range' } }
}

function firstDoubt(samples: readonly Sample[]): Doubt | null {
  for (const sample of samples) if (sample.quality === 'uncertain') return sample.cause
  return null
}

function firstFault(samples: readonly Sample[]): Fault | null {
  for (const sample of samples) if (sample.quality === 'bad') return sample.cause
  return null
}
