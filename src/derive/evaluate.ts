/**
 * All derived points of a site. Samples go in, derived samples come out in the order of their dependence, with the durable
 * states that changed. A restart goes on from the states.
 */
import type { View } from '../image/image.ts'
import type { Formula, Point, PointId } from '../model/point.ts'
import type { Sample } from '../model/sample.ts'
import type { Site } from '../model/site.ts'
import {
  type Accumulator,
  type Computation,
  createComputation,
  createCount,
  createDoor,
  createHours,
  createIncrease,
  type Moment,
} from './cell.ts'
import { type CounterEvent, type CounterLimits, counterLimits } from './counter.ts'
import { formulaName } from './durable.ts'
import { siteEnvironment } from './environment.ts'
import type { PeriodStart } from './formula.ts'
import { parseExpression } from './parse.ts'
import { inputsOf, type Tree } from './tree.ts'

export type { Moment } from './cell.ts'

/** A counter did something other than grow: worth an entry in the journal. */
export type CounterNotice = { readonly point: number; readonly of: number; readonly what: CounterEvent }

export type Derived = {
  readonly samples: readonly Sample[]
  readonly states: readonly (readonly [key: string, value: string | null])[]
  readonly notices: readonly CounterNotice[]
}

/** Running sums are kept at least so often; edges, new periods and counter events at once. What a power cut can take of them. */
const SAVE_EVERY_MS = 60_000

type Cell = {
  readonly point: Point
  readonly inputs: readonly number[]
  readonly accumulator: Accumulator | null
  readonly computation: Computation | null
  savedMono: number
  savedText: string | null
}

type Source = Pick<Site, 'devices' | 'points'>

export function stateKey(point: PointId): string {
  return `derive.${point}`
}

export class Derivations {
  /** Inputs before those that need them. */
  readonly #cells: readonly Cell[]
  readonly #byInput = new Map<number, Cell[]>()
  /** Those that time alone can change. */
  readonly #timed: readonly Cell[]

  /** Throws when an expression does not compile or points derive from each other: both are found at load (`findDerivedLoop`). */
  constructor(
    site: Source,
    options: { readonly states: ReadonlyMap<string, string>; readonly periodStart: PeriodStart },
  ) {
    const plans = planAll(site)
    const loop = findLoop(plans)
    if (loop !== null)
      throw new Error(`derived points need each other: ${loop.map((plan) => plan.point.id).join(', ')}`)
    this.#cells = inOrder(plans).map((plan) => createCell(plan, site.points, options))
    this.#timed = this.#cells.filter((cell) => cell.computation?.nextDue !== undefined)
    for (const cell of this.#cells) {
      for (const input of cell.inputs) {
        const known = this.#byInput.get(input)
        if (known === undefined) this.#byInput.set(input, [cell])
        else known.push(cell)
      }
    }
  }

  /** `samples` in order of arrival, already in the image that `view` shows. Derived ones are not in it yet. */
  step(samples: readonly Sample[], view: View, now: Moment): Derived {
    if (this.#byInput.size === 0) return NOTHING
    const turn = new Turn(view)
    for (const cell of this.#timed) if ((dueOf(cell) ?? Number.POSITIVE_INFINITY) <= now.mono) turn.due.add(cell)
    for (const sample of samples) this.#feed(sample, turn, now)
    // In order of dependence; what a computation gives may make a later one due.
    for (const cell of this.#cells) {
      if (cell.computation === null || !turn.due.has(cell)) continue
      const sample = cell.computation.evaluate(turn, now)
      turn.add(sample)
      this.#feed(sample, turn, now)
    }
    return turn
  }

  /** Monotonic ms at which a step is due though no sample comes; null: never. */
  nextDue(): number | null {
    return this.#timed.reduce<number | null>((soonest, cell) => {
      const due = dueOf(cell)
      return due === null || (soonest !== null && soonest <= due) ? soonest : due
    }, null)
  }

  /** All durable states that are not saved as they are now: for an orderly stop. */
  flush(): readonly (readonly [key: string, value: string | null])[] {
    const states: (readonly [string, string | null])[] = []
    for (const cell of this.#cells) {
      const text = cell.accumulator?.write() ?? null
      if (text === cell.savedText) continue
      cell.savedText = text
      states.push([stateKey(cell.point.id), text])
    }
    return states
  }

  #feed(sample: Sample, turn: Turn, now: Moment): void {
    for (const cell of this.#byInput.get(sample.point) ?? []) {
      if (cell.accumulator === null) {
        turn.due.add(cell)
        continue
      }
      const { sample: own, event, save } = cell.accumulator.step(sample, now)
      turn.add(own)
      if (event !== null) turn.notices.push({ point: cell.point.index, of: sample.point, what: event })
      if (save || now.mono - cell.savedMono >= SAVE_EVERY_MS) keep(cell, turn, now)
      this.#feed(own, turn, now)
    }
  }
}

function dueOf(cell: Cell): number | null {
  return cell.computation?.nextDue?.() ?? null
}

