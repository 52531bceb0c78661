import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Point, PointType } from '../../src/model/point.ts'
import { PAYLOAD_NAMES, payloadCodec } from '../../src/protocols/all.ts'
import { json } from '../../src/protocols/payload/json.ts'
import { PAYLOAD_MAX } from '../../src/protocols/payload/payload.ts'
import { zigbee2mqtt } from '../../src/protocols/payload/zigbee2mqtt.ts'
import file from '../vectors/zigbee2mqtt.json' with { type: 'json' }
import { payloadPoint } from './make.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

type Vector = {
  id: string
  topic: string
  payload?: Record<string, unknown>
  payload_text?: string
  decoded?: { points?: Record<string, unknown>; event?: string; availability?: string; bridge?: string; ignore?: true }
  expect?: { points?: Record<string, unknown>; error?: string }
}
const VECTORS = file.vectors as unknown as Vector[]
/** The vectors' name of a field where it differs from the message's. */
const FIELD: Record<string, string> = { voltage_mV: 'voltage' }
const TYPES: Record<string, PointType> = { number: 'f64', boolean: 'bool', string: 'str' }

describe.each(VECTORS)('zigbee2mqtt $id', (vector) => {
  test('says what it should', () => {
    const wanted = vector.decoded ?? vector.expect ?? {}
    const values = { ...wanted.points, ...(vector.decoded?.event ? { action: vector.decoded.event } : {}) }
    const fields = Object.entries(values)
    const points = fields.map(([name, value], index) =>
      payloadPoint(index, FIELD[name] ?? name, {
        type: TYPES[typeof value] ?? 'f64',
        kind: name === 'action' ? 'event' : 'gauge',
      }),
    )
    const payload = utf8(vector.payload_text ?? JSON.stringify(vector.payload))
    const base = vector.topic.replace(/\/availability$/, '').replace('bridge/state', 'any')
    expect(zigbee2mqtt.topics(base, [])).toContain(vector.topic)
    const outcome = zigbee2mqtt.read(base, { topic: vector.topic, payload, retained: false }, points)
    if (vector.decoded?.ignore) expect(outcome).toEqual({ kind: 'refused', why: 'empty' })
    else if (vector.expect?.error === 'json') expect(outcome).toEqual({ kind: 'refused', why: 'not_json' })
    else if (vector.decoded?.availability) {
      expect(outcome).toEqual({ kind: 'availability', of: 'device', state: vector.decoded.availability })
    } else if (vector.decoded?.bridge) {
      expect(outcome).toEqual({ kind: 'availability', of: 'bridge', state: vector.decoded.bridge })
    } else {
      expect(outcome).toEqual({
        kind: 'readings',
        readings: fields.map(([, value], point) => ({ point, value })),
      })
    }
  })
})

function readJson(payload: string, points: readonly Point[], retained = false) {
  return json.read('t', { topic: 't', payload: utf8(payload), retained }, points)
}

function valueOf(payload: string, type: PointType): unknown {
  const outcome = readJson(payload, [payloadPoint(0, '$', { type })])
  if (outcome.kind !== 'readings') return outcome.kind === 'refused' ? outcome.why : outcome.kind
  const [reading] = outcome.readings
  return reading === undefined ? null : 'fault' in reading ? reading.fault.kind : reading.value
}

describe('fields', () => {
  test.each<[string, PointType, unknown]>([
    ['21.5', 'f64', 21.5],
    ['"21.5"', 'f64', 21.5],
    ['nan', 'f64', 'device_fault'],
    ['null', 'f64', 'device_fault'],
    ['1e999', 'f64', 'device_fault'],
    ['{"a":1}', 'f64', 'device_fault'],
    ['true', 'f64', 1],
    ['"ON"', 'bool', true],
    ['OFF', 'bool', false],
    ['open', 'bool', true],
    ['"close"', 'bool', false],
    ['1', 'bool', true],
    ['0', 'bool', false],
    ['2', 'bool', 'device_fault'],
    ['"dimmed"', 'bool', 'device_fault'],
    ['"9007199254740993"', 'u64', '9007199254740993'],
    ['42', 'u64', 42],
    ['word', 'str', 'word'],
    ['7', 'str', '7'],
  ])('%s as %s is %s', (payload, type, value) => expect(valueOf(payload, type)).toBe(value))

  test('paths: nested, arrays, with and without $', () => {
    const points = ['a.b', '$.a.b', 'list[1].c', 'list.1.c', 'missing.b'].map((path, index) =>
      payloadPoint(index, path),
    )
    expect(readJson('{"a":{"b":1},"list":[0,{"c":2}]}', points)).toEqual({
      kind: 'readings',
      readings: [1, 1, 2, 2].map((value, point) => ({ point, value })),
    })
  })
  test('only fields that are there: nothing is invented for the others', () => {
    const points = [payloadPoint(0, 'temperature'), payloadPoint(1, 'humidity')]
    expect(readJson('{"humidity":50}', points)).toEqual({ kind: 'readings', readings: [{ point: 1, value: 50 }] })
    expect(readJson('{"other":50}', points)).toEqual({ kind: 'refused', why: 'no_point' })
  })
  test('treatment: scale, sentinel, label, inversion', () => {
    const points = [
      payloadPoint(0, 'a', { treatment: { scale: 0.1 } }),
      payloadPoint(1, 'b', { treatment: { invalid: [-1] } }),
      payloadPoint(2, 'c', { type: 'str', kind: 'state', treatment: { map: { '0': 'idle', up: 'rising' } } }),
      payloadPoint(3, 'd', { type: 'bool', treatment: { invert: true } }),
      payloadPoint(4, 'e', { type: 'str', kind: 'state', treatment: { map: { '0': 'idle', up: 'rising' } } }),
    ]
    expect(readJson('{"a":2302,"b":-1,"c":0,"d":"ON","e":"up"}', points)).toEqual({
      kind: 'readings',
      readings: [
        { point: 0, value: 230.2 },
        { point: 1, fault: { kind: 'sentinel' } },
        { point: 2, value: 'idle' },
        { point: 3, value: false },
        { point: 4, value: 'rising' },
      ],
    })
  })
  test('what a broker kept is of unknown age; a kept event is no event', () => {
    const points = [payloadPoint(0, 'state'), payloadPoint(1, 'action', { type: 'str', kind: 'event' })]
    expect(readJson('{"state":1,"action":"single"}', points, true)).toEqual({
      kind: 'readings',
      readings: [{ point: 0, value: 1, doubt: 'stale' }],
    })
    expect(readJson('{"action":"single"}', points, true)).toEqual({ kind: 'refused', why: 'old_event' })
    expect(readJson('{"action":""}', points)).toEqual({ kind: 'refused', why: 'old_event' })
  })
})

