/** Who may use a file: the group to join. */
import { readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

const PACKAGED = 'gatehouse'
/** Nobody joins it: who wants in becomes root. */
export const ROOT_GROUP = 'root'

/** The group of the file, or of the nearest directory above it that can be looked at. */
export function groupOf(path: string): string {
  for (let at = path; ; at = dirname(at)) {
    try {
      const { gid } = statSync(at)
      const line = readFileSync('/etc/group', 'utf8')
        .split('\n')
        .find((each) => each.split(':')[2] === String(gid))
      return line?.split(':')[0] ?? `gid ${gid}`
    } catch (error) {
      // Not even the directory above may be looked at: the packaged name is the best guess there is.
      if (at === dirname(at)) return error instanceof Error ? PACKAGED : String(error)
    }
  }
}
