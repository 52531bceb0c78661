/**
 * How the firmware of a family publishes: on which topics and in which shape, what stands on its connection's last will, and by what
 * name a device goes that does not exist. Pure; field names and shapes are those that the codecs of `protocols/payload` cite.
 */
import type { PointKind, Value } from '../../model/point.ts'
import type { Cell } from '../devices.ts'

/** A value as the device holds it, and where in its messages it stands. */
export type Field = {
  readonly cell: Cell
  readonly path: string
  /** As a reader understands it, and as it stands in the message. */
  readonly value: Value
  readonly raw: Value
  readonly kind: PointKind
  /** Since the device said it last, or never said. An event: it happens now. */
  readonly isNew: boolean
}

export type Said = {
  readonly topic: string
  readonly payload: string
  /** Kept by the broker for who comes later. */
  readonly retain?: boolean
  /** What is told by it. */
  readonly fields: readonly Field[]
}

export type Moment = {
  readonly id: string
  /** UTC ms, now and when the simulation began. */
  readonly at: number
  readonly began: number
  /** Of the device's reports, from 0. */
  readonly count: number
  readonly seed: number
}

export type Presence = { readonly topic: string; readonly online: string; readonly offline: string }

export type Firmware = {
  /** Who holds the connection to the broker: devices of one bridge share one. */
  readonly carrier: (base: string) => string
  /** Last will of that connection, and what it says when it is there. */
  readonly will: (carrier: string) => Presence | null
  /** What the carrier says of a single device of its. */
  readonly availability: (base: string) => Presence | null
  /** After connecting. */
  readonly hello?: (base: string, moment: Moment) => readonly Said[]
  readonly report: (base: string, fields: readonly Field[], moment: Moment) => readonly Said[]
  /** A device of that kind which is none of the site's. */
  readonly another: (base: string) => string
  /** What is left of a raw value in the device's own units; null: as everywhere, two digits. */
  readonly held?: (path: string, raw: Value) => Value | null
}

export const nobody = (): null => null
export const itself = (base: string): string => base
export const beside = (base: string): string => `${base}_2nd`

/** What a message of states says: an event is in it only while it happens. */
export function spoken(fields: readonly Field[]): readonly Field[] {
  return fields.filter(({ kind, isNew, raw }) => kind !== 'event' || (isNew && raw !== ''))
}

export function said(topic: string, payload: object | string, fields: readonly Field[]): Said {
  return { topic, payload: typeof payload === 'string' ? payload : JSON.stringify(payload), fields }
}

export function word(raw: Value, { on, off }: { readonly on: string; readonly off: string }): string {
  return typeof raw === 'boolean' ? (raw ? on : off) : String(raw)
}
