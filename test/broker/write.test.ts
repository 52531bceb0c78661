/** Telling a device that publishes, and believing only what it says afterwards. */
import { describe, expect, test } from 'vitest'
import { createTeller } from '../../src/broker/write.ts'
import { Image } from '../../src/image/image.ts'
import type { Fault } from '../../src/model/fault.ts'
import type { Point, Role, Value, WriteRule } from '../../src/model/point.ts'
import type { Device } from '../../src/model/site.ts'
import { makePoint } from '../image/points.ts'

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
const text = { en: '', zh: '' }
const DEVICE: Device = {
  index: 0,
  id: 'plug',
  driver: 'lighting/x',
  driverSha: '',
  category: 'lighting',
  brick: null,
  model: text,
  name: text,
  place: {},
  tags: {},
  family: null,
  link: { kind: 'topic', topic: 'pump', codec: 'tasmota' },
  params: {},
  points: [0],
}

function relay(rule: Partial<WriteRule> = {}, path = 'POWER'): Point {
  return makePoint(0, {
    type: 'bool',
    kind: 'state',
    write: { ...RULE, ...rule },
    source: {
      from: 'field',
      place: { protocol: 'payload', path },
      treatment: { scale: 1, offset: 0, invalid: [], map: null, invert: false },
      everyMs: null,
    },
  })
}

/** `answers`: what the device says of itself once it was told, if anything. */
function rig(
  point: Point,
  { answers, fault = null, confirmMs = 30 }: { answers?: Value; fault?: Fault | null; confirmMs?: number } = {},
) {
  const points = [point]
  const image = new Image(points, 0)
  const listeners = new Set<(points: readonly number[]) => void>()
  const published: { topic: string; payload: string }[] = []
  let now = 1000
  const say = (value: Value): void => {
    image.set({ point: 0, mono: now, quality: 'good', value })
    for (const listener of listeners) listener([0])
  }
  const teller = createTeller({
    devices: [DEVICE],
    points,
    image,
    mono: () => now,
    confirmMs,
    onTurn(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async publish(topic, payload) {
      published.push({ topic, payload })
      if (answers !== undefined) say(answers)
      return fault
    },
  })
  const controller = new AbortController()
  return {
    published,
    say,
    listeners,
    abort: () => controller.abort(),
    pass: (ms: number) => {
      now += ms
    },
    write: (value: Value, role: Role = 'operator') =>
      teller({ id: '1', point: 0, value, by: 'test', role }, controller.signal),
  }
}

describe('a write to a device that publishes', () => {
  test('is done when the device says so', async () => {
    const { write, published, listeners } = rig(relay(), { answers: true })
    expect(await write(true)).toEqual({ outcome: 'done', readBack: true })
    expect(published).toEqual([{ topic: 'cmnd/pump/POWER', payload: 'ON' }])
    expect(listeners.size).toBe(0)
  })

  test('is unknown when the device says something else, or nothing', async () => {
    expect(await rig(relay(), { answers: false }).write(true)).toEqual({
      outcome: 'unknown',
      cause: 'read_back: reads false',
      reason: { en: 'reading back gives false', zh: '回读为 false' },
    })
    expect(await rig(relay()).write(true)).toEqual({
      outcome: 'unknown',
      cause: 'read_back: the device said nothing',
      reason: { en: 'the device said nothing', zh: '设备没有回报新状态' },
    })
  })

  test('what the device said before proves nothing', async () => {
    const { write, say, pass } = rig(relay())
    say(true)
    pass(1)
    expect(await write(true)).toMatchObject({ outcome: 'unknown' })
  })

  test('takes a late word within its time, and ends with its caller', async () => {
    const patient = rig(relay(), { confirmMs: 10_000 })
    const written = patient.write(false)
    await Promise.resolve()
    patient.say(true)
    patient.say(false)
    expect(await written).toEqual({ outcome: 'done', readBack: false })
    const given = rig(relay(), { confirmMs: 600_000 })
    const waiting = given.write(true)
    given.abort()
    expect(await waiting).toMatchObject({ outcome: 'unknown' })
  })

  test('is refused before anything is published: role, type, minimum on time, what cannot be told', async () => {
    const { write, published, pass } = rig(relay({ minOnMs: 60_000 }), { answers: true })
    expect(await write(true, 'viewer')).toMatchObject({ outcome: 'refused', cause: expect.stringMatching(/^role/) })
    expect(await write('on')).toMatchObject({ outcome: 'refused', cause: expect.stringMatching(/^type/) })
    expect(published).toEqual([])
    expect(await write(true)).toMatchObject({ outcome: 'done' })
    pass(1000)
    expect(await write(false)).toMatchObject({ outcome: 'refused', cause: expect.stringMatching(/^min_on/) })
    expect(await rig(relay({}, 'ENERGY.Power')).write(true)).toMatchObject({
      outcome: 'refused',
      cause: expect.stringMatching(/^value: .*only POWER/),
    })
  })

  test('that reached no broker did not happen', async () => {
    const { write, pass } = rig(relay({ rateMs: 60_000 }), { fault: { kind: 'closed' } })
    expect(await write(true)).toEqual({ outcome: 'refused', cause: 'closed' })
    pass(1)
    // Not counted as a write either.
    expect(await write(true)).toEqual({ outcome: 'refused', cause: 'closed' })
  })

  test('without read back is never called done', async () => {
    expect(await rig(relay({ readBack: false }), { answers: true }).write(true)).toMatchObject({ outcome: 'unknown' })
  })
})
