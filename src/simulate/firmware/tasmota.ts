/**
 * Tasmota: STATE with the relays and SENSOR with the measurements every TelePeriod, RESULT and POWER when a relay moves, LWT as last
 * will. Its time is local and bears no zone; here it is UTC.
 */
import { type Field, type Firmware, itself, nobody, type Presence, said, type Said, spoken, word } from './firmware.ts'
import { treeOf } from './tree.ts'

const POWER = /^POWER[1-8]?$/
/** What STATE has beside the relays. */
const OF_STATE = /^(POWER[1-8]?|Uptime\w*|Heap|Vcc|Dimmer|Wifi\..+)$/
const WORDS = { on: 'ON', off: 'OFF' }
const SECOND_MS = 1000

export const tasmota: Firmware = {
  carrier: itself,
  will: (base): Presence => ({ topic: topicOf(base, 'tele', 'LWT'), online: 'Online', offline: 'Offline' }),
  availability: nobody,
  report(base, fields, { at, began }) {
    const now = spoken(fields).map((field) => ({ ...field, raw: worded(field) }))
    const relays = now.filter(({ path, isNew }) => POWER.test(path) && isNew)
    const states = now.filter(({ path }) => OF_STATE.test(path))
    const sensors = now.filter(({ path }) => !OF_STATE.test(path))
    const Time = new Date(at).toISOString().slice(0, 19)
    const warm = sensors.some(({ path }) => /temperature/i.test(path)) ? { TempUnit: 'C' } : {}
    return [
      ...relays.flatMap((relay): Said[] => [
        said(topicOf(base, 'stat', 'RESULT'), { [relay.path]: relay.raw }, [relay]),
        said(topicOf(base, 'stat', relay.path), String(relay.raw), [relay]),
      ]),
      ...told(topicOf(base, 'tele', 'STATE'), states, { Time, UptimeSec: Math.floor((at - began) / SECOND_MS) }),
      ...told(topicOf(base, 'tele', 'SENSOR'), sensors, { Time }, warm),
    ]
  },
  another: (base) => `${base}_2nd`,
}

/** Switches are told in words, whatever else the driver calls them. */
function worded({ raw }: Field): Field['raw'] {
  return typeof raw === 'boolean' ? word(raw, WORDS) : raw
}

function told(topic: string, fields: readonly Field[], before: object, after: object = {}): readonly Said[] {
  return fields.length === 0 ? [] : [said(topic, { ...before, ...treeOf(fields), ...after }, fields)]
}

/** FullTopic as delivered is `%prefix%/%topic%/`; where a site changed it, the link has it whole. */
function topicOf(base: string, prefix: 'stat' | 'tele', name: string): string {
  const stem = base.includes('%prefix%') ? base.replace('%prefix%', prefix) : `${prefix}/${base}`
  return `${stem}/${name}`
}
