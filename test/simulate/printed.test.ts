/** Boards that print lines: what the simulator prints, the gateway's own listener reads, over real sockets. */
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { openListener } from '../../src/bus/listener.ts'
import { compileTreatment } from '../../src/protocols/treatment.ts'
import type { CardForm, Value } from '../../src/model/point.ts'
import type { Arrival, Reading } from '../../src/model/sample.ts'
import type { Site } from '../../src/model/site.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { Scope } from '../../src/runtime/scope.ts'
import { madeUpCard, rawCard } from '../../src/simulate/cards.ts'
import { openSimulator, type Simulator, type SimulatorOptions } from '../../src/simulate/simulator.ts'
import { openPipe } from '../../src/transport/open.ts'
import { siteOf } from '../driver/folder.ts'
import { handClock } from './site.ts'

let scope = new Scope()
afterEach(async () => {
  await scope.close()
  scope = new Scope()
})

const EXAMPLE = 'drivers/elevator/example_line_board.yaml'
const BOARD = readFileSync(new URL(`../../config/textline/${EXAMPLE}`, import.meta.url), 'utf8')
/** Columns, another encoding, a sign that begins the line, a Chinese character. */
const GATE = `driver: access/gate
title: G
category: access
protocol: textline
source: a test
textline: {begin: "#", delimiter: "\\n", encoding: gb18030, id: columns 1-2}
points:
  card: {at: columns 4-12, card: wiegand26_pair, kind: event, only: {columns 3: C}}
  state: {at: columns 4-7, kind: state, only: {columns 3: 门}, map: {O: open, C: closed}}
  count: {at: columns 8-12, only: {columns 3: 门}}
proof:
  - {received: "#07C255,65281\\n", samples: {card: "w26:255:65281"}}
`
const SITE = siteOf({
  [EXAMPLE]: BOARD,
  'drivers/access/gate.yaml': GATE,
  'drivers/access/old.yaml': GATE.replace('access/gate', 'access/old')
    .replace('gb18030', 'latin1')
    .replaceAll('门', 'D'),
  'site.yaml': `site: {id: s}
buses:
  lifts: {wire: "tcp://10.1.1.40:4001"}
  gate_reader: {wire: "tcp://10.1.1.41:4001"}
  gates: {wire: "tcp://10.1.1.42:4001"}
  old: {wire: "tcp://10.1.1.43:4001"}
devices:
  lift_1: {driver: elevator/example_line_board, bus: lifts, address: L1}
  lift_2: {driver: elevator/example_line_board, bus: lifts, address: L2}
  gate_cards: {driver: access/serial_card_reader, bus: gate_reader}
  gate_7: {driver: access/gate, bus: gates, address: "07"}
  old_7: {driver: access/old, bus: old, address: "07"}
`,
})

type Rig = {
  readonly simulator: Simulator
  readonly clock: ReturnType<typeof handClock>
  /** What came of these points, newest last, values and faults. */
  readonly heard: (point: string) => readonly (Value | object)[]
  readonly refusals: (bus: string) => Readonly<Record<string, number>>
}

/** The real listener of each bus at the simulator's wires. */
async function rig(more: Partial<SimulatorOptions> = {}, site: Site = SITE): Promise<Rig> {
  const clock = handClock()
  const simulator = await scope.open(
    openSimulator({ site, clock, log: SILENT, seed: 5, portBase: 0, lookMs: 20, ...more }),
  )
  const readings: Reading[] = []
  const states: Arrival[] = []
  const buses = site.buses.map((bus) => {
    const address = simulator.buses.find(({ id }) => id === bus.id)?.address
    if (address === undefined || address.kind === 'serial') throw new Error('no port')
    const listener = openListener({
      bus,
      devices: site.devices,
      points: site.points,
      clock: { mono: () => performance.now() },
      post(arrival) {
        if (arrival.kind === 'scan') readings.push(...arrival.readings)
        else states.push(arrival)
      },
      log: SILENT,
      signal: scope.signal,
      openPipe: (_, line, opening) => openPipe(address, line, opening),
    })
    scope.defer(listener.close)
    return listener
  })
  await vi.waitFor(() => expect(states).toHaveLength(site.buses.length), 5000)
  return {
    simulator,
    clock,
    heard: (point) =>
      readings.flatMap((reading) => {
        if (site.points[reading.point]?.id !== point) return []
        return ['value' in reading ? reading.value : reading.fault]
      }),
    refusals: (id) => buses.find(({ bus }) => bus.id === id)?.status().refusals ?? {},
  }
}

const soon = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5000, interval: 5 })

