/** The gateway on one screen of 80 by 24: what is broken first, and what to do about it. */
import type { Problem, Status } from '../../control/shapes.ts'
import type { Language } from '../../model/site.ts'
import { ask } from '../client.ts'
import { EXIT } from '../exit.ts'
import { adviceFor, formatAge, formatBytes, formatCause, formatCount, formatPercent, formatSpan } from '../format.ts'
import { printJson, printLines, type Session } from '../session.ts'
import { cut, paint, width as labelWidth, wrap } from '../table.ts'
import { say, type TextKey } from '../text.ts'
import { printable } from '../printable.ts'
import { alarmLine } from './alarms.ts'
import { unsteadyText } from './condition.ts'

export async function status(session: Session): Promise<number> {
  const { body, language } = await ask<Status>(session.connection, 'status')
  if (session.json) printJson(session.io, body)
  else printLines(session.io, statusScreen(body, { language, width: session.io.width, color: session.io.color }))
  return EXIT.done
}

export type Screen = { readonly language: Language; readonly width: number; readonly color: boolean }

/** The prompt takes the 24th line. */
const LINES_MAX = 23
const PROBLEMS_MAX = 3
const ALARMS_MAX = 5
const ALARMS_BESIDE_PROBLEMS = 3
const UPLINKS_MAX = 2
const WIDTH_MAX = 100

export function statusScreen(status: Status, screen: Screen): readonly string[] {
  const { language, color } = screen
  const wide = Math.min(screen.width, WIDTH_MAX)
  const head = say(language, 'statusHead', {
    name: status.siteName[language],
    site: status.site,
    gateway: status.gateway,
    version: status.version,
    up: formatSpan(status.uptimeS * 1000, language),
  })
  const facts = factLines(status, language).map((line) => cut(line, wide))
  const alarms = alarmLines(status, screen, wide)
  // The first line, and the blank one before the facts.
  const room = LINES_MAX - 2 - facts.length - (alarms.length === 0 ? 0 : alarms.length + 1)
  return [
    paint(cut(head, wide), 'bold', color),
    ...problemLines(status, screen, wide, room),
    ...(alarms.length === 0 ? [] : ['', ...alarms]),
    '',
    ...facts,
  ]
}

function problemLines(
  { problems, clock, alarms }: Status,
  screen: Screen,
  wide: number,
  room: number,
): readonly string[] {
  const { language, color } = screen
  if (problems.length === 0) {
    return alarms.active > 0 ? [] : ['', paint(say(language, 'statusAllWell'), 'green', color)]
  }
  const lines = ['', paint(say(language, 'statusBroken'), 'red', color)]
  let shown = 0
  for (const problem of problems.slice(0, PROBLEMS_MAX)) {
    const what = wrap(problemText(problem, clock.at, language), wide - 2)
    const advice = wrap(problemAdvice(problem, language), wide - 4)
    const others = problems.length > shown + 1 ? 1 : 0
    if (lines.length + what.length + advice.length + others > room && shown > 0) break
    lines.push(...what.map((line, at) => `${at === 0 ? paint('!', 'red', color) : ' '} ${line}`))
    lines.push(...advice.map((line, at) => `${at === 0 ? '  →' : '   '} ${line}`))
    shown += 1
  }
  const more = problems.length - shown
  return more === 0 ? lines : [...lines, `  ${say(language, 'listEnd', { n: more })}`]
}

const PROBLEMS: Readonly<Record<Problem['kind'], { readonly what: TextKey; readonly advice: TextKey | null }>> = {
  store_not_durable: { what: 'storeNotDurable', advice: 'adviseStore' },
  store_behind: { what: 'storeBehind', advice: 'adviseStore' },
  bus_offline: { what: 'busOffline', advice: null },
  device_offline: { what: 'deviceOffline', advice: null },
  device_degraded: { what: 'deviceDegraded', advice: null },
  uplink_down: { what: 'uplinkOffline', advice: 'adviseUplink' },
  uplink_undelivered: { what: 'uplinkUndelivered', advice: 'adviseUndelivered' },
  uplink_budget: { what: 'uplinkBudget', advice: 'adviseBudget' },
  clock_untrusted: { what: 'clockProblem', advice: 'adviseClock' },
}

/** What holds batches back although the line stands, and what to do about it. */
export function heldLines(id: string, { held }: Status['uplinks'][string], language: Language): readonly string[] {
  if (held === null) return []
  const { what, advice } = PROBLEMS[`uplink_${held}`]
  return [
    say(language, what, { subject: id }),
    ...(advice === null ? [] : [`  → ${say(language, advice, { subject: id })}`]),
  ]
}

function problemText(problem: Problem, now: number, language: Language): string {
  const { kind, subject, cause, since, count } = problem
  return say(language, PROBLEMS[kind].what, {
    subject: subject ?? '',
    cause: kind === 'clock_untrusted' ? tqText(cause, language) : causeOf(problem, language),
    count: count ?? 0,
    lag: formatSpan(count ?? 0, language),
    span: since === null ? '' : say(language, 'forSpan', { span: formatAge(since, now, language) }),
  })
}

