/**
 * Asks the daemon over its Unix socket. HTTP/1.0 by hand on node:net: one request a connection, the body ends with it; loading node:http
 * would cost as much time as everything else a verb does.
 */
import { connect, type Socket } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { Language } from '../model/site.ts'
import { CliError, EXIT, exitOf, permissionFailure } from './exit.ts'
import type { Io } from './io.ts'
import { say } from './text.ts'

/** The daemon answers or refuses within 30 s; then it hangs. */
const SILENCE_MS = 40_000
const HEAD_BYTES_MAX = 64 * 1024

export type Connection = {
  /** Ctrl-C ends the wait for an answer at once: only where nothing hangs on how it ended. Default: it is waited for. */
  readonly hasty?: boolean
  /** Directory of the daemon's data: its socket is in there. */
  readonly data: string
  /** By option or environment; null: the daemon's site decides. */
  readonly asked: Language | null
  /** Of what is said without the daemon. */
  readonly language: Language
  readonly io: Io
}

export type Answer<T> = {
  readonly body: T
  readonly language: Language
  /** The daemon's time (UTC ms) when it began to answer: what ages are counted from. */
  readonly at: number
  /** The site's. */
  readonly timezone: string
}

/** Shapes are the daemon's own (control/shapes.ts), checked there by test; here they are believed. */
export async function ask<T>(connection: Connection, operation: string, input: object = {}): Promise<Answer<T>> {
  const pending = showProgress(connection, operation)
  try {
    const { socket, head, rest } = await send(connection, operation, input)
    const parts = [rest]
    for await (const part of socket) parts.push(part)
    const body = Buffer.concat(parts)
    if (head.length !== null && body.length < head.length) throw broken(connection)
    return { body: JSON.parse(body.toString('utf8')), language: head.language, at: head.at, timezone: head.timezone }
  } finally {
    pending()
  }
}

/** Lines as they come, until the daemon ends them or the user has seen enough. */
export async function* askStream<T>(
  connection: Connection,
  operation: string,
  input: object,
): AsyncGenerator<Answer<T>> {
  const { socket, head, rest } = await send(connection, operation, input)
  socket.setTimeout(0)
  const onInterrupt = (): void => void socket.destroy()
  connection.io.signal.addEventListener('abort', onInterrupt, { once: true })
  try {
    let text = ''
    const decoder = new TextDecoder()
    const lines = (part: Uint8Array): string[] => {
      const whole = (text + decoder.decode(part, { stream: true })).split('\n')
      text = whole.pop() ?? ''
      return whole
    }
    const { language, at, timezone } = head
    for (const line of lines(rest)) yield { body: JSON.parse(line), language, at, timezone }
    for await (const part of socket)
      for (const line of lines(part)) yield { body: JSON.parse(line), language, at, timezone }
  } catch (error) {
    // Destroyed by Ctrl-C: that is how watching ends.
    if (!connection.io.signal.aborted) throw error
  } finally {
    connection.io.signal.removeEventListener('abort', onInterrupt)
    socket.destroy()
  }
  if (!connection.io.signal.aborted) throw broken(connection)
}

type Head = {
  readonly status: number
  readonly length: number | null
  readonly language: Language
  readonly at: number
  readonly timezone: string
}

async function send(
  connection: Connection,
  operation: string,
  input: object,
): Promise<{ socket: Socket; head: Head; rest: Buffer }> {
  const socket = await open(connection)
  const body = JSON.stringify(input)
  const headers = [
    `POST /v1/${operation} HTTP/1.0`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    `gatehouse-caller: ${callerName(connection.io.env)}`,
    ...(connection.asked === null ? [] : [`accept-language: ${connection.asked}`]),
  ]
  socket.write(`${headers.join('\r\n')}\r\n\r\n${body}`)
  const { head, rest } = await readHead(connection, socket)
  if (head.status === 200) return { socket, head, rest }
  const parts = [rest]
  for await (const part of socket) parts.push(part)
  throw refusal(connection, head, Buffer.concat(parts).toString('utf8'))
}

async function open(connection: Connection): Promise<Socket> {
  const path = join(connection.data, 'gatehouse.sock')
  const socket = connect({ path })
  const { signal } = connection.io
  try {
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(interrupted(connection))
      signal.addEventListener('abort', onAbort, { once: true })
      socket.once('connect', () => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      })
      socket.once('error', reject)
    })
  } catch (error) {
    socket.destroy()
    throw error instanceof CliError ? error : notConnected(connection, path, error)
  }
  socket.setTimeout(SILENCE_MS, () => socket.destroy(hanging(connection)))
  if (connection.hasty === true) endOnAbort(socket, signal, interrupted(connection))
  return socket
}

function endOnAbort(socket: Socket, signal: AbortSignal, why: CliError): void {
  const onAbort = (): void => void socket.destroy(why)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', onAbort))
}

