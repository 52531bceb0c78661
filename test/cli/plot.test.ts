import { describe, expect, test } from 'vitest'
import { plot } from '../../src/cli/plot.ts'
import { width } from '../../src/cli/table.ts'

const options = { from: 0, to: 3600, width: 40, rows: 4, everyMs: 60, time: (at: number) => `t${at}` }
const at = (when: number, value: number) => ({ at: when, min: value, max: value, last: value })
const dotted = (line: string): string => line.replace(/^[^┤]*┤/, '')

describe('plot', () => {
  test('a rising line goes from the lower left to the upper right', () => {
    const lines = plot(
      Array.from({ length: 60 }, (_, i) => at(i * 60, i)),
      options,
    )
    expect(lines).toHaveLength(6)
    expect(lines[0]).toMatch(/^ *59 ┤/)
    expect(lines[3]).toMatch(/^ *0 ┤/)
    expect(dotted(lines[0]!).search(/\S/)).toBeGreaterThan(dotted(lines[3]!).search(/\S/))
    for (const line of lines) expect(width(line)).toBeLessThanOrEqual(40)
  })

  test('time without values is a gap, not a line', () => {
    const points = [
      ...Array.from({ length: 10 }, (_, i) => at(i * 60, 5)),
      ...Array.from({ length: 10 }, (_, i) => at(3000 + i * 60, 5)),
    ]
    const [row] = plot(points, options).filter((line) => /[\u2801-\u28ff]/.test(line))
    expect(dotted(row!)).toMatch(/^[\u2801-\u28ff]+ {10,}[\u2801-\u28ff]+$/)
  })

  test('a bucket shows its whole range', () => {
    const lines = plot([{ at: 1800, min: 0, max: 10, last: 5 }], options)
    expect(lines.slice(0, 4).every((line) => /[\u2801-\u28ff]/.test(line))).toBe(true)
  })

  test('a constant value is in the middle of a scale around it', () => {
    const lines = plot([at(0, 0.3), at(60, 0.3)], options)
    expect(lines[0]).toMatch(/^ *0\.33 ┤/)
  })
})
