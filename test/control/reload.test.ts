/** A changed site file taken over while the field is polled: real buses on loopback, a real store, real files. */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { checkSite } from '../../src/config/check.ts'
import { checkBeside } from '../../src/config/checker.ts'
import { diffSites, isEmpty } from '../../src/config/diff.ts'
import type { ReloadOutcome } from '../../src/control/context.ts'
import { type Gateway, openGateway } from '../../src/gateway.ts'
import { openCloud } from '../../src/simulate/cloud.ts'
import type { Site } from '../../src/model/site.ts'
import { createClock } from '../../src/runtime/clock.ts'
import { hostClock } from '../../src/runtime/kernel.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { Scope } from '../../src/runtime/scope.ts'
import { openSimulator, type Simulator } from '../../src/simulate/simulator.ts'
import { folder, LIBRARY, siteOf } from '../driver/folder.ts'

const DRIVER = `
driver: io/bench
title: {en: Bench, zh: 试验}
category: io
protocol: modbus
modbus: {timeout: 200ms}
polls: {fast: 100ms}
points:
  level: {at: holding 3, as: u16, every: fast}
  ready: {at: coil 0, every: fast, write: {role: operator}}
derive:
  on_hours: {hours: ready}
`

let scope = new Scope()
afterEach(async () => {
  await scope.close()
  scope = new Scope()
})

type Item = Readonly<Record<string, unknown>>

type Bench = {
  readonly gateway: Gateway
  readonly simulator: Simulator
  readonly edit: (text: string) => void
  readonly port: (bus: string) => number
  readonly reload: () => Promise<ReloadOutcome>
  /** What lane e or a holds, once `enough` of it is durable. */
  readonly lane: (lane: 'a' | 'e', enough?: (items: readonly Item[]) => boolean) => Promise<readonly Item[]>
  readonly quality: (point: string) => string
}

const HEAD = 'site: {id: bench}\ngateway: {clock: system}\nlab: true\n'
const ALARMS = `
alarms:
  too_high: {when: a_1.level > 500, priority: high, text: Too high}
`

