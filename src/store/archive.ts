/**
 * `history.db`: per point and hour one blob of raw reports and one of minutes, per point and day one of hours. Keys are
 * period << 20 | point in an ordinary rowid table, so writing is appending. It may lag or be lost: it is rebuilt from segments.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { packChunk, unpackChunk } from './chunk.ts'
import { type Connection, isCorruption, openDatabase } from './database.ts'
import { migrate } from './migrations.ts'
import { type PackedSamples, SamplePacker } from './packed.ts'
import { type Bucket, coarsen, HOUR_MS, merge, packBuckets, unpackBuckets } from './rollup.ts'

const STEPS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE point (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
   CREATE TABLE raw (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
   CREATE TABLE minute (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
   CREATE TABLE hour (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;`,
] as const

export type Table = 'raw' | 'minute' | 'hour'

const SQL = {
  meta: 'SELECT value FROM meta WHERE key = ?',
  putMeta: 'INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)',
  points: 'SELECT n, id FROM point',
  putPoint: 'INSERT INTO point (n, id) VALUES (?, ?)',
} as const

function tableSql(table: Table) {
  return {
    get: `SELECT body FROM ${table} WHERE key = ?`,
    put: `INSERT OR REPLACE INTO ${table} (key, body) VALUES (?, ?)`,
    first: `SELECT min(key) FROM ${table}`,
    last: `SELECT max(key) FROM ${table}`,
    drop: `DELETE FROM ${table} WHERE key < ?`,
  } as const
}

const PAGE = 4096
const POINT_SPAN = 2 ** 20
const ONE_POINT = { device: [0], slot: [0], at: [[0]] }
const DEFLATE_FROM = 256
export const DAY_HOURS = 24

function prepareTable(db: Connection, table: Table) {
  const sql = tableSql(table)
  return {
    get: db.prepare<[number], Uint8Array>(sql.get).pluck(),
    put: db.prepare(sql.put),
    first: db.prepare<[], number | null>(sql.first).pluck(),
    last: db.prepare<[], number | null>(sql.last).pluck(),
    drop: db.prepare(sql.drop),
  }
}

function connect(file: string) {
  const db = openDatabase(file, {
    pageSize: PAGE,
    synchronous: 'NORMAL',
    exclusive: false,
    cacheKiB: 2048,
    checkpointPages: 500,
  })
  try {
    migrate(db, file, STEPS)
    return {
      db,
      meta: db.prepare<[string], string>(SQL.meta).pluck(),
      putMeta: db.prepare(SQL.putMeta),
      putPoint: db.prepare(SQL.putPoint),
      points: db.prepare<[], { n: number; id: string }>(SQL.points),
      raw: prepareTable(db, 'raw'),
      minute: prepareTable(db, 'minute'),
      hour: prepareTable(db, 'hour'),
    }
  } catch (error) {
    db.close()
    throw error
  }
}

export class Archive {
  readonly #open: ReturnType<typeof connect>
  readonly #numbers: Map<string, number>

  constructor(dir: string, say: (message: string) => void) {
    const file = join(dir, 'history.db')
    this.#open = reconnect(file, say)
    this.#numbers = new Map(this.#open.points.all().map(({ n, id }) => [id, n]))
  }

  meta(key: string): string | null {
    return this.#open.meta.get(key) ?? null
  }

  putMeta(key: string, value: string): void {
    this.#open.putMeta.run(key, value)
  }

  /** Several writes in one go. */
  together(body: () => void): void {
    this.#open.db.transaction(body).immediate()
  }

  /** null: nothing was ever stored of it. */
  numberOf(id: string): number | null {
    return this.#numbers.get(id) ?? null
  }

  enter(id: string): number {
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    const n = this.#numbers.size
    if (n >= POINT_SPAN) throw new RangeError(`history knows ${n} points already: delete history.db to begin anew`)
    this.#open.putPoint.run(n, id)
    this.#numbers.set(id, n)
    return n
  }

  /** Raw reports of an hour; `mono` is UTC ms. */
  raw(hour: number, point: number): PackedSamples | null {
    const body = this.#open.raw.get.get(key(hour, point))
    if (body === undefined) return null
    const packer = new SamplePacker()
    unpackChunk(inflate(body), ONE_POINT, hour * HOUR_MS, packer)
    return packer.take()
  }

  putRaw(hour: number, point: number, samples: PackedSamples): void {
    const packed = packChunk({ samples, from: 0, to: samples.count }, ONE_POINT, hour * HOUR_MS)
    this.#open.raw.put.run(key(hour, point), deflate(packed))
  }

  minutes(hour: number, point: number): readonly Bucket[] {
    const body = this.#open.minute.get.get(key(hour, point))
    return body === undefined ? [] : unpackBuckets(inflate(body), hour * 60)
  }

  hours(day: number, point: number): readonly Bucket[] {
    const body = this.#open.hour.get.get(key(day, point))
    return body === undefined ? [] : unpackBuckets(inflate(body), day * DAY_HOURS)
  }

  /** Adds minutes of one hour to what is there, and brings its day's row up to date. */
  addMinutes(hour: number, point: number, added: readonly Bucket[], meet: (a: Bucket, b: Bucket) => Bucket): void {
    const minutes = merge(this.minutes(hour, point), added, meet)
    this.#open.minute.put.run(key(hour, point), deflate(packBuckets(minutes, hour * 60)))
    const day = Math.floor(hour / DAY_HOURS)
    const whole = coarsen(minutes, () => hour)
    const hours = merge(this.hours(day, point), whole, (_, now) => now)
    this.#open.hour.put.run(key(day, point), deflate(packBuckets(hours, day * DAY_HOURS)))
  }

  /** The oldest period there is, null: none. */
  firstPeriod(table: Table): number | null {
    const first = this.#open[table].first.get() ?? null
    return first === null ? null : Math.floor(first / POINT_SPAN)
  }

  lastPeriod(table: Table): number | null {
    const last = this.#open[table].last.get() ?? null
    return last === null ? null : Math.floor(last / POINT_SPAN)
  }

  dropBefore(table: Table, period: number): void {
    this.#open[table].drop.run(key(period, 0))
  }

  /** In use; freed pages are used again. */
  bytes(): number {
    const pages = Number(this.#open.db.pragma('page_count', { simple: true }))
    return (pages - Number(this.#open.db.pragma('freelist_count', { simple: true }))) * PAGE
  }

  close(): void {
    this.#open.db.close()
  }
}

function key(period: number, point: number): number {
  return period * POINT_SPAN + point
}

/** A damaged history is begun anew: segments have what is recent, and it promises nothing. */
function reconnect(file: string, say: (message: string) => void): ReturnType<typeof connect> {
  try {
    return connect(file)
  } catch (error) {
    if (!isCorruption(error)) throw error
    say(`${file} is damaged and is begun anew: ${String(error)}`)
    for (const part of ['', '-wal', '-shm']) rmSync(`${file}${part}`, { force: true })
    return connect(file)
  }
}

function deflate(packed: Uint8Array): Uint8Array {
  const deflated = packed.length > DEFLATE_FROM ? deflateRawSync(packed, { level: 1 }) : packed
  const pays = deflated.length < packed.length * 0.95
  const body = pays ? deflated : packed
  const out = new Uint8Array(body.length + 1)
  out[0] = pays ? 1 : 0
  out.set(body, 1)
  return out
}

function inflate(body: Uint8Array): Uint8Array {
  return body[0] === 1 ? inflateRawSync(body.subarray(1)) : body.subarray(1)
}
