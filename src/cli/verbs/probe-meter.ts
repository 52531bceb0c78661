/** `probe` of a meter: one item of DL/T 645, CJ/T 188 or M-Bus by hand. Its protocol says how it is read, so nothing is guessed. */
import type { Heard, Inquiry } from '../../control/inquiry.ts'
import { meterReasons } from '../../control/reason.ts'
import { bodiesOf } from '../../control/search-ask.ts'
import { byHand, type ReadingWords } from '../../driver/byhand.ts'
import { codecOf } from '../../driver/codec.ts'
import { lineText } from '../../driver/units.ts'
import { causeText } from '../../model/fault.ts'
import type { Value } from '../../model/point.ts'
import type { Language, ProtocolName } from '../../model/site.ts'
import type { Address } from '../../protocols/protocol.ts'
import { openAsker } from '../asker.ts'
import { CliError, EXIT } from '../exit.ts'
import { formatCause, formatSpan } from '../format.ts'
import { printable } from '../printable.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { say } from '../text.ts'
import { loadQuietly } from './site.ts'

export type MeterOptions = {
  readonly protocol?: string
  readonly address?: string
  readonly field?: string
  readonly as?: string
  readonly line?: string
  readonly expect?: string
  readonly keep?: string
}

type Meter = {
  /** A bus of the site, or a wire. */
  readonly where: string
  readonly protocol: Exclude<ProtocolName, 'modbus'>
  readonly address: Address
  /** null: the wire's own. */
  readonly line: string | null
}

/** null: what is meant is no meter but has registers. */
export async function probeMeter(
  session: Session,
  target: string,
  at: string,
  options: MeterOptions,
): Promise<number | null> {
  const language = session.connection.language ?? 'en'
  const meter = meterOf(session, target, options, language)
  if (meter === null) return null
  if (options.expect !== undefined || options.keep !== undefined)
    throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'probeMeterOnly'))
  const { where, protocol, address, line } = meter
  const words: ReadingWords = {
    protocol,
    at,
    ...(options.as === undefined ? {} : { as: options.as }),
    ...(options.field === undefined ? {} : { field: options.field }),
  }
  const placed = codecOf(protocol)?.place(words) ?? ''
  const made = byHand(words)
  if (typeof placed === 'string') throw new CliError(EXIT.usage, 'E_ARGS', placed)
  if (typeof made === 'string') throw new CliError(EXIT.usage, 'E_ARGS', made)
  const { protocol: _same, ...asked } = words
  const inquiry: Inquiry = { protocol, address, what: asked, idle: false, ...(line === null ? {} : { line }) }
  const asker = await openAsker(session, where, line)
  try {
    const heard = await asker.ask(inquiry)
    const reading = heard.outcome === 'answer' ? made.block.read(made.points, bodiesOf(heard))[0] : undefined
    const value = reading !== undefined && 'value' in reading ? reading.value : null
    const fault = reading !== undefined && 'fault' in reading ? causeText(reading.fault) : heard.fault
    tell(session, { at, protocol, value, unit: placed.unit ?? null, fault, heard }, asker.language)
    if (value !== null) return EXIT.done
    return heard.outcome === 'silent' || heard.outcome === 'unsent' ? EXIT.unreachable : EXIT.partly
  } finally {
    await asker.close()
  }
}

function meterOf(session: Session, target: string, options: MeterOptions, language: Language): Meter | null {
  if (options.protocol !== undefined) {
    if (options.protocol === 'modbus') return null
    const protocol = METERS.find((name) => name === options.protocol)
    if (protocol === undefined)
      throw new CliError(
        EXIT.usage,
        'E_ARGS',
        say(language, 'badProtocol', { text: options.protocol, known: `modbus, ${METERS.join(', ')}` }),
      )
    if (options.address === undefined) throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'probeMeterAddress'))
    return { where: target, protocol, address: options.address, line: options.line ?? null }
  }
  const site = target.includes('/') ? null : loadQuietly(session)
  const link = site?.devices.find(({ id }) => id === target)?.link
  if (link?.kind !== 'bus' || link.protocol === 'modbus') return null
  const where = site?.buses[link.bus]?.id
  if (where === undefined) return null
  return {
    where,
    protocol: link.protocol,
    address: link.address,
    line: options.line ?? (link.line === null ? null : lineText(link.line)),
  }
}

const METERS = ['dlt645', 'cjt188', 'mbus'] as const

type Told = {
  readonly at: string
  readonly protocol: ProtocolName
  readonly value: Value | null
  readonly unit: string | null
  readonly fault: string | null
  readonly heard: Heard
}

function tell({ json, io }: Session, { at, protocol, value, unit, fault, heard }: Told, language: Language): void {
  const { outcome, bodies, ms } = heard
  if (json) return printJson(io, { at, value, unit, fault, outcome, bodies, ms })
  const said =
    value === null ? causeOf(fault ?? 'not_read', { at, protocol }, language) : [String(value), unit ?? ''].join(' ')
  const after =
    ms === null || bodies.length === 0
      ? []
      : [`  ${say(language, 'probeMeterTook', { span: formatSpan(ms, language) })}`]
  const raw = bodies.map((body) => `  ${body.replaceAll(/(..)(?!$)/g, '$1 ')}`)
  printLines(io, [printable(`${at}: ${said.trim()}`), ...after, ...raw])
}

/** DL/T 645 meters say why in a byte of their own; its meaning depends on the edition, which the length of an identifier tells. */
function causeOf(fault: string, { at, protocol }: Pick<Told, 'at' | 'protocol'>, language: Language): string {
  const [, code] = /^exception:(\d+)$/.exec(fault) ?? []
  if (protocol !== 'dlt645' || code === undefined) return formatCause(fault, language)
  const { [language]: why } = meterReasons(Number(code), at.length === 4 ? '1997' : '2007')
  return say(language, 'probeMeterRefuses', { why })
}
