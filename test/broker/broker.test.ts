/** Real clients against the real broker, on real sockets. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connectAsync } from 'mqtt'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Arrival } from '../../src/model/sample.ts'
import { Scope } from '../../src/runtime/scope.ts'
import { CERTIFICATE, KEY } from './certificate.ts'
import { client, closeOf, DEVICES, isScan, messageOf, open, SETTINGS } from './make.ts'

let scope: Scope
beforeEach(() => {
  scope = new Scope()
})
afterEach(() => scope.close())

const portOf = (url: string): number => Number(url.split(':').at(-1))

async function refusedWith(url: string, options: object): Promise<number> {
  try {
    const opened = await connectAsync(url, { protocolVersion: 4, reconnectPeriod: 0, ...options })
    await opened.endAsync(true)
    return 0
  } catch (error) {
    return (error as { code: number }).code
  }
}

/** Resolves when the refusal has been counted. */
async function counted(
  broker: { status: () => { refusals: Readonly<Record<string, number>> } },
  why: string,
): Promise<number> {
  await expect.poll(() => broker.status().refusals[why] ?? 0, { interval: 5 }).toBeGreaterThan(0)
  return broker.status().refusals[why] ?? 0
}

describe('publishing', () => {
  test('a message of a device becomes readings', async () => {
    const broker = await open(scope)
    const zigbee = await client(scope, broker.url)
    await zigbee.publishAsync('zigbee2mqtt/lobby', '{"temperature":21.57,"contact":true}', { qos: 1 })
    expect(broker.arrivals.map((arrival) => arrival.kind)).toEqual(['device', 'scan'])
    expect(broker.arrivals[0]).toMatchObject({ device: 0, state: 'online' })
    expect(broker.arrivals[1]).toMatchObject({
      readings: [
        { point: 0, value: 21.57 },
        { point: 1, value: true },
      ],
    })
    expect(broker.status()).toMatchObject({ clients: 1, messages: 1, refusals: {}, connected: null })
  })

  test.each([1, 2] as const)('QoS %d: the answer waits until it is durable', async (qos) => {
    const broker = await open(scope, {}, { hold: true })
    const zigbee = await client(scope, broker.url)
    let answered = false
    const publishing = zigbee.publishAsync('zigbee2mqtt/lobby', '{"temperature":1}', { qos }).then(() => {
      answered = true
    })
    const scan = await broker.arrival(isScan)
    // A whole round trip of something else proves that an answer would have come by now.
    const other = await client(scope, broker.url, { clientId: 'other' })
    await other.publishAsync('zigbee2mqtt/nobody', 'x', { qos: 1 })
    expect(answered).toBe(false)
    if (scan.kind === 'scan') scan.settled?.(null)
    await publishing
    expect(answered).toBe(true)
  })

  test('not durable: no answer, the connection is closed, and what is sent again is taken', async () => {
    const broker = await open(scope, {}, { hold: true })
    const zigbee = await client(scope, broker.url, { clientId: 'z', clean: false, reconnectPeriod: 10 })
    let answered = false
    const publishing = zigbee.publishAsync('zigbee2mqtt/lobby', '{"temperature":1}', { qos: 1 }).then(() => {
      answered = true
    })
    const closed = closeOf(zigbee)
    const scan = await broker.arrival(isScan)
    if (scan.kind === 'scan') scan.settled?.(new Error('disk full'))
    await closed
    expect(answered).toBe(false)
    const again = broker.arrival((arrival: Arrival) => arrival.kind === 'scan' && arrival !== scan)
    const second = await again
    if (second.kind === 'scan') second.settled?.(null)
    await publishing
    expect(answered).toBe(true)
  })

  test('topics of nobody are routed and answered at once', async () => {
    const broker = await open(scope, {}, { hold: true })
    const plant = await client(scope, broker.url, { username: 'plant', password: 'clover' })
    await plant.subscribeAsync('free/#', { qos: 1 })
    const heard = messageOf(plant)
    await plant.publishAsync('free/talk', 'hello', { qos: 1 })
    const [topic, text] = await heard
    expect([topic, text, broker.arrivals]).toEqual(['free/talk', 'hello', []])
  })

  test('to a device', async () => {
    const broker = await open(scope)
    const zigbee = await client(scope, broker.url)
    await zigbee.subscribeAsync('zigbee2mqtt/+/set')
    const heard = messageOf(zigbee)
    expect(await broker.publish('zigbee2mqtt/lamp/set', '{"state":"ON"}')).toBeNull()
    const [topic, text] = await heard
    expect([topic, text]).toEqual(['zigbee2mqtt/lamp/set', '{"state":"ON"}'])
  })

  test('a last will takes the devices of a bridge off line', async () => {
    const broker = await open(scope)
    const will = {
      topic: 'zigbee2mqtt/bridge/state',
      payload: Buffer.from('{"state":"offline"}'),
      qos: 1,
      retain: true,
    } as const
    const zigbee = await client(scope, broker.url, { will })
    await zigbee.publishAsync('zigbee2mqtt/lobby', '{"temperature":1}', { qos: 1 })
    zigbee.stream.destroy()
    const offline = await broker.arrival((arrival) => arrival.kind === 'device' && arrival.state === 'offline')
    expect(offline).toMatchObject({ device: 0, cause: { kind: 'closed' } })
  })

  test('hundreds at once, each answered when it is durable', async () => {
    const broker = await open(scope)
    const plant = await client(scope, broker.url, { username: 'plant', password: 'clover' })
    const many = Array.from({ length: 500 }, (_, flow) =>
      plant.publishAsync('plant/flow', `{"flow":${flow}}`, { qos: 1 }),
    )
    await Promise.all(many)
    const values = broker.arrivals.flatMap((arrival) => (arrival.kind === 'scan' ? arrival.readings : []))
    expect(values.map((reading) => ('value' in reading ? reading.value : null))).toEqual(many.map((_, flow) => flow))
  })
})

