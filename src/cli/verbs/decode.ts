/** What these bytes, this message, this line or this card's number is, or why not. Nothing of it is kept. */
import { explain, EXPLAINED, explainedName, type Means, takes } from '../../protocols/explain.ts'
import type { Explained, ExplainedFrame } from '../../protocols/explained.ts'
import { nearest } from '../../derive/nearest.ts'
import { CliError, EXIT } from '../exit.ts'
import { functionText } from '../functions.ts'
import { formatCause, formatQuantity } from '../format.ts'
import { printable } from '../printable.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { paint, type Style, wrap } from '../table.ts'
import { say } from '../text.ts'
import { libraryFolders } from './drivers.ts'

export type DecodeOptions = { request?: string; topic?: string; driver?: string; expect?: string; model?: string }

/** A capture of hours is for `replay`. */
const BYTES_MAX = 8 * 1024 * 1024
/** Bytes of junk that a screen shows. */
const JUNK_SHOWN = 64

/** Exit 1 when some bytes are in no frame, or what was given is no such message, line or number. */
export async function decode(
  session: Session,
  written: string,
  given: string,
  options: DecodeOptions,
): Promise<number> {
  const language = session.connection.language ?? 'en'
  const protocol = explainedName(written)
  if (protocol === null) throw unknownProtocol(session, written)
  for (const name of ['request', 'topic', 'driver', 'expect', 'model'] as const)
    if (options[name] !== undefined && !takes(protocol).includes(name))
      throw new CliError(
        EXIT.usage,
        'E_ARGS',
        say(session.connection.language, 'decodeNotTaken', { option: `--${name}`, protocol }),
        say(session.connection.language, 'decodeUsage'),
      )
  const data = given === '-' ? await readInput(session) : given
  const means: Means = {
    language,
    ...(options.topic === undefined ? {} : { topic: options.topic }),
    ...(options.expect === undefined ? {} : { expect: options.expect }),
    ...(options.model === undefined ? {} : { model: options.model }),
    ...(options.driver === undefined ? {} : await driverMeans(session, protocol, options.driver)),
    ...(await pseudonymMeans(session, protocol)),
  }
  const explained = explain(protocol, data, options.request ?? null, means)
  if (typeof explained === 'string')
    throw new CliError(EXIT.usage, 'E_ARGS', explained, say(session.connection.language, 'decodeUsage'))
  if (session.json) printJson(session.io, explained)
  else printLines(session.io, decodeLines(protocol, explained, session))
  return explained.frames.length > 0 && explained.junk === '' && explained.why === null ? EXIT.done : EXIT.partly
}

/** The nearest first, then the others as they are ordered. */
function unknownProtocol({ connection: { language } }: Session, name: string): CliError {
  const near = [
    ...EXPLAINED.filter((known) => name.length >= 2 && (known.startsWith(name) || name.startsWith(known))),
    ...[nearest(name, EXPLAINED) ?? []].flat(),
  ]
  const names = [...new Set([...near, ...EXPLAINED])].join(', ')
  return new CliError(
    EXIT.usage,
    'E_ARGS',
    say(language, 'decodeUnknown', { name }),
    say(language, 'decodeKnown', { names }),
  )
}

async function readInput({ connection: { language } }: Session): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of process.stdin as AsyncIterable<Uint8Array>) {
    length += part.length
    if (length > BYTES_MAX) throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'decodeLong', { n: BYTES_MAX }))
    parts.push(part)
  }
  // The line break that a shell adds is no part of a payload.
  return Buffer.concat(parts)
    .toString('utf8')
    .replace(/\r?\n$/, '')
}