describe('what is read is what is shown', () => {
  test('by fields and by columns, with ids, conditions and labels', async () => {
    const { simulator, heard } = await rig()
    simulator.set('lift_1.floor', -2)
    simulator.set('lift_1.direction', 'down')
    simulator.set('lift_1.door_open', true)
    simulator.set('lift_2.error_code', '41')
    simulator.set('gate_7.state', 'closed')
    simulator.set('gate_7.count', 1234)
    const points = [
      'lift_1.floor',
      'lift_1.direction',
      'lift_1.door_open',
      'lift_2.error_code',
      'gate_7.state',
      'gate_7.count',
    ]
    await soon(() => {
      for (const point of points) expect(heard(point).at(-1), point).toBe(simulator.get(point))
    })
    expect(heard('lift_2.error_code')).toEqual(['41'])
    expect(heard('lift_2.floor')).not.toContain(-2)
  })

  test('a lift moves by itself, and says so', async () => {
    const { clock, simulator, heard, refusals } = await rig()
    const seen = new Set<Value | object>()
    for (let n = 0; n < 30; n++) {
      clock.pass(4000)
      const floor = simulator.get('lift_1.floor')
      await soon(() => expect(heard('lift_1.floor').at(-1)).toBe(floor))
      seen.add(floor)
    }
    expect(seen.size).toBeGreaterThan(3)
    expect(refusals('lifts')).toEqual({})
  })

  test('cards come when somebody passes, once each, and are all made up', async () => {
    const { clock, simulator, heard } = await rig()
    let shown = ''
    let passages = 0
    for (let n = 0; n < 200 && passages < 3; n++) {
      clock.pass(1000)
      const card = String(simulator.get('gate_cards.card'))
      if (card !== '' && card !== shown) {
        passages += 1
        await soon(() => expect(heard('gate_cards.card')).toHaveLength(passages))
      }
      shown = card
    }
    expect(passages).toBe(3)
    for (const card of heard('gate_cards.card')) expect(card).toMatch(/^uid:FFFFFF[01][0-9A-F]$/)
    simulator.set('gate_cards.card', 'uid:FFFFFF02')
    simulator.set('gate_cards.card', 'uid:FFFFFF02')
    await soon(() => expect(heard('gate_cards.card').slice(3)).toEqual(['uid:FFFFFF02', 'uid:FFFFFF02']))
  })
})

describe('faults', () => {
  const VALUES = [11, 12, 13, 14, 15]

  async function moved(kind: 'silent' | 'garbled' | 'wrong_unit' | 'split' | 'late', delayMs = 15) {
    const made = await rig({ lookMs: 60_000 })
    made.simulator.fault('lift_1', [{ kind, delayMs }])
    for (const value of VALUES) made.simulator.set('lift_1.floor', value)
    made.simulator.set('lift_2.floor', 7)
    await soon(() => expect(made.heard('lift_2.floor')).toEqual([7]))
    return made
  }

  test('silent: nothing comes', async () => {
    const { heard, refusals } = await moved('silent')
    expect(heard('lift_1.floor')).toEqual([])
    expect(refusals('lifts')).toEqual({})
  })

  test('garbled: no text, counted', async () => {
    const { heard, refusals } = await moved('garbled')
    expect(heard('lift_1.floor')).toEqual([])
    expect(refusals('lifts')).toEqual({ not_text: VALUES.length })
  })

  test('wrong unit: of nobody here, counted', async () => {
    const { heard, refusals } = await moved('wrong_unit')
    expect(heard('lift_1.floor')).toEqual([])
    expect(refusals('lifts')).toEqual({ unknown_device: VALUES.length })
  })

  test('split and late: all of it, in order', async () => {
    for (const kind of ['split', 'late'] as const) {
      const { heard } = await moved(kind)
      await soon(() => expect(heard('lift_1.floor')).toEqual(VALUES))
    }
  })

  test('frozen: what it showed when it froze, and no card', async () => {
    const { simulator, heard } = await rig({ lookMs: 60_000 })
    simulator.set('lift_1.floor', 3)
    simulator.fault('lift_1', [{ kind: 'frozen' }])
    simulator.set('lift_1.floor', 9)
    await soon(() => expect(heard('lift_1.floor')).toEqual([3, 3]))
  })

  test('a board without power prints nothing', async () => {
    const { simulator, heard } = await rig({ lookMs: 60_000 })
    await simulator.pause('lift_1')
    simulator.set('lift_1.floor', 3)
    await simulator.resume('lift_1')
    simulator.set('lift_1.floor', 4)
    await soon(() => expect(heard('lift_1.floor')).toEqual([4]))
  })

  test('by seed, and never a wrong value: what came was shown', async () => {
    const faults = (['late', 'silent', 'garbled', 'split', 'wrong_unit'] as const).map((kind) => ({
      kind,
      share: 0.2,
      delayMs: 1,
    }))
    const { simulator, heard } = await rig({ lookMs: 60_000, faults: { gate_7: faults } })
    for (let n = 1; n <= 100; n++) simulator.set('gate_7.count', n)
    simulator.fault('gate_7', [])
    simulator.set('gate_7.count', 101)
    await soon(() => expect(heard('gate_7.count').at(-1)).toBe(101))
    const values = heard('gate_7.count')
    expect(values.length).toBeGreaterThan(20)
    expect(values.length).toBeLessThan(101)
    for (const value of values) expect(typeof value).toBe('number')
    // In their order, each as it was set.
    expect(values).toEqual([...values].sort((a, b) => Number(a) - Number(b)))
  })

  test('what makes no sense on such a wire is refused by name', async () => {
    const { simulator } = await rig()
    expect(() => simulator.fault('lift_1', [{ kind: 'exception' }])).toThrow('lift_1 cannot be exception')
    // Alone on its wire, it has no name that could be wrong; in Latin-1 every byte is a letter.
    expect(() => simulator.fault('gate_cards', [{ kind: 'wrong_unit' }])).toThrow('cannot be wrong_unit')
    expect(() => simulator.fault('old_7', [{ kind: 'garbled' }])).toThrow('cannot be garbled')
  })
})

test('every form of a card number: made up, and read back as itself', () => {
  const forms: readonly CardForm[] = [
    'wiegand_bits',
    'wiegand26_raw',
    'wiegand34_raw',
    'wiegand26_pair',
    'wiegand26_decimal',
    'wiegand34_decimal',
    'wiegand34_hex',
    'uid',
    'uid_reversed',
  ]
  for (const form of forms) {
    const card = madeUpCard(form, 3)
    const treat = compileTreatment({ scale: 1, offset: 0, invalid: [], map: null, invert: false, card: form })
    expect(treat?.(rawCard(form, card)), form).toBe(card)
  }
  expect(rawCard('uid', 'nobody')).toBe('nobody')
})
