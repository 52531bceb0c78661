/**
 * Modbus over RTU and TCP as a master: FC 1-6, 15, 16. The one door of this folder.
 * Source: Modbus Application Protocol V1.1b3, Modbus over Serial Line V1.02, Messaging on TCP/IP V1.0b.
 */
import type { Protocol } from '../protocol.ts'
import { rtu, tcp } from './framing.ts'
import { plan } from './plan.ts'
import { ask, read } from './read.ts'
import { write } from './write.ts'

export { explainModbus } from './explain.ts'
export { placeFlaw } from './plan.ts'
export { type Silence, silenceOf } from './timing.ts'

export const modbus: Protocol = {
  name: 'modbus',
  framings: { rtu, tcp },
  plan,
  ask,
  read,
  write,
}
