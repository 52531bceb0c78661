/** From the words of a driver to a place: a register with all that belongs to it, a field of a payload, or a complaint. */
import { nearest } from '../derive/nearest.ts'
import type { ModbusFactor, ModbusPart, ModbusPlace, ModbusTable, ModbusWrite, Place } from '../model/point.ts'
import type { Limits } from '../model/site.ts'
import { placeFlaw } from '../protocols/modbus/index.ts'
import type { Path } from './document.ts'
import { parseHole, parsePath, parsePlace, type PlaceFault, type PlaceKeys } from './place.ts'
import type { Build } from './points.ts'
import { ENCODINGS, type FactorText, type ModbusBlock, type PointBlock } from './schema-point.ts'
import { parseDuration } from './units.ts'

type Say = { readonly point: string; readonly path: Path; readonly build: Build }

export function limitsOf(block: ModbusBlock | undefined): Limits {
  const noHoles = block?.noHoles ?? false
  const holes = (block?.holes ?? []).map(parseHole).filter((hole) => hole !== null)
  return {
    maxRegisters: block?.maxRegisters ?? 125,
    maxBits: block?.maxBits ?? 2000,
    maxGap: noHoles ? 0 : (block?.maxGap ?? 8),
    minGapMs: ms(block?.minGap) ?? 0,
    guardMs: ms(block?.guard) ?? 0,
    timeoutMs: ms(block?.timeout) ?? 500,
    retries: block?.retries ?? 1,
    echo: block?.echo ?? false,
    ...(holes.length === 0 ? {} : { holes }),
    ...(block?.minBlock === undefined ? {} : { minRegisters: block.minBlock }),
    ...(block?.bitsStep === undefined ? {} : { bitsStep: block.bitsStep }),
    ...(block?.byteCount === 16 ? { wideCount: true } : {}),
  }
}

/** null after a finding. */
export function modbusPlace(key: string, block: PointBlock, build: Build): ModbusPlace | null {
  const say: Say = { point: key, path: ['points', key], build }
  const own = parsed({ ...block, at: block.at ?? '' }, say)
  if (own === null) return null
  if (own.table === 'coil' && own.as !== 'bit' && block.read !== false) {
    complain(block.at ?? '', { why: 'encodingUnfit', key: 'as', as: own.as, table: own.table }, say)
    return null
  }
  const plus = block.plus === undefined ? null : partOf(block.plus, own, say)
  const factors = block.scaleFrom === undefined ? null : factorsOf(block.scaleFrom, say)
  const write = writeOf(block, own, say)
  const place: ModbusPlace = {
    ...own,
    ...(plus === null ? {} : { plus }),
    ...(factors === null ? {} : { factors }),
    ...(write === null ? {} : { write }),
  }
  const why = placeFlaw(place, limitsOf(build.model.modbus))
  if (why === null) return place
  build.findings.error(build.at([...say.path, 'at']), 'placeUnfit', { point: key, why })
  return null
}

export function payloadPlace(key: string, block: PointBlock, build: Build): Place | null {
  const say: Say = { point: key, path: ['points', key], build }
  const place = parsePath(block.at ?? '')
  if ('why' in place) {
    complain(block.at ?? '', place, say)
    return null
  }
  const unfit = ['bit', 'bits', 'plus', 'flags', 'length', 'order', 'every', 'read', 'scaleFrom', 'field'] as const
  for (const name of unfit)
    if (block[name] !== undefined)
      build.findings.error(build.at([...say.path, name]), 'notForProtocol', { key: name, protocol: 'mqtt' })
  if (block.as !== undefined && block.as !== 'bit' && block.as !== 'string')
    build.findings.error(build.at([...say.path, 'as']), 'notForProtocol', { key: `as: ${block.as}`, protocol: 'mqtt' })
  return place
}

function parsed(keys: PlaceKeys, say: Say): ModbusPlace | null {
  const { modbus } = say.build.model
  const place = parsePlace(keys, modbus?.order ?? 'ABCD', modbus?.sunspec)
  if (!('why' in place)) return place
  complain(keys.at, place, say)
  return null
}

function partOf({ at, as, scale }: NonNullable<PointBlock['plus']>, own: ModbusPlace, say: Say): ModbusPart | null {
  const part = parsed({ at, as }, { ...say, path: [...say.path, 'plus'] })
  if (part === null) return null
  if (part.table === own.table && part.model?.id === own.model?.id)
    return { address: part.address, as: part.as, scale: scale ?? 1 }
  const why = 'both parts lie in one table'
  say.build.findings.error(say.build.at([...say.path, 'plus', 'at']), 'placeUnfit', { point: say.point, why })
  return null
}

