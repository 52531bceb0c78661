/** Unit numbers (Modbus over Serial Line V1.02, 2.2): 1 to 247; 248 to 255 are reserved, and servers on TCP use them all the same. */
import type { Text } from '../../model/point.ts'
import type { Address } from '../protocol.ts'

export function address(written: number | string): { readonly address: Address } | Text {
  const text = String(written).trim()
  const unit = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN
  if (unit === 0) {
    return {
      en: 'unit 0 is broadcast: every device of the bus would hear it and none would answer',
      zh: '从站地址 0 是广播地址：总线上所有设备都会收到，但都不应答',
    }
  }
  if (unit >= 1 && unit <= 255) return { address: unit }
  return { en: `"${text}" is not a unit number: 1 to 247`, zh: `"${text}" 不是从站地址：应为 1 到 247` }
}
