/**
 * Looking for devices on an RS-485 pair in memory: bytes take their time, devices hear only their own line setting, and meters that
 * answer at once spoil each other's answers. The devices are those of the library's drivers.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createFitter, verdictOn } from '../../src/cli/scan-fit.ts'
import { type Ask, askBus, type Heard } from '../../src/control/inquiry.ts'
import { search } from '../../src/control/search.ts'
import type { Found, SearchEvent } from '../../src/control/search-found.ts'
import { parseUnits, planSearch, type SearchOptions, type Step, stepText } from '../../src/control/search-plan.ts'
import { lineText, parseLine } from '../../src/driver/units.ts'
import type { ProtocolName } from '../../src/model/site.ts'
import { cjt188Speaker } from '../../src/simulate/cjt188.ts'
import { dlt645Speaker } from '../../src/simulate/dlt645.ts'
import { Faults } from '../../src/simulate/faults.ts'
import { createSlave } from '../../src/simulate/line.ts'
import { mbusSpeaker } from '../../src/simulate/mbus.ts'
import { rtuSpeaker } from '../../src/simulate/rtu.ts'
import { buildWorld } from '../../src/simulate/world.ts'
import { fakePair, type Station } from '../bus/pair.ts'
import { fakeTime, pass, run } from '../bus/rig.ts'
import { siteOf } from '../driver/folder.ts'
import { readAsked } from './reads-only.ts'

beforeEach(fakeTime)
afterEach(() => {
  vi.useRealTimers()
})

const ALL: readonly ProtocolName[] = ['modbus', 'dlt645', 'cjt188', 'mbus']

const DEVICES = `
  air: {driver: environment/xy_md02, bus: riser, address: 1}
  power: {driver: meter/eastron_sdm120, bus: riser, address: 5}
  fast: {driver: environment/renke_rs_ws_n01, bus: riser, address: 40, line: 19200 8E1}
  flat_1: {driver: meter/dlt645_2007_single_phase, bus: riser, line: 2400 8E1, address: "000000000161"}
  flat_2: {driver: meter/dlt645_2007_three_phase, bus: riser, line: 2400 8E1, address: "000000000262"}
  flat_3: {driver: meter/dlt645_2007_single_phase, bus: riser, line: 2400 8E1, address: "000000000361"}
  hot: {driver: meter/cjt188_hot_water, bus: riser, line: 2400 8E1, address: "00112026000123"}
  heat: {driver: meter/mbus_heat, bus: riser, line: 2400 8E1, address: 5}
  cold: {driver: meter/mbus_water, bus: riser, line: 2400 8E1, address: "12345678"}
`

/** The simulator's own devices, each hearing its own setting only. */
function stations(devices: string): readonly Station[] {
  const site = siteOf({
    'site.yaml': `site: {id: trial, name: Trial}\nbuses:\n  riser: {wire: "/dev/ttyX", line: 9600 8N1}\ndevices:${devices}`,
  })
  const world = buildWorld(site, {
    seed: 1,
    elapsedMs: () => 60_000,
    ears: { shown: () => undefined, written: () => expect.unreachable('a search writes nothing') },
  })
  const settings = new Map<string, typeof world.devices>()
  for (const device of world.devices) {
    const { link } = device.device
    const line = link.kind === 'bus' && link.line !== null ? lineText(link.line) : '9600 8N1'
    settings.set(line, [...(settings.get(line) ?? []), device])
  }
  return [...settings].map(([line, on]) => {
    let reply: Uint8Array | null = null
    const later = (): never => expect.unreachable('nothing is late here')
    const slave = createSlave({ devices: on, faults: new Faults(1), later }, (bytes) => void (reply = bytes), [
      rtuSpeaker,
      dlt645Speaker,
      cjt188Speaker,
      mbusSpeaker,
    ])
    return {
      line: parseLine(line) ?? expect.unreachable(),
      hear(sent) {
        reply = null
        slave.receive(sent)
        return reply
      },
    }
  })
}

type Looked = { readonly events: readonly SearchEvent[]; readonly found: readonly Found[] }

/** Time passes as fast as the search lets it. */
async function over(work: Promise<unknown>): Promise<void> {
  let done = false
  const ended = work.finally(() => {
    done = true
  })
  while (!done) await pass(1000)
  await ended
}

async function look(
  ask: Ask,
  options: { steps: readonly Step[]; from?: number; known?: readonly string[]; idle?: boolean; signal?: AbortSignal },
): Promise<Looked> {
  const events: SearchEvent[] = []
  const { steps, from = 0, known = [], idle = false, signal = new AbortController().signal } = options
  const work = async (): Promise<void> => {
    for await (const event of search({ ask, steps, from, known: new Set(known), idle, isTcp: false, signal }))
      events.push(event)
  }
  await over(work())
  return { events, found: events.flatMap((event) => (event.kind === 'found' ? [event.found] : [])) }
}

