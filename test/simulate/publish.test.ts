/** Devices that publish: what the simulator says over MQTT, the gateway's own broker reads, for every family of the library. */
import { Aedes } from 'aedes'
import { createServer } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openBroker } from '../../src/broker/broker.ts'
import { PAYLOAD_NAMES } from '../../src/protocols/all.ts'
import type { Value } from '../../src/model/point.ts'
import type { Arrival, Reading } from '../../src/model/sample.ts'
import type { Device, Site } from '../../src/model/site.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { Scope } from '../../src/runtime/scope.ts'
import type { FaultKind } from '../../src/simulate/faults.ts'
import { firmwareOf } from '../../src/simulate/firmware/all.ts'
import { openSimulator, type Simulator, type SimulatorOptions } from '../../src/simulate/simulator.ts'
import { siteOf } from '../driver/folder.ts'
import { handClock } from './site.ts'

let scope = new Scope()
afterEach(async () => {
  await scope.close()
  scope = new Scope()
})

const driver = (name: string, payload: string, points: string, proof: string): string =>
  `driver: ${name}\ntitle: T\ncategory: environment\nprotocol: mqtt\npayload: ${payload}\nsource: a test\npoints:\n${points}\nproof:\n  - ${proof}\n`
const SITE = siteOf({
  'drivers/environment/plant.yaml': driver(
    'environment/plant',
    'json',
    '  flow: {at: tank.0.flow, unit: m³/h}\n  open: {at: valve.open, as: bit}',
    `{payload: '{"tank":[{"flow":1.5}]}', samples: {flow: 1.5}}`,
  ),
  'drivers/environment/esp.yaml': driver(
    'environment/esp',
    'esphome',
    '  temperature: {at: sensor/room, unit: °C}\n  wet: {at: binary_sensor/wet, as: bit}',
    `{topic: sensor/room/state, payload: "21.5", samples: {temperature: 21.5}}`,
  ),
  'site.yaml': `site: {id: s}
lab: true
broker: {listen: ["mqtt://127.0.0.1:1883"]}
devices:
  z_climate: {driver: environment/zigbee2mqtt_climate, topic: zigbee2mqtt/hall/north}
  z_door: {driver: access/zigbee2mqtt_contact, topic: zigbee2mqtt/door}
  z_leak: {driver: environment/zigbee2mqtt_leak, topic: zigbee2mqtt/leak}
  z_smoke: {driver: fire/zigbee2mqtt_smoke, topic: zigbee2mqtt/smoke}
  z_seen: {driver: environment/zigbee2mqtt_occupancy, topic: zigbee2mqtt/seen}
  z_sos: {driver: sos/zigbee2mqtt_button, topic: zigbee2mqtt/sos}
  t_plug: {driver: meter/tasmota_plug, topic: tasmota_3D5E26}
  t_light: {driver: lighting/tasmota_switch, topic: "home/%prefix%/light"}
  s_relay: {driver: meter/shelly_gen1_relay, topic: shellies/shelly1pm-A4CF12}
  s_flood: {driver: environment/shelly_gen1_flood, topic: shellies/shellyflood-77}
  s_switch: {driver: meter/shelly_gen2_switch, topic: shellyplus1pm-083af2}
  c_climate: {driver: environment/chirpstack_climate, topic: application/17c8/device/24e124136b502341}
  u_door: {driver: access/uhppoted_door, topic: uhppoted/gateway/405419896}
  j_plant: {driver: environment/plant, topic: plant/tank}
  e_room: {driver: environment/esp, topic: pump_room}
`,
})
/** The LoRaWAN sensor joins, which is a point of no driver here. */
const JOINED = { no_point: 1 }
const MEASURING = SITE.devices.filter(({ id }) => id !== 'u_door')

type Rig = {
  readonly simulator: Simulator
  readonly clock: ReturnType<typeof handClock>
  readonly heard: (point: string) => readonly (Value | object)[]
  readonly states: (device: string) => readonly string[]
  readonly refusals: () => Readonly<Record<string, number>>
}

