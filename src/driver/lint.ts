/** Is this driver fit for the library? Everything about one driver, by itself: `drivers check`, and a test over all of them. */
import { createEnvironment } from '../derive/environment.ts'
import { nearest } from '../derive/nearest.ts'
import { checkCondition } from '../alarm/condition.ts'
import { environmentPoint } from './derive.ts'
import { basename, dirname, resolve } from 'node:path'
import { type Finding, Findings } from './finding.ts'
import { placeIn, placeInside } from './layers.ts'
import { type Driver, type Library, openLibrary } from './load.ts'
import { buildModel, type Model } from './model.ts'
import { codecOf } from './codec.ts'
import { parseHole, parsePlace } from './place.ts'
import { replayProofs } from './proof.ts'
import type { Vocabulary } from './vocabulary.ts'

/** Findings of one driver and of its parent. */
export function lintDriver(driver: Driver, library: Library, findings: Findings): void {
  const { data, layers } = driver
  const model = buildModel(data, layers, {}, { vocabulary: library.vocabulary, findings })
  checkAlarms(model, findings)
  checkNames(model, library.vocabulary, findings)
  checkIdentify(model, findings)
  checkHoles(model, findings)
  replayProofs(model, findings)
}

/** All findings of the proofs of one driver. */
export function replayProof(driver: Driver, library: Library): readonly Finding[] {
  const findings = new Findings()
  const model = buildModel(driver.data, driver.layers, {}, { vocabulary: library.vocabulary, findings })
  replayProofs(model, findings)
  return findings.sorted()
}

/**
 * One driver file by its path `…/<category>/<model>.yaml`, whether it lies in a library or on somebody's desk. `folders` are
 * searched for a parent and the vocabulary.
 */
export function checkDriverFile(file: string, folders: readonly string[]): readonly Finding[] {
  const findings = new Findings()
  const category = basename(dirname(resolve(file)))
  const library = openLibrary([dirname(dirname(file)), ...folders], findings)
  const driver = library.load(`${category}/${basename(file, '.yaml')}`)
  if (driver !== null) lintDriver(driver, library, findings)
  else if (findings.errors === 0)
    findings.error({ file, line: 1, col: 1 }, 'driverPath', { wanted: 'drivers/<category>/<model>.yaml' })
  return findings.sorted()
}

/** Conditions, with the device's own points alone: a driver knows no others. */
function checkAlarms({ drafts, alarms, layers, params }: Model, findings: Findings): void {
  const environment = createEnvironment([{ id: '', points: drafts.map(environmentPoint) }])
  for (const { key, when, do: outputs } of alarms) {
    const check = checkCondition(when, { environment, device: 0, params })
    if (!check.ok) {
      const at = placeInside(layers, ['alarms', key, 'when'], check.line, check.column)
      findings.expression(at, check.caret, 'expression', { where: `alarms.${key}.when`, why: check.message })
    }
    for (const [index, { write }] of outputs.entries()) {
      const point = drafts.find((draft) => draft.key === write)
      const at = placeIn(layers, ['alarms', key, 'do', index, 'write'])
      if (point === undefined) {
        const near = nearest(
          write,
          drafts.map((draft) => draft.key),
        )
        findings.error(at, 'unknownPoint', { where: `alarms.${key}.do`, point: write, near })
      } else if (point.write === null) findings.error(at, 'notWritable', { point: write })
    }
  }
}

/** A standard name carries its standard unit, or the cloud compares bar with MPa. */
function checkNames({ data, drafts, layers }: Model, vocabulary: Vocabulary, findings: Findings): void {
  const category = data.category ?? ''
  const words = vocabulary.get(category)
  if (words === undefined) return
  for (const draft of drafts) {
    const map = draft.source.from === 'field' ? 'points' : draft.source.from === 'input' ? 'inputs' : 'derive'
    if (draft.std === null) continue
    const word = words.get(draft.std)
    if (word === undefined)
      findings.error(placeIn(layers, [map, draft.key, 'std']), 'std', {
        std: draft.std,
        category,
        near: nearest(draft.std, words.keys()),
      })
    else if (word.unit !== null && draft.unit !== null && draft.unit !== word.unit)
      findings.error(placeIn(layers, [map, draft.key, 'unit']), 'stdUnit', {
        point: draft.key,
        unit: draft.unit,
        wanted: word.unit,
      })
  }
}

function checkHoles({ data, layers }: Model, findings: Findings): void {
  for (const [index, hole] of (data.modbus?.holes ?? []).entries())
    if (parseHole(hole) === null) findings.error(placeIn(layers, ['modbus', 'holes', index]), 'badHole', { hole })
}

/** What a header tells is of one protocol each; all else is read. */
const HEADER_KEYS = { type: 'cjt188', manufacturer: 'mbus', version: 'mbus', medium: 'mbus' } as const

function checkIdentify({ data, layers }: Model, findings: Findings): void {
  const codec = codecOf(data.protocol)
  for (const [index, entry] of (data.identify ?? []).entries()) {
    const { read, count, ...keys } = entry
    const told = (['type', 'manufacturer', 'version', 'medium'] as const).filter((key) => entry[key] !== undefined)
    for (const key of told)
      if (HEADER_KEYS[key] !== data.protocol || read !== undefined)
        findings.error(placeIn(layers, ['identify', index, key]), 'notForProtocol', {
          key: read === undefined ? key : `read + ${key}`,
          protocol: data.protocol ?? '',
        })
    if (read === undefined) {
      if (told.length === 0)
        findings.error(placeIn(layers, ['identify', index]), 'missingKey', { key: 'read', where: `identify.${index}` })
      continue
    }
    const at = placeIn(layers, ['identify', index, 'read'])
    if (codec !== null) {
      const placed = codec.place({ at: read, ...(keys.as === undefined ? {} : { as: keys.as }) })
      if (typeof placed === 'string') findings.error(at, 'placeUnfit', { point: 'identify', why: placed })
      continue
    }
    const registers = read.startsWith('holding') || read.startsWith('input')
    const as = keys.as ?? (count !== undefined && registers ? 'u16' : undefined)
    const place = parsePlace({ at: read, as, order: keys.order, length: keys.length }, data.modbus?.order ?? 'ABCD')
    if ('why' in place) findings.error(at, 'badPlace', { at: read })
  }
}
