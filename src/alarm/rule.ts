/** What the board watches: rules of the site with their compiled conditions, built-in rules with their facts, and which bus each hangs on. */
import { inputsOfFormula } from '../derive/evaluate.ts'
import { inputsOf } from '../derive/tree.ts'
import { parseExpression } from '../derive/parse.ts'
import type { Rule } from '../model/alarm.ts'
import type { Site } from '../model/site.ts'
import { type BuiltinDelays, builtinRules } from './builtin.ts'
import { type Condition, compileCondition, type Environment, siteEnvironment } from './condition.ts'

export type Watch = {
  readonly rule: Rule
  /** Device id, null for a rule of the site. */
  readonly i: string | null
  readonly place: Readonly<Record<string, string>>
  /** null: its truth is a fact that somebody states. */
  readonly condition: Condition | null
  /** The bus on which all of it hangs: while that is down, this stays silent. */
  readonly bus: { readonly index: number; readonly id: string } | null
  /** The bus whose death this announces (`bus_offline`). */
  readonly announces: number | null
}

/** Throws where a condition does not compile: those are checked at load. */
export function planWatches(site: Site, delays: BuiltinDelays = {}): readonly Watch[] {
  const environment = siteEnvironment(site)
  const buses = busesOfPoints(site, environment)
  return [
    ...builtinRules(site, delays).map(({ rule, kind, bus }): Watch => {
      const announces = kind === 'bus_offline' ? bus : null
      return {
        ...whereabouts(site, rule),
        condition: null,
        bus: announces === null ? busAt(site, bus) : null,
        announces,
      }
    }),
    ...site.rules.map((rule): Watch => {
      const params = rule.device === null ? undefined : site.devices[rule.device]?.params
      const scope = { environment, device: rule.device, ...(params === undefined ? {} : { params }) }
      const condition = compileCondition(rule.when, scope)
      return {
        ...whereabouts(site, rule),
        condition,
        bus: busAt(site, commonBus(condition.inputs, buses)),
        announces: null,
      }
    }),
  ]
}

function whereabouts(site: Site, rule: Rule): Pick<Watch, 'rule' | 'i' | 'place'> {
  const device = rule.device === null ? undefined : site.devices[rule.device]
  return { rule, i: device?.id ?? null, place: device?.place ?? {} }
}

function busAt(site: Site, index: number | null): Watch['bus'] {
  const bus = index === null ? undefined : site.buses[index]
  return bus === undefined ? null : { index: bus.index, id: bus.id }
}

/** Of what is not on a bus: it can live on while any bus is down. */
const OFF_BUS = -1

/** Per point the buses from which its value comes, through composed and derived points down to the field. */
function busesOfPoints(site: Site, environment: Environment): readonly ReadonlySet<number>[] {
  const found: (ReadonlySet<number> | undefined)[] = site.points.map(() => undefined)
  const visit = (index: number, above: ReadonlySet<number>): ReadonlySet<number> => {
    const known = found[index]
    if (known !== undefined) return known
    const point = site.points[index]
    if (point === undefined || above.has(index)) return new Set()
    const link = site.devices[point.device]?.link
    const sources = sourcesOf(site, environment, index)
    const below = new Set(above).add(index)
    const buses =
      sources === null
        ? new Set([link?.kind === 'bus' || link?.kind === 'lines' ? link.bus : OFF_BUS])
        : new Set(sources.flatMap((source) => [...visit(source, below)]))
    found[index] = buses
    return buses
  }
  return site.points.map((point) => visit(point.index, new Set()))
}

/** null: read from the field. */
function sourcesOf(site: Site, environment: Environment, index: number): readonly number[] | null {
  const point = site.points[index]
  if (point === undefined || point.source.from === 'field') return null
  // Not connected: it hangs on nothing.
  if (point.source.from === 'none') return []
  if (point.source.from === 'point') return [point.source.point]
  const { formula } = point.source
  if (formula.kind !== 'expression') return inputsOfFormula(formula)
  const params = site.devices[formula.device]?.params ?? {}
  const parsed = parseExpression(formula.source, { environment, device: formula.device, params })
  return parsed.ok ? inputsOf(parsed.tree) : []
}

function commonBus(inputs: readonly number[], buses: readonly ReadonlySet<number>[]): number | null {
  const all = new Set(inputs.flatMap((input) => [...(buses[input] ?? [OFF_BUS])]))
  const [only, ...others] = all
  return only === undefined || only === OFF_BUS || others.length > 0 ? null : only
}
