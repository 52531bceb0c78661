/** The site file, for verbs that can do without one. */
import { join } from 'node:path'
import { checkSite } from '../../config/check.ts'
import type { Site } from '../../model/site.ts'
import { ROOT } from '../../runtime/root.ts'
import { CliError } from '../exit.ts'
import { findConfig, type Session } from '../session.ts'

/** null: there is none, or it is not sound; `check` says why. One that was named with -c must be there. */
export function loadQuietly(session: Session): Site | null {
  const file = configOf(session)
  return file === null ? null : checkSite(file, { libraries: [join(ROOT, 'drivers')] }).site
}

export function configOf(session: Session): string | null {
  try {
    return findConfig(session)
  } catch (error) {
    if (error instanceof CliError && session.config === null) return null
    throw error
  }
}
