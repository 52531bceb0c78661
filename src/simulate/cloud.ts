/**
 * A cloud to stand in for the real one: an MQTT broker (3.1.1) on a real socket that can be cut and restored, and behind it a consumer that
 * checks every message against the contract, keeps the ledger, and only then lets the broker acknowledge.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import type { Log } from '../runtime/log.ts'
import { createLedger, type Judgement, type Ledger, type LedgerReport } from './ledger.ts'
import { ContractBreach, numberOf, parseBatch, parseHeartbeat, parsePayload, type ReceivedBatch } from './receive.ts'

type Json = Readonly<Record<string, unknown>>

export type CloudMessage =
  | {
      readonly kind: 'batch'
      /** The topic's last level: t, b, a or e. */
      readonly level: string
      readonly batch: ReceivedBatch
      readonly judgement: Judgement
      /** Now less the newest entry's time. */
      readonly ageMs: number
    }
  | { readonly kind: 'state'; readonly gateway: string; readonly document: Json }
  | { readonly kind: 'heartbeat'; readonly gateway: string; readonly document: Json }
  | { readonly kind: 'breach'; readonly topic: string; readonly why: string }

export type CloudReport = LedgerReport & {
  /** Messages that break the contract, and the first of them. */
  readonly breaches: number
  readonly breachTexts: readonly string[]
  readonly heartbeats: number
  readonly connections: number
  /** Age of the newest entry of the live telemetry batch that came last. */
  readonly newestAgeMs: number | null
  readonly byLevel: Readonly<Record<string, number>>
}

export type Cloud = {
  readonly port: number
  readonly ledger: Ledger
  /** Occurrences by id with the highest revision that came, as in the contract, section 6. */
  readonly alarms: () => readonly Json[]
  /** Last state message per gateway. */
  readonly state: (gateway: string) => Json | null
  readonly isUp: () => boolean
  /** The line is cut: every connection closes, new ones are refused. */
  readonly stop: () => Promise<void>
  /** The line is back, on the same port. */
  readonly start: () => Promise<void>
  readonly report: () => CloudReport
  readonly close: () => Promise<void>
}

const BREACH_TEXTS_MAX = 20
/** Alarm occurrences remembered; the oldest goes first. */
const ALARMS_MAX = 10_000

