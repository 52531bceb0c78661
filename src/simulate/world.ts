/** From a site to its simulated devices: which signal each point shows, and what stands behind composed points. */
import type { Point, Value } from '../model/point.ts'
import type { Device, Site } from '../model/site.ts'
import { placeOf } from '../protocols/modbus/place.ts'
import { type Cell, type Ears, SimulatedDevice } from './devices.ts'
import { fitCjt188 } from './cjt188encode.ts'
import { fitDlt645 } from './dlt645encode.ts'
import { coderFor } from './encode.ts'
import { heldBy } from './firmware/all.ts'
import { fitMbus } from './mbusencode.ts'
import { seedOf } from './random.ts'
import { fitSpoken } from './spoken.ts'
import { type Part, type Signal, signalFor } from './signals.ts'
import { type Row, rowOf } from './sunspec.ts'

/** A point, and whether what it says is the opposite of what its cell holds. */
export type Reference = { readonly owner: SimulatedDevice; readonly cell: Cell; readonly invert: boolean }

export type World = {
  readonly devices: readonly SimulatedDevice[]
  /** By id; composed points lead to the contact behind them. Throws for a point that no device shows. */
  readonly find: (pointId: string) => Reference
  /** Points that lead to this cell, by id: the own one first. */
  readonly names: (cell: Cell) => readonly string[]
}

export function buildWorld(site: Site, options: { seed: number; elapsedMs: () => number; ears: Ears }): World {
  const { seed } = options
  const roles = rolesOf(site)
  const owners = new Map<number, { owner: SimulatedDevice; cell: Cell }>()
  const devices = site.devices
    .filter((device) => device.link.kind !== 'composed')
    .map((device) => {
      const points = device.points
        .map((index) => site.points[index])
        .filter((point): point is Point => point?.source.from === 'field')
      const row = rowOf(points.map(placeOf).filter((place) => place !== null))
      const cells = points.map((point) => cellOf(point, device, { role: roles.get(point.index), seed, row }))
      const simulated = new SimulatedDevice(device, cells, options.elapsedMs, options.ears, row.fixed)
      for (const cell of cells) owners.set(cell.point.index, { owner: simulated, cell })
      return simulated
    })

  const byId = new Map<string, Point>(site.points.map((point) => [point.id, point]))
  const byCell = new Map<Cell, string[]>()
  for (const point of site.points) {
    const found = follow(site, owners, point)
    if (found !== null) byCell.set(found.cell, [...(byCell.get(found.cell) ?? []), point.id])
  }

  return {
    devices,
    find(pointId) {
      const point = byId.get(pointId)
      if (point === undefined) throw new RangeError(`${pointId} is no point of this site`)
      const found = follow(site, owners, point)
      if (found === null)
        throw new RangeError(`${pointId} has no device behind it: it is computed, or nothing is connected to it`)
      return found
    },
    names: (cell) => byCell.get(cell) ?? [cell.point.id],
  }
}

type Role = { readonly part: Part; readonly seedName: string; readonly invert: boolean }

/** Contacts play the part of the input that they are wired to, so that all contacts of one lift tell the same story. */
function rolesOf(site: Site): ReadonlyMap<number, Role> {
  const roles = new Map<number, Role>()
  for (const point of site.points) {
    const device = site.devices[point.device]
    if (point.source.from !== 'point' || device === undefined) continue
    roles.set(point.source.point, {
      part: partOf(point, device),
      seedName: device.id,
      invert: point.source.invert,
    })
  }
  return roles
}

function partOf(point: Point, device: Device): Part {
  const treatment = point.source.from === 'field' ? point.source.treatment : null
  const { kind, type, unit, personal } = point
  const labels = Object.values(treatment?.map ?? {})
  const card = personal ? (treatment?.card ?? 'number') : null
  return { category: device.category, name: point.std ?? point.key, unit, kind, type, labels, card }
}

function cellOf(
  point: Point,
  device: Device,
  { role, seed, row }: { role: Role | undefined; seed: number; row: Row },
): Cell {
  const own = partOf(point, device)
  const part = role === undefined ? own : { ...role.part, type: own.type, kind: own.kind }
  const signal = signalFor(part, seedOf(role?.seedName ?? device.id, seed))
  const coder =
    point.source.from === 'field' && point.source.place.protocol === 'modbus'
      ? coderFor(row.laid(point.source.place), point.source.treatment)
      : null
  return {
    point,
    name: own.name,
    signal: known(point, device) ?? (role?.invert === true ? opposite(signal) : signal),
    coder,
    ...fitOf(point, device),
    forced: undefined,
  }
}

/** What devices of other protocols than Modbus can hold. */
function fitOf(point: Point, { link }: Device): Pick<Cell, 'fit'> {
  if (point.source.from !== 'field') return {}
  const { place, treatment } = point.source
  switch (place.protocol) {
    case 'dlt645':
      return { fit: fitDlt645(place, treatment) }
    case 'cjt188':
      return { fit: fitCjt188(place, treatment) }
    case 'mbus':
      return { fit: fitMbus(place, treatment, point.type === 'str' && treatment.map === null) }
    case 'textline':
      return { fit: fitSpoken(point, treatment) }
    case 'payload':
      return link.kind === 'topic' ? { fit: fitSpoken(point, treatment, heldBy(link.codec, place)) } : {}
    case 'modbus':
      return {}
  }
}

/** What a device knows about itself: its address and its line. */
function known(point: Point, device: Device): Signal | null {
  if (device.link.kind !== 'bus') return null
  const { address, line } = device.link
  if (point.key === 'unit_id') return () => address
  if (point.key === 'baud_rate') return () => line?.baud ?? 9600
  return null
}

function opposite(signal: Signal): Signal {
  return (elapsedMs, of) => signal(elapsedMs, of) === false
}

function follow(
  site: Site,
  owners: ReadonlyMap<number, { owner: SimulatedDevice; cell: Cell }>,
  point: Point,
): Reference | null {
  let at: Point | undefined = point
  let invert = false
  // A composed point may stand on another composed one; a site of ours never nests deeper than it has points.
  for (let step = 0; at !== undefined && step <= site.points.length; step++) {
    if (at.source.from === 'field') {
      const found = owners.get(at.index)
      return found === undefined ? null : { ...found, invert }
    }
    if (at.source.from !== 'point') return null
    invert = invert !== at.source.invert
    at = site.points[at.source.point]
  }
  return null
}

/** A contact's opposite is the opposite of its value; anything else has none. */
export function inverted(value: Value, invert: boolean): Value {
  return invert && typeof value === 'boolean' ? !value : value
}
