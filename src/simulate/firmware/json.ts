/** Plain JSON on one topic, and Zigbee2MQTT, which adds its bridge: one connection for all its devices, and their availability. */
import { type Field, type Firmware, itself, nobody, said, type Said, spoken, beside, word } from './firmware.ts'
import { treeOf } from './tree.ts'

export const json: Firmware = {
  carrier: itself,
  will: nobody,
  availability: nobody,
  report: (base, fields) => document(base, spoken(fields)),
  another: beside,
}

const ONLINE = JSON.stringify({ state: 'online' })
const OFFLINE = JSON.stringify({ state: 'offline' })
/** `state`, and of a device with several switches `state_left`. */
const SWITCH = /^state(_[a-z0-9]+)?$/

export const zigbee2mqtt: Firmware = {
  carrier: (base) => base.split('/')[0] ?? base,
  will: (carrier) => ({ topic: `${carrier}/bridge/state`, online: ONLINE, offline: OFFLINE }),
  availability: (base) => ({ topic: `${base}/availability`, online: ONLINE, offline: OFFLINE }),
  // The whole state each time, as its cache gives it.
  report: (base, fields) =>
    document(
      base,
      spoken(fields).map((field) =>
        SWITCH.test(field.path) ? { ...field, raw: word(field.raw, { on: 'ON', off: 'OFF' }) } : field,
      ),
    ),
  another: beside,
}

function document(base: string, fields: readonly Field[]): readonly Said[] {
  if (fields.length === 0) return []
  const whole = fields.find(({ path }) => path === '$')
  if (whole !== undefined) return [said(base, JSON.stringify(whole.raw), [whole])]
  return [said(base, treeOf(fields), fields)]
}
