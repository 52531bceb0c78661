/** Which field points alarms look at in the end: through composed devices and computed points, down to what is read. */
import { type Environment, siteEnvironment } from '../derive/environment.ts'
import { parseExpression } from '../derive/parse.ts'
import { inputsOf } from '../derive/tree.ts'
import type { Formula } from '../model/point.ts'
import type { Site } from '../model/site.ts'

function inputsOfFormula(formula: Formula, site: Site, environment: Environment): readonly number[] {
  if (formula.kind !== 'expression') return [formula.of]
  const params = site.devices[formula.device]?.params ?? {}
  const parsed = parseExpression(formula.source, { environment, device: formula.device, params })
  return parsed.ok ? inputsOf(parsed.tree) : []
}

/** `inputs`: points that conditions name. */
export function fieldPointsBehind(site: Site, inputs: Iterable<number>): ReadonlySet<number> {
  const environment = siteEnvironment(site)
  const found = new Set<number>()
  const seen = new Set<number>()
  const waiting = [...inputs]
  for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
    if (seen.has(index)) continue
    seen.add(index)
    const source = site.points[index]?.source
    if (source === undefined) continue
    if (source.from === 'field') found.add(index)
    else if (source.from === 'point') waiting.push(source.point)
    else if (source.from === 'derive') waiting.push(...inputsOfFormula(source.formula, site, environment))
  }
  return found
}