/** The broker that the gateway opens, with its ingest, and the simulator as all the devices. */
async function rig(more: Partial<SimulatorOptions> = {}, site: Site = SITE): Promise<Rig> {
  const clock = handClock()
  const readings: Reading[] = []
  const states: Extract<Arrival, { kind: 'device' }>[] = []
  const broker = await scope.open(
    openBroker({
      settings: { listen: [{ kind: 'mqtt', host: '127.0.0.1', port: 0 }], tls: null, connect: null, clients: [] },
      devices: site.devices,
      points: site.points,
      post(arrival) {
        if (arrival.kind === 'device') states.push(arrival)
        if (arrival.kind !== 'scan') return
        readings.push(...arrival.readings)
        arrival.settled?.(null)
      },
      clock: { mono: () => performance.now() },
      log: SILENT,
      signal: scope.signal,
    }),
  )
  const [listener] = broker.status().listening
  const simulator = await scope.open(
    openSimulator({
      site,
      clock,
      log: SILENT,
      seed: 5,
      portBase: 0,
      broker: { url: `mqtt://127.0.0.1:${listener?.port}`, everyMs: 60_000 },
      ...more,
    }),
  )
  return {
    simulator,
    clock,
    heard: (point) =>
      readings.flatMap((reading) => {
        if (site.points[reading.point]?.id !== point) return []
        return ['value' in reading ? reading.value : reading.fault]
      }),
    states: (id) => states.flatMap(({ device, state }) => (site.devices[device]?.id === id ? [state] : [])),
    refusals: () => broker.status().refusals,
  }
}

const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5000, interval: 5 })

function statesOf({ points }: Device): readonly string[] {
  return points.flatMap((index) => {
    const point = SITE.points[index]
    return point?.source.from === 'field' && point.kind !== 'event' ? [point.id] : []
  })
}

test('every family that a driver may name has a firmware', () => {
  for (const name of PAYLOAD_NAMES) expect(() => firmwareOf(name), name).not.toThrow()
})

describe('what is read is what is shown', () => {
  test('of every family, from the first word on', async () => {
    const { simulator, heard, refusals } = await rig()
    for (const device of MEASURING)
      await soon(() => {
        for (const point of statesOf(device)) expect(heard(point).at(-1), point).toBe(simulator.get(point))
      })
    expect(refusals()).toEqual(JOINED)
  })

  test('and again when something moves: by itself, and when it is set', async () => {
    const { simulator, clock, heard } = await rig()
    await soon(() => expect(heard('e_room.wet')).toHaveLength(1))
    clock.pass(600_000)
    const set: readonly (readonly [string, Value])[] = [
      ['z_climate.temperature', -0.85],
      ['z_door.contact', false],
      ['t_plug.output', false],
      ['t_light.output', true],
      ['s_relay.energy_import', 2.0576],
      ['s_flood.water_leak', true],
      ['s_switch.energy_import', 12.34],
      ['c_climate.temperature', 30.8],
      ['j_plant.flow', 1.5],
      ['e_room.wet', true],
    ]
    for (const [point, value] of set) simulator.set(point, value)
    for (const [point, value] of set) {
      await soon(() => expect(heard(point).at(-1), point).toBe(value))
      expect(simulator.get(point)).toBe(value)
    }
    // All the others moved with the clock, and came with what was set.
    for (const point of ['z_climate.humidity', 't_plug.voltage', 'c_climate.humidity', 's_relay.power_active'])
      await soon(() => expect(heard(point).at(-1), point).toBe(simulator.get(point)))
  })

  test('a press is told once each time, and never kept', async () => {
    const { simulator, heard } = await rig()
    await soon(() => expect(heard('z_sos.battery')).toHaveLength(1))
    simulator.set('z_sos.action', 'emergency')
    simulator.set('z_sos.battery', 50)
    simulator.set('z_sos.action', 'emergency')
    await soon(() => expect(heard('z_sos.battery')).toHaveLength(4))
    expect(heard('z_sos.action')).toEqual(['emergency', 'emergency'])
  })

  test('a card at a door comes when somebody passes, with all that is said of it, and is made up', async () => {
    const { simulator, clock, heard } = await rig({ lookMs: 20 })
    for (let n = 0; n < 100 && simulator.get('u_door.card') === ''; n++) clock.pass(1000)
    await soon(() => expect(heard('u_door.card')).toHaveLength(1))
    expect(heard('u_door.card')[0]).toMatch(/^42949670[4-6]\d$/)
    expect(heard('u_door.event')).toEqual(['swipe'])
    expect(heard('u_door.granted')).toEqual(['true'])
  })
})

