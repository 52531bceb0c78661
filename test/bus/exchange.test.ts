/** One wire against hostile input: glued, split, noisy, foreign, echoing, endless (faults B2, B3, B7, B13). */
import { beforeEach, describe, expect, test } from 'vitest'
import { Wire } from '../../src/bus/exchange.ts'
import { createCounts, type Exchange, type Outcome, type WireCounts } from '../../src/bus/flight.ts'
import { Strangers } from '../../src/bus/overhear.ts'
import type { Question } from '../../src/protocols/protocol.ts'
import { rtu, tcp } from '../../src/protocols/modbus/framing.ts'
import { LIMITS, LINE, rtuFrame } from './rig.ts'

let counts: WireCounts
let sent: Uint8Array[]
let outcomes: Outcome[]
let desynchronised: number
let lateAges: number[]
let strangers: Strangers

beforeEach(() => {
  counts = createCounts()
  sent = []
  outcomes = []
  lateAges = []
  desynchronised = 0
  strangers = new Strangers()
})

const read = (address: number, start: number, count: number): Question => ({
  address,
  body: Uint8Array.of(3, start >> 8, start & 255, 0, count),
  writes: false,
  answerBytes: 2 + 2 * count,
})
const coilOn: Question = { address: 1, body: Uint8Array.of(5, 0, 0, 0xff, 0), writes: true, answerBytes: 5 }

function exchange(question: Question, more: Partial<Exchange> & { echo?: boolean } = {}): Exchange {
  return {
    question,
    framing: rtu,
    limits: { ...LIMITS, echo: more.echo ?? false },
    line: LINE,
    slowestMs: () => 0,
    settled: (outcome) =>
      outcomes.push(
        outcome.kind === 'answer' ? { ...outcome, bodies: outcome.bodies.map((each) => each.slice()) } : outcome,
      ),
    late: (age) => {
      lateAges.push(age)
      return true
    },
    ...more,
  }
}

const tcpExchange = (question: Question): Exchange => exchange(question, { framing: tcp })

function wireOf(kind: 'rtu' | 'tcp', flightsMax = 1): Wire {
  return new Wire({
    framings: [kind === 'rtu' ? rtu : tcp],
    strangers,
    flightsMax,
    counts,
    write: (bytes) => sent.push(bytes),
    desynchronised: () => {
      desynchronised += 1
    },
    firstTransaction: 0xfffe,
    now: 0,
  })
}

const reply = (unit: number, ...values: number[]): Uint8Array =>
  rtuFrame(unit, Uint8Array.of(3, 2 * values.length, ...values.flatMap((value) => [value >> 8, value & 255])))
const body = (outcome: Outcome | undefined): number[] =>
  outcome?.kind === 'answer' ? outcome.bodies.flatMap((each) => [...each]) : []
const mbap = (transaction: number, unit: number, ...pdu: number[]): Uint8Array =>
  Uint8Array.of(transaction >> 8, transaction & 255, 0, 0, 0, pdu.length + 1, unit, ...pdu)
const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

