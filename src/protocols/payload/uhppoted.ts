/**
 * UHPPOTE boards (Wiegand TCP, very common in China) through uhppoted-mqtt. All boards share one topic, `<prefix>/events`; a device
 * of the site is `<prefix>/<device id>`. Every event has an index, which tells repeats apart. Source: uhppoted-mqtt, get-event.
 */
import { bare } from '../understand.ts'
import { isObject, parseDocument } from './document.ts'
import { readFields } from './fields.ts'
import { type PayloadCodec, refused } from './payload.ts'

export const uhppoted: PayloadCodec = {
  name: 'uhppoted',
  topics: (base) => [sharedTopic(base)],
  read(base, message, points) {
    if (message.topic !== sharedTopic(base)) return refused('unknown_topic')
    const document = parseDocument(message.payload)
    if (document.kind === 'refused') return document
    if (document.kind === 'text') return refused('not_json')
    const { json } = document
    if (!isObject(json)) return refused('not_an_object')
    if (String(bare(json['device-id'])) !== base.split('/').at(-1)) return refused('other_device')
    const outcome = readFields(json, points, message.retained)
    const number = json['event-id']
    // After a reset the board counts from one again: the time of the event tells the new first from the old first.
    if (outcome.kind !== 'readings' || typeof number !== 'number') return outcome
    return { ...outcome, once: [`${number} ${String(bare(json['timestamp']))}`] }
  },
  write: () => 'opening doors is no business of this gateway',
}

function sharedTopic(base: string): string {
  return `${base.split('/').slice(0, -1).join('/')}/events`
}
