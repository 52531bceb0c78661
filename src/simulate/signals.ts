/**
 * What a device would measure: plausible values by the standard name of a point, as functions of time and seed. Nothing is
 * remembered, so a value depends on when it is asked and not on how often; counters rise with time and never fall.
 * Values of one device fit together: a stopped pump draws no current, a lift that moves is at no floor.
 */
import type { CardForm, PointKind, PointType, Value } from '../model/point.ts'
import { madeUpCard } from './cards.ts'
import { between, fraction, seedOf, wander } from './random.ts'

/** What a point is to the simulator. A contact of an IO board plays the part of the input that it is wired to. */
export type Part = {
  readonly category: string
  /** Standard name, else the point's key. */
  readonly name: string
  readonly unit: string | null
  readonly kind: PointKind
  readonly type: PointType
  readonly labels: readonly string[]
  /** It tells who somebody is: by what kind of number. Left out: it does not. */
  readonly card?: CardForm | 'number' | null
}

/** `of` gives the present value of another part of the same device, undefined where it has none. */
export type Signal = (elapsedMs: number, of: (name: string) => Value | undefined) => Value

type Make = (seed: number, name: string) => Signal

const HOUR_MS = 3_600_000
const WATTS_PER_KILOWATT = 1000

const constant =
  (value: Value): Make =>
  () =>
  () =>
    value

/** A level with a slow drift and a quick tremble. */
const around =
  (level: number, drift: { by: number; everyMs: number }, tremble = 0): Make =>
  (seed, name) => {
    const slow = seedOf(`${name} slow`, seed)
    const quick = seedOf(`${name} quick`, seed)
    return (t) => level + drift.by * wander(slow, t, drift.everyMs) + tremble * wander(quick, t, 1500)
  }

/** Rises by `perHour`, from a start that belongs to the device. */
const rising =
  (start: { low: number; high: number }, perHour: number): Make =>
  (seed, name) => {
    const from = between(seed, `${name} start`, start.low, start.high)
    return (t) => from + (perHour * t) / HOUR_MS
  }

const whileRunning =
  (make: Make, stopped = 0): Make =>
  (seed, name) => {
    const signal = make(seed, name)
    return (t, of) => (of('running') === false ? stopped : signal(t, of))
  }

function number(value: Value | undefined): number {
  return typeof value === 'number' ? value : 0
}

/** Watts of one phase (or of the whole, where there is one): each house has its own habits. */
const load: Make = (seed, name) => {
  const top = between(seed, 'house', 800, 4000)
  const slow = seedOf(`load ${name}`, seed)
  return (t) => top * (0.45 + 0.3 * wander(slow, t, 180_000) + 0.06 * wander(slow + 1, t, 3000))
}

const total: Make = (seed, name) => {
  const alone = load(seed, name)
  return (t, of) => {
    const phases = ['a', 'b', 'c'].map((phase) => of(`power_active_${phase}`))
    return phases[0] === undefined ? alone(t, of) : phases.reduce<number>((sum, watts) => sum + number(watts), 0)
  }
}

const amps =
  (power: string): Make =>
  () =>
  (_t, of) =>
    number(of(power)) / (230 * 0.95)

/** So much of the energy. */
function share(part: number): Make {
  return () => (_t, of) => part * number(of('energy_import'))
}

