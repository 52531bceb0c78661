/**
 * Which driver fits a device that has answered: by what its answer says of itself (meter type, maker, version, medium), by the reads
 * that the driver names as proof of the model, and of meters by how much of what it would read is there. What is to be asked comes
 * out, what was answered goes in. Where two fit alike, it says so: a guess would show one device's registers as another's.
 */
import type { Text } from '../model/point.ts'
import type { ProtocolName } from '../model/site.ts'
import { type ByHand, byHand, type ReadingWords } from './byhand.ts'
import { builtIn, optionsOf } from './codec.ts'
import type { Driver, Library } from './load.ts'
import type { DriverFile } from './schema.ts'
import { bothLanguages } from './shapes.ts'

/** What a device said of itself in the answer by which it was found; null: its protocol has no such thing, or it does not say. */
export type Told = {
  /** CJ/T 188: the meter type that its frames name, and the order of identifiers that it answered to. */
  readonly type: number | null
  readonly identifier: '901F' | '1F90' | null
  /** M-Bus: the header of its answer. */
  readonly manufacturer: string | null
  readonly version: number | null
  readonly medium: number | null
}

export const TOLD_NOTHING: Told = { type: null, identifier: null, manufacturer: null, version: null, medium: null }

/** What to ask, and how to read what comes. */
type Read = ByHand & { readonly words: ReadingWords }
type Proof = Read & { readonly passes: (value: unknown) => boolean; readonly exact: boolean }
type Header = {
  readonly types: readonly number[]
  readonly manufacturer: string | null
  readonly version: number | null
  readonly media: readonly number[]
}

export type Candidate = {
  readonly driver: string
  readonly title: Text
  readonly protocol: ProtocolName
  /** As the driver writes it; null: it names none. */
  readonly line: string | null
  /** CJ/T 188: as what it is asked. */
  readonly identifier: '901F' | '1F90'
  readonly headers: readonly Header[]
  readonly proofs: readonly Proof[]
  /** Of meters: what it would read. Registers say nothing by being there. */
  readonly reads: readonly Read[]
}

/** What speaks for a driver; null: something speaks against it. */
export type Evidence = {
  /** Facts that no other model shares: a value that must be met exactly, a maker and his version. */
  readonly proven: number
  /** Facts that others may share: a value within a range, a place that is there. */
  readonly likely: number
  /** Of a meter, where an item means the same in every driver: how many it reads. */
  readonly values: number
}

/** Bodies of the answer; null: there was none. The same question is best asked once. */
export type AskWords = (words: ReadingWords) => Promise<readonly Uint8Array[] | null>

/** Of a driver without proofs, so many of its values must come. */
const SHARE_MIN = 0.6

/** All drivers of the library whose devices sit on a bus, those that are broken left out. */
export function candidatesOf(library: Library): readonly Candidate[] {
  return library.names().flatMap((name) => {
    const driver = library.load(name)
    const protocol = builtIn(driver?.data.protocol)?.name
    return driver === null || protocol === undefined ? [] : [candidateOf(driver, protocol)]
  })
}

function candidateOf({ name, data }: Driver, protocol: ProtocolName): Candidate {
  return {
    driver: name,
    title: bothLanguages(data.title ?? name),
    protocol,
    line: data.line ?? null,
    identifier: data.cjt188?.identifier ?? '901F',
    headers: headersOf(data, protocol),
    proofs: proofsOf(data, protocol),
    reads: protocol === 'modbus' ? [] : readsOf(data, protocol),
  }
}

function headersOf(data: DriverFile, protocol: ProtocolName): readonly Header[] {
  const named = (data.identify ?? []).flatMap(({ read, type = [], manufacturer, version, medium = [] }): Header[] =>
    read !== undefined
      ? []
      : [
          {
            types: type.map(hex),
            manufacturer: manufacturer ?? null,
            version: version ?? null,
            media: medium.map(hex),
          },
        ],
  )
  if (protocol !== 'cjt188' || named.length > 0) return named
  // A CJ/T 188 meter answers only questions of its own type: the others would be silences.
  return [{ types: [hex(data.cjt188?.type ?? '10')], manufacturer: null, version: null, media: [] }]
}

function hex(code: string): number {
  return Number.parseInt(code, 16)
}

