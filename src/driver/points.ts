/**
 * From a driver (with what a site overrides) to points without numbers: drafts. A family of a thousand devices shares them.
 */
import { placeFlaw } from '../protocols/modbus/index.ts'
import type {
  ModbusOrder,
  ModbusPlace,
  Place,
  Point,
  PointKind,
  PointType,
  Text,
  Treatment,
  WriteRule,
} from '../model/point.ts'
import type { Limits } from '../model/site.ts'
import { nearest } from '../derive/nearest.ts'
import type { Path } from './document.ts'
import type { Findings, Position } from './finding.ts'
import { parsePath, parsePlace, type PlaceFault } from './place.ts'
import type { DriverFile, InputBlock, ModbusBlock, PointBlock } from './schema.ts'
import { bothLanguages } from './shapes.ts'
import { parseDuration } from './units.ts'
import type { Vocabulary, VocabularyName } from './vocabulary.ts'

/** Points of one device name each other by key. */
export type DraftFormula =
  | { readonly kind: 'increase'; readonly of: string; readonly over: 'hour' | 'day' | 'month' }
  | { readonly kind: 'hours'; readonly of: string }
  | { readonly kind: 'count'; readonly of: string }
  | { readonly kind: 'expression'; readonly source: string }

export type DraftSource =
  | { readonly from: 'field'; readonly place: Place; readonly treatment: Treatment; readonly everyMs: number | null }
  /** The input of that name of a composed device. */
  | { readonly from: 'input'; readonly input: string; readonly invert: boolean }
  | { readonly from: 'derive'; readonly formula: DraftFormula }

export type Draft = Omit<Point, 'index' | 'id' | 'device' | 'source'> & {
  readonly source: DraftSource
  /** Labels that a state can take. */
  readonly labels: readonly string[] | null
}

export type Build = {
  /** The driver's file, overrides merged in. */
  readonly model: DriverFile
  readonly vocabulary: Vocabulary
  readonly findings: Findings
  readonly at: (path: Path) => Position
  /** Where the key stands, for complaints about what it names. */
  readonly keyAt: (path: Path) => Position
}

const HEARTBEAT_MS = 300_000
const EVERY_MS = 10_000
const EVERY_MIN_MS = 10
/** Three missed polls are a silence; below 10 s a single retry would look like one. */
const AGE_POLLS = 3
const AGE_MIN_MS = 10_000

export function limitsOf(block: ModbusBlock | undefined): Limits {
  const noHoles = block?.noHoles ?? false
  return {
    maxRegisters: block?.maxRegisters ?? 125,
    maxBits: block?.maxBits ?? 2000,
    maxGap: noHoles ? 0 : (block?.maxGap ?? 8),
    minGapMs: ms(block?.minGap) ?? 0,
    guardMs: ms(block?.guard) ?? 0,
    timeoutMs: ms(block?.timeout) ?? 500,
    retries: block?.retries ?? 1,
    echo: block?.echo ?? false,
  }
}

/** Points that are read or published, flags of bits included. What has an error is left out, and a finding given. */
export function buildFieldPoints(build: Build): readonly Draft[] {
  const blocks = Object.entries(build.model.points ?? {})
  const flags = new Map<string, { parent: string; bit: number }>()
  for (const [key, block] of blocks)
    for (const [bit, flag] of Object.entries(block.flags ?? {}))
      flags.set(`${key}_${flag}`, { parent: key, bit: Number(bit) })
  const drafts: Draft[] = []
  for (const [key, block] of blocks) {
    // An entry of a flag's name refines the flag: its title, its standard name, its deadline.
    if (flags.has(key) && block.at === undefined) continue
    if (flags.has(key)) {
      const parent = flags.get(key)?.parent ?? ''
      build.findings.error(build.keyAt(['points', key]), 'pointTwice', { point: key, other: `a flag of ${parent}` })
    }
    const draft = fieldPoint(key, block, build)
    if (draft !== null) drafts.push(draft)
    if (draft === null || block.flags === undefined) continue
    if (block.as !== 'bits') {
      build.findings.error(build.at(['points', key, 'flags']), 'keyNeedsEncoding', {
        point: key,
        key: 'flags',
        as: 'bits',
      })
      continue
    }
    for (const [name, { parent, bit }] of flags)
      if (parent === key) drafts.push(flagPoint(name, bit, draft, block, build))
  }
  return drafts
}

/** Points of a composed device: one per input of the driver. */
export function buildInputPoints(build: Build): readonly Draft[] {
  return Object.entries(build.model.inputs ?? {}).map(([key, block]) => {
    const type: PointType =
      block.map !== undefined || block.as === 'string' ? 'str' : block.as === 'number' ? 'f64' : 'bool'
    const kind = block.kind ?? (type === 'f64' ? 'gauge' : type === 'str' && block.map === undefined ? 'text' : 'state')
    return {
      ...judged(key, block, { kind, type }, build, ['inputs', key]),
      source: { from: 'input', input: key, invert: block.invert ?? false },
      maxAgeMs: ms(block.maxAge),
      write: null,
      forbidden: false,
      labels: block.map === undefined ? null : Object.values(block.map),
    }
  })
}

