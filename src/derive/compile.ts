/**
 * A tree as closures. undefined stands for unknown: an input that is not good, or arithmetic without a finite result. It spreads
 * through arithmetic and comparisons; `&&`, `||`, `?:` and `in` give an answer where it does not depend on the unknown part,
 * whichever side that is on.
 */
import type { View } from '../image/image.ts'
import type { Value } from '../model/point.ts'
import type { Arithmetic, Comparison, TextQuestion, Tree } from './tree.ts'

export type Evaluate = (view: View) => Value | undefined

/** Which samples give a value: a rule takes good ones only; a computed point also keeps what is uncertain, and says so. */
export type Takes = 'good' | 'uncertain too'

export function compileTree(tree: Tree, takes: Takes = 'good'): Evaluate {
  const compile = (part: Tree): Evaluate => compileTree(part, takes)
  switch (tree.kind) {
    case 'constant': {
      const { value } = tree
      return () => value
    }
    case 'point':
      return compilePoint(tree.index, tree.type, takes)
    case 'quality':
      return compileQuality(tree.asks, tree.index)
    case 'not': {
      const of = compile(tree.of)
      return (view) => {
        const value = of(view)
        return value === undefined ? undefined : !value
      }
    }
    case 'minus': {
      const of = compile(tree.of)
      return (view) => {
        const value = of(view)
        return typeof value === 'number' ? -value : undefined
      }
    }
    case 'and':
      return compileJunction(compile(tree.left), compile(tree.right), false)
    case 'or':
      return compileJunction(compile(tree.left), compile(tree.right), true)
    case 'arithmetic':
      return compileArithmetic(tree.op, compile(tree.left), compile(tree.right))
    case 'comparison':
      return compileComparison(tree.op, compile(tree.left), compile(tree.right))
    case 'member':
      return compileMember(compile(tree.of), tree.list.map(compile))
    case 'text':
      return compileText(tree.asks, compile(tree.of), compile(tree.part))
    case 'choice':
      return compileChoice(compile(tree.condition), compile(tree.whenTrue), compile(tree.whenFalse))
  }
}

const TYPE_OF = { number: 'number', bool: 'boolean', text: 'string' } as const

function compilePoint(index: number, type: 'number' | 'bool' | 'text', takes: Takes): Evaluate {
  const expected = TYPE_OF[type]
  const strict = takes === 'good'
  return (view) => {
    const sample = view.get(index)
    if (sample.quality === 'bad' || (strict && sample.quality !== 'good')) return undefined
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
