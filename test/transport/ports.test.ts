import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { holdersOf, inspectPort, listPorts, type Roots } from '../../src/transport/ports.ts'

let root = ''
let roots: Roots

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ports-'))
  roots = { dev: join(root, 'dev'), sys: join(root, 'sys'), proc: join(root, 'proc') }
})
afterEach(() => rmSync(root, { recursive: true }))

function file(path: string, content = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), content)
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  symlinkSync(target.startsWith('/') ? join(root, target) : target, join(root, path))
}

/** A USB adapter as the kernel shows it. */
function adapter(name: string, socket: string, more: { driver: string; product: string; serial?: string }): void {
  const usb = `sys/devices/usb1/${socket}`
  file(`dev/${name}`)
  file(`${usb}/idVendor`, '0403\n')
  file(`${usb}/idProduct`, '6001\n')
  file(`${usb}/manufacturer`, 'FTDI\n')
  file(`${usb}/product`, `${more.product}\n`)
  if (more.serial !== undefined) file(`${usb}/serial`, `${more.serial}\n`)
  file(`${usb}/${socket}:1.0/${name}/latency_timer`, '16\n')
  link(`${usb}/${socket}:1.0/driver`, `/sys/bus/usb/drivers/${more.driver}`)
  link(`sys/class/tty/${name}/device`, `/${usb}/${socket}:1.0/${name}`)
  link(`dev/serial/by-path/pci-0000:00:14.0-usbv2-0:${socket}:1.0-port0`, `../../${name}`)
  link(`dev/serial/by-path/pci-0000:00:14.0-usb-0:${socket}:1.0-port0`, `../../${name}`)
}

test('each port by the name of its socket, with chip, latency, serial number and who holds it', async () => {
  adapter('ttyUSB10', '1-2', { driver: 'ftdi_sio', product: 'FT232R USB UART', serial: 'A50285BI' })
  adapter('ttyUSB2', '1-3', { driver: 'ch341', product: 'USB2.0-Serial' })
  link('dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0', '../../ttyUSB10')
  file('proc/412/comm', 'mbpoll\n')
  link('proc/412/fd/5', '/dev/ttyUSB10')
  link('proc/412/fd/6', '/dev/ttyUSB10')
  file('proc/self/comm', 'node\n')
  const ports = await listPorts(roots)
  const socket = (number: string): string =>
    join(roots.dev, `serial/by-path/pci-0000:00:14.0-usb-0:${number}:1.0-port0`)
  expect(ports).toEqual([
    {
      device: join(roots.dev, 'ttyUSB2'),
      path: socket('1-3'),
      stableBy: 'socket',
      byPath: socket('1-3'),
      byId: null,
      chip: 'WCH CH340/CH341, "FTDI USB2.0-Serial"',
      driver: 'ch341',
      usb: '0403:6001',
      serial: null,
      latencyMs: 16,
      holders: [],
      holdersKnown: true,
    },
    {
      device: join(roots.dev, 'ttyUSB10'),
      path: socket('1-2'),
      stableBy: 'socket',
      byPath: socket('1-2'),
      byId: join(roots.dev, 'serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0'),
      chip: 'FTDI, "FTDI FT232R USB UART"',
      driver: 'ftdi_sio',
      usb: '0403:6001',
      serial: 'A50285BI',
      latencyMs: 16,
      holders: [{ pid: 412, command: 'mbpoll' }],
      holdersKnown: true,
    },
  ])
})

test('a UART on the board keeps its name; ports without hardware are left out', async () => {
  file('dev/ttyAMA0')
  file('sys/class/tty/ttyAMA0/type', '32\n')
  link('sys/devices/platform/fe201000.serial/driver', '/sys/bus/amba/drivers/uart-pl011')
  link('sys/class/tty/ttyAMA0/device', '/sys/devices/platform/fe201000.serial')
  file('sys/class/tty/ttyS0/type', '0\n')
  file('sys/devices/platform/serial8250/uevent')
  link('sys/class/tty/ttyS0/device', '/sys/devices/platform/serial8250')
  file('sys/class/tty/tty1/dev', '4:1\n')
  const ports = await listPorts(roots)
  expect(ports).toMatchObject([
    {
      device: join(roots.dev, 'ttyAMA0'),
      path: join(roots.dev, 'ttyAMA0'),
      stableBy: 'nothing',
      chip: 'UART on board',
      usb: null,
    },
  ])
})

test('one port: is it there, may we, who else', async () => {
  file('dev/ttyUSB0')
  file('proc/7/comm', 'socat\n')
  link('proc/7/fd/3', '/dev/ttyUSB0')
  link(`proc/${process.pid}/fd/3`, '/dev/ttyUSB0')
  expect(await inspectPort(join(roots.dev, 'ttyUSB0'), roots)).toEqual({
    exists: true,
    permitted: true,
    holders: [{ pid: 7, command: 'socat' }],
  })
  expect(await inspectPort(join(roots.dev, 'gone'), roots)).toEqual({ exists: false, permitted: false, holders: [] })
})

test('a program of Node is called by what was started, not by its thread', async () => {
  file('dev/ttyUSB0')
  file('proc/9/comm', 'MainThread\n')
  file('proc/9/cmdline', '/usr/lib/gatehouse/node\0main.ts\0')
  link('proc/9/fd/3', '/dev/ttyUSB0')
  const { holders } = await inspectPort(join(roots.dev, 'ttyUSB0'), roots)
  expect(holders).toEqual([{ pid: 9, command: 'node' }])
})

test('nothing there at all', async () => {
  expect(await listPorts(roots)).toEqual([])
})

test('who holds a file is asked by any name that leads to it; on this host too', async () => {
  file('dev/ttyUSB0')
  link('dev/serial/by-path/x', '../../ttyUSB0')
  file('proc/7/comm', 'socat\n')
  link('proc/7/fd/3', '/dev/ttyUSB0')
  const name = join(roots.dev, 'serial/by-path/x')
  expect((await holdersOf([name], roots)).holders.get(name)).toEqual([{ pid: 7, command: 'socat' }])
  expect(Array.isArray(await listPorts())).toBe(true)
})
