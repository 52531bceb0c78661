/**
 * The door on this machine: HTTP over the Unix socket `gatehouse.sock` in the data directory. POST /v1/<operation> with a JSON body
 * answers 200 and JSON, a stream answers lines of JSON, what is wrong with the request answers 4xx or 5xx and {"error":{code,message,hint}}.
 * Who may connect is decided by the file: mode 0660. Every bound has its refusal: connections, streams, size, time.
 */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmod, lstat, unlink } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Role } from '../model/point.ts'
import type { Language } from '../model/site.ts'
import { Halt } from '../runtime/halt.ts'
import type { Log } from '../runtime/log.ts'
import type { CallContext, Caller, GatewayView } from './context.ts'
import { type Operation, OperationError } from './operation.ts'
import { OPERATIONS } from './operations.ts'

/** In the data directory. */
export const SOCKET_NAME = 'gatehouse.sock'

const BODY_BYTES_MAX = 64 * 1024
/** sun_path holds 108 bytes, the last one zero. */
const PATH_BYTES_MAX = 107
const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, engineer: 2, admin: 3 }

export type ControlLimits = {
  /** What only reads is given up after this long; what changes something is answered by then, done or not. */
  readonly answerMs: number
  readonly requestMs: number
  readonly connectionsMax: number
  readonly streamsMax: number
}
const LIMITS: ControlLimits = { answerMs: 30_000, requestMs: 10_000, connectionsMax: 64, streamsMax: 16 }

export type ControlSocket = { readonly path: string; readonly close: () => Promise<void> }

/**
 * Opens the socket. Call it only while holding the lock of the data directory: a socket that stands there is then a leftover and goes.
 * Throws when the path is too long or something else than a socket stands there.
 */
export async function openControlSocket(options: {
  path: string
  view: GatewayView
  log: Log
  limits?: Partial<ControlLimits>
}): Promise<ControlSocket> {
  const { path, view, log } = options
  const limits = { ...LIMITS, ...options.limits }
  if (Buffer.byteLength(path) > PATH_BYTES_MAX)
    throw new Halt({
      kind: 'usage',
      text: {
        en: `${path}: a socket's path holds at most ${PATH_BYTES_MAX} bytes`,
        zh: `${path}：套接字路径最长 ${PATH_BYTES_MAX} 字节`,
      },
      hint: { en: 'choose a data directory with a shorter name: -d DIR', zh: '用 -d 指定路径较短的数据目录' },
    })
  await removeStale(path)
  const room: Room = { view, log, limits, streams: 0 }
  const server = createServer((request, response) => {
    // Whatever goes wrong in here was answered or has nobody left to hear it: it must not end the process.
    serve(room, request, response).catch((error: unknown) => {
      log.error({ err: error, url: request.url }, 'control request failed')
      response.destroy()
    })
  })
  server.maxConnections = limits.connectionsMax
  server.requestTimeout = limits.requestMs
  server.headersTimeout = limits.requestMs
  server.listen(path)
  await once(server, 'listening')
  // Until here only the owner could connect (write permission is what counts), whatever the umask.
  await chmod(path, 0o660)
  return { path, close: () => closeServer(server) }
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (found === null) return
  if (!found.isSocket())
    throw new Halt({
      kind: 'usage',
      text: { en: `${path} is not a socket`, zh: `${path} 不是套接字` },
      hint: {
        en: 'move it away: the control socket belongs there; or choose another data directory with -d DIR',
        zh: '将其移走：此处应为控制套接字；或用 -d 指定其他数据目录',
      },
    })
  await unlink(path)
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
}

type Room = { readonly view: GatewayView; readonly log: Log; readonly limits: ControlLimits; streams: number }

async function serve(room: Room, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { language, timezone } = room.view.site()
  const accepted = request.headers['accept-language']
  const asked: Language = accepted === undefined ? (language ?? 'en') : accepted.startsWith('zh') ? 'zh' : 'en'
  // The caller may not know which language the site speaks; it is told with every answer.
  if (language !== null) response.setHeader('gatehouse-language', language)
  response.setHeader('gatehouse-timezone', timezone)
  // Ages are counted from our clock, not the caller's.
  response.setHeader('gatehouse-at', String(room.view.clock.utc()))
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const caller: Caller = { name: callerName(request), role: 'engineer', language: asked }
  try {
    const operation = findOperation(request, caller)
    const input = await readBody(request)
    if (operation.kind === 'stream') await serveStream(room, operation, input, caller, gone.signal, response)
    else sendJson(response, 200, await serveAnswer(room, operation, input, caller, gone.signal))
  } catch (error) {
    if (gone.signal.aborted) return
    const known = error instanceof OperationError ? error : bug(room.log, error)
    sendJson(response, known.httpStatus, {
      error: { code: known.code, message: known.text[asked], hint: known.hint?.[asked] ?? null },
    })
  }
}

function bug(log: Log, error: unknown): OperationError {
  const reference = randomUUID().slice(0, 8)
  log.error({ err: error, reference }, 'bug in an operation')
  return new OperationError(
    'E_INTERNAL',
    { en: `a bug in the gateway (${reference})`, zh: `网关内部错误（${reference}）` },
    { en: `its log has the details under ${reference}`, zh: `详情见日志中的 ${reference}` },
  )
}

/** Said by the caller and only shown: letters that can do no harm in a log or a topic. */
function callerName(request: IncomingMessage): string {
  const said = request.headers['gatehouse-caller']
  return typeof said === 'string' && /^[\w.-]{1,32}$/.test(said) ? said : 'unknown'
}

