/**
 * How the store opens SQLite. better-sqlite3 is built so that a WAL database runs synchronous=NORMAL, which forgets acknowledged
 * commits at a power cut: what matters is set, read back and asserted.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'

export type Connection = Database.Database
export const { SqliteError } = Database

export type OpenOptions = {
  readonly pageSize: number
  readonly synchronous: 'FULL' | 'NORMAL'
  /** One connection only, with its index of the WAL in memory: works on a full disk. */
  readonly exclusive: boolean
  readonly cacheKiB: number
  /** Pages in the WAL after which it is copied into the database. */
  readonly checkpointPages: number
}

const SYNCHRONOUS = { NORMAL: 1, FULL: 2 } as const

export function openDatabase(file: string, options: OpenOptions): Connection {
  const db = new Database(file, { timeout: 2000 })
  try {
    db.pragma(`page_size = ${options.pageSize}`)
    if (options.exclusive) db.pragma('locking_mode = EXCLUSIVE')
    db.pragma('journal_mode = WAL')
    db.pragma(`synchronous = ${options.synchronous}`)
    db.pragma(`cache_size = -${options.cacheKiB}`)
    db.pragma('temp_store = MEMORY')
    db.pragma('mmap_size = 0')
    db.pragma('trusted_schema = OFF')
    db.pragma(`wal_autocheckpoint = ${options.checkpointPages}`)
    assertPragma(db, file, 'journal_mode', 'wal')
    assertPragma(db, file, 'synchronous', SYNCHRONOUS[options.synchronous])
  } catch (error) {
    db.close()
    throw error
  }
  return db
}

export function openReadOnly(file: string): Connection {
  const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 2000 })
  db.pragma('cache_size = -512')
  db.pragma('trusted_schema = OFF')
  return db
}

function assertPragma(db: Connection, file: string, name: string, wanted: string | number): void {
  const found: unknown = db.pragma(name, { simple: true })
  if (found !== wanted)
    throw new Error(`${file}: ${name} is ${String(found)}, must be ${wanted}: promises cannot be kept`)
}

/** Makes names in a directory durable: creations, renames, unlinks. */
export function syncDirectory(dir: string): void {
  const handle = openSync(dir, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** `ok`, or what SQLite found wrong. Reads the whole file. */
export function quickCheck(db: Connection): string {
  return String(db.pragma('quick_check(1)', { simple: true }))
}

/** The file itself is damaged (not: the disk is full or refuses). */
export function isCorruption(error: unknown): boolean {
  return error instanceof SqliteError && (error.code.startsWith('SQLITE_CORRUPT') || error.code === 'SQLITE_NOTADB')
}

export function isFull(error: unknown): boolean {
  return error instanceof SqliteError && error.code.startsWith('SQLITE_FULL')
}
