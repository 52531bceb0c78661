/**
 * A canary: one card number comes in by a printed line, by a published event and by a register, in a gateway that logs, stores,
 * alarms, forwards, traces and captures. It must be nowhere but on those three wires.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createHmac } from 'node:crypto'
import {
  cli,
  Consumer,
  freePort,
  freshDir,
  type Program,
  removeDir,
  ROOT,
  start,
  startGateway,
  startMosquitto,
  until,
} from './tools.ts'

/** As decimal text, as the bytes of a register pair, and as hexadecimal text: no other number looks like it. */
const CANARY = 0x7a5c3e91
const DECIMAL = String(CANARY)
const HEX = CANARY.toString(16)
const BYTES = Buffer.from(HEX, 'hex')

const READER = `driver: access/test_printer
title: {en: Printer, zh: 打印}
category: access
protocol: textline
source: made for this test
textline: {delimiter: "\\r\\n", separator: ","}
points:
  card: {at: field 2, card: wiegand34_decimal, kind: event, only: {field 1: CARD}}
  open: {at: field 3, as: bit}
proof:
  - {received: "CARD,305419896,1\\r\\n", samples: {card: "w34:305419896", open: true}}
alarms:
  seen: {when: card != "", priority: low, text: {en: Card, zh: 卡}}
`
const REGISTER = `driver: access/test_register
title: {en: Register, zh: 寄存器}
category: access
protocol: modbus
source: made for this test
polls: {fast: 200ms}
points:
  card: {at: holding 0, as: u32, card: wiegand34_decimal}
  number: {at: holding 2, as: u16}
`

type Ports = { cloud: number; broker: number; lines: number; modbus: number }
const site = (ports: Ports): string => `
lab: true
site: {id: personal_test}
gateway: {clock: system}
store: {cut: {every: 1s}}
broker:
  listen: ["mqtt://127.0.0.1:${ports.broker}"]
  clients:
    doors: {password: "letmein", publish: ["uhppoted/#"], subscribe: []}
uplinks:
  cloud: {dialect: native, tenant: demo, servers: ["mqtt://127.0.0.1:${ports.cloud}"]}
buses:
  gate: {wire: "tcp://127.0.0.1:${ports.lines}"}
  panel: {wire: "modbus-tcp://127.0.0.1:${ports.modbus}"}
devices:
  reader: {driver: access/test_printer, bus: gate}
  board: {driver: access/uhppoted_door, topic: uhppoted/gateway/405419896}
  register: {driver: access/test_register, bus: panel, address: 1}
`

let dir: string
let mosquitto: Program
let gateway: Program
let consumer: Consumer
let ports: Ports
const servers: Server[] = []
let printer: Socket | null = null

function listen(port: number, take: (socket: Socket) => void): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    take(socket)
  })
  servers.push(server)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
}

/** Answers every read with the canary and a small number. */
function answerReads(socket: Socket): void {
  socket.on('data', (request) => {
    const count = request.readUInt16BE(10)
    const data = Buffer.concat([BYTES, Buffer.from([0, 7])]).subarray(0, count * 2)
    const head = Buffer.from([...request.subarray(0, 4), 0, data.length + 3, request[6] ?? 1, 3, data.length])
    socket.write(Buffer.concat([head, data]))
  })
}

beforeAll(async () => {
  dir = freshDir('personal')
  ports = {
    cloud: await freePort(),
    broker: await freePort(),
    lines: await freePort(),
    modbus: await freePort(),
  }
  await listen(ports.lines, (socket) => {
    printer = socket
  })
  await listen(ports.modbus, answerReads)
  mosquitto = await startMosquitto(ports.cloud, dir)
  mkdirSync(join(dir, 'drivers/access'), { recursive: true })
  writeFileSync(join(dir, 'drivers/access/test_printer.yaml'), READER)
  writeFileSync(join(dir, 'drivers/access/test_register.yaml'), REGISTER)
  writeFileSync(join(dir, 'site.yaml'), site(ports))
  consumer = await Consumer.open(ports.cloud, { clientId: 'consumer' })
  gateway = startGateway(join(dir, 'site.yaml'), join(dir, 'data'))
  await until(`ready: ${gateway.lines.join('\n')}`, () => gateway.lines.some((line) => line.includes('"ready"')))
})

afterAll(async () => {
  await gateway?.kill()
  await consumer?.close()
  await mosquitto?.kill()
  for (const server of servers) server.close()
  printer?.destroy()
  removeDir(dir)
})

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => statSync(name).isFile())
}

