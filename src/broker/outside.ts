/**
 * A broker that stands on site already, used as a client. Same promise as our own: the PUBACK is sent when the samples are
 * durable (`handleMessage` holds it); when they cannot be, the connection is dropped and the broker sends them again.
 * The session is kept by that broker, so what is published while we are away arrives afterwards.
 */
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import type { Fault } from '../model/fault.ts'
import type { BrokerSettings } from '../model/site.ts'
import { createBackoff } from '../runtime/backoff.ts'
import type { Log } from '../runtime/log.ts'
import { sleep } from '../runtime/timer.ts'
import type { Ingest } from './ingest.ts'
import type { Refuse } from './refusals.ts'

const CONNECT_MS_MAX = 10_000
const KEEPALIVE_S = 30
const BACKOFF = { baseMs: 1000, maxMs: 60_000, floor: 0.2 }

export type Outside = {
  readonly connected: () => boolean
  /** A fault when the line is down: nothing is queued. */
  readonly publish: (topic: string, payload: string | Uint8Array) => Promise<Fault | null>
  readonly close: () => Promise<void>
}

export function openOutside(options: {
  connect: NonNullable<BrokerSettings['connect']>
  tls: BrokerSettings['tls']
  clientId: string
  ingest: Ingest
  log: Log
  refuse: Refuse
  onMessage: () => void
  backoff?: { baseMs: number; maxMs: number }
}): Outside {
  const { ingest, log } = options
  const { server, username, password } = options.connect
  const stop = new AbortController()
  const backoff = createBackoff(options.backoff ?? BACKOFF)
  let current: MqttClient | null = null

  const settings: IClientOptions = {
    clientId: options.clientId,
    clean: false,
    protocolVersion: 4,
    keepalive: KEEPALIVE_S,
    connectTimeout: CONNECT_MS_MAX,
    // Reconnecting is done here, with back-off; the library would do it for ever at one pace.
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    writeCache: false,
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password: password.reveal() }),
    ...(options.tls?.ca ? { ca: options.tls.ca } : {}),
  }

  function receive(client: MqttClient): void {
    client.handleMessage = (packet, done) => {
      options.onMessage()
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
      const message = {
        topic: packet.topic,
        payload,
        retained: packet.retain,
        qos: packet.qos,
        from: 'outside',
      } as const
      ingest.accept(message, (error) => {
        if (error === null) {
          backoff.reset()
          return done()
        }
        options.refuse('not_durable', packet.topic)
        // Without an answer and without a connection, the broker will send it again.
        client.end(true)
      })
    }
  }

  /** One connection, from the attempt to its end. */
  async function live(): Promise<void> {
    const client = connect(server, settings)
    current = client
    receive(client)
    let cause: Error | null = null
    let wasUp = false
    client.on('error', (error) => {
      cause = error
      // After a refused login the library would sit on the open connection for ever.
      client.end(true)
    })
    // Logging in proves little while the store refuses: only what was taken, or a quiet half minute, ends the back-off.
    client.on('packetreceive', (packet) => {
      if (packet.cmd === 'pingresp') backoff.reset()
    })
    client.on('connect', () => {
      wasUp = true
      log.info({ broker: server }, 'broker connected')
      ingest.carrier('online')
      client.subscribe([...ingest.topics], { qos: 1 }, (error) => {
        if (error && client.connected) options.refuse('subscription', `${server} ${error.message}`)
      })
    })
    const abort = (): void => void client.end(true)
    stop.signal.addEventListener('abort', abort, { once: true })
    await new Promise<void>((resolve) => client.once('close', () => resolve()))
    stop.signal.removeEventListener('abort', abort)
    await client.endAsync(true)
    current = null
    ingest.carrier('offline')
    if (wasUp && !stop.signal.aborted) log.warn({ broker: server, cause: messageOf(cause) }, 'broker lost')
    else if (cause !== null) options.refuse('connect', `${server} ${messageOf(cause)}`)
  }

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      await live()
      if (!stop.signal.aborted) await sleep(backoff.next(), stop.signal)
    }
  }
  const running = run()

  return {
    connected: () => current?.connected ?? false,
    async publish(topic, payload) {
      if (current === null || !current.connected) return { kind: 'closed' }
      try {
        await current.publishAsync(topic, Buffer.from(payload), { qos: 1 })
        return null
      } catch (error) {
        options.refuse('publish', `${topic} ${messageOf(error)}`)
        return { kind: 'closed' }
      }
    },
    async close() {
      stop.abort()
      await running
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : ''
}
