import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../src/model/point.ts'
import { Faults } from '../../src/simulate/faults.ts'
import { fraction, seedOf, wander } from '../../src/simulate/random.ts'
import { type Cell, SimulatedDevice } from '../../src/simulate/devices.ts'
import { buildWorld } from '../../src/simulate/world.ts'
import { NAMES } from '../drivers/library.ts'
import { siteOf, TCP } from './site.ts'

const DEAF = { shown: () => undefined, written: () => undefined }
const HOUR_MS = 3_600_000

function play(driver: string, seed = 1): { device: SimulatedDevice; at: (ms: number) => void } {
  let now = 0
  const site = siteOf({ buses: { b: TCP }, devices: { d: { driver, bus: 'b', address: 7 } } })
  const [device] = buildWorld(site, { seed, elapsedMs: () => now, ears: DEAF }).devices
  if (device === undefined) throw new Error('no device')
  return {
    device,
    at: (ms) => {
      now = ms
    },
  }
}

function values(device: SimulatedDevice): Record<string, Value> {
  return Object.fromEntries(device.cells.map((cell) => [cell.point.key, device.value(cell)]))
}

function cell(device: SimulatedDevice, key: string): Cell {
  return device.cells.find((each) => each.point.key === key)!
}

test('chance depends on seed and place, and stays within its bounds', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer(), fc.nat(1e9), (text, seed, at) => {
      const own = seedOf(text, seed)
      expect(fraction(own, at)).toBe(fraction(own, at))
      expect(fraction(own, at)).toBeGreaterThanOrEqual(0)
      expect(fraction(own, at)).toBeLessThan(1)
      expect(Math.abs(wander(own, at, 1000))).toBeLessThanOrEqual(1)
    }),
  )
  expect(new Set(Array.from({ length: 1000 }, (_, n) => fraction(1, n))).size).toBeGreaterThan(990)
})

const FIELD = NAMES.filter((name) => !name.endsWith('_contacts'))

describe.each(FIELD)('signals of %s', (driver) => {
  test('are the same for the same seed and time, however often they are asked', () => {
    const one = play(driver)
    const other = play(driver)
    one.at(5000)
    values(one.device)
    one.at(123_456)
    other.at(123_456)
    expect(values(one.device)).toEqual(values(other.device))
  })

  test('lie within the range, and counters only rise', () => {
    const { device, at } = play(driver, 3)
    let before = values(device)
    for (let ms = 0; ms < 2 * HOUR_MS; ms += 97_000) {
      at(ms)
      const now = values(device)
      for (const { point } of device.cells) {
        const value = now[point.key]!
        if (point.range !== null) {
          expect(value, point.id).toBeGreaterThanOrEqual(point.range[0])
          expect(value, point.id).toBeLessThanOrEqual(point.range[1])
        }
        if (point.kind === 'counter') expect(value, point.id).toBeGreaterThanOrEqual(Number(before[point.key]))
        if (point.type === 'bool') expect(typeof value, point.id).toBe('boolean')
      }
      before = now
    }
  })
})

test('another seed is another community', () => {
  expect(values(play('meter/eastron_sdm120', 1).device)).not.toEqual(values(play('meter/eastron_sdm120', 2).device))
})

test('a meter agrees with itself: phases add up, current belongs to power, energy to the mean power', () => {
  const { device, at } = play('meter/eastron_sdm630')
  at(60_000)
  const now = values(device) as Record<string, number>
  expect(now['power_active']).toBeCloseTo(now['power_active_a']! + now['power_active_b']! + now['power_active_c']!, 1)
  expect(now['current_a']! * 230 * 0.95).toBeCloseTo(now['power_active_a']!, 0)
  const start = now['energy_import']!
  let sum = 0
  for (let n = 0; n < 360; n++) {
    at(60_000 + n * 10_000)
    sum += Number(values(device)['power_active'])
  }
  const gained = Number(values(device)['energy_import']) - start
  expect(gained / (sum / 360 / 1000)).toBeGreaterThan(0.7)
  expect(gained / (sum / 360 / 1000)).toBeLessThan(1.4)
})

test('a stopped pump draws no current and its pressure falls', () => {
  const { device, at } = play('pump/abb_acs580')
  at(1000)
  expect(values(device)).toMatchObject({ running: true, fault: false })
  expect(values(device)['current']).toBeGreaterThan(5)
  cell(device, 'running').forced = false
  expect(values(device)).toMatchObject({ current: 0, frequency: 0 })
  const supply = play('pump/constant_pressure_ptech').device
  expect(values(supply)['pressure']).toBeGreaterThan(0.3)
  cell(supply, 'running').forced = false
  expect(values(supply)['pressure']).toBe(0.12)
})

test('the contacts of a lift tell one story, also those that open when something happens', () => {
  let now = 0
  const site = siteOf({
    buses: { b: TCP },
    devices: {
      io: { driver: 'io/wellpro_wp8026', bus: 'b', address: 1 },
      lift: {
        driver: 'elevator/dry_contacts',
        inputs: {
          running: 'io.di_1',
          fault: '!io.di_2',
          power_ok: 'io.di_3',
          door_open: 'io.di_4',
          car_at_floor: 'io.di_5',
        },
      },
    },
  })
  const world = buildWorld(site, { seed: 5, elapsedMs: () => now, ears: DEAF })
  const contact = (id: string): Value => {
    const { owner, cell: found } = world.find(id)
    return owner.value(found)
  }
  let trips = 0
  let openings = 0
  let moving = false
  let open = false
  for (; now < 400_000; now += 500) {
    const running = contact('lift.running') as boolean
    const door = contact('lift.door_open') as boolean
    expect(contact('lift.car_at_floor')).toBe(!running)
    expect(running && door).toBe(false)
    // Normally closed: no fault is a closed contact.
    expect(contact('io.di_2')).toBe(true)
    expect(contact('io.di_3')).toBe(true)
    if (running && !moving) trips += 1
    if (door && !open) openings += 1
    moving = running
    open = door
  }
  expect(trips).toBe(10)
  expect(openings).toBe(10)
})

test('faults come by seed and share', () => {
  const draw = (seed: number, share: number): readonly boolean[] => {
    const faults = new Faults(seed)
    faults.set('m', [{ kind: 'silent', share }])
    return Array.from({ length: 1000 }, () => faults.next('m').silent)
  }
  expect(draw(1, 0.2)).toEqual(draw(1, 0.2))
  expect(draw(1, 0.2)).not.toEqual(draw(2, 0.2))
  const hits = draw(1, 0.2).filter(Boolean).length
  expect(hits).toBeGreaterThan(140)
  expect(hits).toBeLessThan(260)
  expect(new Faults(1).next('m').silent).toBe(false)
})
