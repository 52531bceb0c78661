/** The device library: what there is, one driver in full, and whether a file is sound (its proofs are replayed). */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { DriverFile } from '../../driver/schema.ts'
import type { Text } from '../../model/point.ts'
import type { Language } from '../../model/site.ts'
import { ROOT } from '../../runtime/root.ts'
import { CliError, EXIT } from '../exit.ts'
import { printable } from '../printable.ts'
import { findConfig, printJson, printLines, type Session } from '../session.ts'
import { paint, table, wrap } from '../table.ts'
import { say } from '../text.ts'
import { countLine, findingLines, findingsJson } from './findings.ts'

export async function drivers(session: Session, action: string, what: string | undefined): Promise<number> {
  const folders = libraryFolders(session)
  if (action === 'list' && what === undefined) return listDrivers(session, folders)
  if (action === 'show' && what !== undefined) return showDriver(session, folders, what)
  if (action === 'check' && what !== undefined) return checkDriver(session, folders, what)
  const { language } = session.connection
  const isAction = ['list', 'show', 'check'].includes(action)
  throw new CliError(
    EXIT.usage,
    'E_ARGS',
    isAction && action !== 'list'
      ? say(language, 'driversWhich', { action })
      : say(language, 'driversAction', { action: isAction ? `${action} ${what ?? ''}` : action }),
    // A driver's name in the place of the action: that it is to be shown is the likeliest.
    !isAction && what === undefined && action.includes('/')
      ? say(language, 'driversShow', { name: action })
      : say(language, 'driversUsage'),
  )
}

/** A `drivers/` beside the site file is nearer than the library that came with the program. */
export function libraryFolders(session: Session): readonly string[] {
  return [...nearFolder(session), join(ROOT, 'drivers')]
}

function nearFolder(session: Session): readonly string[] {
  try {
    const near = join(dirname(findConfig(session)), 'drivers')
    return existsSync(near) ? [near] : []
  } catch (error) {
    // The library can be looked at without any site.
    if (error instanceof CliError) return []
    throw error
  }
}

async function listDrivers(session: Session, folders: readonly string[]): Promise<number> {
  const { openLibrary } = await import('../../driver/load.ts')
  const { Findings } = await import('../../driver/finding.ts')
  const findings = new Findings()
  const library = openLibrary(folders, findings)
  const loaded = library.names().flatMap((name) => library.load(name) ?? [])
  const language = session.connection.language ?? 'en'
  const { io } = session
  if (session.json) {
    printJson(
      io,
      loaded.map(({ name, file, sha, shadows, data }) => ({
        driver: name,
        title: titleOf(data),
        category: data.category ?? null,
        protocol: data.protocol ?? null,
        points: pointCount(data),
        proven: data.proven ?? null,
        file,
        sha,
        shadows,
      })),
    )
  } else {
    const columns = [
      { title: say(language, 'colDriver'), min: 12 },
      { title: say(language, 'colModel'), min: 10 },
      { title: say(language, 'colProtocol') },
      { title: say(language, 'colPoints'), align: 'right' as const },
      { title: say(language, 'colProven') },
    ]
    const rows = loaded.map(({ name, data }) => [
      name,
      titleOf(data)[language],
      data.protocol ?? '',
      String(pointCount(data)),
      data.proven ?? '',
    ])
    printLines(io, table(columns, rows, io))
  }
  return reportTo(session, findings.sorted())
}

async function showDriver(session: Session, folders: readonly string[], name: string): Promise<number> {
  const { openLibrary } = await import('../../driver/load.ts')
  const { Findings } = await import('../../driver/finding.ts')
  const findings = new Findings()
  const library = openLibrary(folders, findings)
  const found = library.find(name)
  const { language } = session.connection
  if (!('file' in found))
    throw new CliError(
      EXIT.usage,
      'E_NO_DRIVER',
      say(language, 'noDriver', { name }),
      found.near === null ? say(language, 'noDriverHint') : say(language, 'didYouMean', { name: found.near }),
    )
  const driver = library.load(name)
  if (driver === null) return reportTo(session, findings.sorted())
  const { data, file, sha, shadows } = driver
  if (session.json) printJson(session.io, { driver: name, file, sha, shadows, data })
  else {
    const { atText } = await import('../../driver/place.ts')
    printLines(session.io, driverScreen(name, file, data, { session, atText }))
  }
  return reportTo(session, findings.sorted())
}