describe('refusals have names', () => {
  const points = [payloadPoint(0, 'a')]
  test.each([
    ['', 'empty'],
    ['  ', 'empty'],
    ['{"a":1', 'not_json'],
    ['hello', 'not_json'],
    [`{"a":"${'x'.repeat(PAYLOAD_MAX)}"}`, 'too_large'],
    [`${'['.repeat(33)}${']'.repeat(33)}`, 'too_deep'],
    ['[1,2]', 'no_point'],
  ])('%.20s: %s', (payload, why) => expect(readJson(payload, points)).toEqual({ kind: 'refused', why }))

  test('bytes that are no text, topics and states that mean nothing', () => {
    const read = (topic: string, payload: Uint8Array) =>
      zigbee2mqtt.read('zigbee2mqtt/x', { topic, payload, retained: false }, points)
    expect(read('zigbee2mqtt/x', Uint8Array.of(0xff, 0xfe))).toEqual({ kind: 'refused', why: 'not_utf8' })
    expect(read('zigbee2mqtt/x', utf8('[1]'))).toEqual({ kind: 'refused', why: 'not_an_object' })
    expect(read('zigbee2mqtt/y', utf8('{}'))).toEqual({ kind: 'refused', why: 'unknown_topic' })
    expect(read('zigbee2mqtt/x/availability', utf8('{"state":"maybe"}'))).toEqual({
      kind: 'refused',
      why: 'unknown_state',
    })
  })
  test('brackets inside of texts are not depth', () => {
    const deep = JSON.stringify({ a: 1, b: `"${'['.repeat(100)}\\` })
    expect(readJson(deep, points)).toEqual({ kind: 'readings', readings: [{ point: 0, value: 1 }] })
  })
  test('__proto__ and constructor are names like others', () => {
    const odd = ['__proto__.polluted', 'constructor.name', 'a'].map((path, index) => payloadPoint(index, path))
    expect(readJson('{"__proto__":{"polluted":1},"a":2}', odd)).toEqual({
      kind: 'readings',
      readings: [
        { point: 0, value: 1 },
        { point: 2, value: 2 },
      ],
    })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
  test('no bytes ever throw', () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.json().map(utf8), fc.string().map(utf8))
    fc.assert(
      fc.property(bytes, fc.nat(), fc.boolean(), (payload, pick, retained) => {
        for (const name of PAYLOAD_NAMES) {
          const codec = payloadCodec(name)
          const topics = codec?.topics('b/x', points) ?? []
          const outcome = codec?.read('b/x', { topic: topics[pick % topics.length] ?? '', payload, retained }, points)
          expect(outcome?.kind).toMatch(/^(readings|availability|refused)$/)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

test('a name with slashes listens for a bridge at every level above it', () => {
  expect(zigbee2mqtt.topics('site/z2m/lobby/door', [])).toEqual([
    'site/z2m/lobby/door',
    'site/z2m/lobby/door/availability',
    'site/bridge/state',
    'site/z2m/bridge/state',
    'site/z2m/lobby/bridge/state',
  ])
})

test('codecs by name', () => {
  expect(PAYLOAD_NAMES).toEqual([
    'zigbee2mqtt',
    'tasmota',
    'shelly_gen1',
    'shelly_gen2',
    'esphome',
    'chirpstack_v4',
    'uhppoted',
    'json',
  ])
  for (const name of PAYLOAD_NAMES) expect(payloadCodec(name)?.name).toBe(name)
  expect(payloadCodec('json')).toBe(json)
  expect(payloadCodec('constructor')).toBeNull()
})
