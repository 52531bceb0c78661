/** Exit codes and what is said on stderr: the contract with scripts. */
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Halt } from '../../src/runtime/halt.ts'
import { openRig, type Rig } from '../control/rig.ts'
import { runOn } from './rig.ts'

const BIN = fileURLToPath(new URL('../../bin/gatehouse', import.meta.url))
/** In words, that is. */
const SAID = { en: 'said', zh: '说明' }
let rig: Rig
let folder: string
beforeAll(async () => {
  rig = await openRig()
  folder = mkdtempSync(join(tmpdir(), 'gh-exit-'))
})
afterAll(async () => {
  await rig.close()
  rmSync(folder, { recursive: true })
})

function spawned(...argv: string[]): Promise<{ exit: number; out: string; err: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, LANG: 'C.UTF-8', XDG_CACHE_HOME: join(folder, 'cache') }
    const child = execFile('sh', [BIN, ...argv], { env, cwd: folder }, (_, out, err) => {
      resolve({ exit: child.exitCode ?? -1, out, err })
    })
  })
}

describe('the program itself', () => {
  test('status in one JSON document, exit 0', async () => {
    const { exit, out, err } = await spawned('status', '-d', rig.data, '--json')
    expect([exit, err]).toEqual([0, ''])
    expect(JSON.parse(out)).toMatchObject({ site: 'jinxiu_3', uplinks: { cloud: { connected: false } } })
  })

  test('no daemon: exit 3, and what to do', async () => {
    const { exit, out, err } = await spawned('status', '-d', folder, '--json')
    expect([exit, out]).toEqual([3, ''])
    expect(JSON.parse(err)).toMatchObject({
      error: { code: 'E_NO_DAEMON', hint: expect.stringContaining('gatehouse run') },
    })
  })

  test('a verb that does not exist: exit 2', async () => {
    expect(await spawned('frobnicate')).toMatchObject({ exit: 2, out: '', err: expect.stringContaining('frobnicate') })
  })

  test('check: 0 for a sound site, 78 for one that run would refuse, with file:line:col', async () => {
    const sound = 'site: {id: a}\nbuses: {pumps: {wire: modbus-tcp://10.1.1.20}}\n'
    writeFileSync(
      join(folder, 'sound.yaml'),
      `${sound}devices: {pump_1: {driver: pump/abb_acs580, bus: pumps, address: 1}}\n`,
    )
    expect(await spawned('check', '-c', 'sound.yaml', '--json')).toMatchObject({ exit: 0, err: '' })
    writeFileSync(join(folder, 'bad.yaml'), `${sound}devices: {pump_1: {driver: pump/none, bus: pumps, address: 1}}\n`)
    const bad = await spawned('check', '-c', 'bad.yaml')
    expect(bad).toMatchObject({ exit: 78, err: '' })
    expect(bad.out).toMatch(/^bad\.yaml:3:\d+ /)
    const json = JSON.parse((await spawned('check', '-c', 'bad.yaml', '--json')).out)
    expect(json).toMatchObject({
      findings: [{ file: 'bad.yaml', line: 3, severity: 'error', message: expect.any(String) }],
    })
  })

  test('a reader that has seen enough ends it quietly', async () => {
    const child = execFile('sh', ['-c', `sh '${BIN}' points -d '${rig.data}' --json | head -c 1`], { env: process.env })
    let err = ''
    child.stderr?.on('data', (part: string) => (err += part))
    const [code]: unknown[] = await once(child, 'close')
    expect([code, err]).toEqual([0, ''])
  })
})

