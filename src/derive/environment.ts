/** What an expression may name: devices and their points, typed field by field, so that a misspelt point fails at load. */
import type { Point, PointType } from '../model/point.ts'
import type { Site } from '../model/site.ts'
import { DOOR_STATES } from './door.ts'

export type EnvironmentPoint = {
  /** Index of the point in the site; in a driver on its own, any number that is unique there. */
  readonly index: number
  readonly key: string
  readonly type: PointType
  /** Labels that a `state` point can take; compared text must be one of them (or digits: a raw value without label). */
  readonly labels?: readonly string[]
}

export type EnvironmentDevice = {
  readonly id: string
  readonly points: readonly EnvironmentPoint[]
}

export type Environment = {
  readonly devices: readonly EnvironmentDevice[]
  readonly deviceById: ReadonlyMap<string, EnvironmentDevice>
  readonly pointByKey: ReadonlyMap<EnvironmentDevice, ReadonlyMap<string, EnvironmentPoint>>
}

/** `devices` in the order of their indices in the site: a rule's `device` is an index into it. */
export function createEnvironment(devices: readonly EnvironmentDevice[]): Environment {
  return {
    devices,
    deviceById: new Map(devices.map((device) => [device.id, device])),
    pointByKey: new Map(devices.map((device) => [device, new Map(device.points.map((point) => [point.key, point]))])),
  }
}

function labelsOf({ source }: Point): readonly string[] | null {
  if (source.from === 'derive') return source.formula.kind === 'door' ? DOOR_STATES : null
  const map = source.from === 'field' ? source.treatment.map : null
  return map === null ? null : Object.values(map)
}

/** The environment of a resolved site. */
export function siteEnvironment(site: Pick<Site, 'devices' | 'points'>): Environment {
  const points = site.points.map((point): EnvironmentPoint => {
    const labels = labelsOf(point)
    const known = { index: point.index, key: point.key, type: point.type }
    return labels === null ? known : { ...known, labels }
  })
  return createEnvironment(
    site.devices.map((device) => ({
      id: device.id,
      points: device.points.flatMap((index) => points[index] ?? []),
    })),
  )
}
