/**
 * The whole path against independent stacks: pymodbus is the device, mosquitto the cloud, mosquitto_pub the sensor.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  Consumer,
  freePort,
  freshDir,
  identityOf,
  type Program,
  type PyDevice,
  removeDir,
  start,
  startGateway,
  startMosquitto,
  startPymodbus,
  until,
} from './tools.ts'

const DRIVER = `
driver: io/every_encoding
title: {en: Every encoding, zh: 各种编码}
category: io
protocol: modbus
manual: 0based
source: made for this test
proven: none
polls: {fast: 1s}
points:
  f32_abcd: {at: holding 0, as: f32, order: ABCD, every: fast}
  f32_cdab: {at: holding 2, as: f32, order: CDAB, every: fast}
  u32_abcd: {at: holding 4, as: u32, order: ABCD, every: fast}
  u32_cdab: {at: holding 6, as: u32, order: CDAB, every: fast}
  s16_scaled: {at: input 10, as: s16, scale: 0.1, unit: "°C", every: fast}
  status: {at: input 20, as: bits, flags: {0: running, 1: fault, 15: remote}, every: fast}
  word: {at: input 21, as: u16, invalid: [65535], every: fast}
  door: {at: discrete 3, every: fast}
  relay: {at: coil 5, every: fast, write: {role: operator, readBack: true}}
alarms:
  too_hot:
    when: s16_scaled > 30
    priority: high
    text: {en: Too hot, zh: 温度过高}
`

const site = (ports: { device: number; cloud: number; broker: number }): string => `
lab: true
site: {id: path_test}
gateway: {clock: system}
store: {cut: {every: 1s}}
broker:
  listen: ["mqtt://127.0.0.1:${ports.broker}"]
  clients:
    zigbee: {password: "letmein", publish: ["zigbee2mqtt/#"], subscribe: []}
uplinks:
  cloud: {dialect: native, tenant: demo, servers: ["mqtt://127.0.0.1:${ports.cloud}"]}
buses:
  plant: {wire: "modbus-tcp://127.0.0.1:${ports.device}"}
devices:
  box_1: {driver: io/every_encoding, bus: plant, address: 1}
  lobby_air: {driver: environment/zigbee2mqtt_climate, topic: zigbee2mqtt/lobby}
alarms:
  box_warm:
    when: box_1.f32_abcd > 100.0
    priority: critical
    text: {en: Box warm, zh: 箱体过热}
    do: [{write: box_1.relay, value: true, onClear: false}]
`

let dir: string
let mosquitto: Program
let device: PyDevice
let gateway: Program
let consumer: Consumer
let ports: { device: number; cloud: number; broker: number }

beforeAll(async () => {
  dir = freshDir('path')
  ports = { device: await freePort(), cloud: await freePort(), broker: await freePort() }
  mkdirSync(join(dir, 'drivers/io'), { recursive: true })
  mkdirSync(join(dir, 'data'))
  mkdirSync(join(dir, 'mosquitto'))
  writeFileSync(join(dir, 'drivers/io/every_encoding.yaml'), DRIVER)
  writeFileSync(join(dir, 'site.yaml'), site(ports))
  mosquitto = await startMosquitto(ports.cloud, join(dir, 'mosquitto'))
  device = await startPymodbus(['tcp', String(ports.device)])
  // 230.2 as f32 is 43 66 33 33; -12.5 is C1 48 00 00; 3,000,000,123 is B2 D0 5E 7B.
  await device.order({
    unit: 1,
    table: 'holding',
    address: 0,
    values: [0x4366, 0x3333, 0x0000, 0xc148, 0xb2d0, 0x5e7b, 0x5e7b, 0xb2d0],
  })
  await device.order({ unit: 1, table: 'input', address: 10, values: [0x10000 - 123] })
  await device.order({ unit: 1, table: 'input', address: 20, values: [0x8001, 65535] })
  await device.order({ unit: 1, table: 'discrete', address: 3, values: [1] })
  // Values above set the alarm of the site off: f32_abcd starts low instead.
  await device.order({ unit: 1, table: 'holding', address: 0, values: [0x41a4, 0x0000] })
  consumer = await Consumer.open(ports.cloud, { clientId: 'ingest' })
  gateway = startGateway(join(dir, 'site.yaml'), join(dir, 'data'))
})

afterAll(async () => {
  await consumer?.close()
  await gateway?.kill()
  await device?.kill()
  await mosquitto?.kill()
  removeDir(dir)
})

const last = (point: string): number | string | boolean | null | undefined => consumer.series(point).at(-1)?.[1]

test('what the subscriber sees equals what pymodbus holds', async () => {
  await until(
    `values of box_1; gateway says: ${gateway.lines.slice(-5).join('\n')}`,
    () => last('box_1.door') !== undefined,
  )
  expect({
    f32_abcd: last('box_1.f32_abcd'),
    f32_cdab: last('box_1.f32_cdab'),
    u32_abcd: last('box_1.u32_abcd'),
    u32_cdab: last('box_1.u32_cdab'),
    s16_scaled: last('box_1.s16_scaled'),
    status_running: last('box_1.status_running'),
    status_fault: last('box_1.status_fault'),
    status_remote: last('box_1.status_remote'),
    door: last('box_1.door'),
    relay: last('box_1.relay'),
  }).toEqual({
    f32_abcd: 20.5,
    f32_cdab: -12.5,
    u32_abcd: 3_000_000_123,
    u32_cdab: 3_000_000_123,
    s16_scaled: -12.3,
    status_running: true,
    status_fault: false,
    status_remote: true,
    door: true,
    relay: false,
  })
  expect(consumer.series('box_1.word').at(-1)).toMatchObject([expect.any(Number), null, 'sentinel'])
})

test('a sensor on the local broker: logged in, acknowledged, seen in the cloud', async () => {
  const publish = (args: readonly string[]): Promise<number | null> => {
    const program = start('mosquitto_pub', [
      '-h',
      '127.0.0.1',
      '-p',
      String(ports.broker),
      '-q',
      '1',
      '-V',
      'mqttv311',
      ...args,
    ])
    return new Promise((resolve) => program.child.once('close', resolve))
  }
  const payload = '{"temperature":21.46,"humidity":48.2,"battery":97,"linkquality":120}'
  expect(await publish(['-u', 'zigbee', '-P', 'wrong', '-t', 'zigbee2mqtt/lobby', '-m', payload])).not.toBe(0)
  expect(await publish(['-t', 'zigbee2mqtt/lobby', '-m', payload])).not.toBe(0)
  expect(await publish(['-u', 'zigbee', '-P', 'letmein', '-t', 'zigbee2mqtt/lobby', '-m', payload])).toBe(0)
  await until('the sensor in the cloud', () => last('lobby_air.temperature') === 21.46)
  expect(last('lobby_air.humidity')).toBe(48.2)
})

test('a local alarm is with the subscriber within 2 s of the register changing, and its output acts', async () => {
  const changedAt = Date.now()
  await device.order({ unit: 1, table: 'holding', address: 0, values: [0x4366, 0x3333] })
  const raised = await until('box_warm in the cloud', () =>
    consumer
      .batches('a')
      .find((batch) => (batch.x ?? []).some((x) => x['rule'] === 'box_warm' && x['ev'] === 'raised')),
  )
  expect(raised.receivedAt - changedAt).toBeLessThan(2000)
  await until('the relay in the cloud', () => last('box_1.relay') === true)
  await device.order({ unit: 1, table: 'holding', address: 0, values: [0x41a4, 0x0000] })
  await until('box_warm cleared', () =>
    consumer
      .batches('a')
      .some((batch) => (batch.x ?? []).some((x) => x['rule'] === 'box_warm' && x['ev'] === 'cleared')),
  )
  await until('the relay off again', () => last('box_1.relay') === false)
})

test('identity, counts and metadata are as the contract says', async () => {
  await until('metadata', () => consumer.batches('e').some((batch) => (batch.x ?? []).some((x) => x['ty'] === 'meta')))
  const all = [...consumer.batches('t'), ...consumer.batches('a'), ...consumer.batches('e')]
  for (const batch of all) {
    expect(identityOf(batch)).toBe(batch.id)
    expect(batch.gw).toBe('path_test')
    expect(batch.tq).toBe(1)
    if (batch.x !== undefined) expect(batch.n).toBe(batch.x.length)
    else {
      const values = (batch.d ?? []).flatMap((entry) => Object.values(entry.p)).flat()
      expect(batch.n).toBe(values.filter((value) => value !== null).length)
      for (const entry of batch.d ?? []) {
        for (const column of [...Object.values(entry.p), ...Object.values(entry.q ?? {})])
          expect(column).toHaveLength(entry.t.length)
      }
    }
  }
  for (const lane of ['t', 'a', 'e'] as const) {
    const numbers = consumer.batches(lane).map((batch) => batch.sq)
    expect([...new Set(numbers)].sort((a, b) => a - b)).toEqual(
      Array.from({ length: Math.max(...numbers) }, (_, k) => k + 1),
    )
  }
  const state = consumer.received.find(({ topic }) => topic === 'gh/v1/demo/path_test/s')?.body
  expect(state).toMatchObject({ v: 1, gw: 'path_test', on: true, bt: 1 })
})

test('an orderly stop says so', async () => {
  expect(await gateway.kill('SIGTERM')).toBe(0)
  await until('state off', () =>
    consumer.received.some(({ topic, body }) => topic.endsWith('/s') && body['on'] === false && body['why'] === 'stop'),
  )
})
