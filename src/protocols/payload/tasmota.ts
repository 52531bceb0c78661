/**
 * Tasmota. A device is named by its Topic (`tasmota_3D5E26`); where the site changed FullTopic, the link's topic is written out
 * with `%prefix%` in it. Fields of STATE, SENSOR and RESULT share one tree: `POWER1`, `ENERGY.Total`, `DS18B20-1.Temperature`,
 * `ENERGY.Power.0` for the first of several channels. Its times are local and without a zone, so the time of receipt counts.
 * Source: tasmota/docs, MQTT.md.
 */
import { readAvailability, type States } from './availability.ts'
import { isObject, parseDocument } from './document.ts'
import { readFields } from './fields.ts'
import { type PayloadCodec, refused } from './payload.ts'
import { switchWord, wantedOf } from './telling.ts'
import { pathsOf, readWord } from './words.ts'

type Prefix = 'cmnd' | 'stat' | 'tele'

const STATES: States = { online: 'online', offline: 'offline' }
/** One relay is POWER, of several each has its number. */
const POWER = /^POWER[1-8]?$/
const WORDS = { on: 'ON', off: 'OFF' }

export const tasmota: PayloadCodec = {
  name: 'tasmota',
  topics: (base, points) => [
    topicOf(base, 'tele', 'LWT'),
    topicOf(base, 'tele', 'STATE'),
    topicOf(base, 'tele', 'SENSOR'),
    topicOf(base, 'stat', 'RESULT'),
    ...pathsOf(points)
      .filter((path) => POWER.test(path))
      .map((power) => topicOf(base, 'stat', power)),
  ],
  read(base, message, points) {
    if (message.topic === topicOf(base, 'tele', 'LWT')) return readAvailability('device', message, STATES)
    const power = message.topic.split('/').at(-1) ?? ''
    if (POWER.test(power) && message.topic === topicOf(base, 'stat', power)) return readWord(power, message, points)
    if (!DOCUMENTS.some(([prefix, name]) => message.topic === topicOf(base, prefix, name)))
      return refused('unknown_topic')
    const document = parseDocument(message.payload)
    if (document.kind === 'refused') return document
    if (document.kind === 'text') return refused('not_json')
    if (!isObject(document.json)) return refused('not_an_object')
    // Drivers speak of °C; a device that was set to Fahrenheit must not look like a fire.
    if (Object.hasOwn(document.json, 'TempUnit') && document.json['TempUnit'] === 'F') return refused('wrong_unit')
    return readFields(document.json, points, message.retained)
  },
  write(base, point, value) {
    const wanted = wantedOf(point, value)
    if (typeof wanted === 'string') return wanted
    const word = switchWord(wanted.raw, WORDS)
    if (!POWER.test(wanted.path) || word === null) return `${point.key}: only POWER can be told to a Tasmota device`
    return { topic: topicOf(base, 'cmnd', wanted.path), payload: word }
  },
}

const DOCUMENTS: readonly (readonly [Prefix, string])[] = [
  ['tele', 'STATE'],
  ['tele', 'SENSOR'],
  ['stat', 'RESULT'],
]

/** FullTopic as delivered is `%prefix%/%topic%/`. */
function topicOf(base: string, prefix: Prefix, name: string): string {
  const stem = base.includes('%prefix%') ? base.replace('%prefix%', prefix) : `${prefix}/${base}`
  return `${stem}/${name}`
}