const METER: Readonly<Record<string, Make>> = {
  voltage: around(229, { by: 2.5, everyMs: 60_000 }, 0.8),
  voltage_a: around(229, { by: 2.5, everyMs: 60_000 }, 0.8),
  voltage_b: around(229, { by: 2.5, everyMs: 60_000 }, 0.8),
  voltage_c: around(229, { by: 2.5, everyMs: 60_000 }, 0.8),
  voltage_ab: around(397, { by: 4, everyMs: 60_000 }, 1.2),
  voltage_bc: around(397, { by: 4, everyMs: 60_000 }, 1.2),
  voltage_ca: around(397, { by: 4, everyMs: 60_000 }, 1.2),
  power_active: total,
  power_active_a: load,
  power_active_b: load,
  power_active_c: load,
  current: amps('power_active'),
  current_a: amps('power_active_a'),
  current_b: amps('power_active_b'),
  current_c: amps('power_active_c'),
  power_apparent: () => (_t, of) => number(of('power_active')) / 0.95,
  power_reactive: () => (_t, of) => number(of('power_active')) * 0.33,
  power_factor: around(0.95, { by: 0.02, everyMs: 60_000 }),
  frequency: around(50, { by: 0.03, everyMs: 20_000 }, 0.01),
  // The mean of `load`, so that power and energy tell the same story.
  energy_import: (seed, name) =>
    rising({ low: 500, high: 20_000 }, (3 * 0.45 * between(seed, 'house', 800, 4000)) / WATTS_PER_KILOWATT)(seed, name),
  // Sharp, peak, flat and valley: together what the whole says.
  energy_import_t1: share(0.1),
  energy_import_t2: share(0.35),
  energy_import_t3: share(0.3),
  energy_import_t4: share(0.25),
  energy_import_settled: (seed) => () => Math.round(between(seed, 'settled', 100, 480)),
  max_demand: (seed) => () => Math.round(between(seed, 'demand', 12_000, 15_000)),
  relay_closed: constant(true),
  output: constant(true),
  energy_export: constant(0),
  energy_total: () => (_t, of) => number(of('energy_import')) + number(of('energy_export')),
  energy_reactive_import: rising({ low: 100, high: 4000 }, 0.6),
  energy_reactive_export: rising({ low: 0, high: 50 }, 0.05),
  thd_voltage_a: around(2.2, { by: 0.3, everyMs: 120_000 }),
  thd_voltage_b: around(2.2, { by: 0.3, everyMs: 120_000 }),
  thd_voltage_c: around(2.2, { by: 0.3, everyMs: 120_000 }),
  ct_ratio: constant(1),
  pt_ratio: constant(1),
  // Water and heat: what flows takes its heat with it, 1.16 kWh per m³ and kelvin.
  volume_total: rising({ low: 100, high: 5000 }, 0.6),
  volume_settled: (seed) => () => Math.round(between(seed, 'settled', 50, 100)),
  flow: around(0.6, { by: 0.35, everyMs: 120_000 }, 0.02),
  supply_temperature: around(58, { by: 6, everyMs: 600_000 }, 0.2),
  return_temperature: around(41, { by: 4, everyMs: 600_000 }, 0.2),
  power_thermal: () => (_t, of) =>
    1.16 * number(of('flow')) * (number(of('supply_temperature')) - number(of('return_temperature'))),
  heat_total: rising({ low: 1000, high: 50_000 }, 11.8),
  heat_settled: (seed) => () => Math.round(between(seed, 'settled', 500, 1000)),
  valve: constant('open'),
}

const PUMP: Readonly<Record<string, Make>> = {
  running: constant(true),
  ready: constant(true),
  remote: constant(true),
  outlet_pressure: whileRunning(around(0.36, { by: 0.015, everyMs: 30_000 }, 0.004), 0.12),
  flow: whileRunning(around(14, { by: 5, everyMs: 40_000 }, 0.5)),
  frequency: whileRunning(around(38, { by: 4, everyMs: 30_000 }, 0.2)),
  speed: whileRunning(around(1140, { by: 120, everyMs: 30_000 }, 6)),
  speed_reference: whileRunning(around(76, { by: 8, everyMs: 30_000 })),
  current: whileRunning(around(12.5, { by: 1.5, everyMs: 30_000 }, 0.2)),
  power: whileRunning(around(5.4, { by: 0.8, everyMs: 30_000 }, 0.1)),
  power_percent: whileRunning(around(62, { by: 8, everyMs: 30_000 }, 1)),
  dc_voltage: around(540, { by: 5, everyMs: 30_000 }, 1),
  water_total: rising({ low: 5000, high: 50_000 }, 14),
}

