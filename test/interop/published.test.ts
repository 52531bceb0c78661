/** Devices that publish, with mosquitto's own clients in their place: what they say, and what they are told. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import vectors from '../vectors/mqtt.json' with { type: 'json' }
import { cli, freePort, freshDir, type Program, removeDir, start, startGateway, until } from './tools.ts'

const CHIRP = 'application/17c82e96-be03-4f38-aef3-f83d48582d97/device/24e124136b502341'
const site = (port: number): string => `
lab: true
site: {id: published_test}
gateway: {clock: system}
broker:
  listen: ["mqtt://127.0.0.1:${port}"]
  clients:
    field: {password: "letmein", publish: ["#"], subscribe: ["#"]}
devices:
  plug: {driver: meter/tasmota_plug, topic: pump1}
  switch: {driver: lighting/tasmota_switch, topic: tasmota_switch}
  relay: {driver: meter/shelly_gen1_relay, topic: shellies/shelly1pm-A4CF12}
  plus: {driver: meter/shelly_gen2_switch, topic: shellyplus1pm-083af2}
  flood: {driver: environment/shelly_gen1_flood, topic: shellies/shellyflood-77}
  climate: {driver: environment/chirpstack_climate, topic: ${CHIRP}}
  sos: {driver: sos/zigbee2mqtt_button, topic: zigbee2mqtt/sos_room_204}
  smoke: {driver: fire/zigbee2mqtt_smoke, topic: zigbee2mqtt/smoke_3F}
`

type Vector = { id: string; topic: string; payload?: unknown; payload_text?: string; retain?: boolean }
const VECTORS = vectors.vectors as unknown as Vector[]

let dir: string
let port: number
let gateway: Program

beforeAll(async () => {
  dir = freshDir('published')
  port = await freePort()
  mkdirSync(join(dir, 'data'))
  writeFileSync(join(dir, 'site.yaml'), site(port))
  gateway = startGateway(join(dir, 'site.yaml'), join(dir, 'data'))
  await until(`ready: ${gateway.lines.join('\n')}`, () => gateway.lines.some((line) => line.includes('"ready"')))
})

afterAll(async () => {
  await gateway?.kill()
  removeDir(dir)
})

const login = () => ['-h', '127.0.0.1', '-p', String(port), '-u', 'field', '-P', 'letmein']
const args = () => ['-c', join(dir, 'site.yaml'), '-d', join(dir, 'data')]

/** Resolves when mosquitto_pub has its PUBACK. */
async function publish(topic: string, message: string, retain = false): Promise<void> {
  const program = start('mosquitto_pub', [...login(), '-q', '1', '-t', topic, '-m', message, ...(retain ? ['-r'] : [])])
  const code = await new Promise((resolve) => program.child.once('close', resolve))
  if (code !== 0) throw new Error(`mosquitto_pub ${topic}: ${program.lines.join(' ')}`)
}

async function points(): Promise<Record<string, unknown>> {
  const { out } = await cli(['points', '--json', ...args()])
  const rows = JSON.parse(out) as { point: string; value: unknown; quality: string }[]
  return Object.fromEntries(rows.map(({ point, value, quality }) => [point, quality === 'good' ? value : quality]))
}

test('what they publish is what the screen shows', async () => {
  for (const id of [
    'tas-06',
    'tas-04',
    'tas-05',
    'sh1-01',
    'sh1-02',
    'sh1-03',
    'sh1-06',
    'sh2-02',
    'sh2-01',
    'cs-01',
  ]) {
    const vector = VECTORS.find((each) => each.id === id)
    if (vector === undefined) throw new Error(`no vector ${id}`)
    await publish(vector.topic, vector.payload_text ?? JSON.stringify(vector.payload), vector.retain)
  }
  await publish('zigbee2mqtt/smoke_3F', '{"smoke":true,"test":true,"battery_low":false}')
  expect(await points()).toMatchObject({
    'plug.energy_import': 812.345,
    'plug.power_active': 742,
    'switch.output': true,
    'relay.output': true,
    'relay.power_active': 742.15,
    'relay.energy_import': 2.0576,
    'flood.water_leak': true,
    'plus.output': true,
    'plus.power_active': 742.1,
    'plus.energy_import': 12.345678,
    'climate.temperature': 30.8,
    'climate.humidity': 50.5,
    'smoke.smoke': true,
  })
  const alarms = JSON.parse((await cli(['alarms', '--json', ...args()])).out) as { rule: string }[]
  // The leak is waited for a little; the detector is being tested.
  expect(alarms.map(({ rule }) => rule)).not.toContain('smoke.smoke_seen')
})

test('an emergency press is an alarm at once, and is not told twice', async () => {
  await publish('zigbee2mqtt/sos_room_204', '{"action":"emergency","battery":100}')
  const { out } = await cli(['alarms', '--json', ...args()])
  expect(JSON.parse(out)).toContainEqual(expect.objectContaining({ rule: 'sos.one_key_call', priority: 'critical' }))
  expect(await points()).toMatchObject({ 'sos.action': '', 'sos.battery': 100 })
})

test('an uplink that comes again over another radio gateway is taken once; what is no use has a name', async () => {
  const uplink = VECTORS.find(({ id }) => id === 'cs-01')
  await publish(`${CHIRP}/event/up`, JSON.stringify({ ...(uplink?.payload as object), rxInfo: [] }))
  await publish('tele/pump1/SENSOR', '{"ENERGY":')
  await publish('shellyplus1pm-083af2/events/rpc', '{"method":"NotifyMystery","params":{}}')
  for (const why of ['duplicate', 'not_json', 'unknown_state'])
    await until(`refusal ${why}`, () => gateway.lines.some((line) => line.includes(`"why":"${why}"`)))
})

test('a write is done when the device says so, and unknown when it says nothing', async () => {
  // A device of two lines: it hears its command and says its state.
  const heard = start('mosquitto_sub', [...login(), '-t', 'cmnd/tasmota_switch/POWER', '-v'])
  await until('the device listens', async () => {
    await publish('cmnd/tasmota_switch/POWER', 'is anybody there')
    return heard.lines.length > 0
  })
  const written = cli(['write', 'switch.output', 'false', '--json', ...args()])
  await until('the command', () => heard.lines.some((line) => line.includes('cmnd/tasmota_switch/POWER OFF')))
  await publish('stat/tasmota_switch/POWER', 'OFF')
  await heard.kill()
  expect(JSON.parse((await written).out)).toMatchObject({ outcome: 'done', readBack: false })
  expect(await points()).toMatchObject({ 'switch.output': false })
  const silent = await cli(['write', 'plus.output', 'false', '--json', ...args()])
  expect(JSON.parse(silent.out)).toMatchObject({ outcome: 'unknown', cause: 'read_back: the device said nothing' })
})