function interrupted({ language }: Connection): CliError {
  return new CliError(EXIT.partly, 'E_INTERRUPTED', say(language, 'interrupted'))
}

async function readHead(connection: Connection, socket: Socket): Promise<{ head: Head; rest: Buffer }> {
  let received = Buffer.alloc(0)
  for (;;) {
    const end = received.indexOf('\r\n\r\n')
    if (end >= 0)
      return { head: parseHead(connection, received.toString('latin1', 0, end)), rest: received.subarray(end + 4) }
    if (received.length > HEAD_BYTES_MAX) throw broken(connection)
    received = Buffer.concat([received, await nextPart(connection, socket)])
  }
}

/** Iterating over the socket would close it when the loop is left. */
function nextPart(connection: Connection, socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const clear = (): void => {
      socket.off('readable', onReadable)
      socket.off('end', onEnd)
      socket.off('error', onError)
    }
    const onReadable = (): void => {
      const part: Buffer | null = socket.read()
      if (part === null) return
      clear()
      resolve(part)
    }
    const onEnd = (): void => {
      clear()
      reject(broken(connection))
    }
    const onError = (error: Error): void => {
      clear()
      reject(error instanceof CliError ? error : broken(connection))
    }
    socket.on('readable', onReadable)
    socket.on('end', onEnd)
    socket.on('error', onError)
  })
}

function parseHead(connection: Connection, text: string): Head {
  const [first = '', ...lines] = text.split('\r\n')
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? Number.NaN)
  if (Number.isNaN(status)) throw broken(connection)
  const header = (name: string): string | null =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim() ?? null
  const length = header('content-length')
  const site = header('gatehouse-language')
  return {
    status,
    length: length === null ? null : Number(length),
    at: Number(header('gatehouse-at') ?? Date.now()),
    timezone: header('gatehouse-timezone') ?? 'UTC',
    language: connection.asked ?? (site === 'zh' || site === 'en' ? site : 'en'),
  }
}

function refusal(connection: Connection, head: Head, text: string): CliError {
  try {
    const { error } = JSON.parse(text) as { error: { code: string; message: string; hint: string | null } }
    return new CliError(exitOf(error.code), error.code, error.message, error.hint, head.language)
  } catch (unreadable) {
    const { message } = broken(connection)
    return new CliError(EXIT.bug, 'E_INTERNAL', `${message} (HTTP ${head.status}, ${String(unreadable)})`)
  }
}

function notConnected(connection: Connection, path: string, error: unknown): CliError {
  const { language } = connection
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'EACCES' || code === 'EPERM')
    return permissionFailure(say(language, 'noPermission', { path }), path, language, callerName(connection.io.env))
  if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR')
    return new CliError(
      EXIT.noDaemon,
      'E_NO_DAEMON',
      say(language, 'noDaemon', { data: connection.data }),
      say(language, 'noDaemonHint'),
    )
  if (code === 'EINVAL' || code === 'ENAMETOOLONG' || Buffer.byteLength(path) > 107)
    return new CliError(EXIT.usage, 'E_ARGS', say(language, 'pathTooLong', { path }), say(language, 'optionData'))
  return new CliError(EXIT.unreachable, 'E_TIMEOUT', say(language, 'daemonBroken', { data: connection.data }), code)
}

function hanging({ language, data }: Connection): CliError {
  return new CliError(EXIT.unreachable, 'E_TIMEOUT', say(language, 'daemonHangs', { data }), say(language, 'seeLog'))
}

function broken({ language, data }: Connection): CliError {
  return new CliError(EXIT.unreachable, 'E_TIMEOUT', say(language, 'daemonBroken', { data }), say(language, 'seeLog'))
}

/** Only shown and written down as said: the socket's mode is what is checked. */
export function callerName(env: NodeJS.ProcessEnv): string {
  const sudo = env['SUDO_USER']
  const name = sudo !== undefined && sudo !== '' ? sudo : accountName()
  return name.replaceAll(/[^\w.-]/g, '_').slice(0, 32) || 'unknown'
}

function accountName(): string {
  try {
    return userInfo().username
  } catch (error) {
    // An account without a name in the system's list.
    return error instanceof Error ? `uid-${process.getuid?.() ?? 'unknown'}` : 'unknown'
  }
}

/** What takes longer than a second says so on the terminal. Returns the way to stop. */
function showProgress({ io, language }: Connection, operation: string): () => void {
  if (!io.progress) return () => undefined
  let shown = false
  const timer = setTimeout(() => {
    shown = true
    io.err(`\r${say(language, 'waiting', { operation })}`)
  }, 1000)
  return () => {
    clearTimeout(timer)
    if (shown) io.err('\r\u001b[K')
  }
}
