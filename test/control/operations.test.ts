import { describe, expect, test } from 'vitest'
import type { CallContext } from '../../src/control/context.ts'
import { readValue } from '../../src/control/field.ts'
import { matches, pointsMatching } from '../../src/control/glob.ts'
import { fieldSources } from '../../src/control/live.ts'
import { OperationError } from '../../src/control/operation.ts'
import type { AckAnswer, AlarmRow, HistoryAnswer, PointRow, Status, UplinkOutbox } from '../../src/control/shapes.ts'
import { OPERATIONS } from '../../src/control/operations.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { createFake, type Fake, NOW, SITE } from './fake.ts'

type Answers = {
  status: Status
  points: PointRow[]
  read: PointRow[]
  alarms: AlarmRow[]
  ack: AckAnswer
  history: HistoryAnswer
  outbox: Record<string, UplinkOutbox>
}

/** The answer has passed its own schema, which is where its type comes from. */
function call<Name extends string>(
  fake: Fake,
  name: Name,
  input: unknown = {},
): Promise<Name extends keyof Answers ? Answers[Name] : unknown> {
  const operation = OPERATIONS.find((candidate) => candidate.name === name)!
  if (operation.kind !== 'answer') throw new Error(`${name} is a stream`)
  const context: CallContext = {
    view: fake.view,
    log: SILENT,
    caller: { name: 'li', role: 'engineer' },
    signal: new AbortController().signal,
  }
  return Promise.resolve(operation.answer(context, input)).then(
    (answer) => operation.output.parse(answer) as Name extends keyof Answers ? Answers[Name] : unknown,
  )
}

describe('the list', () => {
  test('has each name once, and a role for it', () => {
    expect(OPERATIONS.map(({ name }) => name).toSorted()).toEqual(
      'ack alarms buses devices explain history inquire outbox ping points probe prove_keep prove_list prove_look read reload roster status trace watch write'.split(
        ' ',
      ),
    )
  })

  test('only what changes something, or asks devices by hand, needs more than a viewer', () => {
    for (const { name, role, mutates } of OPERATIONS)
      expect([name, role !== 'viewer']).toEqual([name, mutates || name === 'inquire' || name === 'probe'])
  })

  test.each(OPERATIONS.filter(({ kind, mutates }) => kind === 'answer' && !mutates).map(({ name }) => [name]))(
    'what %s answers fits its schema',
    async (name) => {
      const input =
        name === 'read'
          ? { points: ['pump_1.running'] }
          : name === 'history'
            ? { point: 'pump_1.running', sinceMs: 1000, everyMs: 0 }
            : name === 'explain'
              ? { subject: 'pump_1.running' }
              : name === 'prove_look'
                ? { point: 'pump_1.running' }
                : name === 'roster'
                  ? { bus: 'pump_room' }
                  : name === 'inquire'
                    ? { bus: 'pump_room', protocol: 'modbus', address: 1, what: { at: 'holding 3' } }
                    : name === 'probe'
                      ? { device: 'pump_1', at: 'holding 0' }
                      : {}
      await expect(call(createFake(), name, input)).resolves.toBeDefined()
    },
  )
})

describe('status', () => {
  test('has the shape that programs rely on', async () => {
    expect(await call(createFake(), 'status')).toMatchObject({
      site: 'jinxiu_3',
      gateway: 'jinxiu_3_gw1',
      version: '0.1.0',
      uptimeS: 273_600,
      clock: { trusted: true, quality: 1 },
      devices: { total: 4, online: 3 },
      points: { total: 6, good: 3, uncertain: 2, bad: 1 },
      store: { samplesCommitted: 1_234_567, lagMs: 120, durable: true, commitEveryMs: 1000 },
      uplinks: { cloud: { connected: false, waitingBatches: 24, waitingSamples: 21_600, oldestWaitingMs: 120_000 } },
      alarms: { active: 2, unacknowledged: 2 },
    })
  })

  test('counts a dead bus once, not also its devices, and names it before the uplink', async () => {
    const { problems } = await call(createFake(), 'status')
    expect(problems).toEqual([
      { kind: 'bus_offline', subject: 'riser_b3', cause: 'closed', since: NOW - 65_000, count: 1 },
      { kind: 'uplink_down', subject: 'cloud', cause: 'refused', since: NOW - 120_000, count: null },
    ])
  })

  test('a device that is silent on a live bus is a problem of its own', async () => {
    const fake = createFake()
    const { bus } = fake.view
    fake.view.bus = () => bus(0)
    const { problems } = await call(fake, 'status')
    expect(problems[0]).toMatchObject({ kind: 'device_offline', subject: 'meter_7', cause: 'closed' })
  })
})

