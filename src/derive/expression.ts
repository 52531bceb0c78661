/** Expressions over points: what the config loader checks and the spine runs. Rules add their own demands in alarm/condition. */
import type { View } from '../image/image.ts'
import type { Value } from '../model/point.ts'
import { compileTree } from './compile.ts'
import type { Flaw } from './flaw.ts'
import { parseExpression, type Scope, type ValueType } from './parse.ts'
import { inputsOf } from './tree.ts'

export type ExpressionCheck =
  | { readonly ok: true; readonly inputs: readonly number[]; readonly type: ValueType }
  | ({ readonly ok: false } & Flaw)

export type Expression = {
  readonly inputs: readonly number[]
  readonly type: ValueType
  /** undefined: it depends on an input that is not good, or has no finite value. */
  readonly evaluate: (view: View) => Value | undefined
}

/** Is this a sound expression (driver key `derive`), and which points does it read? */
export function checkExpression(source: string, scope: Scope): ExpressionCheck {
  const parsed = parseExpression(source, scope)
  return parsed.ok ? { ok: true, inputs: inputsOf(parsed.tree), type: parsed.type } : parsed
}

/** For a source that was checked at load. Throws when it was not. */
export function compileExpression(source: string, scope: Scope): Expression {
  const parsed = parseExpression(source, scope)
  if (!parsed.ok) throw new Error(`${parsed.message}\n${parsed.caret}`)
  return { inputs: inputsOf(parsed.tree), type: parsed.type, evaluate: compileTree(parsed.tree) }
}
