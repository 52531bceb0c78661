/**
 * What is known of a point when somebody asks why it is as it is: its sample, its device, its neighbours on the wire, the wire, and
 * one question asked just now with all bytes that came back. Plain data, so that judging it (`explain-judge.ts`) is a pure function.
 * Ages and times are in ms.
 */
import type { Edition } from '../protocols/dlt645/index.ts'
import type { Doubt, Fault } from '../model/fault.ts'
import type { Point, Value } from '../model/point.ts'
import type { DeviceState } from '../model/sample.ts'
import type { Wire } from '../model/site.ts'

/** A cause as it travels: the word of a fault or a doubt; `exception` comes with its code. */
export type CauseWord = Exclude<Fault['kind'], 'exception'> | 'exception' | Doubt

export type Said = {
  readonly quality: 'good' | 'uncertain' | 'bad'
  readonly cause: CauseWord | null
  /** Of an exception. */
  readonly code: number | null
}

export type Counts = { readonly timeout: number; readonly crc: number; readonly exception: number }

export type DeviceEvidence = {
  readonly id: string
  /** As people write it. */
  readonly address: string
  readonly state: DeviceState
  /** Since when it is in this state. */
  readonly sinceMs: number | null
  /** Since its last answer with values; null: none in this run. */
  readonly lastGoodMs: number | null
  readonly answers: number
  readonly errors: Counts
  readonly averageMs: number
  readonly slowestMs: number
  readonly timeoutMs: number
  /** Frames that answered its questions under another address, and under which; where the wire counts them. */
  readonly strangers: readonly string[]
  /** Its driver or the site says that the adapter returns what is sent. */
  readonly echo: boolean
  /** `9600 8N1`; null: the wire has none. */
  readonly line: string | null
  /** Of a DL/T 645 meter, whose error codes are not those of Modbus. */
  readonly edition?: Edition | null
}

/** Another device of the same wire. */
export type Neighbour = {
  readonly id: string
  readonly address: string
  readonly state: DeviceState
  readonly answers: number
  readonly errors: Counts
  /** What its points say, where none is good. */
  readonly cause: CauseWord | null
}

export type BusEvidence = {
  readonly id: string
  readonly wireText: string
  readonly wire: Wire['kind']
  readonly state: 'online' | 'offline'
  readonly sinceMs: number | null
  readonly cause: CauseWord | null
  /** What the system said when it could not be opened, or when it was lost. */
  readonly why: string | null
  readonly frames: number
  readonly lateFrames: number
  readonly foreignFrames: number
  /** Who else asks on this wire, in words, where frames could be read. */
  readonly foreign: readonly string[]
  readonly junkBytes: number
  /** What a serial server says for itself. */
  readonly texts: readonly { readonly text: string; readonly count: number }[]
  readonly bytesIn: number
  readonly opens: number
  readonly utilisation: number
}

/** It is open, although perhaps nobody has answered on it yet: such a wire is not called online. */
export function isUp({ state, why, opens }: Pick<BusEvidence, 'state' | 'why' | 'opens'>): boolean {
  return state === 'online' || (why === null && opens > 0)
}

/** What the system knows of a serial port. */
export type PortEvidence = {
  readonly path: string
  readonly exists: boolean
  /** Who else holds it, in words. */
  readonly holder: string | null
  readonly permitted: boolean
}

/** One question of ours and the bytes that came before the next. */
export type Asked = {
  readonly sent: Uint8Array
  readonly received: Uint8Array
  /** From the question to the last byte of the answer; null: nothing came. */
  readonly ms: number | null
  /** Length of a sound answer, frame and all; null: not known. */
  readonly expectedBytes: number | null
}

/** The point asked for, now, once. */
export type Trial = {
  readonly asked: readonly Asked[]
  readonly said: Said
  /** Values of the same bytes read in other ways, that lie within the point's range: `CDAB`, `scale 0.01`. */
  readonly otherwise: readonly {
    readonly how: 'order' | 'scale' | 'sign'
    readonly as: string
    readonly value: number
  }[]
}

export type PointEvidence = Pick<Point, 'id' | 'title' | 'unit' | 'kind' | 'type' | 'range'> & {
  readonly from: 'field' | 'point' | 'derive' | 'none'
  /** `holding 3`, `02010100`, `temperature`: as a driver writes it. null: not read from a device. */
  readonly place: string | null
  readonly everyMs: number | null
  readonly maxAgeMs: number | null
}

export type Evidence = {
  readonly point: PointEvidence
  readonly sample: Said & { readonly value: Value | null; readonly ageMs: number }
  readonly lastGood: { readonly value: Value; readonly ageMs: number } | null
  readonly link: 'bus' | 'topic' | 'lines' | 'composed'
  /** Publishing devices. */
  readonly topic: { readonly topic: string; readonly clients: number; readonly heard: boolean } | null
  readonly device: DeviceEvidence | null
  /** The other points of the device that are read from the field. */
  readonly siblings: readonly Said[]
  readonly neighbours: readonly Neighbour[]
  readonly bus: BusEvidence | null
  readonly port: PortEvidence | null
  readonly trial: Trial | null
}
