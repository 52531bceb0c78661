/**
 * What a changed site file changes. What stays as it is goes on undisturbed, wherever it is numbered now; what only a restart can
 * take over is named. Pure: two resolved sites in, names out. Compared by walking, not by texts: a large site has a million values.
 */
import type { Rule } from '../model/alarm.ts'
import type { Point, PointSource } from '../model/point.ts'
import type { Bus, Device, Site } from '../model/site.ts'

export type Changes = {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly string[]
}

export type SiteDiff = {
  /** What a running gateway cannot take over, as keys of the site file. Not empty: a restart is needed. */
  readonly restart: readonly string[]
  readonly buses: Changes & { readonly kept: readonly string[] }
  readonly devices: Changes
  readonly rules: Changes
  readonly uplinks: { readonly changed: readonly string[] }
  readonly brokerKept: boolean
}

export function diffSites(before: Site, after: Site): SiteDiff {
  const pair = new Pair(before, after)
  const buses = changesOf(before.buses, after.buses, (a, b) => pair.sameBus(a, b))
  const disturbed = new Set([...buses.added, ...buses.changed])
  return {
    restart: restartKeys(before, after),
    buses: { ...buses, kept: after.buses.map(({ id }) => id).filter((id) => !disturbed.has(id)) },
    devices: changesOf(before.devices, after.devices, (a, b) => pair.sameDevice(a, b)),
    rules: changesOf(before.rules, after.rules, (a, b) => pair.sameRule(a, b)),
    uplinks: { changed: changesOf(before.uplinks, after.uplinks, equal).changed },
    brokerKept: pair.sameBroker(),
  }
}

export function isEmpty({ buses, devices, rules, uplinks, brokerKept, restart }: SiteDiff): boolean {
  const quiet = [buses, devices, rules].every(
    ({ added, removed, changed }) => added.length + removed.length + changed.length === 0,
  )
  return quiet && uplinks.changed.length === 0 && brokerKept && restart.length === 0
}

/** Points whose value means the same and comes from the same place: their last samples may be carried over. [old, new] */
export function sameSources(before: Site, after: Site): readonly (readonly [Point, Point])[] {
  const pair = new Pair(before, after)
  const old = new Map(before.points.map((point) => [point.id, point]))
  return after.points.flatMap((point) => {
    const was = old.get(point.id)
    return was !== undefined && pair.sameOrigin(was, point) ? [[was, point] as const] : []
  })
}

/** The store, the clock and the identity under which the cloud knows us were opened with these. */
function restartKeys(before: Site, after: Site): readonly string[] {
  const keys: readonly (readonly [string, (site: Site) => unknown])[] = [
    ['site.id', ({ id }) => id],
    ['site.timezone', ({ timezone }) => timezone],
    ['gateway.id', ({ gateway }) => gateway.id],
    ['gateway.clock', ({ gateway }) => gateway.clock],
    ['store', ({ store }) => store],
    ['uplinks', ({ uplinks }) => uplinks.map(({ id }) => id)],
  ]
  return keys.flatMap(([key, of]) => (equal(of(before), of(after)) ? [] : [key]))
}

function changesOf<T extends { readonly id: string }>(
  before: readonly T[],
  after: readonly T[],
  same: (a: T, b: T) => boolean,
): Changes {
  const old = new Map(before.map((item) => [item.id, item]))
  const now = new Set(after.map(({ id }) => id))
  return {
    added: after.map(({ id }) => id).filter((id) => !old.has(id)),
    removed: [...old.keys()].filter((id) => !now.has(id)),
    changed: after.flatMap((item) => {
      const was = old.get(item.id)
      return was !== undefined && !same(was, item) ? [item.id] : []
    }),
  }
}

/** Two sites: what refers to another thing by its number is compared by that thing's name. */
class Pair {
  readonly #a: Site
  readonly #b: Site

  constructor(a: Site, b: Site) {
    this.#a = a
    this.#b = b
  }

  /** Everything by which a bus is run: its wire, its devices, what is asked of them and what may be written. */
  sameBus(a: Bus, b: Bus): boolean {
    if (!equal({ ...a, index: 0 }, { ...b, index: 0 })) return false
    return this.#sameFleet(devicesOf(this.#a, a), devicesOf(this.#b, b))
  }

