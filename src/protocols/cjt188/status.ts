/**
 * The status word ST: byte 1 D1 D0 valve (00 open, 01 closed, 11 abnormal), D2 battery low; the rest is the maker's. One maker's
 * meters count the bits of byte 1 from the other end (valve in D7 D6, battery in D5): a driver says so.
 */

export type StatusOrder = 'low' | 'high'

/** Bit `n` of ST, 0 to 15; bits 8 to 15 are those of byte 2. */
export function statusBit(status: number, bit: number): boolean {
  return ((status >> bit) & 1) === 1
}

/** 0 open, 1 closed, 3 abnormal; 2 means nothing. */
export function valveOf(status: number, order: StatusOrder): number {
  return order === 'low' ? status & 3 : (statusBit(status, 7) ? 1 : 0) | (statusBit(status, 6) ? 2 : 0)
}

export function batteryLow(status: number, order: StatusOrder): boolean {
  return statusBit(status, order === 'low' ? 2 : 5)
}

export const VALVE_NAMES: Readonly<Record<number, string>> = { 0: 'open', 1: 'closed', 3: 'abnormal' }
