/** CJ/T 188 and M-Bus: chunk boundaries never matter, noise is shed, no bytes ever throw, build and parse agree. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { meterUnit, normalise } from '../../src/protocols/meterunits.ts'
import { cjt188 } from '../../src/protocols/cjt188/index.ts'
import { buildFrame as buildCjt188, parseFrame as parseCjt188 } from '../../src/protocols/cjt188/frame.ts'
import { HABITS } from '../../src/protocols/cjt188/place.ts'
import { ask as askCjt188 } from '../../src/protocols/cjt188/read.ts'
import { explain } from '../../src/protocols/explain.ts'
import { buildFrame as buildMbus, parseFrame as parseMbus } from '../../src/protocols/mbus/frame.ts'
import { mbus } from '../../src/protocols/mbus/index.ts'
import { parseSelector } from '../../src/protocols/mbus/select.ts'
import type { Framing, Protocol, Question } from '../../src/protocols/protocol.ts'
import cjt188File from '../vectors/cjt188.json' with { type: 'json' }
import mbusFile from '../vectors/mbus.json' with { type: 'json' }
import { bytes } from './make.ts'
import { dice, mutate, planOne, pointsAt } from './meters.ts'

type Hexed = { request_hex?: string; response_hex?: string; stream_hex?: string }

const ADDRESS = '00112026000123'

/** `anyone`: the same question to whoever is there, so that the frames of many meters answer it. */
function setting(
  protocol: Protocol & Required<Pick<Protocol, 'place'>>,
  question: Question,
  anyone: Question,
  file: { vectors: unknown[] },
) {
  const framing = protocol.framing('serial')
  if (framing === null) throw new Error('no framing')
  const seeds = (file.vectors as Hexed[])
    .flatMap(({ request_hex, response_hex, stream_hex }) => [request_hex, response_hex, stream_hex])
    .filter((hex) => hex !== undefined)
    .map(bytes)
  return { name: protocol.name, protocol, framing, question, anyone, seeds }
}

function toMbus(address: number): Question {
  return { address, body: Uint8Array.of(0x7b, 0, 16), writes: false, answerBytes: 255 }
}

const CASES = [
  setting(
    cjt188,
    askCjt188({ item: '901F', habits: HABITS }, ADDRESS),
    askCjt188({ item: '901F', habits: { ...HABITS, type: 0xaa } }, 'AAAAAAAAAAAAAA'),
    cjt188File,
  ),
  setting(mbus, toMbus(1), toMbus(254), mbusFile),
]

/** As the exchange keeps its input: what is left of a frame, and one byte goes when it is longer than any frame. */
function drainChunks(framing: Framing, chunks: readonly Uint8Array[]): string[] {
  const frames: string[] = []
  let held = new Uint8Array(0)
  for (const chunk of chunks) {
    held = Uint8Array.of(...held, ...chunk)
    for (;;) {
      const split = framing.split(held)
      if (split.kind === 'more') break
      if (split.kind === 'frame') frames.push(Buffer.from(split.frame).toString('hex'))
      expect(split.used).toBeGreaterThan(0)
      held = held.slice(split.used)
    }
    expect(held.length).toBeLessThan(framing.frameMax)
  }
  return frames
}

function cutAt(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length])].sort((a, b) => a - b)
  return edges.slice(1).map((edge, at) => stream.subarray(edges[at], edge))
}