function holds(content: Buffer): boolean {
  const text = content.toString('latin1').toLowerCase()
  return (
    text.includes(DECIMAL) ||
    text.includes(HEX) ||
    content.includes(BYTES) ||
    content.includes(Buffer.from(BYTES).reverse())
  )
}

test('a card number reaches nobody: log, data, cloud, screens, trace, capture', async () => {
  const args = ['-c', join(dir, 'site.yaml'), '-d', join(dir, 'data')]
  const capture = join(dir, 'data', 'capture.jsonl')
  const traces = ['gate', 'panel'].map((bus) =>
    start(join(ROOT, 'bin/gatehouse'), ['trace', bus, '--out', `${capture}.${bus}`, ...args]),
  )
  const published = JSON.stringify({
    'device-id': 405419896,
    'event-id': 50,
    'event-type-text': 'swipe',
    'access-granted': true,
    'door-id': 4,
    'direction-text': 'in',
    'card-number': CANARY,
  })
  // Good ones, and ones that are refused: what cannot be used must not be shown either.
  const isMasked = (bus: string) =>
    existsSync(`${capture}.${bus}`) && readFileSync(`${capture}.${bus}`, 'utf8').includes('"masked":')
  await until('both traces have seen bytes', () => {
    printer?.write(`CARD,${DECIMAL},1\r\nCARD,${DECIMAL}9,0\r\nODD ${DECIMAL}\r\n`)
    return isMasked('gate') && isMasked('panel')
  })
  const pub = ['-h', '127.0.0.1', '-p', String(ports.broker), '-u', 'doors', '-P', 'letmein', '-q', '1']
  for (const message of [published, `${published} broken`]) {
    const sender = start('mosquitto_pub', [...pub, '-t', 'uhppoted/gateway/events', '-m', message])
    expect(await new Promise((resolve) => sender.child.once('close', resolve))).toBe(0)
  }

  const key = Buffer.from(readFileSync(join(dir, 'data/secrets/site_key'), 'utf8').trim(), 'hex')
  const pseudonym = (text: string) => createHmac('sha256', key).update(text).digest('hex').slice(0, 24)
  const events = () =>
    consumer
      .batches('e')
      .flatMap((batch) => batch.x ?? [])
      .filter((event) => event['ty'] === 'point')
      .map((event) => `${String(event['i'])} ${(event['body'] as { value: string }).value}`)
  const wanted = [`reader ${pseudonym(`w34:${DECIMAL}`)}`, `board ${pseudonym(DECIMAL)}`]
  await until(`the events: ${events().join(' ')}`, () => wanted.every((event) => events().includes(event)))
  await until('the register', () => consumer.series('register.card').length > 0)
  expect(consumer.series('register.card')[0]?.[1]).toBe(pseudonym(`w34:${DECIMAL}`))

  const screens = []
  for (const verb of [
    ['points', '--json'],
    ['explain', 'register.card'],
    ['explain', 'reader.card'],
    ['devices', 'reader', '--json'],
    ['buses', '--json'],
    ['alarms', '--json'],
    ['history', 'register.card'],
    ['read', 'register.card', '--json'],
  ])
    screens.push(await cli([...verb, ...args]))
  expect(JSON.parse(screens[0]?.out ?? '')).toContainEqual(
    expect.objectContaining({ point: 'register.card', value: pseudonym(`w34:${DECIMAL}`) }),
  )
  for (const trace of traces) await trace.kill('SIGINT')
  await gateway.kill()

  const log = gateway.lines.join('\n')
  expect(log).toContain('a line was refused')
  expect(holds(Buffer.from(log))).toBe(false)
  expect(holds(Buffer.from(traces.flatMap(({ lines }) => lines).join('\n')))).toBe(false)
  for (const { out, err } of screens) expect(holds(Buffer.from(out + err))).toBe(false)
  expect(holds(Buffer.from(JSON.stringify(consumer.received)))).toBe(false)
  const kept = files(join(dir, 'data'))
  expect(kept.length).toBeGreaterThan(5)
  expect(kept.filter((name) => holds(readFileSync(name)))).toEqual([])
  // The check can fail.
  expect(holds(Buffer.from(`x${DECIMAL}x`)) && holds(Buffer.concat([Buffer.from('x'), BYTES]))).toBe(true)
})
