/**
 * Shelly, first generation: every quantity has a topic below `shellies/<id>`, with a bare word or number in it. A point's place is
 * that part of the topic: `relay/0`, `relay/0/power`, `sensor/flood`, `input/0`. `online` is the device's last will.
 * Source: shelly-api-docs Gen1, MQTT topics.
 */
import { readAvailability, type States } from './availability.ts'
import { type PayloadCodec, refused } from './payload.ts'
import { switchWord, wantedOf } from './telling.ts'
import { pathsOf, readWord } from './words.ts'

const STATES: States = { true: 'online', false: 'offline' }
const RELAY = /^relay\/\d$/
const WORDS = { on: 'on', off: 'off' }
/** The relays' meters count Watt-minutes; no decimal scale turns those into kWh, so it is done here. */
const WATT_MINUTES = /^relay\/\d\/energy$/
const WATT_MINUTES_PER_KWH = 60_000

export const shellyGen1: PayloadCodec = {
  name: 'shelly_gen1',
  topics: (base, points) => [`${base}/online`, ...pathsOf(points).map((path) => `${base}/${path}`)],
  read(base, message, points) {
    if (!message.topic.startsWith(`${base}/`)) return refused('unknown_topic')
    const path = message.topic.slice(base.length + 1)
    if (path === 'online') return readAvailability('device', message, STATES)
    return readWord(path, message, points, WATT_MINUTES.test(path) ? toKwh : undefined)
  },
  write(base, point, value) {
    const wanted = wantedOf(point, value)
    if (typeof wanted === 'string') return wanted
    const word = switchWord(wanted.raw, WORDS)
    if (!RELAY.test(wanted.path) || word === null) return `${point.key}: only a relay can be told to a Shelly Gen1`
    return { topic: `${base}/${wanted.path}/command`, payload: word }
  },
}

/** A Watt-minute is 0.0000167 kWh: six digits keep every one apart. What is no number stays what it is, and is refused as one. */
function toKwh(word: unknown): unknown {
  const count = typeof word === 'number' ? word : Number.NaN
  return Number.isFinite(count) ? Number((count / WATT_MINUTES_PER_KWH).toFixed(6)) : word
}
