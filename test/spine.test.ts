/** The flow as a whole, with a clock of its own and a store that only remembers: events, doors, lifts, pseudonyms. */
import { describe, expect, test } from 'vitest'
import { createPseudonym } from '../src/config/sitekey.ts'
import { createSecret } from '../src/config/secrets.ts'
import type { Transition } from '../src/model/alarm.ts'
import type { Value } from '../src/model/point.ts'
import type { Reading } from '../src/model/sample.ts'
import type { Site } from '../src/model/site.ts'
import { SILENT } from '../src/runtime/log.ts'
import { openSpine } from '../src/spine.ts'
import type { StoreDelta } from '../src/store/contract.ts'
import elevator from './vectors/elevator.json' with { type: 'json' }
import { siteOf } from './driver/folder.ts'

const EPOCH = Date.UTC(2026, 10, 23)
const KEY = createSecret('00'.repeat(32))

function open(site: Site) {
  let mono = 1000
  const commits: StoreDelta[] = []
  const clock = {
    mono: () => mono,
    now: () => ({ mono, offsetMs: EPOCH, quality: 1, errorMs: null }) as const,
    utc: (at = mono) => EPOCH + at,
    floorMs: () => 0,
    raiseFloor: () => undefined,
  }
  const spine = openSpine({
    site,
    clock,
    log: SILENT,
    outputs: () => undefined,
    pseudonym: createPseudonym(KEY),
    store: {
      states: new Map(),
      observe: () => undefined,
      commit(delta) {
        commits.push(delta)
        delta.settled?.(null)
      },
    },
  })
  const turn = async (): Promise<void> => {
    // A turn is due in the next round of the loop; what it sets off, in the one after.
    for (let round = 0; round < 4; round++) await new Promise((resolve) => setImmediate(resolve))
  }
  const indexOf = (id: string): number => {
    const point = site.points.find((each) => String(each.id) === id)
    if (point === undefined) throw new Error(`no point ${id}`)
    return point.index
  }
  /** What is polled stays what it is, and is read again and again. */
  const polled = new Map<number, Value>()
  return {
    spine,
    commits,
    turn,
    read: async (values: Readonly<Record<string, Value | null>>): Promise<void> => {
      const readings = Object.entries(values).map(([id, value]): Reading => {
        const point = indexOf(id)
        return value === null ? { point, fault: { kind: 'timeout' } } : { point, value }
      })
      const device = site.points[readings[0]?.point ?? 0]?.device ?? 0
      for (const reading of readings)
        if (site.devices[device]?.link.kind === 'bus' && 'value' in reading) polled.set(reading.point, reading.value)
      spine.post({ kind: 'scan', device, mono, readings })
      await turn()
    },
    /** Time goes on, looked at often enough. */
    wait: async (seconds: number, stepMs = 100): Promise<void> => {
      for (const end = mono + seconds * 1000; mono < end; ) {
        mono = Math.min(end, mono + stepMs)
        const readings = [...polled].map(([point, value]) => ({ point, value }))
        spine.post({ kind: 'scan', device: 0, mono, readings })
        await turn()
      }
    },
    latest: (id: string) => spine.image.get(indexOf(id)),
    events: () =>
      commits
        .flatMap(({ items }) => items)
        .flatMap(({ lane, body }) => (lane === 'e' && body['ty'] === 'point' ? [body['body']] : [])),
    transitions: () =>
      commits
        .flatMap(({ items }) => items)
        .flatMap(({ lane, body }) => (lane === 'a' ? [body as unknown as Transition] : [])),
    told: () =>
      commits
        .flatMap(({ items }) => items)
        .flatMap(({ lane, body }) => (lane === 'a' ? [`${String(body['rule'])} ${String(body['ev'])}`] : [])),
  }
}

const HEAD = `site: {id: s}
broker: {listen: ["mqtt://127.0.0.1:1"]}
buses: {b: {wire: modbus-tcp://127.0.0.1}}
devices:
`

