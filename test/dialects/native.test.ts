/** gatehouse/1: the texts of the contract's examples, to the letter. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/bytes/json.ts'
import { DIALECTS } from '../../src/dialects/all.ts'
import { native } from '../../src/dialects/native/index.ts'
import type { Batch } from '../../src/model/journal.ts'

const GATEWAY = 'jinxiu_3_gw1'
const PRESENCE = { gateway: GATEWAY, boot: 12, connection: 9001 }
const TIME = { mono: 5_000, offsetMs: 1_699_999_995_000, quality: 1, errorMs: null } as const

const DEVICES = [
  {
    i: 'meter_12',
    t: [0, 5000, 10000],
    p: { energy: [1234.5, 1234.6, 1234.7], power: [2.1, null, 2.2], relay: [true, true, false] },
    q: { power: [0, 'timeout', 0] },
  },
]

function batchOf(lane: 't' | 'a' | 'e', entries: unknown, changes: Partial<Batch> = {}): Batch {
  const content = canonicalJson(entries)
  return {
    lane,
    number: 182310,
    id: createHash('sha256').update(content).digest('hex').slice(0, 16),
    epoch: '5f3a9c1e',
    boot: 12,
    t0: 1_700_000_000_000,
    quality: 1,
    errorMs: null,
    mono: null,
    cv: 42,
    count: 8,
    newestAt: 1_700_000_010_000,
    cutMono: null,
    content,
    ...changes,
  }
}

describe('native dialect', () => {
  it('is found under its name', () => {
    expect(DIALECTS.native).toBe(native)
  })

  it('has the contract’s topics', () => {
    expect(native.topics({ tenant: 'demo', gateway: GATEWAY })).toEqual({
      t: 'gh/v1/demo/jinxiu_3_gw1/t',
      b: 'gh/v1/demo/jinxiu_3_gw1/b',
      a: 'gh/v1/demo/jinxiu_3_gw1/a',
      e: 'gh/v1/demo/jinxiu_3_gw1/e',
      s: 'gh/v1/demo/jinxiu_3_gw1/s',
      h: 'gh/v1/demo/jinxiu_3_gw1/h',
      r: 'gh/v1/demo/jinxiu_3_gw1/r',
      c: 'gh/v1/demo/jinxiu_3_gw1/c',
      k: 'gh/v1/demo/jinxiu_3_gw1/k',
    })
  })

  it('a telemetry batch: the header of the contract, the content canonical, the id its hash', () => {
    const text = native.encode(batchOf('t', DEVICES), GATEWAY)
    expect(text).toBe(
      '{"v":1,"gw":"jinxiu_3_gw1","ep":"5f3a9c1e","bt":12,"ln":"t","sq":182310,"id":"76af21378bbfda4d","t0":1700000000000,"tq":1,"cv":42,"n":8,' +
        '"d":[{"i":"meter_12","p":{"energy":[1234.5,1234.6,1234.7],"power":[2.1,null,2.2],"relay":[true,true,false]},"q":{"power":[0,"timeout",0]},"t":[0,5000,10000]}]}',
    )
    expect(JSON.parse(text)).toMatchObject({ d: DEVICES })
  })

  it('gives the error and the monotonic base where they are known', () => {
    const text = native.encode(batchOf('t', [], { quality: 0, errorMs: 250, mono: 12_345, count: 0 }), GATEWAY)
    expect(text).toContain('"tq":0,"te":250,"mo":12345,"cv":42')
  })

  it.each(['a', 'e'] as const)('lane %s carries its entries as x', (lane) => {
    const entries = [{ id: '01JDC3K9QZ7T8V5M2N4R6X0YBE', at: 1_700_000_000_500, place: { room: '泵房' } }]
    const document: unknown = JSON.parse(native.encode(batchOf(lane, entries, { count: 1 }), GATEWAY))
    expect(document).toMatchObject({ ln: lane, sq: 182310, n: 1, x: entries })
    expect(document).not.toHaveProperty('d')
  })

  it('state', () => {
    const facts = { ...PRESENCE, time: TIME, cv: 42, sha: 'c0ffee', nonce: 'bm9uY2U=', version: '0.1.0' }
    expect(native.online(facts)).toBe(
      '{"v":1,"gw":"jinxiu_3_gw1","on":true,"cn":9001,"bt":12,"at":1700000000000,"tq":1,"cv":42,"sha":"c0ffee","nc":"bm9uY2U=","version":"0.1.0"}',
    )
  })

  it('will and clean stop', () => {
    expect(native.offline(PRESENCE, 'will')).toBe(
      '{"v":1,"gw":"jinxiu_3_gw1","on":false,"cn":9001,"bt":12,"why":"will"}',
    )
    expect(native.offline(PRESENCE, 'stop')).toBe(
      '{"v":1,"gw":"jinxiu_3_gw1","on":false,"cn":9001,"bt":12,"why":"stop"}',
    )
  })

  it('heartbeat', () => {
    const epoch = '5f3a9c1e'
    expect(
      native.heartbeat({
        ...PRESENCE,
        time: TIME,
        lanes: {
          t: { epoch, hi: 182310, ack: 182307, lo: 182308, kept: 170000 },
          a: { epoch, hi: 7, ack: 7, lo: 8, kept: 1 },
          e: { epoch, hi: 0, ack: 0, lo: 1, kept: 1 },
        },
        backlog: { batches: 3, oldestAt: 1_699_999_990_000 },
        cpu: 0.12049,
        disk: null,
      }),
    ).toBe(
      '{"v":1,"gw":"jinxiu_3_gw1","bt":12,"cn":9001,"at":1700000000000,"tq":1,"mo":5000,' +
        '"ln":{"t":{"ep":"5f3a9c1e","hi":182310,"ack":182307,"lo":182308,"kept":170000},"a":{"ep":"5f3a9c1e","hi":7,"ack":7,"lo":8,"kept":1},"e":{"ep":"5f3a9c1e","hi":0,"ack":0,"lo":1,"kept":1}},' +
        '"bl":{"n":3,"oldest":1699999990000},"cpu":0.12,"disk":null}',
    )
  })

  it('reads a watermark, and nothing else', () => {
    expect(native.watermark('{"v":1,"ep":"5f3a9c1e","ln":"t","upTo":182300}')).toEqual({
      epoch: '5f3a9c1e',
      lane: 't',
      upTo: 182300,
    })
    for (const text of [
      '',
      'null',
      '{',
      '{"v":2,"ep":"5f3a9c1e","ln":"t","upTo":1}',
      '{"v":1,"ep":5,"ln":"t","upTo":1}',
      '{"v":1,"ep":"5f3a9c1e","ln":"b","upTo":1}',
      '{"v":1,"ep":"5f3a9c1e","ln":"t","upTo":-1}',
      '{"v":1,"ep":"5f3a9c1e","ln":"t","upTo":1.5}',
      '{"v":1,"ep":"5f3a9c1e","ln":"t","upTo":"9"}',
    ]) {
      expect(native.watermark(text), text).toBeNull()
    }
  })
})
