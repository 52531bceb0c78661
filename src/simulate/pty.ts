/**
 * A serial port that is none: socat joins a pseudo terminal to a loopback socket on which the line answers. Should socat end, it
 * is started again, under the same name.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants, type FileHandle, open } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { Halt } from '../runtime/halt.ts'

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

/** Ready when `path` can be opened. Rejects when there is no socat, saying how to get it; `failed` hears when it could not be started again. */
export async function openPty(path: string, port: number, failed: (error: unknown) => void): Promise<Pty> {
  let child: ChildProcess | null = null
  /** The far end hangs up when the last one closes the port: whoever changes parity closes it and opens it again. So one stays. */
  let kept: FileHandle | null = null
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
        if (wanted) restart = setTimeout(() => void begin().catch(failed), RESTART_MS)
      })
    })
  const begin = async (): Promise<void> => {
    await release()
    await start()
    const handle = await appearance(path, () => wanted)
    if (wanted) kept = handle
    else await handle?.close()
  }
  const release = async (): Promise<void> => {
    const handle = kept
    kept = null
    await handle?.close()
  }
  const stop = async (): Promise<void> => {
    wanted = false
    if (restart !== null) clearTimeout(restart)
    const running = child
    if (running !== null && running.exitCode === null) {
      const gone = new Promise<void>((resolve) => running.once('exit', () => resolve()))
      running.kill('SIGTERM')
      await gone
    }
    await release()
  }
  const resume = async (): Promise<void> => {
    wanted = true
    await begin()
  }
  await resume()
  return { pause: stop, resume, close: stop }
}

/** Opens it as soon as it is there; null: nobody wants it any more. */
async function appearance(path: string, wanted: () => boolean): Promise<FileHandle | null> {
  const tries = APPEAR_MS / LOOK_EVERY_MS
  for (let n = 0; n < tries && wanted(); n++) {
    const handle = await opened(path)
    if (handle !== null) return handle
    await wait(LOOK_EVERY_MS)
  }
  if (!wanted()) return null
  throw new Halt({
    kind: 'unreachable',
    text: {
      en: `socat made no ${path} within ${APPEAR_MS} ms`,
      zh: `socat 在 ${APPEAR_MS} 毫秒内没有建立 ${path}`,
    },
    hint: { en: 'is its folder there and writable?', zh: '检查其目录是否存在、可写' },
  })
}

/** Not there yet, or the name still leads to the one before. */
const ABSENT = new Set(['ENOENT', 'EIO', 'ENXIO'])

async function opened(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT.has(String(error.code))) return null
    throw error
  }
}

function missing(error: Error): Halt {
  return new Halt({
    kind: 'unreachable',
    text: {
      en: `a serial bus is simulated by socat, which cannot be started (${error.message})`,
      zh: `串口总线由 socat 模拟，但它无法启动（${error.message}）`,
    },
    hint: { en: 'apt install socat', zh: '安装：apt install socat' },
  })
}
