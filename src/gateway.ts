/** The wiring, top to bottom: which rooms there are, in what order they open, and what each is given of the others. */
import { createHistogram } from 'node:perf_hooks'
import { answersAsText } from './alarm/builtin.ts'
import { createCatalogue } from './config/catalogue.ts'
import type { Checked } from './config/check.ts'
import type { SiteDiff } from './config/diff.ts'
import { createAudit } from './control/audit.ts'
import { describeBoot } from './control/boot.ts'
import type { GatewayView, ReloadOutcome } from './control/context.ts'
import { type Facts, watchFacts } from './control/facts.ts'
import { type FieldJobsOptions, freezeJob, timeJobs } from './control/fieldjobs.ts'
import { standing } from './control/standing.ts'
import { buildView } from './control/view.ts'
import { DIALECTS } from './dialects/all.ts'
import { type Field, type Lasting, openField, openSiteBroker } from './field.ts'
import type { Site, UplinkSettings } from './model/site.ts'
import { createReload } from './reload.ts'
import { type Calendar, type Job, openCalendar } from './runtime/calendar.ts'
import { createClock, isTrusted } from './runtime/clock.ts'
import { hostClock } from './runtime/kernel.ts'
import type { Log } from './runtime/log.ts'
import { version } from './runtime/root.ts'
import { Scope } from './runtime/scope.ts'
import { ulid } from './runtime/ulid.ts'
import type { Outbox } from './store/contract.ts'
import { openStore } from './store/store.ts'
import { keepStates } from './store/states.ts'
import { openUplink, type Uplink, type UplinkEvent } from './uplink/uplink.ts'
import type { UplinkTimings } from './uplink/timings.ts'

export type Gateway = {
  readonly view: GatewayView
  /** Port of the local broker's first listener. */
  readonly brokerPort: () => number | null
  readonly samplesRead: () => number
  /** The watchdog's question: does the store's writer answer, is no delta left waiting? */
  readonly healthy: () => boolean
  /** Takes over the site file as it is now; a failure keeps the old one and says why. Never rejects for what is in the file. */
  readonly reload: (by: string) => Promise<ReloadOutcome>
  /** Ends reading and local publishing; what was read is committed and cut. */
  readonly stopField: () => Promise<void>
  readonly close: () => Promise<void>
}

/** No true time lies before the release. */
const RELEASED_AT = Date.UTC(2026, 10, 1)

/** What is in force of the configuration. */
type InForce = {
  readonly field: Field
  readonly view: GatewayView & { readonly close: () => void }
  readonly facts: Facts
  readonly cv: number
  readonly sha: string
  /** Ends view and watchers. */
  readonly close: () => void
}

