/**
 * `prove`: walks the points with the engineer in front of the equipment. Each is read now, shown raw and decoded, compared with what the
 * display says, and kept with who and when. `--report` writes the sheet that is signed.
 */
import { writeFileSync } from 'node:fs'
import type { ProofList, ProofLook, ProofRow } from '../../control/shapes-field.ts'
import type { Language } from '../../model/site.ts'
import { ask } from '../client.ts'
import { CliError, EXIT } from '../exit.ts'
import { formatCause, formatQuantity, siteTime } from '../format.ts'
import { printable } from '../printable.ts'
import { reportHtml } from '../prove-report.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { paint, type Style, table } from '../table.ts'
import { say, type TextKey } from '../text.ts'

export type ProveOptions = {
  readonly report?: string
  readonly seen?: string
  readonly by?: string
  readonly list?: boolean
}

export async function prove(session: Session, pattern: string | undefined, options: ProveOptions): Promise<number> {
  const input = pattern === undefined ? {} : { pattern }
  const { body, language } = await ask<ProofList>(session.connection, 'prove_list', input)
  if (options.report !== undefined) return report(session, body, options.report, language)
  if (options.list === true || (session.json && options.seen === undefined)) return list(session, body, language)
  if (options.seen !== undefined) return once(session, body, options.seen, { by: options.by, language })
  return walk(session, body, { by: options.by, language })
}

/** What still keeps a site from being handed over: never a good value, or another one than the display shows. */
function failures(rows: readonly ProofRow[]): readonly ProofRow[] {
  return rows.filter(({ everGood, state }) => !everGood || state === 'differs')
}

function exitOf(rows: readonly ProofRow[]): number {
  return failures(rows).length > 0 ? EXIT.partly : EXIT.done
}

function report({ io, json }: Session, list_: ProofList, file: string, language: Language): number {
  writeFileSync(file, reportHtml(list_, language))
  const { rows } = list_
  const never = rows.filter(({ everGood }) => !everGood)
  const facts = { file, total: rows.length, proven: count(rows, 'proven'), never: never.length }
  if (json) printJson(io, { ...facts, differs: count(rows, 'differs'), lapsed: count(rows, 'lapsed') })
  else {
    printLines(io, [say(language, 'proveReport', facts), ...summary(rows, language)])
    if (never.length > 0) printLines(io, [say(language, 'proveNever', { points: names(never) })])
  }
  return exitOf(rows)
}

/** The first few, and how many more. */
function names(rows: readonly ProofRow[]): string {
  const shown = rows.slice(0, 10).map(({ point }) => point)
  return rows.length > shown.length ? `${shown.join(', ')} … (${rows.length})` : shown.join(', ')
}

function count(rows: readonly ProofRow[], state: ProofRow['state']): number {
  return rows.filter((row) => row.state === state).length
}

function summary(rows: readonly ProofRow[], language: Language): readonly string[] {
  const differs = count(rows, 'differs')
  const lapsed = count(rows, 'lapsed')
  const unproven = count(rows, 'unproven')
  return differs + lapsed + unproven === 0 ? [] : [say(language, 'proveOpen', { differs, lapsed, unproven })]
}

const STATES: Readonly<Record<ProofRow['state'], { readonly text: TextKey; readonly style: Style }>> = {
  proven: { text: 'proven', style: 'green' },
  differs: { text: 'differs', style: 'red' },
  lapsed: { text: 'lapsed', style: 'yellow' },
  unproven: { text: 'unproven', style: 'dim' },
}

function list({ io, json }: Session, { rows, timezone }: ProofList, language: Language): number {
  if (json) {
    printJson(io, rows)
    return exitOf(rows)
  }
  const time = siteTime(timezone)
  const columns = [
    { title: say(language, 'colPoint'), min: 20 },
    { title: say(language, 'colState') },
    { title: say(language, 'colValue'), align: 'right' as const, min: 8 },
    { title: say(language, 'colSeen'), min: 6 },
    { title: say(language, 'colBy'), min: 4 },
    { title: say(language, 'colTime'), min: 10 },
  ]
  const cells = rows.map((row) => [
    row.point,
    {
      text: row.everGood ? say(language, STATES[row.state].text) : say(language, 'neverGood'),
      style: row.everGood ? STATES[row.state].style : ('red' as const),
    },
    row.proof === null ? '' : formatQuantity(row.proof.value, row.unit, language),
    row.proof?.seen ?? '',
    row.proof?.by ?? '',
    row.proof === null ? '' : time(row.proof.at).slice(0, 16),
  ])
  printLines(io, [...table(columns, cells, io), ...summary(rows, language)])
  return exitOf(rows)
}

type Whose = { readonly by: string | undefined; readonly language: Language }

