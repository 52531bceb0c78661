/** A gateway view over plain values: two buses, one of them dead, a publishing and a composed device, two alarms, one uplink. */
import type { Alarm, Transition } from '../../src/model/alarm.ts'
import type { WriteOutcome, WriteRequest } from '../../src/model/command.ts'
import { type Point, pointId } from '../../src/model/point.ts'
import type { Sample } from '../../src/model/sample.ts'
import type { Device, DeviceLink, Site } from '../../src/model/site.ts'
import { createClock } from '../../src/runtime/clock.ts'
import type { AuditEntry, GatewayView, ReloadOutcome } from '../../src/control/context.ts'
import type { HistoryQuery, HistoryRow } from '../../src/store/contract.ts'

/** Wall clock of the fake, so that ages in tables are certain when `now` is given. */
export const NOW = 1_700_000_000_000

const LIMITS = {
  maxRegisters: 120,
  maxBits: 2000,
  maxGap: 0,
  minGapMs: 0,
  guardMs: 0,
  timeoutMs: 500,
  retries: 1,
  echo: false,
}

function point(index: number, device: number, id: string, given: Partial<Point> = {}): Point {
  const [deviceId = '', key = ''] = id.split('.')
  return {
    index,
    id: pointId(deviceId, key),
    device,
    key,
    title: { en: key.replaceAll('_', ' '), zh: key },
    std: null,
    kind: 'gauge',
    type: 'f64',
    unit: null,
    source: {
      from: 'field',
      place: {
        protocol: 'modbus',
        table: 'holding',
        address: index,
        as: 'u16',
        order: 'ABCD',
        bit: null,
        length: null,
      },
      treatment: { scale: 1, offset: 0, invalid: [], map: null, invert: false },
      everyMs: 1000,
    },
    range: null,
    rateMax: null,
    debounceMs: 0,
    maxAgeMs: 10_000,
    frozenAfterMs: null,
    deadband: 0,
    heartbeatMs: 300_000,
    personal: false,
    forbidden: false,
    write: null,
    ...given,
  }
}

function device(
  index: number,
  id: string,
  link: DeviceLink,
  name: { en: string; zh: string },
  points: number[],
): Device {
  return {
    index,
    id,
    driver: 'pump/constant_pressure_ptech',
    driverSha: '0011223344556677',
    category: 'pump',
    brick: 'Water_Pump',
    model: { en: 'Constant pressure controller', zh: '恒压供水控制器' },
    name,
    place: { building: 'B3', floor: 'B1', room: '泵房' },
    tags: {},
    family: null,
    link,
    params: {},
    points,
  }
}

const onBus = (bus: number, address: number): DeviceLink => ({
  kind: 'bus',
  bus,
  protocol: 'modbus',
  address,
  line: null,
  limits: LIMITS,
})
const writeRule = {
  role: 'operator',
  min: 0,
  max: 50,
  step: null,
  readBack: true,
  minOnMs: 0,
  minOffMs: 0,
  rateMs: 0,
} as const

