/**
 * A published message becomes an arrival. With QoS 1 and 2 the publisher gets its answer when what it said is durable: `settled`
 * is called once, and an error means that it must send again.
 */
import type { Fault } from '../model/fault.ts'
import type { Point } from '../model/point.ts'
import type { Arrival, DeviceState, Reading } from '../model/sample.ts'
import type { Device } from '../model/site.ts'
import { payloadCodec } from '../protocols/all.ts'
import type { Message, PayloadCodec, Refusal } from '../protocols/payload/payload.ts'
import { createSeen, type Seen, type Settled } from './seen.ts'

/** `from` which broker: our own, or the one on site. */
export type Published = Message & { readonly qos: 0 | 1 | 2; readonly from: 'embedded' | 'outside' }

export type Ingest = {
  /** Exact topics that devices of this site publish on. */
  readonly topics: readonly string[]
  readonly accept: (message: Published, settled: Settled) => void
  /** The broker on site was lost, or is back. */
  readonly carrier: (state: 'online' | 'offline') => void
}

type Publisher = {
  readonly device: number
  readonly base: string
  readonly codec: PayloadCodec
  readonly points: readonly Point[]
  readonly seen: Seen
  /** By its own word or by its messages. */
  own: 'online' | 'offline' | null
  bridge: 'online' | 'offline'
  /** The broker that its last message came from. */
  from: Published['from'] | null
  told: DeviceState | null
}

const LOST: Fault = { kind: 'timeout' }
const CLOSED: Fault = { kind: 'closed' }

export function createIngest(options: {
  devices: readonly Device[]
  /** `Site.points` */
  points: readonly Point[]
  post: (arrival: Arrival) => void
  mono: () => number
  /** A message without use, by name. */
  refuse: (why: Refusal, topic: string) => void
}): Ingest {
  const publishers = options.devices.flatMap((device) => publisherOf(device, options.points))
  const routes = Map.groupBy(
    publishers.flatMap((publisher) =>
      publisher.codec.topics(publisher.base, publisher.points).map((topic) => ({ topic, publisher })),
    ),
    ({ topic }) => topic,
  )
  let carrier: 'online' | 'offline' = 'online'

  /** Tells the spine when what is known of the device has changed. */
  function tell(publisher: Publisher): void {
    const cause =
      (carrier === 'offline' && publisher.from !== 'embedded') || publisher.bridge === 'offline'
        ? CLOSED
        : publisher.own === 'offline'
          ? LOST
          : null
    const state = cause === null ? publisher.own : 'offline'
    if (state === null || state === publisher.told) return
    publisher.told = state
    options.post({ kind: 'device', device: publisher.device, mono: options.mono(), state, cause })
  }

  function scan(publisher: Publisher, readings: readonly Reading[], settled: Settled | null): void {
    const moments = momentsOf(readings)
    const settledOne = settled === null ? null : joined(moments.length, settled)
    for (const moment of moments) {
      const arrival = { kind: 'scan', device: publisher.device, mono: options.mono(), readings: moment } as const
      options.post(settledOne === null ? arrival : { ...arrival, settled: settledOne })
    }
  }

  /** null: taken. A refusal is for the caller to count; `settled` is seen to in any case. */
  function deliver(publisher: Publisher, message: Published, settled: Settled | null): Refusal | null {
    const outcome = publisher.codec.read(publisher.base, message, publisher.points)
    if (outcome.kind === 'refused') {
      settled?.(null)
      return outcome.why
    }
    publisher.from = message.from
    if (outcome.kind === 'availability') {
      if (outcome.of === 'device') publisher.own = outcome.state
      else publisher.bridge = outcome.state
      tell(publisher)
      // Without readings, but in its place in the row: answered when the change of state is durable.
      if (settled !== null) scan(publisher, [], settled)
      return null
    }
    const first = outcome.once === undefined ? settled : firstOf(publisher, outcome.once, settled)
    if (first === 'repeat') return 'duplicate'
    // What was kept by a broker proves nothing about now.
    if (!message.retained) {
      publisher.own = 'online'
      publisher.bridge = 'online'
      tell(publisher)
    }
    scan(publisher, outcome.readings, first)
    return null
  }

  /** What is to be called once the message is durable; `repeat`: it was taken before. */
  function firstOf({ seen }: Publisher, names: readonly string[], settled: Settled | null): Settled | null | 'repeat' {
    const finish = seen.take(names, settled)
    if (finish === null) return 'repeat'
    if (settled !== null)
      return (error) => {
        finish(error)
        settled(error)
      }
    finish(null)
    return null
  }

  /** On a topic that devices share, one that finds its message there is enough: that the others do not is no news. */
  function deliverAll(route: readonly Publisher[], message: Published, settled: Settled | null): void {
    const refusals = route.map((publisher) => deliver(publisher, message, settled))
    const told = refusals.filter((why) => why !== null)
    const [one] = told
    if (one === 'other_device' && told.length === route.length && told.every((why) => why === one))
      options.refuse(one, message.topic)
    for (const why of told) if (why !== 'other_device') options.refuse(why, message.topic)
  }

  return {
    topics: [...routes.keys()],
    accept(message, settled) {
      const route = (routes.get(message.topic) ?? []).map(({ publisher }) => publisher)
      if (message.qos === 0 || route.length === 0) {
        deliverAll(route, message, null)
        settled(null)
        return
      }
      deliverAll(route, message, joined(route.length, settled))
    },
    carrier(state) {
      carrier = state
      for (const publisher of publishers) tell(publisher)
    },
  }
}

function publisherOf(device: Device, points: readonly Point[]): Publisher[] {
  if (device.link.kind !== 'topic') return []
  const codec = payloadCodec(device.link.codec)
  if (codec === null) throw new Error(`device ${device.id}: no codec is called "${device.link.codec}"`)
  const own = device.points.flatMap((index) => points[index] ?? [])
  return [
    {
      device: device.index,
      base: device.link.topic,
      codec,
      points: own,
      seen: createSeen(),
      own: null,
      bridge: 'online',
      from: null,
      told: null,
    },
  ]
}

/** A message may hold two presses of one button: each is a moment of its own. At least one, which may be empty. */
function momentsOf(readings: readonly Reading[]): readonly (readonly Reading[])[] {
  const moments: Reading[][] = [[]]
  for (const reading of readings) {
    const last = moments.at(-1)
    if (last?.every(({ point }) => point !== reading.point) === true) last.push(reading)
    else moments.push([reading])
  }
  return moments
}

/** Calls `settled` once: when all have settled, with the first error if there was one. */
function joined(count: number, settled: Settled): Settled {
  let left = count
  let failed: Error | null = null
  return (error) => {
    failed ??= error
    left -= 1
    if (left === 0) settled(failed)
  }
}