describe('who may', () => {
  test('login: wrong password, no name, another version', async () => {
    const { url, status } = await open(scope)
    expect(await refusedWith(url, { username: 'zigbee', password: 'wrong' })).toBe(4)
    expect(await refusedWith(url, {})).toBe(5)
    expect(await refusedWith(url, { protocolVersion: 5, username: 'zigbee', password: 'honey' })).not.toBe(0)
    expect(status().refusals).toMatchObject({ password: 1, anonymous: 1, mqtt_5: 1 })
    expect(status().clients).toBe(0)
  })
  test('anyone on this machine, where no client is named', async () => {
    const broker = await open(scope, { clients: [] })
    const anyone = await client(scope, broker.url, { username: '', password: '' })
    await anyone.publishAsync('plant/flow', '{"flow":3}', { qos: 1 })
    expect(broker.arrivals.at(-1)).toMatchObject({ readings: [{ point: 2, value: 3 }] })
  })
  test("another's topic closes the connection, and nothing of it arrives", async () => {
    const broker = await open(scope)
    const zigbee = await client(scope, broker.url)
    const closed = closeOf(zigbee)
    zigbee.publish('plant/flow', '{"flow":1}', { qos: 1 })
    await closed
    expect(broker.arrivals).toEqual([])
    expect(broker.status().refusals).toMatchObject({ publish_not_allowed: 1 })
  })
  test.each(['#', 'zigbee2mqtt/#', '$SYS/#', 'plant/flow'])('subscribing to %s is refused', async (filter) => {
    const broker = await open(scope)
    const zigbee = await client(scope, broker.url)
    await expect(zigbee.subscribeAsync(filter)).rejects.toThrow()
    expect(broker.status().refusals).toMatchObject({ subscribe_not_allowed: 1 })
  })
  test('a client id belongs to the user who holds it', async () => {
    const broker = await open(scope)
    const zigbee = await client(scope, broker.url, { clientId: 'shared' })
    expect(await refusedWith(broker.url, { clientId: 'shared', username: 'plant', password: 'clover' })).toBe(2)
    await zigbee.publishAsync('zigbee2mqtt/lobby', '{"temperature":1}', { qos: 1 })
    const closed = closeOf(zigbee)
    await client(scope, broker.url, { clientId: 'shared' })
    await closed
    expect(broker.status().clients).toBe(1)
  })
  test('nine levels are too deep', async () => {
    const broker = await open(scope)
    const zigbee = await client(scope, broker.url)
    const closed = closeOf(zigbee)
    zigbee.publish('zigbee2mqtt/2/3/4/5/6/7/8/9', 'x', { qos: 1 })
    await closed
    expect(await counted(broker, 'connection_error')).toBe(1)
  })
  test('what is retained is bounded; the message itself still passes', async () => {
    const broker = await open(scope)
    const plant = await client(scope, broker.url, { username: 'plant', password: 'clover' })
    for (let at = 0; at < 80; at++) await plant.publishAsync(`free/${at}`, 'kept', { qos: 1, retain: true })
    // 64, and four for the one device whose topic it may publish.
    expect(broker.status().refusals).toEqual({ retained_too_many: 12 })
    const late = await client(scope, broker.url, { username: 'plant', password: 'clover', clientId: 'late' })
    const kept: string[] = []
    late.on('message', (topic) => kept.push(topic))
    await late.subscribeAsync('free/#')
    await expect.poll(() => kept.length).toBe(68)
  })
})