export const SITE: Site = {
  id: 'jinxiu_3',
  name: { en: 'Jinxiu Garden, phase 3', zh: '锦绣花园三期' },
  timezone: 'Asia/Shanghai',
  location: null,
  language: 'zh',
  gateway: { id: 'jinxiu_3_gw1', clock: 'system' },
  store: {
    commitEveryMs: 1000,
    wearBytesPerDay: 2 * 1024 ** 3,
    budgetBytes: 2 * 1024 ** 3,
    keepMs: { raw: 1, minutes: 1, hours: 1, alarms: 1, audit: 1, access: 1, acked: 1 },
    cut: { everyMs: 5000, samples: 3600, bytes: 49_152 },
  },
  broker: { listen: [{ kind: 'mqtt', host: '127.0.0.1', port: 1883 }], tls: null, connect: null, clients: [] },
  uplinks: [
    {
      id: 'cloud',
      dialect: 'native',
      tenant: 'demo',
      servers: ['mqtts://a.example:8883'],
      username: null,
      password: null,
      tls: null,
      confirm: 'puback',
      backfill: { bytesPerSecond: 32_768, delayMs: 30_000 },
      budgetBytesPerDay: null,
      keepaliveS: 30,
    },
  ],
  buses: [
    {
      index: 0,
      id: 'pump_room',
      wireText: 'modbus-tcp://10.1.1.20',
      wire: { kind: 'modbus-tcp', host: '10.1.1.20', port: 502 },
      line: null,
      inFlight: 1,
    },
    {
      index: 1,
      id: 'riser_b3',
      wireText: '/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0',
      wire: { kind: 'serial', path: '/dev/serial/by-path/x' },
      line: null,
      inFlight: 1,
    },
  ],
  devices: [
    device(0, 'pump_1', onBus(0, 1), { en: 'Domestic pump 1', zh: '1号生活泵' }, [0, 1, 2]),
    device(1, 'meter_7', onBus(1, 7), { en: 'Meter 7', zh: '7号电表' }, [3]),
    device(
      2,
      'lobby_air',
      { kind: 'topic', topic: 'zigbee2mqtt/lobby', codec: 'zigbee2mqtt' },
      { en: 'Lobby air', zh: '大堂空气' },
      [4],
    ),
    device(3, 'lift_1', { kind: 'composed' }, { en: 'Lift 1', zh: '1号电梯' }, [5]),
  ],
  points: [
    point(0, 0, 'pump_1.outlet_pressure', { unit: 'MPa', title: { en: 'Outlet pressure', zh: '出口压力' } }),
    point(1, 0, 'pump_1.running', { type: 'bool', title: { en: 'Running', zh: '运行' } }),
    point(2, 0, 'pump_1.setpoint', { unit: 'MPa', write: writeRule, title: { en: 'Set point', zh: '设定压力' } }),
    point(3, 1, 'meter_7.energy', { unit: 'kWh', kind: 'counter', title: { en: 'Energy', zh: '电能' } }),
    point(4, 2, 'lobby_air.temperature', {
      unit: '°C',
      title: { en: 'Temperature', zh: '温度' },
      source: {
        from: 'field',
        place: { protocol: 'payload', path: 'temperature' },
        treatment: { scale: 1, offset: 0, invalid: [], map: null, invert: false },
        everyMs: null,
      },
    }),
    point(5, 3, 'lift_1.running', {
      type: 'bool',
      source: { from: 'point', point: 1, invert: false },
      title: { en: 'Running', zh: '运行' },
    }),
  ],
  rules: [],
}

const transition = (given: Partial<Transition>): Transition => ({
  id: '01JDC3K9QZ7T8V5M2N4R6X0YBE',
  rv: 1,
  ev: 'raised',
  rule: 'water_supply_lost',
  i: null,
  place: {},
  pri: 'critical',
  active: true,
  acked: false,
  shelved: null,
  suppressed: null,
  at: NOW - 300_000,
  raised: NOW - 300_000,
  inputs: { 'pump_1.running': false },
  limit: null,
  n: 1,
  text: { en: 'Domestic water supply lost', zh: '生活供水中断' },
  advice: { en: "Check pump room power and the drive's fault code", zh: '检查泵房电源与变频器故障码' },
  by: null,
  ...given,
})

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

export type Fake = {
  readonly view: Writable<Omit<GatewayView, 'store'>> & { store: Writable<GatewayView['store']> }
  readonly samples: Sample[]
  alarms: Alarm[]
  readonly audits: AuditEntry[]
  readonly writes: WriteRequest[]
  readonly refreshed: (readonly number[])[]
  /** What a write gives. */
  outcome: WriteOutcome
  history: readonly HistoryRow[]
  readonly queries: HistoryQuery[]
  /** New samples, as a turn would bring them. */
  readonly turn: (samples: readonly Sample[]) => void
  readonly listeners: () => number
  auditFails: boolean
  writeWaits: Promise<void> | null
  site: Site
  readonly states: Map<string, string>
  /** What a reload comes to. */
  reloaded: ReloadOutcome
}

