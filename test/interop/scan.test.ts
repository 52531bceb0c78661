/**
 * `scan` and `probe` as they are typed on site: real processes, devices by pymodbus and by the simulator, on TCP, behind a serial server
 * and on ptys of socat. Between the gateway and the meters sits a relay that keeps every byte.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readAsked } from '../control/reads-only.ts'
import {
  cli,
  freePort,
  freshDir,
  type Program,
  type PyDevice,
  removeDir,
  ROOT,
  start,
  startGateway,
  startPtyPair,
  startPymodbus,
  until,
} from './tools.ts'

type Relay = {
  readonly port: number
  readonly sent: { readonly at: number; readonly bytes: Uint8Array }[]
  readonly close: () => Promise<void>
}

/** What the gateway writes comes in one piece: one question at a time is on the wire. */
async function startRelay(target: number): Promise<Relay> {
  const port = await freePort()
  const sent: { at: number; bytes: Uint8Array }[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer((near) => {
    const far = connect(target, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      // Either end may go at any time; the other end learns of it by being closed.
      socket.on('error', () => socket.destroy())
      socket.on('close', () => (near.destroy(), far.destroy()))
    }
    near.on('data', (bytes) => {
      sent.push({ at: Date.now(), bytes: Uint8Array.from(bytes) })
      far.write(bytes)
    })
    far.on('data', (bytes) => near.write(bytes))
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()))
  return {
    port,
    sent,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

type Found = {
  readonly protocol: string
  readonly address: number | string
  readonly says: readonly string[]
  readonly fits: readonly { readonly driver: string; readonly best: boolean }[]
}

const names = (found: readonly Found[]): readonly string[] =>
  found.map(({ protocol, address }) => `${protocol} ${address}`).toSorted()

const bench = (name: string, points: string): string => `
driver: io/${name}
title: {en: Bench, zh: 台架}
category: io
protocol: modbus
manual: 0based
source: made for this test
proven: none
line: 9600 8N1
modbus: {timeout: 500ms, retries: 1}
polls: {fast: 1s}
points:
${points}
`
const OPEN = '  level: {at: holding 0, as: u16, every: fast}'
const CLOSED = `${OPEN}\n  reset: {at: holding 20, as: u16, forbidden: true, read: false}`

/** Runs for as long as it needs; SIGINT after `until` was said. */
async function interrupted(args: readonly string[], said: RegExp): Promise<{ code: number | null; err: string }> {
  const program = start(join(ROOT, 'bin/gatehouse'), args)
  await until(`${said} of ${program.lines.join('\n')}`, () => program.lines.some((line) => said.test(line)), 30_000)
  const code = await program.kill('SIGINT')
  return { code, err: program.lines.join('\n') }
}

const dir = freshDir('scan')
const nobody = join(dir, 'nobody')
afterAll(() => removeDir(dir))

describe('Modbus by another stack, before there is a site', () => {
  let tcp: PyDevice
  let rtu: PyDevice
  let ascii: PyDevice
  let lines: readonly (Program & { readonly ends: readonly [string, string] })[]
  let wire = ''

  beforeAll(async () => {
    const port = await freePort()
    wire = `modbus-tcp://127.0.0.1:${port}`
    lines = await Promise.all(
      ['rtu', 'ascii'].map(async (name) => {
        mkdirSync(join(dir, name))
        return await startPtyPair(join(dir, name))
      }),
    )
    tcp = await startPymodbus(['tcp', String(port)])
    rtu = await startPymodbus(['rtu', lines[0]?.ends[1] ?? '', '9600'])
    ascii = await startPymodbus(['ascii', lines[1]?.ends[1] ?? '', '9600'])
    for (const device of [tcp, rtu, ascii])
      await device.order({ unit: 1, table: 'holding', address: 10, values: [2302, 0x8001] })
    await ascii.order({ unit: 1, table: 'coil', address: 3, values: [1] })
  })
  afterAll(async () => {
    for (const each of [tcp, rtu, ascii, ...lines]) await each.kill()
  })

  test('units are found on TCP, with what they say of themselves', async () => {
    const { code, out, err } = await cli(['scan', wire, '--units', '1-3,40', '--json', '-d', nobody])
    expect([code, err]).toEqual([0, ''])
    const found = JSON.parse(out) as Found[]
    expect(names(found)).toEqual(['modbus 1', 'modbus 2', 'modbus 3'])
    expect(found[0]?.says).toEqual(['Gatehouse tests', 'PY-1', '3.0'])
  })

  test('and on a serial line', async () => {
    const path = lines[0]?.ends[0] ?? ''
    const args = ['scan', path, '--units', '1-2', '--protocol', 'modbus', '--line', '9600 8N1', '--json', '-d', nobody]
    const { code, out, err } = await cli(args)
    expect([code, err]).toEqual([0, ''])
    expect(names(JSON.parse(out) as Found[])).toEqual(['modbus 1', 'modbus 2'])
  })

  test('one register by hand, in RTU and in ASCII, and a coil', async () => {
    const probe = async (path: string, ...args: string[]): Promise<unknown> => {
      const { code, out, err } = await cli(['probe', path, ...args, '--unit', '1', '--json', '-d', nobody])
      expect([code, err]).toEqual([0, ''])
      return JSON.parse(out)
    }
    const expected = { candidates: [expect.objectContaining({ at: 'holding 10', as: 'u16', scale: 0.1 })] }
    for (const [at, more] of [
      [0, []],
      [1, ['--ascii']],
    ] as const) {
      const answer = await probe(lines[at]?.ends[0] ?? '', 'holding 11', '--expect', '230.2', ...more)
      expect((answer as { candidates: unknown[] }).candidates.slice(0, 1)).toEqual(expected.candidates)
    }
    const coils = await probe(lines[1]?.ends[0] ?? '', 'coil 2', '--count', '3', '--ascii')
    expect(coils).toMatchObject({ readings: [{ value: false }, { at: 'coil 3', value: true }, { value: false }] })
  })

  test('a port that somebody else holds is said to be held', async () => {
    const path = lines[0]?.ends[0] ?? ''
    const holder = start(join(ROOT, 'bin/gatehouse'), ['scan', path, '--protocol', 'modbus', '-d', nobody])
    await until('the first to search', () => holder.lines.some((line) => line.startsWith('modbus 1 ')))
    const second = await cli(['probe', path, 'holding 10', '--unit', '1', '--lang', 'en', '-d', nobody])
    expect([second.code, second.err]).toEqual([69, expect.stringContaining(`(${holder.pid})`)])
    expect(await holder.kill('SIGINT')).toBe(1)
  })
})

describe('meters of three protocols and Modbus on one pair', () => {
  let simulator: Program
  let relay: Relay
  let gateway: Program | null = null
  let riser = ''

  beforeAll(async () => {
    writeFileSync(
      join(dir, 'devices.yaml'),
      `site: {id: devices}
buses: {riser: {wire: "tcp://127.0.0.1:1", line: 2400 8E1}}
devices:
  flat: {driver: meter/dlt645_2007_single_phase, bus: riser, address: "000000000161"}
  cold: {driver: meter/cjt188_water, bus: riser, address: "00112026000123"}
  heat: {driver: meter/mbus_heat, bus: riser, address: 5}
  air: {driver: environment/xy_md02, bus: riser, address: 1}
  power: {driver: meter/eastron_sdm120, bus: riser, address: 5}
`,
    )
    const args = ['simulate', '-c', join(dir, 'devices.yaml'), '--json']
    simulator = start(join(ROOT, 'bin/gatehouse'), args)
    const said = await until('the simulator', () => /tcp:\/\/127\.0\.0\.1:(\d+)/.exec(simulator.lines.join('')))
    relay = await startRelay(Number(said[1]))
    riser = `tcp://127.0.0.1:${relay.port}`
  })
  afterAll(async () => {
    await gateway?.kill()
    await relay.close()
    await simulator.kill()
  })

  const FOUND = ['cjt188 00112026000123', 'dlt645 000000000161', 'mbus 5', 'modbus 1', 'modbus 5']
  const LIMITED = ['--units', '1-5', '--line', '2400 8E1']

  test('are found, and the lines for site.yaml are a site whose values are good', async () => {
    const { code, out } = await cli(['scan', riser, ...LIMITED, '--yaml', '-d', nobody])
    expect(code).toBe(0)
    // The power meter may be one of two models: its line is a comment until somebody has looked.
    expect(out).toContain('# meter_1: {driver: meter/eastron_sdm120, bus: bus_1, address: 5}')
    const chosen = out.replace('# meter_1: {driver: meter/eastron_sdm120', 'meter_1: {driver: meter/eastron_sdm120')
    for (const text of [out, chosen]) {
      writeFileSync(join(dir, 'site.yaml'), `site: {id: found}\ngateway: {clock: system}\n${text}`)
      const { out: said, code: checked } = await cli(['check', '-c', join(dir, 'site.yaml'), '--json'])
      const { findings } = JSON.parse(said) as { findings: { severity: string }[] }
      expect([findings.filter(({ severity }) => severity === 'error'), checked === 0 || checked === 1]).toEqual([
        [],
        true,
      ])
    }
    const data = join(dir, 'found')
    gateway = startGateway(join(dir, 'site.yaml'), data)
    type Row = { point: string; quality: string; cause: string | null }
    const rows = async (): Promise<Row[]> => {
      const { out: listed } = await cli(['points', '--json', '-d', data])
      return listed === '' ? [] : (JSON.parse(listed) as Row[])
    }
    // Of derived points those over a day begin when there is a day to speak of.
    const bad = async (): Promise<readonly Row[]> =>
      (await rows()).filter(({ quality, cause }) => quality === 'bad' && cause !== 'no_data')
    await until(
      'values of every device',
      async () => {
        const devices = new Set(
          (await rows()).filter(({ quality }) => quality === 'good').map(({ point }) => point.split('.')[0]),
        )
        return devices.size === 5
      },
      60_000,
    )
    await until('no bad value', async () => (await bad()).length === 0, 60_000)
    await gateway.kill()
    gateway = null
  }, 200_000)

  test('are found on a bus that runs, in its idle time; stopped, it goes on where it was', async () => {
    for (const name of ['drivers/io', 'data']) mkdirSync(join(dir, name), { recursive: true })
    writeFileSync(
      join(dir, 'live.yaml'),
      `site: {id: live}
gateway: {clock: system}
buses: {riser: {wire: "${riser}", line: 2400 8E1}}
devices:
  power: {driver: meter/eastron_sdm120, bus: riser, address: 5, polls: {fast: 2s}}
`,
    )
    const data = join(dir, 'data')
    const config = join(dir, 'live.yaml')
    gateway = startGateway(config, data)
    const good = async (): Promise<boolean> => {
      const { out } = await cli(['points', 'power.voltage', '--json', '-d', data])
      return out.includes('"good"')
    }
    await until('a first value', good)
    const before = relay.sent.length
    const began = Date.now()
    // No site file is at hand: what is known and in use, the daemon says.
    const args = ['scan', 'riser', '--units', '1-5', '-d', data, '--lang', 'en']
    const first = await interrupted(args, /^modbus 1 /)
    expect(first.code).toBe(1)
    const from = /--from (\d+)/.exec(first.err)?.[1] ?? ''
    expect(Number(from)).toBeGreaterThan(0)
    const rest = await cli([...args, '--from', from, '--json'])
    expect(rest.code).toBe(0)
    // Unit 5 is in the site file already; unit 1 was found before it was stopped.
    const found = names(JSON.parse(rest.out) as Found[])
    expect([...new Set([...found, 'modbus 1'])].toSorted()).toEqual(FOUND.filter((name) => name !== 'modbus 5'))
    const polls = relay.sent.slice(before).filter(({ bytes }) => bytes[0] === 5 && bytes[1] === 4)
    const gaps = polls.slice(1).map(({ at }, index) => at - (polls[index]?.at ?? at))
    expect(polls.length).toBeGreaterThan((Date.now() - began) / 4000)
    // A question under way is waited for, and as long for what comes late: a meter's takes three seconds.
    expect(Math.max(...gaps)).toBeLessThan(8000)
    expect(await good()).toBe(true)
  }, 200_000)

  test('a name that no bus has, names those that there are', async () => {
    const { code, err } = await cli(['scan', 'rizer', '-d', join(dir, 'data'), '--lang', 'en'])
    expect([code, err]).toEqual([2, expect.stringContaining('riser')])
  })

  test('whatever was asked so far: nothing of it could change anything', () => {
    expect(relay.sent.filter(({ bytes }) => readAsked(bytes) === null)).toEqual([])
    expect(new Set(relay.sent.map(({ bytes }) => readAsked(bytes)?.split(' ')[0]))).toEqual(
      new Set(['modbus', 'dlt645', 'cjt188', 'mbus']),
    )
  })
})

describe('one register through the daemon', () => {
  let device: PyDevice
  let relay: Relay
  let gateway: Program
  const data = join(dir, 'probed')
  const config = join(dir, 'probed.yaml')
  const at = ['-c', config, '-d', data, '--lang', 'en']

  beforeAll(async () => {
    const port = await freePort()
    device = await startPymodbus(['tcp', String(port)])
    await device.order({ unit: 1, table: 'holding', address: 0, values: [7] })
    await device.order({ unit: 1, table: 'input', address: 51, values: [2302] })
    relay = await startRelay(port)
    for (const name of ['drivers/io', 'probed']) mkdirSync(join(dir, name), { recursive: true })
    writeFileSync(join(dir, 'drivers/io/bench.yaml'), bench('bench', CLOSED))
    writeFileSync(
      config,
      `# as wired in May
site: {id: probed}
gateway: {clock: system}
buses: {room: {wire: "modbus-tcp://127.0.0.1:${relay.port}"}}
devices:
  box: {driver: io/bench, bus: room, address: 1}   # left of the door
`,
    )
    gateway = startGateway(config, data)
    await until('a value', async () =>
      (await cli(['points', 'box.level', '--json', '-d', data])).out.includes('"good"'),
    )
  })
  afterAll(async () => {
    await gateway.kill()
    await relay.close()
    await device.kill()
  })

  test('its reading is found, kept in the site file, and read after a reload', async () => {
    const probed = await cli(['probe', 'box', 'holding 52', '--expect', '230.2', '--keep', 'box.mains', ...at])
    expect([probed.code, probed.err]).toEqual([0, ''])
    const text = readFileSync(config, 'utf8')
    expect(text).toContain('# as wired in May')
    expect(text).toContain('# left of the door')
    expect(text).toContain('mains: {at: input 51, as: u16, scale: 0.1}')
    expect((await cli(['reload', ...at])).code).toBe(0)
    await until('the new point', async () =>
      (await cli(['points', 'box.mains', '--json', '-d', data])).out.includes('230.2'),
    )
  })

  test('what its driver forbids is not touched, neither as asked nor as a neighbour', async () => {
    const words = (bytes: Uint8Array): readonly [number, number] => [
      ((bytes[8] ?? 0) << 8) | (bytes[9] ?? 0),
      ((bytes[10] ?? 0) << 8) | (bytes[11] ?? 0),
    ]
    for (const [place, more] of [
      ['holding 20', []],
      ['holding 19', ['--count', '2']],
    ] as const) {
      const { code, err } = await cli(['probe', 'box', place, ...more, ...at])
      expect([code, err]).toEqual([77, expect.stringContaining('box.reset')])
    }
    // Nor by the name of the bus, nor by its wire, with no site file at hand.
    const blind = ['--unit', '1', '-d', data, '--lang', 'en']
    for (const where of ['room', `modbus-tcp://127.0.0.1:${relay.port}`]) {
      const { code, err } = await cli(['probe', where, 'holding 20', ...blind])
      expect([code, err]).toEqual([77, expect.stringContaining('box.reset')])
    }
    const stranger = await cli(['probe', 'room', 'holding 20', '--unit', '2', '-d', data, '--json'])
    expect([stranger.code, JSON.parse(stranger.out)]).toEqual([0, expect.objectContaining({ at: 'holding 20' })])
    for (const place of ['holding 19', 'holding 21', 'input 20'])
      await cli(['probe', 'box', place, '--expect', '12345', ...at])
    const scanned = await cli(['scan', 'room', '--units', '1-2', ...at])
    expect([0, 1]).toContain(scanned.code)
    const touched = relay.sent.filter(({ bytes }) => {
      const [start, count] = words(bytes)
      return bytes[6] === 1 && bytes[7] === 3 && start <= 20 && 20 < start + count
    })
    expect(touched).toEqual([])
    expect(relay.sent.every(({ bytes }) => [1, 2, 3, 4, 43].includes(bytes[7] ?? 0))).toBe(true)
  })
})
