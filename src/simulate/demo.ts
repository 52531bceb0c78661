/**
 * The demo: a community on real loopback sockets, its gateway, and a cloud that checks every number. The line to the cloud is cut
 * and restored, a pump fails, and the last line says whether anything is missing. Exit 0 only when nothing is.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { printable } from '../cli/printable.ts'
import { checkSite } from '../config/check.ts'
import type { Value } from '../model/point.ts'
import type { Language, Site } from '../model/site.ts'
import { createClock } from '../runtime/clock.ts'
import { hostClock } from '../runtime/kernel.ts'
import { type Log, SILENT } from '../runtime/log.ts'
import { ROOT } from '../runtime/root.ts'
import { Scope } from '../runtime/scope.ts'
import { repeat, sleep } from '../runtime/timer.ts'
import type { GatewayView } from '../control/context.ts'
import type { UplinkTimings } from '../uplink/timings.ts'
import { type Cloud, openCloud } from './cloud.ts'
import { createScreen, type Picture } from './screen.ts'
import { openSimulator, type Simulator } from './simulator.ts'
import { type Act, actsBetween } from './story.ts'
import { wordsOf } from './words.ts'

/** What the demo needs of a gateway; `gateway.ts` opens it. */
export type DemoGateway = {
  readonly view: GatewayView
  /** Where devices that publish reach the local broker. */
  readonly brokerPort: () => number | null
  readonly samplesRead: () => number
  /** Ends reading and local publishing; what was read is committed and cut. */
  readonly stopField: () => Promise<void>
  readonly close: () => Promise<void>
}
export type OpenGateway = (options: {
  site: Site
  data: string
  log: Log
  uplinkTimings: Partial<UplinkTimings>
}) => Promise<DemoGateway>

/** A minute is short: the demo reconnects within two seconds, and what is older than five is backlog already. */
const UPLINK_TIMINGS: Partial<UplinkTimings> = { backoffBaseMs: 500, backoffMaxMs: 2000, spreadMs: 0, youngMs: 5000 }

export type DemoOptions = {
  readonly forMs: number
  /** null: a directory of its own, removed at the end. */
  readonly data: string | null
  readonly language: Language | null
  readonly json: boolean
  readonly signal: AbortSignal
  readonly openGateway: OpenGateway
  readonly out: (text: string) => void
  readonly terminal: boolean
}

const SITE = join(ROOT, 'config/demo/site.yaml')
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
/** Nothing is made up here: the drain ends when the outbox is empty, this only bounds the wait. */
const DRAIN_MS_MAX = 15_000

/** The demo's site file with wires, broker and cloud put where this run has them. */
function putInPlace(site: Site, simulator: Simulator, cloudPort: number): Site {
  const addresses = new Map(simulator.buses.map((bus) => [bus.id, bus]))
  return {
    ...site,
    buses: site.buses.map((bus) => {
      const simulated = addresses.get(bus.id)
      if (simulated === undefined || simulated.address.kind === 'serial' || bus.wire.kind === 'serial') return bus
      const { host, port } = simulated.address
      return { ...bus, wireText: simulated.wire, wire: { kind: bus.wire.kind, host, port } }
    }),
    uplinks: site.uplinks.map((uplink) => ({ ...uplink, servers: [`mqtt://127.0.0.1:${cloudPort}`] })),
    broker:
      site.broker === null
        ? null
        : { ...site.broker, listen: site.broker.listen.map((listener) => ({ ...listener, port: 0 })) },
  }
}

export async function runDemo(options: DemoOptions): Promise<number> {
  const checked = checkSite(SITE, { libraries: [join(ROOT, 'drivers')] })
  if (checked.site === null) throw new Error(`${SITE} does not pass its check: ${JSON.stringify(checked.findings)}`)
  const demo = new Demo(options, checked.site)
  try {
    return await demo.run()
  } finally {
    await demo.close()
  }
}

class Demo {
  readonly #options: DemoOptions
  readonly #site: Site
  readonly #words
  readonly #language: Language
  readonly #scope = new Scope()
  readonly #clock = createClock('system', { floorMs: 0, sources: hostClock() })
  readonly #startedMono: number
  readonly #events: string[] = []
  readonly #screen
  #deliveredSamples = 0
  #lineBackAt: number | null = null
  #wasConnected = false
  #standbySeen = false
  #announced = new Map<string, boolean>()

  constructor(options: DemoOptions, site: Site) {
    this.#options = options
    this.#site = site
    this.#language = options.language ?? site.language ?? 'en'
    this.#words = wordsOf(this.#language)
    this.#startedMono = this.#clock.mono()
    this.#screen = options.terminal ? createScreen(options.out) : null
  }

  close(): Promise<void> {
    return this.#scope.close()
  }

