/**
 * Unit codes of meters, one byte: the same numbers in CJ/T 188 (-2004; the steps of ten come with -2018) and in the fixed data
 * structure of M-Bus. Readings are brought to one unit per quantity, so that the cloud reads every meter alike.
 */
import { shift10 } from '../bytes/number.ts'

export const NORMAL_UNITS = { energy: 'kWh', power: 'kW', volume: 'm³', flow: 'm³/h' } as const
export type MeterQuantity = keyof typeof NORMAL_UNITS

export type MeterUnit = {
  /** As the meter counts: `GJ`, `L*10`. */
  readonly name: string
  readonly quantity: MeterQuantity
  /** Value in the normal unit = raw × 10^exponent, divided by 3.6 where the unit is one of joules. */
  readonly exponent: number
  readonly joules: boolean
}

/** First code, name, quantity, exponent, how many steps of ten follow each other. */
const FAMILIES: readonly (readonly [first: number, name: string, MeterQuantity, exponent: number, steps: 1 | 3])[] = [
  [0x01, 'J', 'energy', -6, 1],
  [0x02, 'Wh', 'energy', -3, 3],
  [0x05, 'kWh', 'energy', 0, 3],
  [0x08, 'MWh', 'energy', 3, 3],
  [0x0b, 'kJ', 'energy', -3, 3],
  [0x0e, 'MJ', 'energy', 0, 3],
  [0x11, 'GJ', 'energy', 3, 3],
  [0x14, 'W', 'power', -3, 3],
  [0x17, 'kW', 'power', 0, 3],
  [0x1a, 'MW', 'power', 3, 3],
  [0x29, 'L', 'volume', -3, 3],
  [0x2c, 'm³', 'volume', 0, 3],
  [0x32, 'L/h', 'flow', -3, 3],
  [0x35, 'm³/h', 'flow', 0, 3],
  [0x40, 'J/h', 'power', -6, 1],
  [0x43, 'kJ/h', 'power', -3, 3],
  [0x46, 'MJ/h', 'power', 0, 3],
  [0x49, 'GJ/h', 'power', 3, 3],
]

const UNITS: ReadonlyMap<number, MeterUnit> = new Map(
  FAMILIES.flatMap(([first, name, quantity, exponent, steps]) =>
    Array.from({ length: steps }, (_, step): readonly [number, MeterUnit] => [
      first + step,
      {
        name: step === 0 ? name : `${name}*${10 ** step}`,
        quantity,
        exponent: exponent + step,
        joules: name.includes('J'),
      },
    ]),
  ),
)

/** undefined: no unit has this code. */
export function meterUnit(code: number): MeterUnit | undefined {
  return UNITS.get(code)
}

/** 1 GJ = 277.7778 kWh. Twelve digits: more than a meter counts, fewer than a double rounds. */
export function fromJoules(megajoules: number): number {
  return Number((megajoules / 3.6).toPrecision(12))
}

/** A count with `decimals` places behind the point, in the normal unit of its quantity. */
export function normalise(count: number, decimals: number, unit: MeterUnit): number {
  const value = shift10(count, unit.exponent - decimals)
  return unit.joules ? fromJoules(value) : value
}
