/**
 * What systemd is told: ready, stopping, one line of status, and that we are alive, the last only while the gateway is healthy.
 * Node has no datagram sockets of this kind, so libc's sendto is called through koffi: the message then carries our own pid, as
 * `NotifyAccess=main` wants. Where koffi cannot be loaded, `systemd-notify` is started instead; as another process it is only
 * believed with `NotifyAccess=all` (or when the daemon runs as root).
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Log } from '../runtime/log.ts'
import { repeat } from '../runtime/timer.ts'

/** Sends one message; rejects when it cannot be sent. */
export type Notify = (message: string) => Promise<void>

export type Watchdog = {
  /** Call when the gateway does its work; from then on the watchdog is fed. */
  readonly ready: () => Promise<void>
  readonly stopping: () => Promise<void>
  /** One line for `systemctl status`. */
  readonly status: (line: string) => Promise<void>
  readonly close: () => void
}

const SILENT: Watchdog = {
  ready: async () => undefined,
  stopping: async () => undefined,
  status: async () => undefined,
  close: () => undefined,
}

/**
 * Without NOTIFY_SOCKET (not started by systemd) everything is a no-op. `health` is asked WATCHDOG_USEC / 3 apart; while it says
 * false nothing is sent, and systemd ends the process when the time is up.
 */
export async function openWatchdog(options: {
  health: () => boolean
  log: Log
  env?: NodeJS.ProcessEnv
  notify?: Notify
}): Promise<Watchdog> {
  const env = options.env ?? process.env
  const socket = env['NOTIFY_SOCKET']
  if (socket === undefined || socket === '') return SILENT
  const send = options.notify ?? (await openNotify(socket, options.log))
  const everyMs = feedingInterval(env)
  let feeding: { close: () => void } | null = null
  let sick = false

  // A message that is lost must not end the daemon: systemd asks again by ending it, which is its decision to make.
  async function say(message: string): Promise<void> {
    try {
      await send(message)
    } catch (error) {
      options.log.warn({ err: error, message }, 'systemd was not told')
    }
  }

  function feed(): void {
    const healthy = options.health()
    if (healthy !== !sick)
      options.log.warn({ healthy }, healthy ? 'watchdog fed again' : 'watchdog not fed: not healthy')
    sick = !healthy
    if (healthy) void say('WATCHDOG=1')
  }

  return {
    async ready() {
      await say('READY=1')
      if (everyMs !== null && feeding === null) feeding = repeat(everyMs, feed)
    },
    stopping: () => say('STOPPING=1'),
    // One message is one set of lines: a line break in here would be another assignment.
    status: (line) => say(`STATUS=${line.replaceAll(/[\r\n]+/g, ' ')}`),
    close() {
      feeding?.close()
      feeding = null
    },
  }
}

/** A third of what systemd grants; null when it does not watch us, or watches another process. */
export function feedingInterval(env: NodeJS.ProcessEnv): number | null {
  const grantedUs = Number(env['WATCHDOG_USEC'] ?? Number.NaN)
  if (!Number.isFinite(grantedUs) || grantedUs <= 0) return null
  const pid = env['WATCHDOG_PID']
  if (pid !== undefined && Number(pid) !== process.pid) return null
  return Math.max(1, Math.floor(grantedUs / 3000))
}

async function openNotify(socket: string, log: Log): Promise<Notify> {
  try {
    return await openSendto(socket)
  } catch (error) {
    log.warn(
      { err: error },
      'koffi cannot be used: telling systemd through systemd-notify, which needs NotifyAccess=all',
    )
    return notifyByCommand(socket)
  }
}

const AF_UNIX = 1
const SOCK_DGRAM = 2
const SOCK_CLOEXEC = 0o2000000
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000

/** struct sockaddr_un: family in host order (little endian on all we run on), then the path; a leading @ is a zero byte. */
export function socketAddress(socket: string): Uint8Array {
  const path = Buffer.from(socket)
  if (!socket.startsWith('/') && !socket.startsWith('@')) throw new Error(`NOTIFY_SOCKET=${socket} is of no known kind`)
  if (path.length > 107) throw new Error(`NOTIFY_SOCKET=${socket} is too long`)
  const abstract = socket.startsWith('@')
  const address = Buffer.alloc(2 + path.length + (abstract ? 0 : 1))
  address.writeUInt16LE(AF_UNIX, 0)
  path.copy(address, 2)
  if (abstract) address[2] = 0
  return address
}

async function openSendto(socket: string): Promise<Notify> {
  const address = socketAddress(socket)
  const { default: koffi } = await import('koffi')
  const libc = koffi.load('libc.so.6')
  const open = libc.func('int socket(int, int, int)')
  // koffi knows no ssize_t; a long is as wide.
  const sendto = libc.func('long sendto(int, const void *, size_t, int, const void *, uint32_t)')
  const close = libc.func('int close(int)')
  return async (message) => {
    const fd: unknown = open(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
    if (typeof fd !== 'number' || fd < 0) throw new Error(`socket() failed with errno ${koffi.errno()}`)
    try {
      const bytes = Buffer.from(message)
      const sent: unknown = sendto(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length)
      if (Number(sent) !== bytes.length) throw new Error(`sendto() failed with errno ${koffi.errno()}`)
    } finally {
      close(fd)
    }
  }
}

function notifyByCommand(socket: string): Notify {
  const run = promisify(execFile)
  return async (message) => {
    await run('systemd-notify', [`--pid=${process.pid}`, message], {
      env: { ...process.env, NOTIFY_SOCKET: socket },
      timeout: 5000,
    })
  }
}
