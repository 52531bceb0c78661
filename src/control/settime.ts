/** The broadcast of the time to DL/T 645 meters (08H): meters follow it once a day, by 5 minutes at most, and none answers. */
import type { CommandResult } from '../bus/orders.ts'
import type { Visit } from '../bus/seats.ts'
import { lineText } from '../driver/units.ts'
import { causeText } from '../model/fault.ts'
import type { Event } from '../model/journal.ts'
import type { Bus, Device, DeviceLink, Site } from '../model/site.ts'
import { BROADCAST, broadcastTime } from '../protocols/dlt645/index.ts'
import type { Question } from '../protocols/protocol.ts'
import type { Job } from '../runtime/calendar.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Zone } from '../runtime/zone.ts'

export type SetTimeOptions = {
  readonly site: () => Site
  readonly zone: Zone
  readonly clock: Pick<Clock, 'now' | 'utc'>
  readonly ask: (bus: number, inquiry: Visit & { question: Question; expiresMs: number }) => Promise<CommandResult>
  readonly tell: (body: Event['body']) => Promise<void>
}

/** The time in the question is that of its making: it must not wait longer for the wire than a meter's clock may be off. */
const WAIT_MAX_MS = 2000
const TRIES = 3

/** One job for each bus that wants it. What was missed is not made up for: any later time is as good. */
export function setTimeJobs(options: SetTimeOptions): readonly Job[] {
  return options.site().buses.flatMap((bus): readonly Job[] =>
    bus.setTime === undefined
      ? []
      : [
          {
            name: `set_time.${bus.id}`,
            cron: bus.setTime,
            everyMs: Number.POSITIVE_INFINITY,
            run: () => setTime(bus.id, options),
          },
        ],
  )
}

/** Once for each line setting that meters of the bus have: who is not set to it hears nothing. */
async function setTime(id: string, options: SetTimeOptions): Promise<void> {
  const { devices, buses } = options.site()
  const bus = buses.find((each) => each.id === id)
  if (bus === undefined) return
  const settings = new Map<string, MeterLink>()
  for (const link of linksOf(devices, bus)) {
    const text = link.line === null ? '' : lineText(link.line)
    if (!settings.has(text)) settings.set(text, link)
  }
  for (const [line, link] of settings) {
    const result = await send(bus, link, options)
    await options.tell({ operation: 'set_time', bus: id, by: 'calendar', ...(line === '' ? {} : { line }), ...result })
  }
}

async function send(bus: Bus, { line, limits }: MeterLink, options: SetTimeOptions): Promise<Event['body']> {
  const { zone, clock } = options
  let cause = 'expired'
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const { quality } = clock.now()
    if (quality !== 1 && quality !== 2) return { outcome: 'refused', cause: 'clock_not_trusted' }
    const utc = clock.utc()
    const result = await options.ask(bus.index, {
      protocol: 'dlt645',
      address: BROADCAST,
      ...(line === null ? {} : { line }),
      limits: { minGapMs: limits.minGapMs, guardMs: limits.guardMs, echo: limits.echo },
      question: broadcastTime(zone.wall(utc)),
      expiresMs: WAIT_MAX_MS,
    })
    if (result.kind === 'answer') return { outcome: 'sent', time: utc }
    cause = result.kind === 'unsent' ? result.why : causeText(result.fault)
    // It may have been on the wire: meters follow once a day, and not twice.
    if (result.kind === 'fault' || cause === 'closed') break
  }
  return { outcome: 'expired', cause }
}

type MeterLink = Extract<DeviceLink, { kind: 'bus' }>

function linksOf(devices: readonly Device[], bus: Bus): readonly MeterLink[] {
  return devices.flatMap(({ link }) =>
    link.kind === 'bus' && link.bus === bus.index && link.protocol === 'dlt645' ? [link] : [],
  )
}