function findOperation(request: IncomingMessage, caller: Caller): Operation {
  const name = request.method === 'POST' ? /^\/v1\/([a-z_]{1,32})$/.exec(request.url ?? '')?.[1] : undefined
  const operation = OPERATIONS.find((candidate) => candidate.name === name)
  if (operation === undefined)
    throw new OperationError(
      'E_UNKNOWN_OP',
      { en: 'this gateway knows no such operation', zh: '网关没有这个操作' },
      {
        en: 'POST /v1/<operation>; is the command newer than the daemon?',
        zh: 'POST /v1/<操作名>；命令行是否比守护进程新？',
      },
    )
  if (RANK[caller.role] < RANK[operation.role])
    throw new OperationError('E_DENIED', {
      en: `${operation.name} needs the role ${operation.role}`,
      zh: `${operation.name} 需要角色 ${operation.role}`,
    })
  return operation
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of request) {
    const piece: Buffer = part
    bytes += piece.length
    if (bytes > BODY_BYTES_MAX)
      throw new OperationError('E_TOO_LARGE', {
        en: `a request holds at most ${BODY_BYTES_MAX} bytes`,
        zh: `请求最多 ${BODY_BYTES_MAX} 字节`,
      })
    parts.push(piece)
  }
  if (bytes === 0) return {}
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'))
  } catch (error) {
    throw new OperationError('E_ARGS', {
      en: `the request is not JSON: ${error instanceof Error ? error.message : String(error)}`,
      zh: '请求不是 JSON',
    })
  }
}

async function serveAnswer(
  room: Room,
  operation: Operation & { kind: 'answer' },
  input: unknown,
  caller: Caller,
  gone: AbortSignal,
): Promise<unknown> {
  const limit = AbortSignal.timeout(room.limits.answerMs)
  // A caller who hangs up ends what only reads; what was begun in the field is brought to its end.
  const signal = operation.mutates ? limit : AbortSignal.any([limit, gone])
  const context: CallContext = { view: room.view, log: room.log, caller, signal }
  const answer = operation.mutates
    ? answerAudited(context, operation, input)
    : Promise.resolve(operation.answer(context, input))
  return firstOf(answer, limit, operation)
}

/** Written down before it runs, its outcome before the reply. */
async function answerAudited(
  context: CallContext,
  operation: Operation & { kind: 'answer' },
  input: unknown,
): Promise<unknown> {
  const { view, log, caller } = context
  const parsed = operation.input.safeParse(input)
  // Not audited: nothing could run. The operation itself says what is wrong with it.
  if (!parsed.success) return operation.answer(context, input)
  const id = randomUUID()
  const asked: Readonly<Record<string, unknown>> = { ...(parsed.data as object) }
  const entry = { id, operation: operation.name, by: `cli:${caller.name}`, input: asked }
  log.info({ operation: operation.name, by: entry.by, said: true, role: caller.role, input: asked }, 'asked to change')
  try {
    await view.audit({ ...entry, phase: 'begun', outcome: null })
  } catch (error) {
    log.error({ err: error, operation: operation.name }, 'not done: it could not be written down')
    throw new OperationError(
      'E_DISK',
      { en: 'not done: it could not be written down first', zh: '未执行：无法先记录到磁盘' },
      { en: 'see `gatehouse status`: the disk does not take anything', zh: '用 gatehouse status 查看：磁盘无法写入' },
    )
  }
  const end = async (outcome: string): Promise<void> => {
    log.info({ operation: operation.name, by: entry.by, outcome }, 'change ended')
    try {
      await view.audit({ ...entry, phase: 'ended', outcome })
    } catch (error) {
      // It happened in the field all the same: the caller must hear of it.
      log.error({ err: error, operation: operation.name, outcome }, 'the outcome could not be written down')
    }
  }
  try {
    const answer = await operation.answer(context, input)
    await end(outcomeOf(answer))
    return answer
  } catch (error) {
    await end(error instanceof OperationError ? error.code : 'E_INTERNAL')
    throw error
  }
}

function outcomeOf(answer: unknown): string {
  if (typeof answer === 'object' && answer !== null && 'outcome' in answer) return String(answer.outcome)
  return 'done'
}

/** The answer, or E_TIMEOUT at the limit; an answer that comes after it is heard by nobody but the log. */
async function firstOf(answer: Promise<unknown>, limit: AbortSignal, operation: Operation): Promise<unknown> {
  let onLimit: () => void = () => undefined
  const late = new Promise<never>((_, reject) => {
    onLimit = () =>
      reject(
        new OperationError(
          'E_TIMEOUT',
          { en: `${operation.name} took too long`, zh: `${operation.name} 超时` },
          operation.mutates
            ? {
                en: 'whether it was done is not known: look before you repeat it',
                zh: '是否已执行未知：重试之前请先查看',
              }
            : { en: '`gatehouse status` shows what is slow', zh: '用 gatehouse status 查看哪里变慢' },
        ),
      )
    limit.addEventListener('abort', onLimit, { once: true })
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    limit.removeEventListener('abort', onLimit)
  }
}

async function serveStream(
  room: Room,
  operation: Operation & { kind: 'stream' },
  input: unknown,
  caller: Caller,
  signal: AbortSignal,
  response: ServerResponse,
): Promise<void> {
  if (room.streams >= room.limits.streamsMax)
    throw new OperationError('E_BUSY', {
      en: `${room.limits.streamsMax} watchers are there already`,
      zh: `已有 ${room.limits.streamsMax} 个监视连接`,
    })
  room.streams += 1
  try {
    const lines = operation.stream({ view: room.view, log: room.log, caller, signal }, input)
    response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
    response.flushHeaders()
    for await (const group of lines) {
      const text = group.map((line) => `${JSON.stringify(line)}\n`).join('')
      // A slow reader makes us wait here, and its points wait with their newest sample only.
      if (!response.write(text)) await once(response, 'drain', { signal })
    }
    response.end()
  } finally {
    room.streams -= 1
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
