/**
 * From a driver (with what a site overrides) to points without numbers: drafts. A family of a thousand devices shares them.
 */
import type { ModbusPlace, Place, Point, PointKind, PointType, Text, Treatment, WriteRule } from '../model/point.ts'
import { nearest } from '../derive/nearest.ts'
import type { Path } from './document.ts'
import type { Findings, Position } from './finding.ts'
import { bitPlace, codecKind, codecOf, codecPlace, codecUnit } from './codec.ts'
import { decimalKeys, isReadOnly, modbusPlace, ms, payloadPlace } from './placing.ts'
import type { DriverFile, InputBlock } from './schema.ts'
import type { OutputRule, PointBlock } from './schema-point.ts'
import { bothLanguages } from './shapes.ts'
import { textlinePlace } from './textline.ts'
import { parseDuration } from './units.ts'
import type { Vocabulary, VocabularyName } from './vocabulary.ts'

/** Points of one device name each other by key. */
export type DraftFormula =
  | { readonly kind: 'increase'; readonly of: string; readonly over: 'hour' | 'day' | 'month' }
  | { readonly kind: 'hours'; readonly of: string }
  | { readonly kind: 'count'; readonly of: string }
  | {
      readonly kind: 'door'
      readonly of: string
      readonly granted: string | null
      readonly unlockMs: number
      readonly heldMs: number
    }
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

type Flag = {
  readonly parent: string
  readonly bit: number
  /** What the flag's own entry says of it. */
  readonly words: Pick<PointBlock, 'title' | 'std' | 'invert'>
}

/** Points that are read or published, flags of bits included. What has an error is left out, and a finding given. */
export function buildFieldPoints(build: Build): readonly Draft[] {
  const blocks = Object.entries(build.model.points ?? {})
  const flags = new Map<string, Flag>()
  for (const [key, block] of blocks)
    for (const [bit, written] of Object.entries(block.flags ?? {})) {
      const { name, ...words } = typeof written === 'string' ? { name: written } : written
      flags.set(`${key}_${name}`, { parent: key, bit: Number(bit), words })
    }
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
    if (draft.kind !== 'bits') {
      build.findings.error(build.at(['points', key, 'flags']), 'keyNeedsEncoding', {
        point: key,
        key: 'flags',
        as: 'bits',
      })
      continue
    }
    for (const [name, flag] of flags) if (flag.parent === key) drafts.push(flagPoint(name, flag, draft, block, build))
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
      write: block.write === undefined ? null : ruleOf(block.write, block.range, true),
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
  const found = placed(key, block, build)
  if (found === null) return null
  const { place, unit } = found
  const { kind, type } = shown(block, found)
  if (kind === 'state' && block.map === undefined && type !== 'bool')
    findings.error(keyAt(path), 'stateNeedsMap', { point: key })
  if (block.read === false && block.write === undefined && block.forbidden !== true)
    findings.error(at([...path, 'read']), 'neverUsed', { point: key })
  const unread = place.protocol === 'payload' || place.protocol === 'textline' || block.read === false
  const everyMs = unread ? null : everyOf(key, block, build)
  return {
    ...judged(key, unit === undefined ? block : { ...block, unit }, { kind, type }, build, path),
    personal: isPersonal(block),
    source: { from: 'field', place, treatment: treatmentOf(block), everyMs },
    maxAgeMs: ms(block.maxAge) ?? (everyMs === null ? null : Math.max(AGE_POLLS * everyMs, AGE_MIN_MS)),
    forbidden: block.forbidden ?? false,
    write: writeOf(key, block, place, build),
    labels: block.map === undefined ? null : Object.values(block.map),
  }
}

const PLACES: Readonly<Record<string, (key: string, block: PointBlock, build: Build) => Place | null>> = {
  mqtt: payloadPlace,
  textline: textlinePlace,
}

/** What is personal travels as its pseudonym: a text, whatever it was read as. */
function shown(block: PointBlock, { kind, type }: Found): Pick<Found, 'kind' | 'type'> {
  if (!isPersonal(block)) return { kind, type }
  return { kind: kind === 'event' ? 'event' : 'text', type: 'str' }
}

function isPersonal(block: Pick<PointBlock, 'personal' | 'card'>): boolean {
  return block.personal === true || block.card !== undefined
}

