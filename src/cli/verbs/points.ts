/** Points: their live values, their changes, and reading and writing them now. */
import type { PointRow, WriteAnswer } from '../../control/shapes.ts'
import type { Language } from '../../model/site.ts'
import { ask, askStream } from '../client.ts'
import { EXIT } from '../exit.ts'
import { adviceFor, formatAge, formatReason, formatQuantity, formatValue, siteTime } from '../format.ts'
import { printable } from '../printable.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { type Cell, paint, type Style, table } from '../table.ts'
import { say } from '../text.ts'
import type { Screen } from './status.ts'

export async function points(session: Session, pattern: string | undefined): Promise<number> {
  const { connection, io, json } = session
  const { body, language, at } = await ask<readonly PointRow[]>(connection, 'points', {
    ...(pattern === undefined ? {} : { pattern }),
    titles: !json,
  })
  if (json) printJson(io, body)
  else printLines(io, pointTable(body, at, { language, width: io.width, color: io.color }))
  return EXIT.done
}

const QUALITY_STYLE: Readonly<Record<PointRow['quality'], Style>> = { good: 'green', uncertain: 'yellow', bad: 'red' }

/** Quality and, where it is not good, why. */
function qualityText({ quality: word, cause, reason }: PointRow, language: Language): string {
  const quality = say(language, word)
  return cause === null
    ? quality
    : say(language, 'because', { what: quality, why: formatReason({ cause, reason }, language) })
}

export function pointTable(rows: readonly PointRow[], now: number, screen: Screen): readonly string[] {
  const { language } = screen
  if (rows.length === 0) return [say(language, 'nonePoints')]
  const titled = rows.some(({ title }) => title !== undefined)
  return table(
    [
      { title: say(language, 'colPoint'), min: 34 },
      { title: say(language, 'colValue'), align: 'right', min: 8 },
      { title: say(language, 'colUnit'), min: 4 },
      { title: say(language, 'colQuality'), min: 14 },
      { title: say(language, 'colAge'), align: 'right' },
      ...(titled ? [{ title: say(language, 'colTitle'), min: 6 }] : []),
    ],
    rows.map((row): Cell[] => [
      row.point,
      formatValue(row.value, language),
      row.unit ?? '',
      { text: qualityText(row, language), style: QUALITY_STYLE[row.quality] },
      formatAge(row.at, now, language),
      ...(titled ? [row.title?.[language] ?? ''] : []),
    ]),
    screen,
  )
}

export async function watch(session: Session, pattern: string | undefined): Promise<number> {
  const { connection, io } = session
  let time: ((at: number) => string) | null = null
  for await (const { body, language, timezone } of askStream<PointRow>(
    connection,
    'watch',
    pattern === undefined ? {} : { pattern },
  )) {
    if (session.json) io.out(`${JSON.stringify(body)}\n`)
    else {
      time ??= siteTime(timezone)
      io.out(`${time(body.at).slice(11)}  ${watchLine(body, { language, width: io.width, color: io.color })}\n`)
    }
  }
  return EXIT.done
}

/** `pump_1.pressure  0.31 MPa`, and the cause where the value is not good. */
export function watchLine(row: PointRow, { language, color }: Screen): string {
  const value = printable(formatQuantity(row.value, row.unit, language))
  const doubt =
    row.quality === 'good' ? '' : `  ${paint(printable(qualityText(row, language)), QUALITY_STYLE[row.quality], color)}`
  return `${printable(row.point)}  ${value}${doubt}`
}

/** Exit 1 when one of them has no good value. */
export async function read(session: Session, ids: readonly string[]): Promise<number> {
  const { connection, io } = session
  const { body, language, at } = await ask<readonly PointRow[]>(connection, 'read', {
    points: ids,
    titles: !session.json,
  })
  if (session.json) printJson(io, body)
  else {
    const causes = new Set(body.flatMap(({ cause }) => (cause === null ? [] : [cause])))
    const advice = [...causes].flatMap((cause) => adviceFor(cause, language) ?? [])
    printLines(io, [
      ...pointTable(body, at, { language, width: io.width, color: io.color }),
      ...advice.map((text) => `  → ${text}`),
    ])
  }
  return body.some(({ quality }) => quality === 'bad') ? EXIT.partly : EXIT.done
}

const OUTCOMES = {
  refused: { text: 'writeRefused', exit: EXIT.partly },
  expired: { text: 'writeExpired', exit: EXIT.unreachable },
  unknown: { text: 'writeUnknown', exit: EXIT.unreachable },
} as const

export async function write(session: Session, point: string, value: string): Promise<number> {
  const { connection, io } = session
  const { body, language } = await ask<WriteAnswer>(connection, 'write', { point, value })
  if (session.json) printJson(io, body)
  else printLines(io, writeLines(body, language))
  return body.outcome === 'done' ? EXIT.done : OUTCOMES[body.outcome].exit
}

export function writeLines(body: WriteAnswer, language: Language): readonly string[] {
  const written = formatValue(body.value, language)
  if (body.outcome === 'done') {
    return [
      body.readBack === null
        ? say(language, 'writeDone', { point: body.point, value: written })
        : say(language, 'writeDoneBack', {
            point: body.point,
            value: written,
            readBack: formatValue(body.readBack, language),
          }),
    ]
  }
  const { text } = OUTCOMES[body.outcome]
  const { cause: word, reason } = body
  const cause = word === null ? say(language, 'causeUnknown') : formatReason({ cause: word, reason }, language)
  const advice = adviceFor(body.cause, language)
  return [
    say(language, text, { point: body.point, value: written, cause }),
    ...(body.outcome === 'unknown' ? [`  → ${say(language, 'writeUnknownHint', { point: body.point })}`] : []),
    ...(advice === null ? [] : [`  → ${advice}`]),
  ]
}
