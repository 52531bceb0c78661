/** Turns what the schema says into findings with a place, the nearest known key, and what was wanted instead. */
import type { z } from 'zod'
import type { Text } from '../model/point.ts'
import { nearest } from '../derive/nearest.ts'
import type { Document, Path } from './document.ts'
import type { Findings } from './finding.ts'
import { EXPECT, ID, id, label, secret, text } from './shapes.ts'

type Shape = z.core.$ZodType
type Issue = z.core.$ZodIssue

/** The parsed data, or null after findings. `base` is where in the document the data lies. */
export function parseShape<S extends z.ZodType>(
  schema: S,
  data: unknown,
  document: Document,
  findings: Findings,
  base: Path = [],
): z.infer<S> | null {
  const result = schema.safeParse(data)
  if (result.success) return result.data
  for (const issue of sharpened(result.error.issues, data)) report(issue, schema, document, findings, base, data)
  return null
}

/**
 * As parseShape, but what is wrong is taken out and the rest is given, so that the rest can be checked as well. `pruned` are the
 * paths taken out, joined by dots. null: nothing of use is left.
 */
export function parsePruned<S extends z.ZodType>(
  schema: S,
  document: Document,
  findings: Findings,
): { readonly data: z.infer<S>; readonly pruned: ReadonlySet<string> } | null {
  const pruned = new Set<string>()
  let data = document.data
  // Each round takes out at least one key, and a parent goes when its required child went: few levels, few rounds.
  for (let round = 0; round < 8; round++) {
    const result = schema.safeParse(data)
    if (result.success) return { data: result.data, pruned }
    const paths = sharpened(result.error.issues, data).flatMap((issue) => {
      if (round === 0) report(issue, schema, document, findings, [], data)
      return pathsOf(issue, data)
    })
    for (const path of paths) pruned.add(path.join('.'))
    if (paths.some((path) => path.length === 0)) return null
    data = without(data, paths)
  }
  return null
}

/**
 * Of a choice of shapes what is wrong within the one that was meant, so that its key is named; and of several complaints about one
 * value the first.
 */
function sharpened(issues: readonly Issue[], data: unknown): readonly Issue[] {
  const told = new Set<string>()
  return issues
    .flatMap((issue) => meantBy(issue, data))
    .filter((issue) => {
      const place = JSON.stringify(issue.path)
      const isFirst = !told.has(place)
      told.add(place)
      return isFirst || issue.code === 'unrecognized_keys'
    })
}

/** A map was written, so that shape of the choice was meant which is a map. */
function meantBy(issue: Issue, data: unknown): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue]
  const value = valueAt(data, issue.path.map(stepOf))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [issue]
  const meant = issue.errors.find((inner) =>
    inner.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
  )
  if (meant === undefined) return [issue]
  return meant.flatMap((inner) => meantBy({ ...inner, path: [...issue.path, ...inner.path] }, data))
}

function stepOf(step: PropertyKey): string | number {
  return typeof step === 'number' ? step : String(step)
}

/** What to take out for an issue: the keys, the value, or what cannot be without the value. */
function pathsOf(issue: Issue, data: unknown): readonly Path[] {
  const path = issue.path.map(stepOf)
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => [...path, key])
  // A list with a hole would say something else: all of it goes.
  const list = path.findIndex((step) => typeof step === 'number')
  if (list >= 0) return [path.slice(0, list)]
  return [valueAt(data, path) === undefined ? path.slice(0, -1) : path]
}

function without(data: unknown, paths: readonly Path[]): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(data)) {
    const below = paths.filter((path) => String(path[0]) === key)
    if (below.some((path) => path.length === 1)) continue
    kept[key] =
      below.length === 0
        ? value
        : without(
            value,
            below.map((path) => path.slice(1)),
          )
  }
  return kept
}

function report(issue: Issue, schema: Shape, document: Document, findings: Findings, base: Path, data: unknown): void {
  const inner = issue.path.map(stepOf)
  const path = [...base, ...inner]
  const where = path.join('.') || (document.file.split('/').at(-1) ?? '')
  if (issue.code === 'unrecognized_keys') {
    const known = keysOf(shapeAt(schema, inner))
    for (const key of issue.keys)
      findings.error(document.keyAt([...path, key]), 'unknownKey', { key, near: nearest(key, known), known, where })
    return
  }
  if (issue.code === 'invalid_key') {
    const key = String(path.at(-1) ?? '')
    const wanted = wantedOf(keyShape(shapeAt(schema, inner.slice(0, -1))))
    const suggestion = wanted === null || isOf([id], wanted) ? idLike(key) : null
    findings.error(document.keyAt(path), 'badKey', { key: key === '' ? '""' : key, wanted, suggestion })
    return
  }
  const value = valueAt(data, inner)
  const last = String(path.at(-1) ?? '')
  if (value === undefined) {
    findings.error(document.at(path), 'missingKey', { key: last, where: path.slice(0, -1).join('.') })
    return
  }
  const at = document.at(path)
  const wanted = wantedOf(shapeAt(schema, inner)) ?? fallback(issue)
  const written = isOf([secret], wanted) ? '***' : shown(value, document, path)
  if (value === null) findings.error(at, 'noValue', { where, wanted })
  else if ((typeof value === 'number' || typeof value === 'boolean') && isOf([label, text], wanted))
    findings.error(at, 'unquoted', { where, wanted, shown: written })
  else {
    const choices = issue.code === 'invalid_value' ? issue.values.map(String) : []
    const near = typeof value !== 'string' ? null : isOf([id], wanted) ? idLike(value) : nearest(value, choices)
    findings.error(at, 'badValue', { where, shown: written, wanted, near })
  }
}

