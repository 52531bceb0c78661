/** What people, rules and the cloud want from a bus, ahead of the polls. Bounded: beyond the bound the newest is turned away. */
import type { Fault } from '../model/fault.ts'
import type { Reading } from '../model/sample.ts'
import type { Question } from '../protocols/protocol.ts'
import type { Outcome } from './flight.ts'
import {
  type Berth,
  type Command,
  type Demand,
  LINE_CHANGE_MS,
  type Schedule,
  type Seat,
  type Task,
} from './schedule.ts'

/** `unsent`: the device never saw it. */
export type CommandResult = { readonly kind: 'unsent'; readonly why: 'expired' | 'closed' | 'full' } | Outcome

export type CommandOrder = Command & {
  /** The device that it goes to; null: an address that the site does not have. */
  readonly device: Seat | null
  readonly finish: (result: CommandResult) => void
}
export type DemandOrder = Demand & { readonly finish: (readings: readonly Reading[]) => void }

const ORDERS_MAX = 256

export class Orders {
  readonly #commands: CommandOrder[] = []
  readonly #demands: DemandOrder[] = []
  readonly #idle: CommandOrder[] = []

  /** The schedule reads these very lists. */
  scheduleFor(seats: readonly Seat[]): Schedule {
    return {
      seats,
      commands: this.#commands,
      demands: this.#demands,
      idle: this.#idle,
      lineChangeMs: LINE_CHANGE_MS,
      urgentInARow: 0,
    }
  }

  /** `idle`: only when nothing else is due. */
  command(
    wanted: { seat: Berth; device: Seat | null; question: Question; expiresAt: number },
    { idle }: { idle: boolean } = { idle: false },
  ): Promise<CommandResult> {
    const queue = idle ? this.#idle : this.#commands
    if (queue.length >= ORDERS_MAX) return Promise.resolve({ kind: 'unsent', why: 'full' })
    return new Promise((finish) => queue.push({ ...wanted, finish }))
  }

  demand(wanted: { task: Task; expiresAt: number }): Promise<readonly Reading[]> {
    if (this.#demands.length >= ORDERS_MAX) return Promise.resolve(faultsOf(wanted.task, { kind: 'not_read' }))
    return new Promise((finish) => this.#demands.push({ ...wanted, finish }))
  }

  /** The command leaves the queue: it is on the wire. */
  take(command: Command): CommandOrder | null {
    for (const queue of [this.#commands, this.#idle]) {
      const at = queue.findIndex((other) => other === command)
      if (at >= 0) return queue.splice(at, 1)[0] ?? null
    }
    return null
  }

  /** The block was read (or not): all who waited for it are told. */
  answer(task: Task, readings: readonly Reading[]): void {
    if (this.#demands.length === 0) return
    for (const demand of this.#takeDemands((other) => other.task === task)) demand.finish(readings)
  }

  /** The device says nothing: all who wait for any of its blocks are told. */
  disappoint(seat: Seat, fault: Fault): void {
    if (this.#demands.length === 0) return
    for (const demand of this.#takeDemands(({ task }) => task.seat === seat))
      demand.finish(faultsOf(demand.task, fault))
  }

  /** A block is no more; who waited for it is taken out and waits for others. */
  orphans(task: Task): readonly DemandOrder[] {
    return this.#takeDemands((demand) => demand.task === task)
  }

  /** Drops what nobody waits for any more. Returns when the next one is due, Infinity: none. */
  expire(now: number): number {
    if (this.#commands.length + this.#demands.length + this.#idle.length === 0) return Number.POSITIVE_INFINITY
    for (const command of [...this.#commands, ...this.#idle].filter(({ expiresAt }) => expiresAt <= now)) {
      this.take(command)?.finish({ kind: 'unsent', why: 'expired' })
    }
    const late = this.#takeDemands(({ expiresAt }) => expiresAt <= now)
    for (const demand of late) demand.finish(faultsOf(demand.task, { kind: 'timeout' }))
    return Math.min(...[...this.#commands, ...this.#demands, ...this.#idle].map(({ expiresAt }) => expiresAt))
  }

  /** The wire is dead: nobody is kept waiting for it. */
  refuseAll(fault: Fault): void {
    for (const command of [...this.#commands.splice(0), ...this.#idle.splice(0)])
      command.finish({ kind: 'unsent', why: 'closed' })
    for (const demand of this.#demands.splice(0)) demand.finish(faultsOf(demand.task, fault))
  }

  #takeDemands(wanted: (demand: DemandOrder) => boolean): DemandOrder[] {
    const taken: DemandOrder[] = []
    for (let at = 0; at < this.#demands.length; ) {
      const demand = this.#demands[at]
      if (demand !== undefined && wanted(demand)) taken.push(...this.#demands.splice(at, 1))
      else at += 1
    }
    return taken
  }
}

export function faultsOf(task: Task, fault: Fault): readonly Reading[] {
  return task.block.points.map((point) => ({ point, fault }))
}