export async function openGateway(options: {
  readonly site: Site
  /** The data directory. */
  readonly data: string
  readonly log: Log
  readonly uplinkTimings?: Partial<UplinkTimings>
  /** The site file, checked now. Left out: it cannot be reloaded. */
  readonly check?: () => Promise<Checked>
}): Promise<Gateway> {
  const { data, log } = options
  const first = options.site
  const scope = new Scope()
  const field = new Scope()
  try {
    const clock = createClock(first.gateway.clock, { floorMs: RELEASED_AT, sources: hostClock() })
    const catalogue = createCatalogue(first)
    const store = keepStates(
      await scope.open(
        openStore({
          dir: data,
          settings: first.store,
          points: first.points,
          devices: first.devices,
          catalogueSha: catalogue.sha,
          clock,
          log,
          uplinks: first.uplinks.map((uplink) => uplink.id),
          timezone: first.timezone,
        }),
      ),
    )
    const { identity } = store
    const startedMono = clock.mono()
    const toOutput = createHistogram()
    const toDurable = createHistogram()
    const uplinks = new Map<string, Uplink>()
    const turned = new Set<(points: readonly number[]) => void>()
    /** Read by spines that are no more. */
    let readBefore = 0

    const lasting: Lasting = {
      data,
      clock,
      log,
      store,
      signal: field.signal,
      measured: (what, ms) => (what === 'output' ? toOutput : toDurable).record(Math.max(1, Math.round(ms * 1000))),
      keep: (states) => {
        inForce.field.spine.keep(states).catch(notDurable)
      },
      mismatch({ id, link }, from) {
        const expected = link.kind === 'bus' ? String(link.address) : null
        const detail = from === null ? null : answersAsText(from, expected)
        inForce.field.spine.board.setFact(`identity_mismatch.${id}`, from === null ? 'no' : 'yes', detail)
      },
      write: async ({ point, value, rule }, site) =>
        site === inForce.field.site
          ? await inForce.view.write(
              { id: ulid(clock.utc()), point, value, by: `rule:${rule}`, role: 'engineer' },
              field.signal,
            )
          : { outcome: 'refused', cause: 'the site file was reloaded' },
      // For people there is `explain`; the record keeps the cause.
      written(point, { value, rule }, told) {
        const outcome = 'reason' in told ? { outcome: told.outcome, cause: told.cause } : told
        log.info({ output: point, value, rule, ...outcome }, 'output')
        tell('audit', { operation: 'output', point, value, by: `rule:${rule}`, ...outcome })
      },
    }

    const { reload, idle } = createReload({
      lasting,
      store,
      check: async () => (await options.check?.()) ?? null,
      present: () => inForce,
      retire: () => inForce.close(),
      enforce(next, version_, sha) {
        if (next.spine !== inForce.field.spine) readBefore += inForce.field.spine.samplesRead()
        inForce = enforce(next, version_, sha)
      },
      followed,
      tell: (type, body, urgent) => inForce.field.spine.tell(type, null, body, { urgent }),
    })
    const broker = await openSiteBroker(first, lasting)
    let inForce = enforce(
      openField(first, lasting, { broker, before: null, kept: new Set() }),
      identity.cv,
      catalogue.sha,
    )

    // What this boot is comes before anything that it says: the cloud learns of a cut, and of names, with the first numbers.
    const { epoch, boot, clean, cv, catalogueChanged } = identity
    const { spine } = inForce.field
    const begun = describeBoot(identity, { version: version(), firstAt: clock.utc() })
    const told = [spine.tell('boot', null, begun, { urgent: true })]
    if (catalogueChanged)
      for (const part of catalogue.parts) told.push(spine.tell('meta', null, { cv, ...part }, { urgent: true }))
    log.info({ site: first.id, epoch, boot, clean, cv, version: version() }, 'store open')

    for (const settings of first.uplinks) openSiteUplink(settings)
    retellUplinks()
    // On a disk that takes nothing now they are owed: the writer tries again, and the daemon must be there when it does.
    await Promise.all(told).catch(notDurable)

    const fieldWork: FieldJobsOptions = {
      view: standing(() => inForce.view),
      ask(bus, inquiry) {
        const running = inForce.field.buses.find((each) => each.bus.index === bus)
        if (running === undefined) throw new RangeError(`there is no bus ${bus}`)
        return running.ask(inquiry)
      },
      tell: (type, device, body) => inForce.field.spine.tell(type, device, body),
      states: store.states,
      keep: (name, value) => inForce.field.spine.keep([[name, value]]),
      signal: field.signal,
    }
    const calendarOf = (jobs: readonly Job[]): Calendar =>
      openCalendar({
        jobs,
        timezone: first.timezone,
        now: () => (isTrusted(clock.now().quality) ? clock.utc() : null),
        ranAt: (job) => Number(store.states.get(`calendar.${job}`) ?? Number.NaN) || null,
        ran: (job, at) => lasting.keep([[`calendar.${job}`, String(at)]]),
        log,
      })
    const audits = first.uplinks.slice(0, 1).map(({ id }) => auditJob(store.outbox(id)))
    const calendar = calendarOf([...audits, freezeJob(fieldWork)])
    scope.defer(calendar.close)
    let broadcasts = calendarOf(timeJobs(fieldWork))
    scope.defer(() => broadcasts.close())

    /** View and watchers of a field. */
    function enforce(next: Field, version_: number, sha: string): InForce {
      const { site, spine: nextSpine } = next
      const deaf = nextSpine.onTurn((points) => {
        for (const listener of turned) listener(points)
      })
      const view = buildView({
        version: version(),
        startedMono,
        site,
        clock,
        store: { ...store, identity: { ...identity, cv: version_ } },
        image: nextSpine.image,
        board: nextSpine.board,
        buses: next.buses,
        broker: next.broker?.own ?? null,
        uplinks,
        onTurn(listener) {
          turned.add(listener)
          return () => turned.delete(listener)
        },
        since: nextSpine.since,
        stateOf: nextSpine.stateOf,
        adopt: nextSpine.adopt,
        tell: nextSpine.tell,
        keep: nextSpine.keep,
        reload,
        toOutput,
        toDurable,
      })
      const facts = watchFacts({
        site,
        data,
        clock,
        store,
        log,
        setFact: (key, truth, detail) => nextSpine.board.setFact(key, truth, detail ?? null),
        timeCame() {
          const mono = clock.mono()
          tell('time', { bt: boot, mo: Math.round(mono), utc: clock.utc(mono) })
        },
      })
      const close = (): void => {
        deaf()
        facts.close()
        view.close()
      }
      return { field: next, view, facts, cv: version_, sha, close }
    }

    function openSiteUplink(settings: UplinkSettings): void {
      const uplink = openUplink({
        settings,
        gateway: first.gateway.id,
        identity,
        outbox: store.outbox(settings.id),
        nextConnection: store.nextConnection,
        onCut: store.onCut,
        cutNow: store.cutNow,
        clock,
        dialect: DIALECTS[settings.dialect],
        log: log.child({ uplink: settings.id }),
        signal: scope.signal,
        info: () => ({
          cv: inForce.cv,
          sha: inForce.sha,
          version: version(),
          cpu: inForce.facts.cpuUsed(),
          disk: inForce.facts.diskUsed(),
        }),
        onEvent: uplinkSaid,
        spent: {
          before: store.states.get(`budget.${settings.id}`) ?? null,
          keep: (text) => lasting.keep([[`budget.${settings.id}`, text]]),
        },
        ...(options.uplinkTimings === undefined ? {} : { timings: options.uplinkTimings }),
      })
      uplinks.set(settings.id, uplink)
    }

    /** An uplink reports changes only: a new board is told how things are. */
    function retellUplinks(): void {
      for (const [id, uplink] of uplinks) {
        const { conditions } = uplink.status()
        for (const kind of ['uplink_undelivered', 'identity_in_use'] as const)
          inForce.field.spine.board.setFact(`${kind}.${id}`, conditions.includes(kind) ? 'yes' : 'no')
      }
    }

    function uplinkSaid(said: UplinkEvent): void {
      if (said.kind === 'condition') {
        const { condition, active, detail } = said
        inForce.field.spine.board.setFact(`${condition}.${said.uplink}`, active ? 'yes' : 'no', detail)
        return
      }
      const { uplink, connected, server, connection, cause } = said
      tell('link', { uplink, connected, server, cn: connection, cause })
    }

    function auditJob(outbox: Outbox): Job {
      const run = createAudit({
        store,
        hi: (lane) => outbox.position(lane).hi,
        now: clock.utc,
        tell: (type, device, body) => inForce.field.spine.tell(type, device, body),
        keep: (name, value) => inForce.field.spine.keep([[name, value]]),
      })
      // A few minutes past, so that what belongs to the hour has been cut.
      return { name: 'audit', cron: '7 * * * *', everyMs: 3_600_000, run }
    }

    function tell(type: 'audit' | 'link' | 'time', body: Readonly<Record<string, unknown>>): void {
      inForce.field.spine.tell(type, null, body).catch(notDurable)
    }

    function notDurable(error: unknown): void {
      log.error({ err: error }, 'an event could not be made durable')
    }

    /** After a reload: what hangs on the site beside the field. */
    async function followed(site: Site, { uplinks: { changed } }: SiteDiff): Promise<void> {
      retellUplinks()
      void broadcasts.close()
      broadcasts = calendarOf(timeJobs(fieldWork))
      for (const listener of turned) listener([])
      for (const settings of site.uplinks) {
        if (!changed.includes(settings.id)) continue
        await uplinks.get(settings.id)?.close()
        openSiteUplink(settings)
      }
    }

    async function stopField(): Promise<void> {
      await idle()
      const { outputs, held, broker: local, spine: now } = inForce.field
      const closing = [...held.values()].map(({ own }) => own.close())
      await Promise.all([...closing, local?.own.close(), outputs.close()])
      await field.close()
      now.close()
      await store.cutNow()
    }

    return {
      view: standing(() => inForce.view),
      brokerPort: () => inForce.field.broker?.own.status().listening[0]?.port ?? null,
      samplesRead: () => readBefore + inForce.field.spine.samplesRead(),
      healthy: store.healthy,
      reload,
      stopField,
      async close() {
        await stopField()
        inForce.close()
        await Promise.all([...uplinks.values()].map((uplink) => uplink.close()))
        await scope.close()
      },
    }
  } catch (error) {
    await field.close()
    await scope.close()
    throw error
  }
}
