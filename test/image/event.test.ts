import { describe, expect, test } from 'vitest'
import { Image } from '../../src/image/image.ts'
import { Intake, type Pseudonym } from '../../src/image/intake.ts'
import type { Point } from '../../src/model/point.ts'
import { makePoint } from './points.ts'

function open(points: readonly Point[], pseudonym?: Pseudonym) {
  const image = new Image(points, 0)
  return { image, intake: new Intake(points, image, pseudonym === undefined ? {} : { pseudonym }) }
}

const BUTTON = makePoint(0, { kind: 'event', type: 'str' })
const FOLLOWER = makePoint(1, { kind: 'text', type: 'str', source: { from: 'point', point: 0, invert: false } })

describe('an event', () => {
  test('has not happened at first, which is known', () => {
    const { image, intake } = open([BUTTON])
    const end = { point: 0, mono: 0, quality: 'good', value: '' }
    expect(intake.begin()).toEqual({ samples: [], changed: [0], ends: [end] })
    expect(image.get(0)).toEqual({ point: 0, mono: 0, quality: 'good', value: '' })
  })

  test('stands in the image until the next turn, and what follows it goes with it', () => {
    const { image, intake } = open([BUTTON, FOLLOWER])
    intake.begin()
    const fresh = intake.read([{ point: 0, value: 'emergency' }], 10)
    expect(fresh.samples.map(({ point }) => point)).toEqual([0, 1])
    expect(image.get(1)).toMatchObject({ value: 'emergency' })
    expect(intake.hasEvents).toBe(true)
    const rested = intake.rest()
    expect(rested.ends).toEqual([{ point: 0, mono: 10, quality: 'good', value: '' }])
    expect(rested.changed).toEqual([0, 1])
    // The end is no report of the event itself; the point composed of it is an ordinary one.
    expect(rested.samples.map(({ point }) => point)).toEqual([1])
    expect(image.get(1)).toMatchObject({ value: '' })
    expect(intake.hasEvents).toBe(false)
    expect(intake.rest()).toEqual({ samples: [], changed: [], ends: [] })
  })

  test('makes a second one wait: each is looked at by itself', () => {
    const { intake } = open([BUTTON, FOLLOWER])
    const press = [{ point: 0, value: 'single' }]
    expect(intake.mustWait(press)).toBe(false)
    intake.read(press, 1)
    expect(intake.mustWait(press)).toBe(true)
    expect(intake.mustWait([{ point: 1, value: 'x' }])).toBe(false)
    intake.rest()
    expect(intake.mustWait(press)).toBe(false)
  })

  test('that the device calls over is none', () => {
    const { intake } = open([BUTTON])
    intake.begin()
    intake.read([{ point: 0, value: '' }], 5)
    intake.read([{ point: 0, fault: { kind: 'crc' } }], 6)
    expect(intake.hasEvents).toBe(false)
  })
})

describe('personal data', () => {
  const CARD = makePoint(0, { kind: 'event', type: 'str', personal: true })
  const same: Pseudonym = (text) => `p-${text.split('').toReversed().join('')}`

  test('become pseudonyms before anything sees them, numbers too', () => {
    const { image, intake } = open([CARD], same)
    const { samples } = intake.read([{ point: 0, value: 'w26:90:324' }], 1)
    expect(JSON.stringify([samples, image.get(0)])).not.toContain('w26')
    expect(image.get(0)).toMatchObject({ quality: 'good', value: 'p-423:09:62w' })
    intake.rest()
    intake.read([{ point: 0, value: 8165538 }], 2)
    expect(image.get(0)).toMatchObject({ value: 'p-8355618' })
  })

  test('do not come in where there is no key; a fault stays what it is', () => {
    const { image, intake } = open([CARD])
    intake.read([{ point: 0, value: 'w26:90:324' }], 1)
    expect(image.get(0)).toMatchObject({ quality: 'bad', cause: { kind: 'not_configured' } })
    intake.read([{ point: 0, fault: { kind: 'crc' } }], 2)
    expect(image.get(0)).toMatchObject({ quality: 'bad', cause: { kind: 'crc' } })
  })
})
