/** `probe`: asks one Modbus device by hand, through the daemon or on a wire that nobody else has open. */
import { readShown } from '../../control/expectation.ts'
import { OperationError } from '../../control/operation.ts'
import type { ProbeAnswer, ProbeCandidate, ProbeWanted } from '../../control/shapes-probe.ts'
import type { Language } from '../../model/site.ts'
import { busesRunning } from '../asker.ts'
import { ask } from '../client.ts'
import { CliError, EXIT, exitOf } from '../exit.ts'
import { formatCause } from '../format.ts'
import { findConfig, printJson, printLines, type Session } from '../session.ts'
import { table } from '../table.ts'
import { say } from '../text.ts'
import { findingLines } from './findings.ts'

export type ProbeOptions = {
  readonly unit?: string
  readonly line?: string
  readonly ascii?: boolean
  readonly as?: string
  readonly order?: string
  readonly count?: string
  readonly expect?: string
  readonly keep?: string
  readonly pick?: string
}

const ORDER = /^(ABCD|CDAB|DCBA|BADC)$/

export async function probe(session: Session, target: string, at: string, options: ProbeOptions): Promise<number> {
  const keep = keepOf(session, options)
  const wanted: ProbeWanted = {
    at,
    ...(options.as === undefined ? {} : { as: options.as }),
    ...(options.expect === undefined ? {} : { expect: options.expect }),
    ...(options.count === undefined ? {} : { count: whole(session, '--count', options.count, 125) }),
  }
  const { body, language } = await answerOf(session, target, wanted, options)
  const kept = keep === null ? null : await keepIn(session, keep, body, options, language)
  if (session.json) printJson(session.io, kept === null ? body : { ...body, kept })
  else {
    printLines(session.io, [...readLines(body, language), ...resultLines(session, body, options, language)])
    if (kept !== null)
      printLines(session.io, [say(language, 'probeKept', { ...kept, block: JSON.stringify(kept.block) })])
  }
  return exitFor(session, target, body, options, language)
}

type Answered = { readonly body: ProbeAnswer; readonly language: Language }

/** Through the daemon where it has the device or the wire: a second master would garble both. Without one, by its own line. */
async function answerOf(
  session: Session,
  target: string,
  wanted: ProbeWanted,
  options: ProbeOptions,
): Promise<Answered> {
  const { language } = session.connection
  const { line, ascii } = options
  const unit = options.unit === undefined ? null : whole(session, '--unit', options.unit, 255)
  const isWire = target.includes('/')
  if (isWire && unit === null) throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'probeUnit'))
  const bus = unit === null ? null : await runningBus(session, target)
  if (bus !== null) {
    const where = { bus, unit, ...(line === undefined ? {} : { line }), ...(ascii === undefined ? {} : { ascii }) }
    return ask<ProbeAnswer>(session.connection, 'probe', { ...where, ...wanted })
  }
  if (!isWire) {
    try {
      return await ask<ProbeAnswer>(session.connection, 'probe', { device: target, ...wanted })
    } catch (error) {
      if (!(error instanceof CliError) || error.exit !== EXIT.noDaemon) throw error
    }
  }
  const { probeAlone } = await import('../probe-alone.ts')
  try {
    const where = { target, unit, line: line ?? null, ascii: ascii === true }
    return { body: await probeAlone(session, where, wanted), language }
  } catch (error) {
    if (!(error instanceof OperationError)) throw error
    throw new CliError(exitOf(error.code), error.code, error.text[language], error.hint?.[language] ?? null)
  }
}

/** The bus of this name, or with this wire; null: no daemon runs one. */
async function runningBus(session: Session, target: string): Promise<string | null> {
  const running = await busesRunning(session)
  return running?.find(({ bus, wire }) => bus === target || wire === target)?.bus ?? null
}

function whole({ connection }: Session, option: string, text: string, most: number): number {
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= most) return number
  throw new CliError(
    EXIT.usage,
    'E_ARGS',
    say(connection.language, 'probeNumber', { option, wanted: `1..${most}`, text }),
  )
}

/** Judged before anything is asked. */
function keepOf({ connection }: Session, options: ProbeOptions): { device: string; point: string } | null {
  const { language } = connection
  if (options.order !== undefined && !ORDER.test(options.order))
    throw new CliError(
      EXIT.usage,
      'E_ARGS',
      say(language, 'probeNumber', { option: '--order', wanted: 'ABCD CDAB DCBA BADC', text: options.order }),
    )
  if (options.keep === undefined) return null
  if (options.expect === undefined && options.as === undefined)
    throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'probeKeepWhat'))
  const [, device, point] = /^([A-Za-z0-9_]+)\.([A-Za-z0-9_]+)$/.exec(options.keep) ?? []
  if (device === undefined || point === undefined)
    throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'probeKeepForm', { text: options.keep }))
  return { device, point }
}

type Kept = { readonly point: string; readonly file: string; readonly block: object }

