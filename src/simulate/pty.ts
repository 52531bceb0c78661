/**
 * A serial port that is none: socat joins a pseudo terminal to a loopback socket on which the line answers. socat ends when
 * whoever had the port open closes it, and is then started again, under the same name.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { lstat } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'

const APPEAR_MS = 5000
const LOOK_EVERY_MS = 10
/** Between two starts, so that a socat that cannot run does not keep a processor busy. */
const RESTART_MS = 50

export type Pty = {
  /** Pulls the port out: the name is gone. */
  readonly pause: () => Promise<void>
  readonly resume: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Ready when `path` exists. Rejects when there is no socat, saying how to get it; `failed` hears when it could not be started again. */
export async function openPty(path: string, port: number, failed: (error: unknown) => void): Promise<Pty> {
  let child: ChildProcess | null = null
  let wanted = true
  let restart: NodeJS.Timeout | null = null

  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const started = spawn('socat', [`PTY,link=${path},raw,echo=0`, `TCP:127.0.0.1:${port}`], { stdio: 'ignore' })
      child = started
      started.once('error', (error) => reject(missing(error)))
      started.once('spawn', () => resolve())
      started.once('exit', () => {
        if (child === started) child = null
        if (wanted) restart = setTimeout(() => void start().catch(failed), RESTART_MS)
      })
    })
  const stop = async (): Promise<void> => {
    wanted = false
    if (restart !== null) clearTimeout(restart)
    const running = child
    if (running === null || running.exitCode !== null) return
    const gone = new Promise<void>((resolve) => running.once('exit', () => resolve()))
    running.kill('SIGTERM')
    await gone
  }
  const resume = async (): Promise<void> => {
    wanted = true
    await start()
    await appearance(path)
  }
  await resume()
  return { pause: stop, resume, close: stop }
}

async function appearance(path: string): Promise<void> {
  const tries = APPEAR_MS / LOOK_EVERY_MS
  for (let n = 0; n < tries; n++) {
    if (await exists(path)) return
    await wait(LOOK_EVERY_MS)
  }
  throw new Error(`socat made no ${path} within ${APPEAR_MS} ms: is its folder there and writable?`)
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}

function missing(error: Error): Error {
  return new Error(
    `a serial bus is simulated by socat, which cannot be started (${error.message}): apt install socat`,
    {
      cause: error,
    },
  )
}
