/** Devices that publish: their values as the JSON that zigbee2mqtt would send, over a real MQTT connection. */
import { connect, type MqttClient } from 'mqtt'
import type { Value } from '../model/point.ts'
import { untreat } from '../protocols/treatment.ts'
import { type Repeat, repeat } from '../runtime/timer.ts'
import type { SimulatedDevice } from './devices.ts'

export type PublishSettings = {
  /**
   * `mqtt://127.0.0.1:1883`: opening waits for it and fails without it. A function: not known yet, or not there yet; it is asked
   * until it gives one, and devices begin to speak when they are taken.
   */
  readonly url: string | (() => string | null)
  readonly clientId?: string
  readonly username?: string
  readonly password?: string
  /** Default 10 s: denser than any battery allows, so that a demo has something to show. */
  readonly everyMs?: number
}

export type Publisher = {
  /** Now, out of turn: something changed. */
  readonly publish: (device: SimulatedDevice) => void
  readonly close: () => Promise<void>
}

const EVERY_MS = 10_000
const CONNECT_TIMEOUT_MS = 10_000
const RECONNECT_MS = 1000
const URL_EVERY_MS = 100

/** A lost connection is made again by itself; what was missed meanwhile stays missed, as with a radio. */
export async function openPublisher(
  devices: readonly SimulatedDevice[],
  settings: PublishSettings,
  told: (device: SimulatedDevice) => void,
): Promise<Publisher> {
  let client: MqttClient | null = null
  const publish = (device: SimulatedDevice): void => {
    const { link } = device.device
    if (link.kind !== 'topic' || device.paused || client?.connected !== true) return
    const payload = payloadOf(device)
    told(device)
    client.publish(link.topic, payload, { qos: 1 }, (error) => {
      // The connection broke before the answer: like a message lost in the air.
      if (error !== undefined && error !== null) device.lost += 1
    })
  }
  const begin = (url: string): MqttClient => {
    client = connect(url, optionsOf(settings))
    client.on('connect', () => {
      for (const device of devices) publish(device)
    })
    // The library tries again by itself; without a listener the error would be thrown.
    client.on('error', () => undefined)
    return client
  }

  const repeats: Repeat[] = []
  if (typeof settings.url === 'string') await connected(begin(settings.url), settings.url)
  else {
    const ask = settings.url
    const asking = repeat(URL_EVERY_MS, () => {
      const url = ask()
      if (url === null) return
      asking.close()
      begin(url)
    })
    repeats.push(asking)
  }
  // One after the other, as devices of different age would.
  const everyMs = settings.everyMs ?? EVERY_MS
  const starts = devices.map((device, n) =>
    setTimeout(() => repeats.push(repeat(everyMs, () => publish(device))), (everyMs * (n + 1)) / (devices.length + 1)),
  )
  return {
    publish,
    async close() {
      for (const start of starts) clearTimeout(start)
      for (const each of repeats) each.close()
      await client?.endAsync(true)
    },
  }
}

function optionsOf({ clientId, username, password }: PublishSettings): Parameters<typeof connect>[1] {
  return {
    // 3.1.1: our own broker speaks nothing newer.
    protocolVersion: 4,
    clientId: clientId ?? `simulate_${process.pid}`,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
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
    await client.endAsync(true)
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`the broker ${url} does not take the simulated devices: ${why}`, { cause: error })
  }
}

type Json = { [key: string]: Json | Value }

/** Every field of the device; a path `a.b` becomes an object in an object. */
export function payloadOf(device: SimulatedDevice): string {
  const root: Json = {}
  for (const cell of device.cells) {
    const { source } = cell.point
    if (source.from !== 'field' || source.place.protocol !== 'payload') continue
    const raw = untreat(source.treatment, shown(device.value(cell)))
    if (typeof raw === 'object') throw new RangeError(raw.why)
    const value = typeof raw === 'bigint' ? raw.toString() : raw
    if (source.place.path === '$') return JSON.stringify(value)
    put(root, source.place.path.split('.'), value)
  }
  return JSON.stringify(root)
}

function put(root: Json, path: readonly string[], value: Value): void {
  let at = root
  for (const step of path.slice(0, -1)) {
    const next = at[step]
    const inner: Json = typeof next === 'object' ? next : {}
    at[step] = inner
    at = inner
  }
  const last = path.at(-1)
  if (last !== undefined) at[last] = value
}

/** Radio sensors send two digits behind the point. */
function shown(value: Value): Value {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}
