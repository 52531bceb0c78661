/** Exit codes of the command line (its contract), and failures that carry one. */
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

  constructor(exit: number, code: string, message: string, hint: string | null = null) {
    super(message)
    this.exit = exit
    this.code = code
    this.hint = hint
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

const CODES: Readonly<Record<number, string>> = {
  [EXIT.unreachable]: 'E_UNREACHABLE',
  [EXIT.locked]: 'E_LOCKED',
  [EXIT.disk]: 'E_DISK',
  [EXIT.permission]: 'E_PERMISSION',
  [EXIT.config]: 'E_CONFIG',
}

const SYSTEM: readonly (readonly [RegExp, number])[] = [
  [/^(EACCES|EPERM)$/, EXIT.permission],
  [/^(ENOSPC|EDQUOT|EROFS|EIO|SQLITE_(FULL|IOERR|READONLY|CANTOPEN|CORRUPT|NOTADB).*)$/, EXIT.disk],
  // Somebody else listens there, perhaps only until it has stopped.
  [/^(EADDRINUSE|EADDRNOTAVAIL)$/, EXIT.unreachable],
]

/** A failure that says itself what it is (`exitCode`), or that the system or SQLite names; null: none of these. */
export function systemFailure(error: unknown): CliError | null {
  if (!(error instanceof Error)) return null
  if ('exitCode' in error && typeof error.exitCode === 'number' && error.exitCode in CODES)
    return new CliError(error.exitCode, CODES[error.exitCode] ?? '', error.message)
  const code = 'code' in error ? String(error.code) : ''
  const exit = SYSTEM.find(([pattern]) => pattern.test(code))?.[1]
  return exit === undefined ? null : new CliError(exit, CODES[exit] ?? '', error.message)
}
