/**
 * Compiled code is kept between calls: a verb then starts in half the time. What lies in the directory is run, so it must be the
 * user's own and writable by nobody else. Without such a place everything works, only slower.
 */
import { lstatSync, mkdirSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

export function enableCache(env: NodeJS.ProcessEnv = process.env): string | null {
  const uid = process.getuid?.() ?? 0
  const xdg = env['XDG_CACHE_HOME']
  const places = [
    ...(xdg === undefined || xdg === '' ? [] : [join(xdg, 'gatehouse')]),
    join(homedir(), '.cache', 'gatehouse'),
    join(tmpdir(), `gatehouse-${uid}`),
  ]
  const place = places.find((directory) => isOwn(directory, uid))
  if (place === undefined) return null
  enableCompileCache(place)
  return place
}

function isOwn(directory: string, uid: number): boolean {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    // In a shared directory somebody else may have been there first.
    const found = lstatSync(directory)
    return found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0
  } catch (error) {
    // Read-only, full or not ours: then not there.
    if (error instanceof Error) return false
    throw error
  }
}
