/** The life of one connection, from CONNACK to its end (uplink contract, section 4, steps 4 to 7, and the heartbeat of section 9). */
import type { Presence } from '../dialects/dialect.ts'
import type { Lane } from '../model/journal.ts'
import type { Text } from '../model/point.ts'
import { repeat, sleep } from '../runtime/timer.ts'
import type { Link, LinkEnd } from './link.ts'
import { setAside, startSender } from './sender.ts'
import type { SessionOptions, SessionState } from './session.ts'
import { mayAnswerBatch, TAKEN_OVER } from './verdict.ts'

export type Course = {
  readonly poke: () => void
  readonly ended: Promise<{ readonly lastedMs: number; readonly acked: number; readonly cause: string }>
}

/** The connection stands: say so, send, beat; when the signal aborts, say goodbye. */
export function conduct(options: SessionOptions, state: SessionState, link: Link, presence: Presence): Course {
  const { clock, drain, outbox, dialect, topics, takeovers, timings, settings, budget, log } = options
  const since = clock.mono()
  const ackedBefore = state.counters.acked
  const server = state.server ?? ''
  state.connected = true
  state.mqtt = link.version
  state.connection = presence.connection
  state.since = clock.utc()
  state.lastError = null
  log.info({ server, mqtt: link.version, connection: presence.connection }, 'uplink up')
  options.onEvent({
    kind: 'link',
    uplink: settings.id,
    connected: true,
    server,
    connection: presence.connection,
    cause: null,
  })

  drain.connected(since, { receiveMax: link.receiveMax })
  let told = { cv: Number.NaN, sha: '' }
  const sender = startSender({
    ...options,
    link,
    counters: state.counters,
    state: online(),
    quarantined: takeovers.isCertain,
    onTick() {
      takeovers.standing(clock.mono(), since)
      const { cv, sha } = options.info()
      if ((cv !== told.cv || sha !== told.sha) && sender.isSettled()) sender.tellState(online())
      judgeConditions(options, state)
    },
  })
  beat()
  const heartbeat = repeat(timings.heartbeatMs, beat)
  options.cutNow().then(sender.poke, (error: unknown) => log.error({ err: error }, 'what is open cannot be cut'))

  /** Names hold by what it says: after a reload it is said again. */
  function online(): Uint8Array {
    const { cv, sha, version } = options.info()
    told = { cv, sha }
    return Buffer.from(dialect.online({ ...presence, time: clock.now(), cv, sha, nonce: options.nonce, version }))
  }

  function lane(name: Lane) {
    const { hi, ack, lo, kept } = outbox.position(name)
    return { epoch: options.identity.epoch, hi, ack, lo, kept }
  }

  function beat(): void {
    const { batches, oldestAt } = outbox.waiting()
    const { cpu, disk } = options.info()
    const text = dialect.heartbeat({
      ...presence,
      time: clock.now(),
      lanes: { t: lane('t'), a: lane('a'), e: lane('e') },
      backlog: { batches, oldestAt },
      cpu,
      disk,
    })
    const payload = Buffer.from(text)
    link.tell(topics.h, payload)
    budget.spend(clock.utc(), payload.byteLength)
  }

  async function leave(): Promise<void> {
    sender.close()
    const said = new AbortController()
    const payload = Buffer.from(dialect.offline(presence, 'stop'))
    link.publish(topics.s, payload, { retain: true, contentType: null }, () => said.abort())
    await Promise.race([link.ended, sleep(timings.goodbyeMs / 2, said.signal)])
    said.abort()
    await link.leave()
  }

  async function live(): Promise<LinkEnd> {
    const { promise: stopped, resolve } = Promise.withResolvers<void>()
    const stop = (): void => resolve()
    options.signal.addEventListener('abort', stop, { once: true })
    if (options.signal.aborted) stop()
    await Promise.race([link.ended, stopped])
    options.signal.removeEventListener('abort', stop)
    heartbeat.close()
    if (options.signal.aborted) await leave()
    return await link.ended
  }

  function finish(end: LinkEnd): { lastedMs: number; acked: number; cause: string } {
    sender.close()
    const now = clock.mono()
    const lastedMs = now - since
    const certain = end.code === TAKEN_OVER
    // 3.1.1 has no code, and not every MQTT 5 broker sends one: mosquitto 2.0.11 only hangs up.
    const likely = end.code === null && end.by === 'peer' && sender.isSettled() && drain.inFlight() === 0
    const dead = drain.lost(mayAnswerBatch(end.by, end.code) ? 'peer' : 'other')
    takeovers.ended(now, { certain, likely, lastedMs })
    if (dead !== null) {
      void setAside(
        { ...options, counters: state.counters },
        dead.lane,
        dead.number,
        'the server hung up on it five times',
      )
    }
    state.connected = false
    state.since = clock.utc()
    judgeConditions(options, state)
    options.onEvent({
      kind: 'link',
      uplink: settings.id,
      connected: false,
      server,
      connection: presence.connection,
      cause: end.text,
    })
    return { lastedMs, acked: state.counters.acked - ackedBefore, cause: end.text }
  }

  return { poke: sender.poke, ended: live().then(finish) }
}

const NOBODY_TAKES: Text = {
  en: 'the server takes batches and has nobody to give them to',
  zh: '服务器收下批次但没有订阅者',
}

function anotherAs(gateway: string): Text {
  return { en: `another client connects as ${gateway}`, zh: `另有客户端以 ${gateway} 身份连接` }
}

/** Tells the built-in alarms what changed. */
function judgeConditions(options: SessionOptions, state: SessionState): void {
  const { clock, drain, takeovers, timings, settings, onEvent } = options
  const since = drain.undeliveredSince()
  const undelivered = since !== null && clock.mono() - since >= timings.undeliveredAlarmMs
  const judged = [
    ['uplink_undelivered', undelivered, NOBODY_TAKES],
    ['identity_in_use', takeovers.inUse(), anotherAs(options.gateway)],
  ] as const
  for (const [condition, active, detail] of judged) {
    if (state.conditions.has(condition) === active) continue
    if (active) state.conditions.add(condition)
    else state.conditions.delete(condition)
    onEvent({ kind: 'condition', uplink: settings.id, condition, active, detail })
  }
}
