/** The small parts of an uplink, each by itself. */
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ageOf, createAges } from '../../src/uplink/ages.ts'
import { createPack } from '../../src/uplink/encode.ts'
import { createVersions, parseServer, shuffle } from '../../src/uplink/endpoint.ts'
import { createBucket, createBudget, createRateMeter } from '../../src/uplink/meter.ts'
import { createStrikes } from '../../src/uplink/strikes.ts'
import { createTakeovers } from '../../src/uplink/takeover.ts'
import { mayAnswerBatch, verdictOf } from '../../src/uplink/verdict.ts'

describe('servers', () => {
  it.each([
    ['mqtt://a.example', { host: 'a.example', port: 1883, tls: false }],
    ['mqtts://a.example', { host: 'a.example', port: 8883, tls: true }],
    ['mqtts://10.0.0.1:1234', { host: '10.0.0.1', port: 1234, tls: true }],
    ['mqtt://[::1]:99', { host: '::1', port: 99, tls: false }],
  ])('%s', (server, endpoint) => {
    expect(parseServer(server)).toEqual({ server, ...endpoint })
  })

  it.each(['', 'a.example', 'ws://a.example', 'mqtt://', 'mqtts://a.example:99999'])('refuses %j', (server) => {
    expect(() => parseServer(server)).toThrow(/is not mqtt:\/\/HOST/)
  })

  it('are shuffled, none lost', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer()),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (list, stream) => {
          const random = (): number => stream.next().value as number
          const byValue = (a: number, b: number): number => a - b
          expect([...shuffle(list, random)].sort(byValue)).toEqual([...list].sort(byValue))
        },
      ),
    )
    expect(shuffle([1, 2, 3], () => 0)).not.toEqual([1, 2, 3])
  })

  it('that speak only 3.1.1 are remembered for a day', () => {
    const versions = createVersions(86_400_000)
    expect(versions.of('a', 0)).toBe(5)
    versions.onlyOld('a', 0)
    expect(versions.of('a', 86_399_999)).toBe(4)
    expect(versions.of('b', 1)).toBe(5)
    expect(versions.of('a', 86_400_000)).toBe(5)
  })
})

describe('measures', () => {
  it('the line’s rate counts waiting, not idling', () => {
    const meter = createRateMeter()
    expect(meter.rate()).toBe(0)
    let now = 0
    for (let round = 0; round < 20; round++) {
      meter.busy(now)
      now += 100
      meter.acked(now, 1000, { idleNow: true })
      now += 5000
    }
    expect(meter.rate()).toBeCloseTo(10_000, -2)
  })

  it('the line’s rate follows when the line gets slow', () => {
    const meter = createRateMeter()
    meter.busy(0)
    for (let now = 100; now <= 10_000; now += 100) meter.acked(now, 1000, { idleNow: false })
    for (let now = 11_000; now <= 60_000; now += 1000) meter.acked(now, 1000, { idleNow: false })
    expect(meter.rate()).toBeGreaterThan(900)
    expect(meter.rate()).toBeLessThan(1200)
  })

  it('the bucket lets go in bursts and hoards nothing', () => {
    const bucket = createBucket()
    bucket.refill(0, 10_000)
    expect(bucket.isOpen()).toBe(false)
    bucket.refill(999, 10_000)
    expect(bucket.isOpen()).toBe(false)
    bucket.refill(1000, 10_000)
    expect(bucket.isOpen()).toBe(true)
    bucket.take(9_999)
    expect(bucket.isOpen()).toBe(true)
    bucket.take(1)
    expect(bucket.isOpen()).toBe(false)
    bucket.refill(3_600_000, 10_000)
    let spent = 0
    for (; bucket.isOpen(); spent += 1000) bucket.take(1000)
    expect(spent).toBe(20_000)
  })

  it('the budget turns at UTC midnight', () => {
    const budget = createBudget(10_000)
    const evening = Date.UTC(2026, 0, 1, 23, 59, 59)
    budget.spend(evening, 9_719)
    expect(budget.isSpent(evening)).toBe(false)
    budget.spend(evening, 0)
    expect(budget.isSpent(evening)).toBe(true)
    expect(budget.isSpent(evening + 1000)).toBe(false)
    expect(budget.spentBytes(evening + 1000)).toBe(0)
    expect(createBudget(null).isSpent(evening)).toBe(false)
  })
})

describe('a budget over a restart', () => {
  const noon = Date.UTC(2026, 0, 1, 12)

  it('goes on within its day, and is fresh on another', () => {
    const first = createBudget(10_000)
    first.spend(noon, 9_720)
    const second = createBudget(10_000, first.written())
    expect(second.isSpent(noon + 1000)).toBe(true)
    expect(second.spentBytes(noon + 86_400_000)).toBe(0)
  })

  it('takes nothing that it has not written', () => {
    for (const text of ['', 'NaN 5', '-1 5', '20454', '20454 5 6', '9'.repeat(40)])
      expect(createBudget(10_000, text).spentBytes(noon)).toBe(0)
  })
})

describe('ages', () => {
  it('a number is old a minute after it was first seen', () => {
    const ages = createAges(60_000)
    ages.start(10)
    ages.saw(0, 10)
    ages.saw(1_000, 12)
    ages.saw(1_100, 13) // shares the mark
    ages.saw(2_000, 14)
    expect(ages.oldUpTo(2_000)).toBe(10)
    expect(ages.oldUpTo(60_999)).toBe(10)
    expect(ages.oldUpTo(61_000)).toBe(13)
    expect(ages.oldUpTo(62_000)).toBe(14)
    expect(ages.oldUpTo(1_000_000)).toBe(14)
    ages.saw(1_000_000, 15)
    expect(ages.oldUpTo(1_000_001)).toBe(14)
  })
})

