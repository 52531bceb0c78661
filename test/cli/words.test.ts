import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  adviceFor,
  formatAge,
  formatBytes,
  formatCause,
  formatCount,
  formatSpan,
  formatValue,
} from '../../src/cli/format.ts'
import { parseDuration } from '../../src/cli/duration.ts'
import { printable } from '../../src/cli/printable.ts'
import { say, TEXT, type TextKey } from '../../src/cli/text.ts'

const CLI = new URL('../../src/cli/', import.meta.url)
const sources = ['', 'verbs/'].flatMap((folder) =>
  readdirSync(new URL(folder, CLI))
    .filter((name) => name.endsWith('.ts') && !name.startsWith('text'))
    .map((name) => readFileSync(new URL(folder + name, CLI), 'utf8')),
)

describe('the catalogue', () => {
  const names = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!).toSorted()

  test.each(Object.entries(TEXT))('%s says the same in both languages', (key, { en, zh }) => {
    // The complaint of the English parser is shown as it is; what else is filled in must be in both.
    expect(names(zh), key).toEqual(names(en))
    expect(zh.length).toBeGreaterThan(0)
  })

  test('Chinese is Chinese, apart from what has no other name', () => {
    const same = Object.entries<{ en: string; zh: string }>(TEXT).filter(([, { en, zh }]) => en === zh)
    expect(same).toEqual([])
    expect(
      Object.entries(TEXT)
        .filter(([, { zh }]) => !/\p{Script=Han}|^[({[]/u.test(zh))
        .map(([key]) => key),
    ).toEqual(['forSpan'])
  })

  test('no text is left over that nothing says', () => {
    const all = sources.join('\n')
    const built =
      /^(tq[0-4]|good|uncertain|bad|online|degraded|offline|maintenance|critical|high|medium|low|unacknowledged|acknowledged|returned|shelved|suppressed|out_of_service|request|reply|message)$/
    const unused = (Object.keys(TEXT) as TextKey[]).filter(
      (key) => !built.test(key) && !new RegExp(`'${key}'`).test(all),
    )
    expect(unused).toEqual([])
  })

  test('what is filled in cannot steer the terminal', () => {
    expect(say('en', 'noDriver', { name: 'a\u001b[31m\nb' })).toBe('there is no driver a\\x1b[31m\\nb')
  })
})

describe('printable', () => {
  test.each([
    ['pump\u001b]0;owned\u0007', 'pump\\x1b]0;owned\\x07'],
    ['two\r\nlines\t.', 'two\\r\\nlines\\t.'],
    ['right\u202eto left', 'right\\u202eto left'],
    ['zero\u200bwidth', 'zero\\u200bwidth'],
    ['c1 \u009b2J', 'c1 \\x9b2J'],
    ['lone \ud800 half', 'lone \\ud800 half'],
    ['1号生活泵 °C ✓ 😀', '1号生活泵 °C ✓ 😀'],
  ])('%j', (given, shown) => {
    expect(printable(given)).toBe(shown)
  })
})

describe('figures', () => {
  test.each([
    [0, '0 ms', '0 毫秒'],
    [999, '999 ms', '999 毫秒'],
    [1000, '1 s', '1 秒'],
    [1540, '1.5 s', '1.5 秒'],
    [65_000, '65 s', '65 秒'],
    [300_000, '5 min', '5 分钟'],
    [7_200_000, '2 h', '2 小时'],
    [273_600_000, '3.2 d', '3.2 天'],
    [-5, '0 ms', '0 毫秒'],
  ])('%i ms', (ms, en, zh) => {
    expect([formatSpan(ms, 'en'), formatSpan(ms, 'zh')]).toEqual([en, zh])
  })

  test.each([
    [0.1 + 0.2, '0.3'],
    [230.2, '230.2'],
    [1e21, '1e+21'],
    [123_456_789, '123456789'],
    [true, 'yes'],
    [null, '-'],
    ['18446744073709551615', '18446744073709551615'],
  ])('%j', (value, shown) => {
    expect(formatValue(value, 'en')).toBe(shown)
  })

  test('counts, bytes, ages', () => {
    expect(formatCount(1_234_567)).toBe('1 234 567')
    expect(formatBytes(34_567_890)).toBe('33 MiB')
    expect(formatBytes(512)).toBe('512 B')
    expect(formatAge(null, 0, 'en')).toBe('-')
  })
})

describe('causes', () => {
  const known =
    'timeout crc exception:1 exception:2 exception:3 exception:4 exception:5 exception:6 exception:7 exception:8 exception:10 exception:11 closed refused sentinel out_of_range device_fault not_read not_configured stale frozen rate substituted first_after_timeout'
  test.each(known.split(' '))('%s has words and advice in both languages', (cause) => {
    for (const language of ['en', 'zh'] as const) {
      expect(formatCause(cause, language)).not.toBe(cause)
      expect(adviceFor(cause, language)).toBeTruthy()
    }
  })

  test('an exception says what its number means; what is unknown is shown as it is', () => {
    expect(formatCause('exception:2', 'en')).toBe('the device refuses: 2 (no such register)')
    expect(formatCause('exception:5', 'en')).toBe('the device took it and is still working on it (5)')
    expect(formatCause('exception:11', 'en')).toBe('the gateway in between hears nothing from the device (11)')
    expect(formatCause('exception:11', 'zh')).toBe('中间网关收不到该设备的应答（11）')
    expect(formatCause('exception:99', 'en')).toBe('the device refuses: 99')
    expect(formatCause('interlock: pump_2', 'en')).toBe('interlock: pump_2')
    expect(adviceFor('interlock', 'en')).toBeNull()
  })

  test('a refused write says which rule, and what was read back', () => {
    expect(formatCause('range: 60 is above 50', 'en')).toBe('60 is above 50')
    expect(formatCause('range: 60 is above 50', 'zh')).toBe('超出允许范围（60 is above 50）')
    expect(formatCause('read_back: reads 3', 'en')).toBe('does not read back (reads 3)')
    expect(formatCause('timeout: not_read', 'en')).toBe('no answer (not read yet)')
    expect(formatCause('read_back: exception:2', 'en')).toBe(
      'does not read back (the device refuses: 2 (no such register))',
    )
  })
})

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['5s', 5000],
    ['10m', 600_000],
    ['24h', 86_400_000],
    ['30d', 2_592_000_000],
    ['1.5h', 5_400_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text, '--since', 'en')).toBe(ms)
  })
  test.each(['', '5', '5 s', '-5s', '0s', '1w', '9999999999s', '5S'])('%j is none', (text) => {
    expect(() => parseDuration(text, '--since', 'en')).toThrow(/is not a duration/)
  })
})