/** How the value was written, short enough for one line. */
function shown(value: unknown, document: Document, path: Path): string {
  const text = document.written(path) ?? JSON.stringify(value) ?? String(value)
  const oneLine = text.replace(/\s+/g, ' ')
  return oneLine.length > 60 ? `${oneLine.slice(0, 57)}…` : oneLine
}

/** What could be meant by a key that is no id: `Pump-1` is nearly `pump_1`. */
function idLike(key: string): string | null {
  const made = key
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '_')
    .replace(/^[^a-z]+/, '')
    .slice(0, 64)
  return ID.test(made) ? made : null
}

function fallback(issue: Issue): Text {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? { en: issue.expected, zh: issue.expected }
    case 'invalid_value': {
      const list = issue.values.map(String).join(', ')
      return { en: `one of ${list}`, zh: `以下之一：${list}` }
    }
    case 'too_big': {
      const max = String(issue.maximum)
      if (issue.origin === 'array') return { en: `a list of at most ${max}`, zh: `最多 ${max} 项的列表` }
      return { en: `at most ${max} long or large`, zh: `不超过 ${max}` }
    }
    case 'too_small': {
      const min = String(issue.minimum)
      if (issue.origin === 'array') return { en: `a list of at least ${min}`, zh: `至少 ${min} 项的列表` }
      return { en: `at least ${min} long or large`, zh: `不少于 ${min}` }
    }
    default:
      return {
        en: 'what the JSON Schema says (config/*.schema.json)',
        zh: 'JSON Schema 所述的形式（config/*.schema.json）',
      }
  }
}

const TYPES: Readonly<Record<string, Text>> = {
  object: { en: 'a map of keys and values', zh: '键值映射' },
  record: { en: 'a map of keys and values', zh: '键值映射' },
  array: { en: 'a list', zh: '列表' },
  string: { en: 'a text', zh: '文本' },
  number: { en: 'a number', zh: '数字' },
  int: { en: 'a whole number', zh: '整数' },
  boolean: { en: 'true or false', zh: 'true 或 false' },
}

function wantedOf(shape: Shape | null): Text | null {
  for (let at: Shape | null = shape; at !== null; at = inside(at)) {
    const known = EXPECT.get(at as z.ZodType)
    if (known !== undefined) return { en: known.en, zh: known.zh }
  }
  return null
}

/** By its words: a shape that was given a description is a copy of the one that we know. */
function isOf(shapes: readonly z.ZodType[], wanted: Text): boolean {
  return shapes.some((shape) => EXPECT.get(shape)?.en === wanted.en)
}

function shapeAt(schema: Shape, path: Path): Shape | null {
  let at: Shape | null = schema
  for (const step of path) {
    at = child(at, step)
    if (at === null) return null
  }
  return at
}

type Def = {
  readonly type: string
  readonly shape?: Readonly<Record<string, Shape>>
  readonly innerType?: Shape
  readonly valueType?: Shape
  readonly keyType?: Shape
  readonly element?: Shape
  readonly options?: readonly Shape[]
}

function defOf(shape: Shape): Def {
  return shape._zod.def as Def
}

/** Past `optional` and the like. */
function inside(shape: Shape): Shape | null {
  return defOf(shape).innerType ?? null
}

function child(shape: Shape, step: string | number): Shape | null {
  const def = defOf(shape)
  if (def.innerType !== undefined) return child(def.innerType, step)
  if (def.shape !== undefined) return def.shape[step] ?? null
  if (def.options !== undefined) {
    for (const option of def.options) {
      const found = child(option, step)
      if (found !== null) return found
    }
    return null
  }
  return def.valueType ?? def.element ?? null
}

function keyShape(shape: Shape | null): Shape | null {
  if (shape === null) return null
  const def = defOf(shape)
  return def.innerType === undefined ? (def.keyType ?? null) : keyShape(def.innerType)
}

function keysOf(shape: Shape | null): readonly string[] {
  if (shape === null) return []
  const def = defOf(shape)
  if (def.innerType !== undefined) return keysOf(def.innerType)
  if (def.options !== undefined) return def.options.flatMap(keysOf)
  return Object.keys(def.shape ?? {})
}

function valueAt(data: unknown, path: Path): unknown {
  let at = data
  for (const step of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, step)) return undefined
    at = (at as Readonly<Record<string | number, unknown>>)[step]
  }
  return at
}
