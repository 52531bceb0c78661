/**
 * A way to ask devices by hand: through the daemon that owns the wire, in its idle time, or on a wire of our own. A bus of the site file
 * is asked through the daemon where one runs; without one its wire is opened here.
 */
import { parseWire } from '../config/wires.ts'
import type { Ask, Heard, What } from '../control/inquiry.ts'
import { namesOf, type Roster, rosterOf } from '../control/roster.ts'
import { askStep, bodiesOf } from '../control/search-ask.ts'
import type { BusRow } from '../control/shapes.ts'
import type { ReadingWords } from '../driver/byhand.ts'
import type { Bus, Language, ProtocolName, Site, Wire } from '../model/site.ts'
import type { Address } from '../protocols/protocol.ts'
import { ask } from './client.ts'
import { CliError, EXIT } from './exit.ts'
import { formatCause } from './format.ts'
import type { Session } from './session.ts'
import { say } from './text.ts'
import { loadQuietly } from './verbs/site.ts'

export type Asker = {
  readonly ask: Ask
  readonly wire: Wire
  readonly wireText: string
  /** As the user names it. */
  readonly name: string
  /** Through a running daemon: only while nothing else is due. */
  readonly idle: boolean
  /** Who is on it already, by the daemon that runs it, else by the site file at hand; null: it is no bus of a site. */
  readonly roster: Roster | null
  /** Names that the site has given; null: there is no site. */
  readonly names: ReadonlySet<string> | null
  readonly language: Language
  readonly close: () => Promise<void>
}

/** `where`: a bus of the site, or a wire as a site file writes it; null: the one bus there is. */
export async function openAsker(
  session: Session,
  where: string | null,
  line: string | null,
  /** Its bus had no idle time for so long that a question was given up; it may be asked again. */
  busy: () => void = () => undefined,
): Promise<Asker> {
  const site = loadQuietly(session)
  const language = session.connection.asked ?? site?.language ?? 'en'
  const running = await busesRunning(session)
  const buses = running?.map(({ bus, wire }) => ({ id: bus, wireText: wire })) ?? site?.buses ?? []
  const bus = where === null ? onlyOne(buses) : buses.find(({ id, wireText }) => id === where || wireText === where)
  const own = site?.buses.find(({ id }) => id === bus?.id)
  const wireText = bus?.wireText ?? where
  const wire = wireText === null ? null : parseWire(wireText)
  if (wireText === null || wire === null || wire === 'com') throw await unknownWhere(where, buses, language)
  const roster = await rosterFor(session, { running: running !== null, site, own, id: bus?.id ?? null })
  const taken = roster?.names ?? (site === null ? null : namesOf(site))
  const names = taken === null ? null : new Set(taken)
  const asked = { wireText, roster, names, language, name: bus?.id ?? wireText }
  if (bus !== undefined && running !== null) {
    // Whoever asks hundreds of questions shows his own progress; reads may be left half-way.
    const connection = { ...session.connection, hasty: true, io: { ...session.io, progress: false } }
    return {
      ...asked,
      ask: async (inquiry) => {
        const heard = (await ask<Heard>(connection, 'inquire', { bus: bus.id, ...inquiry })).body
        if (heard.fault === 'expired') busy()
        if (heard.outcome !== 'unsent' || heard.fault === 'expired') return heard
        const why = formatCause(heard.fault ?? 'closed', language)
        throw new CliError(
          EXIT.unreachable,
          'E_UNREACHABLE',
          say(language, 'wireShut', { wire: wireText, why }),
          say(language, 'wireShutHint'),
        )
      },
      wire,
      idle: true,
      close: () => Promise.resolve(),
    }
  }
  const { openOwnWire } = await import('./wire.ts')
  // A setting to be swept is asked with each question; the wire's own is what a serial server has.
  const opened = openOwnWire({ wire, wireText }, line?.split(',')[0]?.trim() ?? null, { language, env: session.io.env })
  return { ...asked, ask: opened.ask, wire, idle: false, close: opened.close }
}

type Known = {
  readonly running: boolean
  readonly site: Site | null
  readonly own: Bus | undefined
  readonly id: string | null
}

/** A running daemon knows what is in force; the site file may be another one, or not at hand. */
async function rosterFor({ connection }: Session, { running, site, own, id }: Known): Promise<Roster | null> {
  if (id === null) return null
  if (running) return (await ask<Roster>(connection, 'roster', { bus: id })).body
  return site === null || own === undefined ? null : rosterOf(site, own)
}

function onlyOne<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined
}

/** null: no daemon runs there. */
export async function busesRunning({ connection }: Session): Promise<readonly BusRow[] | null> {
  try {
    return (await ask<readonly BusRow[]>(connection, 'buses')).body
  } catch (error) {
    if (error instanceof CliError && error.exit === EXIT.noDaemon) return null
    throw error
  }
}

async function unknownWhere(
  where: string | null,
  buses: readonly { readonly id: string }[],
  language: Language,
): Promise<CliError> {
  const ids = buses.map(({ id }) => id)
  if (where !== null) {
    const hint = ids.length > 0 ? say(language, 'noBusHint', { names: ids.join(', ') }) : say(language, 'badWireHint')
    return new CliError(EXIT.usage, 'E_ARGS', say(language, 'noBus', { text: where }), hint)
  }
  const { listPorts } = await import('../transport/ports.ts')
  const names = [...ids, ...(await listPorts()).map(({ path }) => path)]
  const hint =
    names.length > 0 ? say(language, 'scanWhichHint', { names: names.join(' | ') }) : say(language, 'badWireHint')
  return new CliError(EXIT.usage, 'E_ARGS', say(language, 'scanWhich'), hint)
}

/** One device, asked in the words of drivers. The same question is asked once; null: no answer. */
export function askerOf(
  asker: Pick<Asker, 'ask' | 'idle'>,
  {
    protocol,
    address,
    line,
  }: { readonly protocol: ProtocolName; readonly address: Address; readonly line: string | null },
  signal: AbortSignal,
): (words: ReadingWords) => Promise<readonly Uint8Array[] | null> {
  const known = new Map<string, Promise<readonly Uint8Array[] | null>>()
  return (words) => {
    const what = whatOf(words)
    const key = JSON.stringify(what)
    const before = known.get(key)
    if (before !== undefined) return before
    // A busy wire says nothing of the device: it is waited for.
    const asked = askStep({ ...asker, signal }, line, { protocol, address, what }).then((heard) =>
      heard?.outcome === 'answer' ? bodiesOf(heard) : null,
    )
    known.set(key, asked)
    return asked
  }
}

/** What of the words changes the question; the rest is about how the answer is read. */
function whatOf({ protocol, at, as, field, length, count, options }: ReadingWords): What {
  // One telegram holds all.
  if (protocol === 'mbus') return { who: true }
  const many = { ...(length === undefined ? {} : { length }), ...(count === undefined ? {} : { count }) }
  if (protocol === 'modbus') return { at, ...(as === undefined ? {} : { as }), ...many }
  return {
    at,
    ...(protocol === 'cjt188' && field !== undefined ? { field } : {}),
    ...(options === undefined ? {} : { options: { ...options } }),
  }
}
