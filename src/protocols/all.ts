/** Every protocol and every payload codec by the name that drivers write. */
import { modbus } from './modbus/index.ts'
import { json } from './payload/json.ts'
import type { PayloadCodec } from './payload/payload.ts'
import { zigbee2mqtt } from './payload/zigbee2mqtt.ts'
import type { Protocol } from './protocol.ts'

export const PROTOCOLS = { modbus } as const satisfies Record<string, Protocol>
export type ProtocolName = keyof typeof PROTOCOLS

export const PAYLOADS: Readonly<Record<string, PayloadCodec>> = { zigbee2mqtt, json }
/** Names that a driver may write as `protocol`. */
export const PAYLOAD_NAMES: readonly string[] = Object.keys(PAYLOADS)

/** null: no codec has this name. */
export function payloadCodec(name: string): PayloadCodec | null {
  return Object.hasOwn(PAYLOADS, name) ? (PAYLOADS[name] ?? null) : null
}