function proofsOf(data: DriverFile, protocol: ProtocolName): readonly Proof[] {
  return (data.identify ?? []).flatMap((proof): Proof[] => {
    const order = proof.order ?? data.modbus?.order
    if (proof.read === undefined) return []
    const words: ReadingWords = {
      protocol,
      at: proof.read,
      ...(proof.as === undefined ? {} : { as: proof.as }),
      ...(order === undefined ? {} : { order }),
      ...(proof.length === undefined ? {} : { length: proof.length }),
      ...(proof.count === undefined ? {} : { count: proof.count }),
      ...(proof.scale === undefined ? {} : { scale: proof.scale }),
      ...(proof.offset === undefined ? {} : { offset: proof.offset }),
    }
    const made = byHand(words)
    if (typeof made === 'string') return []
    const { equals, range } = proof
    if (equals !== undefined) return [{ ...made, words, passes: (value) => same(value, equals), exact: true }]
    if (range === undefined) return [{ ...made, words, passes: (value) => value !== undefined, exact: false }]
    const [low = 0, high = 0] = range
    const passes = (value: unknown): boolean => typeof value === 'number' && value >= low && value <= high
    return [{ ...made, words, passes, exact: false }]
  })
}

function same(value: unknown, wanted: number | boolean | string): boolean {
  return typeof wanted === 'string' ? String(value).trim() === wanted.trim() : value === wanted
}

/** What is personal is not asked to find out a model, and what is forbidden not touched. */
function readsOf(data: DriverFile, protocol: ProtocolName): readonly Read[] {
  const options = optionsOf(data, protocol)
  return Object.values(data.points ?? {}).flatMap(({ at, as, field, forbidden, personal, card }): Read[] => {
    if (at === undefined || forbidden === true || personal === true || card !== undefined) return []
    const words: ReadingWords = {
      protocol,
      at,
      options,
      ...(as === undefined ? {} : { as }),
      ...(field === undefined ? {} : { field }),
    }
    const made = byHand(words)
    return typeof made === 'string' ? [] : [{ ...made, words }]
  })
}

/** null: it does not fit, or cannot be told. */
export async function fitOf(candidate: Candidate, told: Told, ask: AskWords): Promise<Evidence | null> {
  const header = headerFit(candidate, told)
  if (header === null) return null
  let { proven, likely } = header
  for (const { block, points, words, passes, exact } of candidate.proofs) {
    const bodies = await ask(words)
    const [reading] = bodies === null ? [] : block.read(points, bodies)
    // One proof that fails, and it is another model.
    if (reading === undefined || !('value' in reading) || !passes(reading.value)) return null
    if (exact) proven += 1
    else likely += 1
  }
  const values = await valuesRead(candidate.reads, ask)
  return candidate.proofs.length === 0 && values === 0 ? null : { proven, likely, values }
}

function headerFit({ headers, identifier }: Candidate, told: Told): Pick<Evidence, 'proven' | 'likely'> | null {
  const asAsked = told.identifier !== null && told.identifier === identifier ? 1 : 0
  if (headers.length === 0) return { proven: 0, likely: asAsked }
  const fitting = headers.filter(
    ({ types, manufacturer, version, media }) =>
      (types.length === 0 || told.type === null || types.includes(told.type)) &&
      (manufacturer === null || manufacturer === told.manufacturer) &&
      (version === null || version === told.version) &&
      (media.length === 0 || (told.medium !== null && media.includes(told.medium))),
  )
  if (fitting.length === 0) return null
  const model = fitting.some(({ manufacturer, version }) => manufacturer !== null && version !== null)
  return { proven: model ? 1 : 0, likely: asAsked }
}

/** Too small a share of what it would read: 0. */
async function valuesRead(reads: readonly Read[], ask: AskWords): Promise<number> {
  let values = 0
  for (const { block, points, words } of reads) {
    const bodies = await ask(words)
    // The first of a driver that fits is there; of one that does not, the others need not be asked.
    if (bodies === null && values === 0) return 0
    const readings = bodies === null ? [] : block.read(points, bodies)
    values += readings.filter((reading) => 'value' in reading).length
  }
  return values / Math.max(1, reads.length) >= SHARE_MIN ? values : 0
}

export type Fitting = { readonly candidate: Candidate; readonly evidence: Evidence }

/**
 * Best first, and how many of the first cannot be told apart. A meter's items mean the same in every driver: the one that reads most
 * is best. Of registers only an exact proof counts, since plausible values are found in many a map.
 */
export function ranked(
  fitting: readonly Fitting[],
  line: string | null,
): { readonly order: readonly Fitting[]; readonly alike: number } {
  // Among equals the one whose factory setting it answers with: easily changed, so it only orders them.
  const usual = ({ candidate }: Fitting): number => (candidate.line === line ? 1 : 0)
  const order = fitting.toSorted(
    (a, b) => compare(b, a) || b.evidence.likely - a.evidence.likely || usual(b) - usual(a),
  )
  const [best] = order
  return { order, alike: best === undefined ? 0 : order.filter((each) => compare(each, best) === 0).length }
}

function compare(a: Fitting, b: Fitting): number {
  const isMeter = a.candidate.protocol !== 'modbus'
  return (
    a.evidence.proven - b.evidence.proven ||
    a.evidence.values - b.evidence.values ||
    (isMeter ? a.evidence.likely - b.evidence.likely : 0)
  )
}
