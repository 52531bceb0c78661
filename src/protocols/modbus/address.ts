/** Unit numbers (Modbus over Serial Line V1.02, 2.2): 1 to 247; 248 to 255 are reserved, and servers on TCP use them all the same. */
import type { Address } from '../protocol.ts'

export function address(written: number | string): { readonly address: Address } | string {
  const text = String(written).trim()
  const unit = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN
  if (unit === 0) return 'unit 0 is broadcast: every device of the bus would hear it and none would answer'
  return unit >= 1 && unit <= 255 ? { address: unit } : `"${text}" is not a unit number: 1 to 247`
}
