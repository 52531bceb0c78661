/**
 * What a reload rebuilds: spine, buses, broker, outputs and view of one site. A bus or broker that did not change is taken over as it
 * is, in the middle of whatever it does: only where its arrivals go, and how they are numbered, is turned.
 */
import { answersAsText } from './alarm/builtin.ts'
import { fieldPointsBehind } from './alarm/needs.ts'
import { type Broker, openBroker } from './broker/broker.ts'
import { openBus, type RunningBus } from './bus/bus.ts'
import { isListening, openListener } from './bus/listener.ts'
import { createRefusals } from './bus/refusals.ts'
import { numbersBetween, relabelArrival, relabelBus } from './bus/relabel.ts'
import { sameSources } from './config/diff.ts'
import { createPseudonym, openSiteKey } from './config/sitekey.ts'
import { createOutputs, type Level, type Outputs } from './control/outputs.ts'
import type { Arrival, Sample } from './model/sample.ts'
import type { Bus, Device, Site } from './model/site.ts'
import type { Clock } from './runtime/clock.ts'
import type { Log } from './runtime/log.ts'
import type { WriteOutcome } from './model/command.ts'
import { type Carried, openSpine, type Spine } from './spine.ts'
import type { Store } from './store/contract.ts'
import { openPipe } from './transport/open.ts'

/** What goes on over a reload, and what the field calls upwards. */
export type Lasting = {
  readonly data: string
  readonly clock: Clock
  readonly log: Log
  /** Its states are the ones in force, not those of the start. */
  readonly store: Pick<Store, 'commit' | 'observe' | 'states'>
  /** Aborted when the field is to stop. */
  readonly signal: AbortSignal
  readonly measured: (what: 'output' | 'durable', ms: number) => void
  /** Of the spine in force when it is called. */
  readonly keep: (states: readonly (readonly [string, string | null])[]) => void
  readonly mismatch: (device: Device, from: string | null) => void
  /** `site` numbers the level; when it is not in force any more nothing is written: the new rules say anew what outputs should be. */
  readonly write: (level: Level, site: Site) => Promise<WriteOutcome>
  readonly written: (pointId: string, level: Level, outcome: WriteOutcome) => void
}

/** Where arrivals of a bus or the broker go. Before it is aimed they wait, the oldest polled ones go first. */
class Target {
  #post: ((arrival: Arrival) => void) | null = null
  #waiting: Arrival[] = []