describe('points', () => {
  test('a bad point has no value, and says why', async () => {
    expect(await call(createFake(), 'points', { pattern: 'meter_7.*' })).toEqual([
      { point: 'meter_7.energy', value: null, unit: 'kWh', quality: 'bad', cause: 'closed', at: NOW - 65_000 },
    ])
  })

  test('an uncertain one keeps its value and its own time', async () => {
    expect(await call(createFake(), 'points', { pattern: 'lobby_air' })).toEqual([
      {
        point: 'lobby_air.temperature',
        value: 21.25,
        unit: '°C',
        quality: 'uncertain',
        cause: 'stale',
        at: NOW - 7_200_000,
      },
    ])
  })

  test.each([
    ['*', 'pump_1.running', true],
    ['*.running', 'pump_1.running', true],
    ['pump_?.*', 'pump_1.running', true],
    ['pump_?.*', 'pump_12.running', false],
    ['p*1*ing', 'pump_1.running', true],
    ['pump_1.run', 'pump_1.running', false],
    ['', 'x', false],
    ['.*', 'pump_1.running', false],
  ])('%s against %s: %s', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected)
  })

  test('a pattern that would make a careless matcher run for ever ends at once', () => {
    expect(matches(`${'*a'.repeat(100)}b`, 'a'.repeat(5000))).toBe(false)
  })

  test('a name without a dot is a device', () => {
    expect(pointsMatching(SITE, 'pump_1')).toHaveLength(3)
    expect(pointsMatching(SITE, 'p*_1')).toHaveLength(3)
  })
})

describe('read', () => {
  test('asks the wire for what composed points rest on, and answers in the order asked', async () => {
    const fake = createFake()
    const rows = await call(fake, 'read', {
      points: ['lift_1.running', 'pump_1.outlet_pressure', 'lobby_air.temperature'],
    })
    expect(fake.refreshed.map((points) => points.toSorted((a, b) => a - b))).toEqual([[0, 1]])
    expect(rows.map(({ point }) => point)).toEqual([
      'lift_1.running',
      'pump_1.outlet_pressure',
      'lobby_air.temperature',
    ])
  })

  test('points that rest on each other end the search', () => {
    const [first, second] = [SITE.points[5]!, SITE.points[1]!]
    const loop = {
      ...SITE,
      points: SITE.points.with(1, { ...second, source: { from: 'point', point: 5, invert: false } }),
    } as typeof SITE
    expect([...fieldSources(loop, [first])]).toEqual([])
  })
})

describe('values that are typed', () => {
  test.each([
    ['bool', 'on', true],
    ['bool', 'FALSE', false],
    ['bool', 1, true],
    ['f64', '-1.5e3', -1500],
    ['f64', '.5', 0.5],
    ['u64', '18446744073709551615', '18446744073709551615'],
    ['u64', '42', 42],
    ['str', 'auto', 'auto'],
  ] as const)('%s takes %j', (type, given, expected) => {
    expect(readValue({ id: SITE.points[0]!.id, type }, given)).toBe(expected)
  })

  test.each([
    ['bool', 'maybe'],
    ['f64', ''],
    ['f64', 'NaN'],
    ['f64', 'Infinity'],
    ['f64', '0x10'],
    ['f64', '1e999'],
    ['u64', '-1'],
    ['u64', '1.5'],
  ] as const)('%s refuses %j', (type, given) => {
    expect(() => readValue({ id: SITE.points[0]!.id, type }, given)).toThrow(OperationError)
  })
})

