/** An expression after the door: names resolved to point indices, parameters and literals folded into constants. */
export type Tree =
  | { readonly kind: 'constant'; readonly value: number | boolean | string }
  | { readonly kind: 'point'; readonly index: number; readonly type: 'number' | 'bool' | 'text' }
  | { readonly kind: 'quality'; readonly asks: 'bad' | 'stale'; readonly index: number }
  | { readonly kind: 'not' | 'minus'; readonly of: Tree }
  | { readonly kind: 'and' | 'or'; readonly left: Tree; readonly right: Tree }
  | { readonly kind: 'arithmetic'; readonly op: Arithmetic; readonly left: Tree; readonly right: Tree }
  | { readonly kind: 'comparison'; readonly op: Comparison; readonly left: Tree; readonly right: Tree }
  | { readonly kind: 'member'; readonly of: Tree; readonly list: readonly Tree[] }
  | { readonly kind: 'text'; readonly asks: TextQuestion; readonly of: Tree; readonly part: Tree }
  | { readonly kind: 'choice'; readonly condition: Tree; readonly whenTrue: Tree; readonly whenFalse: Tree }

export type Arithmetic = '+' | '-' | '*' | '/' | '%'
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='
export type TextQuestion = 'contains' | 'startsWith' | 'endsWith'

export function children(tree: Tree): readonly Tree[] {
  switch (tree.kind) {
    case 'constant':
    case 'point':
    case 'quality':
      return []
    case 'not':
    case 'minus':
      return [tree.of]
    case 'and':
    case 'or':
    case 'arithmetic':
    case 'comparison':
      return [tree.left, tree.right]
    case 'member':
      return [tree.of, ...tree.list]
    case 'text':
      return [tree.of, tree.part]
    case 'choice':
      return [tree.condition, tree.whenTrue, tree.whenFalse]
  }
}

/** Every node, parents first. */
export function* walk(tree: Tree): Generator<Tree> {
  yield tree
  for (const child of children(tree)) yield* walk(child)
}

/** The points that an expression reads, ascending, each once. */
export function inputsOf(tree: Tree): readonly number[] {
  const indices = new Set<number>()
  for (const node of walk(tree)) if (node.kind === 'point' || node.kind === 'quality') indices.add(node.index)
  return [...indices].sort((a, b) => a - b)
}
