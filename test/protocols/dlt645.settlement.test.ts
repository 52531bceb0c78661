import { describe, expect, test } from 'vitest'
import { itemOf, settlementsSince } from '../../src/protocols/dlt645/index.ts'

const ITEMS = ['00010000', '00010100']

function since(after: string, now: string, settles = '0100') {
  const found = settlementsSince({ since: after, now, settles }, ITEMS)
  if (typeof found === 'string') throw new Error(found)
  return found
}

describe('settlements that were missed', () => {
  test('one month end: the last settlement', () => {
    expect(since('2026-10-31T23', '2026-11-02T09')).toEqual([
      { at: '2026-11-01T00', monthEnd: true, items: ['00010001', '00010101'] },
    ])
  })
  test('none while the month goes on, also in its first hour', () => {
    expect(since('2026-11-01T00', '2026-11-30T23')).toEqual([])
    expect(since('2026-11-01T00', '2026-12-01T00').map(({ at }) => at)).toEqual(['2026-12-01T00'])
  })
  test('a long outage over a new year: oldest first, each by its own number', () => {
    expect(since('2026-10-15T00', '2027-01-03T12').map(({ at, items }) => [at, items[0]])).toEqual([
      ['2026-11-01T00', '00010003'],
      ['2026-12-01T00', '00010002'],
      ['2027-01-01T00', '00010001'],
    ])
  })
  test('never more than the twelve that a meter keeps', () => {
    const all = since('2020-01-01T00', '2026-11-02T00')
    expect(all).toHaveLength(12)
    expect(all[0]).toMatchObject({ at: '2025-12-01T00', items: ['0001000C', '0001010C'] })
    for (const { items } of all) for (const item of items) expect(itemOf(item)).not.toBeNull()
  })
  test('a meter that settles on another day gives its own moment, and no month end', () => {
    expect(since('2026-10-01T00', '2026-11-20T00', '2508').map(({ at, monthEnd }) => [at, monthEnd])).toEqual([
      ['2026-10-25T08', false],
    ])
    expect(since('2026-10-01T00', '2026-11-25T08', '2508').map(({ at }) => at)).toEqual([
      '2026-10-25T08',
      '2026-11-25T08',
    ])
  })
  test.each(['9999', '2900', '0124', '0000', 'x', ''])('"%s" is no settlement day', (settles) => {
    expect(settlementsSince({ since: '', now: '2026-11-02T00', settles }, ITEMS)).toContain('is no settlement day')
  })
  test('what has no settlements is refused', () => {
    expect(settlementsSince({ since: '', now: '2026-11-02T00', settles: '0100' }, ['00010001'])).toContain(
      'no item of the present',
    )
  })
})
