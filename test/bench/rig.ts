/** Starts the real daemon over generated sites, with devices and a cloud in processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Program, ROOT } from './program.ts'

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export type Peer = {
  readonly lines: string[]
  readonly say: (line: string) => void
  readonly stop: () => Promise<void>
}

function startPeer(command: string, args: readonly string[]): Peer {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    lines,
    say: (line) => child.stdin.write(`${line}\n`),
    stop() {
      child.stdin.end()
      child.kill()
      return ended
    },
  }
}

async function firstLine<T>(peer: Peer): Promise<T> {
  while (peer.lines.length === 0) await pause(10)
  return JSON.parse(peer.lines[0] ?? '') as T
}

async function freePort(): Promise<number> {
  return await new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0))
    })
  })
}

/** mosquitto where it is installed: the broker that figures are compared on. Else one in Node. */
export const CLOUD = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto'].find((file) => existsSync(file)) ?? 'aedes'

async function startCloud(dir: string, port: number): Promise<Peer> {
  let broker: Peer
  if (CLOUD === 'aedes') {
    broker = startPeer(process.execPath, [join(ROOT, 'test/bench/cloud.ts'), String(port)])
    await firstLine(broker)
  } else {
    const file = join(dir, 'mosquitto.conf')
    writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_type error\n`)
    broker = startPeer(CLOUD, ['-c', file])
    while (!(await answers(port))) await pause(20)
  }
  const sink = startPeer(process.execPath, [join(ROOT, 'test/bench/sink.ts'), String(port)])
  await firstLine(sink)
  return {
    ...broker,
    async stop() {
      await sink.stop()
      await broker.stop()
    },
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

export type Load = {
  readonly devices: number
  readonly registers: number
  /** A duration of the site file: `1s`, `20ms`. */
  readonly every: string
  readonly rules: number
  readonly uplink: boolean
  /** Of old data, in the site file's words. */
  readonly backfill?: string
}

export type Status = {
  store: { samplesCommitted: number; lagMs: number; commitEveryMs: number }
  points: { total: number; good: number }
  uplinks: Record<string, { connected: boolean; waitingSamples: number; waitingBatches: number }>
  process: {
    rssBytes: number
    loopLagP99Ms: number
    alarmToOutputMs: { count: number; p50: number; p99: number }
    alarmToDurableMs: { count: number; p50: number; p99: number }
  }
}

function driver(load: Load): string {
  const points = Array.from({ length: load.registers }, (_, k) => `  r_${k}: {at: holding ${k}, as: u16, every: fast}`)
  return `driver: io/bench
title: {en: Bench, zh: 压测}
category: io
protocol: modbus
manual: 0based
source: made for the bench
proven: none
polls: {fast: ${load.every}, slow: 60s}
points:
${points.join('\n')}
  out: {at: coil 1, every: slow, write: {role: operator}}
`
}

/** Each device has one rule that the bench can trip, with an output of its own; the others watch and stay quiet. */
function siteText(load: Load, ports: readonly number[], cloudPort: number): string {
  const buses = ports.map((port, k) => `  bus_${k}: {wire: "modbus-tcp://127.0.0.1:${port}"}`)
  const devices = ports.map((_, k) => `  dev_${k}: {driver: io/bench, bus: bus_${k}, address: 1}`)
  const quiet = Array.from({ length: load.rules }, (_, k) => {
    const device = `dev_${k % load.devices}`
    return `  rule_${k}: {when: "${device}.r_${1 + (k % (load.registers - 1))} > 64000", priority: low, text: {en: High, zh: 高}}`
  })
  const tripped = ports.map(
    (_, k) =>
      `  marked_${k}: {when: "dev_${k}.r_0 > 100", priority: critical, text: {en: Marked, zh: 标记}, do: [{write: dev_${k}.out, value: true, onClear: false}]}`,
  )
  const backfill = load.backfill === undefined ? '' : `, backfill: ${load.backfill}`
  const uplinks = load.uplink
    ? `uplinks: {cloud: {dialect: native, tenant: bench, servers: ["mqtt://127.0.0.1:${cloudPort}"]${backfill}}}\n`
    : ''
  // Wear is not to stretch the commits: what is measured are commits of one second.
  return `lab: true
site: {id: bench}
gateway: {clock: system}
store: {wear: 1000GiB/d}
${uplinks}buses:
${buses.join('\n')}
devices:
${devices.join('\n')}
alarms:
${[...quiet, ...tripped].join('\n')}
`
}

/** One POST over the control socket: the bench asks as the CLI does, without starting a process each time. */
function ask<T>(socket: string, operation: string, input: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socket, method: 'POST', path: `/v1/${operation}` }, (response) => {
      let text = ''
      response.on('data', (bytes: Buffer) => {
        text += bytes.toString()
      })
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text) as T)
        else reject(new Error(`${operation}: ${text}`))
      })
    })
    asked.once('error', reject)
    asked.setHeader('content-type', 'application/json')
    asked.end(JSON.stringify(input))
  })
}

export type Rig = {
  readonly dir: string
  readonly data: string
  readonly device: Peer
  readonly pid: () => number
  readonly startedAt: () => number
  readonly ask: <T>(operation: string, input: unknown) => Promise<T>
  readonly status: () => Promise<Status>
  readonly startGateway: () => Promise<void>
  readonly stopGateway: (signal?: NodeJS.Signals) => Promise<void>
  readonly startCloud: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Devices are up, the site is written; nothing else runs yet. */
export async function layRig(program: Program, load: Load): Promise<Rig> {
  const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'gatehouse-bench-'))
  const data = join(dir, 'data')
  mkdirSync(join(dir, 'drivers/io'), { recursive: true })
  mkdirSync(data)
  const device = startPeer(process.execPath, [join(ROOT, 'test/bench/device.ts'), String(load.devices)])
  const { ports } = await firstLine<{ ports: number[] }>(device)
  const cloudPort = await freePort()
  writeFileSync(join(dir, 'drivers/io/bench.yaml'), driver(load))
  writeFileSync(join(dir, 'site.yaml'), siteText(load, ports, cloudPort))
  const socket = join(data, 'gatehouse.sock')
  let cloud: Peer | null = null
  let gateway: { child: ChildProcess; ended: Promise<void>; startedAt: number } | null = null

  async function startGateway(): Promise<void> {
    const [command, ...args] = program.command
    const startedAt = Date.now()
    // A socket that an earlier run left behind is not this one's.
    rmSync(socket, { force: true })
    const child = spawn(command, [...args, 'run', '-c', join(dir, 'site.yaml'), '-d', data], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        said = (said + bytes.toString()).slice(-4000)
      })
    }
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    gateway = { child, ended, startedAt }
    while (!existsSync(socket)) {
      if (child.exitCode !== null) throw new Error(`the gateway ended with ${child.exitCode}:\n${said}`)
      await pause(5)
    }
  }

  async function stopGateway(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    gateway?.child.kill(signal)
    await gateway?.ended
    gateway = null
  }

  return {
    dir,
    data,
    device,
    pid: () => gateway?.child.pid ?? 0,
    startedAt: () => gateway?.startedAt ?? 0,
    ask: (operation, input) => ask(socket, operation, input),
    status: () => ask<Status>(socket, 'status', {}),
    startGateway,
    stopGateway,
    async startCloud() {
      cloud = await startCloud(dir, cloudPort)
    },
    async stop() {
      await stopGateway()
      await device.stop()
      await cloud?.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** All of it running. */
export async function openRig(program: Program, load: Load): Promise<Rig> {
  const rig = await layRig(program, load)
  try {
    if (load.uplink) await rig.startCloud()
    await rig.startGateway()
    return rig
  } catch (error) {
    await rig.stop()
    throw error
  }
}

export async function firstGood(rig: Rig): Promise<number> {
  for (;;) {
    if ((await rig.status()).points.good > 0) return Date.now() - rig.startedAt()
    await pause(5)
  }
}