/** null: there was nothing to keep. */
async function keepIn(
  session: Session,
  { device, point }: { device: string; point: string },
  body: ProbeAnswer,
  options: ProbeOptions,
  language: Language,
): Promise<Kept | null> {
  const block = blockOf(session, body, options, language)
  if (block === null) return null
  const { keepPoint } = await import('../keep-point.ts')
  const file = findConfig(session)
  const outcome = keepPoint(file, device, point, block)
  if (outcome.kind === 'noDevice')
    throw new CliError(
      EXIT.usage,
      'E_NO_DEVICE',
      say(language, 'probeKeepDevice', { file, device }),
      say(language, 'probeKeepDeviceHint', { known: outcome.known.join(', ') || '-' }),
    )
  if (outcome.kind === 'refused')
    throw new CliError(
      EXIT.config,
      'E_CONFIG',
      say(language, 'probeKeepRefused', { file }),
      findingLines(outcome.findings, language, false).join('\n'),
    )
  return { point: `${device}.${point}`, file: outcome.file, block }
}

function blockOf(session: Session, body: ProbeAnswer, options: ProbeOptions, language: Language) {
  if (options.expect === undefined) {
    const as = options.as ?? ''
    if (body.readings.length === 0) return null
    const [only, ...others] = body.readings
    const [, bit] = /^bit (\d+)$/.exec(only?.as ?? '') ?? []
    if (only?.as === 'bit' || bit !== undefined) {
      if (others.length > 0) throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'probeKeepBit'))
      return { at: body.at, as: 'bit', ...(bit === undefined ? {} : { bit: Number(bit) }) }
    }
    const isLong = body.readings.some((each) => each.order !== null)
    return { at: body.at, as, ...(isLong ? { order: options.order ?? 'ABCD' } : {}) }
  }
  const pick = options.pick === undefined ? 1 : whole(session, '--pick', options.pick, 99)
  if (body.candidates.length === 0) return null
  const best = body.candidates[pick - 1]
  if (best === undefined) throw new CliError(EXIT.usage, 'E_RANGE', say(language, 'probePick', { n: pick }))
  return {
    at: best.at,
    as: best.as,
    ...(best.order === null ? {} : { order: best.order }),
    ...(best.scale === null ? {} : { scale: best.scale }),
  }
}

function readLines({ reads }: ProbeAnswer, language: Language): readonly string[] {
  return reads.map(({ at, raw, fault }) =>
    raw === null
      ? `${at}: ${formatCause(fault ?? '', language)}`
      : `${at}: ${raw.map((each) => (typeof each === 'number' ? `${each.toString(16).toUpperCase().padStart(4, '0')} (${each})` : each ? '1' : '0')).join('  ')}`,
  )
}

function resultLines(
  { io }: Session,
  body: ProbeAnswer,
  { expect }: ProbeOptions,
  language: Language,
): readonly string[] {
  const right = 'right' as const
  if (expect === undefined) {
    const cells = body.readings.map(({ at, as, order, value }) => [at, as, order ?? '', shownValue(value)])
    const titles = [
      { title: say(language, 'colAt') },
      { title: say(language, 'colAs') },
      { title: say(language, 'colOrder') },
      { title: say(language, 'colValue'), align: right },
    ]
    return cells.length === 0 ? [] : ['', ...table(titles, cells, io)]
  }
  if (body.candidates.length === 0)
    return body.reads.every(({ raw }) => raw === null)
      ? []
      : ['', say(language, 'probeNothing', { expect }), say(language, 'probeNothingHint')]
  const columns = [
    { title: say(language, 'colNo'), align: right },
    { title: say(language, 'colAt') },
    { title: say(language, 'colAs') },
    { title: say(language, 'colOrder') },
    { title: say(language, 'colScale'), align: right },
    { title: say(language, 'colValue'), align: right },
    { title: say(language, 'colOff'), align: right },
    { title: say(language, 'colAlike') },
  ]
  const cells = body.candidates.map((each, index) => [String(index + 1), ...candidateCells(each)])
  const zero = readShown(expect)?.value === 0 ? [say(language, 'probeZero')] : []
  return ['', ...table(columns, cells, io), ...zero]
}

function shownValue(value: number | boolean | string): string {
  return typeof value === 'boolean' ? (value ? '1' : '0') : String(value)
}

function candidateCells({ at, as, order, scale, value, off, alike }: ProbeCandidate): readonly string[] {
  const shown = typeof value === 'number' ? String(Number(value.toPrecision(9))) : shownValue(value)
  return [
    at,
    as,
    order ?? '',
    scale === null ? '' : String(scale),
    shown,
    off === 0 ? '0' : `${(100 * off).toFixed(2)} %`,
    alike.join(' '),
  ]
}

/** Nobody answered: not reachable. The device said no, or nothing fits: a bad read. */
function exitFor(
  session: Session,
  target: string,
  { at, reads, candidates }: ProbeAnswer,
  { expect }: ProbeOptions,
  language: Language,
): number {
  if (reads.some(({ raw }) => raw !== null))
    return expect === undefined || candidates.length > 0 ? EXIT.done : EXIT.partly
  const fault = reads[0]?.fault ?? 'not_read'
  if (fault.startsWith('exception')) return EXIT.partly
  // The reads are printed already as a document; a second one would be none.
  if (session.json) return EXIT.unreachable
  throw new CliError(
    EXIT.unreachable,
    'E_UNREACHABLE',
    say(language, 'probeFailed', { target, at, cause: formatCause(fault, language) }),
    say(language, 'probeTimeoutHint'),
  )
}