  sameBroker(): boolean {
    if (!equal([this.#a.broker, this.#a.gateway.id], [this.#b.broker, this.#b.gateway.id])) return false
    const publishing = ({ devices }: Site): readonly Device[] => devices.filter(({ link }) => link.kind === 'topic')
    return this.#a.broker === null || this.#sameFleet(publishing(this.#a), publishing(this.#b))
  }

  /** As far as a wire is concerned: a point's range, deadband or title are nobody's business there. */
  #sameFleet(a: readonly Device[], b: readonly Device[]): boolean {
    return sameLists(a, b, (one, other) => {
      if (one.id !== other.id || one.driverSha !== other.driverSha || !this.#sameLink(one, other)) return false
      return sameLists(fieldPoints(this.#a, one), fieldPoints(this.#b, other), sameOnWire)
    })
  }

  sameDevice(a: Device, b: Device): boolean {
    const { index: _a, points: pointsA, link: _linkA, ...ownA } = a
    const { index: _b, points: pointsB, link: _linkB, ...ownB } = b
    if (!equal(ownA, ownB) || !this.#sameLink(a, b)) return false
    return sameLists(pick(this.#a, pointsA), pick(this.#b, pointsB), (one, other) => this.#samePoint(one, other))
  }

  #samePoint(a: Point, b: Point): boolean {
    const { index: _ia, device: _da, source: sourceA, ...ownA } = a
    const { index: _ib, device: _db, source: sourceB, ...ownB } = b
    return equal(ownA, ownB) && this.#sameSource(sourceA, sourceB)
  }

  sameOrigin(a: Point, b: Point): boolean {
    const [deviceA, deviceB] = [this.#a.devices[a.device], this.#b.devices[b.device]]
    if (deviceA === undefined || deviceB === undefined || !this.#sameLink(deviceA, deviceB)) return false
    return a.type === b.type && a.kind === b.kind && a.unit === b.unit && this.#sameSource(a.source, b.source)
  }

  #sameSource(a: PointSource, b: PointSource): boolean {
    if (a.from === 'point' && b.from === 'point')
      return a.invert === b.invert && this.#a.points[a.point]?.id === this.#b.points[b.point]?.id
    if (a.from !== 'derive' || b.from !== 'derive') return equal(a, b)
    const [one, other] = [a.formula, b.formula]
    if (one.kind === 'expression' || other.kind === 'expression')
      return equal({ ...one, device: 0 }, { ...other, device: 0 })
    return equal({ ...one, of: 0 }, { ...other, of: 0 }) && this.#a.points[one.of]?.id === this.#b.points[other.of]?.id
  }

  #sameLink({ link: a }: Device, { link: b }: Device): boolean {
    if (!('bus' in a) || !('bus' in b)) return equal(a, b)
    return equal({ ...a, bus: 0 }, { ...b, bus: 0 }) && this.#a.buses[a.bus]?.id === this.#b.buses[b.bus]?.id
  }

  sameRule(a: Rule, b: Rule): boolean {
    const { device: deviceA, do: doA, ...ownA } = a
    const { device: deviceB, do: doB, ...ownB } = b
    if (!equal(ownA, ownB)) return false
    if (this.#a.devices[deviceA ?? -1]?.id !== this.#b.devices[deviceB ?? -1]?.id) return false
    return sameLists(
      doA,
      doB,
      (one, other) =>
        equal({ ...one, point: 0 }, { ...other, point: 0 }) &&
        this.#a.points[one.point]?.id === this.#b.points[other.point]?.id,
    )
  }
}

function devicesOf({ devices }: Site, { index }: Bus): readonly Device[] {
  return devices.filter(({ link }) => 'bus' in link && link.bus === index)
}

function pick({ points }: Site, indices: readonly number[]): readonly Point[] {
  return indices.flatMap((index) => points[index] ?? [])
}

function fieldPoints(site: Site, { points }: Device): readonly Point[] {
  return pick(site, points).filter(({ source }) => source.from === 'field')
}

function sameOnWire(a: Point, b: Point): boolean {
  return (
    a.key === b.key &&
    a.type === b.type &&
    a.kind === b.kind &&
    a.forbidden === b.forbidden &&
    a.personal === b.personal &&
    equal(a.source, b.source) &&
    equal(a.write, b.write)
  )
}

function sameLists<T>(a: readonly T[], b: readonly T[], same: (one: T, other: T) => boolean): boolean {
  return (
    a.length === b.length &&
    a.every((one, at) => {
      const other = b[at]
      return other !== undefined && same(one, other)
    })
  )
}

/** Plain data, deeply. A secret is the same when it says the same: it prints `***` whatever it is. */
function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if ('reveal' in a && 'reveal' in b && typeof a.reveal === 'function' && typeof b.reveal === 'function')
    return String(a.reveal()) === String(b.reveal())
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && sameLists(a, b, equal)
  const keys = Object.keys(a)
  const [one, other] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  return keys.length === Object.keys(b).length && keys.every((key) => key in other && equal(one[key], other[key]))
}
