/** Points and limits for tests of codecs: all that is not said is the plainest. */
import type { ModbusPlace, Place, Point, PointKind, PointType, Treatment } from '../../src/model/point.ts'
import { pointId } from '../../src/model/point.ts'
import type { Limits } from '../../src/model/site.ts'

export const PLAIN: Treatment = { scale: 1, offset: 0, invalid: [], map: null, invert: false }

export const LIMITS: Limits = {
  maxRegisters: 125,
  maxBits: 2000,
  maxGap: 8,
  minGapMs: 0,
  guardMs: 5,
  timeoutMs: 1000,
  retries: 1,
  echo: false,
}

function point(index: number, source: Point['source'], kind: PointKind = 'gauge', type: PointType = 'f64'): Point {
  const key = `p${index}`
  return {
    index,
    id: pointId('device', key),
    device: 0,
    key,
    title: { en: key, zh: key },
    std: null,
    kind,
    type,
    unit: null,
    source,
    range: null,
    rateMax: null,
    debounceMs: 0,
    maxAgeMs: null,
    frozenAfterMs: null,
    deadband: 0,
    heartbeatMs: 300_000,
    personal: false,
    forbidden: false,
    write: null,
  }
}

export function modbusPoint(
  index: number,
  place: Partial<ModbusPlace>,
  treatment: Partial<Treatment> = {},
  everyMs: number | null = 1000,
): Point {
  return point(index, {
    from: 'field',
    place: {
      protocol: 'modbus',
      table: 'holding',
      address: 0,
      as: 'u16',
      order: 'ABCD',
      bit: null,
      length: null,
      ...place,
    },
    treatment: { ...PLAIN, ...treatment },
    everyMs,
  })
}

/** `item` as a driver's `at`, `as` as its `as`. */
export function dlt645Point(
  index: number,
  item: string,
  as: string | null = null,
  treatment: Partial<Treatment> = {},
  everyMs: number | null = 1000,
): Point {
  return point(index, {
    from: 'field',
    place: { protocol: 'dlt645', item, as },
    treatment: { ...PLAIN, ...treatment },
    everyMs,
  })
}

/** Wherever it lies, with the type that the protocol's table gives it. */
export function meterPoint(
  index: number,
  place: Place,
  type: PointType,
  everyMs: number | null = 1000,
  treatment: Partial<Treatment> = {},
): Point {
  return point(index, { from: 'field', place, treatment: { ...PLAIN, ...treatment }, everyMs }, 'gauge', type)
}

export function payloadPoint(
  index: number,
  path: string,
  options: { type?: PointType; kind?: PointKind; treatment?: Partial<Treatment> } = {},
): Point {
  return point(
    index,
    {
      from: 'field',
      place: { protocol: 'payload', path },
      treatment: { ...PLAIN, ...options.treatment },
      everyMs: null,
    },
    options.kind,
    options.type,
  )
}

export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(' ', '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
