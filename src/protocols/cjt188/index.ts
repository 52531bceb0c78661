/**
 * CJ/T 188 water, heat and gas meters, 2004 with the variants that makers' meters show: either order of the identifier, units
 * behind or before values. The one door of this folder. Reading only. The 2018 edition's own layout is not read: no frame of it is known.
 */
import type { Protocol } from '../protocol.ts'
import { address } from './address.ts'
import { cjt188Framing } from './framing.ts'
import { place } from './place.ts'
import { plan } from './read.ts'

export { explainCjt188 } from './explain.ts'
export { answeredBy, readAddress } from './read.ts'

export const cjt188 = {
  name: 'cjt188',
  address,
  framing: (wire) => (wire === 'modbus-tcp' ? null : cjt188Framing),
  line: { baud: 2400, dataBits: 8, parity: 'E', stopBits: 1 },
  plan,
  // A closed valve leaves people without water, and sprinklers: that takes a person on site, not a gateway.
  write: (point) =>
    `${point.id} is of a CJ/T 188 meter: this gateway reads them and writes nothing, valves least of all; turn the valve on site or through the meter's own system`,
  place,
} as const satisfies Protocol
