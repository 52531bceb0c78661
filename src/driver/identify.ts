/**
 * Which driver fits a device that has answered: by the reads that its driver names as proof of the model, or, where it names none, by
 * whether its points can be read at all. Pure: what is to be asked comes out, what was answered goes in.
 */
import type { Text } from '../model/point.ts'
import type { ProtocolName } from '../model/site.ts'
import { type ByHand, byHand, type ReadingWords } from './byhand.ts'
import { builtIn, optionsOf } from './codec.ts'
import type { Driver, Library } from './load.ts'
import type { DriverFile } from './schema.ts'
import { bothLanguages } from './shapes.ts'

/** What to ask, and how to read what comes. */
type Read = ByHand & { readonly words: ReadingWords }
type Proof = Read & { readonly passes: (value: unknown) => boolean; readonly weight: number }

export type Candidate = {
  readonly driver: string
  readonly title: Text
  readonly protocol: ProtocolName
  /** As the driver writes it; null: it names none. */
  readonly line: string | null
  /** What it meters, as a word of its class: water, gas, thermal; null: its class names none. */
  readonly medium: string | null
  /** CJ/T 188: the meter type that its frames name; null: another protocol. */
  readonly meterType: number | null
  readonly proofs: readonly Proof[]
  /** Of meters: what it would read. Registers say nothing by being there. */
  readonly reads: readonly Read[]
}

/** Bodies of the answer; null: there was none. The same question is best asked once. */
export type AskWords = (words: ReadingWords) => Promise<readonly Uint8Array[] | null>

/** A value that must be met exactly says more than one that must lie within a range. */
const EXACT = 4
const LIKELY = 1
/** Of a driver without proofs, so many of its values must come. */
const SHARE_MIN = 0.6
const MANY = 50

/** All drivers of the library whose devices sit on a bus, those that are broken left out. */
export function candidatesOf(library: Library): readonly Candidate[] {
  return library.names().flatMap((name) => {
    const driver = library.load(name)
    const protocol = builtIn(driver?.data.protocol)?.name
    return driver === null || protocol === undefined ? [] : [candidateOf(driver, protocol)]
  })
}

function candidateOf({ name, data }: Driver, protocol: ProtocolName): Candidate {
  const proofs = proofsOf(data, protocol)
  return {
    driver: name,
    title: bothLanguages(data.title ?? name),
    protocol,
    line: data.line ?? null,
    medium: /^([A-Z][a-z]+)_.*Meter$/.exec(data.brick ?? '')?.[1]?.toLowerCase() ?? null,
    meterType: protocol === 'cjt188' ? Number.parseInt(data.cjt188?.type ?? '10', 16) : null,
    proofs,
    reads: protocol === 'modbus' ? [] : readsOf(data, protocol),
  }
}

function proofsOf(data: DriverFile, protocol: ProtocolName): readonly Proof[] {
  return (data.identify ?? []).flatMap((proof): Proof[] => {
    const order = proof.order ?? data.modbus?.order
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
    if (equals !== undefined) return [{ ...made, words, passes: (value) => same(value, equals), weight: EXACT }]
    if (range !== undefined) {
      const [low = 0, high = 0] = range
      return [
        {
          ...made,
          words,
          passes: (value) => typeof value === 'number' && value >= low && value <= high,
          weight: LIKELY,
        },
      ]
    }
    return [{ ...made, words, passes: (value) => value !== undefined, weight: LIKELY }]
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

/** 0: it does not fit, or cannot be told. */
export async function fitOf(candidate: Candidate, ask: AskWords): Promise<number> {
  let score = 0
  for (const { block, points, words, passes, weight } of candidate.proofs) {
    const bodies = await ask(words)
    const [reading] = bodies === null ? [] : block.read(points, bodies)
    // One proof that fails, and it is another model.
    if (reading === undefined || !('value' in reading) || !passes(reading.value)) return 0
    score += weight
  }
  const readable = await shareRead(candidate.reads, ask)
  return candidate.proofs.length > 0 || readable > 0 ? score + readable : 0
}

/** Of two that can be read whole, more for the one that reads more of the device; 0: too little of it is there. */
async function shareRead(reads: readonly Read[], ask: AskWords): Promise<number> {
  let values = 0
  let asked = 0
  for (const { block, points, words } of reads) {
    const bodies = await ask(words)
    // The first of a driver that fits is there; of one that does not, the others need not be asked.
    if (bodies === null && values === 0) return 0
    const readings = bodies === null ? [] : block.read(points, bodies)
    asked += 1
    values += readings.filter((reading) => 'value' in reading).length
  }
  return asked > 0 && values / asked >= SHARE_MIN ? values / asked + Math.min(1, values / MANY) : 0
}