describe('an emergency button', () => {
  const site = () => siteOf({ 'site.yaml': `${HEAD}  sos: {driver: sos/zigbee2mqtt_button, topic: z/sos}\n` })

  test('calls at every press, and stays until somebody has acknowledged it', async () => {
    const { read, told, events, spine, latest, turn } = open(site())
    await read({ 'sos.action': 'emergency' })
    expect(told()).toEqual(['sos.one_key_call raised'])
    expect(latest('sos.action')).toMatchObject({ quality: 'good', value: '' })
    await read({ 'sos.action': 'emergency' })
    expect(events()).toEqual([
      { p: 'action', value: 'emergency' },
      { p: 'action', value: 'emergency' },
    ])
    // The call that stands is the same one.
    expect(told()).toEqual(['sos.one_key_call raised'])
    await spine.adopt(spine.board.ack('all', 'guard', { mono: 2000, utc: EPOCH }))
    await turn()
    expect(told()).toEqual(['sos.one_key_call raised', 'sos.one_key_call acked', 'sos.one_key_call cleared'])
    await read({ 'sos.action': 'sos' })
    expect(told().at(-1)).toBe('sos.one_key_call raised')
    spine.close()
  })

  test('is heard behind another press of the same moment, and as a state', async () => {
    const made = site()
    const { spine, told, events, turn } = open(made)
    const point = made.points.findIndex(({ key }) => key === 'action')
    for (const value of ['single', 'emergency', 'single'])
      spine.post({ kind: 'scan', device: 0, mono: 1000, readings: [{ point, value }] })
    await turn()
    await turn()
    expect(events().map((body) => (body as { value: string }).value)).toEqual(['single', 'emergency', 'single'])
    expect(told()).toEqual(['sos.one_key_call raised'])
    spine.close()
    const other = open(site())
    await other.read({ 'sos.button': true })
    expect(other.told()).toEqual(['sos.one_key_call raised'])
    other.spine.close()
  })

  test('of which nothing was heard is silent', async () => {
    const { told, wait, spine } = open(site())
    await wait(5, 1000)
    expect(told()).toEqual([])
    spine.close()
  })
})

describe('a door by its contacts', () => {
  const site = (inputs: string) =>
    siteOf({
      'site.yaml': `${HEAD}  io: {driver: io/wellpro_wp8026, bus: b, address: 1}
  door: {driver: access/door_contacts, params: {held_after: 40s}, inputs: {door_contact: io.di_1${inputs}}}\n`,
    })

  test('is forced, held, or let through, by the driver’s params', async () => {
    const { read, wait, told, latest, spine } = open(site(', lock_feedback: io.di_2, exit_button: io.di_3'))
    await read({ 'io.di_1': true, 'io.di_2': true, 'io.di_3': false })
    await read({ 'io.di_3': true })
    await read({ 'io.di_3': false })
    await wait(2)
    await read({ 'io.di_1': false })
    await wait(1)
    expect(latest('door.door_state')).toMatchObject({ value: 'open' })
    await wait(38)
    expect(told()).toEqual([])
    await wait(2)
    expect(told()).toEqual(['door.held_open raised'])
    await read({ 'io.di_1': true })
    await wait(2)
    expect(told()).toEqual(['door.held_open raised', 'door.held_open cleared'])
    await wait(5)
    await read({ 'io.di_1': false })
    await wait(0.5)
    expect(told().at(-1)).toBe('door.forced raised')
    spine.close()
  })

  test('without lock feedback is never forced', async () => {
    const { read, wait, told, latest, spine } = open(site(''))
    await read({ 'io.di_1': true })
    await wait(1)
    await read({ 'io.di_1': false })
    await wait(1)
    expect(latest('door.door_state')).toMatchObject({ value: 'open' })
    expect(told()).toEqual([])
    spine.close()
  })
})

type LiftStep = {
  t: number
  door?: string
  occupied?: boolean
  moving?: boolean
  in_zone?: boolean
  mode?: string
  expect?: string | null
}
type LiftVector = { id: string; kind: string; title: string; steps: LiftStep[] }
const ALARM: Record<string, string> = {
  trapped_suspected: 'lift.entrapment raised',
  trapped_cleared: 'lift.entrapment cleared',
  moving_with_open_door: 'lift.moving_with_open_door raised',
}

