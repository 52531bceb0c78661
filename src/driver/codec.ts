/** Points of devices whose protocol has a table of its own (DL/T 645, CJ/T 188, M-Bus): the protocol says what a place is. */
import type { Place, PointKind, PointType } from '../model/point.ts'
import type { Limits, ProtocolName } from '../model/site.ts'
import { PROTOCOLS } from '../protocols/all.ts'
import type { Placed, PlaceWords, Protocol } from '../protocols/protocol.ts'
import { limitsOf, ms } from './placing.ts'
import type { Build } from './points.ts'
import type { CodecBlocks } from './schema-codec.ts'
import type { ModbusBlock, PointBlock } from './schema-point.ts'

export type CodecProtocol = Protocol & Required<Pick<Protocol, 'place'>>

/** null: a protocol that is not built in (or none of a bus). */
export function builtIn(name: string | undefined): Protocol | null {
  if (name === undefined || !Object.hasOwn(PROTOCOLS, name)) return null
  return PROTOCOLS[name as ProtocolName] ?? null
}

/** null: a protocol without such a table, or one that is not built in. */
export function codecOf(name: string | undefined): CodecProtocol | null {
  const protocol = builtIn(name)
  const place = protocol?.place
  return protocol === null || place === undefined ? null : { ...protocol, place }
}

/** Keys that mean something to registers only. */
const REGISTER_KEYS = ['bit', 'bits', 'plus', 'length', 'order', 'scaleFrom', 'write', 'read'] as const

/** null after a finding. */
export function codecPlace(key: string, block: PointBlock, codec: CodecProtocol, build: Build): Placed | null {
  const { findings, at } = build
  for (const name of REGISTER_KEYS)
    if (block[name] !== undefined)
      findings.error(at(['points', key, name]), 'notForProtocol', { key: name, protocol: codec.name })
  const words: PlaceWords = {
    at: block.at ?? '',
    options: optionsOf(build.model, codec.name),
    ...(block.as === undefined ? {} : { as: block.as }),
    ...(block.field === undefined ? {} : { field: block.field }),
  }
  const placed = codec.place(words)
  if (typeof placed !== 'string') return placed
  const about = block.as !== undefined && placed.includes(`"${block.as}"`) ? 'as' : 'at'
  findings.error(at(['points', key, about]), 'placeUnfit', { point: key, why: placed })
  return null
}

/** Keys of its block that concern the bus and not the protocol. */
const PACE: readonly string[] = ['minGap', 'guard', 'timeout', 'retries', 'echo', 'rows']

/** A driver's own words about its protocol, those about its pace left out. */
export function optionsOf(model: CodecBlocks, name: ProtocolName): NonNullable<PlaceWords['options']> {
  const block = name === 'modbus' ? undefined : model[name]
  const own = Object.entries(block ?? {}).flatMap(([key, value]) =>
    value === undefined || PACE.includes(key) ? [] : [[key, value] as const],
  )
  return Object.fromEntries(own)
}

/** Meters may take half a second to answer; twice that is a silence. */
const TIMEOUT_MS = 1000

/** What a device bears. Only Modbus counts registers. */
export function limitsFor(
  protocol: string | undefined,
  model: CodecBlocks & { readonly modbus?: ModbusBlock | undefined },
): Limits {
  if (protocol !== 'dlt645' && protocol !== 'cjt188' && protocol !== 'mbus') return limitsOf(model.modbus)
  const { minGap, guard, timeout, retries, echo } = model[protocol] ?? {}
  const plain = limitsOf({ minGap, guard, retries, echo })
  const rows = protocol !== 'dlt645' || model.dlt645?.rows !== false
  return { ...plain, timeoutMs: ms(timeout) ?? TIMEOUT_MS, maxGap: rows ? plain.maxGap : 0 }
}

/** The driver's words over the protocol's. */
export function codecKind(block: PointBlock, placed: Placed): { kind: PointKind; type: PointType } {
  const type = block.map === undefined ? placed.type : 'str'
  const own = block.map === undefined ? (placed.kind ?? (type === 'str' ? 'text' : 'gauge')) : 'state'
  return { kind: block.kind ?? own, type }
}

/** A scale makes another unit of it, which only the driver knows. */
export function codecUnit(block: PointBlock, placed: Placed): string | undefined {
  return block.unit ?? (block.scale === undefined ? placed.unit : undefined)
}

/** Bit n of what lies there, as the place of a point of its own; null: this protocol knows no bits. */
export function bitPlace(place: Place, bit: number): Place | null {
  switch (place.protocol) {
    case 'modbus':
      return { ...place, as: 'bit', bit }
    case 'dlt645':
      return { ...place, as: `bit ${bit}` }
    default:
      return null
  }
}
