/** What an engineer at two in the morning needs: which, how bad, since when, where, and what to do. */
import type { AckAnswer, AlarmRow } from '../../control/shapes.ts'
import { ask } from '../client.ts'
import { CliError, EXIT } from '../exit.ts'
import { formatAge, formatPlace, formatValue } from '../format.ts'
import { printable } from '../printable.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { cut, paint, type Style, width, wrap } from '../table.ts'
import { say } from '../text.ts'
import type { Screen } from './status.ts'

export async function alarms(session: Session, options: { all?: boolean }): Promise<number> {
  const { body, language, at } = await ask<readonly AlarmRow[]>(session.connection, 'alarms', {
    all: options.all === true,
  })
  const { io } = session
  if (session.json) printJson(io, body)
  else printLines(io, alarmScreen(body, at, { language, width: io.width, color: io.color }))
  return EXIT.done
}

const STYLE: Readonly<Record<AlarmRow['priority'], Style>> = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'dim',
}

export function alarmScreen(rows: readonly AlarmRow[], now: number, screen: Screen): readonly string[] {
  const { language, color } = screen
  const [first] = rows
  if (first === undefined) return [paint(say(language, 'noneAlarms'), 'green', color)]
  const lines = rows.flatMap((row) => {
    const wide = Math.min(screen.width, 120)
    const details = [detailText(row, screen), row.advice === null ? null : `→ ${printable(row.advice[language])}`]
    return [
      alarmLine(row, now, screen, wide),
      ...details.flatMap((text) => (text === null ? [] : wrap(text, wide - 6).map((line) => `      ${line}`))),
    ]
  })
  const open = rows.find(({ acked }) => !acked)
  return open === undefined ? lines : [...lines, '', say(language, 'alarmFoot', { no: open.no })]
}

/** Number, priority, state, since when, text: one line. */
export function alarmLine(row: AlarmRow, now: number, screen: Screen, wide: number): string {
  const { language, color } = screen
  const priority = pad(say(language, row.priority), 8)
  const state = pad(say(language, row.state), 14)
  const age = pad(formatAge(row.raisedAt, now, language), 8)
  const before = `${String(row.no).padStart(3)}  `
  const text = `${state}  ${age}  ${printable(row.text[language])}`
  return before + paint(priority, STYLE[row.priority], color) + cut(`  ${text}`, wide - width(before + priority))
}

function detailText(row: AlarmRow, { language }: Screen): string {
  const inputs = Object.entries(row.inputs).map(([point, value]) => `${point} = ${formatValue(value, language)}`)
  const repeats = row.repeats > 1 ? [say(language, 'alarmAgain', { n: row.repeats })] : []
  return printable([formatPlace(row.place), row.rule, ...inputs, ...repeats].filter((part) => part !== '').join(' · '))
}

function pad(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - width(text)))
}

export async function ack(session: Session, which: string | undefined, options: { all?: boolean }): Promise<number> {
  const { connection, io } = session
  if ((which === undefined) === (options.all !== true)) {
    throw new CliError(EXIT.usage, 'E_ARGS', say(connection.language, 'ackWhich'))
  }
  const input = which === undefined ? { all: true } : /^\d{1,15}$/.test(which) ? { no: Number(which) } : { rule: which }
  const { body, language } = await ask<AckAnswer>(connection, 'ack', input)
  if (session.json) {
    printJson(io, body)
    return EXIT.done
  }
  const lines = [
    ...(body.acknowledged.length > 0 ? [say(language, 'acked', { list: body.acknowledged.join(', ') })] : []),
    ...(body.already.length > 0 ? [say(language, 'ackedAlready', { list: body.already.join(', ') })] : []),
  ]
  printLines(io, lines.length > 0 ? lines : [say(language, 'ackedNone')])
  return EXIT.done
}
