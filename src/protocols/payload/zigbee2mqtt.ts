/**
 * Zigbee2MQTT: state as JSON on `<base>/<friendly name>`, availability beside it, the state of the bridge on
 * `<base>/bridge/state`. The friendly name may contain slashes, and so may the base, so every level above the device is
 * listened to for a bridge. Source: Zigbee2MQTT's receive and availability extensions and their tests.
 */
import { isObject, parseDocument } from './document.ts'
import { readFields } from './fields.ts'
import { type Message, type PayloadCodec, type PayloadOutcome, refused } from './payload.ts'

const AVAILABILITY = '/availability'

export const zigbee2mqtt: PayloadCodec = {
  name: 'zigbee2mqtt',
  topics: (base) => [base, `${base}${AVAILABILITY}`, ...bridgesOf(base)],
  read(base, message, points) {
    if (message.topic === `${base}${AVAILABILITY}`) return availability('device', message)
    if (bridgesOf(base).includes(message.topic)) return availability('bridge', message)
    if (message.topic !== base) return refused('unknown_topic')
    const document = parseDocument(message.payload)
    if (document.kind === 'refused') return document
    if (document.kind === 'text') return refused('not_json')
    return isObject(document.json) ? readFields(document.json, points, message.retained) : refused('not_an_object')
  },
}

function bridgesOf(base: string): readonly string[] {
  const levels = base.split('/')
  return levels.slice(1).map((_, above) => `${levels.slice(0, above + 1).join('/')}/bridge/state`)
}

/** `{"state":"online"}`, in older versions the bare word. */
function availability(of: 'device' | 'bridge', message: Message): PayloadOutcome {
  const document = parseDocument(message.payload)
  if (document.kind === 'refused') return document
  const said = document.kind === 'text' ? document.text.trim() : stateOf(document.json)
  if (said !== 'online' && said !== 'offline') return refused('unknown_state')
  return { kind: 'availability', of, state: said }
}

function stateOf(json: unknown): unknown {
  return isObject(json) && Object.hasOwn(json, 'state') ? json['state'] : json
}