describe('strangers', () => {
  async function half(url: string): Promise<Socket> {
    const socket = connectTcp(portOf(url), '127.0.0.1')
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }

  test('a CONNECT that announces 256 MB is cut off at its header', async () => {
    const broker = await open(scope)
    const socket = await half(broker.url)
    socket.write(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4))
    await once(socket, 'close')
    expect(broker.status().refusals).toEqual({ packet_too_large: 1 })
  })
  test('so is a publish of more than a payload may have; 256 KiB pass', async () => {
    const broker = await open(scope)
    const zigbee = await client(scope, broker.url)
    await zigbee.publishAsync('zigbee2mqtt/other', Buffer.alloc(256 * 1024), { qos: 1 })
    const closed = closeOf(zigbee)
    zigbee.publish('zigbee2mqtt/other', Buffer.alloc(258 * 1024), { qos: 1 })
    await closed
    expect(broker.status().refusals).toMatchObject({ packet_too_large: 1 })
  })
  test('eight of one address are at their login, thirty-two wait, the rest is turned away', async () => {
    const broker = await open(scope)
    const sockets = await Promise.all(Array.from({ length: 45 }, () => half(broker.url)))
    scope.defer(() => {
      for (const socket of sockets) socket.destroy()
    })
    await expect.poll(() => broker.status().refusals['too_many_logins']).toBe(5)
    // Those who give up make room: a true client is served.
    const patient = connectAsync(broker.url, {
      protocolVersion: 4,
      username: 'zigbee',
      password: 'honey',
      reconnectPeriod: 20,
    })
    for (const socket of sockets.slice(0, 40)) socket.destroy()
    const zigbee = await patient
    scope.defer(async () => {
      await zigbee.endAsync(true)
    })
    expect(zigbee.connected).toBe(true)
  })
  test('garbage closes that connection and nothing else', async () => {
    const broker = await open(scope)
    const zigbee = await client(scope, broker.url)
    for (const bytes of [
      [0x00, 0x00],
      [0xff, 0xff, 0xff, 0xff, 0xff],
      [0x10, 0x02, 0x00, 0x00],
      [0x30, 0x02, 0x00, 0x05],
    ]) {
      const socket = await half(broker.url)
      const closed = once(socket, 'close')
      socket.write(Uint8Array.from(bytes))
      await closed
    }
    await zigbee.publishAsync('zigbee2mqtt/lobby', '{"temperature":1}', { qos: 1 })
    expect(broker.arrivals.at(-1)).toMatchObject({ kind: 'scan' })
  })
})