/** Monotonic time stands at 1,000,000 ms, which is NOW. */
export function createFake(): Fake {
  const mono = 1_000_000
  const clock = createClock('system', {
    floorMs: 0,
    sources: {
      mono: () => mono,
      wall: () => NOW,
      synchronised: () => true,
      errorMs: () => null,
      hardwareClock: () => true,
    },
  })
  const listeners = new Set<(points: readonly number[]) => void>()
  const samples: Sample[] = [
    { point: 0, mono: mono - 400, quality: 'good', value: 0.31 },
    { point: 1, mono: mono - 400, quality: 'good', value: true },
    { point: 2, mono: mono - 400, quality: 'uncertain', value: 0.35, cause: 'first_after_timeout' },
    { point: 3, mono: mono - 65_000, quality: 'bad', cause: { kind: 'closed' } },
    { point: 4, mono: mono - 7_200_000, quality: 'uncertain', value: 21.25, cause: 'stale' },
    { point: 5, mono: mono - 400, quality: 'good', value: true },
  ]
  const fake: Fake = {
    samples,
    alarms: [
      { no: 3, last: transition({}) },
      {
        no: 4,
        last: transition({
          id: '01JDC3K9QZ7T8V5M2N4R6X0YBF',
          rule: 'bus_offline.riser_b3',
          pri: 'high',
          acked: true,
          raised: NOW - 65_000,
          inputs: {},
          place: { building: 'B3' },
          text: { en: 'Bus riser_b3 is offline', zh: '总线 riser_b3 离线' },
          advice: null,
        }),
      },
      {
        no: 2,
        last: transition({
          id: '01JDC3K9QZ7T8V5M2N4R6X0YBD',
          rule: 'lobby_hot',
          pri: 'low',
          active: false,
          raised: NOW - 7_200_000,
          text: { en: 'Lobby is hot', zh: '大堂过热' },
          advice: null,
        }),
      },
      {
        no: 1,
        last: transition({
          id: '01JDC3K9QZ7T8V5M2N4R6X0YBC',
          rule: 'device_offline.meter_7',
          pri: 'medium',
          suppressed: 'bus:riser_b3',
          text: { en: 'Meter 7 is offline', zh: '7号电表离线' },
        }),
      },
    ],
    audits: [],
    writes: [],
    refreshed: [],
    outcome: { outcome: 'done', readBack: 0.4 },
    history: [],
    queries: [],
    listeners: () => listeners.size,
    auditFails: false,
    writeWaits: null,
    site: SITE,
    states: new Map(),
    reloaded: { outcome: 'unchanged', why: null, findings: [], changes: null, cv: 42, prev: 42, tookMs: 12 },
    turn(fresh) {
      for (const sample of fresh) samples[sample.point] = sample
      for (const listener of listeners) listener(fresh.map(({ point: index }) => index))
    },
    view: {
      version: '0.1.0',
      startedMono: mono - 273_600_000,
      clock,
      identity: {
        epoch: '5f3a9c1e',
        boot: 12,
        newEpoch: false,
        previous: null,
        clean: true,
        lastCommitAt: null,
        cv: 42,
        catalogueChanged: false,
      },
      site: () => fake.site,
      latest: (index) => samples[index]!,
      onTurn(listener) {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      device: (index) =>
        index === 1
          ? {
              state: 'offline',
              sinceMono: mono - 65_000,
              cause: { kind: 'closed' },
              lastGoodMono: mono - 65_000,
              errors: { timeout: 12, crc: 3, exception: 0 },
              latencyMs: null,
            }
          : {
              state: 'online',
              sinceMono: mono - 3_600_000,
              cause: null,
              lastGoodMono: mono - 400,
              errors: { timeout: 0, crc: 0, exception: 0 },
              latencyMs: index === 0 ? 14 : null,
            },
      bus: (index) =>
        index === 1
          ? {
              state: 'offline',
              sinceMono: mono - 65_000,
              cause: { kind: 'closed' },
              utilisation: 0,
              cycleMs: null,
              predictedMs: 3400,
              errors: { timeout: 12, crc: 3, exception: 0 },
            }
          : {
              state: 'online',
              sinceMono: mono - 3_600_000,
              cause: null,
              utilisation: 0.42,
              cycleMs: 410,
              predictedMs: 400,
              errors: { timeout: 0, crc: 0, exception: 0 },
            },
      uplink: () => ({
        connected: false,
        sinceMono: mono - 120_000,
        server: 'mqtts://a.example:8883',
        reason: 'refused',
        held: null,
      }),
      broker: () => ({ listening: ['mqtt://127.0.0.1:1883'], clients: 2 }),
      store: {
        status: () => ({
          samplesCommitted: 1_234_567,
          bytes: 34_567_890,
          lagMs: 120,
          durable: true,
          entriesDurable: true,
          suspect: null,
          commitEveryMs: 1000,
          wearBytesPerDay: 1.3e9,
          wearSource: 'block',
          batchesCut: { t: 182_310, a: 12, e: 40 },
          dropped: { t: 54, a: 0, e: 0 },
        }),
        history: async (query) => {
          fake.queries.push(query)
          return fake.history
        },
        outbox: () => ({
          position: (lane) =>
            lane === 't'
              ? { hi: 182_310, ack: 182_286, lo: 182_287, kept: 170_000, waiting: 24 }
              : { hi: 40, ack: 40, lo: 41, kept: 1, waiting: 0 },
          oldestAt: (lane) => (lane === 't' ? NOW - 120_000 : null),
          waiting: () => ({ batches: 24, samples: 21_600, oldestAt: NOW - 120_000 }),
        }),
      },
      process: () => ({
        rssBytes: 90_000_000,
        cpuMs: 1200,
        loopLagP99Ms: 4,
        alarmToOutputMs: { count: 0, p50: 0, p99: 0 },
        alarmToDurableMs: { count: 0, p50: 0, p99: 0 },
      }),
      alarms: () => fake.alarms,
      async acknowledge(numbers, by) {
        const fresh = fake.alarms.filter(({ no, last }) => numbers.includes(no) && !last.acked).map(({ no }) => no)
        fake.alarms = fake.alarms.map((alarm) =>
          fresh.includes(alarm.no) ? { no: alarm.no, last: { ...alarm.last, acked: true, by } } : alarm,
        )
        return fresh
      },
      async refresh(points) {
        fake.refreshed.push(points)
      },
      wire: (index) => wireOf(fake, index),
      reload: async () => fake.reloaded,
      state: (key) => fake.states.get(key) ?? null,
      async keep(key, value) {
        fake.states.set(key, value)
      },
      rules: { look: () => null, ids: () => ['water_supply_lost'], watching: () => [] },
      async write(request) {
        fake.writes.push(request)
        await fake.writeWaits
        return fake.outcome
      },
      async audit(entry) {
        if (fake.auditFails) throw new Error('disk full')
        fake.audits.push(entry)
      },
    },
  }
  return fake
}

type FakeWire = ReturnType<GatewayView['wire']>

/** A wire on which nothing is said while somebody listens; of what it counts only what is looked at here. */
function wireOf(fake: Fake, index: number): FakeWire {
  const { site, view } = fake
  const bus = site.buses[index]!
  const status = {
    bus: bus.id,
    wire: bus.wireText,
    state: view.bus(index).state,
    utilisation: 0,
    frames: 10,
    lateFrames: 0,
    foreignFrames: 0,
    strangers: [],
    echoes: 0,
    junkBytes: 0,
    texts: [],
    collisions: 0,
    yields: 0,
    lineChanges: 0,
    lineChangeMs: 0,
    health: {
      answers: index === 0 ? 100 : 0,
      errors: view.bus(index).errors,
      errorShare: 0,
      responseMs: 14,
      usualMs: 14,
      online: 1 - index,
      degraded: 0,
      offline: index,
    },
    bytes: { in: 100, out: 100 },
    opens: 1,
  }
  const devices = site.devices
    .filter(({ link }) => link.kind === 'bus' && link.bus === index)
    .map((device) => ({
      index: device.index,
      state: view.device(device.index).state,
      lastGood: null,
      errors: view.device(device.index).errors,
      answers: index === 0 ? 100 : 0,
      responseMs: { average: 14, max: 20, slowest: 20 },
      why: null,
      trend: index === 0 ? { errorShare: 0, responseMs: 14, usualMs: 14 } : null,
      answersAs: null,
      misaddressed: 0,
    }))
  return {
    listen: () => () => undefined,
    ask: async () => ({ kind: 'unsent', why: 'closed' }),
    status: () => status as unknown as ReturnType<FakeWire['status']>,
    devices: () => devices as unknown as ReturnType<FakeWire['devices']>,
  }
}
