/** What holds for every input: chunk boundaries never matter, parse(build(x)) = x, no bytes ever throw, plans are whole. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ModbusEncoding, ModbusOrder, ModbusTable, Point } from '../../src/model/point.ts'
import type { Limits } from '../../src/model/site.ts'
import { explain } from '../../src/protocols/explain.ts'
import { blockOf, modbus } from '../../src/protocols/modbus/index.ts'
import {
  buildReply,
  buildRequest,
  parseReply,
  parseRequest,
  type Reply,
  type Request,
} from '../../src/protocols/modbus/pdu.ts'
import { isBitTable, placeOf, stretchOf } from '../../src/protocols/modbus/place.ts'
import { ascii } from '../../src/protocols/modbus/ascii.ts'
import { rtu, tcp } from '../../src/protocols/modbus/framing.ts'
import type { Framing } from '../../src/protocols/protocol.ts'
import { LIMITS, modbusPoint } from './make.ts'

const framings = [rtu, tcp, ascii]

const address = fc.integer({ min: 0, max: 60_000 })
const u16 = fc.integer({ min: 0, max: 0xffff })
const registers = fc
  .array(fc.uint8Array({ minLength: 2, maxLength: 2 }), { minLength: 1, maxLength: 123 })
  .map((pairs) => Uint8Array.from(pairs.flatMap((pair) => [...pair])))

const requests: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ fc: fc.constantFrom(1 as const, 2 as const), start: address, count: fc.integer({ min: 1, max: 2000 }) }),
  fc.record({ fc: fc.constantFrom(3 as const, 4 as const), start: address, count: fc.integer({ min: 1, max: 125 }) }),
  fc.record({ fc: fc.constant(5 as const), start: address, on: fc.boolean() }),
  fc.record({ fc: fc.constant(6 as const), start: address, register: u16 }),
  fc.record({
    fc: fc.constant(15 as const),
    start: address,
    bits: fc.array(fc.boolean(), { minLength: 1, maxLength: 1968 }),
  }),
  fc.record({ fc: fc.constant(16 as const), start: address, registers }),
  fc.record({ fc: fc.constant(22 as const), start: address, and: u16, or: u16 }),
  fc.record({
    fc: fc.constant(23 as const),
    start: address,
    count: fc.integer({ min: 1, max: 125 }),
    writeStart: address,
    registers: registers.map((some) => some.slice(0, 242)),
  }),
  fc.record({ fc: fc.constant(43 as const), category: fc.integer({ min: 1, max: 4 }), object: fc.nat(255) }),
)
const identities: fc.Arbitrary<Reply> = fc.record({
  fc: fc.constant(43 as const),
  category: fc.integer({ min: 1, max: 4 }),
  conformity: fc.nat(255),
  more: fc.boolean(),
  next: fc.nat(255),
  objects: fc.array(fc.record({ id: fc.nat(255), content: fc.uint8Array({ maxLength: 60 }) }), { maxLength: 3 }),
})
const replies: fc.Arbitrary<Reply> = fc.oneof(
  fc.record({ fc: fc.constantFrom(1 as const, 2 as const), content: fc.uint8Array({ minLength: 1, maxLength: 250 }) }),
  fc.record({ fc: fc.constantFrom(3 as const, 4 as const, 23 as const), content: registers }),
  fc.record({ fc: fc.constant(22 as const), start: address, and: u16, or: u16 }),
  identities,
  fc.record({ fc: fc.constant(5 as const), start: address, on: fc.boolean() }),
  fc.record({ fc: fc.constant(6 as const), start: address, register: u16 }),
  fc.record({ fc: fc.constantFrom(15 as const, 16 as const), start: address, count: u16 }),
  fc.record({ fc: fc.constantFrom(1, 2, 3, 4, 5, 6, 15, 16, 22, 23, 43), exception: fc.integer({ min: 1, max: 255 }) }),
)

function drain(framing: Framing, chunks: readonly Uint8Array[]): string[] {
  const frames: string[] = []
  let buffer = new Uint8Array(0)
  for (const chunk of chunks) {
    buffer = Uint8Array.of(...buffer, ...chunk)
    for (;;) {
      const split = framing.split(buffer)
      if (split.kind === 'more') break
      if (split.kind === 'frame') frames.push(Buffer.from(split.frame).toString('hex'))
      buffer = buffer.slice(split.used)
    }
    expect(buffer.length).toBeLessThan(framing.frameMax)
  }
  return frames
}

function cutAt(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return edges.slice(1).map((edge, at) => bytes.subarray(edges[at], edge))
}

describe('frames', () => {
  test('a request parses as it was built', () => {
    fc.assert(
      fc.property(requests, (request) => {
        expect(parseRequest(buildRequest(request))).toEqual(request)
      }),
    )
  })
  test('a reply parses as it was built', () => {
    fc.assert(
      fc.property(replies, (reply) => {
        expect(parseReply(buildReply(reply))).toEqual(reply)
      }),
    )
  })
  test.each(framings)('$name: chunk boundaries never matter, junk between frames included', (framing) => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      replies.map((reply) =>
        framing.frame({ address: 7, body: buildReply(reply), writes: false, answerBytes: 0 }, 0x1234),
      ),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 4 }), fc.array(fc.nat(1000), { maxLength: 8 }), (pieces, cuts) => {
        const stream = Uint8Array.from(pieces.flatMap((bytes) => [...bytes]))
        const whole = drain(framing, [stream])
        expect(drain(framing, cutAt(stream, cuts))).toEqual(whole)
        expect(
          drain(
            framing,
            Array.from(stream, (byte) => Uint8Array.of(byte)),
          ),
        ).toEqual(whole)
      }),
    )
  })
  test('RTU: told the question, any noise in front is shed and the answer found at once', () => {
    const question = blockOf({ points: [], everyMs: 0, table: 'holding', start: 0, count: 4 }).ask(5)
    const body = buildReply({ fc: 3, content: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) })
    const answer = rtu.frame({ ...question, body }, 0)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (noise) => {
        let received = Uint8Array.of(...noise, ...answer)
        for (;;) {
          const split = rtu.split(received, question)
          if (split.kind === 'more') throw new Error(`stuck with ${received.length} bytes`)
          if (split.kind === 'frame' && rtu.judge(split.frame, question, 0).kind === 'answer') return
          received = received.slice(split.used)
        }
      }),
      { numRuns: 500 },
    )
  })
  test('no bytes ever throw', () => {
    const point = modbusPoint(0, { as: 'f32' })
    const [block] = modbus.plan([point], LIMITS, new Set())
    if (block === undefined) throw new Error('nothing planned')
    const question = block.ask(1)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        for (const framing of framings) {
          const split = framing.split(bytes, question)
          if (split.kind === 'frame') framing.judge(split.frame, question, 1)
          framing.judge(bytes, question, 1)
        }
        parseRequest(bytes)
        parseReply(bytes)
        block.read([point], [bytes])
        const hex = Buffer.from(bytes).toString('hex')
        explain('modbus', hex, hex)
      }),
      { numRuns: 1000 },
    )
  })
})

const table = fc.constantFrom<ModbusTable>('coil', 'discrete', 'input', 'holding')
const wide = fc.constantFrom<ModbusEncoding>('u16', 's16', 'u32', 'f32', 'u64', 'bits', 'bit', 'string')
const points = fc
  .array(fc.tuple(table, fc.nat(400), wide, fc.integer({ min: 1, max: 30 }), fc.constantFrom(1000, 60_000)), {
    maxLength: 60,
  })
  .map((list) =>
    list.map(([name, at, as, length, everyMs], index) =>
      modbusPoint(index, { table: name, address: at, as: isBitTable(name) ? 'bit' : as, bit: 3, length }, {}, everyMs),
    ),
  )
const limits: fc.Arbitrary<Limits> = fc
  .record({
    maxRegisters: fc.integer({ min: 16, max: 125 }),
    maxBits: fc.integer({ min: 8, max: 2000 }),
    maxGap: fc.nat(10),
  })
  .map((some) => ({ ...LIMITS, ...some }))

function spanOf(all: readonly Point[], index: number): { start: number; end: number; table: ModbusTable } {
  const place = placeOf(all[index] as Point)
  if (place === null) throw new Error('no place')
  return { ...stretchOf(place), table: place.table }
}

describe('plan', () => {
  test('covers every point once, whole, within limits and without holes wider than allowed', () => {
    fc.assert(
      fc.property(points, limits, (all, bounds) => {
        const blocks = modbus.plan(all, bounds, new Set())
        expect(blocks.flatMap((block) => block.points).sort((a, b) => a - b)).toEqual(all.map((_, index) => index))
        for (const block of blocks) {
          const bits = isBitTable(block.table)
          expect(block.count).toBeLessThanOrEqual(bits ? bounds.maxBits : bounds.maxRegisters)
          let end = block.start
          for (const index of block.points) {
            const span = spanOf(all, index)
            expect(span.table).toBe(block.table)
            expect(span.start).toBeGreaterThanOrEqual(block.start)
            expect(span.end).toBeLessThanOrEqual(block.start + block.count)
            expect(span.start - end).toBeLessThanOrEqual(bits ? 10 * bounds.maxGap : bounds.maxGap)
            const source = all[index]?.source
            expect(source?.from === 'field' && source.everyMs).toBe(block.everyMs)
            end = Math.max(end, span.end)
          }
        }
      }),
    )
  })

  test('refused blocks come apart until only overlapping values are together, and points are never lost', () => {
    fc.assert(
      fc.property(points, limits, (all, bounds) => {
        const refused = new Set<string>()
        for (let round = 0; round < 100; round++) {
          const blocks = modbus.plan(all, bounds, refused)
          expect(blocks.flatMap((block) => block.points).sort((a, b) => a - b)).toEqual(all.map((_, index) => index))
          const before = refused.size
          for (const block of blocks) refused.add(block.key)
          if (refused.size > before) continue
          for (const block of blocks) {
            let end = block.start
            for (const index of block.points) {
              const span = spanOf(all, index)
              expect(end === block.start || span.start < end).toBe(true)
              end = Math.max(end, span.end)
            }
          }
          return
        }
        throw new Error('never settles')
      }),
    )
  })
})

describe('values', () => {
  const orders = fc.constantFrom<ModbusOrder>('ABCD', 'CDAB', 'BADC', 'DCBA')
  const encodings = fc.constantFrom<ModbusEncoding>(
    ...(['u16', 's16', 'u32', 's32', 'u64', 's64', 'f32', 'f64', 'bits'] as const),
    ...(['bcd16', 'bcd32', 'sm16', 'sm32', 'mod10k32', 'mod10k64'] as const),
  )

  test('whatever a device says, writing it back is the same bytes', () => {
    fc.assert(
      fc.property(encodings, orders, fc.uint8Array({ minLength: 8, maxLength: 8 }), (as, order, random) => {
        const point = modbusPoint(0, { as, order })
        const [block] = modbus.plan([point], LIMITS, new Set())
        if (block === undefined) throw new Error('nothing planned')
        const content = random.subarray(0, 2 * block.count)
        const [reading] = block.read([point], [buildReply({ fc: 3, content })])
        if (reading === undefined || 'fault' in reading) return
        // Minus zero travels as zero.
        if (reading.value === 0) return
        const question = modbus.write(point, reading.value, 1)
        if (typeof question === 'string') throw new Error(question)
        expect(question.body.slice(-content.length)).toEqual(content)
      }),
      { numRuns: 1000 },
    )
  })
})
