/** ESPHome, with a topic and a bare word for each value; and boards of the UHPPOTE kind, which tell only what happens, on one topic for all. */
import type { Value } from '../../model/point.ts'
import { beside, type Firmware, itself, nobody, said, spoken, word } from './firmware.ts'
import { treeOf } from './tree.ts'

export const esphome: Firmware = {
  carrier: itself,
  will: (base) => ({ topic: `${base}/status`, online: 'online', offline: 'offline' }),
  availability: nobody,
  report: (base, fields) =>
    spoken(fields).map((field) =>
      said(`${base}/${field.path}/state`, word(field.raw, { on: 'ON', off: 'OFF' }), [field]),
    ),
  another: beside,
}

export const uhppoted: Firmware = {
  carrier: (base) => base.split('/').slice(0, -1).join('/'),
  will: nobody,
  availability: nobody,
  report(base, fields, { at, count }) {
    const now = spoken(fields)
    if (now.length === 0) return []
    const levels = base.split('/')
    const board = levels.at(-1) ?? ''
    const event = {
      'device-id': /^\d{1,10}$/.test(board) ? Number(board) : board,
      'event-id': count + 1,
      ...treeOf(now.map(({ path, raw }) => ({ path, raw: typed(raw) }))),
      timestamp: new Date(at).toISOString().slice(0, 19).replace('T', ' '),
    }
    return [said([...levels.slice(0, -1), 'events'].join('/'), event, now)]
  },
  another(base) {
    const levels = base.split('/')
    const board = levels.at(-1) ?? ''
    return [...levels.slice(0, -1), /^\d{1,10}$/.test(board) ? String(Number(board) + 1) : `${board}_2nd`].join('/')
  },
}

/** Numbers and yes or no stand bare in its JSON, whatever type a driver takes them for. */
function typed(raw: Value): Value {
  if (raw === 'true' || raw === 'false') return raw === 'true'
  return typeof raw === 'string' && /^\d{1,10}$/.test(raw) ? Number(raw) : raw
}