describe.each((elevator.vectors as unknown as LiftVector[]).filter(({ kind }) => kind === 'derived'))(
  '$id $title',
  ({ steps }) => {
    test('follows from the contacts of the driver', async () => {
      const { read, wait, told, spine } = open(
        siteOf({
          'site.yaml': `${HEAD}  io: {driver: io/wellpro_wp8026, bus: b, address: 1}
  lift:
    driver: elevator/dry_contacts
    inputs: {running: io.di_1, door_open: io.di_2, occupied: io.di_3, car_at_floor: io.di_4, inspection: io.di_5}
`,
        }),
      )
      await read({ 'io.di_1': false, 'io.di_2': false, 'io.di_4': true, 'io.di_5': false })
      let at = 0
      for (const step of steps) {
        await wait(step.t - at, step.t - at > 10 ? 1000 : 100)
        at = step.t
        await read({
          ...(step.moving === undefined ? {} : { 'io.di_1': step.moving }),
          ...(step.door === undefined ? {} : { 'io.di_2': step.door === 'open' }),
          ...(step.occupied === undefined ? {} : { 'io.di_3': step.occupied }),
          ...(step.in_zone === undefined ? {} : { 'io.di_4': step.in_zone }),
          ...(step.mode === undefined ? {} : { 'io.di_5': step.mode === 'inspection' }),
          ...(Object.keys(step).length > 2 ? {} : { 'io.di_16': false }),
        })
        // What ends must be gone for some time: five seconds by this driver.
        if (step.expect === 'trapped_cleared') await wait(6)
        if (typeof step.expect === 'string') expect(told().at(-1)).toBe(ALARM[step.expect])
        if (step.expect === null) expect(told()).toEqual([])
      }
      spine.close()
    })
  },
)

describe('a card number', () => {
  test('is a pseudonym in whatever leaves the spine', async () => {
    const made = siteOf({
      'site.yaml': `${HEAD}  gate: {driver: access/uhppoted_door, topic: uhppoted/gateway/405419896}\n`,
    })
    const { read, commits, spine, events } = open(made)
    await read({ 'gate.card': '8165538', 'gate.event': 'swipe' })
    const all = JSON.stringify(commits)
    expect(all).not.toContain('8165538')
    expect(events()).toContainEqual({ p: 'card', value: createPseudonym(KEY)('8165538') })
    spine.close()
  })
})

describe('device events', () => {
  test('say of each device of a dead bus, and of what is composed of it, that it is offline, and that it is back', async () => {
    const made = siteOf({
      'site.yaml': `${HEAD}  io: {driver: io/wellpro_wp8026, bus: b, address: 1}
  lift: {driver: elevator/dry_contacts, inputs: {running: io.di_1}}
`,
    })
    const { spine, commits, turn, read } = open(made)
    const told = (): readonly unknown[] =>
      commits
        .flatMap(({ items }) => items)
        .flatMap(({ body }) => (body['ty'] === 'device' ? [[body['i'], body['body']]] : []))
    spine.post({ kind: 'bus', bus: 0, mono: 1000, state: 'online', cause: null })
    spine.post({ kind: 'device', device: 0, mono: 1000, state: 'online', cause: null })
    await read({ 'io.di_1': true })
    expect(told()).toEqual([
      ['io', { state: 'online', cause: null }],
      ['lift', { state: 'online', cause: null }],
    ])
    spine.post({ kind: 'bus', bus: 0, mono: 1000, state: 'offline', cause: { kind: 'closed' } })
    const { points } = made.devices[0] ?? { points: [] }
    const readings = points.map((point): Reading => ({ point, fault: { kind: 'closed' } }))
    spine.post({ kind: 'scan', device: 0, mono: 1000, readings })
    await turn()
    expect(told().slice(2)).toEqual([
      ['io', { state: 'offline', cause: 'closed' }],
      ['lift', { state: 'offline', cause: 'closed' }],
    ])
    spine.post({ kind: 'bus', bus: 0, mono: 1000, state: 'online', cause: null })
    await read({ 'io.di_1': true })
    expect(told().slice(4)).toEqual([
      ['io', { state: 'online', cause: null }],
      ['lift', { state: 'online', cause: null }],
    ])
    spine.close()
  })
})

test('a counter of which several sums are made is said once to have been replaced', async () => {
  const head = HEAD.replace('modbus-tcp://127.0.0.1', 'tcp://127.0.0.1:1')
  const { spine, commits, read } = open(
    siteOf({ 'site.yaml': `${head}  m: {driver: meter/dlt645_2007_three_phase, bus: b, address: "000012345678"}\n` }),
  )
  for (const value of [5000, 5001, 12, 12.1, 12.2, 12.3]) await read({ 'm.energy_import': value })
  const said = commits
    .flatMap(({ items }) => items)
    .flatMap(({ body }) => (body['ty'] === 'health' ? [[body['i'], body['body']]] : []))
  expect(said).toEqual([['m', { point: 'm.energy_import', counter: 'replaced' }]])
  spine.close()
})
