/**
 * DL/T 645-2007 electricity meters, and the 1997 edition where it is sure: reading only. The one door of this folder.
 * An identifier of 8 digits is of 2007, one of 4 digits of 1997; both editions share frames and addresses.
 */
import type { Protocol } from '../protocol.ts'
import { address } from './address.ts'
import { dlt645Framing } from './framing.ts'
import { place } from './place.ts'
import { plan } from './plan.ts'
import { write } from './write.ts'

export { answeredAddress, BROADCAST, EVERYBODY, shortAddress } from './address.ts'
export { type Edition, reasonsOf } from './control.ts'
export { explainDlt645 } from './explain.ts'
export { readAddress } from './framing.ts'
export { itemOf } from './items.ts'
export { readItem } from './plan.ts'
export { secretsIn } from './secret.ts'
export { type Settlement, settlementsSince } from './settlement.ts'
export { broadcastTime, refusal, type WallTime } from './write.ts'

export const dlt645: Protocol = {
  name: 'dlt645',
  address,
  // Modbus TCP wraps Modbus only; meters stand on lines and behind transparent serial servers.
  framing: (wire) => (wire === 'modbus-tcp' ? null : dlt645Framing),
  line: { baud: 2400, dataBits: 8, parity: 'E', stopBits: 1 },
  plan,
  write,
  place,
}
