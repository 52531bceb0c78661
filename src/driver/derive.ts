/** The computed points of a driver: what they compute from, of which type, and that none depends on itself. */
import { DOOR_STATES } from '../derive/door.ts'
import { createEnvironment, type EnvironmentPoint } from '../derive/environment.ts'
import { checkExpression } from '../derive/expression.ts'
import { nearest } from '../derive/nearest.ts'
import type { ValueType, Params } from '../derive/parse.ts'
import type { PointKind, PointType } from '../model/point.ts'
import type { Position } from './finding.ts'
import { type Build, type Draft, type DraftFormula, judged } from './points.ts'
import type { DeriveBlock } from './schema.ts'
import { delayOf } from './delay.ts'
import { parseDuration } from './units.ts'

const TYPES: Record<ValueType, PointType> = { number: 'f64', bool: 'bool', text: 'str' }

export type DeriveBuild = Build & {
  readonly params: Params
  /** A place inside the text of an expression. */
  readonly inside: (path: readonly string[], line: number, column: number) => Position
}

type Outcome = Draft | { readonly why: () => void }

/** The drafts given, followed by the computed ones, each behind what it is computed from. */
export function withDerived(plain: readonly Draft[], build: DeriveBuild): readonly Draft[] {
  const drafts = [...plain]
  let waiting = Object.entries(build.model.derive ?? {}).filter(([key, block]) => sound(key, block, plain, build))
  while (waiting.length > 0) {
    const known = new Map(drafts.map((draft) => [draft.key, draft]))
    const failed: { entry: [string, DeriveBlock]; why: () => void }[] = []
    for (const entry of waiting) {
      const outcome = derived(entry[0], entry[1], known, drafts, build)
      if ('why' in outcome) failed.push({ entry, why: outcome.why })
      else {
        drafts.push(outcome)
        known.set(outcome.key, outcome)
      }
    }
    if (failed.length === waiting.length) {
      explain(failed, build)
      break
    }
    waiting = failed.map(({ entry }) => entry)
  }
  return drafts
}

/** Nothing more can be computed: what waits for another that waits is a circle, the rest names something that is not there. */
function explain(failed: readonly { entry: [string, DeriveBlock]; why: () => void }[], build: DeriveBuild): void {
  const keys = failed.map(({ entry }) => entry[0])
  for (const { entry, why } of failed) {
    const [key, block] = entry
    const text = [block.increase, block.hours, block.count, block.door, block.granted, block.expression].join(' ')
    const words: readonly string[] = text.match(/[a-z][a-z0-9_]*/g) ?? []
    if (keys.some((other) => words.includes(other)))
      build.findings.error(build.keyAt(['derive', key]), 'deriveCircle', { point: key })
    else why()
  }
}

function sound(key: string, block: DeriveBlock, plain: readonly Draft[], { findings, keyAt }: Build): boolean {
  const forms = [block.increase, block.hours, block.count, block.door, block.expression]
  const given = forms.filter((form) => form !== undefined)
  const ofDoor = [block.granted, block.unlock, block.held].some((key) => key !== undefined)
  const isWhole = (block.increase === undefined) === (block.over === undefined) && (block.door !== undefined || !ofDoor)
  if (given.length !== 1 || !isWhole) {
    findings.error(keyAt(['derive', key]), 'deriveForm', { point: key })
    return false
  }
  if (plain.some((draft) => draft.key === key)) {
    findings.error(keyAt(['derive', key]), 'pointTwice', { point: key, other: 'a point' })
    return false
  }
  return true
}

