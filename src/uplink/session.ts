/**
 * Attempt after attempt, for as long as the uplink is open: which server, which MQTT version, how long to wait
 * (uplink contract, section 4, steps 1, 2 and 7).
 */
import type { Presence, Topics } from '../dialects/dialect.ts'
import { createBackoff } from '../runtime/backoff.ts'
import { isTrusted } from '../runtime/clock.ts'
import { sleep } from '../runtime/timer.ts'
import { ageOf, type Ages } from './ages.ts'
import { type Course, conduct } from './conduct.ts'
import type { Drain } from './drain.ts'
import { createVersions, type Endpoint, type MqttVersion } from './endpoint.ts'
import { type Link, type LinkFailure, openLink } from './link.ts'
import type { Budget } from './meter.ts'
import type { Counters } from './sender.ts'
import type { Takeovers } from './takeover.ts'
import type { UplinkTimings } from './timings.ts'
import type { UplinkOptions, UplinkStatus } from './uplink.ts'

export type SessionOptions = UplinkOptions & {
  readonly timings: UplinkTimings
  readonly random: () => number
  readonly topics: Topics
  /** In the order of this boot. */
  readonly endpoints: readonly Endpoint[]
  readonly nonce: string
  readonly ages: Ages
  readonly budget: Budget
  readonly takeovers: Takeovers
  readonly drain: Drain
}

/** What is true now, for `status()`. */
export type SessionState = {
  connected: boolean
  server: string | null
  mqtt: MqttVersion | null
  connection: number | null
  since: number
  attempts: number
  lastError: string | null
  readonly conditions: Set<'uplink_undelivered' | 'identity_in_use'>
  readonly counters: Counters
}

export type Session = {
  readonly poke: () => void
  readonly status: () => UplinkStatus
  /** Settled after the signal's abort, once the goodbye is said. Never rejects. */
  readonly done: Promise<void>
}

/** MQTT 3.1.1 return code and MQTT 5 reason code for a version that the server does not speak. */
const VERSION_REFUSED: ReadonlySet<number> = new Set([0x01, 0x84])
/** Return codes of 3.1.1 end here: a server that answers MQTT 5 with one of them speaks 3.1.1 only. */
const OLD_CODE_MAX = 5

/** Batches looked at when the uplink opens: those of the minute before, at one a second. */
const LAST_LOOKED_AT = 64

/** After a refusal or silence in MQTT 5 the same server is asked in 3.1.1. */
function isVersionMatter({ stage, code }: LinkFailure): boolean {
  return stage === 'handshake' && (code === null || code <= OLD_CODE_MAX || VERSION_REFUSED.has(code))
}

