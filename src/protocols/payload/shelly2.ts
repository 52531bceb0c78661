/**
 * Shelly, second generation and later, by their id as topic: changes as NotifyStatus on `<id>/events/rpc` (only what changed),
 * whole states of battery devices as NotifyFullStatus, button presses as NotifyEvent; where the device is set so, states also on
 * `<id>/status/<component>`. A point's place begins with its component: `switch:0.apower`, `em:0.a_voltage`; of an event it is
 * `input:0.event`. Told by RPC. Source: shelly-api-docs Gen2, Notifications, RPC Protocol, Switch.
 */
import type { Point } from '../../model/point.ts'
import type { Reading } from '../../model/sample.ts'
import { readAvailability, type States } from './availability.ts'
import { isObject, parseDocument, stepsOf } from './document.ts'
import { readFields } from './fields.ts'
import { type Message, type PayloadCodec, type PayloadOutcome, refused } from './payload.ts'
import { switchWord, wantedOf } from './telling.ts'
import { pathsOf } from './words.ts'

const STATES: States = { true: 'online', false: 'offline' }
const SWITCH = /^switch:(\d{1,2})\.output$/
/** The device answers on `<source>/rpc`; what it did is seen by its next status. */
const SOURCE = 'gatehouse'
/** Presses that one frame may hold. */
const EVENTS_MAX = 32

export const shellyGen2: PayloadCodec = {
  name: 'shelly_gen2',
  topics: (base, points) => [
    `${base}/online`,
    `${base}/events/rpc`,
    ...componentsOf(points).map((component) => `${base}/status/${component}`),
  ],
  read(base, message, points) {
    if (message.topic === `${base}/online`) return readAvailability('device', message, STATES)
    const isNotification = message.topic === `${base}/events/rpc`
    const component = componentsOf(points).find((name) => message.topic === `${base}/status/${name}`)
    if (!isNotification && component === undefined) return refused('unknown_topic')
    const document = parseDocument(message.payload)
    if (document.kind === 'refused') return document
    if (document.kind === 'text') return refused('not_json')
    if (!isObject(document.json)) return refused('not_an_object')
    if (component === undefined) return readNotification(document.json, message, points)
    return readFields({ [component]: document.json }, points, message.retained)
  },
  write(base, point, value) {
    const wanted = wantedOf(point, value)
    if (typeof wanted === 'string') return wanted
    const [, id] = SWITCH.exec(wanted.path) ?? []
    if (id === undefined || switchWord(wanted.raw, { on: '', off: '' }) === null)
      return `${point.key}: only the output of a switch can be told to a Shelly`
    const call = { id: 1, src: SOURCE, method: 'Switch.Set', params: { id: Number(id), on: wanted.raw } }
    return { topic: `${base}/rpc`, payload: JSON.stringify(call) }
  },
}

function componentsOf(points: readonly Point[]): readonly string[] {
  return [...new Set(pathsOf(points).flatMap((path) => stepsOf(path)[0] ?? []))]
}

function readNotification(
  frame: Readonly<Record<string, unknown>>,
  message: Message,
  points: readonly Point[],
): PayloadOutcome {
  const params = Object.hasOwn(frame, 'params') ? frame['params'] : undefined
  if (!isObject(params)) return refused('not_an_object')
  switch (frame['method']) {
    case 'NotifyStatus':
    case 'NotifyFullStatus':
      return readFields(params, points, message.retained)
    case 'NotifyEvent':
      return readEvents(params, message, points)
    default:
      return refused('unknown_state')
  }
}

/** Each event by itself: a frame may hold several of one button. */
function readEvents(
  params: Readonly<Record<string, unknown>>,
  message: Message,
  points: readonly Point[],
): PayloadOutcome {
  const events: unknown = Object.hasOwn(params, 'events') ? params['events'] : undefined
  if (!Array.isArray(events)) return refused('not_an_object')
  const readings: Reading[] = []
  let last = refused('no_point')
  for (const event of (events as readonly unknown[]).slice(0, EVENTS_MAX)) {
    if (!isObject(event) || typeof event['component'] !== 'string') continue
    const outcome = readFields({ [event['component']]: event }, points, message.retained)
    if (outcome.kind === 'readings') readings.push(...outcome.readings)
    else last = outcome
  }
  return readings.length > 0 ? { kind: 'readings', readings } : last
}
