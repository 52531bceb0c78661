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

const INDENT = 6
/** With less beside the head of a line, the text goes below it. */
const ROOM_MIN = 20
/** Longer lines are hard to read, also where the output is piped. */
const WIDTH_MAX = 120

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
    const wide = Math.min(screen.width, WIDTH_MAX)
    // What it says is not cut here: it is what somebody was woken for.
    const room = wide - width(alarmHead(row, now, screen))
    const text = wrap(printable(row.text[language]), room < ROOM_MIN ? wide - INDENT : room)
    const [first = '', ...more] = room < ROOM_MIN ? ['', ...text] : text
    const advice = row.advice === null ? [] : wrap(printable(row.advice[language]), wide - INDENT - 2)
    return [
      (alarmHead(row, now, screen, color) + first).trimEnd(),
      ...[...more, ...wrap(detailText(row, screen), wide - INDENT)].map((line) => blanks(INDENT) + line),
      ...advice.map((line, at) => `${blanks(INDENT)}${at === 0 ? '→' : ' '} ${line}`),
    ]
  })
  const open = rows.find(({ acked }) => !acked)
  return open === undefined ? lines : [...lines, '', say(language, 'alarmFoot', { no: open.no })]
}

/** Number, priority, state, since when, text: one line. */
export function alarmLine(row: AlarmRow, now: number, screen: Screen, wide: number): string {
  const { language, color } = screen
  const room = wide - width(alarmHead(row, now, screen))
  return alarmHead(row, now, screen, color) + cut(printable(row.text[language]), room)
}

function alarmHead(row: AlarmRow, now: number, { language }: Screen, color = false): string {
  const priority = paint(pad(say(language, row.priority), 8), STYLE[row.priority], color)
  const state = pad(say(language, row.state), 14)
  const age = pad(formatAge(row.raisedAt, now, language), 8)
  return `${String(row.no).padStart(3)}  ${priority}  ${state}  ${age}  `
}

function detailText(row: AlarmRow, { language }: Screen): string {
  const inputs = Object.entries(row.inputs).map(([point, value]) => `${point} = ${formatValue(value, language)}`)
  const repeats = row.repeats > 1 ? [say(language, 'alarmAgain', { n: row.repeats })] : []
  return printable([formatPlace(row.place), row.rule, ...inputs, ...repeats].filter((part) => part !== '').join(' · '))
}

function pad(text: string, columns: number): string {
  return text + blanks(columns - width(text))
}

function blanks(count: number): string {
  return ' '.repeat(Math.max(0, count))
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
