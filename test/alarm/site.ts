/** A small site for alarm tests: two buses, three devices, one device that publishes. */
import type { Rule } from '../../src/model/alarm.ts'
import { type Point, pointId } from '../../src/model/point.ts'
import type { Bus, Device, DeviceLink, Site } from '../../src/model/site.ts'
import { makePoint } from '../image/points.ts'

const LIMITS = {
  maxRegisters: 80,
  maxBits: 800,
  maxGap: 0,
  minGapMs: 0,
  guardMs: 0,
  timeoutMs: 500,
  retries: 1,
  echo: false,
}

function bus(index: number, id: string): Bus {
  return { index, id, wireText: '', wire: { kind: 'serial', path: '/dev/null' }, line: null, inFlight: 1 }
}

function onBus(index: number): DeviceLink {
  return { kind: 'bus', bus: index, protocol: 'modbus', address: 1, line: null, limits: LIMITS }
}

function device(
  index: number,
  id: string,
  link: DeviceLink,
  points: readonly number[],
  params: Device['params'] = {},
): Device {
  return {
    index,
    id,
    driver: 'pump/x',
    driverSha: '',
    category: 'pump',
    brick: null,
    model: { en: '', zh: '' },
    name: { en: id, zh: id },
    place: { building: 'B3' },
    tags: {},
    family: null,
    link,
    params,
    points,
  }
}

function named(index: number, device: number, id: string, key: string, given: Partial<Point> = {}): Point {
  return makePoint(index, { ...given, device, key, id: pointId(id, key) })
}

export function makeRule(id: string, when: string, given: Partial<Rule> = {}): Rule {
  return {
    id,
    device: null,
    when,
    onDelayMs: 0,
    offDelayMs: 0,
    latch: false,
    priority: 'high',
    text: { en: id, zh: id },
    advice: null,
    do: [],
    ...given,
  }
}

/** Points: 0 pump_1.running, 1 pump_1.current, 2 pump_2.running, 3 air.co2, 4 lift_1.fault (composed of 0). */
export function makeSite(rules: readonly Rule[]): Site {
  const points = [
    named(0, 0, 'pump_1', 'running', { type: 'bool' }),
    named(1, 0, 'pump_1', 'current'),
    named(2, 1, 'pump_2', 'running', { type: 'bool' }),
    named(3, 2, 'air', 'co2'),
    named(4, 3, 'lift_1', 'fault', { type: 'bool', source: { from: 'point', point: 0, invert: true } }),
  ]
  return {
    id: 'site',
    name: { en: '', zh: '' },
    timezone: 'Asia/Shanghai',
    location: null,
    language: null,
    gateway: { id: 'site', clock: 'system' },
    store: {
      commitEveryMs: 1000,
      wearBytesPerDay: 0,
      budgetBytes: 0,
      keepMs: { raw: 0, minutes: 0, hours: 0, alarms: 0, audit: 0, access: 0, acked: 0 },
      cut: { everyMs: 0, samples: 0, bytes: 0 },
    },
    broker: null,
    uplinks: [],
    buses: [bus(0, 'pumps'), bus(1, 'riser')],
    devices: [
      device(0, 'pump_1', onBus(0), [0, 1], { limit: 10 }),
      device(1, 'pump_2', onBus(1), [2]),
      device(2, 'air', { kind: 'topic', topic: 'zigbee2mqtt/air', codec: 'json' }, [3]),
      device(3, 'lift_1', { kind: 'composed' }, [4]),
    ],
    points,
    rules,
  }
}
