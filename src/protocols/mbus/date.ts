/** Dates in binary: type G, two bytes, and type F, four bytes. The meter's local time. */

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** `text` is what the bytes say even where there is no such day (a meter without a date says month 0). */
export type DateRead = { readonly text: string; readonly possible: boolean }

/** Day and year's low bits; month and year's high bits. */
export function readDate(low: number, high: number): DateRead {
  const day = low & 0x1f
  const month = high & 0x0f
  const short = (low >> 5) | ((high & 0xf0) >> 1)
  const year = short <= 80 ? 2000 + short : 1900 + short
  return {
    text: `${year}-${pair(month)}-${pair(day)}`,
    possible: day > 0 && day <= (DAYS[month - 1] ?? 0),
  }
}

/** Minute (its bit 7: the meter doubts its clock), hour (its bit 7: summer time), date. */
export function readDateTime(data: Uint8Array, from: number): DateRead {
  const [minute = 0, hour = 0, low = 0, high = 0] = data.subarray(from, from + 4)
  const date = readDate(low, high)
  const [m, h] = [minute & 0x3f, hour & 0x1f]
  return {
    text: `${date.text}T${pair(h)}:${pair(m)}`,
    possible: date.possible && (minute & 0x80) === 0 && m < 60 && h < 24,
  }
}

function pair(number: number): string {
  return String(number).padStart(2, '0')
}