  async run(): Promise<number> {
    const { options } = { options: this.#options }
    const data = options.data ?? (await this.#temporaryFolder())
    const cloud = await this.#scope.open(
      openCloud({
        port: 0,
        log: SILENT,
        onMessage: (message) => {
          if (message.kind === 'batch' && message.batch.lane === 't' && message.judgement === 'new') {
            this.#deliveredSamples += message.batch.statements
          }
        },
      }),
    )
    const settings: { url: string | null } = { url: null }
    const simulator: Simulator = await this.#scope.open(
      openSimulator({
        site: this.#site,
        clock: this.#clock,
        log: SILENT,
        seed: 7,
        portBase: 0,
        onWrite: (point, value) => this.#outputWritten(simulator, point, value),
        ...this.#publishers(() => settings.url),
      }),
    )
    simulator.set('pump_1.running', true)
    simulator.set('pump_1.fault', false)
    simulator.set('pump_2.running', false)
    simulator.set('pump_2.fault', false)
    for (const lift of ['lift_1', 'lift_2']) {
      simulator.set(`${lift}.fault`, false)
      simulator.set(`${lift}.alarm_button`, false)
      simulator.set(`${lift}.inspection`, false)
      simulator.set(`${lift}.power_ok`, true)
    }
    const site = putInPlace(this.#site, simulator, cloud.port)
    const gateway = await options.openGateway({ site, data, log: SILENT, uplinkTimings: UPLINK_TIMINGS })
    let closed = false
    this.#scope.defer(async () => {
      if (!closed) await gateway.close()
    })
    const brokerPort = gateway.brokerPort()
    if (brokerPort !== null) settings.url = `mqtt://127.0.0.1:${brokerPort}`