/** One trip in each slot of time, then the door opens for a while: what the contacts of a lift do all day. */
const TRIP_MS = 40_000
type Trip = { moving: boolean; doorOpen: boolean; begins: number; ends: number }
function trip(seed: number, elapsedMs: number): Trip {
  const slot = Math.floor(elapsedMs / TRIP_MS)
  const at = elapsedMs - slot * TRIP_MS
  const start = 2000 + 6000 * fraction(seed, 2 * slot)
  const end = start + 8000 + 12_000 * fraction(seed, 2 * slot + 1)
  return {
    moving: at >= start && at < end,
    doorOpen: at >= end + 1500 && at < end + 8000,
    begins: start,
    ends: end,
  }
}

/** Each trip begins where the last one ended. */
const FLOORS = 18
function floorAfter(seed: number, slot: number): number {
  return 1 + Math.floor(FLOORS * fraction(seedOf('floor', seed), slot))
}

function floorAt(seed: number, elapsedMs: number): { now: number; way: 'up' | 'down' | null } {
  const slot = Math.floor(elapsedMs / TRIP_MS)
  const { from, to } = { from: floorAfter(seed, slot), to: floorAfter(seed, slot + 1) }
  const { begins, ends, moving } = trip(seed, elapsedMs)
  const at = Math.min(1, Math.max(0, (elapsedMs - slot * TRIP_MS - begins) / (ends - begins)))
  return { now: Math.round(from + (to - from) * at), way: !moving || from === to ? null : to > from ? 'up' : 'down' }
}

/** As far as the driver has words for it. */
function direction(labels: readonly string[], seed: number): Signal {
  const rest = labels.find((label) => /^(standing|none|stop|idle|still)/.test(label)) ?? labels[0] ?? ''
  return (t) => {
    const { way } = floorAt(seed, t)
    return way !== null && labels.includes(way) ? way : rest
  }
}

const ELEVATOR: Readonly<Record<string, Make>> = {
  running: (seed) => (t) => trip(seed, t).moving,
  car_at_floor: (seed) => (t) => !trip(seed, t).moving,
  door_open: (seed) => (t) => trip(seed, t).doorOpen,
  floor: (seed) => (t) => floorAt(seed, t).now,
  power_ok: constant(true),
}

/** Somebody passes in two of three slots: button, then four seconds of open door. */
const PASSAGE_MS = 30_000
function passage(seed: number, elapsedMs: number): { pressed: boolean; open: boolean } {
  const slot = Math.floor(elapsedMs / PASSAGE_MS)
  if (fraction(seed, 2 * slot) > 0.67) return { pressed: false, open: false }
  const at = elapsedMs - slot * PASSAGE_MS - 20_000 * fraction(seed, 2 * slot + 1)
  return { pressed: at >= 0 && at < 1500, open: at >= 1000 && at < 5000 }
}

const ACCESS: Readonly<Record<string, Make>> = {
  door_closed: (seed) => (t) => !passage(seed, t).open,
  // The lock lets go with the button and bolts again behind whoever passed.
  lock_engaged: (seed) => (t) => !passage(seed, t).open && !passage(seed, t).pressed,
  exit_button: (seed) => (t) => passage(seed, t).pressed,
}

/** Who passes shows a card; what a door controller says of it comes in the same moment. */
const PASSING: Readonly<Record<string, string>> = {
  event: 'swipe',
  granted: 'true',
  door: '1',
  direction: 'in',
  reason: 'swipe',
}

function card(form: CardForm | 'number', seed: number): Signal {
  return (t) =>
    passage(seed, t).open ? madeUpCard(form === 'number' ? null : form, seed + Math.floor(t / PASSAGE_MS)) : ''
}

/** Nothing happens by itself but what belongs to a passage. */
function event({ category, name }: Part, seed: number): Signal {
  const passing = category === 'access' ? PASSING[name] : undefined
  return (t) => (passing !== undefined && passage(seed, t).open ? passing : '')
}

