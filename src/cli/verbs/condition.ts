/** How buses and devices do, in words: why one is degraded, who else is on the wire, who answers in whose place. */
import type { BusHealthRow, DeviceHealthRow, StrangerRow } from '../../control/shapes-health.ts'
import type { BusRow, DeviceRow } from '../../control/shapes.ts'
import type { Language } from '../../model/site.ts'
import { formatAge, formatCount, formatPercent, formatReason, formatSpan } from '../format.ts'
import { printable } from '../printable.ts'
import { type Cell, paint, wrap } from '../table.ts'
import { say } from '../text.ts'
import type { Screen } from './status.ts'

/** On the screen; all of them are in the JSON. */
const STRANGERS_MAX = 4
/** Texts of a serial server that are told, and letters of each. */
const TEXTS_MAX = 2
const TEXT_SHOWN = 40
/** Fewer failures than this are not worth a line. */
const SHARE_MIN = 0.02

/** What is wrong with a device; null: nothing, or nobody knows. */
export function whyNot(row: DeviceRow, language: Language): string | null {
  const { answersAs, address, health } = row
  if (answersAs !== null) return say(language, 'answersAs', { other: answersAs, address: address ?? '-' })
  if (row.state === 'online') return null
  const { cause, reason } = row
  if (cause !== null) return formatReason({ cause, reason }, language)
  return row.state !== 'degraded' || health === null ? null : unsteadyText(health, language)
}

/** What makes a device that answers one that is not steady. */
export function unsteadyText(health: DeviceHealthRow, language: Language): string {
  return health.why === 'slow'
    ? say(language, 'slower', spansOf(health, language))
    : say(language, 'failing', { share: formatPercent(health.errorShare) })
}

export function healthText(health: DeviceHealthRow, language: Language): string {
  return say(language, 'healthIs', { share: formatPercent(health.errorShare), ...spansOf(health, language) })
}

function spansOf(
  { responseMs, usualMs }: { responseMs: number; usualMs: number },
  language: Language,
): { span: string; usual: string } {
  return { span: formatSpan(responseMs, language), usual: formatSpan(usualMs, language) }
}

/** Why it is degraded stands in the notes below the table: there is room. */
export function busStateCell({ state, health }: BusRow, language: Language): Cell {
  if (state === 'offline') return { text: say(language, state), style: 'red' }
  return health.is === 'good'
    ? { text: say(language, state), style: 'green' }
    : { text: say(language, health.is), style: 'yellow' }
}

/** What there is to say of a bus beside its line in the table; nothing of one that is well and alone. */
export function busNotes({ bus, health }: BusRow, now: number, screen: Screen): readonly string[] {
  const { language } = screen
  const { collisions, yields, lineChanges, lineChangeMs } = health
  const notes = [
    ...strangerNotes(bus, health.strangers, now, language),
    ...(collisions > 0 ? [say(language, 'busCollisions', { bus, n: formatCount(collisions) })] : []),
    ...(yields > 0 ? [say(language, 'busYields', { bus, n: formatCount(yields) })] : []),
    ...(health.why.includes('master') ? [`  → ${say(language, 'busMasterAdvice')}`] : []),
    ...health.texts.slice(0, TEXTS_MAX).map(({ text, count }) => {
      const shown = text.length > TEXT_SHOWN ? `${text.slice(0, TEXT_SHOWN)}…` : text
      return say(language, 'busText', { bus, text: shown, n: formatCount(count) })
    }),
    ...(health.why.includes('overload') ? [say(language, 'busFull', { bus })] : []),
    ...healthNotes(bus, health, language),
    ...(lineChanges > 0
      ? [
          say(language, 'busLineChanges', {
            bus,
            n: formatCount(lineChanges),
            span: formatSpan(lineChangeMs, language),
          }),
        ]
      : []),
  ]
  if (notes.length === 0) return []
  const lines = notes.flatMap((note) => wrap(printable(note), screen.width))
  return ['', ...lines.map((line) => paint(line, health.is === 'good' ? 'dim' : 'yellow', screen.color))]
}

function healthNotes(bus: string, health: BusHealthRow, language: Language): readonly string[] {
  const { degraded, offline, errorShare } = health
  if (degraded === 0 && errorShare < SHARE_MIN) return []
  const share = formatPercent(errorShare)
  return [say(language, 'busHealth', { bus, share, degraded, offline, ...spansOf(health, language) })]
}

function strangerNotes(
  bus: string,
  strangers: readonly StrangerRow[],
  now: number,
  language: Language,
): readonly string[] {
  const masters = strangers.filter(({ direction }) => direction === 'request')
  // Who answers a master that is heard itself needs no line of its own.
  const told = masters.length > 0 ? masters : strangers
  const rest = told.length - STRANGERS_MAX
  return [
    ...told.slice(0, STRANGERS_MAX).map((each) => strangerText(bus, each, now, language)),
    ...(rest > 0 ? [say(language, 'busStrangersMore', { bus, n: rest })] : []),
  ]
}

/** Framings whose addresses are called units. */
const MODBUS = new Set(['rtu', 'ascii', 'tcp'])

function strangerText(bus: string, stranger: StrangerRow, now: number, language: Language): string {
  const { protocol, direction, from, everyMs, present } = stranger
  const unit =
    from === null
      ? say(language, 'unitUnknown')
      : say(language, MODBUS.has(protocol) ? 'unitIs' : 'addressIs', { n: from })
  const key = direction === 'reply' ? 'busStranger' : present ? 'busMaster' : 'busMasterWas'
  return say(language, key, {
    bus,
    unit,
    every: everyMs === null ? '' : say(language, 'everySpan', { span: formatSpan(everyMs, language) }),
    protocol,
    what: stranger.function === null ? '' : `, ${stranger.function}`,
    n: formatCount(stranger.count),
    ago: formatAge(stranger.lastAt, now, language),
  })
}
