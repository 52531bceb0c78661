/** Answers as the devices of the site file until Ctrl-C, and says where each bus is reached and what is wrong with which device. */
import type { Language } from '../../model/site.ts'
import { CliError, EXIT } from '../exit.ts'
import { formatPercent } from '../format.ts'
import type { FaultAsked, Hosts, Simulation } from '../hosts.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { table } from '../table.ts'
import { say } from '../text.ts'
import { loadSite } from './check.ts'

export type SimulateOptions = {
  readonly portBase?: string
  readonly fault?: readonly string[]
  readonly seed?: string
  /** true: given without an address. */
  readonly broker?: string | true
}

const PORT_MAX = 65_000
const SEED_DEFAULT = 1
const SEED_MAX = 2 ** 32 - 1

export async function simulate(
  session: Session,
  open: Hosts['openSimulation'],
  options: SimulateOptions,
): Promise<number> {
  const asked = session.connection.language
  const portBase = options.portBase === undefined ? null : readPort(options.portBase, asked)
  const seed = options.seed === undefined ? SEED_DEFAULT : readSeed(options.seed, asked)
  const faults = (options.fault ?? []).map((text) => readFault(text, asked))
  const broker = options.broker === undefined ? null : options.broker === true ? 'site' : options.broker
  const { site, language } = await loadSite(session)
  if (site === null) return EXIT.config
  const simulation = await open({ site, portBase, seed, faults, broker })
  const { io } = session
  if (session.json) printJson(io, said(simulation, { seed, faults }))
  else printLines(io, [...screen(simulation, session, language), ...faultLines(faults, seed, language)])
  if (!session.json) printLines(io, [say(language, 'simulateUntil')])
  await new Promise<void>((resolve) => {
    if (io.signal.aborted) resolve()
    io.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await simulation.close()
  return EXIT.done
}

type Wrong = { readonly seed: number; readonly faults: readonly FaultAsked[] }

function said({ buses, publishing }: Simulation, wrong: Wrong): object {
  return { buses: buses.map(({ id, wire, devices }) => ({ bus: id, wire, devices })), publishing, ...wrong }
}

function screen({ buses, publishing }: Simulation, { io }: Session, language: Language): readonly string[] {
  const columns = [
    { title: say(language, 'colBus') },
    { title: say(language, 'colWire') },
    { title: say(language, 'colDevices'), min: 12 },
  ]
  const { server } = publishing
  const rows = [
    ...buses.map(({ id, wire, devices }) => [id, wire, devices.join(' ')]),
    ...(publishing.devices.length === 0
      ? []
      : [['MQTT', server ?? say(language, 'simulateSilent'), publishing.devices.join(' ')]]),
  ]
  return [
    ...table(columns, rows, io),
    ...(publishing.devices.length > 0 && server === null ? [say(language, 'simulateBroker')] : []),
  ]
}

function faultLines(faults: readonly FaultAsked[], seed: number, language: Language): readonly string[] {
  return faults.map(({ device, kind, share }) =>
    say(language, 'simulateFault', { device, kind, share: formatPercent(share), seed }),
  )
}

function readPort(text: string, language: Language): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= PORT_MAX) return port
  throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'badPort', { text }))
}

function readSeed(text: string, language: Language): number {
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (seed <= SEED_MAX) return seed
  throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'badSeed', { text, max: SEED_MAX }))
}

/** `pump_1=late`, `pump_1=late:5%`, `pump_1=late:0.05` */
function readFault(text: string, language: Language): FaultAsked {
  const [, device = '', kind = '', amount, percent] =
    /^([^=\s]+)=([a-z_]+)(?::(\d{1,3}(?:\.\d{1,6})?)(%)?)?$/.exec(text) ?? []
  const share = amount === undefined ? 1 : Number(amount) / (percent === undefined ? 1 : 100)
  if (device !== '' && share > 0 && share <= 1) return { device, kind, share }
  throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'badFault', { text }), say(language, 'faultHint'))
}
