/** The wiring, top to bottom: which rooms there are, in what order they open, and what each is given of the others. */
import { createHistogram } from 'node:perf_hooks'
import { fieldPointsBehind } from './alarm/needs.ts'
import { openBroker } from './broker/broker.ts'
import { openBus, type RunningBus } from './bus/bus.ts'
import { isListening, openListener } from './bus/listener.ts'
import { createRefusals } from './bus/refusals.ts'
import { createCatalogue } from './config/catalogue.ts'
import { createPseudonym, openSiteKey } from './config/sitekey.ts'
import { createAudit } from './control/audit.ts'
import type { GatewayView } from './control/context.ts'
import { watchFacts } from './control/facts.ts'
import { createOutputs } from './control/outputs.ts'
import { buildView } from './control/view.ts'
import { DIALECTS } from './dialects/all.ts'
import type { Site } from './model/site.ts'
import { type Job, openCalendar } from './runtime/calendar.ts'
import { createClock, isTrusted } from './runtime/clock.ts'
import { hostClock } from './runtime/kernel.ts'
import type { Log } from './runtime/log.ts'
import { version } from './runtime/root.ts'
import { Scope } from './runtime/scope.ts'
import { ulid } from './runtime/ulid.ts'
import { openSpine } from './spine.ts'
import type { Outbox } from './store/contract.ts'
import { openStore } from './store/store.ts'
import { openPipe } from './transport/open.ts'
import { openUplink, type Uplink, type UplinkEvent } from './uplink/uplink.ts'
import type { UplinkTimings } from './uplink/timings.ts'

export type Gateway = {
  readonly view: GatewayView
  /** Port of the local broker's first listener. */
  readonly brokerPort: () => number | null
  readonly samplesRead: () => number
  /** The watchdog's question: does the store's writer answer, is no delta left waiting? */
  readonly healthy: () => boolean
  /** Ends reading and local publishing; what was read is committed and cut. */
  readonly stopField: () => Promise<void>
  readonly close: () => Promise<void>
}

/** No true time lies before the release. */
const RELEASED_AT = Date.UTC(2026, 10, 1)