function fieldPoint(key: string, block: PointBlock, build: Build): Draft | null {
  const { findings, at, keyAt } = build
  const path: Path = ['points', key]
  if (block.at === undefined) {
    findings.error(keyAt(path), 'placeMissing', { point: key })
    return null
  }
  if (block.scaleFrom !== undefined) findings.error(at([...path, 'scaleFrom']), 'scaleFrom', { point: key })
  const place = build.model.protocol === 'mqtt' ? payloadPlace(key, block, build) : modbusPlace(key, block, build)
  if (place === null) return null
  const { kind, type } = kindOf(block, place)
  if (kind === 'state' && block.map === undefined && type !== 'bool')
    findings.error(keyAt(path), 'stateNeedsMap', { point: key })
  const everyMs = place.protocol === 'payload' ? null : everyOf(key, block, build)
  return {
    ...judged(key, block, { kind, type }, build, path),
    source: { from: 'field', place, treatment: treatmentOf(block), everyMs },
    maxAgeMs: ms(block.maxAge) ?? (everyMs === null ? null : Math.max(AGE_POLLS * everyMs, AGE_MIN_MS)),
    forbidden: block.forbidden ?? false,
    write: writeOf(key, block, place, build),
    labels: block.map === undefined ? null : Object.values(block.map),
  }
}

function flagPoint(name: string, bit: number, parent: Draft, block: PointBlock, build: Build): Draft {
  const refined = build.model.points?.[name] ?? {}
  const { source } = parent
  if (source.from !== 'field' || source.place.protocol !== 'modbus') throw new Error(`${name} has no register`)
  const place: ModbusPlace = { ...source.place, as: 'bit', bit }
  const everyMs = refined.every === undefined ? source.everyMs : everyOf(name, refined, build)
  return {
    ...judged(name, refined, { kind: 'state', type: 'bool' }, build, ['points', name]),
    heartbeatMs: ms(refined.heartbeat) ?? parent.heartbeatMs,
    debounceMs: ms(refined.debounce) ?? parent.debounceMs,
    personal: block.personal ?? false,
    maxAgeMs: ms(refined.maxAge) ?? parent.maxAgeMs,
    forbidden: parent.forbidden,
    write: null,
    labels: null,
    source: { from: 'field', place, treatment: treatmentOf({ invert: refined.invert }), everyMs },
  }
}

function modbusPlace(key: string, block: PointBlock, build: Build): ModbusPlace | null {
  const order: ModbusOrder = build.model.modbus?.order ?? 'ABCD'
  const place = parsePlace({ ...block, at: block.at ?? '' }, order)
  if ('why' in place) {
    complain(key, block, place, build)
    return null
  }
  const why = placeFlaw(place, limitsOf(build.model.modbus))
  if (why === null) return place
  build.findings.error(build.at(['points', key, 'at']), 'placeUnfit', { point: key, why })
  return null
}

function payloadPlace(key: string, block: PointBlock, build: Build): Place | null {
  const place = parsePath(block.at ?? '')
  if ('why' in place) {
    complain(key, block, place, build)
    return null
  }
  const unfit = (['bit', 'flags', 'length', 'order', 'every'] as const).filter((name) => block[name] !== undefined)
  for (const name of unfit)
    build.findings.error(build.at(['points', key, name]), 'notForProtocol', { key: name, protocol: 'mqtt' })
  if (block.as !== undefined && block.as !== 'bit' && block.as !== 'string')
    build.findings.error(build.at(['points', key, 'as']), 'notForProtocol', {
      key: `as: ${block.as}`,
      protocol: 'mqtt',
    })
  return place
}

function complain(key: string, block: PointBlock, fault: PlaceFault, build: Build): void {
  const where = build.at(['points', key, fault.key])
  const { findings } = build
  switch (fault.why) {
    case 'badPlace':
    case 'badPath':
      return findings.error(where, fault.why, { at: block.at ?? '' })
    case 'encodingMissing':
      return findings.error(where, fault.why, { point: key })
    case 'encodingUnfit':
      return findings.error(where, fault.why, { point: key, as: fault.as, table: fault.table })
    case 'keyNeedsEncoding':
      return findings.error(where, fault.why, { point: key, key: fault.key, as: fault.as })
    case 'encodingNeedsKey':
      return findings.error(where, fault.why, { point: key, key: fault.needs, as: fault.as })
  }
}

function kindOf(block: PointBlock, place: Place): { kind: PointKind; type: PointType } {
  const type = typeOf(block, place)
  if (block.kind !== undefined) return { kind: block.kind, type }
  if (place.protocol === 'modbus' && place.as === 'bits') return { kind: 'bits', type }
  if (block.map !== undefined || type === 'bool') return { kind: 'state', type }
  return { kind: type === 'str' ? 'text' : 'gauge', type }
}

