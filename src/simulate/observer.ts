/** Watches the demo's gateway: says what has changed since the last look, and paints what there is. */
import { printable } from '../cli/printable.ts'
import { say } from '../cli/text.ts'
import type { GatewayView } from '../control/context.ts'
import type { Value } from '../model/point.ts'
import type { Language, Site } from '../model/site.ts'
import { createScreen, type Picture } from './screen.ts'
import { wordsOf } from './words.ts'

/** Shown from the first to the last second, two in a line. */
const SHOWN = [
  'pump_1.running',
  'pump_1.current',
  'pump_2.running',
  'supply.pressure',
  'lift_1.running',
  'lift_1.door_open',
  'lift_2.running',
  'm_01.voltage_a',
  'm_01.power_active',
  'm_12.energy_import',
  'lobby_air.temperature',
  'garage_air.humidity',
] as const

/** What is observed; a gateway of the demo fits. */
export type Observed = { readonly view: GatewayView; readonly samplesRead: () => number }

export class Observer {
  readonly #site: Site
  readonly #language: Language
  readonly #words
  readonly #screen
  readonly #out: (text: string) => void
  readonly #elapsedMs: () => number
  readonly #lengthMs: number
  readonly #silent: boolean
  readonly #events: string[] = []
  readonly #announced = new Map<string, boolean>()
  #wasConnected = false
  #standbySeen = false
  #lineBackMs: number | null = null

  constructor(options: {
    site: Site
    language: Language
    terminal: boolean
    /** Events are kept, not printed: the output is one JSON document. */
    silent: boolean
    lengthMs: number
    elapsedMs: () => number
    out: (text: string) => void
  }) {
    this.#site = options.site
    this.#language = options.language
    this.#words = wordsOf(options.language)
    this.#screen = options.terminal ? createScreen(options.out) : null
    this.#out = options.out
    this.#elapsedMs = options.elapsedMs
    this.#lengthMs = options.lengthMs
    this.#silent = options.silent
  }

  get terminal(): boolean {
    return this.#screen !== null
  }

  lineIsBack(): void {
    this.#lineBackMs = this.#elapsedMs()
  }

  say(text: string): void {
    const line = `${(this.#elapsedMs() / 1000).toFixed(1).padStart(6)} s  ${text}`
    this.#events.push(line)
    if (this.#events.length > 100) this.#events.shift()
    if (this.#screen === null && !this.#silent) this.#out(`${printable(line)}\n`)
  }

  waiting({ view }: Observed): { batches: number; samples: number } {
    let batches = 0
    let samples = 0
    for (const uplink of this.#site.uplinks) {
      const waiting = view.store.outbox(uplink.id).waiting()
      batches += waiting.batches
      samples += waiting.samples
    }
    return { batches, samples }
  }

  /** Says what has changed since the last look. */
  look(gateway: Observed): void {
    for (const uplink of this.#site.uplinks) {
      const { connected, server, reason } = gateway.view.uplink(uplink.id)
      if (connected !== this.#wasConnected) {
        this.say(
          connected ? this.#words.lineUp({ server: server ?? '' }) : this.#words.lineDown({ cause: reason ?? '' }),
        )
        this.#wasConnected = connected
      }
    }
    if (this.#lineBackMs !== null && this.waiting(gateway).batches === 0) {
      this.say(this.#words.drained({ seconds: ((this.#elapsedMs() - this.#lineBackMs) / 1000).toFixed(1) }))
      this.#lineBackMs = null
    }
    for (const { last } of gateway.view.alarms()) {
      if (this.#announced.get(last.id) === last.active) continue
      const text = last.text[this.#language]
      if (last.active)
        this.say(this.#words.raised({ priority: say(this.#language, last.pri), text: `${text} (${last.rule})` }))
      else if (this.#announced.has(last.id)) this.say(this.#words.cleared({ text: `${text} (${last.rule})` }))
      this.#announced.set(last.id, last.active)
    }
    if (!this.#standbySeen && this.#valueOf(gateway, 'pump_2.running') === true) {
      this.#standbySeen = true
      this.say(this.#words.standby())
    }
  }

  #valueOf(gateway: Observed, id: string): Value | null {
    const point = this.#site.points.find((candidate) => candidate.id === id)
    if (point === undefined) return null
    const sample = gateway.view.latest(point.index)
    return sample.quality === 'bad' ? null : sample.value
  }

  #cells(gateway: Observed): Picture['values'] {
    return SHOWN.flatMap((id) => {
      const point = this.#site.points.find((candidate) => candidate.id === id)
      if (point === undefined) return []
      const sample = gateway.view.latest(point.index)
      const value = sample.quality === 'bad' ? '-' : String(sample.value)
      return [
        { name: id, text: point.unit === null ? value : `${value} ${point.unit}`, good: sample.quality === 'good' },
      ]
    })
  }

  valuesLine(gateway: Observed): string {
    return this.#cells(gateway)
      .map(({ name, text }) => `${name} ${text}`)
      .join('  ')
  }

  #picture(gateway: Observed, delivered: number): Picture {
    const words = this.#words
    const good = this.#site.points.filter((point) => gateway.view.latest(point.index).quality === 'good').length
    return {
      title: `Gatehouse  ${this.#site.name[this.#language]}  ${(this.#elapsedMs() / 1000).toFixed(0)} s / ${Math.round(this.#lengthMs / 1000)} s`,
      counts: words.counts({
        read: number(gateway.samplesRead()),
        committed: number(gateway.view.store.status().samplesCommitted),
        good,
        points: this.#site.points.length,
      }),
      cloud: {
        up: this.#wasConnected,
        text: words.cloudLine({
          up: this.#wasConnected,
          waiting: this.waiting(gateway).batches,
          delivered: number(delivered),
        }),
      },
      values: this.#cells(gateway),
      alarms: gateway.view
        .alarms()
        .filter(({ last }) => last.active)
        .map(({ last }) => `${say(this.#language, last.pri)}  ${last.text[this.#language]}  (${last.rule})`),
      headings: { values: words.values(), alarms: words.alarms(), none: words.noAlarms(), events: words.events() },
      events: this.#events,
      foot: words.quit(),
    }
  }

  paint(gateway: Observed, delivered: number): void {
    this.#screen?.draw(this.#picture(gateway, delivered))
  }

  /** The last line comes below what was drawn. */
  leave(): void {
    this.#screen?.leave()
  }
}

export function number(value: number): string {
  return value.toLocaleString('en-US')
}