export function runSession(options: SessionOptions): Session {
  const { clock, timings, signal, endpoints, takeovers, drain, random, log } = options
  const backoff = createBackoff({ baseMs: timings.backoffBaseMs, maxMs: timings.backoffMaxMs, random })
  const versions = createVersions(timings.versionMs)
  const state: SessionState = {
    connected: false,
    server: null,
    mqtt: null,
    connection: null,
    since: clock.utc(),
    attempts: 0,
    lastError: null,
    conditions: new Set(),
    counters: { sent: 0, acked: 0, samples: 0, bytes: 0, setAside: 0 },
  }
  let poke = (): void => undefined
  let turn = 0
  let downSince = clock.mono()

  /** A power cut in the neighbourhood ends for all gateways at once. */
  function firstWait(): number {
    const { clean, lastCommitAt } = options.identity
    const now = clock.now()
    if (clean || lastCommitAt === null || !isTrusted(now.quality)) return 0
    return clock.utc() - lastCommitAt > timings.spreadAfterMs ? random() * timings.spreadMs : 0
  }

  function nextWait(): number {
    const wait = backoff.next()
    const spread = clock.mono() - downSince > timings.spreadAfterMs ? random() * timings.spreadMs : 0
    const pause = takeovers.inUse() ? timings.takeoverPauseMs * (1 + random()) : 0
    return Math.max(wait, spread, pause)
  }

  function note(error: string): void {
    // A line that stays down is told once per cause, not once per attempt.
    if (error !== state.lastError) log.warn({ server: state.server, cause: error }, 'uplink down')
    state.lastError = error
  }

  /** A bug in what others gave us must not leave a second connection behind. */
  function start(link: Link, presence: Presence): Course {
    try {
      return conduct(options, state, link, presence)
    } catch (error) {
      link.drop('the session could not begin')
      throw error
    }
  }

  /** One attempt at one server. `again`: the same server at once, in 3.1.1. */
  async function attempt(endpoint: Endpoint, forced: MqttVersion | null): Promise<'again' | 'next'> {
    const version = forced ?? versions.of(endpoint.server, clock.mono())
    state.server = endpoint.server
    state.attempts += 1
    const connection = await options.nextConnection()
    const presence = { gateway: options.gateway, boot: options.identity.boot, connection }
    const opening = await openLink({
      endpoint,
      version,
      settings: options.settings,
      clientId: options.gateway,
      will: { topic: options.topics.s, payload: Buffer.from(options.dialect.offline(presence, 'will')) },
      connectMs: timings.connectMs,
      leaveMs: timings.goodbyeMs,
      signal,
    })
    if (!opening.ok) {
      if (signal.aborted) return 'next'
      note(opening.failure.text)
      if (version === 4 || !isVersionMatter(opening.failure)) {
        takeovers.failed()
        return 'next'
      }
      if (opening.failure.code !== null) versions.onlyOld(endpoint.server, clock.mono())
      return 'again'
    }
    if (forced === 4) versions.onlyOld(endpoint.server, clock.mono())
    const course = start(opening.link, presence)
    poke = course.poke
    const outcome = await course.ended
    poke = () => undefined
    downSince = clock.mono()
    if (outcome.lastedMs >= timings.healthyMs && outcome.acked > 0) backoff.reset()
    if (!signal.aborted) note(outcome.cause)
    return 'next'
  }

  /** What was cut before this uplink opened is old, but for batches that say otherwise. */
  async function startAges(): Promise<void> {
    const { hi } = options.outbox.position('t')
    const now = clock.now()
    let oldUpTo = hi
    try {
      const last = await options.outbox.next('t', Math.max(0, hi - LAST_LOOKED_AT), {
        max: LAST_LOOKED_AT,
        bytesMax: 2 ** 20,
      })
      for (const batch of last) {
        const age = ageOf(batch, now)
        if (age === null || age >= timings.youngMs) continue
        oldUpTo = Math.min(oldUpTo, batch.number - 1)
        options.ages.saw(now.mono - Math.max(0, age), batch.number)
      }
    } catch (error) {
      log.error({ err: error }, 'the outbox cannot be read')
    }
    options.ages.start(oldUpTo)
    options.ages.saw(now.mono, hi)
  }

  async function run(): Promise<void> {
    await startAges()
    await sleep(firstWait(), signal)
    let forced: MqttVersion | null = null
    while (!signal.aborted) {
      const endpoint = endpoints[turn % endpoints.length]
      if (endpoint === undefined) return
      let verdict: 'again' | 'next' = 'next'
      try {
        verdict = await attempt(endpoint, forced)
      } catch (error) {
        // The connection counter could not be made durable: without it there is no CONNECT.
        note(error instanceof Error ? error.message : String(error))
      }
      forced = verdict === 'again' ? 4 : null
      if (verdict === 'again') continue
      turn += 1
      await sleep(nextWait(), signal)
    }
  }

  return {
    poke: () => poke(),
    done: run(),
    status: () => ({
      connected: state.connected,
      server: state.server,
      mqtt: state.mqtt,
      connection: state.connection,
      since: state.since,
      attempts: state.attempts,
      ...state.counters,
      bytesToday: options.budget.spentBytes(clock.utc()),
      inFlight: drain.inFlight(),
      bytesPerSecond: Math.round(drain.rate()),
      budgetSpent: options.budget.isSpent(clock.utc()),
      undelivered: drain.undeliveredSince() !== null,
      conditions: [...state.conditions],
      lastError: state.lastError,
    }),
  }
}
