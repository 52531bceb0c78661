/**
 * What a value information field says: quantity, unit and the power of ten of the raw number. The tables print those of
 * EN 13757-3 that the reference is sure of; whatever else comes is kept raw under its hexadecimal code.
 */

/** How a value gets from the unit of the standard to the one that all meters are read in. */
export type Unit = {
  readonly name: string
  readonly normal: string
  /** normal = value × times × 10^shift, megajoules further divided by 3.6. */
  readonly shift: number
  readonly times: number
  readonly joules: boolean
}

const plain = (name: string): Unit => ({ name, normal: name, shift: 0, times: 1, joules: false })
const UNITS = {
  Wh: { name: 'Wh', normal: 'kWh', shift: -3, times: 1, joules: false },
  J: { name: 'J', normal: 'kWh', shift: -6, times: 1, joules: true },
  W: { name: 'W', normal: 'kW', shift: -3, times: 1, joules: false },
  'J/h': { name: 'J/h', normal: 'kW', shift: -6, times: 1, joules: true },
  'm³': plain('m³'),
  'm³/h': plain('m³/h'),
  'm³/min': { name: 'm³/min', normal: 'm³/h', shift: 0, times: 60, joules: false },
  'm³/s': { name: 'm³/s', normal: 'm³/h', shift: 0, times: 3600, joules: false },
  kg: plain('kg'),
  'kg/h': plain('kg/h'),
  '°C': plain('°C'),
  K: plain('K'),
  bar: plain('bar'),
  V: plain('V'),
  A: plain('A'),
  s: plain('s'),
  /** A time for which something ran: counted in seconds, read in hours. */
  run: { name: 's', normal: 'h', shift: 0, times: 1 / 3600, joules: false },
  d: plain('d'),
} as const satisfies Record<string, Unit>

/** Data behind it that is not a plain number. */
export type Special = 'date' | 'datetime' | 'number'

export type Quantity = {
  readonly name: string
  readonly unit: Unit | null
  readonly special: Special
  /** Value in `unit` = raw × 10^exponent × times. */
  readonly exponent: number
  readonly times: number
}

type Row = readonly [
  first: number,
  last: number,
  name: string,
  unit: keyof typeof UNITS | null,
  /** Exponent of the first code; `time`: seconds, minutes, hours, days. */
  exponent: number | 'time' | Exclude<Special, 'number'>,
]

/** The first byte. */
const PRIMARY: readonly Row[] = [
  [0x00, 0x07, 'energy', 'Wh', -3],
  [0x08, 0x0f, 'energy', 'J', 0],
  [0x10, 0x17, 'volume', 'm³', -6],
  [0x18, 0x1f, 'mass', 'kg', -3],
  [0x20, 0x23, 'on_time', 'run', 'time'],
  [0x24, 0x27, 'operating_time', 'run', 'time'],
  [0x28, 0x2f, 'power', 'W', -3],
  [0x30, 0x37, 'power', 'J/h', 0],
  [0x38, 0x3f, 'flow', 'm³/h', -6],
  [0x40, 0x47, 'flow', 'm³/min', -7],
  [0x48, 0x4f, 'flow', 'm³/s', -9],
  [0x50, 0x57, 'mass_flow', 'kg/h', -3],
  [0x58, 0x5b, 'flow_temperature', '°C', -3],
  [0x5c, 0x5f, 'return_temperature', '°C', -3],
  [0x60, 0x63, 'temperature_difference', 'K', -3],
  [0x64, 0x67, 'external_temperature', '°C', -3],
  [0x68, 0x6b, 'pressure', 'bar', -3],
  [0x6c, 0x6c, 'date', null, 'date'],
  [0x6d, 0x6d, 'datetime', null, 'datetime'],
  [0x6e, 0x6e, 'heat_cost', null, 0],
  [0x70, 0x73, 'averaging_duration', 's', 'time'],
  [0x74, 0x77, 'actuality_duration', 's', 'time'],
  [0x78, 0x78, 'fabrication_number', null, 0],
  [0x79, 0x79, 'enhanced_id', null, 0],
  [0x7a, 0x7a, 'bus_address', null, 0],
]
/** Behind FB. */
const FIRST: readonly Row[] = [
  [0x00, 0x01, 'energy', 'Wh', 5],
  [0x08, 0x09, 'energy', 'J', 8],
  [0x10, 0x11, 'volume', 'm³', 2],
  [0x28, 0x29, 'power', 'W', 5],
]
/** Behind FD. */
const SECOND: readonly Row[] = [
  [0x08, 0x08, 'access_number', null, 0],
  [0x0b, 0x0b, 'parameter_set', null, 0],
  [0x0c, 0x0c, 'model_version', null, 0],
  [0x0e, 0x0e, 'firmware_version', null, 0],
  [0x0f, 0x0f, 'software_version', null, 0],
  [0x17, 0x17, 'error_flags', null, 0],
  [0x1b, 0x1b, 'digital_input', null, 0],
  [0x40, 0x4f, 'voltage', 'V', -9],
  [0x50, 0x5f, 'current', 'A', -12],
  [0x61, 0x61, 'cumulation_counter', null, 0],
  [0x74, 0x74, 'remaining_days', 'd', 0],
]
const SECONDS = [1, 60, 3600, 86_400] as const

export const TABLE_1 = 0x7b
export const TABLE_2 = 0x7d
export const TEXT = 0x7c
export const MANUFACTURER = 0x7f
/** Another byte follows. */
export const EXTENSION = 0x80

/** null: no quantity that is known. `table`: the first byte, where it leads to a second one. */
export function quantityOf(table: number | null, code: number): Quantity | null {
  const rows = table === TABLE_1 ? FIRST : table === TABLE_2 ? SECOND : PRIMARY
  const low = code & ~EXTENSION
  const row = rows.find(([first, last]) => low >= first && low <= last)
  if (row === undefined) return null
  const [first, , name, unit, exponent] = row
  const base = { name, unit: unit === null ? null : UNITS[unit] }
  if (exponent === 'time') return { ...base, special: 'number', exponent: 0, times: SECONDS[low - first] ?? 1 }
  if (typeof exponent === 'string') return { ...base, special: exponent, exponent: 0, times: 1 }
  return { ...base, special: 'number', exponent: exponent + low - first, times: 1 }
}

/** Names by which a driver may ask, and what comes then. */
export const QUANTITIES: ReadonlyMap<string, { readonly unit: string | null; readonly special: Special }> = new Map(
  [...PRIMARY, ...FIRST, ...SECOND].map(([, , name, unit, exponent]) => [
    name,
    {
      unit: unit === null ? null : UNITS[unit].normal,
      special: exponent === 'date' || exponent === 'datetime' ? exponent : 'number',
    },
  ]),
)
