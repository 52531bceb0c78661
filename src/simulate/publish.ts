/**
 * Devices that publish, over real MQTT connections: one for each device that has its own, one for all behind a bridge. Each says what
 * its family's firmware would, when something moves and from time to time; a connection that breaks leaves its last will.
 */
import { connect, type MqttClient } from 'mqtt'
import { Halt } from '../runtime/halt.ts'
import { type Repeat, repeat } from '../runtime/timer.ts'
import type { Cell, SimulatedDevice } from './devices.ts'
import type { Faults } from './faults.ts'
import { firmwareOf } from './firmware/all.ts'
import type { Presence } from './firmware/firmware.ts'
import type { Later } from './line.ts'
import { Speaker } from './speaker.ts'

/** Where a carrier may come in, and what it may say there. */
export type Login = {
  readonly username?: string
  readonly password?: string
  readonly permits: (topic: string) => boolean
}

export type PublishSettings = {
  /**
   * `mqtt://127.0.0.1:1883`: opening waits for it and fails without it. A function: not known yet, or not there yet; it is asked
   * until it gives one, and devices begin to speak when they are taken.
   */
  readonly url: string | (() => string | null)
  readonly clientId?: string
  readonly username?: string
  readonly password?: string
  /** Takes the place of the two above: who may publish on these topics. */
  readonly login?: (topics: readonly string[]) => Login
  /** Default 10 s: denser than any battery allows, so that a demo has something to show. */
  readonly everyMs?: number
}

export type PublishParts = {
  readonly faults: Faults
  readonly later: Later
  readonly seed: number
  readonly utc: () => number
}

export type Publisher = {
  /** Now, out of turn: this value was set. */
  readonly publish: (device: SimulatedDevice, cell: Cell) => void
  /** Its plug is out, or in again. */
  readonly paused: (device: SimulatedDevice) => void
  readonly close: () => Promise<void>
}

const EVERY_MS = 10_000
/** What moves is told at once, as far as a person can see. */
const LOOK_MS = 1000
const CONNECT_TIMEOUT_MS = 10_000
const RECONNECT_MS = 1000
const URL_EVERY_MS = 100

type Carrier = {
  readonly will: Presence | null
  readonly speakers: readonly Speaker[]
  readonly login: Login
  readonly clientId: string
  client: MqttClient | null
}

/** A lost connection is made again by itself; what was missed meanwhile stays missed, as with a radio. */
export async function openPublisher(
  devices: readonly SimulatedDevice[],
  settings: PublishSettings,
  parts: PublishParts,
): Promise<Publisher> {
  const carriers = carriersOf(devices, settings, parts)
  const byDevice = new Map(
    carriers.flatMap((carrier) => carrier.speakers.map((each) => [each.device, { carrier, each }])),
  )
  const repeats: Repeat[] = []
  let url: string | null = null
  const close = async (): Promise<void> => {
    for (const each of repeats) each.close()
    await Promise.all(carriers.map((carrier) => end(carrier)))
  }

  function begin(carrier: Carrier, server: string): MqttClient {
    const client = connect(server, optionsOf(carrier))
    carrier.client = client
    client.on('connect', () => greet(carrier))
    // The library tries again by itself; without a listener the error would be thrown.
    client.on('error', () => undefined)
    return client
  }

  if (typeof settings.url === 'string') {
    const server = settings.url
    url = server
    try {
      await Promise.all(carriers.map((carrier) => connected(begin(carrier, server), server)))
    } catch (error) {
      await close()
      throw error
    }
  } else {
    const ask = settings.url
    const asking = repeat(URL_EVERY_MS, () => {
      url = ask()
      if (url === null) return
      asking.close()
      // Those that were unplugged meanwhile stay so.
      for (const carrier of carriers) if (!isOut(carrier)) begin(carrier, url)
    })
    repeats.push(asking)
  }
  const everyMs = settings.everyMs ?? EVERY_MS
  const speakers = carriers.flatMap((carrier) => carrier.speakers)
  repeats.push(repeat(Math.min(LOOK_MS, everyMs), () => speakers.forEach((speaker) => speaker.look())))
  // One after the other, as devices of different age would.
  let turn = 0
  if (speakers.length > 0) {
    repeats.push(
      repeat(everyMs / speakers.length, () => {
        speakers[turn % speakers.length]?.report()
        turn += 1
      }),
    )
  }
  return {
    publish: (device, cell) => byDevice.get(device)?.each.report(cell),
    paused(device) {
      const found = byDevice.get(device)
      if (found === undefined) return
      const { carrier, each } = found
      each.announce()
      if (!hasOwnConnection(carrier)) return
      // The plug is out: the broker finds the connection gone and tells the last will.
      if (device.paused) void end(carrier)
      else if (carrier.client === null && url !== null) begin(carrier, url)
    },
    close,
  }
}

