/** The independent other sides: each starts a real program and fails loudly when it is missing. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { connectAsync, type MqttClient } from 'mqtt'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export function freshDir(name: string): string {
  return mkdtempSync(join(tmpdir(), `gatehouse-${name}-`))
}

export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port)
        else reject(new Error('no port'))
      })
    })
  })
}

/** Waits until `truth` gives something, looking every 20 ms. */
export async function until<T>(
  what: string,
  truth: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  timeoutMs = 15_000,
): Promise<T> {
  const end = Date.now() + timeoutMs
  for (;;) {
    const found = await truth()
    if (found !== undefined && found !== null && found !== false) return found
    if (Date.now() > end) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export type Program = {
  readonly pid: number
  readonly lines: string[]
  readonly child: ChildProcess
  readonly kill: (signal?: NodeJS.Signals) => Promise<number | null>
}

export function start(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Program {
  const child = spawn(command, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => lines.push(line))
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  child.once('error', (error) => lines.push(`cannot start ${command}: ${error.message}`))
  // A program that is gone takes no more orders; what matters is checked by what it printed.
  child.stdin.on('error', (error) => lines.push(`stdin of ${command}: ${error.message}`))
  return {
    pid: child.pid ?? 0,
    lines,
    child,
    kill(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}

export async function portOpen(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

export async function startMosquitto(port: number, dir: string, extra: readonly string[] = []): Promise<Program> {
  const file = join(dir, 'mosquitto.conf')
  writeFileSync(
    file,
    [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${dir}/`,
      'max_queued_messages 0',
      'max_inflight_messages 0',
      'user root',
      ...extra,
      '',
    ].join('\n'),
  )
  const program = start('mosquitto', ['-c', file])
  await until(`mosquitto on ${port}: ${program.lines.join(' ')}`, () => portOpen(port))
  return program
}

export type PyDevice = Program & { readonly order: (order: unknown) => Promise<void> }

export async function startPymodbus(args: readonly string[]): Promise<PyDevice> {
  const program = start('/usr/bin/python3', [join(ROOT, 'test/interop/device.py'), ...args])
  await until(`pymodbus: ${program.lines.join(' ')}`, () => program.lines.some((line) => line.includes('"listening"')))
  if (args[0] === 'tcp') await until('pymodbus port', () => portOpen(Number(args[1])))
  let answered = 0
  return {
    ...program,
    async order(order) {
      program.child.stdin?.write(`${JSON.stringify(order)}\n`)
      answered += 1
      const want = answered
      await until(`pymodbus to take ${JSON.stringify(order)}: ${program.lines.slice(-3).join(' ')}`, () => {
        return program.lines.filter((line) => line.includes('"ok"')).length >= want
      })
    },
  }
}

/** Two ends of a line: what is written into one comes out of the other. */
export async function startPtyPair(dir: string): Promise<Program & { readonly ends: readonly [string, string] }> {
  const ends = [join(dir, 'tty_gateway'), join(dir, 'tty_device')] as const
  const socat = start(
    'socat',
    ends.map((link) => `pty,raw,echo=0,link=${link}`),
  )
  await until(`socat: ${socat.lines.join(' ')}`, () => ends.every((link) => existsSync(link)))
  return { ...socat, ends }
}

export function startGateway(site: string, data: string, env: Record<string, string> = {}): Program {
  return start(join(ROOT, 'bin/gatehouse'), ['run', '-c', site, '-d', data], { env })
}

export async function cli(args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  return await new Promise((resolve) => {
    const child = spawn(join(ROOT, 'bin/gatehouse'), args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (bytes: Buffer) => {
      out += bytes.toString()
    })
    child.stderr.on('data', (bytes: Buffer) => {
      err += bytes.toString()
    })
    child.once('close', (code) => resolve({ code, out, err }))
  })
}

export type Envelope = {
  v: number
  gw: string
  ep: string
  bt: number
  ln: 't' | 'a' | 'e'
  sq: number
  id: string
  t0: number
  tq: number
  cv: number
  n: number
  d?: {
    i: string
    t: number[]
    p: Record<string, (number | string | boolean | null)[]>
    q?: Record<string, (0 | string)[]>
  }[]
  x?: Record<string, unknown>[]
}

export type Received = { topic: string; at: number; body: Record<string, unknown> }

/** A consumer written from the contract alone: it shares no code with the gateway. */
export class Consumer {
  readonly received: Received[] = []
  readonly #client: MqttClient

  private constructor(client: MqttClient) {
    this.#client = client
    client.on('message', (topic, payload) => {
      const bytes = payload[0] === 0x1f && payload[1] === 0x8b ? gunzipSync(payload) : payload
      this.received.push({ topic, at: Date.now(), body: JSON.parse(bytes.toString()) as Record<string, unknown> })
    })
    // A broker that is stopped on purpose closes the line; mqtt reconnects by itself.
    client.on('error', (error) => this.errors.push(error.message))
  }

  readonly errors: string[] = []

  static async open(port: number, options: { clientId: string; persistent?: boolean }): Promise<Consumer> {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
      clientId: options.clientId,
      clean: !options.persistent,
      protocolVersion: 5,
      ...(options.persistent ? { properties: { sessionExpiryInterval: 3600 } } : {}),
      reconnectPeriod: 200,
      reconnectOnConnackError: true,
    })
    const consumer = new Consumer(client)
    await client.subscribeAsync('gh/v1/#', { qos: 1 })
    return consumer
  }

  batches(lane: 't' | 'a' | 'e'): (Envelope & { topic: string; receivedAt: number })[] {
    return this.received
      .filter(({ topic }) => /\/[tabe]$/.test(topic))
      .map(({ topic, at, body }) => ({ ...(body as unknown as Envelope), topic, receivedAt: at }))
      .filter((batch) => batch.ln === lane)
  }

  heartbeats(): { at: number; ln: Record<'t' | 'a' | 'e', { ep: string; hi: number; ack: number }> }[] {
    return this.received
      .filter(({ topic }) => topic.endsWith('/h'))
      .map(({ at, body }) => ({
        at,
        ln: body['ln'] as Record<'t' | 'a' | 'e', { ep: string; hi: number; ack: number }>,
      }))
  }

  /** Every value of `device.point`, oldest number first: [UTC ms, value or null, cause or 0]. */
  series(point: string): [number, number | string | boolean | null, 0 | string][] {
    const [device = '', key = ''] = point.split('.')
    const seen = new Set<string>()
    const rows: [number, number | string | boolean | null, 0 | string][] = []
    for (const batch of this.batches('t').sort((a, b) => a.sq - b.sq)) {
      const name = `${batch.ep}/${batch.sq}`
      if (seen.has(name)) continue
      seen.add(name)
      for (const entry of batch.d ?? []) {
        const values = entry.p[key]
        if (entry.i !== device || values === undefined) continue
        entry.t.forEach((offset, k) => {
          const cause = entry.q?.[key]?.[k] ?? 0
          const value = values[k] ?? null
          if (value !== null || cause !== 0) rows.push([batch.t0 + offset, value, cause])
        })
      }
    }
    return rows
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true)
  }
}

/** RFC 8785 for what batches hold: written here a second time on purpose. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (value !== null && typeof value === 'object') {
    const record = value as Record<string, unknown>
    return `{${Object.keys(record)
      .sort()
      .map((key) => `${JSON.stringify(key)}:${canonical(record[key])}`)
      .join(',')}}`
  }
  return JSON.stringify(value)
}

export function identityOf(batch: Envelope): string {
  return createHash('sha256')
    .update(canonical(batch.d ?? batch.x))
    .digest('hex')
    .slice(0, 16)
}

/** Numbers up to `ack` that neither came nor were declared dropped. */
export function undeclaredGaps(consumer: Consumer, lane: 't' | 'a' | 'e', ack: number): number[] {
  const present = new Set(consumer.batches(lane).map((batch) => batch.sq))
  for (const batch of consumer.batches('e')) {
    for (const item of batch.x ?? []) {
      const body = item['body'] as { ln?: string; from?: number | null; to?: number | null } | undefined
      if (item['ty'] !== 'drop' || body?.ln !== lane || typeof body.from !== 'number' || typeof body.to !== 'number')
        continue
      for (let number = body.from; number <= body.to; number++) present.add(number)
    }
  }
  const missing: number[] = []
  for (let number = 1; number <= ack; number++) if (!present.has(number)) missing.push(number)
  return missing
}

export function removeDir(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
}
