/**
 * Several documents that say one thing together: site over driver over parent. Maps merge, scalars and lists replace; a complaint
 * goes to the nearest document that holds what it is about.
 */
import type { Document, Path } from './document.ts'
import type { Position } from './finding.ts'

export type Layer = {
  readonly document: Document
  /** Where in the document the merged map begins. */
  readonly base: Path
  /** What this layer holds, from `base` on. */
  readonly data: unknown
}

/** Nearest first. */
export function placeIn(layers: readonly Layer[], path: Path, what: 'value' | 'key' = 'value'): Position {
  for (const layer of layers) {
    if (!holds(layer.data, path)) continue
    const full = [...layer.base, ...path]
    return what === 'key' ? layer.document.keyAt(full) : layer.document.at(full)
  }
  const [nearest] = layers
  // Nobody says it, so it is the nearest file that ought to.
  return path.length === 0 || nearest === undefined
    ? (nearest?.document.at(nearest.base) ?? { file: '', line: 1, col: 1 })
    : placeIn(layers, path.slice(0, -1), what)
}

/** The layer whose text an expression is, for the place inside of it. */
export function placeInside(layers: readonly Layer[], path: Path, line: number, column: number): Position {
  const layer = layers.find((each) => holds(each.data, path))
  return layer === undefined ? placeIn(layers, path) : layer.document.inside([...layer.base, ...path], line, column)
}

type Plain = Readonly<Record<string, unknown>>

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Neither argument is changed. */
export function merge(below: Plain, over: Plain): Plain {
  const merged: Record<string, unknown> = { ...below }
  for (const [key, value] of Object.entries(over)) {
    const old = merged[key]
    if (value === undefined || key === '__proto__') continue
    merged[key] = isPlain(old) && isPlain(value) ? merge(old, value) : value
  }
  return merged
}

function holds(data: unknown, path: Path): boolean {
  let at = data
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return false
    at = (at as Readonly<Record<string | number, unknown>>)[step]
  }
  return at !== undefined
}
