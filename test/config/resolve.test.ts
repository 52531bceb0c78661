import { describe, expect, test } from 'vitest'
import type { Site } from '../../src/model/site.ts'
import { check, siteOf } from '../driver/folder.ts'

function point(site: Site, id: string) {
  const found = site.points.find((each) => each.id === id)
  if (found === undefined) throw new Error(`no point ${id}`)
  return found
}

const BOARD = `driver: io/board
title: {en: Board, zh: 板}
category: io
protocol: modbus
line: 4800 8N1
modbus: {order: CDAB, maxRegisters: 20, noHoles: true, timeout: 200ms}
params: {limit: {default: 5, unit: V, range: [0, 10]}}
polls: {fast: 1s, slow: 1m}
points:
  status: {at: holding 3, as: bits, flags: {0: running, 15: fault}, every: slow, heartbeat: 1m}
  status_fault: {title: {en: Fault, zh: 故障}, maxAge: 20s}
  level: {at: input 0x10, as: f32, scale: 0.1, range: [0, 100], unit: m, write: {}, kind: gauge}
  mode: {at: holding 5, as: u16, map: {0: stopped, 0x10: auto}, write: {role: engineer}}
  total: {at: holding 6, as: u64, kind: counter, invalid: [0xFFFFFFFF]}
  text: {at: holding 20, as: string, length: 8}
  di_1: {at: discrete 0, every: 500ms, debounce: 50ms}
  relay: {at: coil 0, write: {minOn: 5s, rate: 1s}}
derive:
  gain: {increase: total, over: day}
  hours: {hours: status_running}
  warm: {expression: level + 1 > params.limit}
alarms:
  high: {when: level > params.limit, onDelay: 10s, priority: high, text: {en: High, zh: 高}, do: [{write: relay, value: true, onClear: false}]}
  low: {when: level < 1, priority: low, text: Low, latch: true}
`.replace('input 0x10, as: f32', 'holding 0x10, as: f32')
const LIFT = `driver: elevator/lift
title: Lift
category: elevator
protocol: composed
inputs: {running: {required: true}, fault: {invert: true, debounce: 1s}, level: {as: number}, spare: {}}
derive: {trips: {count: running}}
alarms: {f: {when: fault && bad(spare), priority: low, text: F}}
`
const DRIVERS = { 'drivers/io/board.yaml': BOARD, 'drivers/elevator/lift.yaml': LIFT }

function site(devices: string, more = ''): Site {
  return siteOf({
    ...DRIVERS,
    'site.yaml': `site: {id: s}\nbuses: {b: {wire: /dev/ttyS0}, t: {wire: "tcp://h:1", line: 2400 8E1}}\ndevices:\n${devices}\n${more}`,
  })
}

const IO = '  io: {driver: io/board, bus: b, address: 7}'

describe('points', () => {
  const resolved = site(IO)

  test('have their place, treatment and interval', () => {
    expect(point(resolved, 'io.level')).toMatchObject({
      kind: 'gauge',
      type: 'f64',
      unit: 'm',
      range: [0, 100],
      maxAgeMs: 10_000,
      heartbeatMs: 300_000,
      deadband: 0,
      source: {
        from: 'field',
        everyMs: 1000,
        place: { protocol: 'modbus', table: 'holding', address: 16, as: 'f32', order: 'CDAB', bit: null, length: null },
        treatment: { scale: 0.1, offset: 0, invalid: [], map: null, invert: false },
      },
      write: { role: 'operator', min: 0, max: 100, step: null, readBack: true, minOnMs: 0, minOffMs: 0, rateMs: 0 },
    })
    expect(point(resolved, 'io.di_1')).toMatchObject({
      type: 'bool',
      kind: 'state',
      debounceMs: 50,
      source: { everyMs: 500 },
    })
    expect(point(resolved, 'io.relay').write).toMatchObject({ minOnMs: 5000, rateMs: 1000 })
    expect(point(resolved, 'io.total')).toMatchObject({ type: 'u64', kind: 'counter' })
    expect(point(resolved, 'io.text')).toMatchObject({ type: 'str', kind: 'text' })
  })

  test('of a map are states that travel as labels, raw values in decimal', () => {
    expect(point(resolved, 'io.mode')).toMatchObject({
      kind: 'state',
      type: 'str',
      source: { treatment: { map: { '0': 'stopped', '16': 'auto' } } },
    })
  })

  test('of bits come with a boolean point for each flag', () => {
    expect(point(resolved, 'io.status')).toMatchObject({ kind: 'bits', type: 'f64', maxAgeMs: 180_000 })
    expect(point(resolved, 'io.status_running')).toMatchObject({
      type: 'bool',
      heartbeatMs: 60_000,
      maxAgeMs: 180_000,
      source: { everyMs: 60_000, place: { table: 'holding', address: 3, as: 'bit', bit: 0 } },
    })
    expect(point(resolved, 'io.status_fault')).toMatchObject({
      title: { en: 'Fault', zh: '故障' },
      maxAgeMs: 20_000,
      source: { place: { bit: 15 } },
    })
  })

  test('that are computed name what they compute from by index', () => {
    const total = point(resolved, 'io.total').index
    expect(point(resolved, 'io.gain')).toMatchObject({
      maxAgeMs: null,
      source: { from: 'derive', formula: { kind: 'increase', of: total, over: 'day' } },
    })
    expect(point(resolved, 'io.hours')).toMatchObject({
      unit: 'h',
      source: { formula: { kind: 'hours', of: point(resolved, 'io.status_running').index } },
    })
    expect(point(resolved, 'io.warm')).toMatchObject({
      type: 'bool',
      source: { formula: { kind: 'expression', source: 'level + 1 > params.limit', device: 0 } },
    })
  })

  test('are numbered densely, and devices know theirs', () => {
    expect(resolved.points.map(({ index }) => index)).toEqual(resolved.points.map((_, index) => index))
    expect(resolved.devices[0]?.points).toEqual(resolved.points.map(({ index }) => index))
  })

  test('nothing of a site can be changed', () => {
    expect(Object.isFrozen(resolved)).toBe(true)
    expect(Object.isFrozen(resolved.points[0])).toBe(true)
    expect(Object.isFrozen(resolved.devices[0]?.link)).toBe(true)
  })
})

