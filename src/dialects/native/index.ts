/**
 * gatehouse/1, the native dialect (uplink contract, sections 2, 3, 4, 5, 6 and 9). Keys stand in the contract's order; consumers
 * do not depend on it, people reading a capture do.
 */
import type { Batch, ClockReading, Lane } from '../../model/journal.ts'
import type {
  Address,
  Dialect,
  HeartbeatFacts,
  LaneFacts,
  OnlineFacts,
  Presence,
  Topics,
  Watermark,
} from '../dialect.ts'

const LEVELS = ['t', 'b', 'a', 'e', 's', 'h', 'r', 'c', 'k'] as const satisfies readonly (keyof Topics)[]

function topics({ tenant, gateway }: Address): Topics {
  const entries = LEVELS.map((level) => [level, `gh/v1/${tenant}/${gateway}/${level}`] as const)
  return Object.fromEntries(entries) as Record<keyof Topics, string>
}

/**
 * The header is concatenated around the content as the store cut it: parsing and printing it again would cost most of the
 * encoding and could only change the hash.
 */
function encode(batch: Batch, gateway: string): string {
  const member = batch.lane === 't' ? 'd' : 'x'
  const error = batch.errorMs === null ? '' : `,"te":${batch.errorMs}`
  const mono = batch.mono === null ? '' : `,"mo":${batch.mono}`
  return (
    `{"v":1,"gw":${JSON.stringify(gateway)},"ep":${JSON.stringify(batch.epoch)},"bt":${batch.boot},"ln":"${batch.lane}",` +
    `"sq":${batch.number},"id":${JSON.stringify(batch.id)},"t0":${batch.t0},"tq":${batch.quality}${error}${mono},` +
    `"cv":${batch.cv},"n":${batch.count},"${member}":${batch.content}}`
  )
}

function utc(time: ClockReading): number {
  return Math.round(time.mono + time.offsetMs)
}

function online(facts: OnlineFacts): string {
  return JSON.stringify({
    v: 1,
    gw: facts.gateway,
    on: true,
    cn: facts.connection,
    bt: facts.boot,
    at: utc(facts.time),
    tq: facts.time.quality,
    cv: facts.cv,
    sha: facts.sha,
    nc: facts.nonce,
    version: facts.version,
  })
}

function offline(presence: Presence, why: 'will' | 'stop'): string {
  return JSON.stringify({ v: 1, gw: presence.gateway, on: false, cn: presence.connection, bt: presence.boot, why })
}

function lane(facts: LaneFacts): Readonly<Record<string, unknown>> {
  return { ep: facts.epoch, hi: facts.hi, ack: facts.ack, lo: facts.lo, kept: facts.kept }
}

/** Per mille is all that a share can be believed, and a heartbeat goes over metered lines. */
function rounded(share: number | null): number | null {
  return share === null ? null : Math.round(share * 1000) / 1000
}

function heartbeat(facts: HeartbeatFacts): string {
  return JSON.stringify({
    v: 1,
    gw: facts.gateway,
    bt: facts.boot,
    cn: facts.connection,
    at: utc(facts.time),
    tq: facts.time.quality,
    mo: Math.round(facts.time.mono),
    ln: { t: lane(facts.lanes.t), a: lane(facts.lanes.a), e: lane(facts.lanes.e) },
    bl: { n: facts.backlog.batches, oldest: facts.backlog.oldestAt },
    cpu: rounded(facts.cpu),
    disk: rounded(facts.disk),
  })
}

function isLane(value: unknown): value is Lane {
  return value === 't' || value === 'a' || value === 'e'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

function watermark(text: string): Watermark | null {
  const document = parse(text)
  if (typeof document !== 'object' || document === null) return null
  const { v, ep, ln, upTo } = document as Readonly<Record<string, unknown>>
  if (v !== 1 || typeof ep !== 'string' || !isLane(ln)) return null
  if (typeof upTo !== 'number' || !Number.isSafeInteger(upTo) || upTo < 0) return null
  return { epoch: ep, lane: ln, upTo }
}

export const native: Dialect = {
  name: 'native',
  contentType: 'application/vnd.gatehouse.batch+json',
  topics,
  encode,
  online,
  offline,
  heartbeat,
  watermark,
}
