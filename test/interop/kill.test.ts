/**
 * Killed with -9 at random moments under load, again and again, and opened again each time. Afterwards, for every lane: no number below
 * the last one acknowledged is missing undeclared, none ever carried two contents, and what a local publisher got its PUBACK for
 * is there. (A power cut takes more than a kill: see the tests of the store.) The seed is printed; KILL_SEED repeats it,
 * KILL_TIMES makes it longer.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  Consumer,
  cli,
  freePort,
  freshDir,
  identityOf,
  type Program,
  type PyDevice,
  portOpen,
  removeDir,
  startGateway,
  startMosquitto,
  startPymodbus,
  undeclaredGaps,
  until,
} from './tools.ts'

const KILLS = Number(process.env['KILL_TIMES'] ?? 8)
const REGISTERS = 100

const SEED = Number(process.env['KILL_SEED'] ?? (Date.now() % 2_147_483_646) + 1)

const RAMP = `
driver: io/ramp
title: {en: Ramp, zh: 斜坡}
category: io
protocol: modbus
manual: 0based
source: made for this test
proven: none
polls: {fast: 100ms}
points:
${Array.from({ length: REGISTERS }, (_, k) => `  r_${k}: {at: holding ${k}, as: u16, every: fast}`).join('\n')}
alarms:
  odd: {when: r_0 % 70 >= 35, priority: medium, text: {en: Odd, zh: 奇}}
`

const COUNTER = `
driver: environment/counting
title: {en: Counting, zh: 计数}
category: environment
protocol: mqtt
payload: json
source: made for this test
proven: none
points:
  count: {at: "count"}
`

let seed = SEED
/** Park-Miller. */
function random(): number {
  seed = (seed * 48_271) % 2_147_483_647
  return seed / 2_147_483_647
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

let dir: string
let mosquitto: Program
let device: PyDevice
let gateway: Program
let consumer: Consumer
let brokerPort: number

const run = (): Program => startGateway(join(dir, 'site.yaml'), join(dir, 'data'))

beforeAll(async () => {
  dir = freshDir('kill')
  const devicePort = await freePort()
  const cloudPort = await freePort()
  brokerPort = await freePort()
  for (const name of ['drivers/io', 'drivers/environment', 'data', 'mosquitto'])
    mkdirSync(join(dir, name), { recursive: true })
  writeFileSync(join(dir, 'drivers/io/ramp.yaml'), RAMP)
  writeFileSync(join(dir, 'drivers/environment/counting.yaml'), COUNTER)
  writeFileSync(
    join(dir, 'site.yaml'),
    `
lab: true
site: {id: kill_test}
gateway: {clock: system}
store: {commitEvery: 200ms, cut: {every: 1s}}
broker:
  listen: ["mqtt://127.0.0.1:${brokerPort}"]
  clients:
    counter: {password: "letmein", publish: ["count/#"], subscribe: []}
uplinks:
  cloud: {dialect: native, tenant: demo, servers: ["mqtt://127.0.0.1:${cloudPort}"], backfill: {rate: 1GiB/s, delay: 0s}}
buses:
  plant: {wire: "modbus-tcp://127.0.0.1:${devicePort}"}
devices:
  ramp_1: {driver: io/ramp, bus: plant, address: 1}
  ramp_2: {driver: io/ramp, bus: plant, address: 2}
  counter: {driver: environment/counting, topic: count/one}
`,
  )
  mosquitto = await startMosquitto(cloudPort, join(dir, 'mosquitto'))
  device = await startPymodbus(['tcp', String(devicePort)])
  for (const unit of [1, 2])
    await device.order({ ramp: { unit, table: 'holding', address: 0, count: REGISTERS, every: 0.15 } })
  consumer = await Consumer.open(cloudPort, { clientId: 'ingest', persistent: true })
})

afterAll(async () => {
  await consumer?.close()
  await gateway?.kill()
  await device?.kill()
  await mosquitto?.kill()
  removeDir(dir)
})

/** Opened, and its broker listens. */
async function serving(): Promise<void> {
  await until('the broker of the gateway', async () => {
    if (gateway.child.exitCode !== null) throw new Error(`the gateway ended: ${gateway.lines.slice(-5).join('\n')}`)
    return await portOpen(brokerPort)
  })
}

/** Publishes one number after the other, several at a time, and remembers which were acknowledged. Ends with its connection. */
async function publish(from: number, acknowledged: Set<number>): Promise<number> {
  let next = from
  let client: MqttClient
  try {
    client = await connectAsync(`mqtt://127.0.0.1:${brokerPort}`, {
      clientId: 'counter',
      username: 'counter',
      password: 'letmein',
      reconnectPeriod: 0,
    })
  } catch (error) {
    // Killed before it let anybody in.
    if (error instanceof Error) return next
    throw error
  }
  let open = true
  client.on('close', () => {
    open = false
  })
  client.on('error', () => {
    open = false
  })
  while (open) {
    const count = next++
    client.publish('count/one', JSON.stringify({ count }), { qos: 1 }, (error) => {
      if (!error) acknowledged.add(count)
    })
    await pause(5 + random() * 20)
  }
  await client.endAsync(true)
  return next
}

type Outbox = Record<'t' | 'a' | 'e', { ep: string; hi: number; ack: number; waiting: number }>

async function outbox(): Promise<Outbox | null> {
  const asked = await cli(['outbox', '--json', '-d', join(dir, 'data')])
  return asked.code === 0 ? (JSON.parse(asked.out) as { cloud: Outbox }).cloud : null
}

test(
  `kill -9, ${KILLS} times (seed ${SEED})`,
  async () => {
    const acknowledged = new Set<number>()
    let next = 1
    for (let kill = 0; kill < KILLS; kill++) {
      gateway = run()
      if (random() < 0.3) {
        // Dies while it is still opening.
        await pause(30 + random() * 400)
        await gateway.kill('SIGKILL')
        continue
      }
      await serving()
      const publishing = publish(next, acknowledged)
      await pause(50 + random() * 2500)
      await gateway.kill('SIGKILL')
      next = await publishing
    }
    gateway = run()
    await serving()
    const publishing = publish(next, acknowledged)
    await pause(2000)
    const stood = await until(
      'an empty outbox',
      async () => {
        const box = await outbox()
        return box !== null && box.a.waiting + box.e.waiting + box.t.waiting <= 2 ? box : null
      },
      20_000,
    )
    const bound = acknowledged.size
    await until('what was acknowledged', () => {
      const seen = new Set(consumer.series('counter.count').map(([, value]) => value))
      return [...acknowledged].slice(0, bound).every((count) => seen.has(count))
    }).catch((error: unknown) => {
      const seen = new Set(consumer.series('counter.count').map(([, value]) => value))
      const lost = [...acknowledged].filter((count) => !seen.has(count))
      throw new Error(`acknowledged to the publisher, but not there: ${lost.slice(0, 20).join()} (seed ${SEED})`, {
        cause: error,
      })
    })
    await gateway.kill('SIGTERM')
    await publishing
    await pause(300)

    // The load was one: publishes, alarms and telemetry of several boots.
    expect(acknowledged.size).toBeGreaterThan(100)
    expect(new Set(consumer.batches('t').map((batch) => batch.bt)).size).toBeGreaterThan(2)
    expect(consumer.batches('a').length).toBeGreaterThan(5)

    for (const lane of ['t', 'a', 'e'] as const) {
      expect(consumer.batches(lane).every((batch) => batch.ep === stood[lane].ep)).toBe(true)
      expect(stood[lane].ack, `lane ${lane}`).toBeGreaterThan(5)
      expect(undeclaredGaps(consumer, lane, stood[lane].ack), `lane ${lane} (seed ${SEED})`).toEqual([])
      const ids = new Map<string, string>()
      for (const batch of consumer.batches(lane)) {
        expect(identityOf(batch)).toBe(batch.id)
        const name = `${batch.ep}/${batch.sq}`
        expect(ids.get(name) ?? batch.id, `number ${name} of lane ${lane} has two contents (seed ${SEED})`).toBe(
          batch.id,
        )
        ids.set(name, batch.id)
      }
    }
  },
  60_000 + KILLS * 10_000,
)
