/** Control codes: D7 0 master, 1 meter; D6 the meter says no; D5 more data follows; D4 to D0 the function. */

export const FROM_METER = 0x80
export const REFUSED = 0x40
export const MORE = 0x20
const FUNCTION = 0x1f

export const READ = 0x01
export const READ_ADDRESS = 0x03
export const WRITE = 0x04

const NAMES: Readonly<Record<number, string>> = {
  0x01: 'read data',
  0x03: 'read address',
  0x04: 'write data',
  0x09: 'read key version',
  0x15: 'write address',
  0x16: 'write base reading',
}

export function functionOf(control: number): number {
  return control & FUNCTION
}

export function isFromMeter(control: number): boolean {
  return (control & FROM_METER) !== 0
}

export function isRefusal(control: number): boolean {
  return isFromMeter(control) && (control & REFUSED) !== 0
}

/** `01 read data` */
export function functionText(control: number): string {
  const code = functionOf(control)
  return `${code.toString(16).padStart(2, '0').toUpperCase()} ${NAMES[code] ?? 'unknown function'}`
}