type Found = { readonly place: Place; readonly kind: PointKind; readonly type: PointType; readonly unit?: string }

/** Where the protocol says the value lies, and what it is there. null after a finding. */
function placed(key: string, block: PointBlock, build: Build): Found | null {
  const { protocol } = build.model
  const codec = codecOf(protocol)
  if (codec !== null) {
    const own = codecPlace(key, block, codec, build)
    if (own === null) return null
    const unit = codecUnit(block, own)
    return { place: own.place, ...codecKind(block, own), ...(unit === undefined ? {} : { unit }) }
  }
  if (block.field !== undefined)
    build.findings.error(build.at(['points', key, 'field']), 'notForProtocol', {
      key: 'field',
      protocol: protocol ?? '',
    })
  if (block.only !== undefined && protocol !== 'textline')
    build.findings.error(build.at(['points', key, 'only']), 'notForProtocol', {
      key: 'only',
      protocol: protocol ?? '',
    })
  const place = (PLACES[protocol ?? ''] ?? modbusPlace)(key, block, build)
  return place === null ? null : { place, ...kindOf(block, place) }
}

function flagPoint(name: string, { bit, words }: Flag, parent: Draft, block: PointBlock, build: Build): Draft {
  const refined = { ...words, ...build.model.points?.[name] }
  const { source } = parent
  const place = source.from === 'field' ? bitPlace(source.place, bit) : null
  if (source.from !== 'field' || place === null) throw new Error(`${name} has no register`)
  const everyMs = refined.every === undefined ? source.everyMs : everyOf(name, refined, build)
  return {
    ...judged(name, refined, shown(block, { place, kind: 'state', type: 'bool' }), build, ['points', name]),
    heartbeatMs: ms(refined.heartbeat) ?? parent.heartbeatMs,
    debounceMs: ms(refined.debounce) ?? parent.debounceMs,
    personal: isPersonal(block),
    maxAgeMs: ms(refined.maxAge) ?? parent.maxAgeMs,
    forbidden: parent.forbidden,
    write: null,
    labels: null,
    source: { from: 'field', place, treatment: treatmentOf({ invert: refined.invert }), everyMs },
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
  if (as === 'string' || block.card !== undefined || (as === null && (block.kind === 'text' || block.kind === 'event')))
    return 'str'
  const plain =
    (block.scale ?? 1) === 1 && (block.offset ?? 0) === 0 && block.scaleFrom === undefined && block.plus === undefined
  return (as === 'u64' || as === 's64') && plain ? 'u64' : 'f64'
}

function treatmentOf(block: Partial<PointBlock>): Treatment {
  const map = block.map === undefined ? null : decimalKeys(block.map)
  return {
    scale: block.scale ?? 1,
    offset: block.offset ?? 0,
    invalid: block.invalid ?? [],
    map,
    invert: block.invert ?? false,
    ...(block.card === undefined ? {} : { card: block.card }),
  }
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
  const say = (id: 'writeForbidden' | 'writeBit' | 'readBackBlind' | 'writePersonal'): null => {
    build.findings.error(build.at(['points', key, 'write']), id, { point: key })
    return null
  }
  if (block.forbidden === true) return say('writeForbidden')
  if (isPersonal(block)) return say('writePersonal')
  if (place.protocol === 'modbus') {
    if (isReadOnly(place.table) && write.at === undefined) {
      const { table } = place
      build.findings.error(build.at(['points', key, 'write']), 'writeTable', { point: key, table })
      return null
    }
    if (isWord(place)) return say('writeBit')
  }
  if (block.read === false && write.readBack === true) return say('readBackBlind')
  return ruleOf(write, block.range, block.read !== false)
}

/** One bit is changed by itself; the word as a whole has no value that anybody could mean. */
function isWord({ table, as, write }: ModbusPlace): boolean {
  return table === 'holding' && as === 'bits' && write?.values === undefined
}

function ruleOf(write: OutputRule, range: readonly number[] | undefined, readBack: boolean): WriteRule {
  return {
    role: write.role ?? 'operator',
    min: write.min ?? range?.[0] ?? null,
    max: write.max ?? range?.[1] ?? null,
    step: write.step ?? null,
    readBack: write.readBack ?? readBack,
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
