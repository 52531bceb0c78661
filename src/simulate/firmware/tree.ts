/** Fields at their places in one document: `a.b` an object in an object, `a.0` a list in an object. */
import type { Value } from '../../model/point.ts'
import { stepsOf } from '../../protocols/payload/document.ts'

export type Tree = { [key: string]: Tree | Value } | (Tree | Value)[]

export function treeOf(fields: readonly { readonly path: string; readonly raw: Value }[]): object {
  const root: Record<string, Tree | Value> = {}
  for (const { path, raw } of fields) put(root, stepsOf(path), raw)
  return root
}

function put(root: Record<string, Tree | Value>, steps: readonly string[], raw: Value): void {
  let here: Tree = root
  for (const [at, step] of steps.entries()) {
    const next = steps[at + 1]
    if (next === undefined) return set(here, step, raw)
    const known = get(here, step)
    const inner: Tree = typeof known === 'object' ? known : /^\d+$/.test(next) ? [] : {}
    set(here, step, inner)
    here = inner
  }
}

function get(tree: Tree, step: string): Tree | Value | undefined {
  return Array.isArray(tree) ? tree[Number(step)] : Object.hasOwn(tree, step) ? tree[step] : undefined
}

/** Defined, not assigned: a field may be called as the prototype is. */
function set(tree: Tree, step: string, value: Tree | Value): void {
  Object.defineProperty(tree, step, { value, enumerable: true, writable: true, configurable: true })
}