const ENVIRONMENT: Readonly<Record<string, Make>> = {
  temperature: (seed, name) => around(between(seed, 'room', 18, 26), { by: 2.5, everyMs: 600_000 }, 0.15)(seed, name),
  humidity: (seed, name) => around(between(seed, 'damp', 45, 65), { by: 6, everyMs: 400_000 }, 0.4)(seed, name),
  pressure: around(1012, { by: 6, everyMs: 3_600_000 }, 0.1),
  co2: around(650, { by: 180, everyMs: 300_000 }, 6),
  pm25: around(24, { by: 12, everyMs: 600_000 }, 1),
  pm10: around(45, { by: 20, everyMs: 600_000 }, 2),
  noise: around(48, { by: 6, everyMs: 30_000 }, 3),
  illuminance: around(900, { by: 600, everyMs: 600_000 }, 20),
  wind_speed: around(3, { by: 2, everyMs: 60_000 }, 0.7),
  wind_direction: around(180, { by: 160, everyMs: 600_000 }, 8),
  rain: rising({ low: 0, high: 200 }, 0.4),
}

const HVAC: Readonly<Record<string, Make>> = {
  power_on: constant(true),
  setpoint: constant(24),
  room_temperature: around(24.5, { by: 1.5, everyMs: 600_000 }),
  valve_open: () => (_t, of) => number(of('room_temperature')) > number(of('setpoint')),
}

const ANYWHERE: Readonly<Record<string, Make>> = {
  battery: (seed) => (t) => Math.max(0, between(seed, 'battery', 60, 98) - t / (30 * 24 * HOUR_MS)),
  battery_voltage: constant(2950),
  link_quality: around(110, { by: 40, everyMs: 60_000 }, 5),
  signal: around(-72, { by: 12, everyMs: 60_000 }, 2),
  device_temperature: around(41, { by: 3, everyMs: 300_000 }, 0.2),
}

const BY_CATEGORY: Readonly<Record<string, Readonly<Record<string, Make>>>> = {
  meter: METER,
  pump: PUMP,
  elevator: ELEVATOR,
  access: ACCESS,
  environment: ENVIRONMENT,
  hvac: HVAC,
}

/** What no name tells, the unit does. */
const BY_UNIT: Readonly<Record<string, Make>> = {
  V: around(230, { by: 3, everyMs: 60_000 }, 0.5),
  A: around(5, { by: 2, everyMs: 60_000 }, 0.1),
  Hz: around(50, { by: 0.03, everyMs: 20_000 }),
  W: load,
  '°C': around(24, { by: 2, everyMs: 600_000 }, 0.1),
  '%RH': around(55, { by: 6, everyMs: 600_000 }, 0.3),
  MPa: around(0.36, { by: 0.02, everyMs: 30_000 }, 0.004),
  bar: around(3.6, { by: 0.2, everyMs: 30_000 }, 0.04),
}

/** `seed` belongs to the device (of a composed one, to that one), so that its parts move together. */
export function signalFor(part: Part, seed: number): Signal {
  if (part.card !== undefined && part.card !== null) return card(part.card, seed)
  if (part.kind === 'event') return event(part, seed)
  if (part.category === 'elevator' && part.name === 'direction') return direction(part.labels, seed)
  const named = BY_CATEGORY[part.category]?.[part.name] ?? ANYWHERE[part.name]
  if (named !== undefined) return named(seed, part.name)
  if (part.type === 'bool') return () => false
  if (part.type === 'str') return () => part.labels[0] ?? ''
  if (part.kind === 'counter') return rising({ low: 100, high: 10_000 }, 1)(seed, part.name)
  // Settings, fault codes and whatever else nobody described: at rest.
  const byUnit = part.unit === null ? undefined : BY_UNIT[part.unit]
  return byUnit === undefined ? () => 0 : byUnit(seed, part.name)
}