/** Address, verdict, and the drivers that fit best. */
async function fitted(ask: Ask, found: readonly Found[]): Promise<readonly string[]> {
  const fit = createFitter(null, { ask, idle: false, language: 'en' }, new AbortController().signal)
  const said: string[] = []
  const work = async (): Promise<void> => {
    for (const one of found) {
      const seen = await fit(one)
      const best = seen.fits.filter((each) => each.best).map(({ driver }) => driver)
      said.push([one.address, verdictOn(seen), ...best].join(' '))
    }
  }
  await over(work())
  return said
}

const plan = (more: Partial<SearchOptions> = {}): readonly Step[] =>
  planSearch({ wire: 'serial', protocols: ALL, lines: [], units: parseUnits('1-40') ?? [], ...more })

const names = (found: readonly Found[]): readonly string[] =>
  found.map(({ protocol, address, line }) => `${protocol} ${address} ${line}`)

function onPair(devices: string) {
  const pair = fakePair(stations(devices))
  const { bus } = run({ wire: 'serial', devices: [] }, pair)
  const ask: Ask = async (inquiry) => {
    const heard = await askBus(bus, inquiry)
    return typeof heard === 'string' ? expect.unreachable(heard) : heard
  }
  return { pair, ask, bus }
}

describe('an unknown pair', () => {
  test('everybody is found, with his setting, and the driver that fits', async () => {
    const { ask, pair } = onPair(DEVICES)
    const { found, events } = await look(ask, { steps: plan() })
    expect(names(found).toSorted()).toEqual(
      [
        'modbus 1 9600 8N1',
        'modbus 5 9600 8N1',
        'modbus 40 19200 8E1',
        'dlt645 000000000161 2400 8E1',
        'dlt645 000000000262 2400 8E1',
        'dlt645 000000000361 2400 8E1',
        'cjt188 00112026000123 2400 8E1',
        'mbus 5 2400 8E1',
        'mbus 12345678 2400 8E1',
      ].toSorted(),
    )
    expect(events.filter(({ kind }) => kind === 'note')).toEqual([
      { kind: 'note', note: 'narrowing', at: 'dlt645 2400 8E1' },
    ])
    expect((await fitted(ask, found)).toSorted()).toEqual(
      [
        '1 likely environment/xy_md02',
        // Both maps have these values there, and the three-phase one does not say what tells it apart.
        '5 several meter/eastron_sdm120 meter/eastron_sdm630',
        '40 likely environment/renke_rs_ws_n01',
        '000000000161 one meter/dlt645_2007_single_phase',
        '000000000262 one meter/dlt645_2007_three_phase',
        '000000000361 one meter/dlt645_2007_single_phase',
        '00112026000123 one meter/cjt188_hot_water',
        '5 one meter/mbus_heat',
        '12345678 one meter/mbus_water',
      ].toSorted(),
    )
    // Whatever was asked, here and to find the driver: nothing of it could change anything.
    expect(pair.sent.filter(({ bytes }) => readAsked(bytes) === null)).toEqual([])
    expect(new Set(pair.sent.map(({ bytes }) => readAsked(bytes)?.split(' ')[0]))).toEqual(new Set(ALL))
    expect(pair.sent.map(({ bytes }) => readAsked(bytes))).toContain('mbus select')
  })

  test('it goes on where it was stopped, and what is known is not asked', async () => {
    const { ask, pair } = onPair(DEVICES)
    const steps = plan({ protocols: ['modbus'], lines: ['9600 8N1'] })
    const stop = new AbortController()
    const asked: Ask = (inquiry) => {
      if (inquiry.address === 4) stop.abort()
      return ask(inquiry)
    }
    const first = await look(asked, { steps, signal: stop.signal })
    expect(names(first.found)).toEqual(['modbus 1 9600 8N1'])
    const last = first.events.flatMap((event) => (event.kind === 'step' ? [event.at] : [])).at(-1)
    expect(last).toBe(3)
    const before = pair.sent.length
    const rest = await look(ask, { steps, from: last ?? 0, known: ['modbus 7'] })
    expect(names(rest.found)).toEqual(['modbus 5 9600 8N1'])
    const units = pair.sent.slice(before).map(({ bytes }) => bytes[0])
    expect(units).not.toContain(7)
    expect(units).not.toContain(1)
  })

  test('two meters that share the last digits are told apart by those before', async () => {
    const { ask } = onPair(`
  a: {driver: meter/dlt645_2007_single_phase, bus: riser, line: 2400 8E1, address: "000000001161"}
  b: {driver: meter/dlt645_2007_single_phase, bus: riser, line: 2400 8E1, address: "000000002161"}`)
    const { found } = await look(ask, { steps: plan({ protocols: ['dlt645'], lines: ['2400 8E1'] }) })
    expect(names(found).toSorted()).toEqual(['dlt645 000000001161 2400 8E1', 'dlt645 000000002161 2400 8E1'])
  })

  test('several water meters at once cannot be told apart, and that is said', async () => {
    const { ask } = onPair(`
  a: {driver: meter/cjt188_water, bus: riser, line: 2400 8E1, address: "00112026000123"}
  b: {driver: meter/cjt188_water, bus: riser, line: 2400 8E1, address: "00112026000987"}`)
    const { found, events } = await look(ask, { steps: plan({ protocols: ['cjt188'], lines: ['2400 8E1'] }) })
    expect(found).toEqual([])
    expect(events).toContainEqual({ kind: 'note', note: 'several', at: 'cjt188 2400 8E1' })
  })
})