describe('RTU', () => {
  test('byte by byte, and behind noise that looks like a head', () => {
    const wire = wireOf('rtu')
    wire.send(exchange(read(1, 0, 2)), 100)
    for (const byte of reply(1, 7, 8)) wire.receive(Uint8Array.of(byte), 130)
    expect(body(outcomes[0])).toEqual([3, 4, 0, 7, 0, 8])
    wire.send(exchange(read(1, 0, 2)), 200)
    wire.receive(join(Uint8Array.of(0, 1, 3, 0xfa), reply(1, 9, 10)), 230)
    expect(body(outcomes[1])).toEqual([3, 4, 0, 9, 0, 10])
    expect(counts.junkBytes).toBe(4)
  })

  test('another unit, another function, another length: counted, and waiting goes on', () => {
    const wire = wireOf('rtu')
    wire.send(exchange(read(1, 0, 1)), 0)
    wire.receive(join(reply(2, 5), rtuFrame(1, Uint8Array.of(4, 2, 0, 5)), reply(1, 5, 6)), 50)
    expect(outcomes).toEqual([])
    wire.receive(reply(1, 42), 60)
    expect(body(outcomes[0])).toEqual([3, 2, 0, 42])
    expect(counts.foreign).toBe(3)
  })

  test('no byte extends a deadline, and memory stays one frame', () => {
    const wire = wireOf('rtu')
    wire.send(exchange(read(1, 0, 100)), 0)
    const deadline = wire.wakeAt()
    // 200 ms timeout, and the time that 8 + 205 characters take at 9600 baud.
    expect(deadline).toBeCloseTo(200 + (8 + 205) * (11_000 / 9600), 0)
    // An honest head, then one byte a moment for ever.
    wire.receive(Uint8Array.of(1, 3, 200), 50)
    for (let at = 51; at < deadline; at++) wire.receive(Uint8Array.of(0), at)
    wire.step(deadline)
    expect(outcomes[0]).toMatchObject({ kind: 'fault', fault: { kind: 'crc' } })
    for (let round = 0; round < 200; round++) wire.receive(new Uint8Array(4096).fill(round), 1000 + round)
    expect(outcomes).toHaveLength(1)
  })

  test('a garbled answer is known before the timeout', () => {
    const wire = wireOf('rtu')
    wire.send(exchange(read(1, 0, 2)), 0)
    const spoilt = reply(1, 7, 8)
    spoilt[4] = 99
    wire.receive(spoilt, 30)
    expect(wire.wakeAt()).toBeLessThan(100)
    wire.step(wire.wakeAt())
    expect(outcomes[0]).toMatchObject({ fault: { kind: 'crc' }, spoilt: true })
  })

  test('stray bytes on a silent line are a timeout, not a checksum', () => {
    const wire = wireOf('rtu')
    wire.send(exchange(read(1, 0, 2)), 0)
    wire.receive(Uint8Array.of(0, 0), 30)
    wire.step(1000)
    expect(outcomes[0]).toMatchObject({ fault: { kind: 'timeout' }, spoilt: false })
  })

  test('silence: guard or 3.5 characters before each request; after a timeout the timeout or twice the slowest answer', () => {
    const wire = wireOf('rtu')
    const calm = exchange(read(1, 0, 1))
    expect(wire.readyAt(calm, 0)).toBe(5)
    wire.send(calm, 100)
    wire.receive(reply(1, 1), 130)
    expect(wire.readyAt(calm, 131)).toBe(135)
    const slow = { ...calm, line: { ...LINE, baud: 1200 } }
    expect(wire.readyAt(slow, 131)).toBeCloseTo(130 + (3.5 * 11_000) / 1200, 5)
    wire.send(calm, 200)
    wire.step(600)
    expect(wire.readyAt(calm, 600)).toBe(800)
    const sluggish = exchange(read(1, 0, 1), { slowestMs: () => 450 })
    wire.send(sluggish, 800)
    wire.step(1200)
    expect(wire.readyAt(sluggish, 1200)).toBe(2100)
  })

  test('a late reply in the silence is counted, never an answer, and ends the silence when none is owed', () => {
    const wire = wireOf('rtu')
    const asked = exchange(read(1, 0, 1))
    wire.send(asked, 0)
    wire.step(300)
    wire.receive(reply(1, 1), 350)
    expect(counts.late).toBe(1)
    expect(lateAges).toEqual([350])
    expect(outcomes).toHaveLength(1)
    expect(wire.readyAt(asked, 351)).toBe(355)
  })

  test("another device's late reply does not end the silence", () => {
    const wire = wireOf('rtu')
    const [first, second] = [exchange(read(1, 0, 1)), exchange(read(2, 0, 1))]
    wire.send(first, 0)
    wire.step(300)
    wire.send(second, 505)
    wire.step(805)
    wire.receive(reply(1, 1), 810)
    expect(counts.late).toBe(1)
    expect(wire.readyAt(second, 811)).toBe(1005)
  })

  test('a second answer to the same request is late, not foreign', () => {
    const wire = wireOf('rtu')
    wire.send(exchange(read(1, 0, 1)), 0)
    wire.receive(join(reply(1, 1), reply(1, 1)), 30)
    expect(outcomes).toHaveLength(1)
    expect(counts).toMatchObject({ late: 1, foreign: 0 })
  })

  test('a line that never falls silent is asked nevertheless', () => {
    const wire = wireOf('rtu')
    const asked = exchange(read(1, 0, 1))
    let now = 0
    for (; now < 5000; now += 2) {
      wire.receive(Uint8Array.of(0x55), now)
      if (wire.readyAt(asked, now) <= now) break
    }
    expect(now).toBeGreaterThan(1900)
    expect(now).toBeLessThan(2100)
  })

  test('an adapter that echoes: the copy is skipped, for writes exactly one', () => {
    const wire = wireOf('rtu')
    wire.send(exchange(read(1, 0, 1), { echo: true }), 0)
    wire.receive(join(sent[0]!, reply(1, 3)), 20)
    expect(body(outcomes[0])).toEqual([3, 2, 0, 3])
    wire.send(exchange(coilOn, { echo: true }), 100)
    wire.receive(sent[1]!.subarray(0, 3), 110)
    wire.receive(sent[1]!.subarray(3), 112)
    expect(outcomes).toHaveLength(1)
    wire.receive(sent[1]!, 120)
    expect(body(outcomes[1])).toEqual([5, 0, 0, 0xff, 0])
    wire.send(exchange(coilOn, { echo: true }), 200)
    wire.receive(sent[2]!, 220)
    wire.step(1000)
    expect(outcomes[2]).toMatchObject({ fault: { kind: 'timeout' } })
  })

  test('the end of the pipe ends what is in flight', () => {
    const wire = wireOf('rtu')
    wire.send(exchange(read(1, 0, 1)), 0)
    wire.end({ kind: 'closed' }, 20)
    expect(outcomes).toMatchObject([{ fault: { kind: 'closed' }, ms: 20 }])
    expect(wire.hasRoom()).toBe(true)
  })
})

