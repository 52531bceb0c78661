/**
 * One MQTT connection, from CONNECT to its end, over a socket of our own. The mqtt library frames, keeps alive and counts packet ids;
 * it queues nothing, resends nothing and never reconnects: a fresh client serves every attempt.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type IClientOptions, MqttClient } from 'mqtt'
import type { UplinkSettings } from '../model/site.ts'
import type { Endpoint, MqttVersion } from './endpoint.ts'

export type LinkFailure = {
  /** `network`: no connection, so it says nothing about MQTT. `handshake`: the server has our CONNECT. */
  readonly stage: 'network' | 'handshake'
  /** Reason or return code of the CONNACK; null: there was none. */
  readonly code: number | null
  readonly text: string
}

export type LinkEnd = {
  /** `peer`: it hung up; `line`: the connection broke or went silent; `us`. */
  readonly by: 'peer' | 'line' | 'us'
  /** Reason code of the server's DISCONNECT (MQTT 5). */
  readonly code: number | null
  readonly text: string
}

export type Link = {
  readonly version: MqttVersion
  /** How many QoS 1 messages the server takes at once. */
  readonly receiveMax: number
  /** QoS 1. `answered` gets the PUBACK's reason code; it is never called when the connection ends first. */
  readonly publish: (
    topic: string,
    payload: Uint8Array,
    options: PublishOptions,
    answered: (code: number) => void,
  ) => void
  /** QoS 0: may be lost. */
  readonly tell: (topic: string, payload: Uint8Array) => void
  readonly ended: Promise<LinkEnd>
  /** Break it off now. The server publishes our will. */
  readonly drop: (why: string) => void
  /** DISCONNECT, then close: no will. */
  readonly leave: () => Promise<void>
}

export type PublishOptions = { readonly retain: boolean; readonly contentType: string | null }

export type LinkOptions = {
  readonly endpoint: Endpoint
  readonly version: MqttVersion
  readonly settings: Pick<UplinkSettings, 'username' | 'password' | 'tls' | 'keepaliveS'>
  readonly clientId: string
  readonly will: { readonly topic: string; readonly payload: Uint8Array }
  readonly connectMs: number
  readonly leaveMs: number
  readonly signal: AbortSignal
}

export type LinkOpening =
  | { readonly ok: true; readonly link: Link }
  | { readonly ok: false; readonly failure: LinkFailure }

/** Receive maximum that we grant; what comes down is little. */
const RECEIVE_MAX = 32
const RECEIVE_MAX_DEFAULT = 65_535

function openSocket({ host, port, tls }: Endpoint, settings: LinkOptions['settings']): Socket {
  if (!tls) return connectTcp({ host, port, noDelay: true })
  const secure = settings.tls
  return connectTls({
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(secure?.ca ? { ca: secure.ca } : {}),
    ...(secure?.cert ? { cert: secure.cert } : {}),
    ...(secure?.key ? { key: secure.key.reveal() } : {}),
    minVersion: 'TLSv1.2',
    // Said aloud: an environment variable must not be able to switch the verification off.
    rejectUnauthorized: true,
  }).setNoDelay(true)
}

