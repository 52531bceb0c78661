/** The metadata of a site as it travels: bodies of `ty: meta`, uplink contract, section 6. Pure but for the hash. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../bytes/json.ts'
import type { Point } from '../model/point.ts'
import type { Device, Site } from '../model/site.ts'

type Json = Readonly<Record<string, unknown>>

/** Body of one metadata event but for `cv`, which the store knows. */
export type CataloguePart = Json & {
  readonly sha: string
  readonly part: number
  readonly of: number
  readonly dev: readonly Json[]
}

export type Catalogue = {
  /** First 16 hex digits of SHA-256 over the canonical JSON of all devices: names the content, whatever the parts. */
  readonly sha: string
  readonly parts: readonly CataloguePart[]
}

/** A message stays below 48 KiB with its envelope. */
export const PART_BYTES_MAX = 40 * 1024

export function createCatalogue(site: Pick<Site, 'devices' | 'points' | 'buses'>): Catalogue {
  const devices = site.devices.map((device) => describeDevice(device, site))
  const sha = createHash('sha256').update(canonicalJson(devices)).digest('hex').slice(0, 16)
  const groups = packed(devices.flatMap(cutDevice))
  return { sha, parts: groups.map((dev, index) => ({ sha, part: index + 1, of: groups.length, dev })) }
}

function describeDevice(device: Device, { points, buses }: Pick<Site, 'points' | 'buses'>): Json {
  const { link } = device
  return {
    i: device.id,
    name: device.name,
    place: device.place,
    tags: device.tags,
    category: device.category,
    brick: device.brick,
    driver: device.driver,
    driverSha: device.driverSha,
    model: device.model,
    family: device.family,
    bus: link.kind === 'bus' || link.kind === 'lines' ? (buses[link.bus]?.id ?? null) : null,
    identity: { serial: serialOf(device), model: null },
    pts: device.points.flatMap((index) => points[index] ?? []).map(describePoint),
  }
}

/** Meters are asked by their own number, and no other meter's answer is taken. Of other devices none is known until they are asked for it. */
function serialOf({ link }: Device): string | null {
  return link.kind === 'bus' && typeof link.address === 'string' ? link.address : null
}

function describePoint(point: Point): Json {
  const map = point.source.from === 'field' ? point.source.treatment.map : null
  return {
    p: point.key,
    title: point.title,
    std: point.std,
    kind: point.kind,
    unit: point.unit,
    ty: point.type,
    deadband: point.deadband,
    heartbeat: point.heartbeatMs,
    maxAge: point.maxAgeMs,
    personal: point.personal,
    ...(map === null ? {} : { enum: map }),
    ...(point.range === null ? {} : { range: point.range }),
    ...(point.write === null ? {} : { write: { min: point.write.min, max: point.write.max, role: point.write.role } }),
  }
}

/** A device of hundreds of points is told in several entries of the same `i`. */
function cutDevice(device: Json): readonly Json[] {
  const points = device['pts']
  if (bytesOf(device) <= PART_BYTES_MAX || !Array.isArray(points) || points.length < 2) return [device]
  const middle = Math.ceil(points.length / 2)
  return [points.slice(0, middle), points.slice(middle)].flatMap((pts) => cutDevice({ ...device, pts }))
}

/** As many devices to a part as fit. No device: one empty part, so that the cloud learns that there is none. */
function packed(devices: readonly Json[]): readonly (readonly Json[])[] {
  const groups: Json[][] = [[]]
  let bytes = 0
  for (const device of devices) {
    const size = bytesOf(device) + 1
    const group = groups.at(-1)
    if (group === undefined || (bytes > 0 && bytes + size > PART_BYTES_MAX)) {
      groups.push([device])
      bytes = size
    } else {
      group.push(device)
      bytes += size
    }
  }
  return groups
}

function bytesOf(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value))
}