  readonly put = (arrival: Arrival): void => {
    if (this.#post !== null) this.#post(arrival)
    else if (this.#waiting.push(arrival) > WAITING_MAX) {
      const gone = this.#waiting.shift()
      if (gone?.kind === 'scan') gone.settled?.(new Error('too much came while the site file was taken over'))
    }
  }

  aim(post: (arrival: Arrival) => void): void {
    this.#post = post
    for (const arrival of this.#waiting.splice(0)) post(arrival)
  }
}

/** A swap takes milliseconds. */
const WAITING_MAX = 5000

type Held<T> = { readonly own: T; readonly target: Target; readonly site: Site }
export type HeldBroker = Held<Broker>

export type Field = {
  readonly site: Site
  readonly spine: Spine
  readonly buses: readonly RunningBus[]
  readonly broker: HeldBroker | null
  readonly outputs: Outputs
  /** By id, numbered by the site that each was opened with. */
  readonly held: ReadonlyMap<string, Held<RunningBus>>
}

/** Rejects when a listener's port is taken. */
export async function openSiteBroker(site: Site, { clock, log, signal }: Lasting): Promise<HeldBroker | null> {
  if (site.broker === null) return null
  const target = new Target()
  const { devices, points, gateway, broker: settings } = site
  const own = await openBroker({
    settings,
    devices,
    points,
    post: target.put,
    clock,
    log,
    signal,
    clientId: gateway.id,
  })
  return { own, target, site }
}

/**
 * Everything in one step: no turn comes between. `before` is the field that it follows, whose spine has been closed; `kept` are
 * the ids of buses that go on.
 */
export function openField(
  site: Site,
  lasting: Lasting,
  { broker, before, kept }: { broker: HeldBroker | null; before: Field | null; kept: ReadonlySet<string> },
): Field {
  const { store, clock, log, signal } = lasting
  const isPersonal = site.points.some((point) => point.personal)
  const key = isPersonal ? openSiteKey(lasting.data, process.env['CREDENTIALS_DIRECTORY'] ?? null) : null
  const outputs = createOutputs({
    write: (level) => lasting.write(level, site),
    told: (level, outcome) => lasting.written(site.points[level.point]?.id ?? '', level, outcome),
  })
  const spine = openSpine({
    site,
    clock,
    store,
    log,
    outputs: (levels) => outputs.apply(levels),
    ...(key === null ? {} : { pseudonym: createPseudonym(key) }),
    ...(before === null ? {} : { carried: carriedOver(before, site, kept) }),
    measured: lasting.measured,
  })
  const refusals = createRefusals(store.states, lasting.keep)
  const urgent = fieldPointsBehind(site, spine.board.inputs())

  function open(bus: Bus): Held<RunningBus> {
    const target = new Target()
    const { devices, points } = site
    const common = { bus, devices, points, clock, post: target.put, log, signal, openPipe }
    const own = isListening(bus, devices)
      ? openListener(common)
      : openBus({ ...common, refused: refusals.of, remember: refusals.remember, urgent, mismatch: lasting.mismatch })
    return { own, target, site }
  }

  const held = new Map<string, Held<RunningBus>>()
  for (const bus of site.buses) {
    const known = kept.has(bus.id) ? before?.held.get(bus.id) : undefined
    held.set(bus.id, known ?? open(bus))
  }
  for (const one of held.values()) aim(one, site, spine)
  for (const { own, site: opened } of held.values()) if (opened !== site) own.favour(numberedAs(opened, site, urgent))
  if (broker !== null) aim(broker, site, spine)
  for (const [id, { own }] of held) if (kept.has(id)) retell(own, before, spine)
  return {
    site,
    spine,
    buses: site.buses.flatMap((bus) => numbered(held.get(bus.id), bus, site)),
    broker,
    outputs,
    held,
  }
}

function aim({ target, site: own }: Held<unknown>, site: Site, spine: Spine): void {
  const numbers = numbersBetween(own, site)
  target.aim((arrival) => {
    const told = relabelArrival(arrival, numbers)
    if (told !== null) spine.post(told)
  })
}

function numbered(held: Held<RunningBus> | undefined, bus: Bus, site: Site): readonly RunningBus[] {
  if (held === undefined) return []
  const out = numbersBetween(held.site, site)
  const back = numbersBetween(site, held.site)
  // Points of other buses may have come or gone behind its own: then its numbers are the same in both.
  if (out === null) return [{ ...held.own, bus }]
  return [relabelBus(held.own, bus, { out, back: back ?? SAME })]
}

/** Points of the site in force as a bus numbers them that was opened with another. */
function numberedAs(opened: Site, site: Site, points: ReadonlySet<number>): ReadonlySet<number> {
  const back = numbersBetween(site, opened)
  return back === null ? points : new Set([...points].flatMap((point) => back.point(point) ?? []))
}

const SAME = { bus: (index: number) => index, device: (index: number) => index, point: (index: number) => index }

/** A built-in alarm of a bus that goes on, whose fact nobody states again. */
function retell(own: RunningBus, before: Field | null, spine: Spine): void {
  for (const { index, answersAs } of own.devices()) {
    const id = before?.held.get(own.bus.id)?.site.devices[index]?.id
    if (id !== undefined && answersAs !== null)
      spine.board.setFact(`identity_mismatch.${id}`, 'yes', answersAsText(answersAs, null))
  }
}

/** Of points that mean the same and come from the same place. What else there was is not known to hold any more. */
function carriedOver(before: Field, site: Site, kept: ReadonlySet<string>): Carried {
  const { spine, site: old } = before
  const samples = sameSources(old, site).map(
    ([was, point]): Sample => ({ ...spine.image.get(was.index), point: point.index }),
  )
  const arrivals: Carried['arrivals'][number][] = []
  for (const bus of site.buses) {
    const was = kept.has(bus.id) ? old.buses.find(({ id }) => id === bus.id) : undefined
    const state =
      was === undefined ? undefined : before.buses.find((running) => running.bus.id === bus.id)?.status().state
    const mono = was === undefined ? null : spine.since('bus', was.index)
    if (state !== undefined && mono !== null) arrivals.push({ kind: 'bus', bus: bus.index, mono, state, cause: null })
  }
  for (const device of site.devices) {
    const was = old.devices.find(({ id }) => id === device.id)
    const mono = was === undefined ? null : spine.since('device', was.index)
    const state = was === undefined ? null : spine.stateOf(was.index)
    const stays = device.link.kind !== 'bus' || kept.has(site.buses[device.link.bus]?.id ?? '')
    if (mono !== null && state !== null && stays)
      arrivals.push({ kind: 'device', device: device.index, mono, state, cause: null })
  }
  return { samples, arrivals }
}
