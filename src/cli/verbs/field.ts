/** Buses and devices. */
import type { BusRow, DeviceRow } from '../../control/shapes.ts'
import type { Language } from '../../model/site.ts'
import { ask } from '../client.ts'
import { EXIT } from '../exit.ts'
import { adviceFor, formatAge, formatCause, formatCount, formatPercent, formatPlace, formatSpan } from '../format.ts'
import { printable } from '../printable.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { type Cell, paint, type Style, table, wrap } from '../table.ts'
import { say } from '../text.ts'
import { busNotes, busStateCell, healthText, whyNot } from './condition.ts'
import { pointTable } from './points.ts'
import type { Screen } from './status.ts'

export async function buses(session: Session): Promise<number> {
  const { body, language, at } = await ask<readonly BusRow[]>(session.connection, 'buses')
  const { io } = session
  if (session.json) printJson(io, body)
  else printLines(io, busTable(body, at, { language, width: io.width, color: io.color }))
  return EXIT.done
}

export async function devices(session: Session, id: string | undefined): Promise<number> {
  const { connection, io } = session
  const { body, language, at } = await ask<readonly DeviceRow[]>(
    connection,
    'devices',
    id === undefined ? {} : { device: id },
  )
  const screen: Screen = { language, width: io.width, color: io.color }
  const [only] = body
  if (session.json) printJson(io, body)
  else if (id !== undefined && only !== undefined) printLines(io, deviceScreen(only, at, screen))
  else printLines(io, deviceTable(body, at, screen))
  return EXIT.done
}

const STATE_STYLE: Readonly<Record<DeviceRow['state'], Style>> = {
  online: 'green',
  degraded: 'yellow',
  offline: 'red',
  maintenance: 'dim',
}

function stateCell(row: DeviceRow, language: Language): Cell {
  const state = say(language, row.state)
  const why = whyNot(row, language)
  const text = why === null ? state : say(language, 'because', { what: state, why })
  return { text, style: STATE_STYLE[row.state] }
}

export function busTable(rows: readonly BusRow[], now: number, screen: Screen): readonly string[] {
  const { language } = screen
  if (rows.length === 0) return [say(language, 'noneBuses')]
  const broken = rows.filter(({ state }) => state === 'offline')
  const wide = screen.width >= WIDE
  return [
    ...table(
      [
        { title: say(language, 'colBus'), min: 8 },
        { title: say(language, 'colState'), min: 7 },
        { title: say(language, 'colDevices'), align: 'right' },
        { title: say(language, 'colLoad'), align: 'right' },
        { title: say(language, 'colCycle'), align: 'right' },
        ...(wide ? [{ title: say(language, 'colPredicted'), align: 'right' as const }] : []),
        { title: say(language, 'colReply'), align: 'right' },
        { title: say(language, 'colErrors'), align: 'right' },
        { title: say(language, 'colWire'), min: 8 },
      ],
      rows.map((row) => [
        row.bus,
        busStateCell(row, language),
        `${row.devices.online}/${row.devices.total}`,
        { text: formatPercent(row.utilisation), style: row.utilisation > 0.9 ? 'yellow' : 'bold' },
        spanOf(row.cycleMs, language),
        ...(wide ? [spanOf(row.predictedMs, language)] : []),
        spanOf(row.latencyMs, language),
        errorCount(row),
        wide ? row.wire : shortWire(row.wire),
      ]),
      screen,
    ),
    ...broken.flatMap(({ bus, cause, since, devices }) => {
      const words = cause === null ? say(language, 'causeUnknown') : formatCause(cause, language)
      const span = since === null ? '' : say(language, 'forSpan', { span: formatAge(since, now, language) })
      const advice = adviceFor(cause, language)
      return [
        '',
        paint(
          say(language, 'busOffline', { subject: bus, cause: words, count: devices.total, span }),
          'red',
          screen.color,
        ),
        ...(advice === null ? [] : wrap(`  → ${advice}`, screen.width)),
      ]
    }),
    ...rows.flatMap((row) => busNotes(row, now, screen)),
  ]
}

/** From this width on there is room for all of a wire and for what `check` predicts as well. */
const WIDE = 110
const WIRE_MAX = 22

/** What tells wires apart on a narrow screen: host and port, or the end of a device's path. */
export function shortWire(wire: string): string {
  const short = wire.replace(/^[a-z][a-z0-9+.-]*:\/\//, '').replace(/^\/dev\/(?:serial\/by-(?:id|path)\/)?/, '')
  return short.length > WIRE_MAX ? `…${short.slice(1 - WIRE_MAX)}` : short
}

/** All kinds together; `devices ID` tells them apart. */
function errorCount({ errors }: Pick<DeviceRow, 'errors'>): string {
  return formatCount(errors.timeout + errors.crc + errors.exception)
}

function spanOf(ms: number | null, language: Language): string {
  return ms === null ? '-' : formatSpan(ms, language)
}

export function deviceTable(rows: readonly DeviceRow[], now: number, screen: Screen): readonly string[] {
  const { language } = screen
  if (rows.length === 0) return [say(language, 'noneDevices')]
  return table(
    [
      { title: say(language, 'colDevice'), min: 10 },
      { title: say(language, 'colState'), min: 7 },
      { title: say(language, 'colLastGood'), align: 'right' },
      { title: say(language, 'colBus'), min: 6 },
      { title: say(language, 'colErrors'), align: 'right' },
      { title: say(language, 'colName'), min: 6 },
    ],
    rows.map((row) => [
      row.device,
      stateCell(row, language),
      formatAge(row.lastGood, now, language),
      row.bus ?? '-',
      errorCount(row),
      row.name[language],
    ]),
    screen,
  )
}

export function deviceScreen(row: DeviceRow, now: number, screen: Screen): readonly string[] {
  const { language, color } = screen
  const { bus, address } = row
  const reached =
    bus !== null && address !== null
      ? say(language, 'deviceReached', { bus, address })
      : address !== null
        ? say(language, 'deviceTopic', { address })
        : say(language, 'deviceComposed')
  const place = formatPlace(row.place)
  const span = formatAge(row.since, now, language)
  const state = say(language, row.state)
  const what = row.since === null ? state : say(language, 'stateSince', { state, span })
  const why = whyNot(row, language)
  const advice =
    row.answersAs !== null
      ? say(language, 'answersAsAdvice')
      : row.state === 'online' || row.reason !== undefined
        ? null
        : adviceFor(row.cause, language)
  const facts = say(language, 'deviceFacts', {
    model: row.model?.[language] ?? row.driver,
    driver: row.driver,
    reached,
  })
  const reply = row.latencyMs === null ? null : formatSpan(row.latencyMs, language)
  return [
    paint(printable(`${row.device}  ${row.name[language]}${place === '' ? '' : `  ${place}`}`), 'bold', color),
    ...wrap(facts, screen.width),
    paint(why === null ? what : say(language, 'because', { what, why }), STATE_STYLE[row.state], color),
    ...(advice === null ? [] : wrap(`  → ${advice}`, screen.width)),
    say(language, 'errorsIs', row.errors),
    ...(row.misaddressed === 0 ? [] : [say(language, 'misaddressed', { n: formatCount(row.misaddressed) })]),
    ...(row.health !== null
      ? [healthText(row.health, language)]
      : reply === null
        ? []
        : [say(language, 'replyIs', { span: reply })]),
    '',
    ...pointTable(row.points ?? [], now, screen),
  ]
}
