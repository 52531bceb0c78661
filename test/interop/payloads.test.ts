/**
 * What real devices publish, sent by mosquitto_pub to the gateway's own broker: every vector of every ecosystem, one device of the
 * site for each topic. The gateway is the real one; what it holds is asked for on its command line.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  cli,
  freePort,
  freshDir,
  portOpen,
  type Program,
  removeDir,
  ROOT,
  start,
  startGateway,
  until,
} from './tools.ts'

type Vector = {
  readonly id: string
  readonly ecosystem: string
  readonly topic: string
  readonly payload?: unknown
  readonly payload_text?: string
  readonly retain?: boolean
  readonly decoded?: { readonly points?: Record<string, unknown>; readonly availability?: string }
}

const VECTORS = ['mqtt', 'zigbee2mqtt'].flatMap(
  (name) =>
    (JSON.parse(readFileSync(join(ROOT, `test/vectors/${name}.json`), 'utf8')) as { vectors: Vector[] }).vectors,
)

/** Codec, topic of the device within that of the message, and the wire's name of what the vector calls otherwise. */
const ECOSYSTEMS: Readonly<
  Record<string, { codec: string; levels: readonly [number, number]; path?: (name: string) => string | null }>
> = {
  tasmota: { codec: 'tasmota', levels: [1, 2] },
  'shelly-gen1': {
    codec: 'shelly_gen1',
    levels: [0, 2],
    // In Watt-minutes on the wire: the driver scales it.
    path: (name) => (name.endsWith('_kWh') ? null : name.includes('/') ? name : `sensor/${name}`),
  },
  'shelly-gen2': { codec: 'shelly_gen2', levels: [0, 1], path: (name) => name.replace('total_Wh', 'total') },
  esphome: { codec: 'esphome', levels: [0, 1] },
  chirpstack: { codec: 'chirpstack_v4', levels: [0, 4], path: (name) => `object.${name}` },
  zigbee2mqtt: { codec: 'zigbee2mqtt', levels: [0, 2], path: (name) => (name === 'voltage_mV' ? 'voltage' : name) },
}
/** Says nothing of its own: what was decoded there is known to the network server only. */
const SAYS_NOTHING = ['cs-02', 'cs-04']

type Field = { readonly path: string; readonly key: string; readonly as: 'bit' | 'string' | null }
type Sensor = { readonly id: string; readonly codec: string; readonly topic: string; readonly fields: Field[] }

const sensors = new Map<string, Sensor>()

/** The device that publishes this, and what it says of which of its points. null: nobody of the site. */
function sensorOf(vector: Vector): { sensor: Sensor; wanted: Record<string, unknown> } | null {
  const ecosystem = ECOSYSTEMS[vector.ecosystem]
  if (ecosystem === undefined || vector.topic.includes('/bridge/')) return null
  const topic = vector.topic
    .split('/')
    .slice(...ecosystem.levels)
    .join('/')
  const name = `${ecosystem.codec} ${topic}`
  const sensor = sensors.get(name) ?? { id: `sensor_${sensors.size}`, codec: ecosystem.codec, topic, fields: [] }
  sensors.set(name, sensor)
  const wanted: Record<string, unknown> = {}
  if (SAYS_NOTHING.includes(vector.id)) return { sensor, wanted }
  for (const [word, value] of Object.entries(vector.decoded?.points ?? {})) {
    const path = (ecosystem.path ?? ((same: string) => same))(word)
    if (path === null) continue
    const known = sensor.fields.find((field) => field.path === path)
    const as = typeof value === 'boolean' ? 'bit' : typeof value === 'string' ? 'string' : null
    const field = known ?? { path, key: `p_${sensor.fields.length}`, as }
    if (known === undefined) sensor.fields.push(field)
    wanted[`${sensor.id}.${field.key}`] = value
  }
  return { sensor, wanted }
}

const CASES = VECTORS.flatMap((vector) => {
  const found = sensorOf(vector)
  return found === null ? [] : [{ vector, ...found }]
})

