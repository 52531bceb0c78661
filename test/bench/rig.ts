/** Starts the real daemon over generated sites and reads its cost from the outside: /proc, the block device, its own status. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export type Peer = { readonly child: ChildProcess; readonly lines: string[]; readonly stop: () => Promise<void> }

export function startPeer(file: string, args: readonly string[]): Peer {
  const child = spawn(process.execPath, [join(ROOT, file), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  return {
    child,
    lines,
    stop() {
      child.stdin.end()
      child.kill()
      return ended
    },
  }
}

export async function firstLine<T>(peer: Peer): Promise<T> {
  while (peer.lines.length === 0) await pause(10)
  return JSON.parse(peer.lines[0] ?? '') as T
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

export type Load = {
  readonly devices: number
  readonly registers: number
  /** A duration of the site file: `1s`, `20ms`. */
  readonly every: string
  readonly rules: number
  readonly uplink: boolean
}

export type Status = {
  store: { samplesCommitted: number; bytes: number; lagMs: number; durable: boolean }
  points: { total: number; good: number }
  process: {
    rssBytes: number
    cpuMs: number
    loopLagP99Ms: number
    alarmToOutputMs: { count: number; p50: number; p99: number }
    alarmToDurableMs: { count: number; p50: number; p99: number }
  }
}

export type Rig = {
  readonly pid: number
  readonly startedAt: number
  readonly device: Peer
  readonly dir: string
  readonly status: () => Promise<Status>
  readonly points: (glob: string) => Promise<{ point: string; value: unknown; quality: string }[]>
  readonly stop: () => Promise<void>
}

function driver(load: Load): string {
  const points = Array.from({ length: load.registers }, (_, k) => `  r_${k}: {at: holding ${k}, as: u16, every: fast}`)
  return `driver: io/bench\ntitle: {en: Bench, zh: 压测}\ncategory: io\nprotocol: modbus\nmanual: 0based\nsource: made for the bench\nproven: none\npolls: {fast: ${load.every}}\npoints:\n${points.join('\n')}\n  out: {at: coil 1, write: {role: operator}}\n`
}

function siteText(load: Load, ports: readonly number[], cloudPort: number | null): string {
  const buses = ports.map((port, k) => `  bus_${k}: {wire: "modbus-tcp://127.0.0.1:${port}"}`)
  const devices = ports.map((_, k) => `  dev_${k}: {driver: io/bench, bus: bus_${k}, address: 1}`)
  const rules = Array.from({ length: load.rules }, (_, k) => {
    const device = `dev_${k % load.devices}`
    return `  rule_${k}: {when: "${device}.r_${1 + (k % (load.registers - 1))} > 64000", priority: low, text: {en: High, zh: 高}}`
  })
  rules.push(`  marked: {when: "dev_0.r_0 > 100", priority: critical, text: {en: Marked, zh: 标记}}`)
  const uplink =
    cloudPort === null
      ? ''
      : `uplinks: {cloud: {dialect: native, tenant: bench, servers: ["mqtt://127.0.0.1:${cloudPort}"]}}\n`
  return `lab: true\nsite: {id: bench}\ngateway: {clock: system}\n${uplink}buses:\n${buses.join('\n')}\ndevices:\n${devices.join('\n')}\nalarms:\n${rules.join('\n')}\n`
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

export async function openRig(load: Load): Promise<Rig> {
  const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'gatehouse-bench-'))
  mkdirSync(join(dir, 'drivers/io'), { recursive: true })
  mkdirSync(join(dir, 'data'))
  const device = startPeer('test/bench/device.ts', [String(load.devices), 'noise'])
  const { ports } = await firstLine<{ ports: number[] }>(device)
  const cloud = load.uplink ? startPeer('test/bench/cloud.ts', []) : null
  const cloudPort = cloud === null ? null : (await firstLine<{ port: number }>(cloud)).port
  writeFileSync(join(dir, 'drivers/io/bench.yaml'), driver(load))
  writeFileSync(join(dir, 'site.yaml'), siteText(load, ports, cloudPort))
  const startedAt = Date.now()
  const gateway = spawn(join(ROOT, 'bin/gatehouse'), ['run', '-c', join(dir, 'site.yaml'), '-d', join(dir, 'data')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [gateway.stdout, gateway.stderr]) {
    stream.on('data', (bytes: Buffer) => {
      said = (said + bytes.toString()).slice(-4000)
    })
  }
  let exit: number | null = null
  const ended = new Promise<void>((resolve) =>
    gateway.once('close', (code) => {
      exit = code ?? -1
      resolve()
    }),
  )
  const socket = join(dir, 'data/gatehouse.sock')
  while (!existsSync(socket)) {
    if (exit !== null) throw new Error(`the gateway ended with ${exit}:\n${said}`)
    await pause(5)
  }
  return {
    pid: gateway.pid ?? 0,
    startedAt,
    device,
    dir,
    status: () => ask<Status>(socket, 'status', {}),
    points: (glob) => ask(socket, 'points', { glob }),
    async stop() {
      gateway.kill('SIGTERM')
      await ended
      await device.stop()
      await cloud?.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** User and system time of a process with all its threads, ms. */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // utime and stime are fields 14 and 15 of proc(5), in ticks of 10 ms.
  return (Number(fields[11]) + Number(fields[12])) * 10
}

export function rssMb(pid: number): number {
  const line = readFileSync(`/proc/${pid}/status`, 'utf8').match(/VmRSS:\s+(\d+) kB/)
  return Number(line?.[1] ?? 0) / 1024
}

export type WriteCounter = { readonly source: 'block' | 'process'; readonly read: () => number }

/** Bytes written: at the block device that holds `dir` (sectors of 512 bytes, all writers), else what the process handed to the kernel. */
export function writeCounter(dir: string, pid: number): WriteCounter {
  const { dev } = statSync(dir)
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)]
  const file = `/sys/dev/block/${major}:${minor}/stat`
  if (existsSync(file)) {
    return { source: 'block', read: () => Number(readFileSync(file, 'utf8').trim().split(/\s+/)[6]) * 512 }
  }
  return {
    source: 'process',
    read: () => Number(readFileSync(`/proc/${pid}/io`, 'utf8').match(/^write_bytes: (\d+)/m)?.[1] ?? 0),
  }
}