function derived(
  key: string,
  block: DeriveBlock,
  known: ReadonlyMap<string, Draft>,
  drafts: readonly Draft[],
  build: DeriveBuild,
): Outcome {
  if (block.door !== undefined) return doorOf(key, block, block.door, known, build)
  if (block.expression !== undefined) return expressed(key, block, block.expression, drafts, build)
  const [form, name] =
    block.increase !== undefined
      ? (['increase', block.increase] as const)
      : block.hours !== undefined
        ? (['hours', block.hours] as const)
        : (['count', block.count ?? ''] as const)
  const at = build.at(['derive', key, form])
  const of = known.get(name)
  if (of === undefined) {
    const near = nearest(name, known.keys())
    return { why: () => build.findings.error(at, 'unknownPoint', { where: `derive.${key}`, point: name, near }) }
  }
  const wanted = form === 'increase' ? 'number' : 'bool'
  if ((of.type === 'bool') !== (wanted === 'bool') || of.type === 'str')
    return { why: () => build.findings.error(at, 'deriveType', { point: key, of: name, wanted }) }
  if (form === 'increase')
    return draft(key, { unit: of.unit ?? undefined, ...block }, 'gauge', 'f64', build, {
      kind: 'increase',
      of: name,
      over: block.over ?? 'day',
    })
  const unit = form === 'hours' ? { unit: 'h' } : {}
  return draft(key, { ...unit, ...block }, 'counter', 'f64', build, { kind: form, of: name })
}

/** Times of the reference: a person needs five seconds to open a door, and a door open for half a minute is held. */
const UNLOCK_MS = 5000
const HELD_MS = 30_000

function doorOf(
  key: string,
  block: DeriveBlock,
  contact: string,
  known: ReadonlyMap<string, Draft>,
  build: DeriveBuild,
): Outcome {
  const { granted } = block
  for (const [form, name] of [
    ['door', contact],
    ['granted', granted],
  ] as const) {
    if (name === undefined) continue
    const at = build.at(['derive', key, form])
    const of = known.get(name)
    const near = nearest(name, known.keys())
    if (of === undefined)
      return { why: () => build.findings.error(at, 'unknownPoint', { where: `derive.${key}`, point: name, near }) }
    if (of.type !== 'bool')
      return { why: () => build.findings.error(at, 'deriveType', { point: key, of: name, wanted: 'bool' }) }
  }
  const made = draft(key, block, 'state', 'str', build, {
    kind: 'door',
    of: contact,
    granted: granted ?? null,
    unlockMs: delayOf(block.unlock, ['derive', key, 'unlock'], build) ?? UNLOCK_MS,
    heldMs: delayOf(block.held, ['derive', key, 'held'], build) ?? HELD_MS,
  })
  return { ...made, labels: DOOR_STATES }
}

function expressed(
  key: string,
  block: DeriveBlock,
  source: string,
  drafts: readonly Draft[],
  build: DeriveBuild,
): Outcome {
  const environment = createEnvironment([{ id: '', points: drafts.map(environmentPoint) }])
  const check = checkExpression(source, { environment, device: 0, params: build.params })
  if (!check.ok) {
    const at = build.inside(['derive', key, 'expression'], check.line, check.column)
    const where = `derive.${key}`
    return { why: () => build.findings.expression(at, check.caret, 'expression', { where, why: check.message }) }
  }
  const type = TYPES[check.type]
  const kind: PointKind = type === 'f64' ? 'gauge' : type === 'bool' ? 'state' : 'text'
  return draft(key, block, kind, type, build, { kind: 'expression', source })
}

export function environmentPoint(draft: Draft, index: number): EnvironmentPoint {
  const { key, type, labels } = draft
  return labels === null ? { index, key, type } : { index, key, type, labels }
}

function draft(
  key: string,
  block: DeriveBlock,
  kind: PointKind,
  type: PointType,
  build: Build,
  formula: DraftFormula,
): Draft {
  const maxAgeMs = block.maxAge === undefined ? null : parseDuration(block.maxAge)
  return {
    ...judged(key, block, { kind: block.kind ?? kind, type }, build, ['derive', key]),
    source: { from: 'derive', formula },
    maxAgeMs,
    write: null,
    forbidden: false,
    labels: null,
  }
}
