import { describe, expect, it } from 'vitest'
import { Image } from '../../src/image/image.ts'
import { Intake } from '../../src/image/intake.ts'
import type { Point, Value } from '../../src/model/point.ts'
import { makePoint } from './points.ts'

function open(points: readonly Point[]) {
  const image = new Image(points, 0)
  const intake = new Intake(points, image)
  const read = (mono: number, value: Value, point = 0) => intake.read([{ point, value }], mono)
  const fail = (mono: number, point = 0) => intake.read([{ point, fault: { kind: 'timeout' } }], mono)
  return { image, intake, read, fail }
}

it('a point that was never read is bad, not zero', () => {
  const { image } = open([makePoint(0)])
  expect(image.get(0)).toEqual({ point: 0, mono: 0, quality: 'bad', cause: { kind: 'not_read' } })
  expect(() => image.get(1)).toThrow(RangeError)
})

describe('stale', () => {
  it('an old value keeps its time and loses its quality, once', () => {
    const { image, intake, read } = open([makePoint(0, { maxAgeMs: 10_000 })])
    read(1000, 42)
    expect(intake.tick(11_000)).toEqual({ samples: [], changed: [] })
    const stale = { point: 0, mono: 1000, quality: 'uncertain', value: 42, cause: 'stale' }
    expect(intake.tick(11_001)).toEqual({ samples: [stale], changed: [0] })
    expect(image.get(0)).toEqual(stale)
    expect(intake.tick(99_000).samples).toEqual([])
    expect(read(99_001, 42).changed).toEqual([0])
    expect(image.get(0)).toMatchObject({ quality: 'good', mono: 99_001 })
  })

  it('what has no maximum age stays, what is bad has nothing to age', () => {
    const { intake, read, fail } = open([makePoint(0), makePoint(1, { maxAgeMs: 10 })])
    read(0, 1)
    fail(0, 1)
    expect(intake.tick(1e9).samples).toEqual([])
  })
})

describe('debounce', () => {
  const contact = [makePoint(0, { type: 'bool', debounceMs: 200 })]

  it('a bounce never reaches the image', () => {
    const { image, intake, read } = open(contact)
    read(0, false)
    for (let mono = 100; mono < 900; mono += 100) read(mono, mono % 200 === 100)
    expect(image.get(0)).toMatchObject({ value: false })
    expect(intake.nextDue()).toBeNull()
  })

  it('a change that lasts comes through with the time at which it was read', () => {
    const { image, intake, read } = open(contact)
    read(0, false)
    expect(read(100, true).samples).toEqual([])
    expect(intake.nextDue()).toBe(300)
    expect(intake.tick(299).samples).toEqual([])
    expect(intake.tick(300)).toEqual({ samples: [{ point: 0, mono: 100, quality: 'good', value: true }], changed: [0] })
    expect(image.get(0)).toMatchObject({ value: true, mono: 100 })
    expect(intake.nextDue()).toBeNull()
  })

  it('polled, the reading that confirms it comes through', () => {
    const { image, read } = open(contact)
    read(0, false)
    read(1000, true)
    read(2000, true)
    expect(image.get(0)).toMatchObject({ value: true, mono: 2000 })
  })

  it('a fault passes at once and so does what follows it', () => {
    const { image, intake, read, fail } = open(contact)
    read(0, false)
    read(50, true)
    fail(100)
    expect(image.get(0).quality).toBe('bad')
    expect(intake.nextDue()).toBeNull()
    read(150, true)
    expect(image.get(0)).toMatchObject({ value: true })
  })
})

describe('composed points', () => {
  const points = [
    makePoint(0, { type: 'bool', maxAgeMs: 5000 }),
    makePoint(1, { type: 'bool', source: { from: 'point', point: 0, invert: true }, maxAgeMs: 5000 }),
    makePoint(2, { type: 'bool', source: { from: 'point', point: 1, invert: false }, debounceMs: 200 }),
  ]

  it('follow with value, time and quality', () => {
    const { image, intake, read, fail } = open(points)
    expect(read(10, true).changed).toEqual([0, 1, 2])
    expect(image.get(1)).toEqual({ point: 1, mono: 10, quality: 'good', value: false })
    fail(20)
    expect(image.get(2)).toEqual({ point: 2, mono: 20, quality: 'bad', cause: { kind: 'timeout' } })
    read(30, true)
    expect(intake.tick(6000).samples.map((sample) => sample.point)).toEqual([0, 1, 2])
    expect(image.get(2)).toEqual({ point: 2, mono: 30, quality: 'uncertain', value: false, cause: 'stale' })
  })

  it('are debounced by themselves', () => {
    const { image, intake, read } = open(points)
    read(0, true)
    read(100, false)
    expect(image.get(1)).toMatchObject({ value: true })
    expect(image.get(2)).toMatchObject({ value: false })
    intake.tick(300)
    expect(image.get(2)).toMatchObject({ value: true, mono: 100 })
  })

  it('a loop is a bug that is named', () => {
    const loop = open([
      makePoint(0, { type: 'bool', source: { from: 'point', point: 1, invert: true } }),
      makePoint(1, { type: 'bool', source: { from: 'point', point: 0, invert: false } }),
    ])
    expect(() => loop.read(0, true)).toThrow('loop')
  })
})

it('an input that is not connected says so once, with all that follows it', () => {
  const { image, intake } = open([
    makePoint(0, { type: 'bool', source: { from: 'none' } }),
    makePoint(1, { type: 'bool', source: { from: 'point', point: 0, invert: true } }),
  ])
  expect(intake.begin().samples.map((sample) => sample.point)).toEqual([0, 1])
  expect(image.get(1)).toMatchObject({ quality: 'bad', cause: { kind: 'not_configured' } })
  expect(intake.tick(1e6).samples).toEqual([])
})
