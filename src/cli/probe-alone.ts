/** Opens a wire for one question and closes it again: there is no daemon, or no site file yet. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openBus } from '../bus/bus.ts'
import type { Visit } from '../bus/seats.ts'
import { checkSite } from '../config/check.ts'
import { parseWire } from '../config/wires.ts'
import { findDevice } from '../control/find.ts'
import { visitOf } from '../control/probe.ts'
import { type Closed, closedOf, probeModbus } from '../control/probing.ts'
import type { ProbeAnswer, ProbeWanted } from '../control/shapes-probe.ts'
import { lineText, parseLine } from '../driver/units.ts'
import type { Bus, Line, Site } from '../model/site.ts'
import { createClock } from '../runtime/clock.ts'
import { hostClock } from '../runtime/kernel.ts'
import { SILENT } from '../runtime/log.ts'
import { ROOT } from '../runtime/root.ts'
import { openPipe } from '../transport/open.ts'
import { CliError, EXIT } from './exit.ts'
import { CONFIG_PLACES, findConfig, type Session } from './session.ts'
import { shutError } from './shut.ts'
import { say } from './text.ts'

export type Where = {
  /** A wire, or a device of the site file. */
  readonly target: string
  readonly unit: number | null
  readonly line: string | null
  readonly ascii: boolean
}

type Alone = { readonly bus: Bus; readonly visit: Visit; readonly closed: readonly Closed[] }

/** Throws OperationError and CliError. */
export async function probeAlone(session: Session, where: Where, wanted: ProbeWanted): Promise<ProbeAnswer> {
  const { bus, visit, closed } = onWire(session, where) ?? onBus(session, where) ?? ofDevice(session, where)
  const running = openBus({
    bus,
    devices: [],
    points: [],
    clock: createClock('system', { floorMs: 0, sources: hostClock() }),
    post: () => undefined,
    log: SILENT,
    signal: session.io.signal,
    openPipe,
  })
  try {
    const answer = await probeModbus({ bus: running, visit, closed }, wanted)
    const { why } = running.status()
    const { wire, wireText } = bus
    if (why !== null && answer.reads.every(({ raw }) => raw === null))
      throw await shutError({ wire, wireText, why, language: session.connection.language ?? 'en', env: session.io.env })
    return answer
  } finally {
    await running.close()
  }
}

function siteIn(file: string): Site | null {
  return checkSite(file, { libraries: [join(ROOT, 'drivers')] }).site
}

/** null: there is no bus of this name, or no unit was said. */
function onBus(session: Session, { target, unit, line, ascii }: Where): Alone | null {
  const file = session.config ?? CONFIG_PLACES.find((place) => existsSync(place))
  const bus = file === undefined || unit === null ? undefined : siteIn(file)?.buses.find(({ id }) => id === target)
  if (bus === undefined) return null
  const own = bus.line === null ? null : lineText(bus.line)
  return onWire(session, { target: bus.wireText, unit, line: line ?? own, ascii })
}

function ofDevice(session: Session, { target }: Where): Alone {
  const { language } = session.connection
  const file = findConfig(session)
  const site = siteIn(file)
  if (site === null)
    throw new CliError(
      EXIT.config,
      'E_CONFIG',
      say(language, 'siteUnsound', { file }),
      say(language, 'siteUnsoundHint', { file }),
    )
  const device = findDevice(site, target)
  const { bus: index, visit } = visitOf(device)
  const bus = site.buses[index]
  if (bus === undefined || device.link.kind !== 'bus') throw new Error(`${target} has no bus`)
  return { bus: { ...bus, index: 0 }, visit: withLink(visit, device.link), closed: closedOf(site, device) }
}

function withLink(visit: Visit, link: Extract<Site['devices'][number]['link'], { kind: 'bus' }>): Visit {
  const { limits, line, ascii } = link
  return { ...visit, limits, ...(line === null ? {} : { line }), ...(ascii === undefined ? {} : { ascii }) }
}

/** null: it is no wire. */
function onWire(session: Session, { target, unit, line: written, ascii }: Where): Alone | null {
  if (!target.includes('/')) return null
  const { language } = session.connection
  const wire = parseWire(target)
  if (wire === null || wire === 'com')
    throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'probeWire', { wire: target }))
  const line: Line | null = written === null ? null : parseLine(written)
  if (written !== null && line === null)
    throw new CliError(
      EXIT.usage,
      'E_ARGS',
      say(language, 'probeNumber', { option: '--line', wanted: '"9600 8N1"', text: written }),
    )
  const address = unit ?? 1
  return {
    bus: { index: 0, id: 'probe', wireText: target, wire, line, inFlight: 1 },
    visit: { protocol: 'modbus', address, ascii, ...(line === null ? {} : { line }) },
    closed: knownClosed(session, wire, address),
  }
}

/** Where a site file has this very device, what it forbids holds here, too. */
function knownClosed(session: Session, wire: Bus['wire'], address: number): readonly Closed[] {
  const file = session.config ?? CONFIG_PLACES.find((place) => existsSync(place))
  const site = file === undefined ? null : siteIn(file)
  if (site === null) return []
  return site.devices.flatMap((device) => {
    const { link } = device
    if (link.kind !== 'bus' || link.protocol !== 'modbus' || Number(link.address) !== address) return []
    const same = JSON.stringify(site.buses[link.bus]?.wire) === JSON.stringify(wire)
    return same ? closedOf(site, device) : []
  })
}
