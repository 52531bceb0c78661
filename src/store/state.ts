/**
 * `state.db`: identity, boots, fences, lanes a and e whole, alarm states, cursors. An alarm edge, its state, its item and its number
 * are one commit here. It goes on committing on a full disk: 1 MiB of free pages is kept inside the file, the WAL is as long as it
 * will ever need, and both stay.
 *
 * SQLite deletes the WAL when the last connection closes, and closing cannot be prevented at the end of a process; so the WAL has a
 * second name (`state.db-kept`), under which its blocks are found again at the next start.
 */
import { closeSync, existsSync, linkSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Lane } from '../model/journal.ts'
import type { Range } from './cursor.ts'
import { type Connection, openDatabase, syncDirectory } from './database.ts'
import type { BatchHead, BatchId, BatchNote, DeclaredGap } from './heads.ts'
import { migrate } from './migrations.ts'

const BATCHES = `(number INTEGER PRIMARY KEY, boot INTEGER NOT NULL, cv INTEGER NOT NULL, t0 INTEGER NOT NULL, quality INTEGER NOT NULL, error REAL,
  mono INTEGER, count INTEGER NOT NULL, newest INTEGER NOT NULL, cut_mono REAL NOT NULL, id TEXT NOT NULL, content TEXT NOT NULL) STRICT`

const STEPS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE fence (lane TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE gap (lane TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY (lane, first)) STRICT, WITHOUT ROWID;
   CREATE TABLE cursor (uplink TEXT NOT NULL, lane TEXT NOT NULL, low INTEGER NOT NULL, ranges TEXT NOT NULL, PRIMARY KEY (uplink, lane)) STRICT, WITHOUT ROWID;
   CREATE TABLE batch_a ${BATCHES};
   CREATE TABLE batch_e ${BATCHES};`,
] as const

const SQL = {
  meta: 'SELECT value FROM meta WHERE key = ?',
  putMeta: 'INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)',
  states: 'SELECT key, value FROM state',
  putState: 'INSERT OR REPLACE INTO state (key, value) VALUES (?, ?)',
  dropState: 'DELETE FROM state WHERE key = ?',
  fence: 'SELECT number FROM fence WHERE lane = ?',
  raiseFence: 'INSERT OR REPLACE INTO fence (lane, number) VALUES (?, ?)',
  gaps: 'SELECT lane, first AS "from", last AS "to" FROM gap ORDER BY lane, first',
  putGap: 'INSERT OR REPLACE INTO gap (lane, first, last, why) VALUES (?, ?, ?, ?)',
  dropGaps: 'DELETE FROM gap WHERE lane = ? AND last < ?',
  cursors: 'SELECT uplink, lane, low, ranges FROM cursor',
  putCursor: 'INSERT OR REPLACE INTO cursor (uplink, lane, low, ranges) VALUES (?, ?, ?, ?)',
} as const

function laneSql(lane: 'a' | 'e') {
  return {
    put: `INSERT OR REPLACE INTO batch_${lane} (number, boot, cv, t0, quality, error, mono, count, newest, cut_mono, id, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    next: `SELECT number, boot, cv, t0, quality, error AS errorMs, mono, count, newest AS newestAt, cut_mono AS cutMono, id, content
      FROM batch_${lane} WHERE number > ? ORDER BY number LIMIT 1`,
    notes: `SELECT number, count, newest AS newestAt FROM batch_${lane} ORDER BY number`,
    ids: `SELECT number, count, id FROM batch_${lane} WHERE number > ? AND number <= ? ORDER BY number`,
    // Only from the old end: what is kept stays without holes.
    old: `SELECT coalesce(max(number), 0) FROM batch_${lane}
      WHERE number <= ? AND number < (SELECT coalesce(min(number), 9e15) FROM batch_${lane} WHERE newest >= ?)`,
    prune: `DELETE FROM batch_${lane} WHERE number <= ?`,
  } as const
}

export const FENCE_STEP = 1000
/** Raised as soon as fewer than this are left. */
export const FENCE_LOW = 500

