/**
 * Devices that publish: on a broker of our own, on one that stands on site, or both. What they say goes to the spine as arrivals;
 * what they are answered waits for the disk.
 */
import type { Fault } from '../model/fault.ts'
import type { Point } from '../model/point.ts'
import type { Arrival } from '../model/sample.ts'
import type { BrokerListener, BrokerSettings, Device } from '../model/site.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { createIngest } from './ingest.ts'
import { openOutside } from './outside.ts'
import { createRefusals } from './refusals.ts'

export type BrokerStatus = {
  /** Clients on our own listeners. */
  readonly clients: number
  /** Messages received since the start. */
  readonly messages: number
  /** What was refused since the start, by name. */
  readonly refusals: Readonly<Record<string, number>>
  readonly listening: readonly { readonly kind: BrokerListener['kind']; readonly host: string; readonly port: number }[]
  /** The broker on site; null: none is configured. */
  readonly connected: boolean | null
}

export type Broker = {
  readonly status: () => BrokerStatus
  /** To a device. A fault when it did not reach a broker; never queued. */
  readonly publish: (topic: string, payload: string | Uint8Array) => Promise<Fault | null>
  readonly close: () => Promise<void>
}

/** Opened means listening; the broker on site may be away. Throws when a listener cannot be opened or a device's codec is unknown. */
export async function openBroker(options: {
  settings: BrokerSettings
  devices: readonly Device[]
  /** `Site.points` */
  points: readonly Point[]
  post: (arrival: Arrival) => void
  clock: Pick<Clock, 'mono'>
  log: Log
  /** When it aborts, the broker closes as by `close`. */
  signal: AbortSignal
  /** For the broker on site; it keeps a session under this name. */
  clientId?: string
}): Promise<Broker> {
  const { settings, log, clock } = options
  const refusals = createRefusals(log)
  let messages = 0
  const onMessage = (): void => {
    messages += 1
  }
  const ingest = createIngest({ ...options, mono: clock.mono, refuse: refusals.refuse })
  const common = { ingest, refuse: refusals.refuse, onMessage }
  // Only where devices publish: the broker's library is a tenth of what a gateway without them keeps in memory.
  const { openEmbedded } = await import('./embedded.ts')
  const embedded = await openEmbedded({ ...common, settings, mono: clock.mono })
  for (const { kind, host, port } of embedded.listening)
    log.info({ broker: `${kind}://${host}:${port}` }, 'broker listens')
  const outside =
    settings.connect === null
      ? null
      : openOutside({
          ...common,
          connect: settings.connect,
          tls: settings.tls,
          clientId: options.clientId ?? 'gatehouse',
          log,
        })

  let closed: Promise<void> | null = null
  async function closeBoth(): Promise<void> {
    await Promise.all([embedded.close(), outside?.close()])
  }
  const close = (): Promise<void> => {
    closed ??= closeBoth()
    return closed
  }
  const abort = (): void => {
    close().catch((error: unknown) => log.error({ err: error }, 'broker did not close'))
  }
  if (options.signal.aborted) abort()
  else options.signal.addEventListener('abort', abort, { once: true })

  return {
    status: () => ({
      clients: embedded.clients(),
      messages,
      refusals: refusals.counts(),
      listening: embedded.listening.map(({ kind, host, port }) => ({ kind, host, port })),
      connected: outside?.connected() ?? null,
    }),
    async publish(topic, payload) {
      if (outside === null) return embedded.publish(topic, payload)
      // The device may be on either; what matters is that the one that can be lost took it.
      if (embedded.listening.length > 0) await embedded.publish(topic, payload)
      return outside.publish(topic, payload)
    },
    close,
  }
}
