import { expect, test } from 'vitest'
import { Reach } from '../../src/image/reach.ts'
import { siteOf } from '../driver/folder.ts'

const site = siteOf({
  'site.yaml': `site: {id: s}
buses: {near: {wire: modbus-tcp://127.0.0.1}, far: {wire: modbus-tcp://127.0.0.2}}
devices:
  one: {driver: io/wellpro_wp8026, bus: near, address: 1}
  two: {driver: io/wellpro_wp8026, bus: near, address: 2}
  elsewhere: {driver: io/wellpro_wp8026, bus: far, address: 1}
`,
})
const DOWN = { kind: 'bus', bus: 0, mono: 5, state: 'offline', cause: { kind: 'closed' } } as const
const UP = { kind: 'bus', bus: 0, mono: 9, state: 'online', cause: null } as const
const states = (turned: ReturnType<Reach['bus']>) => turned.map(({ device, state }) => [device, state])

test('a bus takes its devices with it, once, and brings back what was there before', () => {
  const reach = new Reach(site)
  expect(reach.device({ device: 0, state: 'online' })).toBe(true)
  expect(reach.device({ device: 2, state: 'online' })).toBe(true)
  expect(reach.bus(DOWN)).toEqual([
    { kind: 'device', device: 0, mono: 5, state: 'offline', cause: { kind: 'closed' } },
    { kind: 'device', device: 1, mono: 5, state: 'offline', cause: { kind: 'closed' } },
  ])
  expect(reach.bus(DOWN)).toEqual([])
  // Device two was never heard of: it has nothing to come back to.
  expect(states(reach.bus(UP))).toEqual([[0, 'online']])
  expect(reach.device({ device: 1, state: 'online' })).toBe(true)
})

test('who was offline before the bus is offline after it, and is not told twice', () => {
  const reach = new Reach(site)
  reach.device({ device: 0, state: 'degraded' })
  expect(reach.device({ device: 1, state: 'offline' })).toBe(true)
  expect(reach.device({ device: 1, state: 'offline' })).toBe(false)
  expect(states(reach.bus(DOWN))).toEqual([[0, 'offline']])
  expect(states(reach.bus(UP))).toEqual([[0, 'degraded']])
})

test('what is said of a device while its bus is down counts when the bus is back', () => {
  const reach = new Reach(site)
  reach.bus(DOWN)
  expect(reach.device({ device: 0, state: 'online' })).toBe(false)
  expect(states(reach.bus(UP))).toEqual([[0, 'online']])
})