describe('TCP', () => {
  test('several in flight, answered in any order, glued and split', () => {
    const wire = wireOf('tcp', 2)
    wire.send(tcpExchange(read(1, 0, 1)), 0)
    wire.send(tcpExchange(read(1, 1, 1)), 0)
    expect(wire.hasRoom()).toBe(false)
    // The transaction id passes 65535.
    const both = join(mbap(0, 1, 3, 2, 0, 22), mbap(0xffff, 1, 3, 2, 0, 11))
    wire.receive(both.subarray(0, 14), 10)
    wire.receive(both.subarray(14), 11)
    expect(outcomes.map(body)).toEqual([
      [3, 2, 0, 22],
      [3, 2, 0, 11],
    ])
  })

  test('an old transaction id is dropped and counted; the true answer still counts', () => {
    const wire = wireOf('tcp')
    wire.send(tcpExchange(read(1, 0, 1)), 0)
    wire.receive(join(mbap(0xfffd, 1, 3, 2, 0, 66), mbap(0xffff, 1, 3, 2, 0, 7)), 10)
    expect(outcomes.map(body)).toEqual([[3, 2, 0, 7]])
    expect(counts.late).toBe(1)
    expect(wire.readyAt(tcpExchange(read(1, 0, 1)), 10)).toBe(10)
  })

  test('a byte out of place: the connection is given up, 64 kB of it cost one step', () => {
    const wire = wireOf('tcp')
    wire.send(tcpExchange(read(1, 0, 1)), 0)
    wire.receive(new Uint8Array(65_536).fill(0xff), 10)
    wire.receive(mbap(0xffff, 1, 3, 2, 0, 7), 11)
    expect(desynchronised).toBe(1)
    expect(outcomes).toEqual([])
    expect(counts.junkBytes).toBe(1)
  })
})
