import { describe, expect, test } from 'vitest'
import { cut, table, width, wrap } from '../../src/cli/table.ts'

describe('width', () => {
  test.each([
    ['abc', 3],
    ['泵房', 4],
    ['°C', 2],
    ['e\u0301', 1],
    ['（一）', 6],
    ['😀', 2],
    ['→ …', 3],
    ['', 0],
  ])('%j takes %i columns', (text, columns) => {
    expect(width(text)).toBe(columns)
  })
})

describe('cut', () => {
  test.each([
    ['outlet_pressure', 8, 'outlet_…'],
    ['生活供水中断', 7, '生活供…'],
    ['生活供水中断', 8, '生活供…'],
    ['short', 5, 'short'],
    ['x', 0, ''],
  ])('%s to %i', (text, columns, shown) => {
    expect(cut(text, columns)).toBe(shown)
    expect(width(cut(text, columns))).toBeLessThanOrEqual(columns)
  })
})

describe('wrap', () => {
  test('words stay whole, Chinese breaks anywhere, what is too long is broken', () => {
    expect(wrap('check pump room power', 10)).toEqual(['check pump', 'room power'])
    expect(wrap('检查泵房电源', 6)).toEqual(['检查泵', '房电源'])
    expect(wrap('abcdefghij', 4).join('').replaceAll('…', '')).toBe('abcdefghij')
    expect(wrap('', 10)).toEqual([])
  })
})

describe('table', () => {
  const columns = [
    { title: 'POINT', min: 6 },
    { title: 'VALUE', align: 'right' as const },
    { title: 'NAME', min: 4 },
  ]

  test('aligns by what a terminal shows', () => {
    const rows = [
      ['pump_1', '0.31', '1号泵'],
      ['m', '12', 'x'],
    ]
    expect(table(columns, rows, { width: 80, color: false })).toEqual([
      'POINT   VALUE  NAME',
      'pump_1   0.31  1号泵',
      'm          12  x',
    ])
  })

  test('gives from its widest column that may, and never more than the screen', () => {
    const lines = table(columns, [['outlet_pressure_of_pump_1', '1', '泵房总管出口压力变送器']], {
      width: 30,
      color: false,
    })
    for (const line of lines) expect(width(line)).toBeLessThanOrEqual(30)
    expect(lines[1]).toContain('…')
  })

  test('is as wide as it likes in a pipe', () => {
    const name = 'x'.repeat(300)
    expect(table(columns, [[name, '1', '']], { width: Number.POSITIVE_INFINITY, color: false })[1]).toContain(name)
  })

  test('colours only what is asked for, and never counts the colour', () => {
    const rows = [['pump_1', { text: '1', style: 'red' as const }, 'x']]
    const [, plain] = table(columns, rows, { width: 80, color: false })
    const [, coloured] = table(columns, rows, { width: 80, color: true })
    expect(plain).not.toContain('\u001b')
    expect(coloured!.replace('\u001b[31m', '').replace('\u001b[0m', '')).toBe(plain)
    expect(coloured).toContain('\u001b[31m1\u001b[0m')
  })

  test('a cell cannot break its row', () => {
    expect(table(columns, [['a\nb', '\u001b[2J', '']], { width: 80, color: false })).toHaveLength(2)
  })
})

test('wrapping ends, however narrow it is', () => {
  for (const columns of [-5, 0, 1, 2, 3])
    expect(wrap('a 中文很长的一句话 word', columns).join('').replaceAll(/[…\s]/g, '')).toBe('a中文很长的一句话word')
})