describe('listeners', () => {
  test('WebSocket', async () => {
    const broker = await open(scope, { listen: [{ kind: 'ws', host: '127.0.0.1', port: 0 }] })
    const zigbee = await client(scope, broker.url)
    await zigbee.publishAsync('zigbee2mqtt/lobby', '{"temperature":1}', { qos: 1 })
    expect(broker.arrivals.at(-1)).toMatchObject({ kind: 'scan' })
  })
  const trust = { ca: CERTIFICATE, checkServerIdentity: () => undefined }
  test.each(['mqtts', 'wss'] as const)('%s', async (kind) => {
    const tls = { cert: CERTIFICATE, key: KEY, ca: null }
    const broker = await open(scope, { listen: [{ kind, host: '127.0.0.1', port: 0 }], tls })
    const zigbee = await client(scope, broker.url, trust)
    await zigbee.publishAsync('zigbee2mqtt/lobby', '{"temperature":1}', { qos: 1 })
    expect(broker.arrivals.at(-1)).toMatchObject({ kind: 'scan' })
    expect(await refusedWith(broker.url, { ...trust, username: 'plant', password: '' })).toBe(4)
  })
  test.each(['mqtts', 'wss'] as const)(
    '%s with a ca: a certificate is needed, and is the password of its name',
    async (kind) => {
      const tls = { cert: CERTIFICATE, key: KEY, ca: CERTIFICATE }
      const broker = await open(scope, { listen: [{ kind, host: '127.0.0.1', port: 0 }], tls })
      const ours = { ...trust, cert: CERTIFICATE, key: KEY, password: '' }
      const plant = await client(scope, broker.url, { ...ours, username: 'plant' })
      await plant.publishAsync('plant/flow', '{"flow":1}', { qos: 1 })
      expect(broker.arrivals.at(-1)).toMatchObject({ kind: 'scan' })
      expect(await refusedWith(broker.url, { ...ours, username: 'zigbee' })).toBe(4)
      expect(await refusedWith(broker.url, { ...trust, username: 'zigbee', password: 'honey' })).not.toBe(0)
    },
  )
  test('a port that is taken, a certificate that is missing: said at the opening', async () => {
    const broker = await open(scope)
    const port = portOf(broker.url)
    for (const kind of ['mqtt', 'ws'] as const) {
      await expect(open(scope, { listen: [{ kind, host: '127.0.0.1', port }] })).rejects.toThrow(
        `cannot listen on ${kind}://127.0.0.1:${port}: something listens there already`,
      )
    }
    await expect(open(scope, { listen: [{ kind: 'mqtts', host: '127.0.0.1', port: 0 }] })).rejects.toThrow(
      'broker: mqtts:// needs `tls: {cert, key}`',
    )
  })
  test('closing ends every connection and frees the port', async () => {
    const broker = await open(scope)
    const zigbee = await client(scope, broker.url)
    const closed = closeOf(zigbee)
    await broker.close()
    await closed
    const again = await open(scope, { listen: [{ kind: 'mqtt', host: '127.0.0.1', port: portOf(broker.url) }] })
    expect(again.url).toBe(broker.url)
  })
})

describe('a broker on site', () => {
  const outside = (url: string) => ({
    ...SETTINGS,
    listen: [],
    connect: { server: url, username: 'zigbee', password: { reveal: () => 'honey' } },
  })
  /** The broker on site lets the gateway read, and is no gateway itself. */
  const onSite = (target: Scope) =>
    open(
      target,
      { clients: [{ id: 'zigbee', password: { reveal: () => 'honey' }, publish: ['#'], subscribe: ['#'] }] },
      { devices: [] },
    )

  test('its messages are taken, and answered when durable', async () => {
    const site = await onSite(scope)
    const gateway = await open(scope, outside(site.url), { devices: DEVICES })
    await expect.poll(() => gateway.status().connected).toBe(true)
    const zigbee = await client(scope, site.url, { clientId: 'sensor' })
    // Subscribed when its own message comes back.
    const publishing = setInterval(() => zigbee.publish('zigbee2mqtt/lobby', '{"temperature":4}', { qos: 1 }), 10)
    const scan = await gateway.arrival(isScan)
    clearInterval(publishing)
    expect(scan).toMatchObject({ device: 0, readings: [{ point: 0, value: 4 }] })
    await zigbee.subscribeAsync('x/set', { qos: 1 })
    const heard = messageOf(zigbee)
    expect(await gateway.publish('x/set', 'ON')).toBeNull()
    expect((await heard)[0]).toBe('x/set')
  })

  test('away: publishing says so, devices go off line', async () => {
    const inner = new Scope()
    const site = await onSite(inner)
    const gateway = await open(scope, outside(site.url), { devices: DEVICES })
    await expect.poll(() => gateway.status().connected).toBe(true)
    const zigbee = await client(inner, site.url, { clientId: 'sensor' })
    const publishing = setInterval(() => zigbee.publish('zigbee2mqtt/lobby', '{"temperature":4}', { qos: 1 }), 10)
    await gateway.arrival(isScan)
    clearInterval(publishing)
    await inner.close()
    const offline = await gateway.arrival((arrival) => arrival.kind === 'device' && arrival.state === 'offline')
    expect(offline).toMatchObject({ device: 0, cause: { kind: 'closed' } })
    expect(await gateway.publish('x/set', 'ON')).toEqual({ kind: 'closed' })
    expect(gateway.status().connected).toBe(false)
  })
})
