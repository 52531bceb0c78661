/** Who is on a bus already, and which line settings are in use there: what somebody who looks for more must leave alone. */
import * as z from 'zod'
import { lineOf } from '../bus/timing.ts'
import { lineText } from '../driver/units.ts'
import type { Bus, Site } from '../model/site.ts'
import { protocolOf } from '../protocols/all.ts'
import { findBus } from './find.ts'
import { answering } from './operation.ts'
import { linesInUse } from './search-plan.ts'

export const rosterAnswer = z.strictObject({
  bus: z.string(),
  /** The bus's own setting; null: it has none, or the usual one. */
  line: z.string().nullable(),
  /** All settings in use, its own first. */
  lines: z.array(z.string()),
  /** `modbus 5`, `dlt645 000000000161` */
  devices: z.array(z.string()),
  /** Of all buses and devices of the site: names that are taken. */
  names: z.array(z.string()),
})

export type Roster = z.infer<typeof rosterAnswer>

export const roster = answering({
  name: 'roster',
  role: 'viewer',
  input: z.strictObject({ bus: z.string().min(1).max(64) }),
  output: rosterAnswer,
  run: ({ view }, { bus: id }) => {
    const site = view.site()
    return rosterOf(site, findBus(site, id))
  },
})

export function rosterOf(site: Site, bus: Bus): Roster {
  const links = site.devices.flatMap(({ link }) => (link.kind === 'bus' && link.bus === bus.index ? [link] : []))
  // Where neither the bus nor the device says one, the protocol's usual setting is in use.
  const lines = links.map((link) => lineOf(bus, link, protocolOf(link.protocol).line))
  return {
    bus: bus.id,
    line: bus.line === null ? null : lineText(bus.line),
    lines: [...linesInUse([bus.line, ...lines])],
    devices: links.map(({ protocol, address }) => `${protocol} ${shortest(String(address))}`),
    names: namesOf(site),
  }
}

export function namesOf({ devices, buses }: Site): string[] {
  return [...devices, ...buses].map(({ id }) => id)
}

/** An M-Bus number is resolved with "any" for maker, version and medium behind it; a search names the number alone. */
function shortest(address: string): string {
  return address.length === 16 && address.endsWith('FFFFFFFF') ? address.slice(0, 8) : address
}