function clientOptions(options: LinkOptions): IClientOptions {
  const { settings, version, will } = options
  return {
    clientId: options.clientId,
    protocolId: 'MQTT',
    protocolVersion: version,
    clean: true,
    keepalive: settings.keepaliveS,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // A table of all 16-bit numbers as buffers: 8 MB for a saving that nobody can measure.
    writeCache: false,
    connectTimeout: options.connectMs,
    ...(settings.username === null ? {} : { username: settings.username }),
    ...(settings.password === null ? {} : { password: settings.password.reveal() }),
    will: { topic: will.topic, payload: view(will.payload), qos: 1, retain: true },
    ...(version === 5
      ? {
          properties: {
            sessionExpiryInterval: 0,
            receiveMaximum: RECEIVE_MAX,
            topicAliasMaximum: 0,
            requestProblemInformation: true,
          },
        }
      : {}),
  }
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function textOf(error: Error): string {
  const code = 'code' in error ? error.code : null
  return typeof code === 'string' && !error.message.includes(code) ? `${code}: ${error.message}` : error.message
}

/** Resolves with a live connection or with the reason why there is none. Never rejects. */
export function openLink(options: LinkOptions): Promise<LinkOpening> {
  const socket = openSocket(options.endpoint, options.settings)
  const client = new MqttClient(() => socket, clientOptions(options))
  const answers = new Map<number, (code: number) => void>()
  const { promise: ended, resolve: resolveEnd } = Promise.withResolvers<LinkEnd>()

  let reached = false
  let by: LinkEnd['by'] = 'line'
  let code: number | null = null
  let text: string | null = null
  const say = (words: string): void => {
    text ??= words
  }
  const drop = (why: string): void => {
    by = 'us'
    say(why)
    socket.destroy()
  }

  socket.once(options.endpoint.tls ? 'secureConnect' : 'connect', () => {
    reached = true
  })
  socket.once('end', () => {
    if (by === 'line') by = 'peer'
    say('the server closed the connection')
  })
  client.on('error', (error) => {
    const named: unknown = 'code' in error ? error.code : null
    if (typeof named === 'number') code ??= named
    if (named === 'ECONNRESET' && by === 'line') by = 'peer'
    say(textOf(error))
    // After an error (garbage, a refusal, silence) there is nothing to be had from this connection.
    socket.destroy()
  })
  client.on('disconnect', (packet) => {
    by = 'peer'
    code = packet.reasonCode ?? 0
    say(`the server disconnected with code 0x${code.toString(16).padStart(2, '0')}`)
  })
  client.on('packetreceive', (packet) => {
    if (packet.cmd !== 'puback' || packet.messageId === undefined) return
    const answered = answers.get(packet.messageId)
    answers.delete(packet.messageId)
    answered?.(packet.reasonCode ?? 0)
  })

  const link = (receiveMax: number): Link => ({
    version: options.version,
    receiveMax,
    publish(topic, payload, { retain, contentType }, answered) {
      if (!client.connected) return
      const properties = contentType === null ? {} : { properties: { contentType } }
      // The answer is taken from the PUBACK itself: the library's callback hides code 0x10.
      client.publish(topic, view(payload), { qos: 1, retain, ...properties }, () => undefined)
      answers.set(client.getLastMessageId(), answered)
    },
    tell(topic, payload) {
      if (client.connected) client.publish(topic, view(payload), { qos: 0 }, () => undefined)
    },
    ended,
    drop,
    async leave() {
      by = 'us'
      say('stopped')
      const timer = setTimeout(() => socket.destroy(), options.leaveMs)
      // The library would hold the DISCONNECT back until all is acknowledged; what is not will be sent again from the outbox.
      for (const id of answers.keys()) client.removeOutgoingMessage(id)
      client.end(false, {}, () => undefined)
      await ended
      clearTimeout(timer)
    },
  })

  return new Promise((resolve) => {
    const abort = (): void => drop('stopped')
    options.signal.addEventListener('abort', abort, { once: true })
    client.once('connect', (connack) => {
      options.signal.removeEventListener('abort', abort)
      resolve({ ok: true, link: link(connack.properties?.receiveMaximum ?? RECEIVE_MAX_DEFAULT) })
    })
    client.once('close', () => {
      options.signal.removeEventListener('abort', abort)
      answers.clear()
      const words = text ?? 'the connection broke'
      const stage = reached ? 'handshake' : 'network'
      // Both, and only one of them is listened to: before CONNACK the caller has no link to wait on.
      resolve({ ok: false, failure: { stage, code, text: words } })
      resolveEnd({ by, code, text: words })
    })
    if (options.signal.aborted) abort()
  })
}
