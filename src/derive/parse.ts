/**
 * From CEL source to a tree. Parsing and type checking are the library's; which constructs may stand in an expression is
 * decided here: a bounded set whose cost is known at load. No regular expressions, no loops, no conversions. Every number is a
 * double, so integer literals are widened before the check (`value + 1` is what people write).
 */
import { type ASTNode, Environment as CelEnvironment, type ParseError } from '@marcbachmann/cel-js'
import type { PointType, Text } from '../model/point.ts'
import type { Environment, EnvironmentDevice, EnvironmentPoint } from './environment.ts'
import { createFlaw, type Flaw } from './flaw.ts'
import { nearest } from './nearest.ts'
import type { Tree } from './tree.ts'
import { FLAWS, foreignFlaw } from './wording.ts'
import { CEL_WORDS } from './words.ts'

/** Values that stand as `params.name`. */
export type Params = Readonly<Record<string, number | boolean | string>>

export type Scope = {
  readonly environment: Environment
  /** Index of the device whose points stand bare; null: none do. */
  readonly device: number | null
  readonly params?: Params
}

export type ValueType = 'number' | 'bool' | 'text'

export type Parsed =
  | { readonly ok: true; readonly tree: Tree; readonly type: ValueType }
  | ({ readonly ok: false } & Flaw)

/** Longer sources are refused: nobody can read them, and the parser's depth follows the length. */
const SOURCE_LENGTH_MAX = 4000

const CEL_TYPES: Record<PointType, 'double' | 'bool' | 'string'> = {
  f64: 'double',
  u64: 'double',
  bool: 'bool',
  str: 'string',
}
const VALUE_TYPES: Readonly<Record<string, ValueType>> = { double: 'number', bool: 'bool', string: 'text' }
const BASE = new CelEnvironment({ limits: { maxAstNodes: 1000, maxDepth: 64, maxListElements: 64 } }).registerOperator(
  'double % double',
  () => 0,
)
for (const type of ['double', 'bool', 'string']) {
  BASE.registerFunction(`bad(${type}): bool`, () => false)
  BASE.registerFunction(`stale(${type}): bool`, () => false)
}

export function parseExpression(source: string, scope: Scope): Parsed {
  if (source.length > SOURCE_LENGTH_MAX) {
    return { ok: false, ...createFlaw(source, FLAWS.tooLong(SOURCE_LENGTH_MAX), 0, 0) }
  }
  if (source.trim() === '') return { ok: false, ...createFlaw(source, FLAWS.empty(), 0, 0) }
  const cel = BASE.clone()
  try {
    const parsed = cel.parse(source)
    const tree = new Translation(cel, scope).translate(parsed.ast)
    const checked = parsed.check()
    if (!checked.valid) return { ok: false, ...foreignFlaw(source, checked.error) }
    const type = VALUE_TYPES[checked.type ?? '']
    if (type === undefined) {
      return { ok: false, ...createFlaw(source, FLAWS.noValue(checked.type ?? 'nothing'), 0, source.length) }
    }
    return { ok: true, tree, type }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, ...createFlaw(source, error.words, error.start, error.end) }
    if (error instanceof Error && 'summary' in error) return { ok: false, ...foreignFlaw(source, error as ParseError) }
    throw error
  }
}

/** Thrown inside this file only, caught by parseExpression. */
class Refusal extends Error {
  readonly words: Text
  readonly start: number
  readonly end: number
  constructor(node: ASTNode, words: Text, start = node.start) {
    super(words.en)
    this.words = words
    this.start = start
    this.end = node.end
  }
}

/** Walks the library's tree once: resolves names, declares to the library what it met, widens integers, refuses the rest. */
class Translation {
  readonly #cel: CelEnvironment
  readonly #scope: Scope
  readonly #own: EnvironmentDevice | null
  /** Device id (or `params`) to the fields of it that were met. One object per variable: the library keeps the reference. */
  readonly #fields = new Map<string, Record<string, string>>()

  constructor(cel: CelEnvironment, scope: Scope) {
    this.#cel = cel
    this.#scope = scope
    this.#own = scope.device === null ? null : (scope.environment.devices[scope.device] ?? null)
  }