describe('alarms', () => {
  test('what wants attention, the most urgent first; what was put aside only when asked', async () => {
    const fake = createFake()
    const shown = await call(fake, 'alarms')
    expect(shown.map(({ no, state }) => [no, state])).toEqual([
      [3, 'unacknowledged'],
      [4, 'acknowledged'],
      [2, 'returned'],
    ])
    const all = await call(fake, 'alarms', { all: true })
    expect(all.at(-1)).toMatchObject({ no: 1, state: 'suppressed', rule: 'device_offline.meter_7' })
  })

  test('have the fields of the contract', async () => {
    const [first] = await call(createFake(), 'alarms')
    expect(first).toMatchObject({
      no: 3,
      id: '01JDC3K9QZ7T8V5M2N4R6X0YBE',
      rule: 'water_supply_lost',
      device: null,
      priority: 'critical',
      state: 'unacknowledged',
      active: true,
      acked: false,
      raisedAt: NOW - 300_000,
      place: {},
      inputs: { 'pump_1.running': false },
      text: { zh: '生活供水中断' },
    })
  })

  test('ack by number, by rule, and all', async () => {
    const fake = createFake()
    expect(await call(fake, 'ack', { no: 3 })).toEqual({ acknowledged: [3], already: [] })
    expect(await call(fake, 'ack', { rule: 'water_supply_lost' })).toEqual({ acknowledged: [], already: [3] })
    expect(await call(fake, 'ack', { all: true })).toEqual({ acknowledged: [2], already: [3, 4] })
    expect(fake.alarms.find(({ no }) => no === 1)!.last.acked).toBe(false)
  })
})

describe('records', () => {
  test('history asks the store for the time before now', async () => {
    const fake = createFake()
    fake.history = [[NOW - 60_000, 0.3, 0.32, 0.31, 0.31, 60]]
    expect(
      await call(fake, 'history', { point: 'pump_1.outlet_pressure', sinceMs: 3_600_000, everyMs: 60_000 }),
    ).toEqual({
      point: 'pump_1.outlet_pressure',
      unit: 'MPa',
      rows: [[NOW - 60_000, 0.3, 0.32, 0.31, 0.31, 60]],
      everyMs: 60_000,
      timezone: 'Asia/Shanghai',
      truncated: false,
    })
    expect(fake.queries).toEqual([{ point: 'pump_1.outlet_pressure', from: NOW - 3_600_000, to: NOW, everyMs: 60_000 }])
  })

  test('of too many raw reports the newest are answered, and it says so', async () => {
    const fake = createFake()
    fake.history = Array.from({ length: 20_001 }, (_, at) => [at, 1, 1, 1, 1, 1] as const)
    const { rows, truncated } = await call(fake, 'history', { point: 'pump_1.setpoint', sinceMs: 1000, everyMs: 0 })
    expect([rows.length, rows[0]![0], truncated]).toEqual([20_000, 1, true])
  })

  test('outbox by uplink and lane', async () => {
    expect(await call(createFake(), 'outbox')).toEqual({
      cloud: {
        t: {
          ep: '5f3a9c1e',
          hi: 182_310,
          ack: 182_286,
          kept: 170_000,
          waiting: 24,
          oldestWaitingMs: 120_000,
          dropped: 54,
        },
        a: { ep: '5f3a9c1e', hi: 40, ack: 40, kept: 1, waiting: 0, oldestWaitingMs: null, dropped: 0 },
        e: { ep: '5f3a9c1e', hi: 40, ack: 40, kept: 1, waiting: 0, oldestWaitingMs: null, dropped: 0 },
      },
    })
  })
})
