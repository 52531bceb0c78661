/** Midnights, month ends and the broadcast of the time as timelines: the clock, the meters and what they kept are plain values. */
import { beforeEach, describe, expect, test } from 'vitest'
import type { CommandResult } from '../../src/bus/orders.ts'
import { createMidnights } from '../../src/control/freeze.ts'
import { createFreezeBook } from '../../src/control/freezebook.ts'
import { createSettled } from '../../src/control/settled.ts'
import { setTimeJobs } from '../../src/control/settime.ts'
import type { Sample } from '../../src/model/sample.ts'
import type { Site } from '../../src/model/site.ts'
import type { TimeQuality } from '../../src/model/journal.ts'
import { readPairs } from '../../src/bytes/bcd.ts'
import { BROADCAST } from '../../src/protocols/dlt645/index.ts'
import { createZone } from '../../src/runtime/zone.ts'
import type { HistoryRow } from '../../src/store/contract.ts'
import { siteOf } from '../driver/folder.ts'

const METER = 'meter/dlt645_2007_single_phase'
const site: Site = siteOf({
  'site.yaml': `site: {id: s}
buses: {riser: {wire: "tcp://h:1", line: 2400 8E1, setTime: "10 3 * * *"}}
devices:
  flat_1: {driver: ${METER}, bus: riser, address: "000000000001"}
  flat_2: {driver: ${METER}, bus: riser, address: "000000000002", freeze: false}
`,
})
const zone = createZone(site.timezone)
const MINUTE = 60_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Local midnight. */
const MIDNIGHT = zone.utcOf({ year: 2026, month: 11, day: 24, hour: 0 })
const ENERGY = indexOf('flat_1.energy_import')

function indexOf(id: string): number {
  return site.points.findIndex((point) => point.id === id)
}

let now: number
let told: { device: string; body: Readonly<Record<string, unknown>> }[]
let states: Map<string, string>
let samples: Map<number, Sample>
/** What meters answer when they are refreshed; null: nothing. */
let counter: number | null
let refreshed: number[][]
let rows: Map<string, HistoryRow[]>

beforeEach(() => {
  now = MIDNIGHT + 30_000
  told = []
  states = new Map()
  samples = new Map()
  counter = 4821.17
  refreshed = []
  rows = new Map()
})

const tell = (type: string, device: string, body: Readonly<Record<string, unknown>>): Promise<void> => {
  expect(type).toBe('freeze')
  told.push({ device, body })
  return Promise.resolve()
}
const book = () =>
  createFreezeBook(states, (key, value) => {
    states.set(key, value)
    return Promise.resolve()
  })
const signal = new AbortController().signal
const lastTold = (day: number | null, settled: string | null = null): void => {
  states.set('freeze.flat_1', JSON.stringify({ day, settled }))
}

function midnights(): () => Promise<void> {
  return createMidnights({
    site: () => site,
    zone,
    now: () => now,
    utc: (mono) => mono,
    mono: () => now,
    latest: (point) => samples.get(point) ?? { point, mono: 0, quality: 'bad', cause: { kind: 'not_read' } },
    refresh(points) {
      refreshed.push([...points])
      for (const point of points) {
        const mono = now
        const sample: Sample =
          counter === null
            ? { point, mono, quality: 'bad', cause: { kind: 'timeout' } }
            : { point, mono, quality: 'good', value: counter }
        samples.set(point, sample)
      }
      return Promise.resolve()
    },
    history: (query) => {
      expect(query).toMatchObject({ everyMs: 0, good: true })
      return Promise.resolve((rows.get(query.point) ?? []).filter(([t]) => t >= query.from && t < query.to))
    },
    tell,
    book: book(),
    signal,
  })
}

