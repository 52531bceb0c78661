/**
 * Twenty strangers on the local broker, each with half a CONNECT of 256 MB: what the library alone would collect in memory (87 MB were
 * measured) must cost less than 10, and devices must not notice.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cli, freePort, freshDir, type Program, portOpen, removeDir, startGateway, until } from './tools.ts'

const STRANGERS = 20
/** Fixed header of a CONNECT with the greatest remaining length that MQTT has: 268,435,455. */
const HEAD = Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0x00, 0x04, 0x4d, 0x51, 0x54, 0x54, 0x05])
const PIECE = Buffer.alloc(64 * 1024, 0x41)
const PIECES = 64

let dir: string
let port: number
let gateway: Program

beforeAll(async () => {
  dir = freshDir('guard')
  port = await freePort()
  mkdirSync(join(dir, 'data'))
  writeFileSync(
    join(dir, 'site.yaml'),
    `
lab: true
site: {id: guard_test}
gateway: {clock: system}
broker:
  listen: ["mqtt://127.0.0.1:${port}"]
  clients:
    zigbee: {password: "letmein", publish: ["zigbee2mqtt/#"], subscribe: []}
devices:
  lobby_air: {driver: environment/zigbee2mqtt_climate, topic: zigbee2mqtt/lobby}
`,
  )
  gateway = startGateway(join(dir, 'site.yaml'), join(dir, 'data'))
  await until(`the broker: ${gateway.lines.slice(-5).join('\n')}`, () => portOpen(port))
})

afterAll(async () => {
  await gateway?.kill()
  removeDir(dir)
})

function rssMb(): number {
  return Number(readFileSync(`/proc/${gateway.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)?.[1]) / 1024
}

/** Writes as long as somebody reads. Resolves with whether the other side hung up within `ms`. */
function stranger(ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connectTcp(port, '127.0.0.1')
    const end = (hungUp: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(hungUp)
    }
    const timer = setTimeout(() => end(false), ms)
    socket.on('error', () => end(true))
    socket.on('close', () => end(true))
    socket.once('connect', () => {
      socket.write(HEAD)
      let sent = 0
      const pour = (): void => {
        while (sent++ < PIECES) if (!socket.write(PIECE)) return void socket.once('drain', pour)
      }
      pour()
    })
  })
}

async function published(value: number): Promise<number> {
  const begun = performance.now()
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
    clientId: 'zigbee',
    username: 'zigbee',
    password: 'letmein',
    reconnectPeriod: 0,
  })
  await client.publishAsync('zigbee2mqtt/lobby', JSON.stringify({ temperature: value }), { qos: 1 })
  await client.endAsync()
  return performance.now() - begun
}

async function temperature(): Promise<unknown> {
  const asked = await cli(['points', 'lobby_air.*', '--json', '-d', join(dir, 'data')])
  const rows = JSON.parse(asked.out) as
    | { point: string; value: unknown }[]
    | { points: { point: string; value: unknown }[] }
  const list = Array.isArray(rows) ? rows : rows.points
  return list.find(({ point }) => point.endsWith('temperature'))?.value
}

test('half a CONNECT of 256 MB from each of twenty sockets costs less than 10 MB', async () => {
  // What a login costs the first time (code, buffers) is not the strangers' doing.
  await published(20)
  for (let round = 0; round < 2; round++) await Promise.all(Array.from({ length: 4 }, () => stranger(500)))
  await published(20.5)
  const before = rssMb()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, rssMb())
  }, 50)
  const hungUp = await Promise.all(Array.from({ length: STRANGERS }, () => stranger(8000)))
  clearInterval(watch)
  expect(most - before, `RSS ${before.toFixed(1)} -> ${most.toFixed(1)} MB`).toBeLessThan(10)
  // None was listened to until he had enough.
  expect(hungUp).toEqual(hungUp.map(() => true))
  expect(gateway.child.exitCode).toBeNull()

  // A device with a password is served at once.
  expect(await published(21.5)).toBeLessThan(2000)
  await until('the value of the device', async () => (await temperature()) === 21.5)
}, 40_000)