function typeOf(block: PointBlock, place: Place): PointType {
  if (block.map !== undefined) return 'str'
  const as = place.protocol === 'modbus' ? place.as : (block.as ?? null)
  if (as === 'bit') return 'bool'
  if (as === 'string' || (as === null && (block.kind === 'text' || block.kind === 'event'))) return 'str'
  const plain = (block.scale ?? 1) === 1 && (block.offset ?? 0) === 0
  return (as === 'u64' || as === 's64') && plain ? 'u64' : 'f64'
}

function treatmentOf(block: Partial<PointBlock>): Treatment {
  const map =
    block.map === undefined
      ? null
      : Object.fromEntries(Object.entries(block.map).map(([raw, label]) => [rawText(raw), label]))
  return {
    scale: block.scale ?? 1,
    offset: block.offset ?? 0,
    invalid: block.invalid ?? [],
    map,
    invert: block.invert ?? false,
  }
}

/** Codecs know raw values in decimal. */
function rawText(raw: string): string {
  return raw.startsWith('0x') ? String(Number(raw)) : raw
}

function everyOf(key: string, block: PointBlock, build: Build): number {
  const polls = build.model.polls ?? {}
  const every = block.every ?? Object.keys(polls)[0]
  if (every === undefined) return EVERY_MS
  const path: Path = ['points', key, 'every']
  const named = polls[every]
  const everyMs = named === undefined ? parseDuration(every) : parseDuration(named)
  if (everyMs === null) {
    const near = nearest(every, Object.keys(polls))
    build.findings.error(build.at(path), 'unknownPoll', { point: key, every, near })
    return EVERY_MS
  }
  if (everyMs < EVERY_MIN_MS) {
    const where = named === undefined ? path : ['polls', every]
    build.findings.error(build.at(where), 'everyZero', { where: where.join('.') })
    return EVERY_MS
  }
  return everyMs
}

type Judged = Partial<Omit<InputBlock, 'as' | 'map' | 'required'>>

/** What concerns a value wherever it comes from. */
export function judged(
  key: string,
  block: Judged,
  { kind, type }: { kind: PointKind; type: PointType },
  build: Build,
  path: Path,
): Omit<Draft, 'source' | 'maxAgeMs' | 'write' | 'forbidden' | 'labels'> {
  const range = block.range === undefined ? null : pairOf(block.range)
  if (range !== null && range[0] >= range[1])
    build.findings.error(build.at([...path, 'range']), 'rangeOrder', { where: [...path, 'range'].join('.') })
  const word = wordOf(block.std ?? key, build)
  return {
    key,
    title: block.title === undefined ? (word?.title ?? same(key)) : bothLanguages(block.title),
    std: block.std ?? (word === null ? null : key),
    kind,
    type,
    unit: block.unit ?? word?.unit ?? null,
    range,
    rateMax: block.rateMax ?? null,
    debounceMs: ms(block.debounce) ?? 0,
    frozenAfterMs: ms(block.frozenAfter),
    deadband: block.deadband ?? 0,
    heartbeatMs: ms(block.heartbeat) ?? HEARTBEAT_MS,
    personal: block.personal ?? false,
  }
}

function wordOf(name: string, { vocabulary, model }: Build): VocabularyName | null {
  return vocabulary.get(model.category ?? '')?.get(name) ?? null
}

function writeOf(key: string, block: PointBlock, place: Place, build: Build): WriteRule | null {
  const { write } = block
  if (write === undefined) return null
  const at = build.at(['points', key, 'write'])
  if (block.forbidden === true) {
    build.findings.error(at, 'writeForbidden', { point: key })
    return null
  }
  if (place.protocol === 'modbus' && (place.table === 'discrete' || place.table === 'input')) {
    build.findings.error(at, 'writeTable', { point: key, table: place.table })
    return null
  }
  if (place.protocol === 'modbus' && place.table === 'holding' && (place.as === 'bit' || place.as === 'bits')) {
    build.findings.error(at, 'writeBit', { point: key })
    return null
  }
  return {
    role: write.role ?? 'operator',
    min: write.min ?? block.range?.[0] ?? null,
    max: write.max ?? block.range?.[1] ?? null,
    step: write.step ?? null,
    readBack: write.readBack ?? true,
    minOnMs: ms(write.minOn) ?? 0,
    minOffMs: ms(write.minOff) ?? 0,
    rateMs: ms(write.rate) ?? 0,
  }
}

export function pairOf(list: readonly number[]): readonly [number, number] {
  return [list[0] ?? Number.NEGATIVE_INFINITY, list[1] ?? Number.POSITIVE_INFINITY]
}

function same(text: string): Text {
  return { en: text, zh: text }
}

function ms(text: string | undefined): number | null {
  return text === undefined ? null : parseDuration(text)
}
