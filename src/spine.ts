/**
 * The flow, at our own pace: arrivals wait in a bounded mailbox, one turn drains it. A burst becomes one step and one commit.
 * A turn never waits for the disk; outputs act before it.
 */
import type { BoardStep } from './alarm/board.ts'
import { Board } from './alarm/board.ts'
import type { Level } from './control/outputs.ts'
import { Derivations } from './derive/evaluate.ts'
import { isAtRest } from './image/event.ts'
import { Image } from './image/image.ts'
import { type Fresh, Gathered, Intake, type Pseudonym } from './image/intake.ts'
import { Presence } from './image/presence.ts'
import { Reach } from './image/reach.ts'
import { Reports } from './image/report.ts'
import { causeText } from './model/fault.ts'
import type { ClockReading, Event, EventType, Item } from './model/journal.ts'
import type { Arrival, DeviceState, Sample } from './model/sample.ts'
import type { Site } from './model/site.ts'
import { type Clock, isTrusted } from './runtime/clock.ts'
import type { Log } from './runtime/log.ts'
import { createMailbox } from './runtime/mailbox.ts'
import { ulid } from './runtime/ulid.ts'
import { createZone } from './runtime/zone.ts'
import type { Store } from './store/contract.ts'

/** What a reload carries over, numbered by the new site: the last samples, and how buses and devices are. None of it is news. */
export type Carried = {
  readonly samples: readonly Sample[]
  readonly arrivals: readonly Exclude<Arrival, { kind: 'scan' }>[]
}

type DeviceArrival = Extract<Arrival, { kind: 'device' }>

export type SpineOptions = {
  readonly site: Site
  readonly clock: Clock
  readonly store: Pick<Store, 'commit' | 'observe' | 'states'>
  readonly outputs: (levels: readonly Level[]) => void
  readonly log: Log
  /** What personal data become before anything sees them; left out: they do not come in. */
  readonly pseudonym?: Pseudonym
  readonly carried?: Carried
  /** ms from the reply to what it set off: the output's call, the alarm's durable commit. */
  readonly measured?: (what: 'output' | 'durable', ms: number) => void
}

export type Spine = {
  readonly image: Image
  readonly board: Board
  readonly post: (arrival: Arrival) => void
  /** An event of lane e, durable with the next commit, or at once. */
  readonly tell: (
    type: EventType,
    device: string | null,
    body: Event['body'],
    options?: { urgent: boolean },
  ) => Promise<void>
  /** States of others than the spine's own, durable with the next commit; `urgent`: somebody waits for that. null: forgotten. */
  readonly keep: (states: BoardStep['states'], how?: { readonly urgent?: boolean }) => Promise<void>
  /** What acknowledging changed is committed; resolves once it is durable. */
  readonly adopt: (step: BoardStep) => Promise<void>
  readonly onTurn: (listener: (points: readonly number[]) => void) => () => void
  readonly samplesRead: () => number
  /** Monotonic ms since when a bus or device is in its state; null: nobody has said so far. */
  readonly since: (kind: 'bus' | 'device', index: number) => number | null
  /** What was last said of a device; null: nothing so far. */
  readonly stateOf: (device: number) => DeviceState | null
  /** Takes what is in the mailbox, saves running sums, and turns no more. */
  readonly close: () => void
}

/** Entries, not samples: about a minute of a full site whose spine is stuck. What is dropped is declared. */
const MAILBOX_MAX = 20_000
/** Composed points over derived points over composed points: deeper is a loop, which `check` refuses. */
const ROUNDS_MAX = 8
/** Staleness and delays are looked at this often at least. */
const IDLE_MS = 1000

