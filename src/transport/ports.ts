/**
 * Serial ports of this host: the name to use for each, what it is, and who holds it. `/dev/ttyUSB0` is whichever adapter was found
 * first; the by-path name stays with the socket that the adapter is plugged into, the by-id name with the adapter. Reads /dev, /sys
 * and /proc, opens nothing, changes nothing.
 */
import { access, constants, readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

export type Holder = { readonly pid: number; readonly command: string }

export type Port = {
  /** `/dev/ttyUSB0`: not to be relied on. */
  readonly device: string
  /** The name to write into a site file. */
  readonly path: string
  /** What keeps that name the same: the socket, the adapter's serial number, or nothing. */
  readonly stableBy: 'socket' | 'adapter' | 'nothing'
  readonly byPath: string | null
  /** null also where two adapters say the same of themselves. */
  readonly byId: string | null
  /** In words: the chip's family, and what the adapter calls itself. */
  readonly chip: string
  /** Kernel driver: `ftdi_sio`. */
  readonly driver: string | null
  /** `0403:6001` */
  readonly usb: string | null
  readonly serial: string | null
  /** How long the adapter collects bytes before it passes them on, where it says so. */
  readonly latencyMs: number | null
  readonly holders: readonly Holder[]
  /** false: there are processes whose files we may not see. */
  readonly holdersKnown: boolean
}

/** Where the host's files are; for tests somewhere else. */
export type Roots = { readonly dev: string; readonly sys: string; readonly proc: string }

const HOST: Roots = { dev: '/dev', sys: '/sys', proc: '/proc' }

/** Families by kernel driver (Linux, drivers/usb/serial and drivers/tty/serial). */
const FAMILIES: Readonly<Record<string, string>> = {
  ftdi_sio: 'FTDI',
  ch341: 'WCH CH340/CH341',
  cp210x: 'Silicon Labs CP210x',
  pl2303: 'Prolific PL2303',
  cdc_acm: 'USB CDC ACM',
  xr_serial: 'MaxLinear XR21',
  mos7840: 'MosChip 7840',
  ti_usb_3410_5052: 'TI 3410/5052',
  option: 'modem',
  qcserial: 'modem',
  serial8250: 'UART on board',
  'uart-pl011': 'UART on board',
  imx_uart: 'UART on board',
  'imx-uart': 'UART on board',
  omap_uart: 'UART on board',
  'dw-apb-uart': 'UART on board',
}

/** All ports that have hardware behind them, by name. */
export async function listPorts(roots: Roots = HOST): Promise<readonly Port[]> {
  const [byPath, byId, names] = await Promise.all([
    linksIn(join(roots.dev, 'serial/by-path')),
    linksIn(join(roots.dev, 'serial/by-id')),
    listed(join(roots.sys, 'class/tty')),
  ])
  const hardware = (await Promise.all(names.map((name) => hardwareOf(name, roots)))).filter((each) => each !== null)
  const devices = hardware.map(({ name }) => join(roots.dev, name))
  const { holders, known } = await holdersOf(devices, roots)
  return hardware
    .map(({ name, ...facts }): Port => {
      const device = join(roots.dev, name)
      const socket = preferred(byPath.get(device) ?? [])
      const adapter = byId.get(device)?.[0] ?? null
      return {
        device,
        path: socket ?? adapter ?? device,
        stableBy: socket !== null ? 'socket' : adapter !== null ? 'adapter' : 'nothing',
        byPath: socket,
        byId: adapter,
        ...facts,
        holders: holders.get(device) ?? [],
        holdersKnown: known,
      }
    })
    .sort((a, b) => a.device.localeCompare(b.device, 'en', { numeric: true }))
}

/** Processes that have one of these files open, by the name given; links are followed. */
export async function holdersOf(
  paths: readonly string[],
  roots: Roots = HOST,
): Promise<{ readonly holders: ReadonlyMap<string, readonly Holder[]>; readonly known: boolean }> {
  const wanted = new Map<string, string>()
  for (const path of paths) wanted.set((await orNull(realpath(path))) ?? path, path)
  const holders = new Map<string, Holder[]>()
  let known = true
  for (const pid of (await listed(roots.proc)).filter((name) => /^\d+$/.test(name))) {
    const folder = join(roots.proc, pid, 'fd')
    const files = await orDenied(readdir(folder))
    if (files === 'denied') known = false
    if (files === 'denied' || files === null) continue
    const opened = await Promise.all(files.map((file) => orNull(readlink(join(folder, file)))))
    for (const path of new Set(opened.flatMap((file) => wanted.get(file ?? '') ?? []))) {
      const command = await commandOf(join(roots.proc, pid))
      holders.set(path, [...(holders.get(path) ?? []), { pid: Number(pid), command }])
    }
  }
  return { holders, known }
}

/** Programs of Node call their first thread MainThread: then the name of what was started. */
async function commandOf(folder: string): Promise<string> {
  const name = await text(join(folder, 'comm'))
  if (name !== null && name !== 'MainThread') return name
  const [started = ''] = ((await text(join(folder, 'cmdline'))) ?? '').split('\0')
  return basename(started) || '?'
}

/** What the system says of one port, by whatever name. `holders` are others than this process. */
export async function inspectPort(
  path: string,
  roots: Roots = HOST,
): Promise<{ readonly exists: boolean; readonly permitted: boolean; readonly holders: readonly Holder[] }> {
  const exists = (await orDenied(realpath(path))) !== null
  const usable = await orDenied(access(path, constants.R_OK | constants.W_OK).then(() => true))
  const { holders } = await holdersOf([path], roots)
  const others = (holders.get(path) ?? []).filter(({ pid }) => pid !== process.pid)
  return { exists, permitted: usable === true, holders: others }
}

type Hardware = Pick<Port, 'chip' | 'driver' | 'usb' | 'serial' | 'latencyMs'> & { readonly name: string }

/** null: a terminal of the kernel's own, or a UART that the kernel only thinks of. */
async function hardwareOf(name: string, { sys }: Roots): Promise<Hardware | null> {
  const folder = join(sys, 'class/tty', name)
  const device = await orNull(realpath(join(folder, 'device')))
  if (device === null) return null
  // Type 0 is PORT_UNKNOWN: four of those stand on every PC.
  if ((await text(join(folder, 'type'))) === '0') return null
  const driver = await driverOf(device, sys)
  const usb = await usbOf(device, sys)
  const family = (driver === null ? null : FAMILIES[driver]) ?? driver ?? 'unknown'
  const latency = Number((await text(join(device, 'latency_timer'))) ?? Number.NaN)
  return {
    name,
    driver,
    chip: usb === null || usb.title === '' ? family : `${family}, "${usb.title}"`,
    usb: usb === null ? null : usb.id,
    serial: usb?.serial ?? null,
    latencyMs: Number.isFinite(latency) ? latency : null,
  }
}

/** The nearest driver that says something: newer kernels put a port object of their own between. */
async function driverOf(device: string, sys: string): Promise<string | null> {
  for (let folder = device; folder.startsWith(sys) && folder !== sys; folder = dirname(folder)) {
    const driver = await orNull(readlink(join(folder, 'driver')))
    const name = driver === null ? null : basename(driver)
    if (name !== null && name !== 'port' && name !== 'ctrl') return name
  }
  return null
}

type Usb = { readonly id: string; readonly title: string; readonly serial: string | null }

/** The USB device above the port; null: there is none. */
async function usbOf(device: string, sys: string): Promise<Usb | null> {
  for (let folder = device; folder.startsWith(sys) && folder !== sys; folder = dirname(folder)) {
    const vendor = await text(join(folder, 'idVendor'))
    if (vendor === null) continue
    const [product, maker, title, serial] = await Promise.all(
      ['idProduct', 'manufacturer', 'product', 'serial'].map((file) => text(join(folder, file))),
    )
    const words = [maker ?? '', title ?? ''].filter((word) => word !== '')
    return { id: `${vendor}:${product ?? '????'}`, title: words.join(' '), serial: serial ?? null }
  }
  return null
}

/** Device to the links that lead to it, sorted. A name that udev gives to two adapters in turn is of no use, but is one link here. */
async function linksIn(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>()
  for (const name of await listed(folder)) {
    const path = join(folder, name)
    const device = await orNull(realpath(path))
    if (device !== null) found.set(device, [...(found.get(device) ?? []), path])
  }
  return found
}

/** udev gives USB ports two names since version 255; `usbv2` is the newer spelling and not known to older ones. */
function preferred(links: readonly string[]): string | null {
  return links.find((link) => !link.includes('-usbv')) ?? links[0] ?? null
}

/** Names in a folder, sorted; none where there is no such folder. */
async function listed(folder: string): Promise<readonly string[]> {
  return ((await orNull(readdir(folder))) ?? []).sort()
}

async function text(file: string): Promise<string | null> {
  return (await orNull(readFile(file, 'utf8')))?.trim() ?? null
}

/** What is not there, not ours to see, or just gone: all the same here. */
async function orNull<T>(asked: Promise<T>): Promise<T | null> {
  const answer = await orDenied(asked)
  return answer === 'denied' ? null : answer
}

/** Codes of files that come and go while we look, or that the kernel does not let us read. */
const GONE = new Set(['ENOENT', 'ENOTDIR', 'EINVAL', 'ESRCH', 'ENODEV', 'EIO', 'ELOOP'])

async function orDenied<T>(asked: Promise<T>): Promise<T | 'denied' | null> {
  try {
    return await asked
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'EACCES' || code === 'EPERM') return 'denied'
    if (GONE.has(code)) return null
    throw error
  }
}