describe('midnight', () => {
  test('counters are read live, once, and told with their units; a settled register is none of them', async () => {
    lastTold(MIDNIGHT - DAY)
    const run = midnights()
    await run()
    expect(told).toHaveLength(1)
    const keys = ['energy_import', 'energy_import_t1', 'energy_import_t2', 'energy_import_t3', 'energy_import_t4']
    expect(told[0]).toEqual({
      device: 'flat_1',
      body: {
        period: 'day',
        at: MIDNIGHT,
        values: Object.fromEntries(keys.map((key) => [key, 4821.17])),
        units: Object.fromEntries(keys.map((key) => [key, 'kWh'])),
        readAt: now,
        source: 'live',
      },
    })
    now += 10 * MINUTE
    await run()
    await midnights()()
    expect(told).toHaveLength(1)
    expect(refreshed).toHaveLength(1)
  })

  test('a device that is new begins with the next midnight', async () => {
    const run = midnights()
    await run()
    expect([told, refreshed]).toEqual([[], []])
    now += DAY
    await run()
    expect(told.map(({ body }) => body['at'])).toEqual([MIDNIGHT + DAY])
  })

  test('a lost reply is asked for again', async () => {
    lastTold(MIDNIGHT - DAY)
    const run = midnights()
    counter = null
    const original = samples.set.bind(samples)
    let seen = 0
    samples.set = (point, sample) => {
      seen += 1
      if (seen === 5) counter = 5
      return original(point, sample)
    }
    await run()
    expect(refreshed).toHaveLength(2)
    expect(told[0]?.body).toMatchObject({ source: 'live', values: { energy_import: 5 } })
  })

  test('what is not good is named beside what is', async () => {
    lastTold(MIDNIGHT - DAY)
    const run = midnights()
    const original = samples.set.bind(samples)
    samples.set = (point, sample) =>
      original(point, point === ENERGY ? { point, mono: now, quality: 'uncertain', value: 7, cause: 'rate' } : sample)
    await run()
    expect(told[0]?.body).toMatchObject({ source: 'live', faults: { energy_import: 'rate' } })
    expect(told[0]?.body['values']).not.toHaveProperty('energy_import')
  })

  test('a silent meter is told ten minutes later, from what was read when it came back', async () => {
    lastTold(MIDNIGHT - DAY)
    const run = midnights()
    counter = null
    await run()
    expect(told).toEqual([])
    now = MIDNIGHT + 10 * MINUTE + 30_000
    rows.set('flat_1.energy_import', [
      [MIDNIGHT - 6 * MINUTE, 1, 1, 1, 1, 1],
      [MIDNIGHT - 4 * MINUTE, 2, 2, 2, 2, 1],
      [MIDNIGHT + 3 * MINUTE, 3, 3, 3, 3, 1],
    ])
    await run()
    expect(told[0]?.body).toMatchObject({
      at: MIDNIGHT,
      source: 'history',
      values: { energy_import: 3 },
      readAt: MIDNIGHT + 3 * MINUTE,
      faults: { energy_import_t1: 'timeout' },
    })
  })

  test('midnights without power: each is told, none is invented', async () => {
    lastTold(MIDNIGHT - 3 * DAY)
    now = MIDNIGHT + 8 * HOUR
    rows.set('flat_1.energy_import', [[MIDNIGHT - DAY + MINUTE, 9, 9, 9, 9, 1]])
    await midnights()()
    expect(told.map(({ body: { at, source, why } }) => [at, source, why])).toEqual([
      [MIDNIGHT - 2 * DAY, 'none', 'no_sample'],
      [MIDNIGHT - DAY, 'history', undefined],
      [MIDNIGHT, 'none', 'no_sample'],
    ])
    expect(refreshed).toEqual([])
  })
})

describe('settlements', () => {
  /** Items of the meter; a number of bytes from the wire's end, or a fault. */
  let items: Map<string, string>
  let asked: string[]
  let speaks: boolean

  const FIRST = zone.utcOf({ year: 2026, month: 12, day: 1, hour: 0 })

  beforeEach(() => {
    items = new Map([
      ['04000B01', '0100'],
      ['04000102', '001500'],
      ['04000101', '26120102'],
      ['00010001', '00482117'],
      ['00010101', '00010000'],
      ['00010201', 'FFFFFFFF'],
    ])
    asked = []
    speaks = true
    now = FIRST + 15 * MINUTE
  })

  function run(): Promise<void> {
    return settled()
  }
  const answer = (item: string, digits: string | undefined): CommandResult => {
    const times = { sentAt: 0, ms: 1, tookMs: 1 }
    if (digits === undefined) return { kind: 'fault', fault: { kind: 'exception', code: 2 }, spoilt: false, ...times }
    if (digits === 'timeout') return { kind: 'fault', fault: { kind: 'timeout' }, spoilt: false, ...times }
    const bytes = (text: string) => (text.match(/../g) ?? []).reverse().map((pair) => Number.parseInt(pair, 16))
    return { kind: 'answer', bodies: [Uint8Array.of(0x91, ...bytes(item), ...bytes(digits))], ...times }
  }
  let settled: () => Promise<void>
  beforeEach(() => {
    settled = createSettled({
      site: () => site,
      zone,
      now: () => now,
      speaks: () => speaks,
      ask(device, { body }) {
        expect(device.id).toBe('flat_1')
        const item = readPairs(body, 1, 4)
        asked.push(item)
        return Promise.resolve(answer(item, items.get(item)))
      },
      tell,
      book: book(),
      signal,
    })
  })

  test('a month end is told once, of its own moment, with what the meter has not named', async () => {
    lastTold(MIDNIGHT, '2026-11-24T08')
    await run()
    expect(told).toHaveLength(1)
    expect(told[0]?.body).toEqual({
      period: 'month',
      at: FIRST,
      values: { energy_import: 4821.17, energy_import_t1: 100 },
      units: { energy_import: 'kWh', energy_import_t1: 'kWh' },
      faults: { energy_import_t2: 'sentinel', energy_import_t3: 'exception:2', energy_import_t4: 'exception:2' },
      readAt: now,
      source: 'meter',
    })
    asked = []
    now += HOUR
    await run()
    expect([told.length, asked]).toEqual([1, []])
  })

  test('after an outage all months come, the oldest first', async () => {
    lastTold(MIDNIGHT, '2026-10-24T08')
    items.set('00010002', '00470000')
    await run()
    expect(told.map(({ body: { at, values } }) => [at, (values as Record<string, number>)['energy_import']])).toEqual([
      [zone.utcOf({ year: 2026, month: 11, day: 1, hour: 0 }), 4700],
      [FIRST, 4821.17],
    ])
  })

  test('a meter whose clock is slow has not settled yet', async () => {
    lastTold(MIDNIGHT, '2026-11-24T08')
    items.set('04000101', '26113001').set('04000102', '235000')
    await run()
    expect(told).toEqual([])
    items.set('04000102', '235930')
    await run()
    expect(told).toEqual([])
    items.set('04000101', '26120102').set('04000102', '000100')
    await run()
    expect(told.map(({ body }) => body['source'])).toEqual(['meter'])
  })

  test('a meter whose clock is wrong gives no month', async () => {
    lastTold(MIDNIGHT, '2026-11-24T08')
    items.set('04000101', '00010106')
    await run()
    expect(told[0]?.body).toEqual({
      period: 'month',
      at: FIRST,
      source: 'none',
      why: 'meter_clock: 2000-01-01T00:15:00',
    })
    expect(asked).not.toContain('00010001')
  })

  test('without a settlement day there is no month, and that is told', async () => {
    lastTold(MIDNIGHT, '2026-11-24T08')
    items.delete('04000B01')
    await run()
    expect(told[0]?.body).toMatchObject({ at: FIRST, source: 'none', why: 'settlement_day: exception:2' })
  })

  test('a settlement of another day is no month end', async () => {
    lastTold(MIDNIGHT, '2026-11-24T08')
    items.set('04000B01', '2500')
    await run()
    const at = zone.utcOf({ year: 2026, month: 11, day: 25, hour: 0 })
    expect(told[0]?.body).toMatchObject({ period: 'settlement', at, source: 'meter' })
  })

  test('lost replies are nobody’s month: it is asked again', async () => {
    lastTold(MIDNIGHT, '2026-11-24T08')
    items.set('00010101', 'timeout')
    await run()
    expect(told).toEqual([])
    items.set('00010101', '00010000')
    await run()
    expect(told).toHaveLength(1)
  })

  test('a silent meter and a new one are not asked', async () => {
    await run()
    expect([asked, states.get('freeze.flat_1')]).toEqual([[], '{"day":null,"settled":"2026-12-01T00"}'])
    lastTold(MIDNIGHT, '2026-11-24T08')
    speaks = false
    await run()
    expect(asked).toEqual([])
  })
})