/** With `port` 0 a free one is taken; it stays the same over cuts. */
export async function openCloud(options: {
  port: number
  host?: string
  log: Log
  onMessage?: (message: CloudMessage) => void
}): Promise<Cloud> {
  const host = options.host ?? '127.0.0.1'
  const ledger = createLedger()
  const alarms = new Map<string, Json>()
  const states = new Map<string, Json>()
  const byLevel: Record<string, number> = {}
  const breachTexts: string[] = []
  let breaches = 0
  let heartbeats = 0
  let connections = 0
  let newestAgeMs: number | null = null
  const sockets = new Set<Socket>()

  function tell(message: CloudMessage): void {
    options.onMessage?.(message)
  }

  function takeAlarm(gateway: string, transition: Json): void {
    const key = `${gateway} ${String(transition['id'])}`
    const known = alarms.get(key)
    if (known !== undefined && numberOf(known['rv'], 'rv') > numberOf(transition['rv'], 'rv')) return
    alarms.delete(key)
    alarms.set(key, { gateway, ...transition })
    const [oldest] = alarms.keys()
    if (alarms.size > ALARMS_MAX && oldest !== undefined) alarms.delete(oldest)
  }

  function takeDrop(batch: ReceivedBatch, event: Json): void {
    if (event['ty'] !== 'drop') return
    const body = event['body'] as Json
    const lane = body['ln']
    if (lane !== 't' && lane !== 'a' && lane !== 'e') throw new ContractBreach('a drop names no lane')
    const bound = (value: unknown, what: string): number | null => (value === null ? null : numberOf(value, what))
    ledger.drop(
      { gateway: batch.gateway, epoch: batch.epoch, lane },
      { from: bound(body['from'], 'from'), to: bound(body['to'], 'to'), samples: numberOf(body['n'], 'n') },
    )
  }

  function takeBatch(gateway: string, level: string, payload: Uint8Array): void {
    const batch = parseBatch(level, payload)
    if (batch.gateway !== gateway) throw new ContractBreach(`gw ${batch.gateway} on the topic of ${gateway}`)
    const judgement = ledger.receive(batch)
    if (judgement === 'conflict') throw new ContractBreach(`${batch.lane} ${batch.number} came before with another id`)
    if (judgement === 'new') {
      for (const entry of batch.entries) {
        if (batch.lane === 'a') takeAlarm(gateway, entry)
        if (batch.lane === 'e') takeDrop(batch, entry)
      }
    }
    const ageMs = Date.now() - batch.newestAt
    if (level === 't') newestAgeMs = ageMs
    tell({ kind: 'batch', level, batch, judgement, ageMs })
  }

  function takeHeartbeat(gateway: string, payload: Uint8Array): void {
    const heartbeat = parseHeartbeat(payload)
    for (const lane of ['t', 'a', 'e'] as const) {
      const { epoch, ack } = heartbeat.lanes[lane]
      ledger.heard({ gateway, epoch, lane }, ack)
    }
    heartbeats += 1
    tell({ kind: 'heartbeat', gateway, document: parsePayload(payload).document })
  }

  function take(topic: string, payload: Uint8Array): void {
    const [root, version, , gateway, level] = topic.split('/')
    if (root !== 'gh' || version !== 'v1' || gateway === undefined || level === undefined) return
    byLevel[level] = (byLevel[level] ?? 0) + 1
    if (level === 'h') takeHeartbeat(gateway, payload)
    else if (level === 's') {
      const { document } = parsePayload(payload)
      states.set(gateway, document)
      tell({ kind: 'state', gateway, document })
    } else if ('tbae'.includes(level)) takeBatch(gateway, level, payload)
  }

  function receive(topic: string, payload: Uint8Array): void {
    try {
      take(topic, payload)
    } catch (error) {
      if (!(error instanceof ContractBreach)) throw error
      breaches += 1
      if (breachTexts.length < BREACH_TEXTS_MAX) breachTexts.push(`${topic}: ${error.message}`)
      options.log.warn({ topic, why: error.message }, 'message breaks the contract')
      tell({ kind: 'breach', topic, why: error.message })
    }
  }

  const broker = await Aedes.createBroker({
    id: 'cloud',
    drainTimeout: 5_000,
    authorizePublish(_client, packet, callback) {
      // Received, checked and entered before the broker may acknowledge. A breach is acknowledged as well: it is counted, not asked for again.
      receive(packet.topic, Buffer.from(packet.payload))
      callback(null)
    },
  })
  broker.on('clientReady', () => {
    connections += 1
  })
  broker.on('clientError', (client, error) =>
    options.log.debug({ client: client.id, cause: error.message }, 'client error'),
  )
  broker.on('connectionError', (_client, error) => options.log.debug({ cause: error.message }, 'connection error'))

  let server: Server | null = null
  let port = options.port

  async function start(): Promise<void> {
    if (server !== null) return
    const opening = createServer((socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      broker.handle(socket)
    })
    await new Promise<void>((resolve, reject) => {
      opening.once('error', reject)
      opening.listen(port, host, resolve)
    })
    const address = opening.address()
    if (address !== null && typeof address === 'object') port = address.port
    server = opening
  }

  async function stop(): Promise<void> {
    const closing = server
    server = null
    if (closing === null) return
    const closed = new Promise<void>((resolve) => {
      closing.close(() => resolve())
    })
    for (const socket of sockets) socket.destroy()
    await closed
  }

  await start()
  return {
    port,
    ledger,
    alarms: () => [...alarms.values()],
    state: (gateway) => states.get(gateway) ?? null,
    isUp: () => server !== null,
    start,
    stop,
    report: () => ({
      ...ledger.report(),
      breaches,
      breachTexts,
      heartbeats,
      connections,
      newestAgeMs,
      byLevel: { ...byLevel },
    }),
    async close() {
      await stop()
      await new Promise<void>((resolve) => {
        broker.close(() => resolve())
      })
    },
  }
}
