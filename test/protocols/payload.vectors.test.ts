/** Published vectors of every ecosystem but zigbee2mqtt (which has a file of its own). */
import { describe, expect, test } from 'vitest'
import type { Point, PointType } from '../../src/model/point.ts'
import { payloadCodec } from '../../src/protocols/all.ts'
import type { PayloadCodec } from '../../src/protocols/payload/payload.ts'
import file from '../vectors/mqtt.json' with { type: 'json' }
import { payloadPoint } from './make.ts'

type Vector = {
  id: string
  ecosystem: string
  topic: string
  payload?: Record<string, unknown>
  payload_text?: string
  retain?: boolean
  decoded?: { points?: Record<string, unknown>; availability?: string; event?: string; [key: string]: unknown }
  expect?: { points?: Record<string, unknown>; quality?: string }
}
const VECTORS = file.vectors as unknown as Vector[]

const CODEC: Record<string, { codec: string; base: string; path?: (name: string) => string }> = {
  tasmota: { codec: 'tasmota', base: '' },
  'shelly-gen1': { codec: 'shelly_gen1', base: '', path: (name) => GEN1[name] ?? name },
  'shelly-gen2': { codec: 'shelly_gen2', base: '', path: (name) => name.replace('total_Wh', 'total') },
  esphome: { codec: 'esphome', base: 'pump_room' },
  chirpstack: { codec: 'chirpstack_v4', base: '', path: (name) => `object.${name}` },
  any: { codec: 'tasmota', base: 'x' },
}
/** The vectors' short names of Gen1 topics; its energy is in Watt-minutes on the wire. */
const GEN1: Record<string, string> = {
  'relay/0/energy_kWh': 'relay/0/energy',
  flood: 'sensor/flood',
  state: 'sensor/state',
}
const TYPES: Record<string, PointType> = { number: 'f64', boolean: 'bool', string: 'str' }

function baseOf({ ecosystem, topic }: Vector): string {
  const levels = topic.split('/')
  switch (ecosystem) {
    case 'tasmota':
      return levels[1] ?? ''
    case 'shelly-gen1':
      return levels.slice(0, 2).join('/')
    case 'shelly-gen2':
      return levels[0] ?? ''
    case 'chirpstack':
      return levels.slice(0, 4).join('/')
    default:
      return CODEC[ecosystem]?.base ?? ''
  }
}

function setup(vector: Vector): { codec: PayloadCodec; base: string; points: Point[]; values: unknown[] } {
  const { codec: name = '', path = (name: string) => name } = CODEC[vector.ecosystem] ?? {}
  const codec = payloadCodec(name)
  if (codec === null) throw new Error(`no codec for ${vector.id}`)
  const wanted = Object.entries(vector.decoded?.points ?? {})
  const points = wanted.map(([field, value], index) =>
    payloadPoint(index, path(field), { type: TYPES[typeof value] ?? 'f64' }),
  )
  return { codec, base: baseOf(vector), points, values: wanted.map(([, value]) => value) }
}

function messageOf(vector: Vector) {
  const payload = new TextEncoder().encode(vector.payload_text ?? JSON.stringify(vector.payload))
  return { topic: vector.topic, payload, retained: vector.retain ?? false }
}

describe.each(VECTORS.filter(({ ecosystem }) => ecosystem !== 'any' && ecosystem !== 'uhppoted'))(
  '$ecosystem $id',
  (vector) => {
    const { codec, base, points, values } = setup(vector)

    test('says what it should', () => {
      expect(codec.topics(base, points)).toContain(vector.topic)
      const outcome = codec.read(base, messageOf(vector), points)
      if (vector.decoded?.availability !== undefined)
        expect(outcome).toEqual({ kind: 'availability', of: 'device', state: vector.decoded.availability })
      // Bytes without the network server's codec: which model they are of is known there, not here.
      else if (vector.id === 'cs-02') expect(outcome).toEqual({ kind: 'refused', why: 'no_object' })
      else if (vector.decoded?.event === 'join') {
        const joined = payloadPoint(0, 'event', { type: 'str', kind: 'event' })
        expect(codec.read(base, messageOf(vector), [joined])).toEqual({
          kind: 'readings',
          readings: [{ point: 0, value: 'join' }],
        })
      } else
        expect(outcome).toMatchObject({ kind: 'readings', readings: values.map((value, point) => ({ point, value })) })
    })

    test('another device’s topic is none of its', () => {
      const message = { ...messageOf(vector), topic: `elsewhere/${vector.topic}` }
      expect(codec.read(base, message, points)).toEqual({ kind: 'refused', why: 'unknown_topic' })
    })
  },
)

test('bad-02: null is no value, and says so', () => {
  const vector = VECTORS.find(({ id }) => id === 'bad-02')
  if (vector === undefined) throw new Error('bad-02 is missing')
  const points = [payloadPoint(0, 'DS18B20.Temperature')]
  expect(payloadCodec('tasmota')?.read('x', messageOf(vector), points)).toEqual({
    kind: 'readings',
    readings: [{ point: 0, fault: { kind: 'device_fault' } }],
  })
})

test('json-uhppote-1: a door event of this board; of another board it is not ours', () => {
  const vector = VECTORS.find(({ ecosystem }) => ecosystem === 'uhppoted')
  const codec = payloadCodec('uhppoted')
  if (vector === undefined || codec === null) throw new Error('the vector or its codec is missing')
  const event = { type: 'str', kind: 'event' } as const
  const points = ['event-type-text', 'access-granted', 'door-id', 'direction-text', 'card-number'].map((path, index) =>
    payloadPoint(index, path, event),
  )
  const base = 'uhppoted/gateway/405419896'
  expect(codec.topics(base, points)).toEqual([vector.topic])
  expect(codec.read(base, messageOf(vector), points)).toEqual({
    kind: 'readings',
    readings: ['door', 'true', '4', 'in', '8165538'].map((value, point) => ({ point, value })),
    once: ['50 2019-08-09 16:18:55 PDT'],
  })
  expect(codec.read('uhppoted/gateway/303986753', messageOf(vector), points)).toEqual({
    kind: 'refused',
    why: 'other_device',
  })
})
