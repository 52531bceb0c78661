/** The sending side of one connection: asks the outbox for what the drain wants, publishes what it decides, confirms what was acknowledged. */
import type { Dialect, Topics } from '../dialects/dialect.ts'
import type { Batch, Lane } from '../model/journal.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { repeat } from '../runtime/timer.ts'
import type { Outbox } from '../store/contract.ts'
import { ageOf, type Ages } from './ages.ts'
import { type Dispatch, type Drain, type DrainFacts, LANE_OF, type Parcel, READY_MAX, type Want } from './drain.ts'
import { createPack } from './encode.ts'
import type { Link } from './link.ts'
import type { Budget } from './meter.ts'
import type { UplinkTimings } from './timings.ts'

export type Counters = { sent: number; acked: number; samples: number; bytes: number; setAside: number }

export type SenderOptions = {
  readonly link: Link
  readonly topics: Topics
  readonly dialect: Dialect
  readonly gateway: string
  readonly drain: Drain
  readonly outbox: Outbox
  readonly ages: Ages
  readonly budget: Budget
  readonly clock: Clock
  readonly timings: UplinkTimings
  readonly log: Log
  readonly counters: Counters
  /** The state message (online): the first thing said. */
  readonly state: Uint8Array
  /** Telemetry and events are held back by something else than the budget. */
  readonly quarantined: () => boolean
  /** Called at each beat, for what depends on time. */
  readonly onTick: () => void
}

export type Sender = {
  readonly poke: () => void
  /** The server has answered the state message: the session was in order. */
  readonly isSettled: () => boolean
  /** What the state message says is not so any more. Only once the one before is answered. */
  readonly tellState: (payload: Uint8Array) => void
  readonly close: () => void
}

/** Content that is read at once for one stream: the memory that a backlog may take. */
const READ_BYTES_MAX = 256 * 1024

export function startSender(options: SenderOptions): Sender {
  const { link, topics, dialect, drain, outbox, clock, counters, log } = options
  const pack = createPack(clock.mono)
  let open = true
  let readFailed = false
  let stateSentAt: number | null = null

  function tellState(payload: Uint8Array): void {
    stateSentAt = clock.mono()
    link.publish(topics.s, payload, { retain: true, contentType: null }, (code) => {
      stateSentAt = null
      // 0x10 (nobody listens) is ignored: the state is a convenience.
      if (code >= 0x80) log.warn({ code }, 'the server refuses the state message')
      pump()
    })
    options.budget.spend(clock.utc(), payload.byteLength)
  }

  tellState(options.state)
  const beat = repeat(options.timings.tickMs, () => {
    options.onTick()
    pump()
  })

  function facts(now: number): DrainFacts {
    const hi = { a: outbox.position('a').hi, e: outbox.position('e').hi, t: outbox.position('t').hi }
    options.ages.saw(now, hi.t)
    return {
      hi,
      oldUpTo: options.ages.oldUpTo(now),
      alarmsOnly: options.quarantined() || options.budget.isSpent(clock.utc()),
      others: stateSentAt === null ? 0 : 1,
    }
  }

  /** What was cut just now may be of long ago; then it is the backlog's, when its number's turn comes. */
  function isYoung(batch: Batch): boolean {
    const age = ageOf(batch, clock.now())
    return age !== null && age < options.timings.youngMs
  }

  async function prepare(batch: Batch): Promise<Parcel> {
    const payload = await pack(dialect.encode(batch, options.gateway))
    return { lane: batch.lane, number: batch.number, samples: batch.count, payload }
  }

  async function read(want: Want, before: DrainFacts): Promise<void> {
    const lane = LANE_OF[want.stream]
    const hi = want.stream === 'b' ? before.oldUpTo : before.hi[lane]
    let parcels: readonly Parcel[] = []
    let askedHi = hi
    let passed = 0
    try {
      const batches = await outbox.next(lane, want.after, { max: READY_MAX, bytesMax: READ_BYTES_MAX })
      const fitting = want.stream === 't' ? batches.filter(isYoung) : batches
      if (fitting.length < batches.length) passed = batches.at(-1)?.number ?? 0
      parcels = await Promise.all(fitting.map(prepare))
      readFailed = false
    } catch (error) {
      askedHi = 0
      if (!readFailed) log.error({ err: error, lane }, 'the outbox cannot be read')
      readFailed = true
    }
    const now = clock.mono()
    drain.offer(want, parcels, now, { hi: askedHi, oldUpTo: options.ages.oldUpTo(now), passed })
    // After a failure the next beat asks again: not at once, for ever.
    if (!readFailed) pump()
  }

  function send({ stream, parcel }: Dispatch): void {
    const { lane, number, payload } = parcel
    counters.sent += 1
    counters.bytes += payload.byteLength
    options.budget.spend(clock.utc(), payload.byteLength)
    link.publish(topics[stream], payload, { retain: false, contentType: dialect.contentType }, (code) => {
      if (open) settle(parcel, code)
    })
    log.trace({ stream, lane, number, bytes: payload.byteLength }, 'batch sent')
  }

  function settle({ lane, number, samples }: Parcel, code: number): void {
    const settlement = drain.answered(lane, number, code, clock.mono())
    if (settlement === 'confirm') {
      counters.acked += 1
      counters.samples += samples
      outbox.confirm(lane, number)
    } else if (settlement === 'aside') {
      void setAside(options, lane, number, `the server refuses it with code 0x${code.toString(16).padStart(2, '0')}`)
    }
    pump()
  }

  function pump(): void {
    if (!open) return
    const now = clock.mono()
    if (drain.isOverdue(now) || (stateSentAt !== null && now - stateSentAt >= options.timings.ackMs)) {
      link.drop(`no PUBACK in ${options.timings.ackMs} ms`)
      return
    }
    const known = facts(now)
    for (const want of drain.wants(now, known)) void read(want, known)
    for (let dispatch = drain.next(now, known); dispatch !== null; dispatch = drain.next(now, known)) send(dispatch)
  }

  pump()
  return {
    poke: pump,
    isSettled: () => stateSentAt === null,
    tellState,
    close() {
      open = false
      beat.close()
    },
  }
}

/** Dead letter: kept on disk and declared. If that fails it stays in the outbox and is tried again. */
export async function setAside(
  { drain, outbox, counters, log }: Pick<SenderOptions, 'drain' | 'outbox' | 'counters' | 'log'>,
  lane: Lane,
  number: number,
  why: string,
): Promise<void> {
  try {
    await outbox.setAside(lane, number, why)
    counters.setAside += 1
    log.error({ lane, number, why }, 'batch set aside')
  } catch (error) {
    log.error({ err: error, lane, number }, 'batch cannot be set aside')
  } finally {
    drain.asideDone(lane, number)
  }
}
