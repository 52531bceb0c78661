/**
 * The broker of our own: aedes with a door in front. A QoS 1 publish of a device is answered only after its samples are durable:
 * aedes asks `authorizePublish` before it writes the PUBACK and waits for the answer; an error closes the client without one, so
 * that it sends again. (aedes does not promise that order, so a test does.)
 */
import type { Duplex } from 'node:stream'
import { Aedes, type Client, type ConnectPacket, type PublishPacket, type Subscription } from 'aedes'
import type { Fault } from '../model/fault.ts'
import type { BrokerSettings } from '../model/site.ts'
import { type Access, createAccess, type Login, type Origin } from './access.ts'
import { createGuard, LOGIN_MS_MAX } from './guard.ts'
import type { Ingest } from './ingest.ts'
import { type Listening, openListener } from './listen.ts'
import type { Refuse } from './refusals.ts'
import { createRetained } from './retained.ts'
import { levelsOf, matches } from './topic.ts'

const DRAIN_MS_MAX = 5000
const TOPIC_LEVELS_MAX = 8
const SUBSCRIPTIONS_MAX = 256
const QOS2_OPEN_MAX = 20
const CLIENT_ID_LENGTH_MAX = 128
/** Retained topics that a bridge may keep per device of this site. */
const RETAINED_PER_DEVICE = 4

/** Reason codes of a CONNACK (MQTT 3.1.1, 3.2.2.3). */
const IDENTIFIER_REJECTED = 2
const SERVER_UNAVAILABLE = 3
const BAD_LOGIN = 4
const NOT_AUTHORIZED = 5

export type Embedded = {
  readonly listening: readonly Listening[]
  readonly clients: () => number
  readonly publish: (topic: string, payload: string | Uint8Array) => Promise<Fault | null>
  readonly close: () => Promise<void>
}

type Session = { readonly login: Login; readonly subscriptions: Set<string> }