/** A driver's points and the form of its lines. */
async function driverMeans(session: Session, protocol: string, name: string): Promise<Pick<Means, 'points' | 'form'>> {
  const { language } = session.connection
  const { openLibrary } = await import('../../driver/load.ts')
  const { Findings } = await import('../../driver/finding.ts')
  const { buildModel } = await import('../../driver/model.ts')
  const { fieldPoints } = await import('../../driver/proof.ts')
  const findings = new Findings()
  const library = openLibrary(libraryFolders(session), findings)
  const found = library.find(name)
  if (!('file' in found)) {
    const hint = found.near === null ? say(language, 'noDriverHint') : say(language, 'didYouMean', { name: found.near })
    throw new CliError(EXIT.usage, 'E_NO_DRIVER', say(language, 'noDriver', { name }), hint)
  }
  const driver = library.load(name)
  const model =
    driver === null ? null : buildModel(driver.data, driver.layers, {}, { vocabulary: library.vocabulary, findings })
  if (model === null || findings.errors > 0)
    throw new CliError(EXIT.config, 'E_CONFIG', say(language, 'decodeDriverFaulty', { name }))
  const { data, form } = model
  const points = fieldPoints(model)
  if (protocol === 'textline') {
    if (form !== null) return { points, form }
    const text = say(language, 'decodeNotLines', { name, protocol: data.protocol ?? '-' })
    throw new CliError(EXIT.usage, 'E_ARGS', text)
  }
  if (data.payload === protocol) return { points }
  const own = data.payload ?? data.protocol ?? '-'
  throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'decodeNotPayload', { name, own, wanted: protocol }))
}

/** Where a gateway has run with this data directory its key is there, and a card shows as it does in events. None is made. */
async function pseudonymMeans({ connection, io }: Session, protocol: string): Promise<Pick<Means, 'pseudonym'>> {
  if (!/^(wiegand|uid|textline|uhppoted|json)/.test(protocol)) return {}
  const { createPseudonym, findSiteKey } = await import('../../config/sitekey.ts')
  const key = findSiteKey(connection.data, io.env['CREDENTIALS_DIRECTORY'] ?? null)
  return key === null ? {} : { pseudonym: createPseudonym(key) }
}

export function decodeLines(
  protocol: string,
  { frames, junk, why }: Explained,
  { connection, io }: Session,
): readonly string[] {
  const language = connection.language ?? 'en'
  const put = (text: string, indent: number, style: Style | null): readonly string[] =>
    wrap(printable(text), io.width - indent).map((line) => {
      const shown = style === null ? line : paint(line, style, io.color)
      return ' '.repeat(indent) + shown
    })
  const said = frames.flatMap((frame) => [
    ...put(headOf(frame, language), 0, 'bold'),
    ...put(fieldsText(frame, language), 2, null),
    ...frame.readings.flatMap(({ key, value, unit }) =>
      put(`${key}  ${formatQuantity(value, unit, language)}`, 2, null),
    ),
    ...(frame.fault === null
      ? []
      : put(say(language, 'decodeFault', { fault: formatCause(frame.fault, language) }), 2, 'red')),
    ...(frame.note === null ? [] : put(frame.note, 2, null)),
  ])
  const bytes = junk.length / 2
  const hex = bytes <= JUNK_SHOWN ? junk : say(language, 'decodeMore', { hex: junk.slice(0, 2 * JUNK_SHOWN), n: bytes })
  return [
    ...said,
    ...(junk === '' ? [] : put(say(language, 'decodeJunk', { hex }), 0, 'yellow')),
    ...(junk === '' && frames.length === 0 ? put(say(language, 'decodeRefused', { protocol }), 0, 'yellow') : []),
    ...(why === null ? [] : put(`→ ${why}`, 2, null)),
  ]
}

function headOf(frame: ExplainedFrame, language: 'en' | 'zh'): string {
  const address = frame.address === '' ? [] : [say(language, 'decodeAddress', { address: frame.address })]
  return [frame.protocol, say(language, frame.direction), ...address, functionText(frame.function, language)].join('  ')
}

function fieldsText({ fields }: ExplainedFrame, language: 'en' | 'zh'): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name} ${name === 'bad' ? badText(value, language) : plainText(value)}`)
    .join(', ')
}

/** Points without a value and why, or only their names. */
function badText(value: unknown, language: 'en' | 'zh'): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return plainText(value)
  return Object.entries(value)
    .map(([key, cause]) => `${key} (${formatCause(String(cause), language)})`)
    .join(', ')
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