const driver = ({ id, codec, fields }: Sensor): string => `
driver: io/${id}
title: {en: ${id}, zh: ${id}}
category: io
protocol: mqtt
payload: ${codec}
source: made for this test
proven: none
points:
${(fields.length === 0 ? [{ key: 'p_0', path: 'none', as: null }] : fields)
  .map(({ key, path, as }) => `  ${key}: {at: "${path}"${as === null ? '' : `, as: ${as}`}}`)
  .join('\n')}
`

let dir: string
let gateway: Program
let port: number

beforeAll(async () => {
  dir = freshDir('payloads')
  port = await freePort()
  mkdirSync(join(dir, 'drivers/io'), { recursive: true })
  mkdirSync(join(dir, 'data'))
  for (const sensor of sensors.values()) writeFileSync(join(dir, `drivers/io/${sensor.id}.yaml`), driver(sensor))
  const devices = [...sensors.values()].map(({ id, topic }) => `  ${id}: {driver: io/${id}, topic: "${topic}"}`)
  writeFileSync(
    join(dir, 'site.yaml'),
    `
lab: true
site: {id: payloads_test}
gateway: {clock: system}
broker:
  listen: ["mqtt://127.0.0.1:${port}"]
  clients:
    field: {password: "letmein", publish: ["#"], subscribe: []}
devices:
${devices.join('\n')}
`,
  )
  gateway = startGateway(join(dir, 'site.yaml'), join(dir, 'data'))
  await until(`the broker: ${gateway.lines.join('\n')}`, () => portOpen(port))
})

afterAll(async () => {
  await gateway?.kill()
  removeDir(dir)
})

async function publish({ topic, payload, payload_text, retain }: Vector): Promise<void> {
  const text = payload_text ?? JSON.stringify(payload)
  const where = ['-h', '127.0.0.1', '-p', String(port), '-u', 'field', '-P', 'letmein', '-V', 'mqttv311', '-q', '1']
  const what = text === '' ? ['-n'] : ['-m', text]
  const program = start('mosquitto_pub', [...where, ...(retain === true ? ['-r'] : []), '-t', topic, ...what])
  const code = await new Promise((resolve) => program.child.once('close', resolve))
  expect(code, program.lines.join(' ')).toBe(0)
}

async function asked<T>(verb: string): Promise<readonly T[]> {
  const { out, err } = await cli([verb, '--json', '-d', join(dir, 'data')])
  if (out === '') throw new Error(err)
  return JSON.parse(out) as T[]
}

test('every ecosystem of the vectors is here', () => {
  expect(new Set(CASES.map(({ vector }) => vector.ecosystem))).toEqual(new Set(Object.keys(ECOSYSTEMS)))
})

test.each(CASES)('$vector.ecosystem $vector.id on $vector.topic', async ({ vector, sensor, wanted }) => {
  await publish(vector)
  const { availability } = vector.decoded ?? {}
  if (availability !== undefined) {
    await until(
      `${sensor.id} to be ${availability}; the gateway says: ${gateway.lines.slice(-3).join(' ')}`,
      async () =>
        (await asked<{ device: string; state: string }>('devices')).some(
          ({ device, state }) => device === sensor.id && state === availability,
        ),
    )
    return
  }
  await until(`${sensor.id} to say ${JSON.stringify(wanted)}`, async () => {
    const points = await asked<{ point: string; value: unknown; quality: string }>('points')
    return Object.entries(wanted).every(([id, value]) =>
      points.some((row) => row.point === id && row.value === value && row.quality === 'good'),
    )
  })
})

test('what is broken, foreign or empty changes nothing and harms nobody', async () => {
  const before = await asked<{ point: string; value: unknown }>('points')
  for (const vector of VECTORS.filter(({ ecosystem }) => ecosystem === 'any')) await publish(vector)
  await publish({ id: '', ecosystem: '', topic: 'tele/pump1/SENSOR', payload_text: '{"ENERGY":{"Power":' })
  await publish({ id: '', ecosystem: '', topic: 'tele/pump1/SENSOR', payload_text: '' })
  const values = (rows: readonly { point: string; value: unknown }[]) => rows.map(({ point, value }) => [point, value])
  // The last vector of this one is a document without a zigbee2mqtt device of this site.
  expect(values(await asked('points'))).toEqual(values(before))
  expect(gateway.child.exitCode).toBeNull()
})