export async function openEmbedded(options: {
  settings: BrokerSettings
  ingest: Ingest
  mono: () => number
  refuse: Refuse
  onMessage: () => void
}): Promise<Embedded> {
  const { settings, ingest, refuse } = options
  const access = createAccess(settings.clients, options.mono)
  const guard = createGuard(refuse)
  const origins = new WeakMap<object, Origin>()
  const sessions = new WeakMap<Client, Session>()
  /** Who holds a client id: another user may not take it over. */
  const holders = new Map<string, { client: Client; name: string }>()
  const retained = createRetained(
    (name) => RETAINED_PER_DEVICE * ingest.topics.filter((topic) => mayPublish(settings, name, topic)).length,
  )
  let closing = false

  function connecting(_client: Client, packet: ConnectPacket, done: (error: Error | null, ok: boolean) => void): void {
    if (packet.protocolVersion === 5) refuse('mqtt_5', packet.clientId)
    // What is kept for absent subscribers would be kept in memory without end.
    packet.clean = true
    done(null, !closing)
  }

  function authenticate(client: Client, name: string | undefined, password: Uint8Array | undefined): Session | Refused {
    const origin = origins.get(client.conn)
    if (origin === undefined) return new Refused('unknown connection', SERVER_UNAVAILABLE)
    const login = loginTo(access, name, password, origin, refuse)
    if (login instanceof Refused) return login
    const holder = holders.get(client.id)
    if (client.id.length > CLIENT_ID_LENGTH_MAX || (holder !== undefined && holder.name !== login.name)) {
      refuse('client_id', login.name)
      return new Refused('client id is taken or too long', IDENTIFIER_REJECTED)
    }
    return { login, subscriptions: new Set() }
  }

  function authorizePublish(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const login = client === null ? undefined : sessions.get(client)?.login
    if (closing || login === undefined) return done(new Error('the broker is closing'))
    if (!login.mayPublish(packet.topic)) {
      refuse('publish_not_allowed', `${login.name} ${packet.topic}`)
      return done(new Error(`${login.name} may not publish on ${packet.topic}`))
    }
    options.onMessage()
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    if (packet.retain && !retained.admit(login.name, packet.topic, payload.length)) {
      refuse('retained_too_many', `${login.name} ${packet.topic}`)
      packet.retain = false
    }
    // `retain` of a publisher asks us to keep it; the message itself is of now.
    ingest.accept({ topic: packet.topic, payload, retained: false, qos: packet.qos, from: 'embedded' }, done)
  }

  function authorizeSubscribe(client: Client, wanted: Subscription): Subscription | null {
    const session = sessions.get(client)
    if (session === undefined) return null
    if (!session.login.maySubscribe(wanted.topic)) {
      refuse('subscribe_not_allowed', `${session.login.name} ${wanted.topic}`)
      return null
    }
    if (session.subscriptions.size >= SUBSCRIPTIONS_MAX && !session.subscriptions.has(wanted.topic)) {
      refuse('subscriptions_too_many', session.login.name)
      return null
    }
    session.subscriptions.add(wanted.topic)
    return wanted
  }

  const aedes = await Aedes.createBroker({
    connectTimeout: LOGIN_MS_MAX,
    drainTimeout: DRAIN_MS_MAX,
    maxInflightInbound: QOS2_OPEN_MAX,
    maxTopicLevels: Math.max(TOPIC_LEVELS_MAX, ...ingest.topics.map(levelsOf)),
    preConnect: connecting,
    authenticate(client, name, password, done) {
      const session = authenticate(client, name, password)
      if (session instanceof Refused) return done(session, null)
      sessions.set(client, session)
      return done(null, true)
    },
    authorizePublish,
    authorizeSubscribe: (client, wanted, done) => done(null, authorizeSubscribe(client, wanted)),
  })

  aedes.on('clientReady', (client) => {
    const name = sessions.get(client)?.login.name
    if (name !== undefined) holders.set(client.id, { client, name })
    guard.loggedIn(client.conn)
  })
  aedes.on('clientDisconnect', (client) => {
    if (holders.get(client.id)?.client === client) holders.delete(client.id)
  })
  aedes.on('unsubscribe', (topics, client) => {
    for (const topic of topics) sessions.get(client)?.subscriptions.delete(topic)
  })
  // Broken packets, keep-alive, resets: the client is closed by then. Refused logins are counted where they are refused.
  const broken = (client: Client, error: Error): void => {
    if (!(error instanceof Refused)) refuse('connection_error', `${client.id ?? ''} ${error.message}`)
  }
  aedes.addListener('error', (error: Error) => refuse('broker_error', error.message))
  aedes.on('clientError', broken)
  aedes.on('connectionError', broken)

  function take(stream: Duplex, origin: Origin): void {
    origins.set(stream, origin)
    // Until aedes listens, and after it stopped, an error of the stream is nobody's.
    stream.on('error', () => stream.destroy())
    guard.admit(stream, origin.address, () => {
      aedes.handle(stream)
      guard.watch(stream)
    })
  }

  const listening: Listening[] = []
  async function close(): Promise<void> {
    closing = true
    await Promise.all(listening.map((listener) => listener.close()))
    await new Promise<void>((resolve) => aedes.close(resolve))
  }
  try {
    for (const listener of settings.listen) {
      const failed = (error: Error): void => refuse('listener_error', `${listener.kind} ${error.message}`)
      listening.push(await openListener(listener, settings.tls, take, failed))
    }
  } catch (error) {
    await close()
    throw error
  }

  return {
    listening,
    clients: () => aedes.connectedClients,
    publish: (topic, payload) =>
      new Promise((resolve) => {
        const packet = {
          cmd: 'publish',
          topic,
          payload: Buffer.from(payload),
          qos: 1,
          retain: false,
          dup: false,
        } as const
        aedes.publish(packet, (error) => resolve(error ? { kind: 'closed' } : null))
      }),
    close,
  }
}

/** A login that aedes answers with this reason code. */
class Refused extends Error {
  readonly returnCode: 2 | 3 | 4 | 5

  constructor(message: string, returnCode: 2 | 3 | 4 | 5) {
    super(message)
    this.returnCode = returnCode
  }
}

function loginTo(
  access: Access,
  name: string | undefined,
  password: Uint8Array | undefined,
  origin: Origin,
  refuse: Refuse,
): Login | Refused {
  const login = access.login(name, password, origin)
  if (!('refused' in login)) return login
  refuse(login.refused, `${name ?? ''} ${origin.address}`)
  const codes = { anonymous: NOT_AUTHORIZED, password: BAD_LOGIN, too_many_tries: SERVER_UNAVAILABLE } as const
  return new Refused(login.refused, codes[login.refused])
}

function mayPublish(settings: BrokerSettings, name: string, topic: string): boolean {
  const filters = settings.clients.find((client) => client.id === name)?.publish ?? ['#']
  return filters.some((filter) => matches(filter, topic))
}
