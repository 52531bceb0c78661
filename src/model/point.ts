/**
 * One quantity of a device, as the site file and its driver describe it together.
 * Points are numbered densely at load (`index`), so that the hot path works on arrays; `id` is for people and topics.
 */

/** NaN and infinities never occur. A 64-bit counter beyond 2^53 is its decimal text. */
export type Value = number | boolean | string

/** `device.point` */
export type PointId = string & { readonly brand: 'PointId' }

/** Both languages are always filled: where only one was written it serves for both. */
export type Text = { readonly en: string; readonly zh: string }

export type PointKind = 'gauge' | 'counter' | 'state' | 'bits' | 'text' | 'event'
/** How the value travels: uplink contract, metadata `ty`. */
export type PointType = 'f64' | 'bool' | 'str' | 'u64'

export type Role = 'viewer' | 'operator' | 'engineer' | 'admin'

export type ModbusTable = 'coil' | 'discrete' | 'input' | 'holding'
export type ModbusOrder = 'ABCD' | 'CDAB' | 'BADC' | 'DCBA'
export type ModbusEncoding =
  | 'u16'
  | 's16'
  | 'u32'
  | 's32'
  | 'u64'
  | 's64'
  | 'f32'
  | 'f64'
  | 'bcd16'
  | 'bcd32'
  /** Sign and magnitude: the highest bit is the sign. */
  | 'sm16'
  | 'sm32'
  /** Registers of 0 to 9999 each, a digit group of ten thousand. */
  | 'mod10k32'
  | 'mod10k64'
  | 'bit'
  | 'bits'
  | 'string'

/** Where a Modbus value lies. `address` is the 0-based PDU address. */
export type ModbusPlace = {
  readonly protocol: 'modbus'
  readonly table: ModbusTable
  readonly address: number
  /** 'bit' on coils and discrete inputs; on registers `bit` says which (0 = least significant). */
  readonly as: ModbusEncoding
  readonly order: ModbusOrder
  readonly bit: number | null
  /** 'string' only, in bytes. */
  readonly length: number | null
  /** Of a number only these bits, lowest and highest (0 = least significant). Left out: all. */
  readonly bits?: readonly [number, number]
  /** A second part in the same read, added to the first before scaling: integer and fraction, high and low words that lie apart. */
  readonly plus?: ModbusPart
  /** The number is multiplied by what other registers of the device say, read in the same turn. */
  readonly factors?: readonly ModbusFactor[]
  /** A SunSpec model: `address` counts from its id register. */
  readonly model?: SunspecModel
  /** How a write differs from a read. */
  readonly write?: ModbusWrite
}

/** Parts of a value that lies in several places: raw × scale of each is summed. */
export type ModbusPart = { readonly address: number; readonly as: ModbusEncoding; readonly scale: number }

/** `power`: ten to the power of it. `decimals`: divided by ten so often. `factor`: as it is. Else by its raw value, in a table. */
export type ModbusFactor = {
  readonly table: 'input' | 'holding'
  readonly address: number
  readonly as: ModbusEncoding
  readonly order: ModbusOrder
  readonly bits?: readonly [number, number]
  readonly means: 'power' | 'decimals' | 'factor' | Readonly<Record<string, number>>
  readonly invalid: readonly number[]
}

/** The chain of models begins at `base` with the letters SunS. */
export type SunspecModel = { readonly id: number; readonly base: number }

/** What is left out is as for reading. */
export type ModbusWrite = {
  readonly table?: ModbusTable
  readonly address?: number
  readonly as?: ModbusEncoding
  readonly order?: ModbusOrder
  readonly scale?: number
  readonly offset?: number
  /** Raw number to write, by the value's text: `true`, a label, a number. On a coil it takes the place of FF00 and 0000. */
  readonly values?: Readonly<Record<string, number>>
  /** Function 16 (15) also for one register (coil): some devices know no other. */
  readonly multiple?: boolean
}

/** Where a value lies in a published JSON document: `$` is the whole payload, `a.b` a field. */
export type PayloadPlace = { readonly protocol: 'payload'; readonly path: string }

/** A data item of DL/T 645-2007: 8 hex digits of its identifier, DI3 first (`02010100`); 4 in the 1997 edition. */
export type Dlt645Place = {
  readonly protocol: 'dlt645'
  readonly item: string
  /** A format in place of the one that the standard's table gives; null: the standard's. */
  readonly as: string | null
}

/** What makers of CJ/T 188 meters do differently; the `cjt188:` block of a driver. */
export type Cjt188Habits = {
  /** T of the frame: 0x10 cold water, 0x20 heat, 0x30 gas …, 0xAA any. */
  readonly type: number
  /** How the identifier of a question travels: 90 1F, or 1F 90. Answers may come either way. */
  readonly identifier: '901F' | '1F90'
  /** The only layout that answers may have; null: the one whose unit bytes are units. */
  readonly layout: string | null
  /** From which end the bits of the status are counted. */
  readonly status: 'low' | 'high'
  /** FE bytes before a question. */
  readonly wakeUp: number
}