/** For scripts: one point, one value. */
async function once(session: Session, { rows }: ProofList, seen: string, whose: Whose): Promise<number> {
  const [row] = rows
  const { language } = whose
  if (row === undefined || rows.length > 1)
    throw new CliError(
      EXIT.usage,
      'E_ARGS',
      say(language, 'proveOne', { n: rows.length }),
      say(language, 'proveOneHint'),
    )
  const look = await lookAt(session, row)
  if (look.decoded.value === null) {
    if (session.json) printJson(session.io, look)
    else printLines(session.io, lookLines(look, session, language))
    return EXIT.partly
  }
  const kept = await keep(session, look, seen, whose)
  if (session.json) printJson(session.io, kept)
  else printLines(session.io, [...lookLines(look, session, language), keptLine(kept, session, language)])
  return kept.state === 'proven' ? EXIT.done : EXIT.partly
}

async function lookAt(session: Session, { point }: ProofRow): Promise<ProofLook> {
  return (await ask<ProofLook>(session.connection, 'prove_look', { point })).body
}

async function keep(session: Session, look: ProofLook, seen: string, { by }: Whose): Promise<ProofRow> {
  const { point, raw, decoded } = look
  const input = { point, raw, value: decoded.value, seen, ...(by === undefined ? {} : { by }) }
  return (await ask<ProofRow>(session.connection, 'prove_keep', input)).body
}

/** What is open first; an answer is a value, nothing (as shown), s (skip), b (back) or q (enough). */
async function walk(session: Session, { rows }: ProofList, whose: Whose): Promise<number> {
  const { io } = session
  const { language } = whose
  const { question } = io
  if (question === undefined)
    throw new CliError(EXIT.usage, 'E_ARGS', say(language, 'proveTerminal'), say(language, 'proveTerminalHint'))
  const open = rows.filter(({ state }) => state !== 'proven')
  printLines(io, [say(language, 'proveBegin', { n: open.length, total: rows.length }), say(language, 'proveKeys')])
  const done: ProofRow[] = rows.filter(({ state }) => state === 'proven')
  for (let at = 0; at < open.length; at++) {
    const row = open[at]
    if (row === undefined) break
    const look = await lookAt(session, row)
    printLines(io, [
      '',
      paint(say(language, 'proveAt', { n: at + 1, total: open.length }), 'dim', io.color),
      ...lookLines(look, session, language),
    ])
    const outcome = await answerTo(session, look, whose)
    if (outcome === 'quit') {
      done.push(...open.slice(at))
      break
    }
    if (outcome === 'back') at = Math.max(-1, at - 2)
    else done.push(outcome === 'skip' ? row : outcome)
  }
  const last = [...new Map(done.map((row) => [row.point, row])).values()]
  printLines(io, [
    '',
    say(language, 'proveEnd', { proven: count(last, 'proven'), total: rows.length }),
    ...summary(last, language),
  ])
  return exitOf(last)
}

async function answerTo(session: Session, look: ProofLook, whose: Whose): Promise<ProofRow | 'skip' | 'back' | 'quit'> {
  const { io } = session
  const { language } = whose
  const { value } = look.decoded
  for (;;) {
    const typed = await io.question?.(`  ${say(language, value === null ? 'proveAskBad' : 'proveAsk')} `)
    const answer = typed?.trim()
    if (answer === undefined || answer === 'q') return 'quit'
    if (answer === 's' || value === null) return answer === 'b' ? 'back' : 'skip'
    if (answer === 'b') return 'back'
    try {
      const kept = await keep(session, look, answer === '' ? String(value) : answer, whose)
      printLines(io, [keptLine(kept, session, language)])
      return kept
    } catch (error) {
      // What cannot be compared is asked again; anything else ends the walk.
      if (!(error instanceof CliError) || error.code !== 'E_TYPE') throw error
      printLines(io, [`  ${printable(error.message)}`])
    }
  }
}

function lookLines(look: ProofLook, { io }: Session, language: Language): readonly string[] {
  const { decoded } = look
  const value = decoded.value === null ? '-' : formatQuantity(decoded.value, decoded.unit, language)
  const cause =
    decoded.cause === null ? '' : `  ${paint(printable(formatCause(decoded.cause, language)), 'yellow', io.color)}`
  const where = [look.deviceName[language], look.address, look.where].filter((part) => part !== null && part !== '')
  return [
    `${paint(printable(`${look.point}  ${look.title[language]}`), 'bold', io.color)}`,
    `  ${printable(where.join('  '))}`,
    `  ${printable(value)}${cause}${look.raw === null ? '' : paint(`  ${say(language, 'proveRaw', { raw: look.raw })}`, 'dim', io.color)}`,
  ]
}

function keptLine(row: ProofRow, { io }: Session, language: Language): string {
  const { text, style } = STATES[row.state]
  const seen = row.proof?.seen ?? ''
  return `  ${paint(say(language, 'proveKept', { state: say(language, text), seen }), style, io.color)}`
}