describe.each(CASES)('$name', ({ name, protocol, framing, question, anyone, seeds }) => {
  test('chunk boundaries never matter, junk between frames included', () => {
    const piece = fc.oneof(fc.uint8Array({ maxLength: 6 }), fc.constantFrom(...seeds))
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 4 }), fc.array(fc.nat(2000), { maxLength: 8 }), (pieces, cuts) => {
        const stream = Uint8Array.from(pieces.flatMap((part) => [...part]))
        const whole = drainChunks(framing, [stream])
        expect(drainChunks(framing, cutAt(stream, cuts))).toEqual(whole)
        expect(
          drainChunks(
            framing,
            Array.from(stream, (byte) => Uint8Array.of(byte)),
          ),
        ).toEqual(whole)
      }),
      { numRuns: 60 },
    )
  })

  test('told the question, any noise in front is shed and the answer found at once', () => {
    const answer =
      name === 'cjt188'
        ? buildCjt188({
            wakeUp: 2,
            type: 0x10,
            address: ADDRESS,
            control: 0x81,
            data: bytes('901F00563412002C000012002C003014080126200400'),
          })
        : bytes('68151568080172785634122D2C0107050000000413153100005216')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        let received = Uint8Array.of(...noise, ...answer)
        for (;;) {
          const split = framing.split(received, question)
          if (split.kind === 'more') throw new Error(`stuck with ${received.length} bytes`)
          if (split.kind === 'frame' && framing.judge(split.frame, question, 0).kind === 'answer') return
          received = received.slice(split.used)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('no bytes ever throw: 20,000 mutants of real frames, seed 188', () => {
    const roll = dice(188)
    const places =
      name === 'cjt188' ? ['total', 'heat', 'clock', 'valve'] : ['volume', 'energy storage 1', 'status bit 2']
    const points = pointsAt(
      places.map((word) => {
        const placed = protocol.place(name === 'cjt188' ? { at: '901F', field: word } : { at: word })
        if (typeof placed === 'string') throw new Error(placed)
        return [placed.place, placed.type] as const
      }),
    )
    const block = planOne(protocol, points)
    let answers = 0
    for (let n = 0; n < 20_000; n++) {
      const mutant = mutate(seeds[roll(seeds.length)] ?? new Uint8Array(0), roll)
      for (let at = 0; at < mutant.length; ) {
        const split = framing.split(mutant.subarray(at), anyone)
        if (split.kind === 'more') break
        if (split.kind === 'frame') {
          const verdict = framing.judge(split.frame, anyone, roll(2))
          if (verdict.kind === 'answer') answers += 1
          framing.describe?.(split.frame)
        }
        at += split.used
      }
      framing.judge(mutant, anyone, 0)
      // Also what no frame would let through.
      for (const reading of block.read(points, [mutant]))
        expect('fault' in reading || reading.value !== undefined).toBe(true)
      if (n % 10 === 0) explain(name, Buffer.from(mutant).toString('hex') || '00')
    }
    expect(answers).toBeGreaterThan(0)
  })

  test('whatever bytes come, the data of a sound frame never throws', () => {
    const point = protocol.place(name === 'cjt188' ? { at: '901F', field: 'total' } : { at: 'volume' })
    if (typeof point === 'string') throw new Error(point)
    const points = pointsAt([[point.place, point.type]])
    const block = planOne(protocol, points)
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 240 }),
        fc.constantFrom(0x72, 0x73, 0x78, 0x7a, 0x70, 0x76),
        (data, ci) => {
          const frame =
            name === 'cjt188'
              ? buildCjt188({ wakeUp: 0, type: 0x10, address: ADDRESS, control: 0x81, data })
              : buildMbus({ is: 'long', control: 0x08, address: 1, ci, data })
          expect(framing.split(frame)).toEqual({ kind: 'frame', frame, used: frame.length })
          const verdict = framing.judge(frame, question, 0)
          if (verdict.kind === 'answer') block.read(points, [verdict.body])
          const said = explain(name, Buffer.from(frame).toString('hex'))
          expect(typeof said === 'object' && said.frames.length).toBe(1)
        },
      ),
      { numRuns: 1500 },
    )
  })
})

test('a frame parses as it was built', () => {
  const address = fc.string({
    unit: fc.constantFrom(...[...Array(16).keys()].map((n) => n.toString(16).toUpperCase())),
    minLength: 14,
    maxLength: 14,
  })
  const byte = fc.integer({ min: 0, max: 255 })
  fc.assert(
    fc.property(
      fc.record({
        wakeUp: fc.nat(20),
        type: fc.integer({ min: 0x10, max: 0x4f }),
        address,
        control: byte,
        data: fc.uint8Array({ maxLength: 255 }),
      }),
      (frame) => {
        expect(parseCjt188(buildCjt188(frame))).toEqual(frame)
      },
    ),
  )
  fc.assert(
    fc.property(
      fc.record({
        is: fc.constant('long' as const),
        control: byte,
        address: byte,
        ci: byte,
        data: fc.uint8Array({ maxLength: 252 }),
      }),
      (frame) => {
        expect(parseMbus(buildMbus(frame))).toEqual(frame)
      },
    ),
  )
})

test('units: what is counted in steps of ten agrees with the plain unit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 9_999_999 }),
      fc.constantFrom(0x02, 0x05, 0x08, 0x29, 0x2c, 0x32, 0x35),
      (count, code) => {
        const [plain, ten, hundred] = [code, code + 1, code + 2].map(meterUnit)
        if (plain === undefined || ten === undefined || hundred === undefined) throw new Error('no unit')
        expect(normalise(count, 0, ten)).toBe(normalise(10 * count, 0, plain))
        expect(normalise(count, 0, hundred)).toBe(normalise(100 * count, 0, plain))
      },
    ),
  )
  const unit = (code: number) =>
    meterUnit(code) ?? { name: '', quantity: 'energy' as const, exponent: 0, joules: false }
  expect(normalise(100, 2, unit(0x11))).toBeCloseTo(277.7778, 4)
  expect(normalise(127, 2, unit(0x08))).toBe(1270)
  expect(normalise(19, 2, unit(0x29))).toBe(0.00019)
  expect(meterUnit(0x00)).toBeUndefined()
  expect(meterUnit(0x13)?.name).toBe('GJ*100')
  expect(meterUnit(0x0a)?.name).toBe('MWh*100')
})

test('words of a record: no text ever throws, and what is taken is whole', () => {
  const word = fc.constantFrom(
    'volume',
    'energy',
    'vif',
    '"HR"',
    'storage',
    'tariff',
    'number',
    '1',
    '0',
    'FD3A',
    'maximum',
    'x',
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 6 }), fc.string(), (words, tail) => {
      const selector = parseSelector([...words, tail].join(' '))
      if (typeof selector === 'string' || selector.from === 'status') return
      expect([selector.quantity, selector.vif, selector.text].filter((each) => each !== null)).toHaveLength(1)
      expect(selector.number).toBeGreaterThan(0)
    }),
  )
})
