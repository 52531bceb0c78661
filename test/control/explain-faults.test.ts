/**
 * Faults as they happen on site, on real buses over loopback sockets, and what `explain` says of each: the right cause must come
 * first. The lines are sampled as serial lines are, so garbage is the garbage of swapped wires, wrong speed and wrong parity.
 */
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CallContext } from '../../src/control/context.ts'
import { explain } from '../../src/control/explain.ts'
import type { ExplainAnswer } from '../../src/control/shapes-field.ts'
import { type Gateway, openGateway } from '../../src/gateway.ts'
import type { Site } from '../../src/model/site.ts'
import { rtu } from '../../src/protocols/modbus/framing.ts'
import { createClock } from '../../src/runtime/clock.ts'
import { hostClock } from '../../src/runtime/kernel.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { Scope } from '../../src/runtime/scope.ts'
import type { FaultSpec } from '../../src/simulate/faults.ts'
import { openSimulator, type Simulator } from '../../src/simulate/simulator.ts'
import { folder, siteOf } from '../driver/folder.ts'
import { received, type Setting } from './uart.ts'

const METER = `
driver: meter/bench
title: {en: Bench meter, zh: 试验电表}
category: meter
protocol: modbus
line: 9600 8N1
modbus: {timeout: 150ms, retries: 1}
polls: {fast: 200ms}
points:
  current: {at: holding 3, as: u16, scale: 0.1, unit: A, range: [0, 1000], every: fast}
  voltage: {at: holding 10, as: f32, order: ABCD, unit: V, range: [0, 500], every: fast}
  level: {at: input 2, as: u16, invalid: [65535], every: fast}
`
const TCP_METER = METER.replace('meter/bench', 'meter/bench_tcp')

/** What happens to a reply on its way; null: it is lost. */
type Line = {
  readonly reply?: (bytes: Uint8Array, asked: Uint8Array) => Uint8Array | null
  /** ms before a reply. */
  readonly after?: number
  /** Sent back at once. */
  readonly echo?: boolean
}

type Case = {
  readonly bus: string
  readonly cause: string
  readonly say?: string
  /** Point of the first device, by key. */
  readonly point?: string
  /** From the beginning. */
  readonly line?: Line
  /** Only after all was well. */
  readonly later?: Line
  readonly faults?: readonly FaultSpec[]
  /** Of all devices of the bus. */
  readonly everyone?: boolean
  /** From the start on. */
  readonly early?: boolean
  readonly set?: Readonly<Record<string, number>>
  /** Unplugged after all was well. */
  readonly unplug?: boolean
  /** Keys of the point in the gateway's site file only. */
  readonly wrong?: string
  readonly wire?: string
  readonly kind?: 'modbus-tcp'
  /** Address in the gateway's site file only. */
  readonly address?: number
}

const NINE_SIX: Setting = { baud: 9600, parity: 'N' }
const sampled = (setting: Partial<Setting>, swapped = false): Line => ({
  reply: (bytes) => received(bytes, { ...NINE_SIX, ...setting }, NINE_SIX, swapped),
})
const silence: Line = { reply: () => null }
const FOREIGN = [
  rtu.frame({ address: 77, body: Uint8Array.of(3, 0, 9, 0, 2), writes: false, answerBytes: 6 }, 0),
  rtu.frame({ address: 77, body: Uint8Array.of(3, 4, 1, 2, 3, 4), writes: false, answerBytes: 6 }, 0),
]

/** What the device says for an input that nothing is connected to: a number that no simulated sensor shows. */
function withoutSensor(bytes: Uint8Array): Uint8Array {
  const [unit = 0, code] = bytes
  if (code !== 4) return bytes
  return rtu.frame({ address: unit, body: Uint8Array.of(4, 2, 0xff, 0xff), writes: false, answerBytes: 4 }, 0)
}

const STEADY = { current: 21.7, voltage: 229.4, level: 20_821 }

