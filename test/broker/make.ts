/** A broker as the gateway opens it, with a device or two, and clients that talk to it. */
import { type IClientOptions, type MqttClient, connectAsync } from 'mqtt'
import type { Point } from '../../src/model/point.ts'
import type { Arrival } from '../../src/model/sample.ts'
import type { BrokerSettings, Device, Secret } from '../../src/model/site.ts'
import { type Broker, openBroker } from '../../src/broker/broker.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { Scope } from '../../src/runtime/scope.ts'
import { payloadPoint } from '../protocols/make.ts'

export const secret = (text: string): Secret => ({ reveal: () => text })

export function topicDevice(index: number, topic: string, codec: string, points: readonly Point[]): Device {
  return {
    index,
    id: `device_${index}`,
    driver: 'environment/test',
    driverSha: '0'.repeat(16),
    category: 'environment',
    brick: null,
    model: { en: 'test', zh: 'test' },
    name: { en: 'test', zh: 'test' },
    place: {},
    tags: {},
    family: null,
    link: { kind: 'topic', topic, codec },
    params: {},
    points: points.map((point) => point.index),
  }
}

export const POINTS: readonly Point[] = [
  payloadPoint(0, 'temperature'),
  payloadPoint(1, 'contact', { type: 'bool' }),
  payloadPoint(2, 'flow'),
]
export const DEVICES: readonly Device[] = [
  topicDevice(0, 'zigbee2mqtt/lobby', 'zigbee2mqtt', POINTS.slice(0, 2)),
  topicDevice(1, 'plant/flow', 'json', POINTS.slice(2)),
]

export const CLIENTS: BrokerSettings['clients'] = [
  { id: 'zigbee', password: secret('honey'), publish: ['zigbee2mqtt/#'], subscribe: ['zigbee2mqtt/+/set'] },
  { id: 'plant', password: secret('clover'), publish: ['plant/#', 'free/#'], subscribe: ['free/#'] },
]

export const SETTINGS: BrokerSettings = {
  listen: [{ kind: 'mqtt', host: '127.0.0.1', port: 0 }],
  tls: null,
  connect: null,
  clients: CLIENTS,
}

export type Opened = Broker & {
  readonly arrivals: Arrival[]
  readonly url: string
  readonly scope: Scope
  /** Resolves with the first arrival, past or coming, that fits. */
  readonly arrival: (fits: (arrival: Arrival) => boolean) => Promise<Arrival>
}

export async function open(
  scope: Scope,
  settings: Partial<BrokerSettings> = {},
  options: { hold?: boolean; devices?: readonly Device[]; points?: readonly Point[]; clientId?: string } = {},
): Promise<Opened> {
  const arrivals: Arrival[] = []
  const waiting: { fits: (arrival: Arrival) => boolean; resolve: (arrival: Arrival) => void }[] = []
  const broker = await scope.open(
    openBroker({
      settings: { ...SETTINGS, ...settings },
      devices: options.devices ?? DEVICES,
      points: options.points ?? POINTS,
      post(arrival) {
        arrivals.push(arrival)
        for (const wait of waiting) if (wait.fits(arrival)) wait.resolve(arrival)
        if (arrival.kind === 'scan' && !options.hold) arrival.settled?.(null)
      },
      clock: { mono: () => performance.now() },
      log: SILENT,
      signal: scope.signal,
      ...(options.clientId === undefined ? {} : { clientId: options.clientId }),
    }),
  )
  const [first] = broker.status().listening
  return {
    ...broker,
    arrivals,
    scope,
    url: first === undefined ? '' : `${first.kind}://${first.host}:${first.port}`,
    arrival(fits) {
      const past = arrivals.find(fits)
      return past ? Promise.resolve(past) : new Promise((resolve) => waiting.push({ fits, resolve }))
    },
  }
}

export async function client(scope: Scope, url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const opened = await connectAsync(url, {
    protocolVersion: 4,
    reconnectPeriod: 0,
    username: 'zigbee',
    password: 'honey',
    ...options,
  })
  opened.on('error', () => undefined)
  scope.defer(async () => {
    await opened.endAsync(true)
  })
  return opened
}

export const isScan = (arrival: Arrival): boolean => arrival.kind === 'scan'

export function closeOf(opened: MqttClient): Promise<void> {
  return new Promise((resolve) => opened.once('close', () => resolve()))
}

/** The next message as [topic, text]. */
export function messageOf(opened: MqttClient): Promise<[string, string]> {
  return new Promise((resolve) => opened.once('message', (topic, payload) => resolve([topic, payload.toString()])))
}
