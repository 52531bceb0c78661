/**
 * Zigbee2MQTT: state as JSON on `<base>/<friendly name>`, availability beside it, the state of the bridge on
 * `<base>/bridge/state`. The friendly name may contain slashes, and so may the base, so every level above the device is
 * listened to for a bridge. Told on `<base>/set`. Source: Zigbee2MQTT's receive and availability extensions and their tests.
 */
import type { Value } from '../../model/point.ts'
import { readAvailability, type States } from './availability.ts'
import { isObject, parseDocument, stepsOf } from './document.ts'
import { readFields } from './fields.ts'
import { type PayloadCodec, refused } from './payload.ts'
import { switchWord, wantedOf } from './telling.ts'

const AVAILABILITY = '/availability'
/** `{"state":"online"}`, in older versions the bare word. */
const STATES: States = { online: 'online', offline: 'offline' }
const WORDS = { on: 'ON', off: 'OFF' }

export const zigbee2mqtt: PayloadCodec = {
  name: 'zigbee2mqtt',
  topics: (base) => [base, `${base}${AVAILABILITY}`, ...bridgesOf(base)],
  read(base, message, points) {
    if (message.topic === `${base}${AVAILABILITY}`) return readAvailability('device', message, STATES)
    if (bridgesOf(base).includes(message.topic)) return readAvailability('bridge', message, STATES)
    if (message.topic !== base) return refused('unknown_topic')
    const document = parseDocument(message.payload)
    if (document.kind === 'refused') return document
    if (document.kind === 'text') return refused('not_json')
    return isObject(document.json) ? readFields(document.json, points, message.retained) : refused('not_an_object')
  },
  write(base, point, value) {
    const wanted = wantedOf(point, value)
    if (typeof wanted === 'string') return wanted
    const steps = stepsOf(wanted.path)
    const [first = ''] = steps
    // A switch is `state`, of a device with several `state_l1`, `state_left`: told in words. Other yes and no are JSON's.
    const word = /^state(_[a-z0-9]+)?$/.test(first) ? switchWord(wanted.raw, WORDS) : null
    return { topic: `${base}/set`, payload: JSON.stringify(nested(steps, word ?? wanted.raw)) }
  },
}

function bridgesOf(base: string): readonly string[] {
  const levels = base.split('/')
  return levels.slice(1).map((_, above) => `${levels.slice(0, above + 1).join('/')}/bridge/state`)
}

function nested(steps: readonly string[], value: Value): unknown {
  return steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value)
}
