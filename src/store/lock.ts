/**
 * One daemon per data directory: an exclusive SQLite transaction on `gatehouse.lock`. The kernel frees it however the process ends,
 * so there is no stale lock to clean up.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/** Another daemon uses the directory: exit code 73. */
export class LockedError extends Error {
  readonly exitCode = 73
  constructor(dir: string) {
    super(`${dir} is in use by another gatehouse: stop that one first, or give this one a data directory of its own`)
    this.name = 'LockedError'
  }
}

export type Lock = { readonly close: () => void }

/** Takes the lock at once or throws a LockedError; creates the directory if it is not there. */
export function takeLock(dir: string): Lock {
  mkdirSync(dir, { recursive: true, mode: 0o750 })
  const db = new Database(join(dir, 'gatehouse.lock'), { timeout: 0 })
  try {
    // Nothing is ever written into it, so this works on a full disk too.
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) throw new LockedError(dir)
    throw error
  }
  return { close: () => db.close() }
}
