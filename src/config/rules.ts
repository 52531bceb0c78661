/** Rules of devices and of the site: conditions checked against every typed point, outputs against what may be written. */
import { checkCondition } from '../alarm/condition.ts'
import { type Environment, siteEnvironment } from '../derive/environment.ts'
import type { Params } from '../derive/parse.ts'
import type { Output, Rule } from '../model/alarm.ts'
import type { Point, Text, Value } from '../model/point.ts'
import type { Path } from '../driver/document.ts'
import type { Position } from '../driver/finding.ts'
import { type AlarmDraft, alarmOf, isReserved, type Model } from '../driver/model.ts'
import { placeIn, placeInside } from '../driver/layers.ts'
import { findPoint } from './connect.ts'
import type { Context } from './context.ts'
import type { Devices, Resolved } from './devices.ts'
import { BUILT_IN } from './expand.ts'

type Site = Devices & { readonly byId: ReadonlyMap<string, Resolved>; readonly environment: Environment }

/** Where the parts of one alarm stand. */
type Places = {
  readonly at: (path: Path) => Position
  readonly inside: (line: number, column: number) => Position
}

export function resolveRules(devices: Devices, context: Context): readonly Rule[] {
  const byId = new Map(devices.resolved.map((each) => [each.device.id, each]))
  const environment = siteEnvironment({ devices: devices.resolved.map((each) => each.device), points: devices.points })
  const site: Site = { ...devices, byId, environment }
  return [...deviceRules(site, context), ...siteRules(site, context)]
}

/** A condition is checked once per model: devices that share it have the same points under the same names. */
function deviceRules(site: Site, context: Context): readonly Rule[] {
  const checked = new Set<Model>()
  return site.resolved.flatMap(({ device, model }) => {
    const first = !checked.has(model)
    checked.add(model)
    return model.alarms.map((draft) => {
      const base: Path = ['alarms', draft.key]
      const places: Places = {
        at: (path) => placeIn(model.layers, [...base, ...path]),
        inside: (line, column) => placeInside(model.layers, [...base, 'when'], line, column),
      }
      if (first) checkWhen(draft, device.index, model.params, places, site, context)
      return ruleOf(`${device.id}.${draft.key}`, device.index, draft, places, site, context)
    })
  })
}

function siteRules(site: Site, context: Context): readonly Rule[] {
  const { file, document, findings } = context
  return Object.entries(file.alarms ?? {}).flatMap(([key, block]) => {
    const base: Path = ['alarms', key]
    if (isReserved(key)) findings.error(document.keyAt(base), 'celWord', { id: key })
    if (BUILT_IN.has(key)) findings.error(document.keyAt(base), 'nameTaken', { id: key })
    const places: Places = {
      at: (path) => document.at([...base, ...path]),
      inside: (line, column) => document.inside([...base, 'when'], line, column),
    }
    return alarmOf(key, block, base, { findings, keyAt: document.keyAt, params: null }, context.pruned).map((draft) => {
      checkWhen(draft, null, null, places, site, context)
      return ruleOf(key, null, draft, places, site, context)
    })
  })
}

function checkWhen(
  { key, when }: AlarmDraft,
  device: number | null,
  params: Params | null,
  places: Places,
  { environment }: Site,
  { findings, unusable }: Context,
): void {
  const words: readonly string[] = when.match(/[a-z][a-z0-9_]*/g) ?? []
  if (words.some((word) => unusable.has(word))) return
  const scope = { environment, device }
  const check = checkCondition(when, params === null ? scope : { ...scope, params })
  if (check.ok) return
  const at = places.inside(check.line, check.column)
  findings.expression(at, check.caret, 'expression', { where: `alarms.${key}.when`, why: check.message })
}

function ruleOf(
  id: string,
  device: number | null,
  draft: AlarmDraft,
  places: Places,
  site: Site,
  context: Context,
): Rule {
  const { key: _key, do: outputs, ...rest } = draft
  const resolved = outputs.flatMap((output, index) => outputOf(output, ['do', index], device, places, site, context))
  return { id, device, ...rest, do: resolved }
}

function outputOf(
  { write, value, onClear }: AlarmDraft['do'][number],
  path: Path,
  device: number | null,
  places: Places,
  { byId, resolved, points }: Site,
  { findings, unusable }: Context,
): readonly Output[] {
  const at = places.at([...path, 'write'])
  const owner = device === null ? null : (resolved[device]?.device.id ?? null)
  const full = write.includes('.') ? write : owner === null ? null : `${owner}.${write}`
  if (full === null) {
    findings.error(at, 'outputBare', { write })
    return []
  }
  const found = findPoint(full, byId)
  if (typeof found !== 'number') {
    const where = 'do'
    if ('device' in found && unusable.has(found.device)) return []
    if ('device' in found) findings.error(at, 'unknownDevice', { where, device: found.device, near: found.near })
    else findings.error(at, 'unknownDevicePoint', { where, device: found.of, point: found.key, near: found.near })
    return []
  }
  const point = points[found]
  if (point === undefined) return []
  if (point.write === null) findings.error(at, 'notWritable', { point: full })
  for (const [name, given] of [
    ['value', value],
    ['onClear', onClear],
  ] as const) {
    const wanted = given === null ? null : unfit(point, given)
    if (wanted !== null)
      findings.error(places.at([...path, name]), 'outputValue', { point: full, wanted, value: String(given) })
  }
  return [{ point: found, value, onClear }]
}

/** What the point takes instead, or null: the value fits. */
function unfit(point: Point, value: Value): Text | null {
  const labels = point.source.from === 'field' ? point.source.treatment.map : null
  if (labels !== null) {
    const known = Object.values(labels)
    if (typeof value === 'string' && known.includes(value)) return null
    return { en: `one of ${known.join(' ')}`, zh: `以下之一：${known.join(' ')}` }
  }
  if (point.type === 'bool') return typeof value === 'boolean' ? null : { en: 'true or false', zh: 'true 或 false' }
  if (point.type === 'str') return typeof value === 'string' ? null : { en: 'a text', zh: '文本' }
  const { min, max } = point.write ?? { min: null, max: null }
  if (typeof value === 'number' && (min === null || value >= min) && (max === null || value <= max)) return null
  if (min === null && max === null) return { en: 'a number', zh: '数字' }
  return { en: `a number of ${min ?? '…'} to ${max ?? '…'}`, zh: `${min ?? '…'} 到 ${max ?? '…'} 的数字` }
}
