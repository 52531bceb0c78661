/** Drivers of water, heat and gas meters: every question of the planner is proven by bytes, and every point by a value. */
import { describe, expect, test } from 'vitest'
import { PROTOCOLS } from '../../src/protocols/all.ts'
import { fieldPoints, modelOf, NAMES } from './library.ts'

const METERS = NAMES.filter((name) => /^meter\/(cjt188|mbus)_/.test(name))

test('water, heat and gas are there, by both protocols', () => {
  for (const protocol of ['cjt188', 'mbus']) {
    for (const kind of ['water', 'heat', 'gas']) expect(METERS).toContain(`meter/${protocol}_${kind}`)
  }
})

describe.each(METERS)('%s', (name) => {
  const model = modelOf(name)
  const points = fieldPoints(model)
  const proofs = model.data.proof ?? []

  test('every question is proven, every point has a value in some proof', () => {
    const protocol = model.data.protocol === 'mbus' ? PROTOCOLS.mbus : PROTOCOLS.cjt188
    const blocks = protocol?.plan(points, model.limits, new Set()) ?? []
    expect(blocks.length).toBeGreaterThan(0)
    expect(proofs.filter(({ plan }) => plan === true)).toHaveLength(blocks.length)
    const seen = new Set(
      proofs.flatMap(({ samples }) =>
        Object.entries(samples ?? {}).flatMap(([key, value]) => (value === null ? [] : [key])),
      ),
    )
    for (const { key } of points) expect(seen, key).toContain(key)
  })

  test('battery meters are not asked more often than they bear, and nothing of a meter is written', () => {
    for (const { source, write } of points) {
      expect(source.from === 'field' && (source.everyMs ?? 0)).toBeGreaterThanOrEqual(300_000)
      expect(write).toBeNull()
    }
  })
})
