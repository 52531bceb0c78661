/**
 * The demo: a community on real loopback sockets, its gateway, and a cloud that checks every number. The line to the cloud is cut
 * and restored, a pump fails, and the last line says whether anything is missing. Exit 0 only when nothing is.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
import { openControlSocket, SOCKET_NAME } from '../control/socket.ts'
import type { UplinkTimings } from '../uplink/timings.ts'
import { type Cloud, openCloud } from './cloud.ts'
import { openSimulator, type Simulator } from './simulator.ts'
import { number, Observer } from './observer.ts'
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
  readonly #observer: Observer
  #deliveredSamples = 0

  constructor(options: DemoOptions, site: Site) {
    this.#options = options
    this.#site = site
    this.#language = options.language ?? site.language ?? 'en'
    this.#words = wordsOf(this.#language)
    this.#startedMono = this.#clock.mono()
    this.#observer = new Observer({
      site,
      language: this.#language,
      terminal: options.terminal && !options.json,
      silent: options.json,
      lengthMs: options.forMs,
      elapsedMs: () => this.#clock.mono() - this.#startedMono,
      out: options.out,
    })
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
    await this.#scope.open(openControlSocket({ path: join(data, SOCKET_NAME), view: gateway.view, log: SILENT }))
    let closed = false
    this.#scope.defer(async () => {
      if (!closed) await gateway.close()
    })
    const brokerPort = gateway.brokerPort()
    if (brokerPort !== null) settings.url = `mqtt://127.0.0.1:${brokerPort}`

    this.#observer.say(
      this.#words.opening({
        name: this.#site.name[this.#language],
        devices: site.devices.length,
        points: site.points.length,
        seconds: Math.round(options.forMs / 1000),
      }),
    )
    this.#observer.say(this.#words.lookInside({ dir: data }))
    await this.#play(gateway, simulator, cloud)

    this.#observer.say(this.#words.stopping())
    await gateway.stopField()
    if (!cloud.isUp()) await cloud.start()
    await this.#drained(gateway)
    const read = gateway.samplesRead()
    const { samplesCommitted } = gateway.view.store.status()
    const waiting = this.#observer.waiting(gateway)
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
      this.#observer.look(gateway)
      if (this.#observer.terminal) this.#observer.paint(gateway, this.#deliveredSamples)
      else if (elapsed - shownAt >= 5000) {
        shownAt = elapsed
        this.#observer.say(this.#observer.valuesLine(gateway))
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
        this.#observer.say(this.#words.pumpTrips())
        simulator.set('pump_1.running', false)
        simulator.set('pump_1.fault', true)
        return
      case 'pump_repaired':
        this.#observer.say(this.#words.pumpRepaired())
        simulator.set('pump_1.fault', false)
        simulator.set('pump_1.running', true)
        return
      case 'button_pressed':
        this.#observer.say(this.#words.button())
        simulator.set('lift_1.alarm_button', true)
        return
      case 'button_released':
        this.#observer.say(this.#words.buttonReleased())
        simulator.set('lift_1.alarm_button', false)
        return
      case 'line_cut':
        this.#observer.say(this.#words.lineCut())
        await cloud.stop()
        return
      case 'line_back': {
        this.#observer.say(this.#words.lineBack(this.#observer.waiting(gateway)))
        await cloud.start()
        this.#observer.lineIsBack()
      }
    }
  }

  /** The pump room's wiring: relay 1 starts the standby pump. */
  #outputWritten(simulator: Simulator, point: string, value: Value): void {
    if (point !== 'io_pumps.relay_1') return
    this.#observer.say(this.#words.output({ point, value: String(value), rule: 'pump_1_failed' }))
    simulator.set('pump_2.running', value)
  }

  async #drained(gateway: DemoGateway): Promise<void> {
    const end = this.#clock.mono() + DRAIN_MS_MAX
    while (this.#observer.waiting(gateway).batches > 0 && this.#clock.mono() < end) {
      this.#observer.look(gateway)
      await sleep(50)
    }
    this.#observer.look(gateway)
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
      this.#observer.say(this.#words.breaches({ count: report.breaches, first: report.breachTexts[0] ?? '' }))
    }
    if (counts.waiting.batches > 0) this.#observer.say(this.#words.notDelivered({ batches: counts.waiting.batches }))
    this.#observer.leave()
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
}
