/** From what is chosen to what goes onto the wire: who is told how it ended, who of a late reply, who of an answer in a foreign name. */
import type { Device } from '../model/site.ts'
import type { Log } from '../runtime/log.ts'
import type { Exchange, Outcome } from './flight.ts'
import { slow } from './health.ts'
import type { CommandOrder } from './orders.ts'
import type { Rounds } from './rounds.ts'
import { land, type Berth, type Seat, type Task } from './schedule.ts'
import { lateReply, plausibleMs } from './suspicion.ts'

export type AskingHost = {
  readonly rounds: Rounds
  readonly log: Log
  readonly correlates: boolean
  /** Somebody else answers in the device's place; null: it answers itself again. */
  readonly mismatch: (device: Device, from: string | null) => void
}

export type Asking = {
  readonly ofTask: (task: Task) => Exchange
  readonly ofCommand: (order: CommandOrder) => Exchange
}

export function createAsking(host: AskingHost): Asking {
  const { rounds } = host
  const exchanges = new WeakMap<Task, Exchange>()
  /** Who was heard under its own number: an alarm of an earlier run may still stand. */
  const itself = new WeakSet<Seat>()

  function misaddressed(seat: Seat, from: string): void {
    const { identity } = seat
    identity.misaddressed += 1
    if (identity.answersAs === from) return
    identity.answersAs = from
    host.log.warn({ device: seat.device.id, expected: String(seat.link.address), from }, 'another device answers')
    host.mismatch(seat.device, from)
  }

  /** It answers under its own address. A Modbus unit's number says nothing of who it is. */
  function answeredItself(seat: Seat): void {
    if (typeof seat.link.address === 'number') return
    const { identity } = seat
    if (identity.answersAs === null && itself.has(seat)) return
    if (identity.answersAs !== null) host.log.info({ device: seat.device.id }, 'the device answers itself again')
    identity.answersAs = null
    itself.add(seat)
    host.mismatch(seat.device, null)
  }

  function common(berth: Berth): Pick<Exchange, 'framing' | 'limits' | 'line' | 'slowestMs'> {
    const { framing, link, line, health } = berth
    return { framing, limits: link.limits, line, slowestMs: () => health.slowestMs }
  }

  return {
    ofTask(task) {
      const known = exchanges.get(task)
      if (known !== undefined) return known
      const { seat, block } = task
      const exchange: Exchange = {
        ...common(seat),
        get question() {
          return block.learns === true ? block.ask(seat.link.address) : task.question
        },
        settled(outcome, now) {
          if (outcome.kind === 'answer') answeredItself(seat)
          rounds.finish(task, outcome, now)
        },
        late(ageMs, now) {
          slow(seat.health, ageMs, now)
          return lateReply(task, ageMs, now)
        },
        misaddressed: (from) => misaddressed(seat, from),
      }
      exchanges.set(task, exchange)
      return exchange
    },

    ofCommand({ seat: berth, device, question, finish }) {
      const exchange: Exchange = {
        ...common(berth),
        question,
        settled(outcome: Outcome, now) {
          if (device !== null && device === berth) rounds.finishWrite(device, outcome, now)
          else land(berth, now)
          // A read's late reply would pass for a poll's answer: the device is not polled until it must have come.
          const owed = outcome.kind === 'fault' && outcome.fault.kind !== 'exception' && !outcome.spoilt
          if (owed && device !== null && !question.writes && !host.correlates)
            device.holdUntil = Math.max(device.holdUntil, now + plausibleMs(device))
          // What waits for it reads the answer in a later turn; its bytes are only lent.
          finish(
            outcome.kind === 'answer' ? { ...outcome, bodies: outcome.bodies.map((body) => body.slice()) } : outcome,
          )
        },
        late(ageMs, now) {
          slow(berth.health, ageMs, now)
          if (device !== null) device.holdUntil = Math.min(device.holdUntil, now)
          return true
        },
        yielded: (ms) =>
          host.log.info(
            { device: device?.device.id, address: String(berth.link.address), waitedMs: Math.round(ms) },
            'a write waited for another master',
          ),
      }
      return device === null ? exchange : { ...exchange, misaddressed: (from) => misaddressed(device, from) }
    },
  }
}