describe('the age of a batch', () => {
  const now = (quality: 0 | 1 | 3) => ({ mono: 100_000, offsetMs: 1_000_000, quality, errorMs: null }) as const
  const batch = { quality: 1, cutMono: null, mono: null, newestAt: 1_090_000 } as const

  it('is counted from its cut in this boot, and by UTC where both clocks are to be trusted', () => {
    expect(ageOf({ ...batch, cutMono: 95_000 }, now(1))).toBe(5_000)
    expect(ageOf(batch, now(1))).toBe(10_000)
    expect(ageOf({ ...batch, quality: 4 }, now(1))).toBe(10_000)
    expect(ageOf(batch, now(3))).toBe(null)
    expect(ageOf({ ...batch, quality: 3 }, now(3))).toBe(null)
  })

  it('is that of its samples where they waited for the clock', () => {
    const held = { ...batch, cutMono: 100_000 }
    expect(ageOf({ ...held, quality: 4 }, now(1))).toBe(10_000)
    expect(ageOf({ ...held, quality: 3 }, now(3))).toBe(10_000)
    expect(ageOf({ ...held, quality: 0, mono: 20_000 }, now(0))).toBe(80_000)
  })
})

describe('takeovers', () => {
  it('three within five minutes; over after a connection of five minutes', () => {
    const takeovers = createTakeovers(300_000)
    const kicked = { certain: true, likely: false, lastedMs: 1000 }
    takeovers.ended(0, kicked)
    takeovers.ended(200_000, kicked)
    takeovers.ended(301_000, kicked) // the first is too long ago
    expect(takeovers.inUse()).toBe(false)
    takeovers.ended(302_000, kicked)
    expect([takeovers.inUse(), takeovers.isCertain()]).toEqual([true, true])
    takeovers.standing(500_000, 310_000)
    expect(takeovers.inUse()).toBe(true)
    takeovers.standing(610_000, 310_000)
    expect([takeovers.inUse(), takeovers.isCertain()]).toEqual([false, false])
  })

  it('a guess raises the alarm but holds nothing back; a server that was away is no takeover', () => {
    const takeovers = createTakeovers(300_000)
    const closed = { certain: false, likely: true, lastedMs: 1000 }
    for (let time = 0; time < 10; time++) {
      takeovers.ended(time, closed)
      takeovers.failed()
    }
    expect(takeovers.inUse()).toBe(false)
    for (let time = 0; time < 3; time++) takeovers.ended(time, closed)
    expect([takeovers.inUse(), takeovers.isCertain()]).toEqual([true, false])
  })
})

describe('strikes', () => {
  it('second time suspect, fifth time out, forgiven when it gets through', () => {
    const strikes = createStrikes()
    expect(strikes.strike('a1')).toBe(false)
    expect(strikes.isSuspect('a1')).toBe(false)
    strikes.strike('a1')
    expect(strikes.isSuspect('a1')).toBe(true)
    expect([strikes.strike('a1'), strikes.strike('a1'), strikes.strike('a1')]).toEqual([false, false, true])
    strikes.forget('a1')
    expect(strikes.isSuspect('a1')).toBe(false)
  })
})

describe('codes', () => {
  it('mean what the contract says', () => {
    const codes = [0x00, 0x10, 0x83, 0x87, 0x90, 0x97, 0x99, 0x80, 0x91]
    expect(codes.map(verdictOf)).toEqual([
      'delivered',
      'undelivered',
      'refused',
      'refused',
      'refused',
      'slow',
      'refused',
      'unclear',
      'unclear',
    ])
  })

  it('of a DISCONNECT: only some may be about a batch', () => {
    expect(mayAnswerBatch('peer', null)).toBe(true)
    expect(mayAnswerBatch('peer', 0x95)).toBe(true)
    expect(mayAnswerBatch('peer', 0x8b)).toBe(false)
    expect(mayAnswerBatch('line', null)).toBe(false)
    expect(mayAnswerBatch('us', null)).toBe(false)
  })
})

describe('packing', () => {
  it('plain below 200 bytes, gzip from there', async () => {
    const pack = createPack(() => 0)
    expect((await pack(`{${'a'.repeat(198)}`))[0]).toBe(0x7b)
    expect([...(await pack(`{${'a'.repeat(199)}`)).subarray(0, 2)]).toEqual([0x1f, 0x8b])
    expect([...(await pack(`{${'泵'.repeat(67)}`)).subarray(0, 2)]).toEqual([0x1f, 0x8b])
  })

  it('quicker instead of smaller while there is much of it, and never anything else', async () => {
    let now = 0
    const pack = createPack(() => now)
    let seed = 1
    const noise = (): number => 2200 + ((seed = (seed * 48271) % 2147483647) % 200)
    const text = Array.from({ length: 5000 }, noise).join()
    const small = await pack(text)
    let packed = small
    for (let k = 0; k < 30; k++) packed = await pack(text)
    expect(packed.byteLength).toBeGreaterThan(small.byteLength)
    expect(gunzipSync(packed).toString()).toBe(text)
    now = 10_000
    expect((await pack(text)).byteLength).toBe(small.byteLength)
  })
})