const PAGE = 1024
const RESERVE_PAGES = 1024
/** Twice what a checkpoint waits for. */
const WAL_BYTES_MIN = 800 * PAGE
/** Refilled when a quarter of it went. */
const RESERVE_LOW = 768

export type SavedCursor = {
  readonly uplink: string
  readonly lane: Lane
  readonly low: number
  readonly ranges: readonly Range[]
}

export type ItemBatch = BatchHead & { readonly content: string }

function prepareLane(db: Connection, lane: 'a' | 'e') {
  const sql = laneSql(lane)
  return {
    put: db.prepare(sql.put),
    next: db.prepare<[number], ItemBatch>(sql.next),
    notes: db.prepare<[], { number: number; count: number; newestAt: number }>(sql.notes),
    ids: db.prepare<[number, number], BatchId>(sql.ids),
    old: db.prepare<[number, number], number>(sql.old).pluck(),
    prune: db.prepare(sql.prune),
  }
}

function prepare(db: Connection) {
  return {
    meta: db.prepare<[string], string>(SQL.meta).pluck(),
    putMeta: db.prepare(SQL.putMeta),
    states: db.prepare<[], { key: string; value: string }>(SQL.states),
    putState: db.prepare(SQL.putState),
    dropState: db.prepare(SQL.dropState),
    fence: db.prepare<[Lane], number>(SQL.fence).pluck(),
    raiseFence: db.prepare(SQL.raiseFence),
    gaps: db.prepare<[], DeclaredGap>(SQL.gaps),
    putGap: db.prepare(SQL.putGap),
    dropGaps: db.prepare(SQL.dropGaps),
    cursors: db.prepare<[], { uplink: string; lane: Lane; low: number; ranges: string }>(SQL.cursors),
    putCursor: db.prepare(SQL.putCursor),
    a: prepareLane(db, 'a'),
    e: prepareLane(db, 'e'),
  }
}

export class State {
  readonly #dir: string
  readonly #file: string
  #db: Connection
  #statements: ReturnType<typeof prepare>
  #reserveFailed = false

  constructor(dir: string) {
    this.#dir = dir
    this.#file = join(dir, 'state.db')
    const { db, statements } = this.#connect()
    this.#db = db
    this.#statements = statements
  }

  #connect() {
    bringBackWal(this.#file)
    const db = openDatabase(this.#file, {
      pageSize: PAGE,
      synchronous: 'FULL',
      exclusive: true,
      cacheKiB: 2048,
      // Far below the length of the WAL, so that it never has to grow.
      checkpointPages: 400,
    })
    try {
      migrate(db, this.#file, STEPS)
      const statements = prepare(db)
      this.#reserve(db)
      keepWal(this.#file)
      syncDirectory(this.#dir)
      return { db, statements }
    } catch (error) {
      db.close()
      throw error
    }
  }

  /** After a failed commit: nothing in memory is trusted. */
  reopen(): void {
    this.#db.close()
    const { db, statements } = this.#connect()
    this.#db = db
    this.#statements = statements
  }

  /** Fills the free list and makes the WAL long. On a full disk there may be less than wanted: what is there is used. */
  #reserve(db: Connection): void {
    const free = Number(db.pragma('freelist_count', { simple: true }))
    const walBytes = statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0
    if (free >= RESERVE_LOW && walBytes >= WAL_BYTES_MIN) return
    try {
      db.exec('CREATE TABLE IF NOT EXISTS reserve (filler BLOB)')
      const pages = Math.max(RESERVE_PAGES, free)
      db.prepare('INSERT INTO reserve (filler) VALUES (zeroblob(?))').run(pages * PAGE)
      this.#reserveFailed = false
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.#reserveFailed = true
    } finally {
      db.exec('DROP TABLE IF EXISTS reserve')
    }
  }

  /** false: alarms could not be kept on a disk that gets full now. */
  refillReserve(): boolean {
    this.#reserve(this.#db)
    return !this.#reserveFailed
  }

  /** All or nothing; durable when it returns. */
  commit<T>(body: () => T): T {
    return this.#db.transaction(body).immediate()
  }

  meta(key: string): string | null {
    return this.#statements.meta.get(key) ?? null
  }

  putMeta(key: string, value: string): void {
    this.#statements.putMeta.run(key, value)
  }

  states(): Map<string, string> {
    return new Map(this.#statements.states.all().map(({ key, value }) => [key, value]))
  }

  putState(key: string, value: string | null): void {
    if (value === null) this.#statements.dropState.run(key)
    else this.#statements.putState.run(key, value)
  }

  fence(lane: Lane): number {
    return this.#statements.fence.get(lane) ?? 0
  }

  raiseFence(lane: Lane, number: number): void {
    this.#statements.raiseFence.run(lane, number)
  }

  gaps(): readonly DeclaredGap[] {
    return this.#statements.gaps.all()
  }

  putGap(gap: DeclaredGap, why: string): void {
    this.#statements.putGap.run(gap.lane, gap.from, gap.to, why)
  }

  /** Declared ranges below everything that is kept need not be remembered. */
  dropGapsBelow(lane: Lane, number: number): void {
    this.#statements.dropGaps.run(lane, number)
  }

  cursors(): readonly SavedCursor[] {
    return this.#statements.cursors.all().map(({ uplink, lane, low, ranges }) => {
      const parsed: unknown = JSON.parse(ranges)
      return { uplink, lane, low, ranges: Array.isArray(parsed) ? parsed.filter(isRange) : [] }
    })
  }