  translate(root: ASTNode): Tree {
    const tree = this.#node(root)
    for (const [name, fields] of this.#fields) {
      this.#cel.registerType(`Fields_${name}`, { fields })
      this.#cel.registerVariable(name, `Fields_${name}`)
    }
    return tree
  }

  #node(node: ASTNode): Tree {
    switch (node.op) {
      case 'value':
        return this.#literal(node)
      case 'id':
        return this.#bare(node, node.args)
      case '.':
        return this.#field(node, node.args[0], node.args[1])
      case '!_':
        return { kind: 'not', of: this.#node(node.args) }
      case '-_':
        return { kind: 'minus', of: this.#node(node.args) }
      case '&&':
      case '||':
        return {
          kind: node.op === '&&' ? 'and' : 'or',
          left: this.#node(node.args[0]),
          right: this.#node(node.args[1]),
        }
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        return {
          kind: 'arithmetic',
          op: node.op,
          left: this.#node(node.args[0]),
          right: this.#node(node.args[1]),
        }
      case '==':
      case '!=':
      case '<':
      case '<=':
      case '>':
      case '>=':
        this.#checkLabel(node.args[0], node.args[1])
        this.#checkLabel(node.args[1], node.args[0])
        return {
          kind: 'comparison',
          op: node.op,
          left: this.#node(node.args[0]),
          right: this.#node(node.args[1]),
        }
      case 'in':
        return this.#member(node, node.args[0], node.args[1])
      case '?:':
        return {
          kind: 'choice',
          condition: this.#node(node.args[0]),
          whenTrue: this.#node(node.args[1]),
          whenFalse: this.#node(node.args[2]),
        }
      case 'call':
        return this.#quality(node, node.args[0], node.args[1])
      case 'rcall':
        return this.#textQuestion(node, node.args[0], node.args[1], node.args[2])
      default:
        throw new Refusal(node, FLAWS.noPlaceFor(node.op))
    }
  }

  #literal(node: ASTNode): Tree {
    const value: unknown = node.args
    if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') {
      return { kind: 'constant', value }
    }
    // int is a bigint, uint an object of the library's that counts as one.
    const whole = typeof value === 'object' && value !== null ? value.valueOf() : value
    if (typeof whole !== 'bigint') throw new Refusal(node, FLAWS.noPlaceFor('constant'))
    const number = Number(whole)
    if (!Number.isSafeInteger(number)) throw new Refusal(node, FLAWS.tooLarge(whole))
    // The check runs later on this same tree and then sees a double.
    const literal: { args: unknown } = node
    literal.args = number
    return { kind: 'constant', value: number }
  }

  #bare(node: ASTNode, name: string): Tree {
    if (name === 'params' && this.#scope.params !== undefined) {
      throw new Refusal(node, FLAWS.paramsBare(Object.keys(this.#scope.params)))
    }
    refuseWord(node, name)
    const point = this.#own === null ? undefined : this.#pointOf(this.#own, name)
    if (point !== undefined) {
      if (!this.#cel.hasVariable(name)) this.#cel.registerVariable(name, CEL_TYPES[point.type])
      return pointNode(point)
    }
    const device = this.#scope.environment.deviceById.get(name)
    if (device !== undefined) throw new Refusal(node, FLAWS.deviceBare(name, device.points[0]?.key ?? null))
    throw new Refusal(node, this.#unknownName(name))
  }

  #unknownName(name: string): Text {
    const keys = this.#own === null ? [] : this.#own.points.map((point) => point.key)
    const near = nearest(name, keys) ?? nearest(name, this.#scope.environment.deviceById.keys())
    return this.#own === null ? FLAWS.noDeviceBare(name, near) : FLAWS.noPoint(this.#own.id, name, near)
  }

  #field(node: ASTNode, left: ASTNode, key: string): Tree {
    if (left.op !== 'id') throw new Refusal(node, FLAWS.noOwner(key), node.pos)
    const name = left.args
    if (name === 'params' && this.#scope.params !== undefined) return this.#param(node, key, this.#scope.params)
    refuseWord(left, name)
    const device = this.#scope.environment.deviceById.get(name)
    if (device === undefined) {
      const near = nearest(name, this.#scope.environment.deviceById.keys())
      const isPoint = this.#own !== null && this.#pointOf(this.#own, name) !== undefined
      throw new Refusal(left, FLAWS.noDevice(name, near, isPoint))
    }
    const point = this.#pointOf(device, key)
    if (point === undefined) {
      const keys = device.points.map((known) => known.key)
      throw new Refusal(node, FLAWS.noPoint(name, key, nearest(key, keys), keys), node.pos)
    }
    this.#declare(name, key, CEL_TYPES[point.type])
    return pointNode(point)
  }

  #param(node: ASTNode, key: string, params: Params): Tree {
    const value = Object.hasOwn(params, key) ? params[key] : undefined
    if (value === undefined) {
      const known = Object.keys(params)
      throw new Refusal(node, FLAWS.noParam(key, nearest(key, known), known), node.pos)
    }
    this.#declare('params', key, typeof value === 'number' ? 'double' : typeof value === 'boolean' ? 'bool' : 'string')
    return { kind: 'constant', value }
  }

  #declare(variable: string, key: string, type: string): void {
    const fields = this.#fields.get(variable)
    if (fields === undefined) this.#fields.set(variable, { [key]: type })
    else fields[key] = type
  }

  #member(node: ASTNode, of: ASTNode, list: ASTNode): Tree {
    if (list.op !== 'list') throw new Refusal(list, FLAWS.inWhat())
    if (list.args.length === 0) throw new Refusal(node, FLAWS.listEmpty())
    for (const element of list.args) this.#checkLabel(of, element)
    return { kind: 'member', of: this.#node(of), list: list.args.map((element) => this.#node(element)) }
  }

  #quality(node: ASTNode, name: string, args: readonly ASTNode[]): Tree {
    if (name !== 'bad' && name !== 'stale') {
      throw new Refusal(node, FLAWS.noFunction(name, nearest(name, ['bad', 'stale'])))
    }
    const point = args[0] === undefined || args.length > 1 ? null : this.#node(args[0])
    if (point?.kind !== 'point') throw new Refusal(node, FLAWS.qualityOf(name))
    return { kind: 'quality', asks: name, index: point.index }
  }

  #textQuestion(node: ASTNode, name: string, of: ASTNode, args: readonly ASTNode[]): Tree {
    const part = args[0]
    const known = name === 'contains' || name === 'startsWith' || name === 'endsWith'
    if (!known || part === undefined || args.length > 1) throw new Refusal(node, FLAWS.noMethod(name))
    return { kind: 'text', asks: name, of: this.#node(of), part: this.#node(part) }
  }

  /** A label that the point never takes would make a rule that never fires. Digits stand for raw values without label. */
  #checkLabel(side: ASTNode, other: ASTNode): void {
    if (other.op !== 'value' || typeof other.args !== 'string' || /^-?\d+$/.test(other.args)) return
    const labels = this.#labelsOf(side)
    if (labels === undefined || labels.includes(other.args)) return
    throw new Refusal(other, FLAWS.noLabel(other.args, nearest(other.args, labels), labels))
  }

  #labelsOf(node: ASTNode): readonly string[] | undefined {
    if (node.op === 'id') return this.#own === null ? undefined : this.#pointOf(this.#own, node.args)?.labels
    if (node.op !== '.' || node.args[0].op !== 'id') return undefined
    const device = this.#scope.environment.deviceById.get(node.args[0].args)
    return device === undefined ? undefined : this.#pointOf(device, node.args[1])?.labels
  }

  #pointOf(device: EnvironmentDevice, key: string): EnvironmentPoint | undefined {
    return this.#scope.environment.pointByKey.get(device)?.get(key)
  }
}

/** Also where a point has that name: the library would take the word for its own. */
function refuseWord(node: ASTNode, name: string): void {
  if (CEL_WORDS.has(name)) throw new Refusal(node, FLAWS.word(name))
}

function pointNode(point: EnvironmentPoint): Tree {
  return { kind: 'point', index: point.index, type: VALUE_TYPES[CEL_TYPES[point.type]] ?? 'text' }
}
