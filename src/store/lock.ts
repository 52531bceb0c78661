/**
 * One daemon per data directory: an exclusive SQLite transaction on `gatehouse.lock`. The kernel frees it however the process ends,
 * so there is no stale lock to clean up.
 */
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { Halt } from '../runtime/halt.ts'
import { openFolder } from './folder.ts'

export type Lock = { readonly close: () => void }

/** Takes the lock at once, or throws a Halt of kind `locked`; creates the directory if it is not there. */
export function takeLock(dir: string): Lock {
  openFolder(dir)
  const db = new Database(join(dir, 'gatehouse.lock'), { timeout: 0 })
  try {
    // Nothing is ever written into it, so this works on a full disk too.
    db.pragma('journal_mode = MEMORY')
    db.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (error instanceof Database.SqliteError && error.code.startsWith('SQLITE_BUSY')) throw locked(dir)
    throw error
  }
  return { close: () => db.close() }
}

function locked(dir: string): Halt {
  return new Halt({
    kind: 'locked',
    text: { en: `${dir} is in use by another gatehouse`, zh: `${dir} 正被另一个 gatehouse 使用` },
    hint: {
      en: 'stop that one first (systemctl stop gatehouse), or give this one a data directory of its own: -d DIR',
      zh: '先停止它（systemctl stop gatehouse），或用 -d 为本进程指定其他数据目录',
    },
  })
}
