/**
 * LoRaWAN devices through ChirpStack v4, by the topic `application/<application id>/device/<devEui>`. Uplinks must come decoded
 * (`object`): ChirpStack does that with the device profile's codec. Paths begin at the event: `object.temperature`,
 * `rxInfo.0.rssi`, `fCnt`; of status events `batteryLevel`, `margin`; `event` says `join`. One uplink comes once for every radio
 * gateway that forwards it twice, or again after a broken line: it is taken once. Source: chirpstack integration.proto (JSON).
 */
import { isObject, parseDocument } from './document.ts'
import { readFields } from './fields.ts'
import { type PayloadCodec, type PayloadOutcome, refused } from './payload.ts'

const EVENTS = ['up', 'join', 'status'] as const

export const chirpstack: PayloadCodec = {
  name: 'chirpstack_v4',
  topics: (base) => EVENTS.map((event) => `${base}/event/${event}`),
  read(base, message, points) {
    const event = EVENTS.find((name) => message.topic === `${base}/event/${name}`)
    if (event === undefined) return refused('unknown_topic')
    const document = parseDocument(message.payload)
    if (document.kind === 'refused') return document
    if (document.kind === 'text') return refused('not_json')
    const { json } = document
    if (!isObject(json)) return refused('not_an_object')
    if (event !== 'up') return readFields({ ...json, event }, points, message.retained)
    if (!Object.hasOwn(json, 'object') || !isObject(json['object'])) return refused('no_object')
    return named(readFields(json, points, message.retained), json)
  },
  write: () => 'a LoRaWAN device is told by bytes of its own, which no driver describes yet',
}

/** By ChirpStack's own number; by the frame counter too, which a device counts anew after each join (then under another address). */
function named(outcome: PayloadOutcome, uplink: Readonly<Record<string, unknown>>): PayloadOutcome {
  if (outcome.kind !== 'readings') return outcome
  const { deduplicationId, devAddr, fCnt } = uplink
  const once = [
    ...(typeof deduplicationId === 'string' ? [deduplicationId] : []),
    ...(typeof devAddr === 'string' && typeof fCnt === 'number' ? [`${devAddr} ${fCnt}`] : []),
  ]
  return { ...outcome, once }
}
