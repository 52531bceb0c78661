/** What the calendar does with the field: frozen registers of meters, and the broadcast of the time where a site wants it. */
import type { Inquiry } from '../bus/bus.ts'
import type { CommandResult } from '../bus/orders.ts'
import type { Event, EventType } from '../model/journal.ts'
import type { Job } from '../runtime/calendar.ts'
import { createZone } from '../runtime/zone.ts'
import type { GatewayView } from './context.ts'
import { createMidnights } from './freeze.ts'
import { createFreezeBook } from './freezebook.ts'
import { createSettled } from './settled.ts'
import { setTimeJobs } from './settime.ts'

export type FieldJobsOptions = {
  /** Of what is in force at each call; the zone is that of the start. */
  readonly view: Pick<GatewayView, 'site' | 'latest' | 'refresh' | 'store' | 'clock' | 'device'>
  readonly ask: (bus: number, inquiry: Inquiry) => Promise<CommandResult>
  readonly tell: (type: EventType, device: string | null, body: Event['body']) => Promise<void>
  /** Durable states, and how one is kept; resolves once it is durable. */
  readonly states: ReadonlyMap<string, string>
  readonly keep: (key: string, value: string) => Promise<void>
  readonly signal: AbortSignal
}

const TEN_MINUTES_MS = 600_000

/** Midnights and settlements of all meters; made once, it follows the site in force. */
export function freezeJob(options: FieldJobsOptions): Job {
  const { view, ask, signal, tell } = options
  const { clock } = view
  const common = {
    site: () => view.site(),
    zone: createZone(view.site().timezone),
    now: () => clock.utc(),
    tell,
    book: createFreezeBook(options.states, options.keep),
    signal,
  }
  const midnights = createMidnights({
    ...common,
    utc: clock.utc,
    mono: clock.mono,
    latest: (point) => view.latest(point),
    refresh: (points, ended) => view.refresh(points, ended),
    history: (query) => view.store.history(query),
  })
  const settled = createSettled({
    ...common,
    speaks: (device) => ['online', 'degraded'].includes(view.device(device).state),
    ask({ link }, question) {
      if (link.kind !== 'bus') throw new RangeError('only devices on a bus are asked')
      return ask(link.bus, { protocol: link.protocol, address: link.address, question })
    },
  })
  return {
    name: 'freeze',
    // Half a minute after midnight, and every ten minutes for what was missed: a clock that is trusted late, a meter that came back.
    cron: '30 */10 * * * *',
    everyMs: TEN_MINUTES_MS,
    async run() {
      await midnights()
      await settled()
    },
  }
}

/** The broadcasts that the site in force wants; another site wants others. */
export function timeJobs({ view, ask, tell }: Pick<FieldJobsOptions, 'view' | 'ask' | 'tell'>): readonly Job[] {
  const zone = createZone(view.site().timezone)
  return setTimeJobs({
    site: () => view.site(),
    zone,
    clock: view.clock,
    ask,
    tell: (body) => tell('audit', null, body),
  })
}