/** `beside`: the file is checked in a thread of its own, as the daemon does it; that takes a second. */
async function bench(text: (port: (bus: string) => number) => string, { beside = false } = {}): Promise<Bench> {
  const clock = createClock('system', { floorMs: 0, sources: hostClock() })
  const all = `${HEAD}
buses: {a: {wire: "tcp://10.0.0.1:4001"}, b: {wire: "modbus-tcp://10.0.0.1:4002"}, c: {wire: "tcp://10.0.0.1:4003"}}
devices:
  a_1: {driver: io/bench, bus: a, address: 1}
  a_2: {driver: io/bench, bus: a, address: 2}
  b_1: {driver: io/bench, bus: b, address: 1}
  c_1: {driver: io/bench, bus: c, address: 1}
  c_9: {driver: io/bench, bus: c, address: 9}
`
  const simulated = siteOf({ 'drivers/io/bench.yaml': DRIVER, 'site.yaml': all })
  const simulator = await scope.open(openSimulator({ site: simulated, clock, log: SILENT, seed: 3, portBase: 0 }))
  const port = (bus: string): number => {
    const address = simulator.buses.find(({ id }) => id === bus)?.address
    if (address === undefined || address.kind === 'serial') throw new Error(`no bus ${bus}`)
    return address.port
  }
  const root = folder({ 'drivers/io/bench.yaml': DRIVER, 'site.yaml': HEAD + text(port) })
  const file = join(root, 'site.yaml')
  const check = beside
    ? () => checkBeside(file, [LIBRARY])
    : () => Promise.resolve(checkSite(file, { libraries: [LIBRARY] }))
  const { site, findings } = checkSite(file, { libraries: [LIBRARY] })
  if (site === null) throw new Error(JSON.stringify(findings))
  const gateway = await scope.open(openGateway({ site, data: join(root, 'data'), log: SILENT, check }))
  const { view } = gateway
  return {
    gateway,
    simulator,
    port,
    edit: (changed) => writeFileSync(file, HEAD + changed),
    reload: () => gateway.reload('test'),
    async lane(lane, enough = () => true) {
      const outbox = view.store.outbox('cloud') as unknown as {
        next: (lane: string, after: number, limits: object) => Promise<{ content: string }[]>
      }
      for (let tries = 0; ; tries++) {
        const batches = await outbox.next(lane, 0, { max: 1000, bytesMax: 1e9 })
        const items = batches.flatMap(({ content }) => JSON.parse(content) as Item[])
        if (enough(items)) return items
        if (tries > 200) throw new Error(`lane ${lane} holds only ${JSON.stringify(items)}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    quality: (point) => {
      const found = view.site().points.find(({ id }) => id === point)
      return found === undefined ? 'gone' : view.latest(found.index).quality
    },
  }
}

async function until(gateway: Gateway, truth: () => boolean): Promise<void> {
  const end = performance.now() + 10_000
  while (!truth()) {
    if (performance.now() > end) throw new Error('waited in vain')
    await new Promise<void>((resolve) => {
      const stop = gateway.view.onTurn(() => {
        stop()
        resolve()
      })
    })
  }
}

const UPLINK = 'uplinks: {cloud: {servers: ["mqtt://127.0.0.1:1"]}}\n'

test('what did not change goes on: no poll missed, no connection made anew, no value blinks, no alarm twice', async () => {
  const before = (port: (bus: string) => number) => `${UPLINK}
buses: {a: {wire: "tcp://127.0.0.1:${port('a')}"}, b: {wire: "modbus-tcp://127.0.0.1:${port('b')}"}}
devices:
  a_1: {driver: io/bench, bus: a, address: 1}
  a_2: {driver: io/bench, bus: a, address: 2}
  b_1: {driver: io/bench, bus: b, address: 1}
${ALARMS}`
  const { gateway, simulator, edit, port, reload, lane, quality } = await bench(before, { beside: true })
  const { view } = gateway
  simulator.set('a_1.level', 700)
  await until(gateway, () => ['a_1.level', 'a_2.ready', 'b_1.level'].every((id) => quality(id) === 'good'))
  await until(gateway, () => view.alarms().length === 1)
  const opened = view.wire(0).status().opens
  const cvBefore = view.identity.cv
  const [alarm] = view.alarms()

  // Every question on bus a, and how its points look after every turn.
  const asked: number[] = []
  const seen = new Set<string>()
  view.wire(0).listen((dir) => {
    if (dir === 'out') asked.push(performance.now())
  })
  const stop = view.onTurn(() => {
    for (const id of ['a_1.level', 'a_1.ready', 'a_2.level', 'a_2.ready']) seen.add(quality(id))
  })
  await until(gateway, () => asked.length > 20)
  // In front of everything: all numbers shift. Bus b gets another device, c is new, a deadband on bus a changes.
  edit(`${UPLINK}
buses:
  c: {wire: "tcp://127.0.0.1:${port('c')}"}
  a: {wire: "tcp://127.0.0.1:${port('a')}"}
  b: {wire: "modbus-tcp://127.0.0.1:${port('b')}"}
devices:
  c_1: {driver: io/bench, bus: c, address: 1}
  c_9: {driver: io/bench, bus: c, address: 9}
  a_1: {driver: io/bench, bus: a, address: 1, points: {level: {deadband: 5}}}
  a_2: {driver: io/bench, bus: a, address: 2}
  b_1: {driver: io/bench, bus: b, address: 1, name: Other}
  b_7: {driver: io/bench, bus: b, address: 7}
${ALARMS.replace('500', '600')}`)
  const count = asked.length
  const outcome = await reload()
  expect(outcome).toMatchObject({ outcome: 'applied', why: null, findings: [], prev: cvBefore, cv: cvBefore + 1 })
  expect(outcome.changes).toMatchObject({
    buses: { kept: ['a'], added: ['c'], changed: ['b'], removed: [] },
    devices: { added: ['c_1', 'c_9', 'b_7'], removed: [], changed: ['a_1', 'b_1'] },
    rules: { changed: ['too_high'] },
  })
  await until(gateway, () => asked.length > count + 40)
  stop()
  await until(gateway, () => ['c_1.level', 'b_1.level'].every((id) => quality(id) === 'good'))
  // Two devices with two blocks each, every 100 ms: 40 questions a second, before, during and after.
  const gaps = asked.slice(1).map((at, n) => at - (asked[n] ?? at))
  expect(Math.max(...gaps)).toBeLessThan(100)
  const bus = view.site().buses.findIndex(({ id }) => id === 'a')
  expect(bus).toBe(1)
  expect(view.wire(bus).status().opens).toBe(opened)
  expect(
    view
      .wire(bus)
      .devices()
      .map(({ index }) => view.site().devices[index]?.id),
  ).toEqual(['a_1', 'a_2'])
  expect([...seen]).toEqual(['good'])

  // The same occurrence, neither cleared nor raised again; the new limit holds.
  expect(view.alarms().map(({ no, last }) => [no, last.id, last.active])).toEqual([[alarm?.no, alarm?.last.id, true]])
  simulator.set('a_1.level', 550)
  await until(gateway, () => view.alarms()[0]?.last.active === false)
  const edges = await lane('a', (items) => items.some(({ ev }) => ev === 'cleared'))
  expect(edges.map(({ ev }) => ev)).toEqual(['raised', 'cleared'])

  // Writing goes to the right device under its new number.
  const point = view.site().points.findIndex(({ id }) => id === 'a_2.ready')
  const done = await view.write(
    { id: 'x', point, value: true, by: 'cli:li', role: 'operator' },
    AbortSignal.timeout(5000),
  )
  expect(done.outcome).toBe('done')
  expect(simulator.writes.at(-1)).toMatchObject({ device: 'a_2', values: { 'a_2.ready': true } })

  const events = await lane(
    'e',
    (items) => items.some(({ ty }) => ty === 'config') && items.filter(({ ty }) => ty === 'meta').length > 1,
  )
  expect(events.filter(({ ty }) => ty === 'config').map(({ body }) => body)).toMatchObject([
    { run: cvBefore + 1, prev: cvBefore, res: 'applied', why: null, by: 'test' },
  ])
  const metas = events.filter(({ ty }) => ty === 'meta').map(({ body }) => body as { cv: number; dev: { i: string }[] })
  expect(metas.map(({ cv, dev }) => [cv, dev.map(({ i }) => i)])).toEqual([
    [cvBefore, ['a_1', 'a_2', 'b_1']],
    [cvBefore + 1, ['c_1', 'c_9', 'a_1', 'a_2', 'b_1', 'b_7']],
  ])
  // That a_1 is online is no news.
  const online = events.filter(({ ty, i }) => ty === 'device' && i === 'a_1')
  expect(online.length).toBe(1)
})

const SMALL = (port: (bus: string) => number) => `${UPLINK}
buses: {a: {wire: "tcp://127.0.0.1:${port('a')}"}}
devices: {a_1: {driver: io/bench, bus: a, address: 1}}
`

test('an unsound file changes nothing and is said', async () => {
  const { gateway, edit, port, reload, lane, quality } = await bench(SMALL)
  await until(gateway, () => quality('a_1.level') === 'good')
  edit(`${SMALL(port)}  nonsense: 5\n`)
  const outcome = await reload()
  expect(outcome).toMatchObject({ outcome: 'refused', why: { en: expect.stringContaining('errors') } })
  expect(outcome.findings.length).toBeGreaterThan(0)
  expect(quality('a_1.level')).toBe('good')
  const events = await lane('e', (items) => items.some(({ ty }) => ty === 'config'))
  expect(events.filter(({ ty }) => ty === 'config').map(({ body }) => body)).toMatchObject([{ res: 'rejected' }])
  edit(SMALL(port))
  expect(await reload()).toMatchObject({ outcome: 'unchanged' })
})

test('what only a restart can take over is refused, by name', async () => {
  const { edit, port, reload, gateway } = await bench(SMALL)
  edit(`${SMALL(port)}store: {commitEvery: 2s}\n`.replace('{cloud:', '{cloud2:'))
  expect(await reload()).toMatchObject({
    outcome: 'refused',
    changes: { restart: ['store', 'uplinks'] },
    why: { en: expect.stringContaining('store, uplinks') },
  })
  expect(gateway.view.site().uplinks.map(({ id }) => id)).toEqual(['cloud'])
})

test('a broker whose port is taken leaves the old one in place', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  scope.defer(() => new Promise<void>((resolve) => taken.close(() => resolve())))
  const free = createServer()
  await new Promise<void>((resolve) => free.listen(0, '127.0.0.1', resolve))
  const portOf = (server: typeof free): number => {
    const bound = server.address()
    return bound !== null && typeof bound === 'object' ? bound.port : 0
  }
  const own = portOf(free)
  await new Promise<void>((resolve) => free.close(() => resolve()))
  const withBroker = (at: number) => (port: (bus: string) => number) =>
    `${SMALL(port)}broker: {listen: ["mqtt://127.0.0.1:${at}"]}\n`
  const { gateway, edit, port, reload } = await bench(withBroker(own))
  edit(withBroker(portOf(taken))(port))
  expect(await reload()).toMatchObject({ outcome: 'refused', why: { en: expect.stringContaining('broker') } })
  expect(gateway.brokerPort()).toBe(own)
  edit(SMALL(port))
  expect(await reload()).toMatchObject({ outcome: 'applied' })
  expect(gateway.view.broker()).toBeNull()
})

test('devices come and go, and what is watched goes on by name', async () => {
  const { gateway, edit, port, reload, quality } = await bench(SMALL)
  await until(gateway, () => quality('a_1.level') === 'good')
  for (let round = 0; round < 2; round++) {
    edit(`${SMALL(port).replace('devices: {', 'devices: {a_0: {driver: io/bench, bus: a, address: 2}, ')}`)
    expect(await reload()).toMatchObject({ outcome: 'applied', changes: { buses: { changed: ['a'] } } })
    await until(gateway, () => quality('a_0.level') === 'good')
    edit(SMALL(port))
    expect(await reload()).toMatchObject({ outcome: 'applied' })
    expect(quality('a_0.level')).toBe('gone')
    // The device itself is the same: its last value is still the last value.
    expect(quality('a_1.level')).toBe('good')
  }
})

test('two sites are compared by what they mean, not by numbers', () => {
  const site = (text: string): Site => siteOf({ 'drivers/io/bench.yaml': DRIVER, 'site.yaml': HEAD + text })
  const one = site(`
buses: {a: {wire: "tcp://10.0.0.1:4001"}, b: {wire: "tcp://10.0.0.1:4002"}}
devices: {x: {driver: io/bench, bus: a, address: 1}, y: {driver: io/bench, bus: b, address: 1}}
alarms: {r: {when: x.level > 1, priority: low, text: R, do: [{write: y.ready, value: true}]}}
`)
  const other = site(`
buses: {b: {wire: "tcp://10.0.0.1:4002"}, a: {wire: "tcp://10.0.0.1:4001"}}
devices: {y: {driver: io/bench, bus: b, address: 1}, x: {driver: io/bench, bus: a, address: 1}}
alarms: {r: {when: x.level > 1, priority: low, text: R, do: [{write: y.ready, value: true}]}}
`)
  expect(isEmpty(diffSites(one, other))).toBe(true)
})

test('the cloud is told the new names’ version and hash together, never one without the other', async () => {
  const states: Item[] = []
  const cloud = await scope.open(
    openCloud({
      port: 0,
      log: SILENT,
      onMessage: (message) => {
        if (message.kind === 'state') states.push(message.document as Item)
      },
    }),
  )
  const text = (port: (bus: string) => number, place: string): string => `
uplinks: {cloud: {servers: ["mqtt://127.0.0.1:${cloud.port}"]}}
buses: {a: {wire: "tcp://127.0.0.1:${port('a')}"}}
devices: {a_1: {driver: io/bench, bus: a, address: 1, place: {room: ${place}}}}
`
  const { gateway, edit, port, reload } = await bench((of) => text(of, 'here'))
  await until(gateway, () => states.length === 1)
  edit(text(port, 'there'))
  expect(await reload()).toMatchObject({ outcome: 'applied' })
  await until(gateway, () => states.length === 2)
  const [before, after] = states
  expect(states.map(({ on }) => on)).toEqual([true, true])
  expect(after?.['cv']).toBe(Number(before?.['cv']) + 1)
  expect(after?.['sha']).not.toBe(before?.['sha'])
})
