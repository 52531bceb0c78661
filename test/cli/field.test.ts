/** How buses and devices do, and which ports there are: on 80 columns, in both languages, and as JSON. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { BusStatus, DeviceStatus } from '../../src/bus/status.ts'
import { width } from '../../src/cli/table.ts'
import { portTable } from '../../src/cli/verbs/ports.ts'
import { busHealthOf } from '../../src/control/health.ts'
import type { BusRow, DeviceRow } from '../../src/control/shapes.ts'
import type { Port } from '../../src/transport/ports.ts'
import { openRig, type Rig } from '../control/rig.ts'
import { runOn } from './rig.ts'

let rig: Rig
beforeEach(async () => {
  rig = await openRig()
})
afterEach(() => rig.close())

/** What the wires count, changed here and there. */
function wires(change: { bus?: Partial<BusStatus>; device?: Partial<DeviceStatus> }): void {
  const { view } = rig.fake
  const { wire } = view
  view.wire = (index) => {
    const real = wire(index)
    return {
      ...real,
      status: () => ({ ...real.status(), ...(index === 0 ? change.bus : {}) }),
      devices: () => real.devices().map((each) => ({ ...each, ...(index === 0 ? change.device : {}) })),
    }
  }
  const { device } = view
  view.device = (index) => (index === 0 ? { ...device(index), state: change.device?.state ?? 'online' } : device(index))
}

async function screen(language: 'en' | 'zh', ...argv: string[]): Promise<readonly string[]> {
  const { lines, err } = await runOn([...argv, '-d', rig.data, '--lang', language])
  expect(err).toBe('')
  for (const line of lines) expect(width(line), line).toBeLessThanOrEqual(80)
  return lines
}

async function json<Row>(verb: string): Promise<readonly Row[]> {
  return JSON.parse((await runOn([verb, '--json', '-d', rig.data])).out) as Row[]
}

/** Monotonic time of the fake stands at 1,000,000 ms. */
const heard = { protocol: 'rtu', function: 'read holding registers', count: 41, everyMs: 2003 } as const
const master = { ...heard, direction: 'request', from: '7', lastAt: 999_000 } as const
const answering = { ...heard, direction: 'reply', from: '7', lastAt: 999_020 } as const

test('another master is said, with whom it asks and how often; and it is a reason to call the bus degraded', async () => {
  wires({
    bus: {
      strangers: [master, answering],
      collisions: 3,
      yields: 2,
      texts: [{ text: 'REG:0001', count: 7, lastAt: 999_000 }],
      lineChanges: 1234,
      lineChangeMs: 12.5,
    },
  })
  const en = await screen('en', 'buses')
  expect(en.find((line) => line.startsWith('pump_room'))).toMatch(/^pump_room +degraded /)
  expect(en.slice(en.findIndex((line) => line.includes('another master polls')))).toMatchInlineSnapshot(`
    [
      "bus pump_room: another master polls unit 7 every 2 s (rtu, read holding",
      "registers, 41 times)",
      "bus pump_room: 3 answers given up because the other master asked meanwhile",
      "bus pump_room: 2 writes waited until the other master had finished",
      "  → Two masters on one pair disturb each other: find it and take it off, or",
      "listen behind it.",
      "bus pump_room: the serial server sends a text of its own, "REG:0001" (7 times);",
      "it is skipped, and better switched off there",
      "bus pump_room: line setting changed 1 234 times, 13 ms each",
    ]
  `)
  const zh = await screen('zh', 'buses')
  expect(zh.slice(zh.findIndex((line) => line.includes('另有主站轮询')))).toMatchInlineSnapshot(`
    [
      "总线 pump_room：另有主站轮询从站 7，每 2 秒一次（rtu, read holding registers，41",
      "次）",
      "总线 pump_room：因另一主站同时询问，放弃了 3 个应答",
      "总线 pump_room：2 次写入等另一主站通信结束后才发出",
      "  → 一条线上两个主站会互相干扰：找到并拆除它，或改接在它之后。",
      "总线 pump_room：串口服务器自行发送文本“REG:0001”（7 次），已跳过；建议在其中关闭",
      "总线 pump_room：切换线路参数 1 234 次，每次 13 毫秒",
    ]
  `)
  const [row] = await json<BusRow>('buses')
  expect(row?.health).toMatchObject({ is: 'degraded', why: ['master'], lineChanges: 1234, collisions: 3 })
  expect(row?.health.strangers[0]).toMatchObject({ from: '7', everyMs: 2003, present: true, lastAt: 1_699_999_999_000 })
})

