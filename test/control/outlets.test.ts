import { describe, expect, test } from 'vitest'
import { createOutlets } from '../../src/control/outlets.ts'
import type { WriteOutcome, WriteRequest } from '../../src/model/command.ts'
import type { Point, PointSource, Value, WriteRule } from '../../src/model/point.ts'
import type { Site } from '../../src/model/site.ts'
import { modbusPoint } from '../protocols/make.ts'

const RULE: WriteRule = {
  role: 'operator',
  min: null,
  max: null,
  step: null,
  readBack: true,
  minOnMs: 0,
  minOffMs: 0,
  rateMs: 0,
}

const follower = (index: number, of: number, invert: boolean, write: WriteRule | null): Point => {
  const source: PointSource = { from: 'point', point: of, invert }
  return { ...modbusPoint(index, {}), type: 'bool', source, write }
}

function outlets(answer: WriteOutcome = { outcome: 'done', readBack: true }) {
  const points = [
    { ...modbusPoint(0, { table: 'coil', as: 'bit' }), write: RULE },
    follower(1, 0, false, { ...RULE, minOnMs: 10_000 }),
    follower(2, 1, true, RULE),
    follower(3, 0, false, null),
  ]
  const written: { point: number; value: Value }[] = []
  let mono = 0
  const write = createOutlets({
    site: { points } as unknown as Site,
    mono: () => mono,
    async write({ point, value }) {
      written.push({ point, value })
      return answer
    },
  })
  const order = (point: number, value: Value, role: WriteRequest['role'] = 'operator') =>
    write({ id: 'a', point, value, by: 'cli:test', role }, new AbortController().signal)
  return { written, order, wait: (ms: number) => (mono += ms) }
}

describe('an output of a composed device', () => {
  test('is written at the point behind it', async () => {
    const { written, order } = outlets()
    expect(await order(1, true)).toEqual({ outcome: 'done', readBack: true })
    expect(await order(0, false)).toEqual({ outcome: 'done', readBack: true })
    expect(written).toEqual([
      { point: 0, value: true },
      { point: 0, value: false },
    ])
  })

  test('turned round where the composition turns it round, through several', async () => {
    const { written, order } = outlets()
    expect(await order(2, false)).toEqual({ outcome: 'done', readBack: false })
    expect(written).toEqual([{ point: 0, value: true }])
  })

  test('has its own rule besides', async () => {
    const { written, order, wait } = outlets()
    await order(1, true)
    expect(await order(1, false)).toMatchObject({ outcome: 'refused', cause: expect.stringMatching(/^min_on/) })
    wait(10_000)
    expect(await order(1, false)).toMatchObject({ outcome: 'done' })
    expect(await order(1, true, 'viewer')).toMatchObject({ outcome: 'refused', cause: expect.stringMatching(/^role/) })
    expect(written).toHaveLength(2)
  })

  test('does not count what was refused behind it', async () => {
    const { order } = outlets({ outcome: 'refused', cause: 'exception:4' })
    await order(1, true)
    expect(await order(1, false)).toEqual({ outcome: 'refused', cause: 'exception:4' })
  })

  test('where it is none, it cannot be written', async () => {
    const { written, order } = outlets()
    expect(await order(3, true)).toMatchObject({ outcome: 'refused', cause: expect.stringMatching(/^not_writable/) })
    expect(written).toEqual([])
  })
})