describe('broadcast of the time', () => {
  let quality: TimeQuality
  let sent: { bus: number; address: unknown; line: unknown; body: string }[]
  let results: CommandResult[]

  const answered: CommandResult = { kind: 'answer', bodies: [], sentAt: 0, ms: 0, tookMs: 0 }

  async function broadcast(): Promise<Readonly<Record<string, unknown>>[]> {
    const bodies: Readonly<Record<string, unknown>>[] = []
    const [job] = setTimeJobs({
      site: () => site,
      zone,
      clock: { now: () => ({ mono: 0, offsetMs: now, quality, errorMs: null }), utc: () => now },
      ask(bus, { address, line, question }) {
        expect(question).toMatchObject({ unanswered: true, writes: true })
        sent.push({ bus, address, line, body: Buffer.from(question.body).toString('hex') })
        return Promise.resolve(results.shift() ?? answered)
      },
      tell(body) {
        bodies.push(body)
        return Promise.resolve()
      },
    })
    expect(job).toMatchObject({ name: 'set_time.riser', cron: '10 3 * * *', everyMs: Number.POSITIVE_INFINITY })
    await job?.run()
    return bodies
  }

  beforeEach(() => {
    quality = 1
    sent = []
    results = []
    now = MIDNIGHT + 3 * HOUR + 10 * MINUTE + 5000
  })

  test('the wall time of the site, once for all meters of one line setting, on the record', async () => {
    expect(await broadcast()).toEqual([
      { operation: 'set_time', bus: 'riser', by: 'calendar', line: '2400 8E1', outcome: 'sent', time: now },
    ])
    const line = { baud: 2400, dataBits: 8, parity: 'E', stopBits: 1 }
    expect(sent).toEqual([{ bus: 0, address: BROADCAST, line, body: '08051003241126' }])
  })

  test.each([0, 3, 4] as const)('a clock of quality %i sets no other', async (given) => {
    quality = given
    expect(await broadcast()).toMatchObject([{ outcome: 'refused', cause: 'clock_not_trusted' }])
    expect(sent).toEqual([])
  })

  test('what waited too long is made anew; what may have been sent is not sent twice', async () => {
    results = [{ kind: 'unsent', why: 'expired' }, answered]
    expect(await broadcast()).toMatchObject([{ outcome: 'sent' }])
    expect(sent).toHaveLength(2)
    results = [{ kind: 'fault', fault: { kind: 'closed' }, spoilt: false, sentAt: 0, ms: 0, tookMs: 0 }]
    expect(await broadcast()).toMatchObject([{ outcome: 'expired', cause: 'closed' }])
    expect(sent).toHaveLength(3)
  })
})