describe('who is there', () => {
  test('a device of its own leaves its last will, one of a bridge is said to be gone, and both come back', async () => {
    const { simulator, states } = await rig()
    const ids = ['t_plug', 's_relay', 's_switch', 'e_room', 'z_door']
    for (const id of ids) await soon(() => expect(states(id), id).toEqual(['online']))
    for (const id of ids) await simulator.pause(id)
    for (const id of ids) await soon(() => expect(states(id), id).toEqual(['online', 'offline']))
    expect(states('z_climate')).toEqual(['online'])
    for (const id of ids) await simulator.resume(id)
    for (const id of ids) await soon(() => expect(states(id), id).toEqual(['online', 'offline', 'online']))
  })

  test('when the simulation ends, so do its bridge and its devices', async () => {
    const { simulator, states } = await rig()
    await soon(() => expect(states('z_climate')).toEqual(['online']))
    await simulator.close()
    for (const id of ['z_climate', 't_plug']) await soon(() => expect(states(id).at(-1), id).toBe('offline'))
  })
})

describe('faults', () => {
  const POINTS: Readonly<Record<string, readonly Value[]>> = {
    'z_climate.temperature': [11.5, 12.5, 13.5],
    't_plug.power_active': [11, 12, 13],
    's_relay.power_active': [11.25, 12.25, 13.25],
    's_switch.power_active': [11.5, 12.5, 13.5],
    'c_climate.temperature': [11.5, 12.5, 13.5],
    'j_plant.flow': [1.5, 2.5, 3.5],
    'e_room.temperature': [11.5, 12.5, 13.5],
  }
  const deviceOf = (point: string): string => point.split('.')[0] ?? ''

  /** Each is set three times while it has the fault, then once more when it is healed. */
  async function spoilt(kind: FaultKind, delayMs = 10) {
    const made = await rig()
    for (const point of Object.keys(POINTS)) await soon(() => expect(made.heard(point)).toHaveLength(1))
    for (const point of Object.keys(POINTS)) made.simulator.fault(deviceOf(point), [{ kind, delayMs }])
    for (const [point, values] of Object.entries(POINTS)) for (const value of values) made.simulator.set(point, value)
    for (const point of Object.keys(POINTS)) {
      made.simulator.fault(deviceOf(point), [])
      made.simulator.set(point, 20)
    }
    for (const point of Object.keys(POINTS)) await soon(() => expect(made.heard(point).at(-1), point).toBe(20))
    return made
  }

  test.each(['silent', 'garbled', 'wrong_unit'] as const)('%s: no value but those before and after', async (kind) => {
    const { heard, refusals, states } = await spoilt(kind)
    for (const point of Object.keys(POINTS)) expect(heard(point).slice(1), point).toEqual([20])
    const counted = refusals()
    if (kind === 'garbled') expect((counted['not_json'] ?? 0) + (counted['not_utf8'] ?? 0)).toBeGreaterThanOrEqual(20)
    else expect(counted).toEqual(JOINED)
    expect(states('t_plug')).toEqual(['online'])
  })

  test('late: all of it, in its order', async () => {
    const { heard } = await spoilt('late')
    for (const [point, values] of Object.entries(POINTS)) expect(heard(point).slice(1), point).toEqual([...values, 20])
  })

  test('frozen: what it showed when it froze', async () => {
    const { heard, simulator } = await rig()
    await soon(() => expect(heard('z_climate.temperature')).toHaveLength(1))
    simulator.fault('z_climate', [{ kind: 'frozen' }])
    simulator.set('z_climate.temperature', 35)
    await soon(() => expect(heard('z_climate.temperature')).toHaveLength(2))
    expect(new Set(heard('z_climate.temperature')).size).toBe(1)
  })

  test('a board of another number is another device', async () => {
    const { heard, refusals, simulator } = await rig({ faults: { u_door: [{ kind: 'wrong_unit' }] } })
    simulator.set('u_door.card', '4294967045')
    await soon(() => expect(refusals()).toEqual({ ...JOINED, other_device: 1 }))
    expect(heard('u_door.card')).toEqual([])
  })

  test('what MQTT cannot do is refused by name', async () => {
    const { simulator } = await rig()
    for (const kind of ['split', 'exception'] as const)
      expect(() => simulator.fault('t_plug', [{ kind }])).toThrow(`t_plug cannot be ${kind}`)
  })
})

