/**
 * One cloud connection: what is committed leaves here, in order of weight, and is freed only by the broker's PUBACK.
 * Promised: one connection at a time, with a counter made durable before its CONNECT; nothing is queued outside the outbox; a batch
 * is confirmed by code 0 only. Refused: servers that are neither mqtt:// nor mqtts://, and `confirm: e2e` (topic `k` is not served yet).
 */
import { randomBytes } from 'node:crypto'
import type { Address, Dialect } from '../dialects/dialect.ts'
import type { Text } from '../model/point.ts'
import type { UplinkSettings } from '../model/site.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { repeat } from '../runtime/timer.ts'
import type { Identity, Outbox } from '../store/contract.ts'
import { createAges } from './ages.ts'
import { createDrain } from './drain.ts'
import { parseServer, shuffle } from './endpoint.ts'
import { createBudget } from './meter.ts'
import { runSession } from './session.ts'
import { createTakeovers } from './takeover.ts'
import { TIMINGS, type UplinkTimings } from './timings.ts'

/** What the uplink tells of the gateway, asked at each state message and heartbeat. */
export type GatewayInfo = {
  readonly cv: number
  /** Hash of the catalogue. */
  readonly sha: string
  readonly version: string
  /** Share of one core; null: not measured. */
  readonly cpu: number | null
  /** Share of the data disk in use, 0..1; null: not measured. */
  readonly disk: number | null
}

export type UplinkEvent =
  | {
      readonly kind: 'link'
      readonly uplink: string
      readonly connected: boolean
      readonly server: string
      readonly connection: number
      /** Why it ended; null while connected. */
      readonly cause: string | null
    }
  /** The state of a built-in alarm's condition has changed. */
  | {
      readonly kind: 'condition'
      readonly uplink: string
      readonly condition: 'uplink_undelivered' | 'identity_in_use'
      readonly active: boolean
      readonly detail: Text
    }

export type UplinkStatus = {
  readonly connected: boolean
  /** The server connected to, or tried last. */
  readonly server: string | null
  readonly mqtt: 4 | 5 | null
  /** The connection counter of this connection. */
  readonly connection: number | null
  /** UTC ms since when `connected` is as it is. */
  readonly since: number
  readonly attempts: number
  /** Batches handed to the connection, of them acknowledged; `samples` of those acknowledged. */
  readonly sent: number
  readonly acked: number
  readonly samples: number
  /** Payload bytes handed to the connection. */
  readonly bytes: number
  readonly bytesToday: number
  readonly setAside: number
  readonly inFlight: number
  /** Measured line, bytes per second; 0: not yet. */
  readonly bytesPerSecond: number
  readonly budgetSpent: boolean
  /** The server takes batches and has nobody to give them to (0x10): they come back, and are sent again. */
  readonly undelivered: boolean
  readonly conditions: readonly ('uplink_undelivered' | 'identity_in_use')[]
  readonly lastError: string | null
}

export type Uplink = {
  readonly status: () => UplinkStatus
  /** Says goodbye (state off, DISCONNECT), within `goodbyeMs`. */
  readonly close: () => Promise<void>
}

export type UplinkOptions = {
  readonly settings: UplinkSettings
  readonly gateway: string
  readonly identity: Identity
  readonly outbox: Outbox
  /** Store.nextConnection: raised and durable. */
  readonly nextConnection: () => Promise<number>
  /** Store.onCut. */
  readonly onCut: (listener: () => void) => () => void
  /** Store.cutNow: what is open is cut once a connection stands. */
  readonly cutNow: () => Promise<void>
  readonly clock: Clock
  readonly dialect: Dialect
  /** Bound to the uplink's name. */
  readonly log: Log
  readonly signal: AbortSignal
  readonly info: () => GatewayInfo
  readonly onEvent: (event: UplinkEvent) => void
  /** Where the use of the day's budget is kept over a restart; only of a metered line. */
  readonly spent?: { readonly before: string | null; readonly keep: (text: string) => void }
  readonly timings?: Partial<UplinkTimings>
  readonly random?: () => number
}

/** Throws a sentence when the settings cannot be used. Connecting goes on in the background for as long as it takes. */
export function openUplink(options: UplinkOptions): Uplink {
  const { settings, clock, outbox } = options
  if (settings.confirm === 'e2e') {
    throw new Error(`uplinks.${settings.id}.confirm: e2e is not available yet, use puback`)
  }
  if (settings.servers.length === 0) throw new Error(`uplinks.${settings.id}.servers: name at least one server`)
  const random = options.random ?? Math.random
  const timings: UplinkTimings = { ...TIMINGS, ...options.timings }
  const address: Address = { tenant: settings.tenant, gateway: options.gateway }
  const ages = createAges(timings.youngMs)
  const stopping = new AbortController()
  const budget = createBudget(settings.budgetBytesPerDay, options.spent?.before)
  let kept = budget.written()

  const session = runSession({
    ...options,
    timings,
    random,
    topics: options.dialect.topics(address),
    endpoints: shuffle(settings.servers.map(parseServer), random),
    nonce: randomBytes(16).toString('base64'),
    ages,
    budget,
    takeovers: createTakeovers(timings.takeoverMs),
    drain: createDrain({ timings, backfill: settings.backfill, random }),
    signal: stopping.signal,
  })
  const unlisten = options.onCut(() => {
    ages.saw(clock.mono(), outbox.position('t').hi)
    session.poke()
  })
  const keeping = repeat(timings.keepMs, () => {
    if (settings.budgetBytesPerDay === null || budget.written() === kept) return
    kept = budget.written()
    options.spent?.keep(kept)
  })
  const close = async (): Promise<void> => {
    unlisten()
    keeping.close()
    options.signal.removeEventListener('abort', abort)
    stopping.abort()
    await session.done
  }
  const abort = (): void => void close()
  options.signal.addEventListener('abort', abort, { once: true })
  if (options.signal.aborted) abort()
  return { status: session.status, close }
}