/** Longer lines are hard to read, also where the output is piped. */
const WIDTH_MAX = 120

type Showing = { readonly session: Session; readonly atText: (at: string, manual: string | undefined) => string }

function driverScreen(name: string, file: string, data: DriverFile, { session, atText }: Showing): readonly string[] {
  const { io, connection } = session
  const language = connection.language ?? 'en'
  const facts = [
    data.category,
    data.brick,
    data.protocol,
    data.line,
    data.proven === undefined ? null : `proven: ${data.proven}`,
  ]
  const rows = [
    ...Object.entries(data.points ?? {}).map(([key, point]) => [
      key,
      [point.at === undefined ? undefined : atText(point.at, data.manual), point.as, point.bit]
        .filter((part) => part !== undefined)
        .join(' '),
      point.unit ?? '',
      point.every ?? '',
      point.title === undefined ? '' : inLanguage(point.title, language),
    ]),
    ...Object.keys(data.inputs ?? {}).map((key) => [key, 'input', '', '', '']),
    ...Object.entries(data.derive ?? {}).map(([key, block]) => [key, 'derive', block.unit ?? '', '', '']),
  ]
  const wide = Math.min(io.width, WIDTH_MAX)
  const columns = [
    { title: say(language, 'colPoint'), min: 12 },
    { title: say(language, 'colWhere'), min: 10 },
    { title: say(language, 'colUnit') },
    { title: say(language, 'colCycle') },
    { title: say(language, 'colTitle'), min: 8 },
  ]
  return [
    paint(printable(`${name}  ${titleOf(data)[language]}`), 'bold', io.color),
    ...wrap(printable(facts.filter((fact) => fact !== undefined && fact !== null).join(', ')), wide),
    ...(data.source === undefined ? [] : wrap(printable(data.source), wide)),
    printable(file),
    '',
    ...table(columns, rows, io),
    ...Object.entries(data.alarms ?? {}).flatMap(([key, alarm]) =>
      wrap(printable(`! ${key}: ${alarm.when ?? ''} (${alarm.priority ?? ''})`), wide),
    ),
  ]
}

async function checkDriver(session: Session, folders: readonly string[], file: string): Promise<number> {
  const { checkDriverFile } = await import('../../driver/lint.ts')
  const findings = checkDriverFile(file, folders)
  const language = session.connection.language ?? 'en'
  if (session.json) printJson(session.io, { findings: findingsJson(findings, language) })
  else {
    printLines(session.io, [
      ...findingLines(findings, language, session.io.color),
      ...countLine(findings, language),
      ...(findings.length === 0 ? [say(language, 'checkFine', { file })] : []),
    ])
  }
  return exitOfFindings(findings)
}

export function exitOfFindings(findings: readonly { severity: string }[]): number {
  if (findings.some(({ severity }) => severity === 'error')) return EXIT.config
  return findings.length > 0 ? EXIT.partly : EXIT.done
}

/** What is wrong with the library while something else was asked. */
function reportTo(session: Session, findings: Parameters<typeof findingLines>[0]): number {
  const lines = findingLines(findings, session.connection.language ?? 'en', false)
  if (lines.length > 0) session.io.err(`${lines.join('\n')}\n`)
  return exitOfFindings(findings)
}

function titleOf(data: DriverFile): Text {
  const { title } = data
  if (title === undefined) return { en: data.driver, zh: data.driver }
  return { en: inLanguage(title, 'en'), zh: inLanguage(title, 'zh') }
}

function inLanguage(text: NonNullable<DriverFile['title']>, language: Language): string {
  if (typeof text === 'string') return text
  return text[language] ?? text.en ?? text.zh ?? ''
}

function pointCount(data: DriverFile): number {
  return [data.points, data.inputs, data.derive].reduce((sum, map) => sum + Object.keys(map ?? {}).length, 0)
}
