/**
 * A tree as closures. undefined stands for unknown: an input that is not good, or arithmetic without a finite result. It spreads
 * through arithmetic and comparisons; `&&`, `||`, `?:` and `in` give an answer where it does not depend on the unknown part,
 * whichever side that is on.
 */
import type { View } from '../image/image.ts'
import type { Value } from '../model/point.ts'
import type { Arithmetic, Comparison, TextQuestion, Tree } from './tree.ts'

export type Evaluate = (view: View) => Value | undefined

export function compileTree(tree: Tree): Evaluate {
  switch (tree.kind) {
    case 'constant': {
      const { value } = tree
      return () => value
    }
    case 'point':
      return compilePoint(tree.index, tree.type)
    case 'quality':
      return compileQuality(tree.asks, tree.index)
    case 'not': {
      const of = compileTree(tree.of)
      return (view) => {
        const value = of(view)
        return value === undefined ? undefined : !value
      }
    }
    case 'minus': {
      const of = compileTree(tree.of)
      return (view) => {
        const value = of(view)
        return typeof value === 'number' ? -value : undefined
      }
    }
    case 'and':
      return compileJunction(compileTree(tree.left), compileTree(tree.right), false)
    case 'or':
      return compileJunction(compileTree(tree.left), compileTree(tree.right), true)
    case 'arithmetic':
      return compileArithmetic(tree.op, compileTree(tree.left), compileTree(tree.right))
    case 'comparison':
      return compileComparison(tree.op, compileTree(tree.left), compileTree(tree.right))
    case 'member':
      return compileMember(compileTree(tree.of), tree.list.map(compileTree))
    case 'text':
      return compileText(tree.asks, compileTree(tree.of), compileTree(tree.part))
    case 'choice':
      return compileChoice(compileTree(tree.condition), compileTree(tree.whenTrue), compileTree(tree.whenFalse))
  }
}

const TYPE_OF = { number: 'number', bool: 'boolean', text: 'string' } as const

function compilePoint(index: number, type: 'number' | 'bool' | 'text'): Evaluate {
  const expected = TYPE_OF[type]
  return (view) => {
    const sample = view.get(index)
    if (sample.quality !== 'good') return undefined
    const { value } = sample
    if (typeof value === expected) return value
    // A 64-bit counter beyond 2^53 comes as its decimal text; its double is near enough to compare with.
    return type === 'number' && typeof value === 'string' ? finite(Number(value)) : undefined
  }
}

function compileQuality(asks: 'bad' | 'stale', index: number): Evaluate {
  if (asks === 'bad') return (view) => view.get(index).quality === 'bad'
  return (view) => {
    const sample = view.get(index)
    return sample.quality === 'uncertain' && sample.cause === 'stale'
  }
}

/** `decides` is the value that settles the matter from either side: false for `&&`, true for `||`. */
function compileJunction(left: Evaluate, right: Evaluate, decides: boolean): Evaluate {
  return (view) => {
    const first = left(view)
    if (first === decides) return decides
    const second = right(view)
    if (second === decides) return decides
    return first === undefined || second === undefined ? undefined : !decides
  }
}

function finite(value: number): number | undefined {
  return Number.isFinite(value) ? value : undefined
}

const ARITHMETIC: Record<Arithmetic, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
}

function compileArithmetic(op: Arithmetic, left: Evaluate, right: Evaluate): Evaluate {
  const compute = ARITHMETIC[op]
  return (view) => {
    const a = left(view)
    const b = right(view)
    if (typeof a === 'number' && typeof b === 'number') return finite(compute(a, b))
    return op === '+' && typeof a === 'string' && typeof b === 'string' ? a + b : undefined
  }
}

const COMPARISON: Record<Comparison, (a: Value, b: Value) => boolean> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
}

function compileComparison(op: Comparison, left: Evaluate, right: Evaluate): Evaluate {
  const compare = COMPARISON[op]
  return (view) => {
    const a = left(view)
    if (a === undefined) return undefined
    const b = right(view)
    return b === undefined ? undefined : compare(a, b)
  }
}

function compileMember(of: Evaluate, list: readonly Evaluate[]): Evaluate {
  return (view) => {
    const value = of(view)
    if (value === undefined) return undefined
    let answer: boolean | undefined = false
    for (const element of list) {
      const known = element(view)
      if (known === value) return true
      if (known === undefined) answer = undefined
    }
    return answer
  }
}

const TEXT: Record<TextQuestion, (text: string, part: string) => boolean> = {
  contains: (text, part) => text.includes(part),
  startsWith: (text, part) => text.startsWith(part),
  endsWith: (text, part) => text.endsWith(part),
}

function compileText(asks: TextQuestion, of: Evaluate, part: Evaluate): Evaluate {
  const answer = TEXT[asks]
  return (view) => {
    const text = of(view)
    const piece = part(view)
    return typeof text === 'string' && typeof piece === 'string' ? answer(text, piece) : undefined
  }
}

function compileChoice(condition: Evaluate, whenTrue: Evaluate, whenFalse: Evaluate): Evaluate {
  return (view) => {
    const truth = condition(view)
    if (truth === true) return whenTrue(view)
    if (truth === false) return whenFalse(view)
    const one = whenTrue(view)
    return one !== undefined && one === whenFalse(view) ? one : undefined
  }
}