describe('meters of several types on one pair', () => {
  test('a water and a heat meter answer "any type" at once, and each to its own', async () => {
    const { ask } = onPair(`
  a: {driver: meter/cjt188_water, bus: riser, line: 2400 8E1, address: "00112026000123"}
  b: {driver: meter/cjt188_heat, bus: riser, line: 2400 8E1, address: "00112026000987"}`)
    const { found, events } = await look(ask, { steps: plan({ protocols: ['cjt188'], lines: ['2400 8E1'] }) })
    expect(found.map(({ address, told }) => [address, told.type])).toEqual([
      ['00112026000123', 0x10],
      ['00112026000987', 0x20],
    ])
    expect(events.filter(({ kind }) => kind === 'note')).toEqual([])
    expect(await fitted(ask, found)).toEqual([
      '00112026000123 one meter/cjt188_water',
      '00112026000987 one meter/cjt188_heat',
    ])
  })

  test('a gas meter is none for water, by its header alone', async () => {
    const { ask } = onPair('\n  gas: {driver: meter/mbus_gas, bus: riser, line: 2400 8E1, address: 7}')
    const { found } = await look(ask, { steps: plan({ protocols: ['mbus'], lines: ['2400 8E1'] }) })
    expect(found.map(({ says }) => says)).toEqual([['SIM v1', 'gas', 'no. 00000007']])
    expect(await fitted(ask, found)).toEqual(['7 one meter/mbus_gas'])
  })
})

describe('a wire on which something else speaks', () => {
  const noisy: Ask = async ({ what }) => ({
    outcome: 'garbled',
    bodies: [],
    fault: 'crc',
    unreached: false,
    ms: 'who' in what ? 5 : 7,
  })

  test('is said to be noisy, once for each setting, and not asked again and again', async () => {
    let asked = 0
    const ask: Ask = (inquiry) => {
      asked += 1
      return noisy(inquiry)
    }
    const { found, events } = await look(ask, { steps: plan({ lines: ['9600 8N1', '2400 8E1'] }) })
    expect(found).toEqual([])
    expect(events.flatMap((event) => (event.kind === 'note' ? [`${event.note} ${event.at}`] : []))).toEqual([
      'noise modbus 1 9600 8N1',
      'noise dlt645 2400 8E1',
    ])
    expect(asked).toBe(2 * 3)
  })

  test('meters are not sought digit by digit behind a spoilt answer that comes now and then', async () => {
    let asked = 0
    // Every question for a meter is spoilt, but the one that nobody can answer stays without an answer.
    const ask: Ask = async (inquiry) => {
      asked += 1
      return inquiry.address === 252 ? { ...(await noisy(inquiry)), outcome: 'silent' } : noisy(inquiry)
    }
    const protocols: readonly ProtocolName[] = ['dlt645', 'mbus']
    const { found } = await look(ask, { steps: plan({ protocols, lines: ['2400 8E1'] }) })
    expect([found, asked < 100]).toEqual([[], true])
  })
})

