/**
 * ESPHome by MQTT: `<prefix>/<component>/<object id>/state` with a bare word or number, `<prefix>/status` as last will, told on
 * `…/command`. A point's place is `sensor/inlet_pressure`. `nan` is no value. Source: esphome-docs, components/mqtt.rst.
 */
import { readAvailability, type States } from './availability.ts'
import { type PayloadCodec, refused } from './payload.ts'
import { switchWord, wantedOf } from './telling.ts'
import { pathsOf, readWord } from './words.ts'

const STATES: States = { online: 'online', offline: 'offline' }
const STATE = '/state'
const WORDS = { on: 'ON', off: 'OFF' }

export const esphome: PayloadCodec = {
  name: 'esphome',
  topics: (base, points) => [`${base}/status`, ...pathsOf(points).map((path) => `${base}/${path}${STATE}`)],
  read(base, message, points) {
    if (message.topic === `${base}/status`) return readAvailability('device', message, STATES)
    if (!message.topic.startsWith(`${base}/`) || !message.topic.endsWith(STATE)) return refused('unknown_topic')
    return readWord(message.topic.slice(base.length + 1, -STATE.length), message, points)
  },
  write(base, point, value) {
    const wanted = wantedOf(point, value)
    if (typeof wanted === 'string') return wanted
    const word = switchWord(wanted.raw, WORDS)
    if (!wanted.path.startsWith('switch/') || word === null) return `${point.key}: only a switch can be told to ESPHome`
    return { topic: `${base}/${wanted.path}/command`, payload: word }
  },
}