test('one that has gone is remembered and blamed no longer; one that is only answered is told by its answers', async () => {
  wires({ bus: { strangers: [{ ...master, lastAt: 400_000 }] } })
  const [row] = await json<BusRow>('buses')
  expect(row?.health).toMatchObject({ is: 'good', why: [] })
  expect((await screen('en', 'buses')).join('\n')).toContain('polled unit 7 every 2 s')
  wires({
    bus: { strangers: [{ ...answering, protocol: 'dlt645', from: '000012345678', function: null, everyMs: null }] },
  })
  const lines = (await screen('en', 'buses')).join(' ')
  expect(lines).toContain('address 000012345678 answers what nobody here asked (dlt645, 41 times)')
})

test('a wire without time left, and one whose devices fail', async () => {
  const { status } = rig.fake.view.wire(0)
  wires({
    bus: { utilisation: 0.99, health: { ...status().health, degraded: 1, responseMs: 80, usualMs: 20 } },
    device: { state: 'degraded', why: 'errors', trend: { errorShare: 0.25, responseMs: 80, usualMs: 20 } },
  })
  expect(busHealthOf(rig.fake.view, rig.fake.site.buses[0]!)).toMatchObject({
    is: 'degraded',
    why: ['overload', 'devices'],
    errorShare: 0.25,
  })
  const zh = (await screen('zh', 'buses')).join('\n')
  expect(zh).toMatch(/^pump_room +不稳定 /m)
  expect(zh).toContain('总线 pump_room 已无余量')
  expect(zh).toContain('25 % 的询问失败，应答 80 毫秒，平时 20 毫秒')
})

test('a degraded device says why', async () => {
  wires({ device: { state: 'degraded', why: 'slow', trend: { errorShare: 0.01, responseMs: 80, usualMs: 20 } } })
  expect(await screen('en', 'devices', 'pump_1')).toContain('degraded for 60 min: answers in 80 ms, usually 20 ms')
  wires({ device: { state: 'degraded', why: 'errors', trend: { errorShare: 0.25, responseMs: 21, usualMs: 20 } } })
  expect((await screen('zh', 'devices')).join('\n')).toContain('不稳定：25 % 的询问失败')
  expect((await screen('zh', 'status')).join('\n')).toMatch(/设备 pump_1 不稳定.*：25 % 的询问失败/)
  const [row, dead] = await json<DeviceRow>('devices')
  expect(row?.health).toEqual({ is: 'degraded', why: 'errors', errorShare: 0.25, responseMs: 21, usualMs: 20 })
  expect(dead?.health).toBeNull()
})

test('somebody else answers in its place', async () => {
  wires({ device: { state: 'offline', answersAs: '000087654321', misaddressed: 12 } })
  const en = await screen('en', 'devices', 'pump_1')
  expect(en.join('\n')).toContain('answers as 000087654321, expected 1')
  expect(en).toContain('12 answers under a foreign address were held back')
  expect((await screen('zh', 'devices', 'pump_1')).join('\n')).toContain('应答地址为 000087654321，应为 1')
  expect((await screen('zh', 'status')).join('\n')).toContain('地址 000087654321 在代它应答')
  const [row] = await json<DeviceRow>('devices')
  expect(row).toMatchObject({ answersAs: '000087654321', misaddressed: 12 })
})

const PORT: Port = {
  device: '/dev/ttyUSB0',
  path: '/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0',
  stableBy: 'socket',
  byPath: '/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0',
  byId: null,
  chip: 'FTDI, "FTDI USB-RS485 Cable"',
  driver: 'ftdi_sio',
  usb: '0403:6001',
  serial: null,
  latencyMs: 16,
  holders: [{ pid: 812, command: 'gatehouse' }],
  holdersKnown: true,
}

