/** `gatehouse decode`: what these bytes are, or why not. */
import { parseHex } from '../bytes/hex.ts'
import { explainCjt188 } from './cjt188/index.ts'
import { explainDlt645 } from './dlt645/index.ts'
import type { Explained } from './explained.ts'
import { explainMbus } from './mbus/index.ts'
import { explainModbus, linesOf } from './modbus/index.ts'

const EXPLAINERS: Readonly<Record<string, (bytes: Uint8Array, request: Uint8Array | null) => Explained>> = {
  modbus: (bytes, request) => explainModbus(null, bytes, request),
  'modbus-rtu': (bytes, request) => explainModbus('rtu', bytes, request),
  'modbus-tcp': (bytes, request) => explainModbus('tcp', bytes, request),
  'modbus-ascii': (bytes, request) => explainModbus('ascii', bytes, request),
  dlt645: (bytes, request) => explainDlt645('2007', bytes, request),
  'dlt645-1997': (bytes, request) => explainDlt645('1997', bytes, request),
  cjt188: explainCjt188,
  mbus: explainMbus,
}

/** Names that `explain` takes. */
export const EXPLAINED: readonly string[] = Object.keys(EXPLAINERS)

/** A sentence when the question itself is wrong: unknown protocol, no hex. */
export function explain(protocol: string, hex: string, requestHex: string | null = null): Explained | string {
  const explainer = Object.hasOwn(EXPLAINERS, protocol) ? EXPLAINERS[protocol] : undefined
  if (explainer === undefined) return `"${protocol}" is not a protocol that can be decoded: ${EXPLAINED.join(', ')}`
  const bytes = bytesOf(protocol, hex)
  if (typeof bytes === 'string') return bytes
  if (bytes.length === 0) return 'there are no bytes'
  const request = requestHex === null ? null : bytesOf(protocol, requestHex)
  return typeof request === 'string' ? `--request: ${request}` : explainer(bytes, request)
}

/** Modbus ASCII may be given as it is printed. */
function bytesOf(protocol: string, text: string): Uint8Array | string {
  return (protocol.startsWith('modbus') ? linesOf(text) : null) ?? parseHex(text)
}
