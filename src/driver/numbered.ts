/** Formulas of drafts name other points of the device by key; of points, by number. */
import type { Formula } from '../model/point.ts'
import type { Draft, DraftFormula } from './points.ts'

/** `first`: the number of the device's first point. */
export function numbered(formula: DraftFormula, siblings: readonly Draft[], first: number, device: number): Formula {
  if (formula.kind === 'expression') return { ...formula, device }
  const indexOf = (key: string): number => first + siblings.findIndex((sibling) => sibling.key === key)
  const of = indexOf(formula.of)
  if (formula.kind === 'door')
    return { ...formula, of, granted: formula.granted === null ? null : indexOf(formula.granted) }
  return formula.kind === 'increase' ? { kind: 'increase', of, over: formula.over } : { kind: formula.kind, of }
}