describe('exit codes by verb', () => {
  test.each([
    [['read', 'pump_1.running'], 0],
    [['read', 'pump_1.running', 'meter_7.energy'], 1],
    [['read', 'lobby_air.temperature'], 0],
    [['read', 'pump_9.running'], 2],
    [['points', 'nothing*'], 2],
    [['devices', 'pmp_1'], 2],
    [['ack', '99'], 2],
    [['ack'], 2],
    [['ack', '3', '--all'], 2],
    [['history', 'pump_1.running', '--since', 'yesterday'], 2],
    [['history', 'pump_1.running', '--plot', '--csv'], 2],
    [['write', 'pump_1.setpoint', 'warm'], 2],
    [['write', 'pump_1.setpoint'], 2],
    [['status', '--lang', 'fr'], 2],
    [['status', 'extra'], 2],
    [[], 2],
    [['help'], 0],
    [['help', 'read'], 0],
    [['read', '--help'], 0],
    [['--version'], 0],
    [['version'], 0],
    [['decode', 'modbus', '010400000006 7008'], 0],
    [['decode', 'modbus', '0104000000067009'], 1],
    [['decode', 'modbus', 'hello'], 2],
    [['drivers', 'show', 'pump/none'], 2],
    [['drivers', 'eat'], 2],
    [['trace', 'nobus'], 2],
    [['replay', '/nonexistent/capture'], 2],
    [['replay', '/tmp'], 2],
    [['read', 'x'], 2],
    [['points', ''], 2],
    [['read', ...Array.from({ length: 101 }, () => 'pump_1.running')], 2],
    [['ack', '0'], 2],
    [['history', 'pump_1.running', '--since', '900000d'], 2],
    [['history', 'pump_1.running', '--every', '10ms'], 2],
    [['check', '-c', '/nonexistent/site.yaml'], 78],
  ] as [string[], number][])('%j: %i', async (argv, exit) => {
    const ran = await runOn([...argv, ...(argv.length > 0 && argv[0] !== '--version' ? ['-d', rig.data] : [])])
    expect([ran.exit, ran.err]).toEqual([exit, exit === 2 ? expect.stringMatching(/./) : ''])
  })

  test.each([
    ['done', { outcome: 'done', readBack: 0.4 }, 0],
    ['refused', { outcome: 'refused', cause: 'above 50' }, 1],
    ['expired', { outcome: 'expired', cause: 'timeout' }, 69],
    ['unknown', { outcome: 'unknown', cause: 'timeout' }, 69],
  ] as const)('a write that is %s', async (_, outcome, exit) => {
    rig.fake.outcome = outcome
    const json = await runOn(['write', 'pump_1.setpoint', '0.4', '-d', rig.data, '--json'])
    expect(json.exit).toBe(exit)
    expect(JSON.parse(json.out)).toEqual({
      point: 'pump_1.setpoint',
      value: 0.4,
      outcome: outcome.outcome,
      readBack: outcome.outcome === 'done' ? 0.4 : null,
      cause: outcome.outcome === 'done' ? null : outcome.cause,
    })
    expect((await runOn(['write', 'pump_1.setpoint', '0.4', '-d', rig.data])).out).toContain('pump_1.setpoint = 0.4')
  })

  test('negative values are values, not options', async () => {
    rig.fake.outcome = { outcome: 'done', readBack: null }
    const { exit } = await runOn(['write', 'pump_1.setpoint', '-d', rig.data, '--', '-1.5'])
    expect(exit).toBe(0)
    expect(rig.fake.writes.at(-1)?.value).toBe(-1.5)
    expect((await runOn(['write', 'pump_1.setpoint', '-1.5', '-d', rig.data])).exit).toBe(0)
    expect(rig.fake.writes.at(-1)?.value).toBe(-1.5)
  })
})

describe('connecting', () => {
  test('no permission: 77 and the group that has it', async () => {
    const own = await openRig()
    await runOn(['status', '-d', own.data])
    const root = process.getuid?.() === 0
    chmodSync(own.path, root ? 0o600 : 0o000)
    // For root nothing is forbidden, so it becomes nobody for a moment.
    if (root) {
      chmodSync(own.data, 0o755)
      process.seteuid?.(65_534)
    }
    const { exit, err } = await runOn(['status', '-d', own.data, '--json']).finally(() => {
      if (root) process.seteuid?.(0)
    })
    expect(exit).toBe(77)
    expect(JSON.parse(err)).toMatchObject({
      error: { code: 'E_PERMISSION', hint: expect.stringMatching(/usermod -aG \w+|group root, which nobody joins/) },
    })
    await own.close()
  })

  test('a daemon that breaks off in the middle: 69, and where to look', async () => {
    const path = join(folder, 'gatehouse.sock')
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"site"'))
    }).listen(path)
    await once(server, 'listening')
    const { exit, err } = await runOn(['status', '-d', folder])
    expect(exit).toBe(69)
    expect(err).toContain('journalctl')
    server.close()
    await once(server, 'close')
  })

  test('a directory too deep for a socket is said plainly', async () => {
    expect(await runOn(['status', '-d', `/tmp/${'x'.repeat(120)}`])).toMatchObject({ exit: 2 })
  })
})

describe('language', () => {
  test.each([
    [{ LANG: 'zh_CN.UTF-8' }, '没有点'],
    [{ LANG: 'en_US.UTF-8' }, 'there is no point'],
    // Neither: the site's own, which is Chinese.
    [{ LANG: 'C.UTF-8' }, '没有点'],
    [{}, '没有点'],
  ])('%j', async (env, words) => {
    const { err } = await runOn(['read', 'pump_1.runing', '-d', rig.data], { io: { env } })
    expect(err).toContain(words)
  })

  test('the option is stronger than LANG', async () => {
    const { lines } = await runOn(['points', '-d', rig.data, '--lang', 'en'], { io: { env: { LANG: 'zh_CN' } } })
    expect(lines[0]).toMatch(/^POINT/)
  })
})

describe('watch', () => {
  test('one JSON document a line until Ctrl-C, then exit 0', async () => {
    const interrupt = new AbortController()
    let out = ''
    const running = runOn(['watch', 'pump_1.outlet_pressure', '--json', '-d', rig.data], {
      io: {
        signal: interrupt.signal,
        out(text) {
          out += text
          if (out.split('\n').length === 3) interrupt.abort()
          else rig.fake.turn([{ point: 0, mono: 1_000_000, quality: 'good', value: 0.5 }])
        },
      },
    })
    expect((await running).exit).toBe(0)
    const rows = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows.map(({ value }) => value)).toEqual([0.31, 0.5])
    expect(Object.keys(rows[0])).toEqual(['point', 'value', 'unit', 'quality', 'cause', 'at'])
  })
})