test.each(['nonsense', 'http://127.0.0.1:1883'])('--broker %s is refused in words', async (broker) => {
  const opening = openSimulator({ site: SITE, clock: handClock(), log: SILENT, seed: 1, portBase: 0, broker })
  await expect(opening).rejects.toThrow(`--broker ${broker} is no address of a broker`)
})

test('topics and shapes are those of the firmware', async () => {
  const aedes = await Aedes.createBroker()
  scope.defer(() => new Promise<void>((resolve) => aedes.close(() => resolve())))
  const server = createServer(aedes.handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => new Promise<void>((resolve) => server.close(() => resolve())))
  const bound = server.address()
  const said = new Map<string, { payload: string; retain: boolean }>()
  aedes.on('publish', ({ topic, payload, retain }, client) => {
    if (client !== null) said.set(topic, { payload: payload.toString(), retain })
  })
  const url = `mqtt://127.0.0.1:${bound !== null && typeof bound === 'object' ? bound.port : 0}`
  const { simulator } = await rig({ broker: { url, everyMs: 60_000 } })
  const json = (topic: string): unknown => JSON.parse(said.get(topic)?.payload ?? '""')
  simulator.set('s_switch.power_active', 742.1)
  await soon(() => expect(said.has('shellyplus1pm-083af2/events/rpc')).toBe(true))
  await soon(() => expect(said.has('pump_room/sensor/room/state')).toBe(true))
  for (const [topic, payload] of [
    ['zigbee2mqtt/bridge/state', '{"state":"online"}'],
    ['zigbee2mqtt/hall/north/availability', '{"state":"online"}'],
    ['tele/tasmota_3D5E26/LWT', 'Online'],
    ['home/tele/light/LWT', 'Online'],
    ['shellies/shelly1pm-A4CF12/online', 'true'],
    ['shellyplus1pm-083af2/online', 'true'],
    ['pump_room/status', 'online'],
  ] as const)
    expect(said.get(topic), topic).toEqual({ payload, retain: true })
  expect(said.get('stat/tasmota_3D5E26/POWER')).toEqual({ payload: 'ON', retain: false })
  expect(json('stat/tasmota_3D5E26/RESULT')).toEqual({ POWER: 'ON' })
  expect(json('tele/tasmota_3D5E26/SENSOR')).toMatchObject({
    Time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
    ENERGY: { Power: expect.any(Number), Voltage: expect.any(Number) },
  })
  expect(said.get('shellies/shelly1pm-A4CF12/relay/0')?.payload).toBe('on')
  expect(said.get('shellies/shelly1pm-A4CF12/relay/0/energy')?.payload).toMatch(/^\d+$/)
  expect(said.get('shellies/shellyflood-77/sensor/flood')?.payload).toBe('false')
  expect(json('shellyplus1pm-083af2/status/switch:0')).toMatchObject({ id: 0, output: true, aenergy: {} })
  expect(json('shellyplus1pm-083af2/events/rpc')).toMatchObject({
    src: 'shellyplus1pm-083af2',
    dst: 'shellyplus1pm-083af2/events',
    method: 'NotifyStatus',
    params: { ts: expect.any(Number), 'switch:0': { id: 0, apower: 742.1 } },
  })
  const base = 'application/17c8/device/24e124136b502341/event'
  expect(json(`${base}/join`)).toMatchObject({ deviceInfo: { devEui: '24e124136b502341' } })
  expect(json(`${base}/up`)).toMatchObject({
    deduplicationId: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
    deviceInfo: { deviceName: 'c_climate', devEui: '24e124136b502341' },
    devAddr: expect.stringMatching(/^[0-9a-f]{8}$/),
    fCnt: 0,
    object: { temperature: expect.any(Number), humidity: expect.any(Number), battery: expect.any(Number) },
    rxInfo: [{ rssi: expect.any(Number) }],
  })
  expect(json('plant/tank')).toEqual({ tank: [{ flow: expect.any(Number) }], valve: { open: false } })
})