function factorsOf(written: NonNullable<PointBlock['scaleFrom']>, say: Say): readonly ModbusFactor[] | null {
  const list: readonly FactorText[] = Array.isArray(written) ? written : [written]
  const factors = list.map((each, index) =>
    factorOf(each, { ...say, path: [...say.path, 'scaleFrom', ...(Array.isArray(written) ? [index] : [])] }),
  )
  return factors.every((factor) => factor !== null) ? factors : null
}

function factorOf(written: FactorText, say: Say): ModbusFactor | null {
  const block = typeof written === 'string' ? { point: written } : written
  const { findings, at, model } = say.build
  const source = block.point === undefined ? block : model.points?.[block.point]
  if ((block.point === undefined) === (block.at === undefined) || (block.means !== undefined && block.factors)) {
    findings.error(at(say.path), 'scaleFrom', { point: say.point })
    return null
  }
  if (source?.at === undefined) {
    const name = block.point ?? ''
    const near = nearest(name, Object.keys(model.points ?? {}))
    findings.error(at(say.path), 'unknownPoint', { where: `${say.point}.scaleFrom`, point: name, near })
    return null
  }
  const place = parsed({ ...source, at: source.at, as: source.as ?? 'u16' }, say)
  if (place === null) return null
  const { table, address, as, order, bits } = place
  if (table === 'coil' || table === 'discrete') {
    findings.error(at(say.path), 'placeUnfit', { point: say.point, why: 'a scale lies in a register' })
    return null
  }
  const invalid = block.point === undefined ? [] : (model.points?.[block.point]?.invalid ?? [])
  const means = block.factors === undefined ? (block.means ?? 'power') : decimalKeys(block.factors)
  return { table, address, as, order, means, invalid, ...(bits === undefined ? {} : { bits }) }
}

/** How a write differs from a read; null: not at all, or it is not written. */
function writeOf({ write: rule }: PointBlock, own: ModbusPlace, say: Say): ModbusWrite | null {
  if (rule === undefined) return null
  const { at, as, order, scale, offset, values } = rule
  const multiple = say.build.model.modbus?.multiple === true
  const target =
    at === undefined ? null : parsed({ at, as: as ?? own.as, order }, { ...say, path: [...say.path, 'write'] })
  if (target !== null && target.table !== own.table && !isReadOnly(own.table)) {
    const why = `written in the ${target.table} table and read in the ${own.table} table`
    say.build.findings.error(say.build.at([...say.path, 'write', 'at']), 'placeUnfit', { point: say.point, why })
  }
  const write: ModbusWrite = {
    ...(target === null ? {} : { address: target.address, table: target.table }),
    ...(as === undefined ? {} : { as }),
    ...(order === undefined ? {} : { order }),
    ...(scale === undefined ? {} : { scale }),
    ...(offset === undefined ? {} : { offset }),
    ...(values === undefined ? {} : { values: decimalKeys(values) }),
    ...(multiple ? { multiple } : {}),
  }
  return Object.keys(write).length === 0 && own.table !== 'coil' ? null : write
}

export function isReadOnly(table: ModbusTable): boolean {
  return table === 'discrete' || table === 'input'
}

/** Codecs know raw values in decimal. */
export function decimalKeys<V>(map: Readonly<Record<string, V>>): Readonly<Record<string, V>> {
  return Object.fromEntries(Object.entries(map).map(([raw, value]) => [decimal(raw), value]))
}

function decimal(raw: string): string {
  return raw.startsWith('0x') ? String(Number(raw)) : raw
}

function complain(at: string, fault: PlaceFault, { point, path, build }: Say): void {
  const where = build.at([...path, fault.key])
  const { findings } = build
  switch (fault.why) {
    case 'badPlace':
    case 'badPath':
      return findings.error(where, fault.why, { at })
    case 'encodingMissing':
      return findings.error(where, fault.why, { point })
    case 'badEncoding':
      return findings.error(where, fault.why, {
        point,
        as: fault.as,
        near: nearest(fault.as, ENCODINGS),
        known: ENCODINGS,
      })
    case 'encodingUnfit':
      return findings.error(where, fault.why, { point, as: fault.as, table: fault.table })
    case 'keyNeedsEncoding':
      return findings.error(where, fault.why, { point, key: fault.key, as: fault.as })
    case 'encodingNeedsKey':
      return findings.error(where, fault.why, { point, key: fault.needs, as: fault.as })
  }
}

export function ms(text: string | undefined): number | null {
  return text === undefined ? null : parseDuration(text)
}
