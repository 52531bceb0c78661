/** Doors by their contacts: the published vectors, played through debounce, events, formulas and time as the spine does it. */
import { describe, expect, test } from 'vitest'
import { Derivations } from '../../src/derive/evaluate.ts'
import { Image } from '../../src/image/image.ts'
import { Intake } from '../../src/image/intake.ts'
import { pointId, type Value } from '../../src/model/point.ts'
import type { Reading, Sample } from '../../src/model/sample.ts'
import type { Device } from '../../src/model/site.ts'
import file from '../vectors/access.json' with { type: 'json' }
import { makePoint } from '../image/points.ts'

type Step = { t: number; in: string; expect?: string | null }
type Vector = {
  id: string
  kind: string
  title: string
  config: { unlock_s: number; held_s: number; debounce_ms: number }
  steps: Step[]
}
const VECTORS = (file.vectors as unknown as Vector[]).filter(({ kind }) => kind === 'door-state')

const [CONTACT, CARD, GRANTED, DOOR] = [0, 1, 2, 3]
const text = { en: '', zh: '' }

function build({ config, lets = true }: { config: Vector['config']; lets?: boolean }) {
  const points = [
    makePoint(CONTACT, { type: 'bool', kind: 'state', debounceMs: config.debounce_ms }),
    makePoint(CARD, { key: 'card', type: 'str', kind: 'event' }),
    makePoint(GRANTED, {
      type: 'bool',
      source: { from: 'derive', formula: { kind: 'expression', source: 'card != ""', device: 0 } },
    }),
    makePoint(DOOR, {
      type: 'str',
      kind: 'state',
      source: {
        from: 'derive',
        formula: {
          kind: 'door',
          of: CONTACT,
          granted: lets ? GRANTED : null,
          unlockMs: config.unlock_s * 1000,
          heldMs: config.held_s * 1000,
        },
      },
    }),
  ].map((point) => ({ ...point, id: pointId('d', point.key) }))
  const device: Device = {
    index: 0,
    id: 'd',
    driver: 'access/x',
    driverSha: '',
    category: 'access',
    brick: null,
    model: text,
    name: text,
    place: {},
    tags: {},
    family: null,
    link: { kind: 'composed' },
    params: {},
    points: points.map(({ index }) => index),
  }
  const image = new Image(points, 0)
  const intake = new Intake(points, image)
  const derivations = new Derivations({ devices: [device], points }, { states: new Map(), periodStart: (utc) => utc })
  let first: ReturnType<Intake['begin']> | null = intake.begin()
  const seen: { state: Value | null; at: number }[] = []

  function turn(mono: number, readings: readonly Reading[]): void {
    const rested = first ?? intake.rest()
    first = null
    const samples: Sample[] = [...rested.ends, ...rested.samples]
    samples.push(...intake.read(readings, mono).samples, ...intake.tick(mono).samples)
    const derived = derivations.step(samples, image, { mono, utc: null })
    const fresh = intake.adopt(derived.samples)
    for (const sample of fresh.samples) {
      if (sample.point !== DOOR || !fresh.changed.includes(DOOR)) continue
      seen.push({ state: sample.quality === 'bad' ? null : sample.value, at: sample.mono })
    }
  }

  let now = 0
  return {
    seen,
    image,
    /** Time goes on until `at`, with a turn whenever one is due. */
    until(at: number): void {
      for (;;) {
        const due = Math.min(intake.nextDue() ?? Infinity, derivations.nextDue() ?? Infinity)
        if (intake.hasEvents) turn(now, [])
        else if (due <= at) {
          now = Math.max(now, due)
          turn(now, [])
        } else break
      }
      now = at
    },
    put(at: number, reading: Reading): void {
      this.until(at)
      turn(at, [reading])
    },
  }
}

const WORDS: Record<string, string> = { open: 'opened_authorised', held: 'held_open', forced: 'forced_open' }
const START = 100_000

describe.each(VECTORS)('$id $title', ({ config, steps }) => {
  test('causes exactly these events, at these times', () => {
    const door = build({ config })
    const isFound = steps[0]?.in === 'contact_unknown'
    if (!isFound) door.put(START - 50_000, { point: CONTACT, value: true })
    door.until(START - 1)
    const before = door.seen.length
    for (const { t, in: input } of steps) {
      const at = START + Math.round(t * 1000)
      if (input === 'granted') door.put(at, { point: CARD, value: 'a' })
      else if (input === 'contact_unknown') door.put(at, { point: CONTACT, fault: { kind: 'timeout' } })
      else if (input === 'tick') door.until(at)
      else door.put(at, { point: CONTACT, value: input === 'contact_closed' })
    }
    door.until(START + 1000 * (steps.at(-1)?.t ?? 0) + 1000)
    const told = door.seen
      .slice(before)
      .flatMap(({ state, at }) => (state === null ? [] : [{ t: (at - START) / 1000, event: String(state) }]))
      .map(({ t, event }) => ({ t, event: isFound && event === 'open' ? 'open_initial' : (WORDS[event] ?? event) }))
    const wanted = steps.flatMap(({ t, expect: event }) => (typeof event === 'string' ? [{ t, event }] : []))
    expect(told).toEqual(wanted)
  })
})

const CONFIG = { unlock_s: 5, held_s: 30, debounce_ms: 0 }

describe('a door', () => {
  const states = ({ seen }: { seen: { state: Value | null }[] }) => seen.map(({ state }) => state)

  test('opened after the time to open it has passed is forced, and stays so while it is open', () => {
    const door = build({ config: CONFIG })
    door.put(1000, { point: CONTACT, value: true })
    door.put(2000, { point: CARD, value: 'a' })
    door.put(7001, { point: CONTACT, value: false })
    door.until(100_000)
    door.put(100_000, { point: CONTACT, value: true })
    expect(states(door)).toEqual(['closed', 'forced', 'closed'])
  })

  test('is never forced where nothing tells who is let through', () => {
    const door = build({ config: CONFIG, lets: false })
    door.put(1000, { point: CONTACT, value: true })
    door.put(2000, { point: CONTACT, value: false })
    door.until(40_000)
    expect(states(door)).toEqual(['closed', 'open', 'held'])
    expect(door.seen.at(-1)?.at).toBe(32_000)
  })

  test('that was lost and comes back open is not forced; an old value keeps its doubt', () => {
    const door = build({ config: CONFIG })
    door.put(1000, { point: CONTACT, value: true })
    door.put(2000, { point: CONTACT, fault: { kind: 'closed' } })
    expect(door.image.get(DOOR)).toMatchObject({ quality: 'bad', cause: { kind: 'closed' } })
    door.put(3000, { point: CONTACT, value: false })
    expect(door.image.get(DOOR)).toMatchObject({ quality: 'good', value: 'open' })
    door.put(4000, { point: CONTACT, value: true, doubt: 'stale' })
    expect(door.image.get(DOOR)).toMatchObject({ quality: 'uncertain', value: 'closed', cause: 'stale' })
    door.put(5000, { point: CONTACT, value: false })
    expect(door.image.get(DOOR)).toMatchObject({ quality: 'good', value: 'open' })
  })

  test('is held once, at its time, without anybody reading it', () => {
    const door = build({ config: CONFIG })
    door.put(1000, { point: CONTACT, value: true })
    door.put(2000, { point: CARD, value: 'a' })
    door.put(3000, { point: CONTACT, value: false })
    door.until(500_000)
    expect(door.seen.slice(1)).toEqual([
      { state: 'open', at: 3000 },
      { state: 'held', at: 33_000 },
    ])
  })
})
