/** Devices and their points: drivers found, models built once per kind, everything numbered, inputs connected. */
import type { Device, Bus, Line } from '../model/site.ts'
import { type Point, type PointSource, pointId, type Value, type WriteRule } from '../model/point.ts'
import { nearest } from '../derive/nearest.ts'
import { isPlain, type Layer, merge } from '../driver/layers.ts'
import type { Driver } from '../driver/load.ts'
import { buildModel, type Model } from '../driver/model.ts'
import type { Draft, DraftFormula } from '../driver/points.ts'
import { numbered } from '../driver/numbered.ts'
import { bothLanguages } from '../driver/shapes.ts'
import type { DriverFile } from '../driver/schema.ts'
import { connect, type Connection } from './connect.ts'
import type { Context } from './context.ts'
import { type Entry, expandDevices, placeOf } from './expand.ts'
import { checkLines } from './lines.ts'
import { checkSetTime } from './settime.ts'
import { type Linking, linkOf } from './links.ts'
import { strictest } from './output.ts'

/** A device with what it came from, for the steps that follow. */
export type Resolved = { readonly device: Device; readonly entry: Entry; readonly model: Model }

export type Devices = { readonly resolved: readonly Resolved[]; readonly points: readonly Point[] }

/** What a site may override in a driver. */
const OVERRIDES = ['params', 'polls', 'modbus', 'dlt645', 'cjt188', 'mbus', 'textline', 'points', 'alarms'] as const

export function resolveDevices(buses: readonly Bus[], context: Context): Devices {
  const models = createModels(context)
  const linking: Linking = {
    buses: new Map(buses.map((bus) => [bus.id, bus])),
    taken: new Map(),
    topics: new Map(),
    fixed: new Map<string, Line>(),
  }
  const resolved: Resolved[] = []
  const drafts: { draft: Draft; device: number; first: number }[] = []
  for (const entry of expandDevices(context)) {
    const found = models(entry)
    if (found === null) {
      context.unusable.add(entry.id)
      continue
    }
    const { driver, model } = found
    // Without a link there was a finding and the site is not used; the device stays, for what names it to be checked.
    const link = linkOf(entry, model, linking, context) ?? { kind: 'composed' }
    const first = drafts.length
    const index = resolved.length
    for (const draft of model.drafts) drafts.push({ draft, device: index, first })
    resolved.push({
      entry,
      model,
      device: {
        index,
        id: entry.id,
        driver: driver.name,
        driverSha: driver.sha,
        category: driver.data.category ?? '',
        brick: driver.data.brick ?? null,
        model: bothLanguages(driver.data.title ?? driver.name),
        name: bothLanguages(entry.block.name ?? entry.id),
        place: entry.block.place ?? {},
        tags: entry.block.tags ?? {},
        family: entry.family,
        link,
        params: model.params,
        points: model.drafts.map((_, offset) => first + offset),
        ...(driver.data.manual === undefined ? {} : { manual: driver.data.manual }),
        ...(entry.block.freeze === false ? { freeze: false } : {}),
      },
    })
  }
  for (const key of Object.keys(
    isPlain(context.document.data) && isPlain(context.document.data['devices']) ? context.document.data['devices'] : {},
  ))
    if (context.pruned.has(`devices.${key}`)) context.unusable.add(key)
  checkLines(resolved, buses, context)
  checkSetTime(resolved, buses, context)
  const connections = connect(resolved, drafts, context)
  const points = drafts.map(({ draft, device, first }, index): Point => {
    const { labels: _labels, source, ...rest } = draft
    const { id } = resolved[device]?.device ?? { id: '' }
    const siblings = resolved[device]?.model.drafts ?? []
    const point = { ...rest, index, device, id: pointId(id, draft.key) }
    if (source.from === 'input')
      return {
        ...point,
        ...connected(draft, connections.get(index), drafts),
        write: outputRule(index, connections, drafts),
      }
    return {
      ...point,
      source: source.from === 'field' ? source : deriveSource(source.formula, siblings, first, device),
    }
  })
  return { resolved, points }
}

function deriveSource(formula: DraftFormula, siblings: readonly Draft[], first: number, device: number): PointSource {
  return { from: 'derive', formula: numbered(formula, siblings, first, device) }
}