test('ports: the name to use is never cut; who holds it; which names do not stay', () => {
  const found: Port[] = [
    PORT,
    { ...PORT, device: '/dev/ttyS1', path: '/dev/ttyS1', stableBy: 'nothing', holders: [], chip: 'UART on board' },
    {
      ...PORT,
      device: '/dev/ttyUSB1',
      path: '/dev/serial/by-id/usb-A',
      stableBy: 'adapter',
      holders: [],
      holdersKnown: false,
    },
  ]
  expect(portTable(found, { language: 'en', width: 110, color: false })).toMatchInlineSnapshot(`
    [
      "USE THIS NAME                                           HELD BY          PORT     CHIP",
      "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0  gatehouse (812)  ttyUSB0  FTDI, "FTDI USB-RS485 Cable"",
      "/dev/ttyS1                                              free             ttyS1    UART on board",
      "/dev/serial/by-id/usb-A                                 ? (not root)     ttyUSB1  FTDI, "FTDI USB-RS485 Cable"",
      "",
      "ttyS1 has no name that stays: it may be another adapter after the next start",
      "",
      "ttyUSB1: the name stays with the adapter, not with the socket it is plugged into",
    ]
  `)
  const narrow = portTable(found, { language: 'zh', width: 80, color: false })
  expect(narrow[1]).toContain(PORT.path)
  expect(narrow).toMatchInlineSnapshot(`
    [
      "应使用的名称                                            占用者  端口     芯片",
      "/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0  gateh…  ttyUSB0  FTDI, "…",
      "/dev/ttyS1                                              空闲    ttyS1    UART on…",
      "/dev/serial/by-id/usb-A                                 未知…   ttyUSB1  FTDI, "…",
      "",
      "ttyS1 没有固定名称：下次启动后可能是另一个转换器",
      "",
      "ttyUSB1：名称跟随转换器本身，而不是所插的插口",
    ]
  `)
  expect(portTable([], { language: 'zh', width: 80, color: false })[0]).toBe('本机没有串口。')
})

test('ports as JSON, from this host, without a daemon', async () => {
  const { exit, out, err } = await runOn(['ports', '--json'])
  expect([exit, err]).toEqual([0, ''])
  expect(Array.isArray(JSON.parse(out))).toBe(true)
})

test('check says which devices will be read less often than asked', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'gh-check-'))
  mkdirSync(join(dir, 'drivers/io'), { recursive: true })
  writeFileSync(
    join(dir, 'drivers/io/fast.yaml'),
    `driver: io/fast\ntitle: {en: Fast, zh: 快}\ncategory: io\nprotocol: modbus\nmanual: 0based\nsource: made for this test
proven: none\nline: 9600 8N1\npolls: {fast: 100ms}\npoints:\n  level: {at: holding 0, as: u16, every: fast}\n`,
  )
  const devices = [1, 2, 3, 4].map((n) => `  box_${n}: {driver: io/fast, bus: riser, address: ${n}}`).join('\n')
  writeFileSync(
    join(dir, 'site.yaml'),
    `site: {id: s}\nbuses:\n  riser: {wire: /dev/ttyX, line: 9600 8N1}\ndevices:\n${devices}\n`,
  )
  const file = join(dir, 'site.yaml')
  const text = await runOn(['check', '-c', file, '--lang', 'en'])
  expect(text.out).toMatch(/box_3: every 100 ms wanted, every 2\d\d ms predicted/)
  const { buses } = JSON.parse((await runOn(['check', '-c', file, '--json'])).out) as {
    buses: { slower: { device: string; everyMs: number; predictedMs: number }[] }[]
  }
  expect(buses[0]?.slower.map(({ device }) => device)).toEqual(['box_1', 'box_2', 'box_3', 'box_4'])
  expect(buses[0]?.slower[0]?.predictedMs).toBeGreaterThan(200)
  rmSync(dir, { recursive: true })
})