  putCursor({ uplink, lane, low, ranges }: SavedCursor): void {
    this.#statements.putCursor.run(uplink, lane, low, JSON.stringify(ranges))
  }

  putBatch(lane: 'a' | 'e', batch: ItemBatch): void {
    this.#statements[lane].put.run(
      batch.number,
      batch.boot,
      batch.cv,
      batch.t0,
      batch.quality,
      batch.errorMs,
      batch.mono,
      batch.count,
      batch.newestAt,
      batch.cutMono,
      batch.id,
      batch.content,
    )
  }

  batchAfter(lane: 'a' | 'e', after: number): ItemBatch | null {
    return this.#statements[lane].next.get(after) ?? null
  }

  /** Batches above `after` and up to `upTo`, ascending. */
  ids(lane: 'a' | 'e', after: number, upTo: number): readonly BatchId[] {
    return this.#statements[lane].ids.all(after, upTo)
  }

  notes(lane: 'a' | 'e'): readonly BatchNote[] {
    return this.#statements[lane].notes.all().map((note) => ({ lane, ...note }))
  }

  /** Up to which number (at most `number`) everything is older than `before`; 0: nothing. */
  oldUpTo(lane: 'a' | 'e', number: number, before: number): number {
    return this.#statements[lane].old.get(number, before) ?? 0
  }

  prune(lane: 'a' | 'e', number: number): void {
    this.#statements[lane].prune.run(number)
  }

  bytes(): number {
    return Number(this.#db.pragma('page_count', { simple: true })) * PAGE
  }

  close(): void {
    this.#db.close()
  }
}

function isRange(value: unknown): value is Range {
  return Array.isArray(value) && value.length === 2 && value.every((number) => Number.isSafeInteger(number))
}

function keepWal(file: string): void {
  const kept = `${file}-kept`
  try {
    rmSync(kept, { force: true })
    linkSync(`${file}-wal`, kept)
  } catch (error) {
    // Some file systems have no links: then a disk that is full at the start needs a few hundred KiB freed first.
    if (!isRefused(error)) throw error
  }
}

/** Only where SQLite took the WAL away: one that is there holds commits. What the kept one holds is in the database already, so its header is cleared. */
function bringBackWal(file: string): void {
  const kept = `${file}-kept`
  if (!existsSync(kept) || existsSync(`${file}-wal`) || statSync(kept).size < 32) return
  const handle = openSync(kept, 'r+')
  try {
    writeSync(handle, new Uint8Array(32), 0, 32, 0)
  } finally {
    closeSync(handle)
  }
  renameSync(kept, `${file}-wal`)
}

function isRefused(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'ENOSPC', 'ENOENT'].includes(String(code))
}
