import { describe, expect, it } from 'vitest'
import { Derivations, findDerivedLoop, stateKey } from '../../src/derive/evaluate.ts'
import { Image } from '../../src/image/image.ts'
import { Intake } from '../../src/image/intake.ts'
import { type Formula, type Point, pointId, type Value } from '../../src/model/point.ts'
import type { Device } from '../../src/model/site.ts'
import { makePoint } from '../image/points.ts'

const DAY = 86_400_000
/** Shanghai has no summer time: days begin at 16:00 UTC. */
const periodStart = (utc: number): number => Math.floor((utc + DAY / 3) / DAY) * DAY - DAY / 3
const NOON = Date.UTC(2026, 3, 1, 4)

function derive(index: number, key: string, formula: Formula): Point {
  return makePoint(index, { key, source: { from: 'derive', formula } })
}

const ENERGY = makePoint(0, { key: 'energy', kind: 'counter' })
const RUNNING = makePoint(1, { key: 'running', type: 'bool' })
const FLOW = makePoint(2, { key: 'flow' })

function device(points: readonly Point[], params: Device['params'] = {}): Device {
  const text = { en: '', zh: '' }
  return {
    index: 0,
    id: 'device',
    driver: 'pump/x',
    driverSha: '',
    category: 'pump',
    brick: null,
    model: text,
    name: text,
    place: {},
    tags: {},
    family: null,
    link: { kind: 'composed' },
    params,
    points: points.map((point) => point.index),
  }
}

/** A little site that runs: `at` sets the time (seconds), `read` and `fail` step it. */
function open(points: readonly Point[], states = new Map<string, string>(), params: Device['params'] = {}) {
  const site = { devices: [device(points, params)], points }
  const image = new Image(points, 0)
  const intake = new Intake(points, image)
  const derivations = new Derivations(site, { states, periodStart })
  let utc: number | null = NOON
  const saved = new Map(states)
  const notices: string[] = []
  const take = (samples: readonly import('../../src/model/sample.ts').Sample[], mono: number): void => {
    const derived = derivations.step(samples, image, { mono, utc: utc === null ? null : utc + mono })
    for (const [key, value] of derived.states) if (value !== null) saved.set(key, value)
    notices.push(...derived.notices.map((notice) => notice.what))
    intake.adopt(derived.samples)
  }
  return {
    image,
    derivations,
    saved,
    notices,
    clock: (start: number | null) => {
      utc = start
    },
    read: (second: number, point: number, value: Value) =>
      take(intake.read([{ point, value }], second * 1000).samples, second * 1000),
    fail: (second: number, point: number) =>
      take(intake.read([{ point, fault: { kind: 'timeout' } }], second * 1000).samples, second * 1000),
    value: (point: number) => {
      const sample = image.get(point)
      return sample.quality === 'bad' ? sample.cause.kind : sample.value
    },
    flush: () => new Map([...saved, ...derivations.flush().map(([key, value]) => [key, value ?? ''] as const)]),
  }
}

describe('increase', () => {
  const points = [ENERGY, RUNNING, FLOW, derive(3, 'energy_today', { kind: 'increase', of: 0, over: 'day' })]

  it('starts anew with the day of the site', () => {
    const site = open(points)
    site.read(0, 0, 1000)
    site.read(60, 0, 1001.1)
    expect(site.value(3)).toBe(1.1)
    const midnight = 12 * 3600
    site.read(midnight - 10, 0, 1010)
    expect(site.value(3)).toBe(10)
    site.read(midnight + 10, 0, 1010.2)
    expect(site.value(3)).toBe(0.2)
    expect(site.image.get(3).quality).toBe('good')
  })

  it('says so when part of the gain belongs to the day before', () => {
    const site = open(points)
    site.read(0, 0, 1000)
    site.read(13 * 3600, 0, 1008)
    expect(site.image.get(3)).toMatchObject({ quality: 'uncertain', cause: 'substituted', value: 8 })
  })

  it('goes on after a restart', () => {
    const before = open(points)
    before.read(0, 0, 1000)
    before.read(60, 0, 1005)
    const after = open(points, before.flush())
    after.clock(NOON + 600_000)
    after.read(1, 0, 1007)
    expect(after.value(3)).toBe(7)
  })

  it('survives a state that is none, or of another formula', () => {
    for (const text of [
      '',
      '{',
      'null',
      '{"name":"increase device.energy hour","gain":5}',
      '{"name":"increase device.energy day"}',
    ]) {
      const site = open(points, new Map([[stateKey(pointId('device', 'energy_today')), text]]))
      site.read(0, 0, 1000)
      expect(site.value(3)).toBe(0)
    }
  })

  it('no day begins while the clock is not trusted, and none is lost when a wrong one is set right', () => {
    const site = open(points)
    site.clock(null)
    site.read(0, 0, 1000)
    site.read(10, 0, 1001)
    site.clock(NOON + 3650 * DAY)
    site.read(20, 0, 1002)
    site.clock(NOON)
    site.read(30, 0, 1003)
    expect(site.value(3)).toBe(3)
    site.read(12 * 3600 + 30, 0, 1004)
    expect(site.value(3)).toBe(1)
  })

  it('a counter that is bad leaves no value, and no gap in the sum', () => {
    const site = open(points)
    site.read(0, 0, 1000)
    site.fail(10, 0)
    expect(site.value(3)).toBe('timeout')
    site.read(20, 0, 1002)
    expect(site.value(3)).toBe(2)
  })

  it('tells of a counter that was reset', () => {
    const site = open(points)
    for (const [step, value] of [1000, 1001, 1002, 1003, 0, 0.5].entries()) site.read(step * 10, 0, value)
    expect(site.notices).toEqual(['reset'])
    expect(site.value(3)).toBe(3.5)
  })
})

