import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ClockReading } from '../../src/model/journal.ts'
import { EXCEPTION, FALSE, GOOD, NONE, NUMBER, SamplePacker, TEXT, TRUE } from '../../src/store/packed.ts'
import { Segment } from '../../src/store/segment.ts'
import { splitRun } from '../../src/store/split.ts'
import { makePoints, SETTINGS } from './settings.ts'

const TIME: ClockReading = { mono: 5000, offsetMs: 1_800_000_000_000.25, quality: 1, errorMs: null }
const POINTS = makePoints(4, 5)
const DEVICES = ['meter_12', 'pump_1', 'lift_1', 'door_9']

type Given = { point: number; mono: number; kind: number; cause: number; value: number; text: string }

const given: fc.Arbitrary<Given> = fc.record({
  point: fc.nat(POINTS.length - 1),
  // Fractions of a ms, and often the same moment.
  mono: fc.oneof(fc.nat(5), fc.double({ min: 0, max: 20, noNaN: true })),
  kind: fc.constantFrom(NUMBER, NUMBER, NUMBER, NONE, TRUE, FALSE, TEXT),
  cause: fc.constantFrom(GOOD, GOOD, 1, EXCEPTION, 11),
  value: fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(-0, 0.1, 230.2, 2 ** 53),
  ),
  text: fc.string({ unit: 'binary', maxLength: 5 }),
})

const ZERO: Given = { point: 0, mono: 0, kind: NUMBER, cause: GOOD, value: 0, text: '' }

function packed(samples: readonly Given[]) {
  const packer = new SamplePacker()
  for (const { point, mono, kind, cause, value, text } of samples) {
    if (kind === TEXT) packer.putText(point, mono, cause, text)
    else if (kind === NONE) packer.put(point, mono, NONE, cause === GOOD ? 1 : cause, cause === EXCEPTION ? 2 : 0)
    else packer.put(point, mono, kind, cause, kind === NUMBER ? value : 0)
  }
  return packer.take()
}

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gatehouse-split-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test('what a batch says when it is cut from memory is what its chunks say for ever', () => {
  let run = 0
  fc.assert(
    fc.property(fc.array(given, { minLength: 1, maxLength: 80 }), fc.integer({ min: 1, max: 40 }), (samples, most) => {
      const segment = new Segment(join(dir, `t-${run++}.db`), 'write')
      try {
        const numbers = segment.dictionary.numbersFor(POINTS, DEVICES, 1)
        const cut = { ...SETTINGS.cut, samples: most }
        const parts = splitRun({ time: TIME, samples: packed(samples) }, numbers, segment.dictionary, cut)
        const heads = parts.map((part, at) => ({ ...part.head, n: at + 1, boot: 1, cv: 1 }))
        const said: string[] = []
        segment.commit(() => {
          parts.forEach((part, at) => {
            const head = heads[at]
            if (head !== undefined) segment.putChunk(head, part.samples, part.from, part.to)
          })
          heads.forEach((head, at) => {
            said.push(segment.putBatch(at + 1, { chunks: [head], quality: 1, rebaseMs: null }, 0).content)
          })
        })
        // Read from the disk; throws where it is not what was cut.
        const read = said.map((_, at) => {
          const batch = segment.batchAfter(at)
          return batch === null ? null : segment.contentOf(batch)
        })
        expect(read).toEqual(said)
        // Nothing is lost or doubled by sorting, and no chunk is larger than allowed.
        expect(heads.reduce((sum, head) => sum + head.count, 0)).toBe(samples.length)
        for (const head of heads) expect(head.count).toBeLessThanOrEqual(most)
      } finally {
        segment.close()
      }
    }),
    {
      numRuns: 60,
      // A point twice in one ms, then another of its device: the chunk keeps their scans, not their order.
      examples: [[[19, 19, 15, 0].map((point, at) => ({ ...ZERO, point, value: at === 1 ? -0 : 0 })), 4]],
    },
  )
})

test('more than one batch goes device by device, each in its order', () => {
  const samples = Array.from({ length: 60 }, (_, at) => ({ point: (at * 7) % POINTS.length, mono: at }))
  const packer = new SamplePacker()
  for (const { point, mono } of samples) packer.put(point, mono, NUMBER, GOOD, mono)
  const segment = new Segment(join(dir, 't-order.db'), 'write')
  const numbers = segment.dictionary.numbersFor(POINTS, DEVICES, 1)
  const parts = splitRun({ time: TIME, samples: packer.take() }, numbers, segment.dictionary, {
    ...SETTINGS.cut,
    samples: 20,
  })
  const order = parts.flatMap(({ samples: { point, mono }, from, to }) =>
    Array.from({ length: to - from }, (_, at) => [
      segment.dictionary.device[point[from + at] ?? 0] ?? -1,
      mono[from + at] ?? -1,
    ]),
  )
  expect(order).toEqual(order.toSorted(([a = 0, s = 0], [b = 0, t = 0]) => a - b || s - t))
  expect(order).toHaveLength(60)
  segment.close()
})
