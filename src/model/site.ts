/** The community that one gateway serves, resolved from site file, tables and drivers: frozen, everything numbered. */
import type { Priority, Rule } from './alarm.ts'
import type { ModbusTable, Point, Text, TextPart, Value } from './point.ts'

export type Language = 'en' | 'zh'

export type Wire =
  | { readonly kind: 'modbus-tcp'; readonly host: string; readonly port: number }
  /** A transparent serial server: the bytes of an RS-485 line in a TCP stream. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'serial'; readonly path: string }

/** Line setting of an RS-485 pair, printed as `9600 8N1`. */
export type Line = {
  readonly baud: number
  readonly dataBits: 7 | 8
  readonly parity: 'N' | 'E' | 'O'
  readonly stopBits: 1 | 2
}

export type Bus = {
  readonly index: number
  readonly id: string
  /** As written in the site file. */
  readonly wireText: string
  readonly wire: Wire
  readonly line: Line | null
  /** Requests in flight at once; more than 1 only on modbus-tcp. */
  readonly inFlight: number
  /** When the time is broadcast to DL/T 645 meters: five or six fields, as cron has them. Left out: never. */
  readonly setTime?: string
}

/** Modbus: unit number. DL/T 645, CJ/T 188: its digits, leading zeros kept. M-Bus: primary address number or secondary id digits. */
export type Address = number | string

/** Protocols of devices on a bus. */
export type ProtocolName = 'modbus' | 'dlt645' | 'cjt188' | 'mbus'

/** What a device bears. Registers and bits mean something to Modbus only. */
export type Limits = {
  readonly maxRegisters: number
  readonly maxBits: number
  /** Registers that may be read over without being asked for. 0 with `noHoles`. */
  readonly maxGap: number
  /** Pause between two requests to this device. */
  readonly minGapMs: number
  /** Silence before a request, at least. */
  readonly guardMs: number
  readonly timeoutMs: number
  readonly retries: number
  /** The adapter returns what we send. */
  readonly echo: boolean
  /** Registers or bits that a read must not touch, `end` being the first behind. */
  readonly holes?: readonly { readonly table: ModbusTable; readonly start: number; readonly end: number }[]
  /** Registers that a read has at least. */
  readonly minRegisters?: number
  /** Coils and inputs are read in whole groups of so many. */
  readonly bitsStep?: number
  /** Reads are answered with a byte count of 16 bits. */
  readonly wideCount?: boolean
}

/** What a line of a device that prints lines looks like. */
export type LineForm = {
  /** Ends a line; ASCII. */
  readonly delimiter: string
  /** Begins a line and is not part of it; empty: nothing does. */
  readonly begin: string
  /** Between fields; null: fields have fixed columns. */
  readonly separator: string | null
  readonly encoding: 'utf-8' | 'gb18030' | 'latin1'
  /** A longer line is none. */
  readonly maxBytes: number
  /** How many fields every line has; null: lines differ. */
  readonly fields: number | null
  /** Where the line says which device it is of; null: the wire has only one. */
  readonly id: TextPart | null
}

export type DeviceLink =
  | {
      readonly kind: 'bus'
      readonly bus: number
      readonly protocol: ProtocolName
      readonly address: Address
      readonly line: Line | null
      readonly limits: Limits
      /** Modbus on a serial line or behind a serial server: ASCII instead of RTU. */
      readonly ascii?: boolean
    }
  /** Publishes on the local broker: topic without trailing slash, codec by name (protocols/payload). */
  | { readonly kind: 'topic'; readonly topic: string; readonly codec: string }
  /** Prints lines on a bus on which nobody is asked; `id` is what its lines have in the place of `form.id`. */
  | {
      readonly kind: 'lines'
      readonly bus: number
      readonly id: string | null
      readonly line: Line | null
      readonly form: LineForm
    }
  /** Made of other devices' points. */
  | { readonly kind: 'composed' }

export type Device = {
  readonly index: number
  readonly id: string
  readonly driver: string
  /** First 16 hex digits of SHA-256 over the driver file. */
  readonly driverSha: string
  readonly category: string
  readonly brick: string | null
  /** The driver's title: what model this is. */
  readonly model: Text
  /** How its maker prints addresses, where the driver says so. */
  readonly manual?: string
  readonly name: Text
  readonly place: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  /** Key of the `each:` family that it came from. */
  readonly family: string | null
  readonly link: DeviceLink
  readonly params: Readonly<Record<string, number | boolean | string>>
  /** Indices into `Site.points`. */
  readonly points: readonly number[]
  /** false: a meter whose counters are not told as of midnight. */
  readonly freeze?: boolean
}

export type StoreSettings = {
  readonly commitEveryMs: number
  readonly wearBytesPerDay: number
  readonly budgetBytes: number
  readonly keepMs: {
    readonly raw: number
    readonly minutes: number
    readonly hours: number
    readonly alarms: number
    readonly audit: number
    readonly access: number
    readonly acked: number
  }
  readonly cut: { readonly everyMs: number; readonly samples: number; readonly bytes: number }
}

/** A secret prints `***`; `reveal()` is called where it is used and nowhere else. */
export type Secret = { readonly reveal: () => string }

export type BrokerListener = {
  readonly kind: 'mqtt' | 'mqtts' | 'ws' | 'wss'
  readonly host: string
  readonly port: number
}

export type BrokerSettings = {
  readonly listen: readonly BrokerListener[]
  /** Contents (PEM), not paths. With `ca` every client needs a certificate signed by it; whose common name is its login needs no password. */
  readonly tls: { readonly cert: string; readonly key: string; readonly ca: string | null } | null
  readonly connect: {
    readonly server: string
    readonly username: string | null
    readonly password: Secret | null
  } | null
  readonly clients: readonly {
    readonly id: string
    readonly password: Secret | null
    /** MQTT topic filters. */
    readonly publish: readonly string[]
    readonly subscribe: readonly string[]
  }[]
}

export type UplinkSettings = {
  readonly id: string
  readonly dialect: 'native'
  readonly tenant: string
  readonly servers: readonly string[]
  readonly username: string | null
  readonly password: Secret | null
  /** Contents (PEM), not paths. */
  readonly tls: { readonly ca: string | null; readonly cert: string | null; readonly key: Secret | null } | null
  readonly confirm: 'puback' | 'e2e'
  readonly backfill: { readonly bytesPerSecond: number; readonly delayMs: number }
  /** Bytes a day on a metered line; null: no limit. */
  readonly budgetBytesPerDay: number | null
  readonly keepaliveS: number
}

export type Site = {
  readonly id: string
  readonly name: Text
  /** IANA name. */
  readonly timezone: string
  readonly location: { readonly lat: number; readonly lon: number } | null
  readonly language: Language | null
  readonly gateway: { readonly id: string; readonly clock: 'auto' | 'system' }
  readonly store: StoreSettings
  readonly broker: BrokerSettings | null
  readonly uplinks: readonly UplinkSettings[]
  readonly buses: readonly Bus[]
  readonly devices: readonly Device[]
  readonly points: readonly Point[]
  readonly rules: readonly Rule[]
}

export type { Priority, Value }