describe('a site over its driver', () => {
  test('maps merge, scalars and lists replace, points are added, alarms switched off', () => {
    const resolved = site(
      `  io:
    driver: io/board
    bus: b
    address: 7
    params: {limit: 7}
    polls: {fast: 2s}
    modbus: {timeout: 1s}
    points:
      level: {deadband: 0.5, range: [0, 50]}
      extra: {at: holding 99, as: u16, every: fast}
    alarms:
      low: {enabled: false}
      high: {onDelay: 1m}
      own: {when: extra > 3, priority: low, text: Own}`,
    )
    expect(point(resolved, 'io.level')).toMatchObject({
      deadband: 0.5,
      range: [0, 50],
      unit: 'm',
      source: { everyMs: 2000 },
    })
    expect(point(resolved, 'io.extra')).toMatchObject({ source: { everyMs: 2000, place: { address: 99 } } })
    expect(resolved.rules.map(({ id, onDelayMs }) => [id, onDelayMs])).toEqual([
      ['io.high', 60_000],
      ['io.own', 0],
    ])
    expect(resolved.devices[0]).toMatchObject({
      params: { limit: 7 },
      link: { limits: { timeoutMs: 1000, maxRegisters: 20, maxGap: 0 } },
    })
  })

  test('a param must be of its kind and within its range', () => {
    const lines = (params: string) =>
      check({
        ...DRIVERS,
        'site.yaml': `site: {id: s}\nbuses: {b: {wire: /dev/ttyS0}}\ndevices: {io: {driver: io/board, bus: b, address: 7, params: {limit: ${params}}}}\n`,
      }).lines
    expect(lines('11')).toEqual(['site.yaml:3:70 param limit must be a number within 0 … 10, not 11'])
    expect(lines('high')).toEqual(['site.yaml:3:70 param limit must be a number within 0 … 10, not high'])
  })
})

describe('lines', () => {
  const lineOf = (resolved: Site, index = 0) => {
    const link = resolved.devices[index]?.link
    return link?.kind === 'bus' ? link.line?.baud : undefined
  }

  test('device over bus over driver', () => {
    expect(lineOf(site(IO))).toBe(4800)
    expect(lineOf(site('  io: {driver: io/board, bus: b, address: 7, line: 19200 8E1}'))).toBe(19_200)
    expect(lineOf(site('  io: {driver: io/board, bus: t, address: 7}'))).toBe(2400)
  })

  test('a device that asks a serial server for another setting is refused', () => {
    const text = `site: {id: s}\nbuses: {t: {wire: "tcp://h:1", line: 2400 8E1}}\ndevices: {io: {driver: io/board, bus: t, address: 7, line: 9600 8N1}}\n`
    expect(check({ ...DRIVERS, 'site.yaml': text }).lines).toEqual([
      'site.yaml:3:60 io wants 9600 8N1, but the serial server of bus t stays at 2400 8E1: set the device to that, or use another bus',
    ])
    const two = `site: {id: s}\nbuses: {t: {wire: "tcp://h:1"}}\ndevices:\n  a: {driver: io/board, bus: t, address: 7}\n  c: {driver: meter/eastron_sdm630, bus: t, address: 8}\n`
    expect(check({ ...DRIVERS, 'site.yaml': two }).lines).toEqual([
      expect.stringMatching(/^site\.yaml:5:3 c wants 9600 8N1, but .* stays at 4800 8N1/),
    ])
  })
})

