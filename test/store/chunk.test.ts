import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packChunk, unpackChunk } from '../../src/store/chunk.ts'
import { Dictionary } from '../../src/store/dictionary.ts'
import {
  CAUSES,
  EXCEPTION,
  FALSE,
  GOOD,
  NONE,
  NUMBER,
  type PackedSamples,
  SamplePacker,
  TEXT,
  TRUE,
} from '../../src/store/packed.ts'
import { makePoints } from './settings.ts'

const POINTS = makePoints(5, 20)
const layout = new Dictionary([])
layout.numbersFor(POINTS, ['d0', 'd1', 'd2', 'd3', 'd4'], 1)

type Plain = { point: number; mono: number; kind: number; cause: number; value: number | string }

function packed(samples: readonly Plain[]): PackedSamples {
  const packer = new SamplePacker()
  for (const { point, mono, kind, cause, value } of samples) {
    if (typeof value === 'string') packer.putText(point, mono, cause, value)
    else packer.put(point, mono, kind, cause, value)
  }
  return packer.take()
}

function plain(samples: PackedSamples): Plain[] {
  return Array.from({ length: samples.count }, (_, index) => {
    const value = samples.value[index] ?? 0
    const kind = samples.kind[index] ?? 0
    return {
      point: samples.point[index] ?? 0,
      mono: samples.mono[index] ?? 0,
      kind,
      cause: samples.cause[index] ?? 0,
      value: kind === TEXT ? (samples.texts[value] ?? '') : value,
    }
  })
}

function through(samples: readonly Plain[], base: number): Plain[] {
  const source = packed(samples)
  const bytes = packChunk({ samples: source, from: 0, to: source.count }, layout, base)
  const into = new SamplePacker()
  unpackChunk(bytes, layout, base, into)
  return plain(into.take())
}

/** Within one scan the order is that of the points; between scans it is kept. */
function inOrder(samples: readonly Plain[]): string[] {
  return samples.map(({ point, mono, kind, cause, value }) => JSON.stringify([point, mono, kind, cause, value])).sort()
}

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -70_000, max: 70_000 }).map((scaled) => scaled / 10),
  fc.maxSafeInteger(),
  fc.constantFrom(0, 0.1, 0.3, 1e21, 5e-324, 1.7976931348623157e308, 2 ** 53, -(2 ** 51), 4503599627370495.5),
)

const sample: fc.Arbitrary<Plain> = fc
  .record({
    point: fc.nat(99),
    mono: fc.integer({ min: 0, max: 5000 }),
    cause: fc.oneof(fc.constant(GOOD), fc.integer({ min: 11, max: CAUSES.length - 1 })),
    what: fc.oneof(
      // -0 becomes 0: JSON knows no other.
      number.map((value) => ({ kind: NUMBER, value: value === 0 ? 0 : value })),
      fc.constantFrom({ kind: TRUE, value: 0 }, { kind: FALSE, value: 0 }),
      fc.string({ unit: 'grapheme', maxLength: 12 }).map((value) => ({ kind: TEXT, value })),
      fc.nat(255).map((value) => ({ kind: NONE, value })),
    ),
    bad: fc.integer({ min: 1, max: 10 }),
  })
  .map(({ point, mono, cause, what, bad }) => {
    if (what.kind !== NONE) return { point, mono, cause, ...what }
    return { point, mono, kind: NONE, cause: bad, value: bad === EXCEPTION ? what.value : 0 }
  })

test('whatever is packed comes out, exactly', () => {
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 120 }), fc.integer({ min: 0, max: 2 ** 40 }), (samples, base) => {
      const shifted = samples.map((each) => ({ ...each, mono: each.mono + base }))
      expect(inOrder(through(shifted, base))).toEqual(inOrder(shifted))
    }),
    { numRuns: 300 },
  )
})

test('scans keep their order, and a point reported twice in one ms keeps both, the later one later', () => {
  const scans = [7, 3, 9].flatMap((mono) =>
    [0, 1, 2].map((point) => ({ point, mono, kind: NUMBER, cause: 0, value: mono })),
  )
  const twice = [...scans, { point: 2, mono: 9, kind: NUMBER, cause: 0, value: 10 }]
  expect(through(twice, 3)).toEqual(twice)
})

test('noisy signals take less than 3 bytes a sample, also in a chunk of 200', () => {
  let seed = 1
  const noise = (): number => {
    seed = (seed * 48_271) % 2_147_483_647
    return seed / 2_147_483_647
  }
  const samples = packed(
    Array.from({ length: 100 }, (_, point) => ({
      point,
      mono: 1000 + Math.floor(point / 20) * 37,
      kind: NUMBER,
      cause: GOOD,
      value: Math.round((200 + 40 * noise()) * 10) / 10,
    })),
  )
  const { length } = packChunk({ samples, from: 0, to: 100 }, layout, 1000)
  expect(length / 100).toBeLessThanOrEqual(3)
})

test('bytes that are no chunk throw, and no bytes do worse', () => {
  const samples = packed([{ point: 0, mono: 5, kind: NUMBER, cause: 0, value: 1.5 }])
  const bytes = packChunk({ samples, from: 0, to: 1 }, layout, 5)
  for (let length = 0; length < bytes.length; length++) {
    expect(() => unpackChunk(bytes.subarray(0, length), layout, 5, new SamplePacker())).toThrow(RangeError)
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
      try {
        unpackChunk(noise, layout, 0, new SamplePacker())
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }),
  )
})