export function openSpine(options: SpineOptions): Spine {
  const { site, clock, store, log } = options
  const image = new Image(site.points, clock.mono())
  const intake = new Intake(site.points, image, options.pseudonym === undefined ? {} : { pseudonym: options.pseudonym })
  const reports = new Reports(site.points)
  const presence = new Presence(site)
  const reach = new Reach(site)
  const derivations = new Derivations(site, {
    states: store.states,
    periodStart: createZone(site.timezone).periodStart,
  })
  const board = new Board(site, {
    ulid,
    states: store.states,
    now: { mono: clock.mono(), utc: clock.utc() },
  })
  const listeners = new Set<(points: readonly number[]) => void>()
  /** What is so without anything being read: inputs that are not configured. */
  let first: ReturnType<Intake['begin']> | null = intake.begin()
  const since = new Map<string, number>()
  const deviceStates = new Map<number, DeviceState>()
  /** Taken out of the mailbox, and not looked at yet: see `Intake.mustWait`. */
  let backlog: readonly Arrival[] = []
  for (const sample of options.carried?.samples ?? []) image.set(sample)
  for (const arrival of options.carried?.arrivals ?? []) {
    if (arrival.kind === 'device') {
      presence.told(arrival)
      reach.device(arrival)
    } else reach.bus(arrival)
    noted(arrival)
  }
  let read = 0
  let closed = false
  let scheduled = false
  let timer: ReturnType<typeof setTimeout> | null = null
  let tickedAt = Number.NEGATIVE_INFINITY

  const mailbox = createMailbox<Arrival>({
    sizeMax: MAILBOX_MAX,
    mayLose: (arrival) => arrival.kind === 'scan' && arrival.settled === undefined,
    wake: schedule,
  })

  function schedule(): void {
    if (scheduled || closed) return
    scheduled = true
    setImmediate(turn)
  }

  function turn(): void {
    scheduled = false
    if (closed) return
    step()
    rearm()
  }

  function rearm(): void {
    if (timer !== null) clearTimeout(timer)
    if (backlog.length > 0 || intake.hasEvents) schedule()
    const mono = clock.mono()
    const due = Math.min(
      mono + IDLE_MS,
      intake.nextDue() ?? Number.POSITIVE_INFINITY,
      derivations.nextDue() ?? Number.POSITIVE_INFINITY,
      board.nextDue() ?? Number.POSITIVE_INFINITY,
    )
    timer = setTimeout(schedule, Math.max(1, due - mono))
  }

  function step(): void {
    const time = clock.now()
    const utc = Math.round(time.mono + time.offsetMs)
    const fresh = new Gathered()
    const rested = first ?? intake.rest()
    first = null
    fresh.add(rested)
    const items: Item[] = []
    const settling: ((error: Error | null) => void)[] = []
    let oldest = time.mono

    const tellDevice = (arrival: DeviceArrival): void => {
      const id = site.devices[arrival.device]?.id ?? null
      items.push(event('device', id, deviceNews(arrival), utcOf(arrival.mono, time)))
    }
    const news = (arrival: Exclude<Arrival, { kind: 'scan' }>): void => {
      noted(arrival)
      if (arrival.kind === 'bus') reach.bus(arrival).forEach(tellDevice)
      else if (reach.device(arrival)) {
        tellDevice(arrival)
        log.info({ device: site.devices[arrival.device]?.id, ...deviceNews(arrival) }, 'device')
      }
    }
    const arrivals = [...backlog, ...mailbox.takeAll()]
    backlog = []
    for (const [position, arrival] of arrivals.entries()) {
      if (arrival.kind === 'scan' && intake.mustWait(arrival.readings)) {
        backlog = arrivals.slice(position)
        break
      }
      if (arrival.kind !== 'scan') {
        if (arrival.kind === 'device') presence.told(arrival)
        news(arrival)
        continue
      }
      read += arrival.readings.length
      oldest = Math.min(oldest, arrival.mono)
      intake.read(arrival.readings, momentOf(arrival), fresh)
      if (arrival.settled !== undefined) settling.push(arrival.settled)
      // An old retained message is no sign of life.
      const speaks = arrival.readings.some((reading) => 'value' in reading && reading.doubt !== 'stale')
      const returned = speaks ? presence.heard(arrival.device, arrival.mono) : null
      if (returned !== null) news(returned)
    }
    items.push(...declareLost(mailbox.takeLost(), time))
    if (time.mono - tickedAt >= IDLE_MS || (intake.nextDue() ?? Number.POSITIVE_INFINITY) <= time.mono) {
      tickedAt = time.mono
      const ticked = intake.tick(time.mono)
      for (const gone of presence.swept(ticked.samples, image, time.mono)) news(gone)
      fresh.add(ticked)
    }

    const states: (readonly [string, string | null])[] = []
    // A composed point may follow a derived one and be derived from again: round by round, until nothing new comes out.
    let round: Fresh = {
      samples: rested.ends.length === 0 ? fresh.samples : [...rested.ends, ...fresh.samples],
      changed: [],
    }
    const timeIsUp = (derivations.nextDue() ?? Number.POSITIVE_INFINITY) <= time.mono
    for (let rounds = 0; rounds < ROUNDS_MAX; rounds++) {
      if (round.samples.length === 0 && !(rounds === 0 && timeIsUp)) break
      const derived = derivations.step(round.samples, image, {
        mono: time.mono,
        utc: isTrusted(time.quality) ? utc : null,
      })
      states.push(...derived.states)
      // Several sums may be made of one counter: it was replaced once.
      const counters = new Map(
        derived.notices.map((notice) => [`${deviceOf(notice.point)} ${notice.of} ${notice.what}`, notice]),
      )
      for (const notice of counters.values()) {
        items.push(event('health', deviceOf(notice.point), { point: idOf(notice.of), counter: notice.what }, utc))
      }
      const next = new Gathered()
      next.add(intake.adopt(derived.samples))
      const derivedPoints = new Set(derived.samples.map((sample) => sample.point))
      fresh.add(next)
      // What was derived has been fed to its own dependants already; only what follows it is news to them.
      round = next.without(derivedPoints)
    }

    for (const turned of presence.composed(fresh.samples, image, time.mono)) news(turned)

    const alarms = board.step(fresh.changed, image, { mono: time.mono, utc })
    if (alarms.outputs.length > 0) {
      options.outputs(alarms.outputs)
      options.measured?.('output', clock.mono() - oldest)
    }
    for (const transition of alarms.transitions) {
      items.push({ lane: 'a', body: transition })
      log.info({ rule: transition.rule, ev: transition.ev, no: transition.id, priority: transition.pri }, 'alarm')
    }

    const reported: Sample[] = []
    for (const sample of reports.pick(fresh.samples)) {
      const point = site.points[sample.point]
      if (point?.kind !== 'event') reported.push(sample)
      else if (sample.quality !== 'bad' && !isAtRest(point, sample)) {
        const body = { p: point.key, value: sample.value }
        items.push(event('point', deviceOf(sample.point), body, utcOf(sample.mono, time)))
      }
    }

    states.push(...alarms.states)
    if (fresh.samples.length > 0) store.observe(time, fresh.samples)
    const alarmed = alarms.transitions.length > 0 ? oldest : null
    const delta = { time, reports: reported, items, states, urgent: false }
    if (settling.length > 0) store.commit({ ...delta, urgent: true, settled: settled(settling, alarmed) })
    else if (alarmed !== null) {
      // An edge, its state and its item are one commit, at once; the polled samples of this turn have time.
      store.commit({ ...delta, reports: [], urgent: true, settled: settled([], alarmed) })
      if (reported.length > 0) store.commit({ ...delta, items: [], states: [] })
    } else if (reported.length > 0 || items.length > 0 || states.length > 0) store.commit(delta)
    if (fresh.samples.length > 0 && listeners.size > 0) {
      const points = fresh.samples.map((sample) => sample.point)
      for (const listener of listeners) listener(points)
    }
  }

  function noted(arrival: Exclude<Arrival, { kind: 'scan' }>): void {
    board.arrive(arrival)
    if (arrival.kind === 'device') deviceStates.set(arrival.device, arrival.state)
    since.set(`${arrival.kind} ${arrival.kind === 'bus' ? arrival.bus : arrival.device}`, arrival.mono)
  }

  function settled(waiting: readonly ((error: Error | null) => void)[], since: number | null) {
    return (error: Error | null): void => {
      if (error === null && since !== null) options.measured?.('durable', clock.mono() - since)
      for (const tell of waiting) tell(error)
    }
  }

  function event(type: EventType, device: string | null, body: Event['body'], at: number): Item {
    return { lane: 'e', body: { id: ulid(at), ty: type, at, i: device, body } }
  }

  /** The mailbox was full: polled samples that were never looked at are declared, by count and time. */
  function declareLost(lost: readonly Arrival[], time: ClockReading): readonly Item[] {
    let count = 0
    let from = Number.POSITIVE_INFINITY
    let to = Number.NEGATIVE_INFINITY
    for (const arrival of lost) {
      if (arrival.kind !== 'scan') continue
      count += arrival.readings.length
      from = Math.min(from, arrival.mono)
      to = Math.max(to, arrival.mono)
    }
    if (count === 0) return []
    log.warn({ samples: count }, 'overload: samples dropped before they were looked at')
    const body = {
      ln: 't',
      from: null,
      to: null,
      n: count,
      tFrom: utcOf(from, time),
      tTo: utcOf(to, time),
      why: 'overload',
    }
    return [event('drop', null, body, utcOf(time.mono, time))]
  }

  function deviceOf(point: number): string | null {
    return site.devices[site.points[point]?.device ?? -1]?.id ?? null
  }

  function idOf(point: number): string {
    return site.points[point]?.id ?? ''
  }

  function commit(items: readonly Item[], states: BoardStep['states'], urgent: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      store.commit({
        time: clock.now(),
        reports: [],
        items,
        states,
        urgent,
        settled: (error) => (error === null ? resolve() : reject(error)),
      })
    })
  }

  rearm()
  return {
    image,
    board,
    post: (arrival) => mailbox.put(arrival),
    tell: (type, device, body, how) => commit([event(type, device, body, clock.utc())], [], how?.urgent ?? false),
    keep: (states, how) => commit([], states, how?.urgent ?? false),
    adopt(taken) {
      options.outputs(taken.outputs)
      schedule()
      return commit(
        taken.transitions.map((body) => ({ lane: 'a', body })),
        taken.states,
        true,
      )
    },
    onTurn(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    samplesRead: () => read,
    since: (kind, index) => since.get(`${kind} ${index}`) ?? null,
    stateOf: (device) => deviceStates.get(device) ?? null,
    close() {
      if (closed) return
      do step()
      while (backlog.length > 0 || intake.hasEvents)
      closed = true
      if (timer !== null) clearTimeout(timer)
      const states = derivations.flush()
      if (states.length > 0) store.commit({ time: clock.now(), reports: [], items: [], states, urgent: false })
    },
  }
}

/** Body of a `device` event. Slow answers are a cause too, and the device's figures stand beside it. */
function deviceNews({ state, cause, trend }: DeviceArrival): Event['body'] {
  const word = cause === null ? (trend?.why === 'slow' ? 'slow' : null) : causeText(cause)
  return trend === undefined ? { state, cause: word } : { state, cause: word, trend }
}

/**
 * Polls are told apart by the millisecond, and whole numbers cost no memory of their own. What is published may come in bursts, and
 * the same card twice is two passages.
 */
function momentOf(arrival: Extract<Arrival, { kind: 'scan' }>): number {
  return arrival.settled === undefined ? Math.floor(arrival.mono) : arrival.mono
}

function utcOf(mono: number, time: ClockReading): number {
  return Math.round(mono + time.offsetMs)
}
