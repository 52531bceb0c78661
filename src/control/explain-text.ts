/** Figures as `explain` words them, in both languages at once. */
import type { Text, Value } from '../model/point.ts'

const UNITS: readonly (readonly [below: number, divisor: number, en: string, zh: string])[] = [
  [999.5, 1, 'ms', '毫秒'],
  [99_500, 1000, 's', '秒'],
  [5_940_000, 60_000, 'min', '分钟'],
  [172_800_000, 3_600_000, 'h', '小时'],
  [Number.POSITIVE_INFINITY, 86_400_000, 'd', '天'],
]

/** One figure and one unit: `45 s`, `3 min`. */
export function spanText(ms: number): Text {
  const positive = Math.max(0, ms)
  const [, divisor, en, zh] = UNITS.find(([below]) => positive < below) ?? [0, 1, 'ms', '毫秒']
  const amount = positive / divisor
  const shown = divisor > 1 && amount < 10 ? Math.round(amount * 10) / 10 : Math.round(amount)
  return { en: `${shown} ${en}`, zh: `${shown} ${zh}` }
}

/** As a screen shows it, with its unit. */
export function valueText(value: Value, unit: string | null): string {
  const text =
    typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(9))) : String(value)
  return unit === null ? text : `${text} ${unit}`
}
