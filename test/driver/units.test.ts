import { describe, expect, test } from 'vitest'
import {
  durationText,
  lineText,
  parseDuration,
  parseLine,
  parseRate,
  parseSize,
  sizeText,
} from '../../src/driver/units.ts'

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['0ms', 0],
    ['5s', 5000],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
    ['2y', 2 * 365 * 86_400_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each(['5', '', 's', '-5s', '5 s', '5sec', '5S', '1e3s', '5s5', ' 5s', '99999999999999y', '.5s', '5.s', '5\n'])(
    '%j is none',
    (text) => {
      expect(parseDuration(text)).toBeNull()
    },
  )

  test('print in the shortest exact form', () => {
    expect([86_400_000, 90_000, 1500, 0, 3_600_000].map(durationText)).toEqual(['1d', '90s', '1500ms', '0ms', '1h'])
  })
})

describe('sizes and rates', () => {
  test('sizes', () => {
    expect(['64KiB', '2GiB', '100B', '1.5MiB', '1TiB'].map(parseSize)).toEqual([
      65_536,
      2 ** 31,
      100,
      1_572_864,
      2 ** 40,
    ])
    expect(['64', '64KB', '64kib', '-1B', '2 GiB', '9999999TiB'].map(parseSize)).toEqual(Array(6).fill(null))
    expect([65_536, 2 ** 31, 100].map(sizeText)).toEqual(['64KiB', '2GiB', '100B'])
  })

  test('rates per second and per day', () => {
    expect(parseRate('32KiB/s', 's')).toBe(32_768)
    expect(parseRate('2GiB/d', 'd')).toBe(2 ** 31)
    expect(parseRate('1B/s', 'd')).toBe(86_400)
    expect(parseRate('30MiB/d', 's')).toBe(Math.round((30 * 2 ** 20) / 86_400))
    expect(['32KiB', '32KiB/h', '/s', '32/s'].map((text) => parseRate(text, 's'))).toEqual(Array(4).fill(null))
  })
})

describe('line settings', () => {
  test('are read and printed', () => {
    expect(parseLine('2400 8E1')).toEqual({ baud: 2400, dataBits: 8, parity: 'E', stopBits: 1 })
    expect(parseLine('115200 7O2')).toEqual({ baud: 115_200, dataBits: 7, parity: 'O', stopBits: 2 })
    expect(['9600 8N1', '2400 8E1'].map((text) => lineText(parseLine(text)!))).toEqual(['9600 8N1', '2400 8E1'])
  })

  test.each(['9600', '9600,8N1', '9600 8n1', '9600 8N3', '9600 9N1', '09600 8N1', '9600  8N1'])(
    '%s is none',
    (text) => {
      expect(parseLine(text)).toBeNull()
    },
  )
})