describe('hours and count', () => {
  const points = [
    ENERGY,
    RUNNING,
    FLOW,
    derive(3, 'hours', { kind: 'hours', of: 1 }),
    derive(4, 'starts', { kind: 'count', of: 1 }),
  ]

  it('count only the time that was seen', () => {
    const site = open(points)
    site.read(0, 1, true)
    site.read(1800, 1, true)
    expect(site.value(3)).toBe(0.5)
    site.read(3600, 1, false)
    site.read(7200, 1, false)
    expect(site.value(3)).toBe(1)
    site.read(7200, 1, true)
    site.fail(9000, 1)
    site.read(9000, 1, true)
    expect(site.value(3)).toBe(1)
    site.read(9360, 1, false)
    expect(site.value(3)).toBe(1.1)
  })

  it('count what became true, also over a gap and a restart', () => {
    const site = open(points)
    site.read(0, 1, true)
    expect(site.value(4)).toBe(0)
    site.read(1, 1, false)
    site.read(2, 1, true)
    site.fail(3, 1)
    site.read(4, 1, true)
    expect(site.value(4)).toBe(1)
    site.read(5, 1, false)
    const after = open(points, site.saved)
    after.read(1, 1, true)
    expect(after.value(4)).toBe(2)
  })

  it('lose at most a minute to a power cut', () => {
    const site = open(points)
    for (let second = 0; second <= 3600; second += 10) site.read(second, 1, true)
    const after = open(points, site.saved)
    after.read(0, 1, true)
    expect(Number(after.value(3))).toBeGreaterThanOrEqual(1 - 1 / 60)
    expect(open(points, site.flush()).derivations.flush()).toEqual([])
  })
})

describe('expressions', () => {
  const points = [
    ENERGY,
    RUNNING,
    FLOW,
    derive(3, 'twice', { kind: 'expression', source: 'flow * 2', device: 0 }),
    derive(4, 'more', { kind: 'expression', source: 'twice + params.plus', device: 0 }),
    derive(5, 'starts', { kind: 'count', of: 6 }),
    derive(6, 'busy', { kind: 'expression', source: 'running && flow > 1', device: 0 }),
    derive(7, 'share', { kind: 'expression', source: 'flow / energy', device: 0 }),
  ].map((point) => (point.key === 'busy' ? { ...point, type: 'bool' as const } : point))

  it('follow their inputs through each other, with the time of the newest', () => {
    const site = open(points, new Map(), { plus: 1 })
    site.read(5, 2, 4)
    expect(site.value(3)).toBe(8)
    expect(site.image.get(4)).toEqual({ point: 4, mono: 5000, quality: 'good', value: 9 })
    site.read(6, 1, false)
    site.read(7, 1, true)
    expect(site.value(5)).toBe(1)
  })

  it('carry the cause of an input, and keep what is uncertain', () => {
    const site = open(points, new Map(), { plus: 1 })
    site.read(0, 1, false)
    site.fail(1, 2)
    expect(site.value(3)).toBe('timeout')
    expect(site.value(6)).toBe(false)
    const stale = open(
      points.map((point) => (point.index === 2 ? { ...point, rateMax: 1 } : point)),
      new Map(),
      { plus: 1 },
    )
    stale.read(0, 2, 1)
    stale.read(1, 2, 50)
    expect(stale.image.get(4)).toMatchObject({ quality: 'uncertain', cause: 'rate', value: 101 })
  })

  it('without a finite value are bad, not infinite', () => {
    const site = open(points, new Map(), { plus: 1 })
    site.read(0, 0, 0)
    site.read(1, 2, 1)
    expect(site.value(7)).toBe('out_of_range')
  })
})

it('names points that derive from each other', () => {
  const points = [
    derive(0, 'a', { kind: 'expression', source: 'b + 1', device: 0 }),
    derive(1, 'b', { kind: 'expression', source: 'a + 1', device: 0 }),
    derive(2, 'c', { kind: 'expression', source: 'd', device: 0 }),
    makePoint(3, { key: 'd' }),
  ]
  const site = { devices: [device(points)], points }
  expect(findDerivedLoop(site)).toEqual(['device.a', 'device.b'])
  expect(() => new Derivations(site, { states: new Map(), periodStart })).toThrow('device.a, device.b')
})
