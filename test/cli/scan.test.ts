/** `scan` as an engineer uses it, against devices on loopback sockets; what it prints is made into a site and checked. */
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { scanYaml } from '../../src/cli/scan-yaml.ts'
import type { Seen } from '../../src/cli/scan-fit.ts'
import { TOLD_NOTHING } from '../../src/driver/identify.ts'
import { width } from '../../src/cli/table.ts'
import { createClock } from '../../src/runtime/clock.ts'
import { hostClock } from '../../src/runtime/kernel.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { openSimulator, type Simulator } from '../../src/simulate/simulator.ts'
import { check, folder, siteOf } from '../driver/folder.ts'
import { runOn } from './rig.ts'

const HEAD = 'site: {id: trial, name: Trial}\n'
let simulator: Simulator
let wires: ReadonlyMap<string, string>
beforeAll(async () => {
  const site = siteOf({
    'site.yaml': `${HEAD}buses:
  riser: {wire: "tcp://127.0.0.1:1", line: 9600 8N1}
  pumps: {wire: "modbus-tcp://127.0.0.1:2"}
devices:
  air: {driver: environment/xy_md02, bus: riser, address: 1}
  heat: {driver: meter/mbus_heat, bus: riser, address: "12345678"}
  flat: {driver: meter/dlt645_2007_single_phase, bus: riser, address: "000000000161"}
  pump: {driver: pump/abb_acs580, bus: pumps, address: 1}
`,
  })
  const clock = createClock('system', { floorMs: 0, sources: hostClock() })
  simulator = await openSimulator({ site, clock, log: SILENT, seed: 1, portBase: 0 })
  wires = new Map(simulator.buses.map(({ id, wire }) => [id, wire]))
})
afterAll(() => simulator.close())

const nobody = folder({})
const run = (...argv: string[]) => runOn(['scan', ...argv, '-d', nobody, '--lang', 'en'])
const riser = (): string => wires.get('riser') ?? ''

describe('a wire without a site', () => {
  test('its lines for site.yaml are a site', async () => {
    const { exit, out, err } = await run(
      riser(),
      '--line',
      '9600 8N1',
      '--units',
      '1',
      '--protocol',
      'modbus,dlt645,mbus',
      '--yaml',
    )
    expect([exit, err.includes('mbus 12345678')]).toEqual([0, true])
    const { site, lines } = check({ 'site.yaml': HEAD + out })
    expect(lines.filter((line) => line.includes('error'))).toEqual([])
    expect(site?.devices.map(({ driver, link }) => [driver, link.kind === 'bus' && link.address])).toEqual([
      ['environment/xy_md02', 1],
      ['meter/dlt645_2007_single_phase', '000000000161'],
      ['meter/mbus_heat', '12345678FFFFFFFF'],
    ])
    expect(out).toContain(`bus_1: {wire: "${riser()}", line: 9600 8N1}`)
  }, 20_000)

  test('a device that no driver recognises is said to be there', async () => {
    const { exit, out } = await run(wires.get('pumps') ?? '', '--units', '1-2')
    expect([exit, /^modbus +1 .*none fits/m.test(out)]).toEqual([0, true])
    for (const line of out.split('\n')) if (!line.includes('gatehouse')) expect(width(line)).toBeLessThanOrEqual(80)
    expect(await run(wires.get('pumps') ?? '', '--units', '7')).toMatchObject({ exit: 1 })
  })

  test('nothing was written to any device', () => {
    expect(simulator.writes).toEqual([])
  })

  test('a wire that cannot be opened, says so', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    await new Promise((resolve) => server.close(resolve))
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { exit, err } = await run(`tcp://127.0.0.1:${port}`)
    expect([exit, err.includes('ECONNREFUSED')]).toEqual([69, true])
  })
})

describe('one item of a meter by hand', () => {
  const probe = (...argv: string[]) => runOn(['probe', ...argv, '-d', nobody, '--lang', 'en'])
  const flat = ['--protocol', 'dlt645', '--address', '000000000161']

  test('is read as its standard says', async () => {
    simulator.set('flat.voltage', 229.4)
    const { exit, lines } = await probe(riser(), '02010100', ...flat)
    expect([exit, lines[0]]).toEqual([0, '02010100: 229.4 V'])
  })

  test('what the meter does not have, it says in its own words', async () => {
    const { exit, out } = await probe(riser(), '02010200', ...flat)
    expect([exit, out.includes('refused: the meter has no such data item')]).toEqual([1, true])
  })

  test.each([
    [['99', ...flat], 'no'],
    [['02010100', '--protocol', 'dlt645'], '--address'],
    [['02010100', '--protocol', 'knx', '--address', '1'], 'none of modbus'],
    [['02010100', ...flat, '--expect', '230'], 'registers'],
  ])('%s', async (argv, says) => {
    const { exit, err } = await probe(riser(), ...argv)
    expect([exit, err]).toEqual([2, expect.stringContaining(says)])
  })
})

