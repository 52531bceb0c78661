/** `probe` without a daemon against a simulated device, and what it writes into a site file. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keepPoint, withPoint } from '../../src/cli/keep-point.ts'
import { createClock } from '../../src/runtime/clock.ts'
import { hostClock } from '../../src/runtime/kernel.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { openSimulator, type Simulator } from '../../src/simulate/simulator.ts'
import { folder, siteOf } from '../driver/folder.ts'
import { runOn } from './rig.ts'

const DRIVER = `driver: meter/bench
title: Bench meter
category: meter
protocol: modbus
modbus: {timeout: 300ms, retries: 0}
polls: {slow: 1h}
points:
  voltage: {at: input 51, as: u16, scale: 0.1, every: slow, title: Voltage}
  energy: {at: input 52, as: u32, order: CDAB, scale: 0.01, every: slow, title: Energy}
  word: {at: holding 10, as: u16, every: slow, title: Word}
  on: {at: coil 4, every: slow, title: 'On'}
  open: {at: discrete 7, every: slow, title: Open}
  secret: {at: holding 90, as: u16, every: slow, title: Secret, forbidden: true}
`
const written = (wire: string): string => `# Pump room, as wired in May
site: {id: s}

buses: {room: {wire: "${wire}"}} # the grey box
devices:
  # left of the door
  flat_1:
    driver: meter/bench   # checked
    bus: room
    address: 1
`
const clock = createClock('system', { floorMs: 0, sources: hostClock() })
let simulator: Simulator
let wire = ''

beforeAll(async () => {
  const site = siteOf({ 'drivers/meter/bench.yaml': DRIVER, 'site.yaml': written('modbus-tcp://10.0.0.1:502') })
  simulator = await openSimulator({ site, clock, log: SILENT, seed: 3, portBase: 0 })
  wire = simulator.buses[0]?.wire ?? ''
  simulator.set('flat_1.voltage', 230.2)
  simulator.set('flat_1.energy', 123456.78)
  simulator.set('flat_1.word', 0x8005)
  simulator.set('flat_1.on', true)
  simulator.set('flat_1.open', true)
})
afterAll(() => simulator.close())

function files(): { root: string; options: string[] } {
  const root = folder({ 'drivers/meter/bench.yaml': DRIVER, 'site.yaml': written(wire) })
  return { root, options: ['-c', join(root, 'site.yaml'), '-d', join(root, 'none')] }
}

test('without an expectation: the registers, and all they may mean', async () => {
  const { exit, lines } = await runOn(['probe', wire, 'input 51', '--unit', '1'])
  expect(exit).toBe(0)
  expect(lines[0]).toMatch(/^input 51: 08FE \(2302\)/)
  expect(lines.some((line) => /^input 51 +u16 +2302$/.test(line.trim()))).toBe(true)
})

test('bits are listed: of coils, of discrete inputs, and of a register', async () => {
  const listed = async (...argv: string[]): Promise<readonly string[]> => {
    const { lines, exit } = await runOn(['probe', wire, ...argv, '--unit', '1'])
    expect(exit).toBe(0)
    return lines.slice(lines.findIndex((line) => line === '') + 2).map((line) => line.trim().replaceAll(/ +/g, ' '))
  }
  expect(await listed('coil 4')).toEqual(['coil 4 bit 1'])
  expect(await listed('discrete 7')).toEqual(['discrete 7 bit 1'])
  const word = await listed('holding 10', '--as', 'bits')
  expect(word).toHaveLength(16)
  expect(word.filter((line) => line.endsWith(' 1'))).toEqual([
    'holding 10 bit 0 1',
    'holding 10 bit 2 1',
    'holding 10 bit 15 1',
  ])
  expect(await listed('holding 10', '--as', 'bit 2')).toEqual(['holding 10 bit 2 1'])
})

test('one bit of a register is kept', async () => {
  const { root, options } = files()
  const argv = ['probe', 'flat_1', 'holding 10', '--as', 'bit 2', '--keep', 'flat_1.ready', ...options]
  expect((await runOn(argv)).exit).toBe(0)
  const text = readFileSync(join(root, 'site.yaml'), 'utf8')
  expect(text).toContain('ready: {at: holding 10, as: bit, bit: 2}')
  const many = ['probe', 'flat_1', 'holding 10', '--as', 'bits', '--keep', 'flat_1.ready', ...options]
  expect(await runOn(many)).toMatchObject({ exit: 2, err: expect.stringContaining('--as "bit 5"') })
})

test('the right reading of a wrong declaration is the first, and is kept', async () => {
  const { root, options } = files()
  const ran = await runOn([
    'probe',
    'flat_1',
    'holding 52',
    '--expect',
    '230.2',
    '--keep',
    'flat_1.mains',
    '--json',
    ...options,
  ])
  expect(ran.exit, ran.err).toBe(0)
  const { candidates, kept } = JSON.parse(ran.out)
  expect(candidates[0]).toMatchObject({ at: 'input 51', as: 'u16', scale: 0.1, value: 230.2, off: 0 })
  expect(kept.block).toEqual({ at: 'input 51', as: 'u16', scale: 0.1 })
  expect(readFileSync(join(root, 'site.yaml'), 'utf8')).toBe(
    `${written(wire)}    points:\n      mains: {at: input 51, as: u16, scale: 0.1}\n`,
  )
})

test('a counter with its words swapped', async () => {
  const { options } = files()
  const ran = await runOn(['probe', 'flat_1', 'input 52', '--expect', '123456.78', '--json', ...options])
  expect(JSON.parse(ran.out).candidates[0]).toMatchObject({ at: 'input 52', as: 'u32', order: 'CDAB', scale: 0.01 })
})

test('nothing near is a bad read', async () => {
  const ran = await runOn(['probe', wire, 'input 51', '--unit', '1', '--expect', '777.7'])
  expect([ran.exit, ran.out]).toEqual([1, expect.stringContaining('comes near 777.7')])
})

test.each([
  { args: ['flat_1', 'holding 90'], why: /flat_1\.secret, which is forbidden/, exit: 77 },
  { args: ['flat_1', 'holding 89', '--count', '2'], why: /forbidden/, exit: 77 },
  { args: ['flat_1', 'register 5'], why: /is no place/, exit: 2 },
  { args: ['flat_1', 'holding 10', '--as', 'bit 16'], why: /bits 0 to 15/, exit: 2 },
  { args: ['flat_1', 'holding 10', '--as', 'bits', '--expect', '1'], why: /without --expect/, exit: 2 },
  { args: ['flat_1', 'coil 4', '--as', 'u16'], why: /is one bit/, exit: 2 },
  { args: ['flat_1', 'input 51', '--as', 'float'], why: /--as takes/, exit: 2 },
  { args: ['flat_1', 'input 51', '--expect', 'much'], why: /--expect takes/, exit: 2 },
  { args: ['flat_1', 'input 51', '--keep', 'flat_1.x'], why: /--keep wants/, exit: 2 },
  { args: ['flat_2', 'input 51'], why: /no device flat_2/, exit: 2 },
])('$args is refused', async ({ args, why, exit }) => {
  const ran = await runOn(['probe', ...args, ...files().options])
  expect(ran.err).toMatch(why)
  expect(ran.exit).toBe(exit)
})

test('what a site file forbids holds on its bare wire, too', async () => {
  const ran = await runOn(['probe', wire, 'holding 90', '--unit', '1', ...files().options])
  expect([ran.exit, ran.err]).toEqual([77, expect.stringContaining('flat_1.secret')])
})

test('a bus of the site file, and a unit on it', async () => {
  const ran = await runOn(['probe', 'room', 'input 51', '--unit', '1', ...files().options])
  expect([ran.exit, ran.lines[0]]).toEqual([0, expect.stringMatching(/^input 51: 08FE/)])
  const closed = await runOn(['probe', 'room', 'holding 90', '--unit', '1', ...files().options])
  expect(closed.exit).toBe(77)
})

test('nobody there', async () => {
  const ran = await runOn(['probe', 'modbus-tcp://127.0.0.1:1', 'input 51', '--unit', '1'])
  expect(ran.exit).toBe(69)
})

test('other keys of a point, comments and quotes stay', () => {
  const text = `devices:
    flat_1:
        points:
            mains: {unit: V, at: "holding 3", as: u32, order: CDAB} # seen
    # two
    flat_2: {bus: room}
`
  expect(withPoint(text, 'flat_1', 'mains', { at: 'input 51', as: 'u16', scale: 0.1 })).toBe(
    text.replace('"holding 3", as: u32, order: CDAB', '"input 51", as: u16, scale: 0.1'),
  )
  expect(withPoint(text, 'flat_9', 'mains', { at: 'input 51', as: 'u16' })).toBeNull()
})

test('a file that would not be sound is left as it was', () => {
  const { root } = files()
  const file = join(root, 'site.yaml')
  const outcome = keepPoint(file, 'flat_1', 'mains', { at: 'input 70000', as: 'u16' })
  expect(outcome.kind).toBe('refused')
  expect(readFileSync(file, 'utf8')).toBe(written(wire))
})