const CASES: readonly Case[] = [
  { bus: 'swapped', cause: 'garbage_polarity', line: sampled({}, true) },
  // The same values in every run: how many bytes a wrong speed makes of an answer hangs on its bits.
  { bus: 'slow_line', cause: 'garbage_speed', line: sampled({ baud: 4800 }), early: true, set: STEADY },

  { bus: 'fast_line', cause: 'garbage_speed', line: sampled({ baud: 19_200 }), early: true, set: STEADY },
  { bus: 'even', cause: 'garbage_parity', line: sampled({ parity: 'E' }) },
  { bus: 'odd', cause: 'garbage_parity', line: sampled({ parity: 'O' }) },
  { bus: 'mute', cause: 'wiring_or_line', line: silence },
  { bus: 'unplugged', cause: 'device_dead', unplug: true },
  { bus: 'segment', cause: 'segment_dead', later: silence },
  { bus: 'wrong_address', cause: 'device_unknown', address: 90 },
  { bus: 'no_register', cause: 'register_missing', faults: [{ kind: 'exception', code: 2 }], early: true },
  { bus: 'no_function', cause: 'function_missing', faults: [{ kind: 'exception', code: 1 }], early: true },
  { bus: 'broken', cause: 'device_failure', faults: [{ kind: 'exception', code: 4 }] },
  { bus: 'behind', cause: 'target_silent', faults: [{ kind: 'exception', code: 11 }] },
  { bus: 'twins', cause: 'address_twice', faults: [{ kind: 'garbled', share: 0.98 }] },
  { bus: 'noisy', cause: 'noise', faults: [{ kind: 'garbled', share: 0.6 }], everyone: true },
  { bus: 'late', cause: 'device_late', faults: [{ kind: 'late', delayMs: 320 }] },
  { bus: 'stranger', cause: 'stranger', faults: [{ kind: 'wrong_unit' }] },
  {
    bus: 'masters',
    cause: 'second_master',
    later: { reply: (bytes) => Buffer.concat([...FOREIGN, bytes.subarray(0, bytes.length - 2)]) },
  },
  { bus: 'printing', cause: 'server_text', line: { reply: () => new TextEncoder().encode('REG:0001\r\n') } },
  { bus: 'echoing', cause: 'wiring_or_line', line: { ...silence, echo: true } },
  { bus: 'sensor', cause: 'sensor_missing', point: 'level', later: { reply: withoutSensor } },
  { bus: 'nan', cause: 'value_invalid', point: 'voltage', set: { voltage: Number.NaN } },
  { bus: 'beyond', cause: 'out_of_range', point: 'voltage', set: { voltage: 512 } },
  {
    bus: 'order',
    cause: 'order_wrong',
    point: 'voltage',
    set: { voltage: 231.5 },
    wrong: '{order: CDAB}',
    early: true,
  },
  { bus: 'scale', cause: 'scale_wrong', point: 'current', set: { current: 231.5 }, wrong: '{scale: 1}', early: true },
  {
    bus: 'stuck',
    cause: 'frozen',
    point: 'current',
    set: { current: 100 },
    wrong: '{frozenAfter: 500ms}',
    early: true,
  },
  { bus: 'refused', cause: 'host_refuses', kind: 'modbus-tcp', wire: 'modbus-tcp://127.0.0.1:1' },
  { bus: 'no_port', cause: 'port_missing', wire: '/dev/serial/by-path/platform-nothing-port0' },
]

/** A cable between the gateway and a simulated line, with a fault in it. */
type Cable = { readonly port: number; line: Line; readonly close: () => Promise<void> }