describe('what is asked for', () => {
  test.each([
    [['nope'], 'no bus "nope"'],
    [['modbus-tcp://127.0.0.1:1', '--units', '0-9'], 'write 1-32,40'],
    [['modbus-tcp://127.0.0.1:1', '--protocol', 'dlt645'], 'nothing is left'],
    [['modbus-tcp://127.0.0.1:1', '--protocol', 'x10'], 'none of modbus'],
    [['modbus-tcp://127.0.0.1:1', '--from', '300'], 'no step'],
    [['tcp://127.0.0.1:1', '--line', '9600'], 'no line setting'],
  ])('%s', async (argv, says) => {
    const { exit, err } = await run(...argv)
    expect([exit, err]).toEqual([2, expect.stringContaining(says)])
  })
})

describe('lines for site.yaml', () => {
  const one: Seen = {
    protocol: 'modbus',
    address: 5,
    line: '9600 8N1',
    says: [],
    told: TOLD_NOTHING,
    ms: 1,
    fits: [{ driver: 'meter/eastron_sdm120', title: 'SDM120', best: true, proven: true }],
  }
  const language = 'en'

  test('names that the site has are not given again; the bus and its setting are there', () => {
    const place = {
      bus: { id: 'riser', line: '9600 8N1' },
      wire: '',
      taken: new Set(['meter_1', 'riser']),
      language,
    } as const
    expect(scanYaml([one, { ...one, address: 6, line: '2400 8E1' }], place).split('\n')).toEqual([
      '# to be added under devices:',
      '  meter_2: {driver: meter/eastron_sdm120, bus: riser, address: 5}',
      '  meter_3: {driver: meter/eastron_sdm120, bus: riser, address: 6, line: 2400 8E1}',
      '',
    ])
  })

  test('of several that fit alike none is chosen, and the lines are a site all the same', () => {
    const place = { bus: null, wire: 'tcp://h:1', taken: null, language } as const
    const fit = (driver: string, best: boolean) => ({ driver, title: driver, best, proven: false })
    const several = [fit('meter/eastron_sdm120', true), fit('meter/eastron_sdm630', true)]
    const likely = [fit('meter/eastron_sdm120', true)]
    const out = scanYaml(
      [
        { ...one, fits: several },
        { ...one, address: 6, fits: likely },
      ],
      place,
    )
    expect(out.split('\n').slice(3, 6)).toEqual([
      expect.stringContaining('# one of these'),
      '  # meter_1: {driver: meter/eastron_sdm120, bus: bus_1, address: 5}',
      '  # meter_1: {driver: meter/eastron_sdm630, bus: bus_1, address: 5}',
    ])
    const { site } = check({ 'site.yaml': HEAD + out })
    expect(site?.devices.map(({ id, driver }) => [id, driver])).toEqual([['meter_2', 'meter/eastron_sdm120']])
    expect(out).toContain('meter_2 is only likely')
    const none = scanYaml([{ ...one, fits: several }], place)
    expect(check({ 'site.yaml': HEAD + none }).site?.devices).toEqual([])
  })

  test('pasted under what the file has, they are a site', () => {
    const have = `${HEAD}buses:\n  riser: {wire: /dev/ttyS1, line: 9600 8N1}\ndevices:\n  meter_1: {driver: meter/eastron_sdm120, bus: riser, address: 1}\n`
    const taken = new Set(['riser', 'meter_1'])
    const known = scanYaml([one], { bus: { id: 'riser', line: '9600 8N1' }, wire: '', taken, language })
    expect(check({ 'site.yaml': have + known }).site?.devices).toHaveLength(2)
    const [, bus = '', ...devices] = scanYaml([one], { bus: null, wire: 'tcp://h:1', taken, language }).split('\n')
    const both = have.replace('devices:', `${bus}\ndevices:`) + devices.join('\n')
    expect(check({ 'site.yaml': both }).site?.devices).toHaveLength(2)
  })

  test('what a device says of itself stays a comment', () => {
    const place = { bus: null, wire: 'tcp://h:1', taken: null, language } as const
    const out = scanYaml([{ ...one, fits: [], says: ['Maker\n  evil: {driver: x}\u2028y'] }], place)
    expect(
      out
        .split('\n')
        .filter((line) => line.includes('evil'))
        .every((line) => line.trim().startsWith('#')),
    ).toBe(true)
    expect(check({ 'site.yaml': HEAD + out }).site?.devices).toEqual([])
  })
})
