/** A driver with what a site overrides, made ready: points, alarms, limits. Shared by all devices that are alike. */
import type { Params } from '../derive/parse.ts'
import { nearest } from '../derive/nearest.ts'
import { CEL_WORDS } from '../derive/words.ts'
import type { Priority } from '../model/alarm.ts'
import type { Text, Value } from '../model/point.ts'
import type { Line, LineForm, Limits } from '../model/site.ts'
import { checkClosed } from './closed.ts'
import { type DelayBuild, delayOf } from './delay.ts'
import { withDerived } from './derive.ts'
import { limitsFor } from './codec.ts'
import type { Path } from './document.ts'
import type { Findings } from './finding.ts'
import { type Layer, placeIn, placeInside } from './layers.ts'
import { type Build, buildFieldPoints, buildInputPoints, type Draft } from './points.ts'
import type { AlarmBlock, DriverFile, ParamBlock } from './schema.ts'
import { bothLanguages } from './shapes.ts'
import { lineForm } from './textline.ts'
import { parseDuration, parseLine } from './units.ts'
import type { Vocabulary } from './vocabulary.ts'

export type AlarmDraft = {
  readonly key: string
  readonly when: string
  readonly onDelayMs: number
  readonly offDelayMs: number
  readonly latch: boolean
  readonly priority: Priority
  readonly text: Text
  readonly advice: Text | null
  /** `write` as written: bare, or device.point. */
  readonly do: readonly { readonly write: string; readonly value: Value; readonly onClear: Value | null }[]
}

export type Model = {
  readonly data: DriverFile
  readonly layers: readonly Layer[]
  /** Fields first, then flags of their bits, then what is derived. */
  readonly drafts: readonly Draft[]
  readonly alarms: readonly AlarmDraft[]
  readonly limits: Limits
  /** null: the driver says none. */
  readonly line: Line | null
  /** Protocol textline. */
  readonly form: LineForm | null
  readonly params: Params
}

/** `layers` belong to `data`, nearest first; `values` are the parameters that a site sets. */
export function buildModel(
  data: DriverFile,
  layers: readonly Layer[],
  values: Readonly<Record<string, Value>>,
  { vocabulary, findings }: { vocabulary: Vocabulary; findings: Findings },
): Model {
  const at: Build['at'] = (path) => placeIn(layers, path)
  const keyAt: Build['keyAt'] = (path) => placeIn(layers, path, 'key')
  const build: Build = { model: data, vocabulary, findings, at, keyAt }
  checkWords(data, layers, findings)
  const params = paramsOf(data.params ?? {}, values, build)
  const plain = data.protocol === 'composed' ? buildInputPoints(build) : buildFieldPoints(build)
  const inside = (path: Path, line: number, column: number) => placeInside(layers, path, line, column)
  checkClosed(plain, layers, build)
  const drafts = withDerived(plain, { ...build, params, inside })
  return {
    data,
    layers,
    drafts,
    alarms: Object.entries(data.alarms ?? {}).flatMap(([key, block]) =>
      alarmOf(key, block, ['alarms', key], { ...build, params }),
    ),
    limits: limitsFor(data.protocol, data),
    line: data.line === undefined ? null : parseLine(data.line),
    form: data.textline === undefined ? null : lineForm(data.textline),
    params,
  }
}

/** Reads one alarm block, of a driver or of a site; empty where it is switched off or lacks something. */
export function alarmOf(
  key: string,
  block: AlarmBlock,
  path: Path,
  build: DelayBuild,
  /** Keys that had a finding already. */
  pruned: ReadonlySet<string> = new Set(),
): readonly AlarmDraft[] {
  if (block.enabled === false) return []
  const { findings, keyAt } = build
  const { when, priority, text } = block
  for (const name of ['when', 'priority', 'text'] as const)
    if (block[name] === undefined && !pruned.has([...path, name].join('.')))
      findings.error(keyAt(path), 'alarmIncomplete', { alarm: key, key: name })
  if (when === undefined || priority === undefined || text === undefined) return []
  return [
    {
      key,
      when,
      onDelayMs: delayOf(block.onDelay, [...path, 'onDelay'], build) ?? 0,
      offDelayMs: delayOf(block.offDelay, [...path, 'offDelay'], build) ?? 0,
      latch: block.latch ?? false,
      priority,
      text: bothLanguages(text),
      advice: block.advice === undefined ? null : bothLanguages(block.advice),
      do: (block.do ?? []).map(({ write, value, onClear }) => ({ write, value, onClear: onClear ?? null })),
    },
  ]
}

/** Words that an expression would read as something else. `params` stands for the parameters. */
export function isReserved(id: string): boolean {
  return CEL_WORDS.has(id) || id === 'params'
}

function checkWords(data: DriverFile, layers: readonly Layer[], findings: Findings): void {
  for (const map of ['params', 'inputs', 'points', 'derive', 'alarms'] as const)
    for (const id of Object.keys(data[map] ?? {}))
      if (isReserved(id)) findings.error(placeIn(layers, [map, id], 'key'), 'celWord', { id })
}

/** The driver's defaults and what the site sets instead. */
function paramsOf(
  blocks: Readonly<Record<string, ParamBlock>>,
  values: Readonly<Record<string, Value>>,
  { findings, at, keyAt }: Build,
): Params {
  const params: Record<string, Value> = {}
  for (const [name, block] of Object.entries(blocks)) {
    params[name] = block.default
    if (!fits(block.default, block)) findings.error(at(['params', name]), 'paramDefault', { param: name })
  }
  for (const [name, value] of Object.entries(values)) {
    const block = blocks[name]
    const where = at(['params', name])
    if (block === undefined)
      findings.error(keyAt(['params', name]), 'unknownParam', { param: name, near: nearest(name, Object.keys(blocks)) })
    else if (typeof value !== typeof block.default || !fits(value, block))
      findings.error(where, 'paramValue', {
        param: name,
        value: String(value),
        wanted: wordsOf(block.default),
        range: block.range === undefined ? null : block.range.join(' … '),
      })
    else params[name] = value
  }
  return params
}

function wordsOf(usual: Value): Text {
  if (durationOf(usual) !== null) return { en: 'a duration such as 30s', zh: '时长，如 30s' }
  if (typeof usual === 'number') return { en: 'a number', zh: '数字' }
  return typeof usual === 'boolean' ? { en: 'true or false', zh: 'true 或 false' } : { en: 'a text', zh: '文本' }
}

/** Numbers and durations have an order; other values fit any range. */
function fits(value: Value, { default: usual, range }: ParamBlock): boolean {
  // What is a duration stays one, or what it delays would not be delayed at all.
  if (durationOf(usual) !== null && durationOf(value) === null) return false
  if (range === undefined) return true
  const given = amountOf(value)
  const [low, high] = range.map(amountOf)
  if (given === null || typeof low !== 'number' || typeof high !== 'number') return true
  return given >= low && given <= high
}

function amountOf(value: Value): number | null {
  return typeof value === 'number' ? value : durationOf(value)
}

function durationOf(value: Value): number | null {
  return typeof value === 'string' ? parseDuration(value) : null
}
