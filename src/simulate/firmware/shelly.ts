/**
 * Shelly. The first generation gives every value a topic with a bare word. From the second on whole states of a component stand on
 * `status/…` and what changed comes as NotifyStatus, a press as NotifyEvent. Both have `online` as last will.
 */
import type { Value } from '../../model/point.ts'
import {
  type Field,
  type Firmware,
  itself,
  nobody,
  type Presence,
  said,
  type Said,
  spoken,
  word,
  beside,
} from './firmware.ts'
import { treeOf } from './tree.ts'

const WATT_MINUTES = /^relay\/\d\/energy$/
const WATT_MINUTES_PER_KWH = 60_000
const KWH_DIGITS = 6
const RELAY = /^relay\/\d$/
const FLAG = /^(overtemperature|input\/\d)$/

function presence(base: string): Presence {
  return { topic: `${base}/online`, online: 'true', offline: 'false' }
}

export const shellyGen1: Firmware = {
  carrier: itself,
  will: presence,
  availability: nobody,
  report: (base, fields) => spoken(fields).map((field) => said(`${base}/${field.path}`, wordOf(field), [field])),
  another: beside,
  held: (path, raw) => (WATT_MINUTES.test(path) && typeof raw === 'number' ? toKwh(toWattMinutes(raw)) : null),
}

function wordOf({ path, raw }: Field): string {
  if (WATT_MINUTES.test(path) && typeof raw === 'number') return String(toWattMinutes(raw))
  if (RELAY.test(path)) return word(raw, { on: 'on', off: 'off' })
  return FLAG.test(path) ? word(raw, { on: '1', off: '0' }) : String(raw)
}

function toWattMinutes(kwh: number): number {
  return Math.round(kwh * WATT_MINUTES_PER_KWH)
}

function toKwh(wattMinutes: number): Value {
  return Number((wattMinutes / WATT_MINUTES_PER_KWH).toFixed(KWH_DIGITS))
}

const SECOND_MS = 1000

export const shellyGen2: Firmware = {
  carrier: itself,
  will: presence,
  availability: nobody,
  report(base, fields, { at, count }) {
    const ts = at / SECOND_MS
    const events = spoken(fields).filter(({ kind }) => kind === 'event')
    const states = fields.filter(({ kind }) => kind !== 'event')
    const changed = states.filter(({ isNew }) => isNew)
    return [
      ...notified(base, 'NotifyEvent', { ts, events: events.map((event) => eventOf(event, ts)) }, events),
      // The first word of a device, and whenever nothing moved, is its whole state.
      ...(count === 0 || changed.length === 0
        ? statuses(base, states)
        : notified(base, 'NotifyStatus', { ts, ...treeOf(withIds(changed)) }, changed)),
    ]
  },
  another: beside,
}

function notified(base: string, method: string, params: object, fields: readonly Field[]): readonly Said[] {
  if (fields.length === 0) return []
  return [said(`${base}/events/rpc`, { src: base, dst: `${base}/events`, method, params }, fields)]
}

function eventOf({ path, raw }: Field, ts: number): object {
  const [component = ''] = path.split('.')
  return { component, id: idOf(component), event: raw, ts }
}

function statuses(base: string, fields: readonly Field[]): readonly Said[] {
  const byComponent = Map.groupBy(fields, ({ path }) => path.split('.')[0] ?? '')
  return [...byComponent].map(([component, own]) => {
    const tree = treeOf([
      { path: 'id', raw: idOf(component) },
      ...own.map(({ path, raw }) => ({ path: path.slice(component.length + 1), raw })),
    ])
    return said(`${base}/status/${component}`, tree, own)
  })
}

/** Every component says its number. */
function withIds(fields: readonly Field[]): readonly { readonly path: string; readonly raw: Value }[] {
  const components = new Set(fields.map(({ path }) => path.split('.')[0] ?? ''))
  return [...[...components].map((component) => ({ path: `${component}.id`, raw: idOf(component) })), ...fields]
}

function idOf(component: string): number {
  return Number(component.split(':')[1] ?? 0)
}
