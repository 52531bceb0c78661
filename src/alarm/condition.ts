/** Conditions of rules: expressions that come to true or false, or to unknown, which neither raises nor clears. */
import { compileTree } from '../derive/compile.ts'
import { createFlaw, type Flaw } from '../derive/flaw.ts'
import { parseExpression, type Scope } from '../derive/parse.ts'
import { inputsOf, type Tree, walk } from '../derive/tree.ts'
import { FLAWS } from '../derive/wording.ts'
import type { View } from '../image/image.ts'
import type { Text } from '../model/point.ts'

export { createEnvironment, type Environment, siteEnvironment } from '../derive/environment.ts'
export { CEL_WORDS } from '../derive/words.ts'
export type { Scope }

export type Truth = 'yes' | 'no' | 'unknown'

export type ConditionCheck =
  | {
      readonly ok: true
      /** Indices of the points it reads, ascending. */
      readonly inputs: readonly number[]
      /** What a condition with exactly one comparison compares with, where that is a constant; else null. */
      readonly limit: number | string | null
    }
  | ({ readonly ok: false } & Flaw)

export type Condition = {
  readonly inputs: readonly number[]
  readonly limit: number | string | null
  readonly evaluate: (view: View) => Truth
}

/** Is this a sound condition? Names the fault and puts carets under it. `scope.params` only where `params.x` may stand. */
export function checkCondition(source: string, scope: Scope): ConditionCheck {
  const parsed = parseCondition(source, scope)
  return parsed.ok ? { ok: true, inputs: inputsOf(parsed.tree), limit: limitOf(parsed.tree) } : parsed
}

/** For a condition that was checked at load. Throws when it was not. */
export function compileCondition(source: string, scope: Scope): Condition {
  const parsed = parseCondition(source, scope)
  if (!parsed.ok) throw new Error(`${parsed.message.en}\n${parsed.caret}`)
  const evaluate = compileTree(parsed.tree)
  return {
    inputs: inputsOf(parsed.tree),
    limit: limitOf(parsed.tree),
    evaluate(view) {
      const value = evaluate(view)
      return value === undefined ? 'unknown' : value === true ? 'yes' : 'no'
    },
  }
}

type ParsedCondition = { readonly ok: true; readonly tree: Tree } | ({ readonly ok: false } & Flaw)

function parseCondition(source: string, scope: Scope): ParsedCondition {
  const parsed = parseExpression(source, scope)
  if (!parsed.ok) return parsed
  const refuse = (message: Text): ParsedCondition => ({
    ok: false,
    ...createFlaw(source, message, 0, source.length),
  })
  if (parsed.type !== 'bool') return refuse(FLAWS.notTruth(parsed.type))
  if (inputsOf(parsed.tree).length === 0) return refuse(FLAWS.noPoints())
  return { ok: true, tree: parsed.tree }
}

const NOTHING: View = {
  get: (point) => ({ point, mono: 0, quality: 'bad', cause: { kind: 'not_read' } }),
}

function limitOf(tree: Tree): number | string | null {
  const comparisons = [...walk(tree)].filter((node) => node.kind === 'comparison')
  const only = comparisons[0]
  if (only === undefined || comparisons.length > 1) return null
  const constants = [only.left, only.right].filter((side) => inputsOf(side).length === 0)
  const limit = constants[0] === undefined || constants.length > 1 ? undefined : compileTree(constants[0])(NOTHING)
  return typeof limit === 'number' || typeof limit === 'string' ? limit : null
}
