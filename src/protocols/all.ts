/** Every protocol and every payload codec by the name that drivers write. */
import { cjt188 } from './cjt188/index.ts'
import { dlt645 } from './dlt645/index.ts'
import { mbus } from './mbus/index.ts'
import { modbus } from './modbus/index.ts'
import { chirpstack } from './payload/chirpstack.ts'
import { esphome } from './payload/esphome.ts'
import { json } from './payload/json.ts'
import type { PayloadCodec } from './payload/payload.ts'
import { shellyGen1 } from './payload/shelly1.ts'
import { shellyGen2 } from './payload/shelly2.ts'
import { tasmota } from './payload/tasmota.ts'
import { uhppoted } from './payload/uhppoted.ts'
import { zigbee2mqtt } from './payload/zigbee2mqtt.ts'
import type { Protocol, ProtocolName } from './protocol.ts'

/** Protocols of devices on a bus. */
export const PROTOCOLS: Protocols = { modbus, dlt645, cjt188, mbus }
export type Protocols = Readonly<Partial<Record<ProtocolName, Protocol>>>

/** Throws RangeError for a protocol that is not built in: sites that name one are refused when they are loaded. */
export function protocolOf(name: ProtocolName, protocols: Protocols = PROTOCOLS): Protocol {
  const protocol = protocols[name]
  if (protocol === undefined) throw new RangeError(`protocol ${name} is not built in`)
  return protocol
}

const CODECS: readonly PayloadCodec[] = [
  zigbee2mqtt,
  tasmota,
  shellyGen1,
  shellyGen2,
  esphome,
  chirpstack,
  uhppoted,
  json,
]
export const PAYLOADS: Readonly<Record<string, PayloadCodec>> = Object.fromEntries(
  CODECS.map((codec) => [codec.name, codec]),
)
/** Names that a driver may write as `payload`. */
export const PAYLOAD_NAMES: readonly string[] = Object.keys(PAYLOADS)

/** null: no codec has this name. */
export function payloadCodec(name: string): PayloadCodec | null {
  return Object.hasOwn(PAYLOADS, name) ? (PAYLOADS[name] ?? null) : null
}
