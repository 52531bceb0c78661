/**
 * A reading that no driver file has, put together from the words that one would use: `holding 99 as u16`, `02010100`, `volume`. For
 * whoever asks a device by hand, and for the reads that prove a model.
 */
import { type ModbusOrder, type Place, type Point, pointId, type PointType, type Treatment } from '../model/point.ts'
import type { Limits, ProtocolName } from '../model/site.ts'
import { protocolOf } from '../protocols/all.ts'
import type { Block } from '../protocols/protocol.ts'
import { codecOf } from './codec.ts'
import { parsePlace } from './place.ts'
import { limitsOf } from './placing.ts'

export type ReadingWords = {
  readonly protocol: ProtocolName
  readonly at: string
  readonly as?: string
  readonly order?: ModbusOrder
  readonly length?: number
  /** Registers or bits from there on, in one read: being there is what is asked. */
  readonly count?: number
  readonly scale?: number
  readonly offset?: number
  readonly field?: string
  readonly options?: Readonly<Record<string, number | boolean | string>>
}

/** `block` reads point 0 of `points`. */
export type ByHand = { readonly block: Block; readonly points: readonly Point[] }

const LIMITS: Limits = limitsOf(undefined)
/** Registers are text of so many bytes where many are asked for at once. */
const REGISTER_BYTES = 2

/** A sentence: what is wrong with the words. */
export function byHand(words: ReadingWords): ByHand | string {
  const placed = words.protocol === 'modbus' ? modbusPlace(words) : codecPlace(words)
  if (typeof placed === 'string') return placed
  const points = [pointAt(placed.place, placed.type, words)]
  try {
    const [block] = protocolOf(words.protocol).plan(points, LIMITS, new Set())
    return block === undefined ? `${words.at} cannot be read` : { block, points }
  } catch (error) {
    // A place that passes the end of its table: the planner has no other way to say so.
    if (error instanceof RangeError) return error.message
    throw error
  }
}

type Where = { readonly place: Place; readonly type: PointType }

function modbusPlace({ at, as, order, length, count }: ReadingWords): Where | string {
  const isBit = /^(coil|discrete) /.test(at)
  const many = count !== undefined && count > 1 && !isBit && as === undefined
  // A text of many bytes is the one encoding that takes any number of registers.
  const keys = many
    ? { at, as: 'string', length: REGISTER_BYTES * count }
    : { at, as: as ?? (isBit ? undefined : 'u16'), order, length }
  const place = parsePlace(keys, 'ABCD')
  if (!('why' in place)) return { place, type: place.as === 'bit' ? 'bool' : place.as === 'string' ? 'str' : 'f64' }
  switch (place.why) {
    case 'badPlace':
      return `"${at}" is no place: write coil, discrete, input or holding and an address, such as holding 99 or input 0x1F`
    case 'badEncoding':
      return `"${place.as}" is no encoding: u16 s16 u32 s32 u64 s64 f32 f64 bcd16 bcd32 bit string`
    case 'encodingNeedsKey':
      return `${place.as} needs a ${place.needs}`
    default:
      return `${at} cannot be read as ${as ?? 'u16'}`
  }
}

function codecPlace({ protocol, at, as, field, options }: ReadingWords): Where | string {
  const codec = codecOf(protocol)
  if (codec === null) return `${protocol} is not built in`
  return codec.place({
    at,
    ...(as === undefined ? {} : { as }),
    ...(field === undefined ? {} : { field }),
    ...(options === undefined ? {} : { options }),
  })
}

function pointAt(place: Place, type: PointType, { scale = 1, offset = 0 }: ReadingWords): Point {
  const treatment: Treatment = { scale, offset, invalid: [], map: null, invert: false }
  const title = { en: '', zh: '' }
  return {
    index: 0,
    id: pointId('by', 'hand'),
    device: 0,
    key: 'hand',
    title,
    std: null,
    kind: 'gauge',
    type,
    unit: null,
    source: { from: 'field', place, treatment, everyMs: 1000 },
    range: null,
    rateMax: null,
    debounceMs: 0,
    maxAgeMs: null,
    frozenAfterMs: null,
    deadband: 0,
    heartbeatMs: 0,
    personal: false,
    forbidden: false,
    write: null,
  }
}
