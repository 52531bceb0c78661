/**
 * Modbus over RTU, ASCII and TCP as a master: FC 1-6, 15, 16, 22, 23, 43/14. The one door of this folder.
 * Source: Modbus Application Protocol V1.1b3, Modbus over Serial Line V1.02, Messaging on TCP/IP V1.0b.
 */
import type { Protocol } from '../protocol.ts'
import { address } from './address.ts'
import { ascii } from './ascii.ts'
import { rtu, tcp } from './framing.ts'
import { plan } from './plan.ts'
import { write } from './write.ts'

export { linesOf } from './ascii.ts'
export { blockOf, type ModbusBlock } from './block.ts'
export { explainModbus } from './explain.ts'
export { type Identity, identify, objectName, readIdentity } from './identity.ts'
export { placeFlaw } from './place.ts'
export { broadcast, questionOf } from './question.ts'
export { type Silence, silenceOf } from './timing.ts'

export const modbus = {
  name: 'modbus',
  address,
  framing(wire, { ascii: asText = false } = {}) {
    if (wire === 'modbus-tcp') return tcp
    return asText ? ascii : rtu
  },
  // What most devices are delivered with; the standard's own default has even parity.
  line: { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 },
  plan,
  write,
} as const satisfies Protocol
