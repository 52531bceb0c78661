/** The broker's judgements, without a broker. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAccess, type Origin } from '../../src/broker/access.ts'
import { createMeter } from '../../src/broker/guard.ts'
import { createIngest } from '../../src/broker/ingest.ts'
import { isLoopback } from '../../src/broker/listen.ts'
import { createRetained } from '../../src/broker/retained.ts'
import { contains, matches } from '../../src/broker/topic.ts'
import type { Arrival } from '../../src/model/sample.ts'
import { CLIENTS, DEVICES, POINTS, secret, topicDevice } from './make.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

describe('topics', () => {
  test.each([
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/+/c', 'a/b/c', true],
    ['a/+', 'a/b/c', false],
    ['a/+', 'a', false],
    ['+', '$SYS', false],
    ['#', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
  ])('%s matches %s: %s', (filter, topic, fits) => expect(matches(filter, topic)).toBe(fits))

  const level = fc.constantFrom('a', 'b', '+')
  const filter = fc
    .tuple(fc.array(level, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([levels, open]) => [...levels, ...(open ? ['#'] : [])].join('/'))
  const topics = fc
    .array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 })
    .map((levels) => levels.join('/'))

  test('what contains a filter matches all that the filter matches', () => {
    fc.assert(
      fc.property(filter, filter, topics, (allowed, asked, topic) => {
        if (contains(allowed, asked) && matches(asked, topic)) expect(matches(allowed, topic)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
  test.each([
    ['zigbee2mqtt/+/set', 'zigbee2mqtt/+/set', true],
    ['zigbee2mqtt/+/set', 'zigbee2mqtt/lamp/set', true],
    ['zigbee2mqtt/+/set', 'zigbee2mqtt/#', false],
    ['zigbee2mqtt/+/set', '#', false],
    ['a/#', 'a/+/c', true],
    ['a/b', 'a/+', false],
    ['#', '$SYS/#', false],
  ])('%s contains %s: %s', (allowed, asked, fits) => expect(contains(allowed, asked)).toBe(fits))
})

describe('access', () => {
  const here: Origin = { address: '127.0.0.1', loopback: true, certificate: null }
  const there: Origin = { address: '10.0.0.9', loopback: false, certificate: null }
  const login = (clients: typeof CLIENTS, origin: Origin, name?: string, password?: string) => {
    const said = createAccess(clients, () => 0).login(name, password === undefined ? undefined : utf8(password), origin)
    return 'refused' in said ? said.refused : said.name
  }

  test('by name and password', () => {
    expect(login(CLIENTS, there, 'zigbee', 'honey')).toBe('zigbee')
    expect(login(CLIENTS, there, 'zigbee', 'clover')).toBe('password')
    expect(login(CLIENTS, there, 'zigbee')).toBe('password')
    expect(login(CLIENTS, there, 'nobody', 'honey')).toBe('password')
  })
  test('nobody is anonymous, but on this machine where no client is named at all', () => {
    expect(login(CLIENTS, here)).toBe('anonymous')
    expect(login([], there)).toBe('anonymous')
    expect(login([], here)).toBe('(anyone on this machine)')
  })
  test('without a password: on this machine only, or with a certificate of that name', () => {
    const clients = [{ id: 'bridge', password: null, publish: ['#'], subscribe: [] }]
    expect(login(clients, here, 'bridge')).toBe('bridge')
    expect(login(clients, there, 'bridge')).toBe('password')
    expect(login(clients, { ...there, certificate: 'bridge' }, 'bridge')).toBe('bridge')
    expect(login(clients, { ...there, certificate: 'other' }, 'bridge')).toBe('password')
  })
  test('ten wrong tries a minute, then even the right one waits', () => {
    let now = 0
    const access = createAccess([{ id: 'a', password: secret('right'), publish: [], subscribe: [] }], () => now)
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(access.login('a', utf8('wrong'), there)).toEqual({ refused: 'password' })
    }
    expect(access.login('a', utf8('right'), there)).toEqual({ refused: 'too_many_tries' })
    expect(access.login('a', utf8('right'), { ...there, address: '10.0.0.8' })).toMatchObject({ name: 'a' })
    now = 60_001
    expect(access.login('a', utf8('right'), there)).toMatchObject({ name: 'a' })
  })
  test("$ topics are nobody's, whatever the filters", () => {
    const said = createAccess([], () => 0).login(undefined, undefined, here)
    if ('refused' in said) throw new Error(said.refused)
    expect([said.mayPublish('$SYS/x'), said.maySubscribe('$SYS/#'), said.mayPublish('x')]).toEqual([false, false, true])
  })
  test.each([
    ['127.0.0.1', true],
    ['127.8.0.1', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.0.0.1.example', false],
  ])('%s is loopback: %s', (host, is) => expect(isLoopback(host)).toBe(is))
})

describe('packet meter', () => {
  const packet = fc.integer({ min: 0, max: 300 }).map((length) => {
    const head = length < 128 ? [0x30, length] : [0x30, (length & 0x7f) | 0x80, length >> 7]
    return { length, bytes: [...head, ...Array.from({ length }, () => 0xff)] }
  })
  test('sees every header, however the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(packet, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 50 }),
        (packets, step) => {
          const stream = Uint8Array.from(packets.flatMap(({ bytes }) => bytes))
          const measure = createMeter()
          let largest = 0
          for (let at = 0; at < stream.length; at += step)
            largest = Math.max(largest, measure(stream.subarray(at, at + step)))
          expect(largest).toBe(Math.max(...packets.map(({ length }) => length)))
        },
      ),
    )
  })
  test('256 MB are seen at the fifth byte; a header without end is none', () => {
    expect(createMeter()(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f))).toBe(268_435_455)
    expect(createMeter()(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0xff, 0x01))).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('retained', () => {
  test('64 topics a client and what its devices need; clearing makes room', () => {
    const retained = createRetained((client) => (client === 'bridge' ? 8 : 0))
    const admitted = (client: string) =>
      Array.from({ length: 100 }, (_, at) => retained.admit(client, `${client}/${at}`, 10)).filter(Boolean).length
    expect(admitted('x')).toBe(64)
    expect(admitted('bridge')).toBe(72)
    expect(retained.admit('x', 'x/0', 20)).toBe(true)
    expect(retained.admit('x', 'x/new', 1)).toBe(false)
    expect(retained.admit('x', 'x/0', 0)).toBe(true)
    expect(retained.admit('x', 'x/new', 1)).toBe(true)
  })
  test('8 MiB in all', () => {
    const retained = createRetained(() => 1000)
    const quarter = 256 * 1024
    const admitted = Array.from({ length: 40 }, (_, at) => retained.admit(`c${at}`, `t/${at}`, quarter)).filter(Boolean)
    expect(admitted).toHaveLength(32)
  })
})

describe('ingest', () => {
  function started(devices = DEVICES) {
    const arrivals: Arrival[] = []
    const refusals: string[] = []
    const ingest = createIngest({
      devices,
      points: POINTS,
      post: (arrival) => arrivals.push(arrival),
      mono: () => 5,
      refuse: (why) => refusals.push(why),
    })
    const say = (topic: string, text: string, more: { qos?: 0 | 1; retained?: boolean; from?: 'outside' } = {}) => {
      const errors: (Error | null)[] = []
      const message = { topic, payload: utf8(text), retained: false, qos: 0, from: 'embedded', ...more } as const
      ingest.accept(message, (error) => errors.push(error))
      return errors
    }
    const states = () =>
      arrivals.flatMap((arrival) => (arrival.kind === 'device' ? [`${arrival.device} ${arrival.state}`] : []))
    return { ingest, arrivals, refusals, say, states }
  }

  test('a first good message says online, then readings', () => {
    const { arrivals, say } = started()
    expect(say('zigbee2mqtt/lobby', '{"temperature":21.5}')).toEqual([null])
    expect(arrivals).toEqual([
      { kind: 'device', device: 0, mono: 5, state: 'online', cause: null },
      { kind: 'scan', device: 0, mono: 5, readings: [{ point: 0, value: 21.5 }] },
    ])
  })
  test('QoS 1 is settled by the spine, with its error', () => {
    const { arrivals, say } = started()
    const errors = say('plant/flow', '{"flow":1}', { qos: 1 })
    expect(errors).toEqual([])
    const scan = arrivals.find((arrival) => arrival.kind === 'scan')
    const full = new Error('disk full')
    if (scan?.kind === 'scan') scan.settled?.(full)
    expect(errors).toEqual([full])
  })
  test('what is refused is named and answered: sent again it would be refused again', () => {
    const { arrivals, refusals, say } = started()
    expect(say('plant/flow', '{"flow"', { qos: 1 })).toEqual([null])
    expect(say('plant/flow', '', { qos: 1 })).toEqual([null])
    expect([arrivals, refusals]).toEqual([[], ['not_json', 'empty']])
  })
  test('availability, bridge and carrier each take a device off line, and their return brings it back', () => {
    const { ingest, say, states } = started(DEVICES.slice(0, 1))
    say('zigbee2mqtt/lobby', '{"temperature":1}', { from: 'outside' })
    say('zigbee2mqtt/bridge/state', '{"state":"offline"}', { from: 'outside' })
    say('zigbee2mqtt/bridge/state', '{"state":"online"}', { from: 'outside' })
    ingest.carrier('offline')
    ingest.carrier('online')
    say('zigbee2mqtt/lobby/availability', 'offline', { from: 'outside' })
    say('zigbee2mqtt/lobby', '{"temperature":1}', { from: 'outside' })
    expect(states()).toEqual(['0 online', '0 offline', '0 online', '0 offline', '0 online', '0 offline', '0 online'])
  })
  test('what a broker kept proves nothing about now', () => {
    const { say, states, arrivals } = started()
    say('zigbee2mqtt/lobby', '{"temperature":1}', { retained: true, from: 'outside' })
    expect(states()).toEqual([])
    expect(arrivals).toMatchObject([{ readings: [{ point: 0, value: 1, doubt: 'stale' }] }])
  })
  test('a topic of two devices is settled once, when both are', () => {
    const both = [topicDevice(0, 't', 'json', [POINTS[0]!]), topicDevice(1, 't', 'json', [POINTS[2]!])]
    const { arrivals, say } = started(both)
    const errors = say('t', '{"temperature":1,"flow":2}', { qos: 1 })
    const scans = arrivals.flatMap((arrival) => (arrival.kind === 'scan' ? [arrival] : []))
    expect(scans).toHaveLength(2)
    scans[0]?.settled?.(null)
    expect(errors).toEqual([])
    scans[1]?.settled?.(null)
    expect(errors).toEqual([null])
  })
  test('availability with QoS 1 waits as well', () => {
    const { arrivals, say } = started()
    const errors = say('zigbee2mqtt/lobby/availability', 'online', { qos: 1 })
    expect(errors).toEqual([])
    expect(arrivals.map((arrival) => arrival.kind)).toEqual(['device', 'scan'])
  })
  test('an unknown codec is found at the start', () => {
    expect(() => started([topicDevice(0, 't', 'nope', [])])).toThrow('device device_0: no codec is called "nope"')
  })
})