describe('composed devices', () => {
  test('follow other points; what is not connected says so', () => {
    const resolved = site(
      `${IO}\n  lift: {driver: elevator/lift, inputs: {running: io.di_1, fault: {from: io.status_fault, debounce: 200ms}, level: io.level}}`,
    )
    expect(point(resolved, 'lift.running')).toMatchObject({
      type: 'bool',
      maxAgeMs: null,
      source: { from: 'point', point: point(resolved, 'io.di_1').index, invert: false },
    })
    // The driver inverts; the site says nothing else.
    expect(point(resolved, 'lift.fault')).toMatchObject({ debounceMs: 200, source: { invert: true } })
    expect(point(resolved, 'lift.level')).toMatchObject({ type: 'f64', unit: 'm' })
    expect(point(resolved, 'lift.spare').source).toEqual({ from: 'none' })
    expect(resolved.devices[1]?.link).toEqual({ kind: 'composed' })
    expect(resolved.rules.map(({ id }) => id)).toContain('lift.f')
  })

  test('may stand before what they follow, and follow each other', () => {
    const resolved = site(
      `  top: {driver: elevator/lift, inputs: {running: lift.running}}\n  lift: {driver: elevator/lift, inputs: {running: io.di_1}}\n${IO}`,
    )
    expect(point(resolved, 'top.running').source).toMatchObject({ point: point(resolved, 'lift.running').index })
  })

  test.each([
    ['io.di_9', /^site\.yaml:5:44 inputs\.running: io has no point di_9; did you mean di_1\?$/],
    ['ios.di_1', /^site\.yaml:5:44 inputs\.running names ios, and there is no such device; did you mean io\?$/],
    ['io.level', /^site\.yaml:5:44 input running takes true\/false, and io\.level gives a number$/],
    ['lift.running', /^site\.yaml:5:44 lift\.running comes from itself in a circle$/],
  ])('that follow %s are refused', (from, line) => {
    const text = `site: {id: s}\nbuses: {b: {wire: /dev/ttyS0}}\ndevices:\n${IO}\n  lift: {driver: elevator/lift, inputs: {running: ${from}}}\n`
    expect(check({ ...DRIVERS, 'site.yaml': text }).lines).toEqual([
      expect.stringMatching(new RegExp(line.source.replace('5:44', '5:51'))),
    ])
  })

  test('need what the driver requires, and nothing that it does not know', () => {
    const text = `site: {id: s}\nbuses: {b: {wire: /dev/ttyS0}}\ndevices:\n${IO}\n  lift: {driver: elevator/lift, inputs: {runing: io.di_1}}\n`
    expect(check({ ...DRIVERS, 'site.yaml': text }).lines).toEqual([
      'site.yaml:5:3 lift needs input running: connect it to a point',
      'site.yaml:5:42 lift: its driver has no input runing; did you mean running?',
    ])
  })
})

describe('rules', () => {
  test('of devices carry their id, delays and outputs', () => {
    const resolved = site(IO)
    expect(resolved.rules[0]).toEqual({
      id: 'io.high',
      device: 0,
      when: 'level > params.limit',
      onDelayMs: 10_000,
      offDelayMs: 0,
      latch: false,
      priority: 'high',
      text: { en: 'High', zh: '高' },
      advice: null,
      do: [{ point: point(resolved, 'io.relay').index, value: true, onClear: false }],
    })
    expect(resolved.rules[1]).toMatchObject({ id: 'io.low', latch: true, text: { en: 'Low', zh: 'Low' } })
  })

  test('of the site name devices and points', () => {
    const resolved = site(
      IO,
      'alarms: {r: {when: "!io.di_1 && io.mode == \\"auto\\"", priority: critical, text: {zh: 停}, do: [{write: io.mode, value: auto}]}}',
    )
    expect(resolved.rules.at(-1)).toMatchObject({
      id: 'r',
      device: null,
      text: { en: '停', zh: '停' },
      do: [{ value: 'auto', onClear: null }],
    })
  })

  test('may not write a label that the state does not have, nor a number out of range', () => {
    const lines = (write: string) =>
      check({
        ...DRIVERS,
        'site.yaml': `site: {id: s}\nbuses: {b: {wire: /dev/ttyS0}}\ndevices:\n${IO}\nalarms: {r: {when: io.di_1, priority: low, text: t, do: [${write}]}}\n`,
      }).lines
    expect(lines('{write: io.mode, value: manual}')).toEqual([
      expect.stringMatching(/io\.mode takes one of stopped auto, not manual$/),
    ])
    expect(lines('{write: io.level, value: 101}')).toEqual([
      expect.stringMatching(/io\.level takes a number of 0 to 100, not 101$/),
    ])
    expect(lines('{write: io.level, value: 5, onClear: low}')).toEqual([
      expect.stringMatching(/io\.level takes a number of 0 to 100, not low$/),
    ])
  })
})

