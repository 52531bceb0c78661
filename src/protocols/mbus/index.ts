/**
 * Wired M-Bus meters (EN 13757-2 and -3): read by primary or secondary address; variable and fixed data structure, several
 * telegrams. The one door of this folder. Reading only.
 */
import type { Protocol } from '../protocol.ts'
import { address } from './address.ts'
import { mbusFraming } from './framing.ts'
import { place } from './place.ts'
import { plan } from './read.ts'

export { explainMbus } from './explain.ts'
export { ask } from './framing.ts'
export { type Header, MEDIA } from './header.ts'
export { answeredBy } from './read.ts'

export const mbus = {
  name: 'mbus',
  address,
  framing: (wire) => (wire === 'modbus-tcp' ? null : mbusFraming),
  line: { baud: 2400, dataBits: 8, parity: 'E', stopBits: 1 },
  plan,
  write: (point) => `${point.id} is of an M-Bus meter: this gateway reads them and writes nothing`,
  place,
} as const satisfies Protocol