async function openCable(to: number): Promise<Cable> {
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: to, host: '127.0.0.1', noDelay: true })
    let asked = new Uint8Array(0)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        near.destroy()
        far.destroy()
      })
    }
    near.on('data', (bytes) => {
      asked = new Uint8Array(bytes)
      if (cable.line.echo === true) near.write(bytes)
      far.write(bytes)
    })
    far.on('data', (bytes) => {
      const { reply, after = 0 } = cable.line
      const altered = reply === undefined ? bytes : reply(new Uint8Array(bytes), asked)
      if (altered === null) return
      const timer = setTimeout(() => {
        timers.delete(timer)
        if (near.writable) near.write(altered)
      }, after)
      timers.add(timer)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  const cable: Cable = {
    port: bound !== null && typeof bound === 'object' ? bound.port : 0,
    line: {},
    close: () =>
      new Promise((resolve) => {
        for (const timer of timers) clearTimeout(timer)
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
  return cable
}

const scope = new Scope()
let gateway: Gateway
let simulator: Simulator
let site: Site

function siteText(wireOf: (bus: string, kind: string) => string, gatewaySide: boolean): string {
  const buses = CASES.map(({ bus, kind, wire }) => {
    const text = wire !== undefined && gatewaySide ? wire : wireOf(bus, kind ?? 'tcp')
    return `  ${bus}: {wire: "${text}"}`
  })
  const devices = CASES.flatMap(({ bus, wrong, point, kind, address }, at) =>
    [1, 2, 3].map((n) => {
      const own = gatewaySide && n === 1
      const points = own && wrong !== undefined ? `, points: {${point ?? 'current'}: ${wrong}}` : ''
      const unit = own ? (address ?? n) : n
      const driver = kind === undefined ? 'meter/bench' : 'meter/bench_tcp'
      return `  d${at}_${n}: {driver: ${driver}, bus: ${bus}, address: ${unit}${points}}`
    }),
  )
  return [
    'site: {id: faults}',
    'gateway: {clock: system}',
    'buses:',
    ...buses,
    'devices:',
    ...devices,
    '  both: {driver: elevator/follower, inputs: {running: d6_1.current}}',
    '  gone: {driver: elevator/follower}',
    'alarms:',
    '  unplugged_high: {when: d6_1.current > 900, priority: low, text: High}',
    '',
  ].join('\n')
}

const FOLLOWER = `
driver: elevator/follower
title: {en: Follower, zh: 跟随}
category: elevator
protocol: composed
inputs: {running: {as: number}}
`
const DRIVERS = {
  'drivers/meter/bench.yaml': METER,
  'drivers/meter/bench_tcp.yaml': TCP_METER,
  'drivers/elevator/follower.yaml': FOLLOWER,
}

beforeAll(async () => {
  const clock = createClock('system', { floorMs: 0, sources: hostClock() })
  let port = 40_000
  const simulated = siteOf({ ...DRIVERS, 'site.yaml': siteText((_, kind) => `${kind}://10.0.0.1:${port++}`, false) })
  simulator = await scope.open(openSimulator({ site: simulated, clock, log: SILENT, seed: 11, portBase: 0 }))
  const cables = new Map<string, Cable>()
  for (const { id, address } of simulator.buses) {
    if (address.kind === 'serial') throw new Error('no serial bus is simulated here')
    cables.set(id, await scope.open(openCable(address.port)))
  }
  site = siteOf({
    ...DRIVERS,
    'site.yaml': siteText((bus, kind) => `${kind}://127.0.0.1:${cables.get(bus)?.port ?? 0}`, true),
  })
  const misbehave = (early: boolean): void => {
    for (const [at, each] of CASES.entries()) {
      const first = `d${at}_1`
      const cable = cables.get(each.bus)
      if (cable !== undefined && early && each.line !== undefined) cable.line = each.line
      if (cable !== undefined && !early && each.later !== undefined) cable.line = each.later
      if (early !== (each.early ?? false)) continue
      for (const [key, value] of Object.entries(each.set ?? {})) simulator.set(`${first}.${key}`, value)
      for (const n of each.everyone === true ? [1, 2, 3] : [1])
        if (each.faults !== undefined) simulator.fault(`d${at}_${n}`, each.faults)
      if (each.unplug === true) void simulator.pause(first)
    }
  }
  misbehave(true)
  gateway = await scope.open(openGateway({ site, data: folder({ 'x.txt': '' }), log: SILENT }))
  const goodFirst = CASES.flatMap((each, at) =>
    each.early === true || each.line !== undefined || each.wire !== undefined || each.address !== undefined ? [] : [at],
  )
  await until(() => goodFirst.every((at) => qualityOf(`d${at}_1.${CASES[at]?.point ?? 'current'}`) === 'good'))
  misbehave(false)
  await until(() =>
    CASES.every((each, at) => qualityOf(`d${at}_1.${each.point ?? 'current'}`) !== 'good' || each.bus === 'noisy'),
  )
}, 60_000)
afterAll(() => scope.close())

function qualityOf(id: string): string {
  const index = site.points.findIndex((point) => point.id === id)
  return gateway.view.latest(index).quality
}

async function until(truth: () => boolean): Promise<void> {
  const end = performance.now() + 20_000
  while (!truth()) {
    if (performance.now() > end) {
      const bad = CASES.map((each, at) => `${each.bus}=${qualityOf(`d${at}_1.${each.point ?? 'current'}`)}`)
      throw new Error(`waited in vain: ${bad.join(' ')}`)
    }
    await new Promise((resolve) => gateway.view.onTurn(resolve))
  }
}

async function ask(subject: string): Promise<ExplainAnswer> {
  if (explain.kind !== 'answer') throw new Error('explain answers')
  const context: CallContext = {
    view: gateway.view,
    log: SILENT,
    caller: { name: 'li', role: 'viewer' },
    signal: AbortSignal.timeout(10_000),
  }
  return explain.output.parse(await explain.answer(context, { subject })) as ExplainAnswer
}

describe('the right cause comes first', () => {
  test.concurrent.for(CASES.map((each, at) => ({ ...each, at })))(
    '$bus: $cause',
    async ({ at, cause, point }, { expect: check }) => {
      const answer = await ask(`d${at}_1.${point ?? 'current'}`)
      const causes = answer.point?.causes ?? []
      check(
        causes[0]?.key,
        JSON.stringify(causes.map(({ key, confidence, signs }) => [key, confidence, ...signs.map(({ en }) => en)])),
      ).toBe(cause)
      // Nothing is left unfilled, in either language.
      for (const text of [
        ...causes.flatMap(({ text: own, signs, check: advice }) => [own, ...signs, ...advice]),
        ...(answer.point?.chain ?? []).map(({ text: own }) => own),
      ])
        for (const words of [text.en, text.zh]) check(words).not.toMatch(/\{\w+\}|undefined|NaN|: $/)
    },
  )
})

test('a point made of another is explained by that one', async () => {
  const { point } = await ask('both.running')
  expect(point?.via).toEqual(['d6_1.current'])
  expect(point?.causes[0]?.key).toBe('device_dead')
  expect(point?.lastGood).not.toBeNull()
})

test('an input that nothing is connected to', async () => {
  const { point } = await ask('gone.running')
  expect(point?.causes[0]?.key).toBe('not_configured')
})

test('a rule is explained by the inputs that are not good', async () => {
  const { rule, inputs } = await ask('unplugged_high')
  expect(rule?.state).toBe('unknown')
  expect(inputs[0]?.causes[0]?.key).toBe('device_dead')
})

test('the chain stops at the cause', async () => {
  const { point } = await ask(`d${CASES.findIndex(({ bus }) => bus === 'no_register')}_1.current`)
  expect(point?.chain.map(({ link, state }) => `${link} ${state}`)).toEqual([
    'port ok',
    'bus ok',
    'device ok',
    'frame bad',
    'decode unreached',
    'rule unreached',
  ])
})
