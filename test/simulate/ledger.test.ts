import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLedger, missing, withRange } from '../../src/simulate/ledger.ts'

const KEY = { gateway: 'gw', epoch: '5f3a9c1e', lane: 't' } as const

function receipt(number: number, id = `id${number}`): Parameters<ReturnType<typeof createLedger>['receive']>[0] {
  return { ...KEY, number, id, samples: 10 }
}

describe('ranges', () => {
  it('agree with a set of numbers, whatever comes in whatever order', () => {
    const range = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 8 }))
    fc.assert(
      fc.property(fc.array(range, { maxLength: 30 }), fc.integer({ min: 0, max: 80 }), (added, upTo) => {
        const set = new Set<number>()
        let ranges: ReturnType<typeof withRange> = []
        for (const [from, more] of added) {
          ranges = withRange(ranges, { from, to: from + more })
          for (let number = from; number <= from + more; number++) set.add(number)
        }
        const absent = missing(ranges, upTo).flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, index) => from + index),
        )
        const expected = Array.from({ length: upTo }, (_, index) => index + 1).filter((number) => !set.has(number))
        expect(absent).toEqual(expected)
        ranges.forEach((current, index) => {
          const next = ranges[index + 1]
          if (next !== undefined) expect(next.from).toBeGreaterThan(current.to + 1)
        })
      }),
    )
  })
})

describe('ledger', () => {
  it('knows new, duplicate and conflict', () => {
    const ledger = createLedger()
    expect(ledger.receive(receipt(1))).toBe('new')
    expect(ledger.receive(receipt(1))).toBe('duplicate')
    expect(ledger.receive(receipt(1, 'other'))).toBe('conflict')
    expect(ledger.receive({ ...receipt(1, 'other'), epoch: '00000000' })).toBe('new')
    expect(ledger.report()).toMatchObject({ batches: 2, samples: 20, duplicates: 1, conflicts: 1 })
  })

  it('has a low-water mark', () => {
    const ledger = createLedger()
    for (const number of [1, 2, 4]) ledger.receive(receipt(number))
    expect(ledger.low(KEY)).toBe(2)
    ledger.receive(receipt(3))
    expect(ledger.low(KEY)).toBe(4)
  })

  it('a number in transit is no gap; acknowledged and not here, it is one', () => {
    const ledger = createLedger()
    for (const number of [1, 2, 5, 8]) ledger.receive(receipt(number))
    expect(ledger.report().gaps).toEqual([])
    ledger.heard(KEY, 6)
    expect(ledger.report()).toMatchObject({
      undeclared: 3,
      gaps: [
        { ...KEY, from: 3, to: 4 },
        { ...KEY, from: 6, to: 6 },
      ],
    })
    ledger.heard(KEY, 1) // an older heartbeat takes nothing back
    expect(ledger.report().undeclared).toBe(3)
  })

  it('a declared drop is no gap, and counts what it covers anew', () => {
    const ledger = createLedger()
    ledger.receive(receipt(1))
    ledger.heard(KEY, 10)
    ledger.drop(KEY, { from: 1, to: 10, samples: 540 })
    ledger.drop(KEY, { from: null, to: null, samples: 7 })
    expect(ledger.report()).toMatchObject({ undeclared: 0, dropped: 9, droppedSamples: 547 })
  })
})
