/** From the device entries of the site file to one entry per device: families opened, their members merged over the entry. */
import { existsSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { BUILTIN } from '../alarm/builtin.ts'
import type { Position } from '../driver/finding.ts'
import { isReserved } from '../driver/model.ts'
import { isPlain, type Layer, merge, placeIn } from '../driver/layers.ts'
import type { Path } from '../driver/document.ts'
import { ID } from '../driver/shapes.ts'
import type { Context } from './context.ts'
import type { DeviceBlock, MemberBlock } from './schema.ts'
import { readTable } from './table.ts'

export type Entry = {
  readonly id: string
  readonly family: string | null
  readonly driver: string
  /** The family's entry with the member's own merged over it. */
  readonly block: MemberBlock
  /** Documents that say so, nearest first. */
  readonly layers: readonly Layer[]
  /** Where the device is named. */
  readonly named: Position
}

/** Names of built-in alarms: `device_offline.pump_1` must not be read as an alarm of a device `device_offline`. */
export const BUILT_IN: ReadonlySet<string> = new Set(Object.keys(BUILTIN))

export function expandDevices(context: Context): readonly Entry[] {
  const { file, findings } = context
  const entries: Entry[] = []
  const seen = new Map<string, Position>()
  for (const [key, block] of Object.entries(file.devices ?? {}))
    for (const entry of block.each === undefined ? [single(key, block, context)] : family(key, block, context)) {
      const before = seen.get(entry.id)
      if (before !== undefined) {
        const where = `${before.file}:${before.line}:${before.col}`
        findings.error(entry.named, 'deviceTwice', { device: entry.id, where })
        continue
      }
      seen.set(entry.id, entry.named)
      checkId(entry, context)
      entries.push(entry)
    }
  return entries
}

function checkId({ id, named }: Entry, { findings }: Context): void {
  if (isReserved(id)) findings.error(named, 'celWord', { id })
  if (BUILT_IN.has(id)) findings.error(named, 'nameTaken', { id })
  if (!ID.test(id)) {
    const wanted = {
      en: 'an id: lower-case letters, digits and _, beginning with a letter',
      zh: '标识符：小写字母、数字和下划线，以字母开头',
    }
    findings.error(named, 'badKey', { key: id, wanted, suggestion: null })
  }
}

function single(id: string, block: DeviceBlock, { document }: Context): Entry {
  const { driver, each: _each, ...own } = block
  const layer: Layer = { document, base: ['devices', id], data: own }
  return { id, family: null, driver, block: own, layers: [layer], named: document.keyAt(['devices', id]) }
}

function family(key: string, block: DeviceBlock, context: Context): readonly Entry[] {
  const { document, findings, folder, shownFolder } = context
  const { driver, each, ...shared } = block
  const below: Layer = { document, base: ['devices', key], data: shared }
  const member = (id: string, own: MemberBlock, over: Layer, named: Position): Entry => {
    // Both were parsed by the same schema, and merging keeps its shape.
    const merged = merge(shared, own) as MemberBlock
    return { id, family: key, driver, block: merged, layers: [over, below], named }
  }
  if (typeof each === 'string') {
    const path = resolve(folder, each)
    if (!existsSync(path)) {
      findings.error(document.at(['devices', key, 'each']), 'tableMissing', { path })
      return []
    }
    const shown = shownFolder === '' || isAbsolute(each) ? each : join(shownFolder, each)
    return readTable(path, shown, findings).map(({ id, block: own, document: row }) =>
      member(id, own, { document: row, base: [], data: own }, row.keyAt(['id'])),
    )
  }
  const base: Path = ['devices', key, 'each']
  const hadFaults = [...context.pruned].some((path) => path.startsWith(base.join('.')))
  if (isPlain(each) && Object.keys(each).length === 0 && !hadFaults)
    findings.error(document.at(base), 'familyEmpty', { family: key })
  return Object.entries(isPlain(each) ? each : {}).map(([id, own]) =>
    member(id, own, { document, base: [...base, id], data: own }, document.keyAt([...base, id])),
  )
}

/** Where a key of the entry stands. */
export function placeOf(entry: Entry, path: Path, what: 'value' | 'key' = 'value'): Position {
  const said = entry.layers.some((layer) => layer.data !== null && hasKey(layer.data, path))
  return said ? placeIn(entry.layers, path, what) : entry.named
}

function hasKey(data: unknown, path: Path): boolean {
  const [step, ...rest] = path
  if (step === undefined) return true
  return isPlain(data) && Object.hasOwn(data, step) && hasKey(data[step], rest)
}
