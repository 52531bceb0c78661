/**
 * What a consumer makes of the bytes on an uplink topic, and what it checks: encoding, envelope, the batch's identity over its
 * canonical content, its count (uplink contract, sections 2, 3, 5 and 6). Written from the contract, not from the sender's code.
 */
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { canonicalJson } from '../bytes/json.ts'
import type { Lane } from '../model/journal.ts'

type Json = Readonly<Record<string, unknown>>

export type ReceivedBatch = {
  readonly gateway: string
  readonly epoch: string
  readonly boot: number
  readonly lane: Lane
  readonly number: number
  readonly id: string
  readonly t0: number
  readonly quality: number
  readonly cv: number
  readonly samples: number
  /** Values, and causes that say why there is none. */
  readonly statements: number
  /** Entries of `d` or `x`. */
  readonly entries: readonly Json[]
  /** UTC ms of its newest entry by the gateway's clock. */
  readonly newestAt: number
}

export type ReceivedHeartbeat = {
  readonly gateway: string
  readonly boot: number
  readonly connection: number
  readonly lanes: Readonly<Record<Lane, { readonly epoch: string; readonly hi: number; readonly ack: number }>>
}

/** A message that breaks the contract; the text says how. */
export class ContractBreach extends Error {}

/** An honest batch is far smaller; a gzip bomb is not. */
const TEXT_BYTES_MAX = 8 * 1024 * 1024

export function parsePayload(payload: Uint8Array): { readonly text: string; readonly document: Json } {
  const zipped = payload[0] === 0x1f && payload[1] === 0x8b
  if (!zipped && payload[0] !== 0x7b)
    throw new ContractBreach('the payload begins neither with { nor with the mark of gzip')
  try {
    const text = (zipped ? gunzipSync(payload, { maxOutputLength: TEXT_BYTES_MAX }) : Buffer.from(payload)).toString(
      'utf8',
    )
    return { text, document: objectOf(JSON.parse(text), 'the payload') }
  } catch (error) {
    if (error instanceof ContractBreach) throw error
    throw new ContractBreach(`the payload cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** `level` is the topic's last level: t, b, a or e. Throws ContractBreach. */
export function parseBatch(level: string, payload: Uint8Array): ReceivedBatch {
  const { text, document } = parsePayload(payload)
  const lane = laneOf(document['ln'])
  if (document['v'] !== 1) throw new ContractBreach('v is not 1')
  if (level !== lane && level !== 'b') throw new ContractBreach(`a batch of lane ${lane} on topic ${level}`)
  const member = lane === 't' ? 'd' : 'x'
  const entries = listOf(document[member], member).map((entry) => objectOf(entry, member))
  const content = canonicalJson(entries)
  const id = stringOf(document['id'], 'id')
  const hash = createHash('sha256').update(content, 'utf8').digest('hex').slice(0, 16)
  if (hash !== id) throw new ContractBreach(`id ${id} is not the hash of ${member}, which is ${hash}`)
  if (!text.includes(content)) throw new ContractBreach(`${member} does not travel in canonical form`)
  const samples = numberOf(document['n'], 'n')
  const counted = lane === 't' ? entries.reduce((sum, entry) => sum + countOf(entry), 0) : entries.length
  if (samples !== counted) throw new ContractBreach(`n is ${samples} and there are ${counted}`)
  const t0 = numberOf(document['t0'], 't0')
  return {
    gateway: stringOf(document['gw'], 'gw'),
    epoch: stringOf(document['ep'], 'ep'),
    boot: numberOf(document['bt'], 'bt'),
    lane,
    number: numberOf(document['sq'], 'sq'),
    id,
    t0,
    quality: numberOf(document['tq'], 'tq'),
    cv: numberOf(document['cv'], 'cv'),
    samples,
    statements: lane === 't' ? entries.reduce((sum, entry) => sum + statementsOf(entry), 0) : entries.length,
    entries,
    newestAt: newestOf(lane, entries, t0),
  }
}

export function parseHeartbeat(payload: Uint8Array): ReceivedHeartbeat {
  const { document } = parsePayload(payload)
  const lanes = objectOf(document['ln'], 'ln')
  const lane = (name: Lane): { epoch: string; hi: number; ack: number } => {
    const facts = objectOf(lanes[name], `ln.${name}`)
    const hi = numberOf(facts['hi'], `ln.${name}.hi`)
    const ack = numberOf(facts['ack'], `ln.${name}.ack`)
    if (ack > hi) throw new ContractBreach(`ln.${name}: ack ${ack} is above hi ${hi}`)
    return { epoch: stringOf(facts['ep'], `ln.${name}.ep`), hi, ack }
  }
  return {
    gateway: stringOf(document['gw'], 'gw'),
    boot: numberOf(document['bt'], 'bt'),
    connection: numberOf(document['cn'], 'cn'),
    lanes: { t: lane('t'), a: lane('a'), e: lane('e') },
  }
}

/** Columns of one device: as long as `t`, and its values that are not null. */
function countOf(entry: Json): number {
  const scans = listOf(entry['t'], 't').length
  const columns = Object.entries(objectOf(entry['p'], 'p'))
  const qualities = entry['q'] === undefined ? [] : Object.entries(objectOf(entry['q'], 'q'))
  for (const [point, column] of [...columns, ...qualities]) {
    if (listOf(column, point).length !== scans)
      throw new ContractBreach(`${String(entry['i'])}.${point} is not as long as t`)
  }
  return columns.reduce(
    (sum, [point, column]) => sum + listOf(column, point).filter((value) => value !== null).length,
    0,
  )
}

/** Values, and causes that say why there is none: what the gateway counts as committed samples. */
function statementsOf(entry: Json): number {
  const qualities = entry['q'] === undefined ? {} : objectOf(entry['q'], 'q')
  let count = 0
  for (const [point, column] of Object.entries(objectOf(entry['p'], 'p'))) {
    const causes = qualities[point] === undefined ? [] : listOf(qualities[point], point)
    listOf(column, point).forEach((value, k) => {
      if (value !== null || (causes[k] ?? 0) !== 0) count += 1
    })
  }
  return count
}

function newestOf(lane: Lane, entries: readonly Json[], t0: number): number {
  const times = entries.flatMap((entry) =>
    lane === 't' ? listOf(entry['t'], 't').map((offset) => t0 + numberOf(offset, 't')) : [numberOf(entry['at'], 'at')],
  )
  return times.reduce((newest, time) => Math.max(newest, time), Number.NEGATIVE_INFINITY)
}

function laneOf(value: unknown): Lane {
  if (value === 't' || value === 'a' || value === 'e') return value
  throw new ContractBreach(`ln is ${JSON.stringify(value)}`)
}

function objectOf(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ContractBreach(`${what} is not an object`)
  return value as Json
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new ContractBreach(`${what} is not an array`)
  return value
}

function stringOf(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw new ContractBreach(`${what} is not a text`)
  return value
}

export function numberOf(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw new ContractBreach(`${what} is not a whole number`)
  return value
}
