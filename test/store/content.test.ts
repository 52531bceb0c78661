import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from '../../src/bytes/json.ts'
import { buildContent, contentId } from '../../src/store/content.ts'
import { Dictionary } from '../../src/store/dictionary.ts'
import { NONE, NUMBER, SamplePacker } from '../../src/store/packed.ts'
import { makePoints } from './settings.ts'

const names = new Dictionary([])
names.numbersFor(makePoints(3, 4), ['meter_12', 'pump_1', 'lift_1'], 1)

type Entry = { i: string; t: number[]; p: Record<string, (number | null)[]>; q?: Record<string, (string | 0)[]> }

function build(
  samples: readonly (readonly [point: number, mono: number, value: number | null])[],
  offsetMs = 0,
  t0 = 0,
) {
  const packer = new SamplePacker()
  for (const [point, mono, value] of samples) {
    if (value === null) packer.put(point, mono, NONE, 1, 0)
    else packer.put(point, mono, NUMBER, 0, value)
  }
  return buildContent([{ samples: packer.take(), offsetMs }], names, t0)
}

test('canonical: what a consumer prints again is the same text, hence the same id', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(
          fc.nat(11),
          fc.nat(6),
          fc.option(
            fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value)),
            { freq: 8 },
          ),
        ),
        { maxLength: 60 },
      ),
      (samples) => {
        const { text, count } = build(samples)
        const entries: Entry[] = JSON.parse(text)
        expect(canonicalJson(entries)).toBe(text)
        expect(contentId(canonicalJson(entries))).toBe(contentId(text))
        // Every sample is there once, at its time, with its value or its cause.
        const said: unknown[] = []
        for (const { i, t, p, q } of entries) {
          for (const [key, values] of Object.entries(p)) {
            expect(values).toHaveLength(t.length)
            values.forEach((value, at) => {
              const cause = q?.[key]?.[at] ?? 0
              if (value !== null || cause !== 0) said.push([i, key, t[at], value, cause])
            })
          }
        }
        const meant = samples.map(([point, mono, value]) => [
          names.rows[point]?.device,
          names.rows[point]?.key,
          mono,
          value,
          value === null ? 'timeout' : 0,
        ])
        expect(said.map(String).sort()).toEqual(meant.map(String).sort())
        expect(count).toBe(samples.filter(([, , value]) => value !== null).length)
      },
    ),
    { numRuns: 200 },
  )
})

test('points that were rarely reported stand in entries of their own rather than among nulls', () => {
  const { text } = build([
    [0, 0, 1],
    [1, 1000, 2],
    [2, 2000, 3],
    [2, 3000, 4],
  ])
  expect(text).toBe(
    '[{"i":"meter_12","p":{"p0":[1]},"t":[0]},{"i":"meter_12","p":{"p1":[2]},"t":[1000]},{"i":"meter_12","p":{"p2":[3,4]},"t":[2000,3000]}]',
  )
})

test('times are whole ms from t0, also before it', () => {
  expect(build([[4, 1000.4, 1]], 1_700_000_000_000.3, 1_700_000_002_000).text).toBe(
    '[{"i":"pump_1","p":{"p0":[1]},"t":[-999]}]',
  )
})
