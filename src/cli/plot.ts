/** A trend in the terminal: braille dots, two by four in a character. Each bucket is a line from its minimum to its maximum. */
import { formatNumber } from './format.ts'
import { width } from './table.ts'

export type PlotPoint = { readonly at: number; readonly min: number; readonly max: number; readonly last: number }

/** Bits of a braille character by row and column of its dots (Unicode, block U+2800). */
const DOTS: readonly (readonly [number, number])[] = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
]

/**
 * `rows` lines of curve, an axis and a line of times. A span of time without values stays empty: a gap is no line.
 * `points` ascend in time and lie within from..to.
 */
export function plot(
  points: readonly PlotPoint[],
  options: { from: number; to: number; width: number; rows: number; everyMs: number; time: (at: number) => string },
): readonly string[] {
  let low = Math.min(...points.map(({ min }) => min))
  let high = Math.max(...points.map(({ max }) => max))
  if (low === high) [low, high] = [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(high) * 0.1 || 1)]
  const labels = [high, (high + low) / 2, low].map((value) => formatNumber(Number(value.toPrecision(4))))
  const margin = Math.max(...labels.map(width))
  const columns = Math.max(10, options.width - margin - 2)
  const dotsWide = columns * 2
  const dotsHigh = options.rows * 4
  const cells = Array.from({ length: options.rows }, () => new Uint8Array(columns))

  const column = (at: number): number =>
    Math.min(dotsWide - 1, Math.max(0, Math.floor(((at - options.from) / (options.to - options.from)) * dotsWide)))
  const row = (value: number): number => Math.round(((high - value) / (high - low)) * (dotsHigh - 1))
  const dot = (x: number, y: number): void => {
    const line = cells[y >> 2]
    const bits = DOTS[y & 3]
    if (line !== undefined && bits !== undefined) line[x >> 1] = (line[x >> 1] ?? 0) | (bits[x & 1 ? 1 : 0] ?? 0)
  }
  const rise = (x: number, from: number, to: number): void => {
    for (let y = Math.min(from, to); y <= Math.max(from, to); y++) dot(x, y)
  }

  let before: PlotPoint | null = null
  // Two buckets in a row may be missing before the line breaks: a late poll is no outage.
  const gapMs = Math.max(options.everyMs * 3, ((options.to - options.from) / dotsWide) * 3)
  for (const point of points) {
    const x = column(point.at)
    rise(x, row(point.max), row(point.min))
    if (before !== null && point.at - before.at <= gapMs) {
      const start = column(before.at)
      for (let between = start + 1; between <= x; between++) dot(between, row(before.last))
      rise(x, row(before.last), row(point.last))
    }
    before = point
  }

  const curve = cells.map((line, at) => {
    const label = at === 0 ? labels[0] : at === options.rows - 1 ? labels[2] : at === options.rows >> 1 ? labels[1] : ''
    const dots = Array.from(line, (bits) => (bits === 0 ? ' ' : String.fromCodePoint(0x2800 + bits))).join('')
    return `${(label ?? '').padStart(margin)} ┤${dots}`.trimEnd()
  })
  const [start, end] = [options.time(options.from), options.time(options.to)]
  return [
    ...curve,
    `${' '.repeat(margin)} └${'─'.repeat(columns)}`,
    `${' '.repeat(margin + 2)}${start}${' '.repeat(Math.max(1, columns - start.length - end.length))}${end}`,
  ]
}
