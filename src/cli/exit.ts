/** Exit codes of the command line (its contract), and failures that carry one. */
import type { Language } from '../model/site.ts'
import { groupOf, ROOT_GROUP } from '../runtime/group.ts'
import { Halt, type HaltKind } from '../runtime/halt.ts'
import { say } from './text.ts'

export const EXIT = {
  done: 0,
  /** Warnings only, a refused write, a bad read, a demo with gaps. */
  partly: 1,
  usage: 2,
  noDaemon: 3,
  unreachable: 69,
  bug: 70,
  locked: 73,
  disk: 74,
  permission: 77,
  config: 78,
} as const

/** Said to the user: what happened, where, what to do. Not a bug. */
export class CliError extends Error {
  readonly code: string
  readonly hint: string | null
  readonly exit: number
  /** Of its words, where the daemon chose it; null: the caller's. */
  readonly language: Language | null

  constructor(
    exit: number,
    code: string,
    message: string,
    hint: string | null = null,
    language: Language | null = null,
  ) {
    super(message)
    this.exit = exit
    this.code = code
    this.hint = hint
    this.language = language
  }
}

/** What the daemon's refusal means for a script: a wrong name or argument is wrong usage. */
export function exitOf(code: string): number {
  switch (code) {
    case 'E_ARGS':
    case 'E_UNKNOWN_OP':
    case 'E_NO_DEVICE':
    case 'E_NO_POINT':
    case 'E_NO_ALARM':
    case 'E_TYPE':
    case 'E_RANGE':
    case 'E_TOO_LARGE':
      return EXIT.usage
    case 'E_DENIED':
      return EXIT.permission
    case 'E_BUSY':
    case 'E_TIMEOUT':
      return EXIT.unreachable
    case 'E_DISK':
      return EXIT.disk
    default:
      return EXIT.bug
  }
}

const HALTS: Readonly<Record<HaltKind, { readonly exit: number; readonly code: string }>> = {
  usage: { exit: EXIT.usage, code: 'E_ARGS' },
  unreachable: { exit: EXIT.unreachable, code: 'E_UNREACHABLE' },
  locked: { exit: EXIT.locked, code: 'E_LOCKED' },
  disk: { exit: EXIT.disk, code: 'E_DISK' },
  permission: { exit: EXIT.permission, code: 'E_PERMISSION' },
}

const SYSTEM: readonly (readonly [RegExp, 'permission' | 'disk' | 'unreachable'])[] = [
  [/^(EACCES|EPERM)$/, 'permission'],
  [/^(ENOSPC|EDQUOT|EROFS|EIO|SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB).*)$/, 'disk'],
  // Somebody else listens there, perhaps only until it has stopped.
  [/^(EADDRINUSE|EADDRNOTAVAIL)$/, 'unreachable'],
]

/** A failure that says itself what it is, or that the system or SQLite names; null: none of these. */
export function systemFailure(error: unknown, language: Language): CliError | null {
  if (!(error instanceof Error)) return null
  if (error instanceof Halt) {
    const { exit, code } = HALTS[error.kind]
    return new CliError(exit, code, error.text[language], error.hint?.[language] ?? null)
  }
  const code = 'code' in error ? String(error.code) : ''
  const kind = SYSTEM.find(([pattern]) => pattern.test(code))?.[1]
  switch (kind) {
    case undefined:
      return null
    case 'permission': {
      const path = 'path' in error && typeof error.path === 'string' ? error.path : null
      const message = path === null ? error.message : say(language, 'noPermission', { path })
      return permissionFailure(message, path ?? '/', language)
    }
    case 'disk': {
      const message = say(language, 'diskFailed', { what: error.message })
      return new CliError(EXIT.disk, HALTS.disk.code, message, say(language, 'diskHint'))
    }
    case 'unreachable':
      return new CliError(EXIT.unreachable, HALTS.unreachable.code, error.message)
  }
}

/** Names the group that has what the caller lacks. */
export function permissionFailure(message: string, path: string, language: Language, user?: string): CliError {
  const group = groupOf(path)
  const hint =
    group === ROOT_GROUP
      ? say(language, 'noPermissionRoot')
      : say(language, 'noPermissionHint', { group, user: user ?? '$USER' })
  return new CliError(EXIT.permission, HALTS.permission.code, message, hint)
}