function problemAdvice({ kind, subject, cause }: Problem, language: Language): string {
  const { advice } = PROBLEMS[kind]
  if (advice !== null) return say(language, advice, { subject: subject ?? '' })
  return adviceFor(cause, language) ?? say(language, 'adviseDevice', { subject: subject ?? '' })
}

function causeOf({ kind, cause, health, answersAs }: Problem, language: Language): string {
  if (answersAs !== undefined) return say(language, 'answersInstead', { other: answersAs })
  if (cause === null && kind === 'device_degraded' && health !== undefined) return unsteadyText(health, language)
  return cause === null ? say(language, 'causeUnknown') : formatCause(cause, language)
}

function tqText(cause: string | null, language: Language): string {
  const key = cause === 'tq1' || cause === 'tq2' || cause === 'tq3' || cause === 'tq4' ? cause : 'tq0'
  return say(language, key)
}

function alarmLines(status: Status, screen: Screen, wide: number): readonly string[] {
  const { alarms, clock, problems } = status
  const alarmsFirst = status.alarmsFirst.slice(0, problems.length === 0 ? ALARMS_MAX : ALARMS_BESIDE_PROBLEMS)
  if (alarmsFirst.length === 0) return []
  const { language, color } = screen
  const title = `${say(language, 'statusAlarms')}  ${say(language, 'statusAlarmsIs', alarms)}`
  // The most urgent one says what to do; `alarms` has it for all.
  const [urgent] = alarmsFirst
  const [first = '', ...others] = alarmsFirst.map((alarm) => `  ${alarmLine(alarm, clock.at, screen, wide - 2)}`)
  const todo =
    urgent?.active === true && urgent.advice !== null
      ? wrap(printable(urgent.advice[language]), wide - 9).map((line, at) => `       ${at === 0 ? '→' : ' '} ${line}`)
      : []
  return [paint(title, 'bold', color), first, ...todo, ...others]
}

function factLines(status: Status, language: Language): readonly string[] {
  const { devices, points, buses, store, clock, broker } = status
  const facts: [TextKey, string][] = [
    ['statusDevices', say(language, 'statusDevicesIs', devices)],
    ['statusPoints', say(language, 'statusPointsIs', points)],
  ]
  if (buses.length > 0) facts.push(['statusBuses', busesText(buses, language)])
  if (broker !== null)
    facts.push([
      'statusBroker',
      say(language, 'statusBrokerIs', { clients: broker.clients, listening: broker.listening.join(', ') }),
    ])
  facts.push([
    'statusStore',
    say(language, 'statusStoreIs', {
      samples: formatCount(store.samplesCommitted),
      bytes: formatBytes(store.bytes),
      lag: formatSpan(store.lagMs, language),
      every: formatSpan(store.commitEveryMs, language),
      wear: formatBytes(store.wearBytesPerDay),
    }),
  ])
  const uplinks = Object.entries(status.uplinks).toSorted(([, a], [, b]) => Number(a.connected) - Number(b.connected))
  for (const [id, uplink] of uplinks.slice(0, UPLINKS_MAX))
    facts.push(['statusUplink', uplinkText(id, uplink, language)])
  const how = say(language, `tq${clampQuality(clock.quality)}`)
  facts.push(['statusClock', say(language, clock.trusted ? 'clockTrusted' : 'clockUntrusted', { how })])
  const label = Math.max(...facts.map(([key]) => labelWidth(say(language, key))))
  return facts.map(([key, text]) => {
    const name = say(language, key)
    return `${name}${' '.repeat(label - labelWidth(name))}  ${printable(text)}`
  })
}

function busesText(buses: Status['buses'], language: Language): string {
  const online = buses.filter(({ state }) => state === 'online').length
  const busiest = buses.toSorted((a, b) => b.utilisation - a.utilisation)[0]
  const text = say(language, 'statusBusesIs', { online, total: buses.length })
  if (busiest === undefined) return text
  return text + say(language, 'statusBusiest', { bus: busiest.bus, load: formatPercent(busiest.utilisation) })
}

function uplinkText(id: string, uplink: Status['uplinks'][string], language: Language): string {
  const state = uplink.connected
    ? say(language, 'uplinkUp', { server: uplink.server ?? '' })
    : say(language, 'uplinkDown')
  return say(language, 'statusUplinkIs', { id, state, waiting: waitingText(uplink, language) })
}

export function waitingText(uplink: Status['uplinks'][string], language: Language): string {
  const { waitingBatches, waitingSamples, oldestWaitingMs } = uplink
  if (waitingBatches === 0) return say(language, 'nothingWaits')
  return say(language, 'waitingIs', {
    batches: formatCount(waitingBatches),
    samples: formatCount(waitingSamples),
    oldest: oldestWaitingMs === null ? '-' : formatSpan(oldestWaitingMs, language),
  })
}

function clampQuality(quality: number): 0 | 1 | 2 | 3 | 4 {
  return quality === 1 || quality === 2 || quality === 3 || quality === 4 ? quality : 0
}