export async function openGateway(options: {
  readonly site: Site
  /** The data directory. */
  readonly data: string
  readonly log: Log
  readonly uplinkTimings?: Partial<UplinkTimings>
}): Promise<Gateway> {
  const { site, data, log } = options
  const scope = new Scope()
  const field = new Scope()
  try {
    const clock = createClock(site.gateway.clock, { floorMs: RELEASED_AT, sources: hostClock() })
    const catalogue = createCatalogue(site)
    const store = await scope.open(
      openStore({
        dir: data,
        settings: site.store,
        points: site.points,
        devices: site.devices,
        catalogueSha: catalogue.sha,
        clock,
        log,
        uplinks: site.uplinks.map((uplink) => uplink.id),
        timezone: site.timezone,
      }),
    )
    const { identity } = store

    const isPersonal = site.points.some((point) => point.personal)
    const key = isPersonal ? openSiteKey(data, process.env['CREDENTIALS_DIRECTORY'] ?? null) : null
    const toOutput = createHistogram()
    const toDurable = createHistogram()
    const spine = openSpine({
      site,
      clock,
      store,
      log,
      outputs: (levels) => outputs.apply(levels),
      ...(key === null ? {} : { pseudonym: createPseudonym(key) }),
      measured: (what, ms) => (what === 'output' ? toOutput : toDurable).record(Math.max(1, Math.round(ms * 1000))),
    })
    scope.defer(spine.close)

    const outputs = createOutputs({
      write: ({ point, value, rule }) =>
        view.write({ id: ulid(clock.utc()), point, value, by: `rule:${rule}`, role: 'engineer' }, field.signal),
      told({ point, value, rule }, outcome) {
        const id = site.points[point]?.id ?? ''
        log.info({ output: id, value, rule, ...outcome }, 'output')
        const body = { operation: 'output', point: id, value, by: `rule:${rule}`, ...outcome }
        spine.tell('audit', null, body).catch(notDurable)
      },
    })

    // What this boot is comes before anything that it says: the cloud learns of a cut, and of names, with the first numbers.
    const { epoch, boot, clean, previous, lastCommitAt, cv, catalogueChanged } = identity
    const told = [
      spine.tell(
        'boot',
        null,
        {
          version: version(),
          clean,
          lastCommitAt,
          firstAt: clock.utc(),
          prevEp: previous?.epoch ?? null,
          prevHi: previous?.hi ?? null,
          why: clean ? 'start' : 'power',
        },
        { urgent: true },
      ),
    ]
    if (catalogueChanged)
      for (const part of catalogue.parts) told.push(spine.tell('meta', null, { cv, ...part }, { urgent: true }))
    log.info({ site: site.id, epoch, boot, clean, cv, version: version() }, 'store open')

    const refusals = createRefusals(store.states, (states) => {
      spine.keep(states).catch(notDurable)
    })
    const urgent = fieldPointsBehind(site, spine.board.inputs())
    const buses: RunningBus[] = []
    for (const bus of site.buses) {
      const common = {
        bus,
        devices: site.devices,
        points: site.points,
        clock,
        post: spine.post,
        log,
        signal: field.signal,
        openPipe,
      }
      if (isListening(bus, site.devices)) {
        buses.push(await field.open(openListener(common)))
        continue
      }
      buses.push(
        await field.open(
          openBus({
            ...common,
            refused: refusals.of,
            remember: refusals.remember,
            urgent,
            mismatch({ id, link }, from) {
              const expected = link.kind === 'bus' ? String(link.address) : ''
              const detail = from === null ? null : `answers as ${from}, expected ${expected}`
              spine.board.setFact(`identity_mismatch.${id}`, from === null ? 'no' : 'yes', detail)
            },
          }),
        ),
      )
    }
    const broker =
      site.broker === null
        ? null
        : await field.open(
            openBroker({
              settings: site.broker,
              devices: site.devices,
              points: site.points,
              post: spine.post,
              clock,
              log,
              signal: field.signal,
              clientId: site.gateway.id,
            }),
          )
    field.defer(() => outputs.close())

    const uplinks = new Map<string, Uplink>()
    const view = buildView({
      version: version(),
      site,
      clock,
      store,
      image: spine.image,
      board: spine.board,
      buses,
      broker,
      uplinks,
      onTurn: spine.onTurn,
      since: spine.since,
      adopt: spine.adopt,
      tell: spine.tell,
      toOutput,
      toDurable,
    })
    scope.defer(view.close)
    const facts = watchFacts({
      site,
      data,
      clock,
      store,
      log,
      setFact: (key, truth, detail) => spine.board.setFact(key, truth, detail ?? null),
      timeCame() {
        const mono = clock.mono()
        spine.tell('time', null, { bt: boot, mo: Math.round(mono), utc: clock.utc(mono) }).catch(notDurable)
      },
    })
    scope.defer(facts.close)

    for (const settings of site.uplinks) {
      const dialect = DIALECTS[settings.dialect]
      const uplink = openUplink({
        settings,
        gateway: site.gateway.id,
        identity,
        outbox: store.outbox(settings.id),
        nextConnection: store.nextConnection,
        onCut: store.onCut,
        cutNow: store.cutNow,
        clock,
        dialect,
        log: log.child({ uplink: settings.id }),
        signal: scope.signal,
        info: () => ({ cv, sha: catalogue.sha, version: version(), cpu: null, disk: facts.diskUsed() }),
        onEvent: uplinkSaid,
        ...(options.uplinkTimings === undefined ? {} : { timings: options.uplinkTimings }),
      })
      uplinks.set(settings.id, uplink)
      // The uplink reports changes only; all is well until it says otherwise.
      for (const kind of ['uplink_undelivered', 'identity_in_use']) spine.board.setFact(`${kind}.${settings.id}`, 'no')
      scope.defer(uplink.close)
    }
    await Promise.all(told)

    const calendar = openCalendar({
      jobs: site.uplinks.slice(0, 1).map(({ id }) => auditJob(store.outbox(id))),
      timezone: site.timezone,
      now: () => (isTrusted(clock.now().quality) ? clock.utc() : null),
      ranAt: (job) => Number(store.states.get(`calendar.${job}`) ?? Number.NaN) || null,
      ran: (job, at) => {
        spine.keep([[`calendar.${job}`, String(at)]]).catch(notDurable)
      },
      log,
    })
    scope.defer(calendar.close)

    function auditJob(outbox: Outbox): Job {
      const run = createAudit({
        store,
        hi: (lane) => outbox.position(lane).hi,
        now: clock.utc,
        tell: spine.tell,
        keep: (name, value) => spine.keep([[name, value]]),
      })
      // A few minutes past, so that what belongs to the hour has been cut.
      return { name: 'audit', cron: '7 * * * *', everyMs: 3_600_000, run }
    }

    function uplinkSaid(said: UplinkEvent): void {
      if (said.kind === 'condition') {
        spine.board.setFact(`${said.condition}.${said.uplink}`, said.active ? 'yes' : 'no', said.detail)
        return
      }
      const { uplink, connected, server, connection, cause } = said
      spine.tell('link', null, { uplink, connected, server, cn: connection, cause }).catch(notDurable)
    }

    function notDurable(error: unknown): void {
      log.error({ err: error }, 'an event could not be made durable')
    }

    async function stopField(): Promise<void> {
      await field.close()
      spine.close()
      await store.cutNow()
    }

    return {
      view,
      brokerPort: () => broker?.status().listening[0]?.port ?? null,
      samplesRead: spine.samplesRead,
      healthy: store.healthy,
      stopField,
      async close() {
        await stopField()
        await scope.close()
      },
    }
  } catch (error) {
    await field.close()
    await scope.close()
    throw error
  }
}
