/** The meter's clock: 7 bytes of digits, ss mm hh DD MM YY CC. Meters keep local time and say no zone. */
import { isFilled, readBcd, readPairs } from '../../bytes/bcd.ts'
import { NO_VALUE, type Outcome, SENTINEL } from '../treatment.ts'

export const CLOCK_BYTES = 7
const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** `2026-01-08T14:30:00`; all zero or all FF: the meter has no clock; second 60 or month 0: what it says is no time. */
export function readClock(bytes: Uint8Array, from: number): Outcome {
  if (isFilled(bytes, from, CLOCK_BYTES, 0) || isFilled(bytes, from, CLOCK_BYTES, 0xff)) return SENTINEL
  const parts = Array.from({ length: CLOCK_BYTES }, (_, at) => readBcd(bytes, from + at, 1))
  if (!parts.every((part) => part !== null)) return NO_VALUE
  const [second = 0, minute = 0, hour = 0, day = 0, month = 0] = parts
  const possible = second < 60 && minute < 60 && hour < 24 && day > 0 && day <= (DAYS[month - 1] ?? 0)
  if (!possible) return NO_VALUE
  const pair = (at: number): string => readPairs(bytes, from + at, 1)
  return `${pair(6)}${pair(5)}-${pair(4)}-${pair(3)}T${pair(2)}:${pair(1)}:${pair(0)}`
}
