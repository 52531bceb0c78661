/** A board with its image and a clock: what tests of alarms do with it, in few words. */
import { Board, type BoardStep, type OutputLevel } from '../../src/alarm/board.ts'
import { Image } from '../../src/image/image.ts'
import { Intake } from '../../src/image/intake.ts'
import type { Rule, Transition } from '../../src/model/alarm.ts'
import type { Value } from '../../src/model/point.ts'
import { makeSite } from './site.ts'

export const EPOCH = 1_700_000_000_000

export class Bench {
  readonly site
  readonly image
  readonly transitions: Transition[] = []
  readonly outputs: OutputLevel[] = []
  states: ReadonlyMap<string, string> = new Map()
  board: Board
  mono = 0
  #intake: Intake
  #ids = 0

  constructor(rules: readonly Rule[]) {
    this.site = makeSite(rules)
    this.image = new Image(this.site.points, 0)
    this.#intake = new Intake(this.site.points, this.image)
    this.board = this.#boot()
  }

  get now() {
    return { mono: this.mono, utc: EPOCH + this.mono }
  }

  #boot(site = this.site): Board {
    return new Board(site, {
      ulid: () => `ID${this.#ids++}`,
      states: this.states,
      now: this.now,
    })
  }

  /** The process ends here and starts again: only durable states stay. What was read last is read again. */
  restart(rules: readonly Rule[] = this.site.rules): void {
    this.board = this.#boot({ ...this.site, rules })
  }

  read(point: number, value: Value | null): string {
    const reading = value === null ? { point, fault: { kind: 'timeout' } as const } : { point, value }
    return this.step(this.#intake.read([reading], this.mono).changed)
  }

  fact(key: string, truth: 'yes' | 'no' | 'unknown', detail: string | null = null): string {
    this.board.setFact(key, truth, detail === null ? null : { en: detail, zh: detail })
    return this.step()
  }

  wait(seconds: number): string {
    this.mono += seconds * 1000
    return this.step()
  }

  step(changed: readonly number[] = []): string {
    return this.#take(this.board.step(changed, this.image, this.now))
  }

  ack(target: Parameters<Board['ack']>[0], by = 'cli:root'): string {
    const step = this.board.ack(target, by, this.now)
    return [this.#take(step), this.step()].filter((words) => words !== '').join(' ')
  }

  /** What happened, in words: `raised:water_supply_lost`. */
  #take(step: BoardStep): string {
    this.transitions.push(...step.transitions)
    this.outputs.push(...step.outputs)
    const states = new Map(this.states)
    for (const [key, value] of step.states) {
      if (value === null) states.delete(key)
      else states.set(key, value)
    }
    this.states = states
    return step.transitions.map((transition) => `${transition.ev}:${transition.rule}`).join(' ')
  }

  get last(): Transition | undefined {
    return this.transitions.at(-1)
  }

  /** Levels written since the last call, `point=value`. */
  takeOutputs(): string {
    return this.outputs
      .splice(0)
      .map(({ point, value }) => `${point}=${value}`)
      .join(' ')
  }
}
