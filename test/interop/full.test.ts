/**
 * The data disk is full to the last byte, by another program's doing (a tmpfs of 32 MB): alarms are still durable before they are
 * announced, the daemon neither ends nor fails to start, and what telemetry was lost is declared once there is room again.
 * Needs the right to mount (CI has it).
 */
import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  Consumer,
  cli,
  freePort,
  freshDir,
  identityOf,
  type Program,
  type PyDevice,
  removeDir,
  startGateway,
  startMosquitto,
  startPymodbus,
  undeclaredGaps,
  until,
} from './tools.ts'

const DRIVER = `
driver: io/filling
title: {en: Filling, zh: 写满}
category: io
protocol: modbus
manual: 0based
source: made for this test
proven: none
polls: {fast: 200ms}
points:
${Array.from({ length: 100 }, (_, k) => `  r_${k}: {at: holding ${k}, as: u16, every: fast}`).join('\n')}
  level: {at: input 0, as: u16, every: fast}
alarms:
  high: {when: level > 100, priority: critical, text: {en: High, zh: 高}}
`

let dir: string
let data: string
let mosquitto: Program
let device: PyDevice
let gateway: Program
let consumer: Consumer
let mounted = false

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const run = (): Program => startGateway(join(dir, 'site.yaml'), data)

function mount(): void {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=32m', 'gatehouse-full', data], { stdio: 'pipe' })
    mounted = true
  } catch (error) {
    throw new Error('this test fills a disk of its own and must be allowed to mount a tmpfs: run it as root', {
      cause: error,
    })
  }
}

/** Until nothing more goes in, not one byte. */
function fill(): void {
  const file = openSync(join(data, 'other-program.log'), 'a')
  try {
    for (let size = 1 << 20; size >= 1; size = size >> 1) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size, 0x78))
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      }
    }
  } finally {
    closeSync(file)
  }
}

beforeAll(async () => {
  dir = freshDir('full')
  data = join(dir, 'data')
  const devicePort = await freePort()
  const cloudPort = await freePort()
  for (const name of ['drivers/io', 'data', 'mosquitto']) mkdirSync(join(dir, name), { recursive: true })
  mount()
  writeFileSync(join(dir, 'drivers/io/filling.yaml'), DRIVER)
  writeFileSync(
    join(dir, 'site.yaml'),
    `
lab: true
site: {id: full_test}
gateway: {clock: system}
store: {cut: {every: 1s}}
uplinks:
  cloud: {dialect: native, tenant: demo, servers: ["mqtt://127.0.0.1:${cloudPort}"], backfill: {rate: 1GiB/s, delay: 0s}}
buses:
  plant: {wire: "modbus-tcp://127.0.0.1:${devicePort}"}
devices:
  box: {driver: io/filling, bus: plant, address: 1}
`,
  )
  mosquitto = await startMosquitto(cloudPort, join(dir, 'mosquitto'))
  device = await startPymodbus(['tcp', String(devicePort)])
  await device.order({ ramp: { unit: 1, table: 'holding', address: 0, count: 100, every: 0.2 } })
  consumer = await Consumer.open(cloudPort, { clientId: 'ingest' })
  gateway = run()
})

afterAll(async () => {
  await consumer?.close()
  await gateway?.kill()
  await device?.kill()
  await mosquitto?.kill()
  if (mounted) execFileSync('umount', ['-l', data])
  removeDir(dir)
})

type Edge = { id: string; rule: string; ev: string; rv: number }

/** In the order in which they came, those that came twice once: after a kill the gateway sends again what it has no word on. */
function edges(): Edge[] {
  const once = new Map(consumer.batches('a').map((batch) => [batch.sq, batch]))
  return [...once.values()]
    .flatMap((batch) => (batch.x ?? []) as unknown as Edge[])
    .filter(({ rule }) => rule === 'box.high')
}

/** Puts the level there and waits for what it does to the alarm. */
async function turn(level: number, ev: 'raised' | 'cleared'): Promise<Edge> {
  const before = edges().length
  await device.order({ unit: 1, table: 'input', address: 0, values: [level] })
  return await until(
    `${ev} at the cloud: ${gateway.lines.slice(-5).join('\n')}`,
    () => {
      if (gateway.child.exitCode !== null) throw new Error(`the gateway ended: ${gateway.lines.slice(-5).join('\n')}`)
      return edges()
        .slice(before)
        .find((edge) => edge.ev === ev)
    },
    5_000,
  )
}

async function status(): Promise<{ boot: number; store: { durable: boolean }; alarms: { active: number } } | null> {
  const asked = await cli(['status', '--json', '-d', data])
  return asked.out === '' ? null : (JSON.parse(asked.out) as never)
}

test('100 % full: alarms are durable and told, the daemon stays, starts again, and declares what it lost', async () => {
  await until('telemetry', () => consumer.series('box.r_0').length > 5)
  fill()
  expect(statfsSync(data).bavail).toBe(0)

  // Edge after edge, each told only once it is on the disk.
  for (let round = 0; round < 3; round++) {
    await turn(200, 'raised')
    await turn(0, 'cleared')
  }
  const standing = await turn(200, 'raised')
  // Telemetry has nowhere to go by now, and the gateway says so itself.
  await until('a word on the disk', async () => (await status())?.store.durable === false)
  await pause(2000)
  expect(statfsSync(data).bavail).toBe(0)
  expect(gateway.child.exitCode).toBeNull()

  // Started again on the full disk: what was told is still known, the same alarm is not raised a second time.
  await gateway.kill('SIGKILL')
  gateway = run()
  await until('the second boot', async () => {
    if (gateway.child.exitCode !== null) throw new Error(`it does not start: ${gateway.lines.slice(-8).join('\n')}`)
    return (await status())?.boot === 2
  })
  await until('values after the start', async () => {
    const asked = await cli(['points', 'box.level', '--json', '-d', data])
    return asked.out.includes('200')
  })
  await pause(500)
  expect(edges().filter(({ id }) => id === standing.id).length).toBeGreaterThan(0)
  expect(edges().filter(({ ev }) => ev === 'raised')).toHaveLength(4)
  const gone = await turn(0, 'cleared')
  expect(gone.id).toBe(standing.id)
  // This boot, too, has had telemetry refused by now: that is the loss which it must declare.
  await until('a word on the disk, again', async () => (await status())?.store.durable === false)

  // Room again: telemetry goes on, and the hole is declared.
  rmSync(join(data, 'other-program.log'))
  const freedAt = Date.now()
  await until('telemetry again', () => consumer.series('box.r_0').some(([at]) => at > freedAt + 500), 20_000)
  await until('durable again', async () => (await status())?.store.durable === true)
  const declared = await until('the declared loss', () =>
    consumer
      .batches('e')
      .flatMap((batch) => (batch.x ?? []) as unknown as { ty: string; body: { ln: string; why: string; n: number } }[])
      .find(({ ty, body }) => ty === 'drop' && body.ln === 't' && body.why === 'disk'),
  )
  expect(declared.body.n).toBeGreaterThan(0)

  const asked = await cli(['outbox', '--json', '-d', data])
  const { cloud } = JSON.parse(asked.out) as { cloud: Record<'t' | 'a' | 'e', { ack: number }> }
  for (const lane of ['t', 'a', 'e'] as const) {
    await until(`what lane ${lane} acknowledged`, () => undeclaredGaps(consumer, lane, cloud[lane].ack).length === 0)
    for (const batch of consumer.batches(lane)) expect(identityOf(batch)).toBe(batch.id)
  }
}, 90_000)