function keep(cell: Cell, turn: Turn, now: Moment): void {
  const text = cell.accumulator?.write() ?? null
  cell.savedMono = now.mono
  if (text === cell.savedText) return
  cell.savedText = text
  turn.states.push([stateKey(cell.point.id), text])
}

const NOTHING: Derived = { samples: [], states: [], notices: [] }

/** One step under way: the image as it will be, with what was derived so far. */
class Turn implements Derived, View {
  readonly samples: Sample[] = []
  readonly states: (readonly [string, string | null])[] = []
  readonly notices: CounterNotice[] = []
  readonly due = new Set<Cell>()
  readonly #view: View
  readonly #derived = new Map<number, Sample>()

  constructor(view: View) {
    this.#view = view
  }

  add(sample: Sample): void {
    this.samples.push(sample)
    this.#derived.set(sample.point, sample)
  }

  get(point: number): Sample {
    return this.#derived.get(point) ?? this.#view.get(point)
  }
}

type Plan = {
  readonly point: Point
  readonly formula: Formula
  readonly inputs: readonly number[]
  readonly tree: Tree | null
}

function planAll(site: Source): readonly Plan[] {
  const derived = site.points.flatMap((point) =>
    point.source.from === 'derive' ? [{ point, formula: point.source.formula }] : [],
  )
  if (derived.length === 0) return []
  const environment = siteEnvironment(site)
  return derived.map(({ point, formula }) => {
    if (formula.kind !== 'expression') return { point, formula, inputs: inputsOfFormula(formula), tree: null }
    const params = site.devices[formula.device]?.params ?? {}
    const parsed = parseExpression(formula.source, { environment, device: formula.device, params })
    if (!parsed.ok) throw new Error(`${point.id}: ${parsed.message.en}\n${parsed.caret}`)
    return { point, formula, inputs: inputsOf(parsed.tree), tree: parsed.tree }
  })
}

/** The points that a formula without an expression names. */
export function inputsOfFormula(formula: Exclude<Formula, { kind: 'expression' }>): readonly number[] {
  return formula.kind === 'door' && formula.granted !== null ? [formula.of, formula.granted] : [formula.of]
}

/** Ids of derived points that need each other, or null. Throws where an expression does not compile: check those first. */
export function findDerivedLoop(site: Source): readonly PointId[] | null {
  return findLoop(planAll(site))?.map((plan) => plan.point.id) ?? null
}

/** Takes away again and again what needs nothing that is left; what remains goes round in a circle. */
function findLoop(plans: readonly Plan[]): readonly Plan[] | null {
  const ordered = new Set(inOrder(plans))
  const left = plans.filter((plan) => !ordered.has(plan))
  return left.length === 0 ? null : left
}

function inOrder(plans: readonly Plan[]): readonly Plan[] {
  const ordered: Plan[] = []
  const waiting = new Map(plans.map((plan) => [plan.point.index, plan]))
  for (let before = -1; before !== ordered.length; ) {
    before = ordered.length
    for (const [index, plan] of waiting) {
      if (plan.inputs.some((input) => waiting.has(input))) continue
      waiting.delete(index)
      ordered.push(plan)
    }
  }
  return ordered
}

function createCell(
  { point, formula, inputs, tree }: Plan,
  points: readonly Point[],
  options: { readonly states: ReadonlyMap<string, string>; readonly periodStart: PeriodStart },
): Cell {
  const saved = options.states.get(stateKey(point.id)) ?? null
  const cell = { point, inputs, savedMono: 0, savedText: saved }
  if (formula.kind === 'expression' || tree !== null) {
    const computation = tree === null ? null : createComputation(point.index, tree, inputs)
    return { ...cell, accumulator: null, computation }
  }
  if (formula.kind === 'door') {
    const computation = createDoor(point.index, formula.of, formula.granted, formula)
    return { ...cell, accumulator: null, computation }
  }
  const name = formulaName(formula, points[formula.of]?.id ?? '')
  return {
    ...cell,
    accumulator: createAccumulator(point.index, name, formula, points, { ...options, saved }),
    computation: null,
  }
}

function createAccumulator(
  point: number,
  name: string,
  formula: Exclude<Formula, { kind: 'expression' | 'door' }>,
  points: readonly Point[],
  { saved, periodStart }: { readonly saved: string | null; readonly periodStart: PeriodStart },
): Accumulator {
  switch (formula.kind) {
    case 'increase':
      return createIncrease(point, name, formula.over, { limits: limitsOf(formula.of, points), periodStart, saved })
    case 'hours':
      return createHours(point, name, saved)
    case 'count':
      return createCount(point, name, saved)
  }
}

/** Of the counter itself where the source is composed of it. */
function limitsOf(of: number, points: readonly Point[]): CounterLimits {
  let point = points[of]
  for (let chain = 0; chain < 8 && point?.source.from === 'point'; chain++) point = points[point.source.point]
  return point === undefined ? { modulus: null, rateMax: null } : counterLimits(point)
}