describe('a running bus', () => {
  test('no poll is later for it, nothing is written, and who is new is found', async () => {
    const pair = fakePair(
      stations(`
  air: {driver: environment/xy_md02, bus: riser, address: 1}
  power: {driver: meter/eastron_sdm120, bus: riser, address: 5}`),
    )
    const { bus, arrivals } = run(
      { wire: 'serial', devices: [{ address: 1, points: [{ at: 1, table: 'input' }] }] },
      pair,
    )
    const ask: Ask = async (inquiry) => {
      const heard = await askBus(bus, inquiry)
      return typeof heard === 'string' ? expect.unreachable(heard) : heard
    }
    await pass(10_000)
    const before = arrivals.length
    const began = performance.now()
    const { found } = await look(ask, {
      steps: plan({ lines: ['9600 8N1'], protocols: ['modbus'] }),
      idle: true,
      known: ['modbus 1'],
    })
    const tookMs = performance.now() - began
    expect(names(found)).toEqual(['modbus 5 9600 8N1'])
    // Idle time is no load: nobody need be told that the bus is full.
    expect(bus.status().utilisation).toBeLessThan(0.2)
    const scans = arrivals.slice(before).filter(({ kind }) => kind === 'scan')
    expect(scans.length).toBeGreaterThanOrEqual(Math.floor(tookMs / 1000) - 1)
    const gaps = scans.slice(1).map(({ mono }, at) => mono - (scans[at]?.mono ?? 0))
    // A question under way is waited for: 200 ms, and as long for what comes late.
    expect(Math.max(...gaps)).toBeLessThan(1500)
    expect(pair.sent.filter(({ bytes }) => readAsked(bytes) === null)).toEqual([])
  })
})

describe('an endpoint', () => {
  const heard = (outcome: Heard['outcome'], more: Partial<Heard> = {}): Heard => ({
    outcome,
    bodies: [],
    fault: null,
    unreached: false,
    ms: 1,
    ...more,
  })
  const on = async (answer: (unit: number) => Heard) => {
    const steps = planSearch({ wire: 'modbus-tcp', protocols: ALL, lines: [], units: parseUnits('1-9') ?? [] })
    const ask: Ask = async ({ address }) => answer(Number(address))
    const events: SearchEvent[] = []
    const signal = new AbortController().signal
    for await (const event of search({ ask, steps, from: 0, known: new Set(), idle: false, isTcp: true, signal }))
      events.push(event)
    return {
      units: events.flatMap((event) => (event.kind === 'found' ? [event.found.address] : [])),
      notes: events.flatMap((event) => (event.kind === 'note' ? [event.note] : [])),
    }
  }

  test('that answers as every unit is one device', async () => {
    expect(await on(() => heard('answer'))).toEqual({ units: [1], notes: ['any'] })
  })

  test('a refusal is life; what a gateway says for one that it does not reach is none', async () => {
    const { units } = await on((unit) =>
      unit === 3
        ? heard('refused', { fault: 'exception:2' })
        : heard('refused', { fault: 'exception:11', unreached: true }),
    )
    expect(units).toEqual([3])
  })

  test('two devices with one address spoil each other: said, and nobody is taken for being there', async () => {
    const { units, notes } = await on((unit) => heard(unit === 3 || unit === 5 ? 'garbled' : 'silent'))
    expect([units, notes]).toEqual([[], ['garbled']])
  })

  test('a busy wire is asked again', async () => {
    const tries = new Map<number, number>()
    const { units } = await on((unit) => {
      const n = (tries.get(unit) ?? 0) + 1
      tries.set(unit, n)
      if (unit !== 4) return heard('silent')
      return n < 3 ? heard('unsent', { fault: 'expired' }) : heard('answer')
    })
    expect(units).toEqual([4])
  })
})

describe('what is asked', () => {
  test('the likely first, each setting once', () => {
    const texts = plan({ units: parseUnits('1-20') ?? [] }).map(stepText)
    expect(texts.slice(0, 2)).toEqual(['modbus 9600 8N1 1', 'modbus 9600 8N1 2'])
    expect(texts.slice(16, 19)).toEqual(['dlt645 2400 8E1', 'cjt188 2400 8E1', 'mbus 2400 8E1'])
    expect(new Set(texts).size).toBe(texts.length)
    expect(texts).toContain('modbus 115200 8N1 20')
  })

  test('a serial server has the setting it has; Modbus TCP carries Modbus only', () => {
    const server = plan({ wire: 'tcp', units: [1], lines: [] })
    expect(server.map(({ line }) => line)).toEqual([null, null, null, null])
    expect(plan({ wire: 'modbus-tcp', units: [1, 2] }).map(stepText)).toEqual(['modbus 1', 'modbus 2'])
    expect(plan({ wire: 'modbus-tcp', protocols: ['dlt645'] })).toEqual([])
  })

  test.each([
    ['1-3,9', [1, 2, 3, 9]],
    ['5', [5]],
    ['3,1', [1, 3]],
    ['0-3', null],
    ['9-3', null],
    ['256', null],
    ['all', null],
    ['', null],
  ])('units %s', (text, units) => {
    expect(parseUnits(text)).toEqual(units)
  })
})