    this.#say(
      this.#words.opening({
        name: this.#site.name[this.#language],
        devices: site.devices.length,
        points: site.points.length,
        seconds: Math.round(options.forMs / 1000),
      }),
    )
    this.#say(this.#words.lookInside({ dir: data }))
    await this.#play(gateway, simulator, cloud)

    this.#say(this.#words.stopping())
    await gateway.stopField()
    if (!cloud.isUp()) await cloud.start()
    await this.#drained(gateway)
    const read = gateway.samplesRead()
    const { samplesCommitted } = gateway.view.store.status()
    const waiting = this.#waiting(gateway)
    // Everything that was cut must have come: the gateway's own numbers are held against the cloud's ledger.
    for (const uplink of site.uplinks) {
      const outbox = gateway.view.store.outbox(uplink.id)
      for (const lane of ['t', 'a', 'e'] as const) {
        const key = { gateway: site.gateway.id, epoch: gateway.view.identity.epoch, lane }
        cloud.ledger.heard(key, outbox.position(lane).hi)
      }
    }
    await gateway.close()
    closed = true
    return this.#verdict(cloud, { read, committed: samplesCommitted, waiting })
  }

  #publishers(url: () => string | null): { broker?: { url: () => string | null; username: string; password: string } } {
    const client = this.#site.broker?.clients[0]
    if (client === undefined) return {}
    return { broker: { url, username: client.id, password: client.password?.reveal() ?? '' } }
  }

  async #temporaryFolder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-demo-'))
    this.#scope.defer(() => rm(folder, { recursive: true, force: true }))
    return folder
  }

  /** Until the field is to stop, or Ctrl-C. */
  async #play(gateway: DemoGateway, simulator: Simulator, cloud: Cloud): Promise<void> {
    const { forMs, signal } = this.#options
    const ended = new AbortController()
    const end = (): void => ended.abort()
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
    let last = 0
    let shownAt = Number.NEGATIVE_INFINITY
    const beat = repeat(100, () => {
      const elapsed = this.#clock.mono() - this.#startedMono
      for (const act of actsBetween(last, elapsed, forMs)) {
        if (act === 'field_stops') end()
        else void this.#act(act, gateway, simulator, cloud)
      }
      last = elapsed
      this.#watch(gateway)
      if (this.#screen !== null) this.#screen.draw(this.#picture(gateway))
      else if (elapsed - shownAt >= 5000) {
        shownAt = elapsed
        this.#say(this.#valuesLine(gateway))
      }
    })
    await sleep(2 ** 40, ended.signal)
    beat.close()
    signal.removeEventListener('abort', end)
  }

  async #act(
    act: Exclude<Act, 'field_stops'>,
    gateway: DemoGateway,
    simulator: Simulator,
    cloud: Cloud,
  ): Promise<void> {
    switch (act) {
      case 'pump_trips':
        this.#say(this.#words.pumpTrips())
        simulator.set('pump_1.running', false)
        simulator.set('pump_1.fault', true)
        return
      case 'pump_repaired':
        this.#say(this.#words.pumpRepaired())
        simulator.set('pump_1.fault', false)
        simulator.set('pump_1.running', true)
        return
      case 'button_pressed':
        this.#say(this.#words.button())
        simulator.set('lift_1.alarm_button', true)
        return
      case 'button_released':
        this.#say(this.#words.buttonReleased())
        simulator.set('lift_1.alarm_button', false)
        return
      case 'line_cut':
        this.#say(this.#words.lineCut())
        await cloud.stop()
        return
      case 'line_back': {
        this.#say(this.#words.lineBack(this.#waiting(gateway)))
        await cloud.start()
        this.#lineBackAt = this.#clock.mono()
      }
    }
  }

  /** The pump room's wiring: relay 1 starts the standby pump. */
  #outputWritten(simulator: Simulator, point: string, value: Value): void {
    if (point !== 'io_pumps.relay_1') return
    this.#say(this.#words.output({ point, value: String(value), rule: 'pump_1_failed' }))
    simulator.set('pump_2.running', value)
  }

  #waiting(gateway: DemoGateway): { batches: number; samples: number } {
    let batches = 0
    let samples = 0
    for (const uplink of this.#site.uplinks) {
      const waiting = gateway.view.store.outbox(uplink.id).waiting()
      batches += waiting.batches
      samples += waiting.samples
    }
    return { batches, samples }
  }

  /** Says what has changed since the last look. */
  #watch(gateway: DemoGateway): void {
    for (const uplink of this.#site.uplinks) {
      const { connected, server, reason } = gateway.view.uplink(uplink.id)
      if (connected !== this.#wasConnected) {
        this.#say(
          connected ? this.#words.lineUp({ server: server ?? '' }) : this.#words.lineDown({ cause: reason ?? '' }),
        )
        this.#wasConnected = connected
      }
    }
    if (this.#lineBackAt !== null && this.#waiting(gateway).batches === 0) {
      this.#say(this.#words.drained({ seconds: ((this.#clock.mono() - this.#lineBackAt) / 1000).toFixed(1) }))
      this.#lineBackAt = null
    }
    for (const { last } of gateway.view.alarms()) {
      if (this.#announced.get(last.id) === last.active) continue
      const text = last.text[this.#language]
      if (last.active) this.#say(this.#words.raised({ priority: last.pri, text: `${text} (${last.rule})` }))
      else if (this.#announced.has(last.id)) this.#say(this.#words.cleared({ text: `${text} (${last.rule})` }))
      this.#announced.set(last.id, last.active)
    }
    if (!this.#standbySeen && this.#valueOf(gateway, 'pump_2.running') === true) {
      this.#standbySeen = true
      this.#say(this.#words.standby())
    }
  }

  #valueOf(gateway: DemoGateway, id: string): Value | null {
    const point = this.#site.points.find((candidate) => candidate.id === id)
    if (point === undefined) return null
    const sample = gateway.view.latest(point.index)
    return sample.quality === 'bad' ? null : sample.value
  }

  #cells(gateway: DemoGateway): Picture['values'] {
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

  #valuesLine(gateway: DemoGateway): string {
    return this.#cells(gateway)
      .map(({ name, text }) => `${name} ${text}`)
      .join('  ')
  }

  #picture(gateway: DemoGateway): Picture {
    const words = this.#words
    const good = this.#site.points.filter((point) => gateway.view.latest(point.index).quality === 'good').length
    return {
      title: `Gatehouse  ${this.#site.name[this.#language]}  ${((this.#clock.mono() - this.#startedMono) / 1000).toFixed(0)} s / ${Math.round(this.#options.forMs / 1000)} s`,
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
          waiting: this.#waiting(gateway).batches,
          delivered: number(this.#deliveredSamples),
        }),
      },
      values: this.#cells(gateway),
      alarms: gateway.view
        .alarms()
        .filter(({ last }) => last.active)
        .map(({ last }) => `${last.pri}  ${last.text[this.#language]}  (${last.rule})`),
      headings: { values: words.values(), alarms: words.alarms(), none: words.noAlarms(), events: words.events() },
      events: this.#events,
      foot: words.quit(),
    }
  }

  async #drained(gateway: DemoGateway): Promise<void> {
    const end = this.#clock.mono() + DRAIN_MS_MAX
    while (this.#waiting(gateway).batches > 0 && this.#clock.mono() < end) {
      this.#watch(gateway)
      await sleep(50)
    }
    this.#watch(gateway)
  }

  #verdict(cloud: Cloud, counts: { read: number; committed: number; waiting: { batches: number } }): number {
    const report = cloud.report()
    const verdict = {
      read: counts.read,
      committed: counts.committed,
      delivered: this.#deliveredSamples,
      undeclaredGaps: report.undeclared,
      duplicates: report.duplicates,
    }
    if (report.breaches > 0) {
      this.#say(this.#words.breaches({ count: report.breaches, first: report.breachTexts[0] ?? '' }))
    }
    if (counts.waiting.batches > 0) this.#say(this.#words.notDelivered({ batches: counts.waiting.batches }))
    this.#screen?.leave()
    if (this.#options.json) this.#options.out(`${JSON.stringify(verdict)}\n`)
    else {
      this.#options.out(
        `${this.#words.verdict({
          read: number(verdict.read),
          committed: number(verdict.committed),
          delivered: number(verdict.delivered),
          gaps: verdict.undeclaredGaps,
          duplicates: verdict.duplicates,
        })}\n`,
      )
    }
    return report.undeclared === 0 && report.conflicts === 0 && report.breaches === 0 ? 0 : 1
  }

  #say(text: string): void {
    const line = `${((this.#clock.mono() - this.#startedMono) / 1000).toFixed(1).padStart(6)} s  ${text}`
    this.#events.push(line)
    if (this.#events.length > 100) this.#events.shift()
    if (this.#screen === null && !this.#options.json) this.#options.out(`${printable(line)}\n`)
  }
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}
