/**
 * `scan BUS|WIRE`: who is there, which driver fits, and the lines for site.yaml. On a running bus it asks in idle time; on a wire of its
 * own it may try other line settings. Ctrl-C stops it, and says how to go on.
 */
import type { Note, SearchEvent } from '../../control/search-found.ts'
import { parseUnits, planSearch, searchMs, type Step, stepText } from '../../control/search-plan.ts'
import { parseLine } from '../../driver/units.ts'
import type { Language, ProtocolName } from '../../model/site.ts'
import { CliError, EXIT } from '../exit.ts'
import { formatSpan } from '../format.ts'
import { type Asker, openAsker } from '../asker.ts'
import { printable } from '../printable.ts'
import { doubtOn, type Seen, verdictOn } from '../scan-fit.ts'
import { scanYaml } from '../scan-yaml.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { type Cell, cut, paint, table, wrap } from '../table.ts'
import { say, type TextKey } from '../text.ts'
import { configOf } from './site.ts'

export type ScanOptions = {
  readonly yaml?: boolean
  readonly line?: string
  readonly units?: string
  readonly protocol?: string
  readonly from?: string
}

const PROTOCOLS: readonly ProtocolName[] = ['modbus', 'dlt645', 'cjt188', 'mbus']
const UNITS = '1-247'

/** Exit 1 when nobody was found, or when it was stopped. `where` null: the one bus there is. */
export async function scan(session: Session, where: string | null, options: ScanOptions): Promise<number> {
  const { io, json } = session
  let told = false
  const asker = await openAsker(session, where, options.line ?? null, () => {
    if (!told) tell(say(asker.language, 'scanBusy', { where: asker.name }), session)
    told = true
  })
  const { language } = asker
  try {
    const steps = planSearch({
      wire: asker.wire.kind,
      protocols: protocolsOf(options.protocol, language),
      lines: linesFor(asker, options.line, language),
      units: unitsOf(options.units, language),
    })
    if (steps.length === 0)
      throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'scanNone'), say(language, 'scanNoneHint'))
    const from = startOf(options.from, steps.length, language)
    const known = new Set(asker.roster?.devices ?? [])
    tell(openingText(asker, steps.slice(from), language), session)
    if (known.size > 0) tell(say(language, 'scanKnown', { n: known.size }), session)
    const seen: Seen[] = []
    const { at, failure } = await go(session, { asker, steps, from, known, seen })
    clear(session)
    const stopped = io.signal.aborted || failure !== null
    if (seen.length > 0 || !stopped) print(session, { seen, asker, options, language })
    else if (json && failure === null) printJson(io, [])
    if (stopped && at > from) {
      const command = commandOf(asker, { ...options, from: String(at) })
      tell(say(language, 'scanStopped', { command }), session)
    }
    if (failure !== null) throw failure
    return stopped || seen.length === 0 ? EXIT.partly : EXIT.done
  } finally {
    await asker.close()
  }
}

type Going = {
  readonly asker: Asker
  readonly steps: readonly Step[]
  readonly from: number
  readonly known: ReadonlySet<string>
  /** Filled with what is found. */
  readonly seen: Seen[]
}

/** How far it came, and what ended it before its time: what was found until then is shown all the same. */
async function go(
  session: Session,
  { asker, steps, from, known, seen }: Going,
): Promise<{ readonly at: number; readonly failure: CliError | null }> {
  const { io } = session
  const { ask, idle, wire, language } = asker
  const [{ search }, { createFitter }] = await Promise.all([
    import('../../control/search.ts'),
    import('../scan-fit.ts'),
  ])
  const fit = createFitter(configOf(session), asker, io.signal)
  const isTcp = wire.kind === 'modbus-tcp'
  let at = from
  try {
    for await (const event of search({ steps, from, ask, idle, isTcp, signal: io.signal, known })) {
      if (event.kind === 'step') at = event.at
      progress(event, session)
      if (event.kind === 'note') tell(say(language, NOTES[event.note], { at: event.at.trim() }), session)
      if (event.kind !== 'found') continue
      const { protocol, address } = event.found
      flash(say(language, 'scanFitting', { at: `${protocol} ${address}` }), session)
      const one = await fit(event.found)
      seen.push(one)
      tell(foundText(one, asker.language), session)
    }
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    // Stopped while it waited for an answer: that is no failure.
    return { at, failure: io.signal.aborted && error.code === 'E_INTERRUPTED' ? null : error }
  }
  return { at, failure: null }
}

function openingText({ idle, name, wire }: Asker, steps: readonly Step[], language: Language): string {
  const span = formatSpan(searchMs(steps, wire.kind), language)
  return say(language, idle ? 'scanLive' : 'scanOwn', { where: name, n: steps.length, span })
}

function protocolsOf(text: string | undefined, language: Language): readonly ProtocolName[] {
  if (text === undefined) return PROTOCOLS
  const names = text.split(',').map((name) => name.trim())
  const wrong = names.find((name) => !PROTOCOLS.some((known) => known === name))
  if (wrong !== undefined)
    throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'badProtocol', { text: wrong, known: PROTOCOLS.join(', ') }))
  return PROTOCOLS.filter((known) => names.includes(known))
}

function unitsOf(text: string | undefined, language: Language): readonly number[] {
  const units = parseUnits(text ?? UNITS)
  if (units === null) throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'badUnits', { text: text ?? '' }))
  return units
}

