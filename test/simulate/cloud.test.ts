/** The stand-in cloud is the judge of others: what it must notice, it is shown here. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import mqtt from 'mqtt'
import { afterEach, describe, expect, it } from 'vitest'
import { canonicalJson } from '../../src/bytes/json.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { type Cloud, type CloudMessage, openCloud } from '../../src/simulate/cloud.ts'
import { ContractBreach, parseBatch } from '../../src/simulate/receive.ts'

const open: { close: () => Promise<void> }[] = []
afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close()
})

const DEVICES = [{ i: 'meter_12', t: [0, 5000], p: { energy: [1, null] }, q: { energy: [0, 'timeout'] } }]

function message(
  lane: 't' | 'a' | 'e',
  number: number,
  entries: unknown,
  changes: Record<string, unknown> = {},
): Buffer {
  const content = canonicalJson(entries)
  const header = {
    v: 1,
    gw: 'gw1',
    ep: '5f3a9c1e',
    bt: 1,
    ln: lane,
    sq: number,
    id: createHash('sha256').update(content).digest('hex').slice(0, 16),
    t0: 1_700_000_000_000,
    tq: 1,
    cv: 1,
    n: 1,
    ...changes,
  }
  return Buffer.from(`${JSON.stringify(header).slice(0, -1)},"${lane === 't' ? 'd' : 'x'}":${content}}`)
}

describe('what a consumer checks', () => {
  it('takes an honest batch, plain or gzip, live or backfill', () => {
    const plain = message('t', 7, DEVICES)
    expect(parseBatch('t', plain)).toMatchObject({ lane: 't', number: 7, samples: 1, newestAt: 1_700_000_005_000 })
    expect(parseBatch('b', gzipSync(plain))).toEqual(parseBatch('t', plain))
  })

  it.each([
    ['another id', message('t', 1, DEVICES, { id: '0123456789abcdef' }), 't', /not the hash/],
    ['another count', message('t', 1, DEVICES, { n: 2 }), 't', /n is 2 and there are 1/],
    [
      'a short column',
      message('t', 1, [{ i: 'm', t: [0, 1], p: { energy: [1] } }]),
      't',
      /m.energy is not as long as t/,
    ],
    ['another lane’s topic', message('t', 1, DEVICES), 'a', /lane t on topic a/],
    ['a lane that does not exist', message('t', 1, DEVICES, { ln: 'b' }), 'b', /ln is "b"/],
    ['a broken number', message('t', 1, DEVICES, { sq: 1.5 }), 't', /sq is not a whole number/],
    ['another version', message('t', 1, DEVICES, { v: 2 }), 't', /v is not 1/],
    [
      'content that is not canonical',
      Buffer.from(message('t', 1, DEVICES).toString().replace('"i":', '"i": ')),
      't',
      /canonical/,
    ],
    ['no JSON', Buffer.from('{"v":'), 't', /cannot be read/],
    ['no known encoding', Buffer.from([0xd9, 0xd9, 0xf7]), 't', /neither/],
    ['a gzip bomb', gzipSync(Buffer.alloc(64 * 1024 * 1024, 0x20)), 't', /cannot be read/],
  ])('refuses %s', (_, payload, level, why) => {
    expect(() => parseBatch(level, payload)).toThrow(ContractBreach)
    expect(() => parseBatch(level, payload)).toThrow(why)
  })
})

async function openStandIn(): Promise<{ cloud: Cloud; messages: CloudMessage[] }> {
  const messages: CloudMessage[] = []
  const cloud = await openCloud({ port: 0, log: SILENT, onMessage: (seen) => messages.push(seen) })
  open.push(cloud)
  return { cloud, messages }
}

async function connect(cloud: Cloud): Promise<(level: string, payload: Buffer | string) => Promise<unknown>> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${cloud.port}`, { protocolVersion: 4, reconnectPeriod: 0 })
  client.on('error', () => undefined)
  open.push({ close: () => client.endAsync(true) })
  return (level, payload) => client.publishAsync(`gh/v1/demo/gw1/${level}`, payload, { qos: 1 })
}

function heartbeat(ack: number): string {
  const lane = { ep: '5f3a9c1e', hi: 9, ack, lo: ack + 1, kept: 1 }
  return JSON.stringify({
    v: 1,
    gw: 'gw1',
    bt: 1,
    cn: 1,
    at: 1,
    tq: 1,
    mo: 1,
    ln: { t: lane, a: { ...lane, ack: 0 }, e: { ...lane, ack: 0 } },
  })
}

describe('stand-in cloud', () => {
  it('finds the hole that a heartbeat proves, and takes a drop for it', async () => {
    const { cloud } = await openStandIn()
    const publish = await connect(cloud)
    for (const number of [1, 2, 4]) await publish('t', message('t', number, DEVICES))
    await publish('h', heartbeat(4))
    expect(cloud.report()).toMatchObject({
      batches: 3,
      undeclared: 1,
      gaps: [{ lane: 't', from: 3, to: 3 }],
      heartbeats: 1,
    })
    const body = { ln: 't', from: 3, to: 3, n: 54, tFrom: 1, tTo: 2, why: 'retention' }
    await publish('e', message('e', 1, [{ id: 'x', ty: 'drop', at: 1_700_000_000_000, i: null, body }]))
    expect(cloud.report()).toMatchObject({ undeclared: 0, dropped: 1, droppedSamples: 54, breaches: 0 })
  })

  it('keeps the highest revision of an alarm, in whatever order they come', async () => {
    const { cloud } = await openStandIn()
    const publish = await connect(cloud)
    const transition = (rv: number, ev: string): unknown => ({ id: '01JDC', rv, ev, at: 1_700_000_000_500 })
    await publish('a', message('a', 2, [transition(2, 'cleared')]))
    await publish('a', message('a', 1, [transition(1, 'raised')]))
    expect(cloud.alarms()).toEqual([{ gateway: 'gw1', id: '01JDC', rv: 2, ev: 'cleared', at: 1_700_000_000_500 }])
  })

  it('counts breaches and goes on', async () => {
    const { cloud, messages } = await openStandIn()
    const publish = await connect(cloud)
    await publish('t', message('t', 1, DEVICES))
    await publish('t', message('t', 1, [{ ...DEVICES[0], i: 'meter_13' }]))
    await publish('t', message('t', 1, DEVICES, { gw: 'gw2' }))
    await publish('t', 'nonsense')
    await publish('t', message('t', 2, DEVICES))
    expect(cloud.report()).toMatchObject({ batches: 2, conflicts: 1, breaches: 3 })
    expect(messages.map(({ kind }) => kind)).toEqual(['batch', 'breach', 'breach', 'breach', 'batch'])
  })

  it('can be cut and restored on the same port', async () => {
    const { cloud } = await openStandIn()
    const publish = await connect(cloud)
    await publish('t', message('t', 1, DEVICES))
    await cloud.stop()
    expect(cloud.isUp()).toBe(false)
    await expect(mqtt.connectAsync(`mqtt://127.0.0.1:${cloud.port}`, { reconnectPeriod: 0 }, false)).rejects.toThrow(
      /ECONNREFUSED/,
    )
    await cloud.start()
    const again = await connect(cloud)
    await again('t', message('t', 1, DEVICES))
    expect(cloud.report()).toMatchObject({ batches: 1, duplicates: 1, connections: 2 })
  })
})
