/** Where a verb writes, and what kind of screen that is. Given as a value, so that tests can look at it. */
import { createInterface } from 'node:readline/promises'
import { EXIT } from './exit.ts'

export type Io = {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Columns of the terminal; infinite where the output is piped. */
  readonly width: number
  readonly color: boolean
  /** stderr is a terminal: progress may be shown there. */
  readonly progress: boolean
  readonly env: NodeJS.ProcessEnv
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** Asks for one line; undefined: the input has ended. Left out: nobody sits there. */
  readonly question?: (prompt: string) => Promise<string | undefined>
}

/** A reader that has seen enough (`| head`) closes the pipe: that ends us quietly. */
export function processIo(): Io {
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  process.once('SIGTERM', () => interrupted.abort())
  const { stdout, stderr, env } = process
  const ended = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
    // A full disk behind `> file`: what is there is not whole, and a script must not take it for that.
    process.stderr.write(`gatehouse: ${error.message}\n`)
    process.exit(EXIT.disk)
  }
  stdout.on('error', ended)
  stderr.on('error', ended)
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    width: stdout.isTTY ? Math.max(40, stdout.columns || 80) : Number.POSITIVE_INFINITY,
    color: stdout.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    progress: stderr.isTTY,
    env,
    signal: interrupted.signal,
    ...(process.stdin.isTTY && stdout.isTTY ? { question: (prompt) => askLine(prompt, interrupted.signal) } : {}),
  }
}

async function askLine(prompt: string, signal: AbortSignal): Promise<string | undefined> {
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  try {
    // Ctrl-C and Ctrl-D both end the asking.
    const ended = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)))
    return await Promise.race([lines.question(prompt, { signal }), ended])
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return undefined
    throw error
  } finally {
    lines.close()
  }
}

/** What nobody caught is a bug: said, and exit 70. */
export function endOnBug(): void {
  const end = (error: unknown): void => {
    process.stderr.write(`gatehouse: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exit(EXIT.bug)
  }
  process.on('uncaughtException', end)
}