/** A field of a data unit of CJ/T 188: 4 hex digits of its identifier (`901F`), and which of its fields. */
export type Cjt188Place = {
  readonly protocol: 'cjt188'
  readonly item: string
  readonly field: string
  readonly habits: Cjt188Habits
}

/** A data record of an M-Bus answer in words (`energy storage 1`); at most so many telegrams are asked for. */
export type MbusPlace = { readonly protocol: 'mbus'; readonly record: string; readonly telegrams: number }

/** Part of a printed line; numbers begin at 1, columns are characters. */
export type TextPart =
  | { readonly kind: 'line' }
  | { readonly kind: 'field'; readonly number: number }
  | { readonly kind: 'columns'; readonly from: number; readonly to: number }

/** Where a value stands in a printed line, and what else must stand in the line for it to be one of those. */
export type TextlinePlace = {
  readonly protocol: 'textline'
  readonly part: TextPart
  readonly only: readonly { readonly part: TextPart; readonly text: string }[]
}

export type Place = ModbusPlace | PayloadPlace | Dlt645Place | Cjt188Place | MbusPlace | TextlinePlace

/** How a field writes a card number: protocols/card.ts reads each. */
export type CardForm =
  | 'wiegand_bits'
  | 'wiegand26_raw'
  | 'wiegand34_raw'
  | 'wiegand26_pair'
  | 'wiegand26_decimal'
  | 'wiegand34_decimal'
  | 'wiegand34_hex'
  | 'uid'
  | 'uid_reversed'

/** From raw number to physical value. Sentinels are compared with the raw number, before scaling. */
export type Treatment = {
  readonly scale: number
  readonly offset: number
  readonly invalid: readonly number[]
  /** Raw value to label (kind 'state'); a raw value without label travels as its decimal text. */
  readonly map: Readonly<Record<string, string>> | null
  readonly invert: boolean
  /** The value is a card number written so; it is brought to the one text by which that card is known. */
  readonly card?: CardForm
}

export type PointSource =
  /** Read from the device by its protocol, every `everyMs` (published points: null). */
  | { readonly from: 'field'; readonly place: Place; readonly treatment: Treatment; readonly everyMs: number | null }
  /** Another device's point (composition by `inputs:`); its quality follows. */
  | { readonly from: 'point'; readonly point: number; readonly invert: boolean }
  | { readonly from: 'derive'; readonly formula: Formula }
  /** An input that the site has not connected: always bad, `not_configured`. */
  | { readonly from: 'none' }

/** Computed points. `of` and `inputs` are point indices. */
export type Formula =
  /** What a counter gained since the period began in the site's time zone. */
  | { readonly kind: 'increase'; readonly of: number; readonly over: 'hour' | 'day' | 'month' }
  /** Hours for which a boolean was true, in all. */
  | { readonly kind: 'hours'; readonly of: number }
  /** How often a boolean became true, in all. */
  | { readonly kind: 'count'; readonly of: number }
  /** A door's state (derive/door.ts) from its contact (true: closed) and from what says that somebody is let through. */
  | {
      readonly kind: 'door'
      readonly of: number
      /** null: nothing tells; the door is never forced then. */
      readonly granted: number | null
      readonly unlockMs: number
      readonly heldMs: number
    }
  /** A CEL expression over the points of the same device. */
  | { readonly kind: 'expression'; readonly source: string; readonly device: number }

export type WriteRule = {
  readonly role: Role
  readonly min: number | null
  readonly max: number | null
  readonly step: number | null
  readonly readBack: boolean
  /** A true written stays at least so long before a false is taken, and the other way round. */
  readonly minOnMs: number
  readonly minOffMs: number
  /** At most one write in so long. */
  readonly rateMs: number
}

export type Point = {
  readonly index: number
  readonly id: PointId
  /** Index of the device in `Site.devices`. */
  readonly device: number
  readonly key: string
  readonly title: Text
  /** The vocabulary's name where it differs from the key, else the key where it is one, else null. */
  readonly std: string | null
  readonly kind: PointKind
  readonly type: PointType
  readonly unit: string | null
  readonly source: PointSource
  readonly range: readonly [number, number] | null
  /** Largest plausible change in one second, in units of the point. */
  readonly rateMax: number | null
  readonly debounceMs: number
  /** Age at which a value turns stale; null: never (published devices without a promise). */
  readonly maxAgeMs: number | null
  readonly frozenAfterMs: number | null
  /** 0, where every change is a report. */
  readonly deadband: number
  readonly heartbeatMs: number
  /** Of type 'str': the pseudonym takes the place of what was read. */
  readonly personal: boolean
  readonly forbidden: boolean
  readonly write: WriteRule | null
}

export function pointId(device: string, key: string): PointId {
  return `${device}.${key}` as PointId
}
