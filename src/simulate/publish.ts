/** Devices that publish: their values as the JSON that zigbee2mqtt would send, over a real MQTT connection. */
import { connectAsync, type MqttClient } from 'mqtt'
import type { Value } from '../model/point.ts'
import { type Repeat, repeat } from '../runtime/timer.ts'
import { untreat } from '../protocols/treatment.ts'
import type { SimulatedDevice } from './devices.ts'

export type PublishSettings = {
  /** `mqtt://127.0.0.1:1883` */
  readonly url: string
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

/** Rejects when the broker does not take us. Afterwards a lost connection is made again by itself, and what was missed stays missed. */
export async function openPublisher(
  devices: readonly SimulatedDevice[],
  settings: PublishSettings,
  told: (device: SimulatedDevice) => void,
): Promise<Publisher> {
  // 3.1.1: our own broker speaks nothing newer.
  const client: MqttClient = await connectAsync(settings.url, {
    protocolVersion: 4,
    clientId: settings.clientId ?? `simulate_${process.pid}`,
    ...(settings.username === undefined ? {} : { username: settings.username }),
    ...(settings.password === undefined ? {} : { password: settings.password }),
    reconnectPeriod: 1000,
    connectTimeout: CONNECT_TIMEOUT_MS,
    queueQoSZero: false,
  })
  // Without a listener a refused reconnect would be thrown; the library tries again by itself.
  client.on('error', () => undefined)

  const publish = (device: SimulatedDevice): void => {
    const { link } = device.device
    if (link.kind !== 'topic' || device.paused || !client.connected) return
    const payload = payloadOf(device)
    told(device)
    client.publish(link.topic, payload, { qos: 1 }, (error) => {
      // The connection broke before the answer: like a message lost in the air.
      if (error !== undefined && error !== null) device.lost += 1
    })
  }
  const everyMs = settings.everyMs ?? EVERY_MS
  for (const device of devices) publish(device)
  // One after the other, as devices of different age would.
  const shares = devices.map((device, n) => ({ device, afterMs: (everyMs * (n + 1)) / (devices.length + 1) }))
  const repeats: Repeat[] = []
  const starts = shares.map(({ device, afterMs }) =>
    setTimeout(() => repeats.push(repeat(everyMs, () => publish(device))), afterMs),
  )
  return {
    publish,
    async close() {
      for (const start of starts) clearTimeout(start)
      for (const each of repeats) each.close()
      await client.endAsync(true)
    },
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
export function shown(value: Value): Value {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value
}