test('watch for people: in the site’s time, with the cause of what is not good', async () => {
  const interrupt = new AbortController()
  let seen = ''
  const out = (text: string): void => {
    seen += text
    interrupt.abort()
  }
  await runOn(['watch', 'meter_7', '--lang', 'en', '-d', rig.data], { io: { signal: interrupt.signal, out } })
  expect(seen).toBe('06:12:15  meter_7.energy  -  bad: wire or connection gone\n')
})

describe('what main.ts hands over', () => {
  test('run gets the site file and the data directory, without the other parser', async () => {
    const seen: unknown[] = []
    const hosts = { run: async (options: unknown) => (seen.push(options), 78) }
    expect((await runOn(['run', '-c', 'a.yaml', '-d', 'data'], { hosts })).exit).toBe(78)
    expect((await runOn(['-c', 'b.yaml', 'run'], { hosts })).exit).toBe(78)
    expect(seen).toEqual([
      { config: 'a.yaml', data: 'data', language: null, json: false },
      { config: 'b.yaml', data: '/var/lib/gatehouse', language: null, json: false },
    ])
  })

  test('demo gets its time, a minute unless said', async () => {
    const seen: number[] = []
    const hosts = { demo: async ({ forMs }: { forMs: number }) => (seen.push(forMs), 0) }
    await runOn(['demo'], { hosts })
    await runOn(['demo', '--for', '45s'], { hosts })
    expect(seen).toEqual([60_000, 45_000])
    expect((await runOn(['demo', '--for', 'ever'], { hosts })).exit).toBe(2)
  })

  test('simulate answers until Ctrl-C and closes what it opened', async () => {
    const interrupt = new AbortController()
    const file = join(folder, 'simulated.yaml')
    writeFileSync(
      file,
      'site: {id: a}\nbuses: {pumps: {wire: modbus-tcp://10.1.1.20}}\ndevices: {pump_1: {driver: pump/abb_acs580, bus: pumps, address: 1}}\n',
    )
    let closed = 0
    const hosts = {
      openSimulation: async ({ site, portBase }: { site: { id: string }; portBase: number | null }) => ({
        buses: [{ id: 'pumps', wire: `modbus-tcp://127.0.0.1:${portBase}#${site.id}`, devices: ['pump_1'] }],
        publishing: { devices: [], server: null },
        close: async () => void closed++,
      }),
    }
    const out = (text: string): void => {
      expect(JSON.parse(text)).toEqual({
        buses: [{ bus: 'pumps', wire: 'modbus-tcp://127.0.0.1:15020#a', devices: ['pump_1'] }],
        publishing: { devices: [], server: null },
        seed: 1,
        faults: [],
      })
      interrupt.abort()
    }
    const { exit } = await runOn(['simulate', '-c', file, '--port-base', '15020', '--json'], {
      hosts,
      io: { signal: interrupt.signal, out },
    })
    expect([exit, closed]).toEqual([0, 1])
  })

  test.each([
    ['another daemon has the directory', new Halt({ kind: 'locked', text: SAID, hint: null }), 73, 'E_LOCKED'],
    ['-d names no directory', new Halt({ kind: 'usage', text: SAID, hint: null }), 2, 'E_ARGS'],
    ['a database is damaged', new Halt({ kind: 'disk', text: SAID, hint: null }), 74, 'E_DISK'],
    ['the disk is full', Object.assign(new Error('no space'), { code: 'ENOSPC' }), 74, 'E_DISK'],
    ['the database cannot be written', Object.assign(new Error('io'), { code: 'SQLITE_IOERR_WRITE' }), 74, 'E_DISK'],
    ['the directory may not be written', Object.assign(new Error('denied'), { code: 'EACCES' }), 77, 'E_PERMISSION'],
    ['its port is taken', Object.assign(new Error('in use'), { code: 'EADDRINUSE' }), 69, 'E_UNREACHABLE'],
    ['a code of its own making', Object.assign(new Error('odd'), { exitCode: 5 }), 70, 'E_INTERNAL'],
  ])('%s', async (_, error, exit, code) => {
    const ran = await runOn(['run', '-c', 'a.yaml', '--json'], { hosts: { run: () => Promise.reject(error) } })
    expect(ran.exit).toBe(exit)
    expect(JSON.parse(ran.err)).toMatchObject({ error: { code } })
  })

  test('what nobody expected is exit 70, in words', async () => {
    const hosts = { run: () => Promise.reject(new TypeError('x is not a function')) }
    const { exit, err } = await runOn(['run', '-c', 'a.yaml', '--lang', 'en'], { hosts })
    expect(exit).toBe(70)
    expect(err).toContain('x is not a function')
    expect(err).not.toContain('at ')
  })
})
