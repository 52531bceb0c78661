/** Expressions over points, as those who load files check them. Rules make further demands: alarm/condition. */
import type { Flaw } from './flaw.ts'
import { parseExpression, type Scope, type ValueType } from './parse.ts'
import { inputsOf } from './tree.ts'

export type ExpressionCheck =
  | { readonly ok: true; readonly inputs: readonly number[]; readonly type: ValueType }
  | ({ readonly ok: false } & Flaw)

/** Is this a sound expression (driver key `derive`), and which points does it read? */
export function checkExpression(source: string, scope: Scope): ExpressionCheck {
  const parsed = parseExpression(source, scope)
  return parsed.ok ? { ok: true, inputs: inputsOf(parsed.tree), type: parsed.type } : parsed
}
