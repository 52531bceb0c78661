/** A trend as a table, as CSV, or as a curve. */
import type { HistoryAnswer } from '../../control/shapes.ts'
import { ask } from '../client.ts'
import { parseDuration } from '../duration.ts'
import { CliError, EXIT } from '../exit.ts'
import { formatNumber, formatSpan, siteTime } from '../format.ts'
import { plot } from '../plot.ts'
import { printable } from '../printable.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { paint, table } from '../table.ts'
import { say } from '../text.ts'
import type { Screen } from './status.ts'

export type HistoryOptions = { since?: string; every?: string; plot?: boolean; csv?: boolean }

const DAY_MS = 86_400_000
/** As the daemon has them. */
const SINCE_MS_MAX = 20 * 366 * DAY_MS
const EVERY_MS_MIN = 1000

export async function history(session: Session, point: string, options: HistoryOptions): Promise<number> {
  const { connection, io } = session
  if (options.plot === true && options.csv === true)
    throw new CliError(EXIT.usage, 'E_ARGS', say(connection.language, 'notTogether', { a: '--plot', b: '--csv' }))
  const sinceMs = parseDuration(options.since ?? '24h', '--since', connection.language)
  const everyMs =
    options.every === undefined
      ? bucketFor(sinceMs)
      : options.every === 'raw'
        ? 0
        : parseDuration(options.every, '--every', connection.language)
  const { language: own } = connection
  if (sinceMs > SINCE_MS_MAX)
    throw new CliError(EXIT.usage, 'E_ARGS', say(own, 'historySinceMax'), say(own, 'durationHint'))
  if (everyMs > 0 && everyMs < EVERY_MS_MIN)
    throw new CliError(EXIT.usage, 'E_ARGS', say(own, 'historyEveryMin'), say(own, 'historyEveryHint'))
  const { body, language, at } = await ask<HistoryAnswer>(connection, 'history', { point, sinceMs, everyMs })
  const screen: Screen = { language, width: io.width, color: io.color }
  if (session.json) printJson(io, body)
  else if (options.csv === true) printLines(io, csvLines(body))
  else if (body.rows.length === 0)
    printLines(io, [say(language, 'noneHistory', { point, span: formatSpan(sinceMs, language) })])
  else if (options.plot === true) printLines(io, plotScreen(body, { ...screen, now: at, sinceMs }))
  else printLines(io, historyTable(body, screen))
  if (body.truncated) io.err(`${say(language, 'truncatedRows', { n: body.rows.length })}\n`)
  return EXIT.done
}

/** Rows that fit a few screens: every report of an hour, minutes of a day, quarters of a week, hours beyond. */
export function bucketFor(sinceMs: number): number {
  if (sinceMs <= DAY_MS / 24) return 0
  if (sinceMs <= DAY_MS) return 60_000
  return sinceMs <= 7 * DAY_MS ? 900_000 : 3_600_000
}

export function historyTable(body: HistoryAnswer, screen: Screen): readonly string[] {
  const { language } = screen
  const time = siteTime(body.timezone)
  const unit = body.unit === null ? '' : ` ${body.unit}`
  const title = paint(printable(`${body.point}${unit}`), 'bold', screen.color)
  const number = (value: number | string | null): string =>
    value === null ? '-' : typeof value === 'number' ? formatNumber(value) : value
  if (body.everyMs === 0) {
    const columns = [
      { title: say(language, 'colTime') },
      { title: say(language, 'colValue'), align: 'right' as const, min: 8 },
    ]
    return [
      title,
      ...table(
        columns,
        body.rows.map(([at, , , , last]) => [time(at), number(last)]),
        screen,
      ),
    ]
  }
  const right = (key: 'colMin' | 'colMax' | 'colMean' | 'colLast' | 'colCount') => ({
    title: say(language, key),
    align: 'right' as const,
  })
  return [
    title,
    ...table(
      [
        { title: say(language, 'colTime') },
        right('colMin'),
        right('colMax'),
        right('colMean'),
        right('colLast'),
        right('colCount'),
      ],
      body.rows.map(([at, min, max, mean, last, count]) => [
        time(at),
        number(min),
        number(max),
        // More digits than the instrument has would only look exact.
        mean === null ? '-' : formatNumber(Number(mean.toPrecision(6))),
        number(last),
        String(count),
      ]),
      screen,
    ),
  ]
}

/** Times in UTC (ISO 8601), figures as they are: for programs. */
export function csvLines(body: HistoryAnswer): readonly string[] {
  const cell = (value: number | string | null): string =>
    value === null ? '' : typeof value === 'number' ? String(value) : `"${value.replaceAll('"', '""')}"`
  return [
    'time,min,max,mean,last,count',
    ...body.rows.map(([at, ...values]) => [new Date(at).toISOString(), ...values.map(cell)].join(',')),
  ]
}

export function plotScreen(body: HistoryAnswer, screen: Screen & { now: number; sinceMs: number }): readonly string[] {
  const points = body.rows.flatMap(([at, min, max, , last]) =>
    min === null || max === null || typeof last !== 'number' ? [] : [{ at, min, max, last }],
  )
  if (points.length === 0) return [say(screen.language, 'notNumbers', { point: body.point })]
  const time = siteTime(body.timezone)
  const from = Math.min(screen.now - screen.sinceMs, points[0]?.at ?? screen.now)
  return [
    paint(printable(`${body.point}${body.unit === null ? '' : ` ${body.unit}`}`), 'bold', screen.color),
    ...plot(points, {
      from,
      to: screen.now,
      width: Number.isFinite(screen.width) ? screen.width : 80,
      rows: 12,
      everyMs: body.everyMs === 0 ? 300_000 : body.everyMs,
      time,
    }),
  ]
}