function startOf(text: string | undefined, steps: number, language: Language): number {
  if (text === undefined) return 0
  if (/^\d{1,9}$/.test(text) && Number(text) < steps) return Number(text)
  throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'badStart', { text }))
}

/** As asked for; on a running bus those in use, since another setting would be noise to the others for as long as it lasts. */
function linesFor({ roster, idle, wire }: Asker, text: string | undefined, language: Language): readonly string[] {
  if (text !== undefined) {
    const lines = text.split(',').map((line) => line.trim())
    const wrong = lines.find((line) => parseLine(line) === null)
    if (wrong !== undefined) throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'badLine', { text: wrong }))
    return lines
  }
  if (roster === null || wire.kind === 'modbus-tcp') return []
  return idle || wire.kind === 'tcp' ? roster.lines : []
}

function progress(event: SearchEvent, session: Session): void {
  if (event.kind !== 'step' && event.kind !== 'within') return
  const step = event.kind === 'step' ? stepText(event.step) : `dlt645 …${event.tail}`
  flash(`${event.at + 1}/${event.of} ${step}`, session)
}

/** Until the next word: for a terminal only. */
function flash(text: string, { io, json }: Session): void {
  if (io.progress && !json) io.err(`\r\u001b[2K${cut(text, io.width - 1)}`)
}

/** What is found or noticed on the way, beside the answer that comes at the end. */
function tell(text: string, session: Session): void {
  if (session.json) return
  clear(session)
  session.io.err(`${wrap(printable(text), session.io.width).join('\n')}\n`)
}

function clear({ io, json }: Session): void {
  if (io.progress && !json) io.err('\r\u001b[2K')
}

const NOTES: Readonly<Record<Note, TextKey>> = {
  garbled: 'scanGarbled',
  several: 'scanSeveral',
  noise: 'scanNoise',
  narrowing: 'scanNarrowing',
  any: 'scanAny',
  unnamed: 'scanUnnamed',
}

function foundText(seen: Seen, language: Language): string {
  const { protocol, address, line, says, fits } = seen
  const best = fits[0]
  const fit = doubtOn(seen, language) ?? (best === undefined ? '' : `${best.driver} (${best.title})`)
  const who = [...says, fit].filter((part) => part !== '').join('; ')
  return [protocol, String(address), line ?? '', who].filter((word) => word !== '').join(' ')
}

type Result = {
  readonly seen: readonly Seen[]
  readonly asker: Asker
  readonly options: ScanOptions
  readonly language: Language
}

function print({ io, json }: Session, { seen, asker, options, language }: Result): void {
  if (json) {
    printJson(io, seen)
    return
  }
  if (seen.length === 0) {
    // Not among the lines that go into a file.
    if (options.yaml === true) return io.err(`${say(language, 'scanNobody')}\n`)
    printLines(io, [say(language, 'scanNobody'), ...wrap(`  → ${say(language, 'scanNobodyHint')}`, io.width)])
    return
  }
  if (options.yaml === true) {
    io.out(scanYaml(seen, { bus: busOf(asker), wire: asker.wireText, taken: asker.names, language }))
    return
  }
  const columns = [
    { title: say(language, 'colProtocol') },
    { title: say(language, 'colAddress') },
    { title: say(language, 'colLine') },
    { title: say(language, 'colReply'), align: 'right' as const },
    { title: say(language, 'colDriver'), min: 16 },
    { title: say(language, 'colModel'), min: 10 },
  ]
  const cells = seen.map((one) => {
    const { protocol, address, line, ms, says, fits } = one
    const title = verdictOn(one) === 'several' ? '' : (fits[0]?.title ?? '')
    return [
      protocol,
      String(address),
      line ?? '-',
      ms === null ? '-' : formatSpan(ms, language),
      driverCell(one, language),
      printable(says.length > 0 ? says.join('; ') : title),
    ]
  })
  const doubts = seen.flatMap((one) => {
    const doubt = doubtOn(one, language)
    return doubt === null ? [] : ['', ...wrap(`${one.protocol} ${one.address}: ${doubt}`, io.width)]
  })
  const command = commandOf(asker, { ...options, yaml: true })
  const how = ['', paint(say(language, 'scanHow', { command }), 'dim', io.color)]
  printLines(io, [...table(columns, cells, io), ...doubts, ...how])
}

function driverCell(seen: Seen, language: Language): Cell {
  const { fits } = seen
  const text = {
    none: say(language, 'scanNoDriver'),
    one: fits[0]?.driver ?? '',
    likely: `${fits[0]?.driver} ?`,
    several: say(language, 'scanOneOf', { n: fits.filter(({ best }) => best).length }),
  }
  const verdict = verdictOn(seen)
  return verdict === 'one' ? text.one : { text: text[verdict], style: 'yellow' }
}

/** To be typed, or copied. */
function commandOf({ name }: Asker, { line, units, protocol, from, yaml }: ScanOptions): string {
  const words = [
    'gatehouse scan',
    name,
    ...(line === undefined ? [] : [`--line "${line}"`]),
    ...(units === undefined ? [] : [`--units ${units}`]),
    ...(protocol === undefined ? [] : [`--protocol ${protocol}`]),
    ...(from === undefined ? [] : [`--from ${from}`]),
    ...(yaml === true ? ['--yaml'] : []),
  ]
  return words.join(' ')
}

function busOf({ roster }: Asker): { id: string; line: string | null } | null {
  return roster === null ? null : { id: roster.bus, line: roster.line }
}