/** What the connected point lends to the input: its source, its unit where the driver names none. */
function connected(
  draft: Draft,
  connection: Connection | undefined,
  drafts: readonly { draft: Draft }[],
): Pick<Point, 'source' | 'unit' | 'debounceMs'> {
  if (connection === undefined) return { source: { from: 'none' }, unit: draft.unit, debounceMs: draft.debounceMs }
  const unit = draft.unit ?? drafts[connection.point]?.draft.unit ?? null
  return {
    source: { from: 'point', point: connection.point, invert: connection.invert },
    unit,
    debounceMs: connection.debounceMs ?? draft.debounceMs,
  }
}

/** null: no output, not connected, or what is connected cannot be written (`connect` said so). */
function outputRule(
  index: number,
  connections: ReadonlyMap<number, Connection>,
  drafts: readonly { draft: Draft }[],
  /** A chain is never longer than there are connections; a circle was complained of. */
  left = connections.size,
): WriteRule | null {
  const draft = drafts[index]?.draft
  if (draft === undefined || draft.write === null || draft.source.from !== 'input' || left < 0)
    return draft?.write ?? null
  const connection = connections.get(index)
  if (connection === undefined) return null
  const behind = outputRule(connection.point, connections, drafts, left - 1)
  return behind === null ? null : strictest(draft.write, behind, connection.invert)
}

type Found = { readonly driver: Driver; readonly model: Model }

/** Models by what they are made of: the members of a family share one unless they override something. */
function createModels(context: Context): (entry: Entry) => Found | null {
  const { library, findings } = context
  const built = new Map<string, Model>()
  const told = new Set<string>()
  return (entry) => {
    const driver = driverOf(entry, told, context)
    if (driver === null) return null
    const overrides = Object.fromEntries(
      OVERRIDES.flatMap((key) => (entry.block[key] === undefined ? [] : [[key, entry.block[key]]])),
    )
    const key = `${driver.name}\n${JSON.stringify(overrides)}`
    let model = built.get(key)
    if (model === undefined) {
      const { params: _params, ...rest } = overrides
      // Both were parsed by the same shapes, and merging keeps them.
      const data = merge(driver.data, rest) as DriverFile
      checkPolls(entry, driver, context)
      checkStd(entry, data.category ?? '', context)
      const values: Readonly<Record<string, Value>> = entry.block.params ?? {}
      const layers = [...entry.layers.map(withoutOthers), ...driver.layers]
      model = buildModel(data, layers, values, { vocabulary: library.vocabulary, findings })
      built.set(key, model)
    }
    return { driver, model }
  }
}

/** A site's layer speaks for what it may override and for nothing else of the driver. */
function withoutOthers(layer: Layer): Layer {
  const { data } = layer
  if (!isPlain(data)) return layer
  return { ...layer, data: Object.fromEntries(OVERRIDES.flatMap((key) => (key in data ? [[key, data[key]]] : []))) }
}

function driverOf(entry: Entry, told: Set<string>, context: Context): Driver | null {
  const { library, findings, document } = context
  const owner = entry.family ?? entry.id
  const at = document.at(['devices', owner, 'driver'])
  const place = library.find(entry.driver)
  if (!('file' in place)) {
    findings.error(at, 'unknownDriver', { driver: entry.driver, near: place.near })
    return null
  }
  const driver = library.load(entry.driver)
  if (driver === null) {
    findings.error(at, 'driverBroken', { driver: entry.driver, file: place.file })
    return null
  }
  if (driver.shadows && !told.has(driver.name)) {
    told.add(driver.name)
    findings.warn(at, 'driverShadowed', { driver: driver.name, file: driver.file })
  }
  return driver
}

/** A name that nobody knows would go to the cloud as a standard one. */
function checkStd(entry: Entry, category: string, { findings, library }: Context): void {
  const known = library.vocabulary.get(category)
  if (known === undefined) return
  for (const [key, { std }] of Object.entries(entry.block.points ?? {}))
    if (std !== undefined && !known.has(std)) {
      const at = placeOf(entry, ['points', key, 'std'])
      findings.error(at, 'std', { std, category, near: nearest(std, known.keys()) })
    }
}

/** A poll that the driver does not have would change nothing, silently. */
function checkPolls(entry: Entry, driver: Driver, { findings }: Context): void {
  const known = Object.keys(driver.data.polls ?? {})
  const added = Object.values(entry.block.points ?? {}).map((point) => point.every)
  for (const poll of Object.keys(entry.block.polls ?? {}))
    if (!known.includes(poll) && !added.includes(poll))
      findings.error(placeOf(entry, ['polls', poll], 'key'), 'unknownKey', {
        key: poll,
        near: nearest(poll, known),
        known,
        where: `polls of ${driver.name}`,
      })
}