/** Its connection is the device's own: with the one goes the other. */
function hasOwnConnection({ will, speakers }: Carrier): boolean {
  return will !== null && speakers.length === 1 && speakers[0]?.isCarried === false
}

function isOut(carrier: Carrier): boolean {
  return hasOwnConnection(carrier) && carrier.speakers[0]?.device.paused === true
}

function greet({ will, speakers, client, login }: Carrier): void {
  if (will !== null && login.permits(will.topic)) client?.publish(will.topic, will.online, { qos: 1, retain: true })
  for (const speaker of speakers) speaker.greet()
}

async function end(carrier: Carrier): Promise<void> {
  const { client } = carrier
  carrier.client = null
  // Without a word: an orderly farewell would keep the last will from being told.
  await client?.endAsync(true)
}

function carriersOf(
  devices: readonly SimulatedDevice[],
  settings: PublishSettings,
  parts: PublishParts,
): readonly Carrier[] {
  const publishing = devices.flatMap((device) => {
    const { link } = device.device
    if (link.kind !== 'topic') return []
    const firmware = firmwareOf(link.codec)
    return [{ device, firmware, base: link.topic, name: `${link.codec} ${firmware.carrier(link.topic)}` }]
  })
  const clientId = settings.clientId ?? `simulate_${process.pid}`
  return [...Map.groupBy(publishing, ({ name }) => name).values()].flatMap((group, at): Carrier[] => {
    const [first] = group
    if (first === undefined) return []
    const login = settings.login?.(group.map(({ base }) => base)) ?? everywhere(settings)
    const speakers = group.map(
      ({ device, firmware, base }) =>
        new Speaker({
          device,
          firmware,
          base,
          ...parts,
          send(topic, payload, retain) {
            const { client } = carrier
            if (client?.connected !== true || !login.permits(topic)) return false
            client.publish(topic, payload, { qos: 1, retain }, (error) => {
              // The connection broke before the answer: like a message lost in the air.
              if (error !== undefined && error !== null) device.lost += 1
            })
            return true
          },
        }),
    )
    const will = first.firmware.will(first.firmware.carrier(first.base))
    const carrier: Carrier = { will, speakers, login, clientId: `${clientId}_${at}`, client: null }
    return [carrier]
  })
}

function everywhere({ username, password }: PublishSettings): Login {
  return {
    permits: () => true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  }
}

function optionsOf({ clientId, login, will }: Carrier): Parameters<typeof connect>[1] {
  const { username, password, permits } = login
  return {
    // 3.1.1: our own broker speaks nothing newer.
    protocolVersion: 4,
    clientId,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(will === null || !permits(will.topic)
      ? {}
      : { will: { topic: will.topic, payload: Buffer.from(will.offline), qos: 1, retain: true } }),
    reconnectPeriod: RECONNECT_MS,
    reconnectOnConnackError: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    queueQoSZero: false,
  }
}

async function connected(client: MqttClient, url: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve())
      client.once('error', (error) => reject(error))
    })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Halt({
      kind: 'unreachable',
      text: {
        en: `the broker ${url} does not take the simulated devices: ${why}`,
        zh: `broker ${url} 不接受模拟设备：${why}`,
      },
      hint: null,
    })
  }
}
