/** Every protocol and every payload codec by the name that drivers write. */
import { modbus } from './modbus/index.ts'
import { json } from './payload/json.ts'
import type { PayloadCodec } from './payload/payload.ts'
import { zigbee2mqtt } from './payload/zigbee2mqtt.ts'
import type { Protocol, ProtocolName } from './protocol.ts'

/** Protocols of devices on a bus. */
export const PROTOCOLS: Protocols = { modbus }
export type Protocols = Readonly<Partial<Record<ProtocolName, Protocol>>>

/** Throws RangeError for a protocol that is not built in: sites that name one are refused when they are loaded. */
export function protocolOf(name: ProtocolName, protocols: Protocols = PROTOCOLS): Protocol {
  const protocol = protocols[name]
  if (protocol === undefined) throw new RangeError(`protocol ${name} is not built in`)
  return protocol
}

export const PAYLOADS: Readonly<Record<string, PayloadCodec>> = { zigbee2mqtt, json }
/** Names that a driver may write as `protocol`. */
export const PAYLOAD_NAMES: readonly string[] = Object.keys(PAYLOADS)

/** null: no codec has this name. */
export function payloadCodec(name: string): PayloadCodec | null {
  return Object.hasOwn(PAYLOADS, name) ? (PAYLOADS[name] ?? null) : null
}