test('everything has a default but what only the site can know', () => {
  const resolved = siteOf({ 'site.yaml': 'site: {id: s}\n' })
  expect(resolved).toEqual({
    id: 's',
    name: { en: 's', zh: 's' },
    timezone: 'Asia/Shanghai',
    location: null,
    language: null,
    gateway: { id: 's', clock: 'auto' },
    store: {
      commitEveryMs: 1000,
      wearBytesPerDay: 2 ** 31,
      budgetBytes: 2 ** 31,
      keepMs: {
        raw: 7 * 86_400_000,
        minutes: 90 * 86_400_000,
        hours: 730 * 86_400_000,
        alarms: 1095 * 86_400_000,
        audit: 200 * 86_400_000,
        access: 30 * 86_400_000,
        acked: 86_400_000,
      },
      cut: { everyMs: 5000, samples: 3600, bytes: 49_152 },
    },
    broker: null,
    uplinks: [],
    buses: [],
    devices: [],
    points: [],
    rules: [],
  })
})

test('less than 180 days of audit is a warning', () => {
  const { site: resolved, lines } = check({ 'site.yaml': 'site: {id: s}\nstore: {keep: {audit: 100d}}\n' })
  expect(resolved?.store.keepMs.audit).toBe(100 * 86_400_000)
  expect(lines).toEqual(['site.yaml:2:23 store.keep.audit is 100d: below the 180 days that auditors ask for'])
})

test('wires', () => {
  const resolved = siteOf({
    'site.yaml':
      'site: {id: s}\nbuses: {a: {wire: "modbus-tcp://plc.local", inFlight: 4}, b: {wire: "tcp://[fe80::1]:4196"}, c: {wire: "/dev/serial/by-path/x", line: 9600 8N1}}\n',
  })
  expect(resolved.buses).toEqual([
    {
      index: 0,
      id: 'a',
      wireText: 'modbus-tcp://plc.local',
      wire: { kind: 'modbus-tcp', host: 'plc.local', port: 502 },
      line: null,
      inFlight: 4,
    },
    {
      index: 1,
      id: 'b',
      wireText: 'tcp://[fe80::1]:4196',
      wire: { kind: 'tcp', host: 'fe80::1', port: 4196 },
      line: null,
      inFlight: 1,
    },
    {
      index: 2,
      id: 'c',
      wireText: '/dev/serial/by-path/x',
      wire: { kind: 'serial', path: '/dev/serial/by-path/x' },
      line: { baud: 9600, dataBits: 8, parity: 'N', stopBits: 1 },
      inFlight: 1,
    },
  ])
})

test('a port that is named by the order in which adapters are found is a warning; stable names are not', () => {
  const of = (wire: string): unknown =>
    check({ 'site.yaml': `site: {id: s}\nbuses: {b: {wire: "${wire}", line: 9600 8N1}}\n` })
      .findings.filter(({ id }) => id === 'portUnstable')
      .map(({ severity }) => severity)
  expect(of('/dev/ttyUSB0')).toEqual(['warning'])
  expect(of('/dev/ttyACM11')).toEqual(['warning'])
  for (const stable of ['/dev/ttyS1', '/dev/ttyAMA0', '/dev/serial/by-id/usb-FTDI-if00-port0', '/dev/riser_b3'])
    expect(of(stable)).toEqual([])
})

test('a reserved address on modbus-tcp is a warning, on a line an error', () => {
  const text = (wire: string) =>
    `site: {id: s}\nbuses: {b: {wire: "${wire}"}}\ndevices: {m: {driver: meter/eastron_sdm120, bus: b, address: 255}}\n`
  expect(check({ 'site.yaml': text('modbus-tcp://h') })).toMatchObject({
    site: {},
    findings: [{ severity: 'warning' }],
  })
  expect(check({ 'site.yaml': text('tcp://h:1') })).toMatchObject({ site: null, findings: [{ severity: 'error' }] })
})
