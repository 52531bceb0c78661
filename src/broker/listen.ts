/** Listeners of the local broker: MQTT over TCP, TLS, WebSocket. Each hands over streams and says where they come from. */
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { createServer as createTcp, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTls, TLSSocket, type TlsOptions } from 'node:tls'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { Text } from '../model/point.ts'
import type { BrokerListener, BrokerSettings } from '../model/site.ts'
import { PAYLOAD_MAX } from '../protocols/payload/payload.ts'
import { cannotListen } from '../runtime/listening.ts'
import type { Origin } from './access.ts'
import { LOGIN_MS_MAX } from './guard.ts'

/** Sockets of one listener; more are turned away by the kernel's side of the server. */
const SOCKETS_MAX = 512
const OTHER: Text = {
  en: 'stop it, or name another port in broker.listen of the site file',
  zh: '停止占用者，或在配置文件的 broker.listen 中换一个端口',
}

export type Listening = {
  readonly kind: BrokerListener['kind']
  readonly host: string
  /** The bound port, also where 0 was asked for. */
  readonly port: number
  readonly close: () => Promise<void>
}

/** Opened means listening. Throws with the address when the port is taken or TLS has no certificate. */
export async function openListener(
  listener: BrokerListener,
  tls: BrokerSettings['tls'],
  accept: (stream: Duplex, origin: Origin) => void,
  /** After it listens: out of file descriptors, for one. */
  failed: (error: Error) => void,
): Promise<Listening> {
  const sockets = new Set<Socket>()
  const server = serverFor(listener, tls, accept)
  server.maxConnections = SOCKETS_MAX
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  // A peer that fails its handshake is gone already; it is no fact about us.
  server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    const refuse = (error: Error): void => {
      const where = `${listener.kind}://${listener.host}:${listener.port}`
      reject(cannotListen(where, error, OTHER))
    }
    server.once('error', refuse)
    server.listen(listener.port, listener.host, () => {
      server.off('error', refuse)
      server.on('error', failed)
      resolve()
    })
  })
  const bound = server.address()
  return {
    kind: listener.kind,
    host: listener.host,
    port: typeof bound === 'object' && bound !== null ? bound.port : listener.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function serverFor(
  listener: BrokerListener,
  tls: BrokerSettings['tls'],
  accept: (stream: Duplex, origin: Origin) => void,
): Server {
  const loopback = isLoopback(listener.host)
  const take = (stream: Duplex, socket: Socket): void => accept(stream, originOf(socket, loopback))
  switch (listener.kind) {
    case 'mqtt':
      return createTcp({ noDelay: true }, (socket) => take(socket, socket))
    case 'mqtts':
      return createTls(secured(listener, tls), (socket) => take(socket, socket))
    case 'ws':
      return overWebSocket(createHttp(refusePages), take)
    case 'wss':
      return overWebSocket(createHttps(secured(listener, tls), refusePages), take)
  }
}

function secured(listener: BrokerListener, tls: BrokerSettings['tls']): TlsOptions {
  if (tls === null) throw new Error(`broker: ${listener.kind}:// needs \`tls: {cert, key}\``)
  return {
    cert: tls.cert,
    key: tls.key,
    minVersion: 'TLSv1.2',
    handshakeTimeout: LOGIN_MS_MAX,
    ...(tls.ca === null ? {} : { ca: tls.ca, requestCert: true }),
  }
}

function overWebSocket(
  server: ReturnType<typeof createHttp> | ReturnType<typeof createHttps>,
  take: (stream: Duplex, socket: Socket) => void,
): Server {
  const sockets = new WebSocketServer({
    server,
    maxPayload: 2 * PAYLOAD_MAX,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has('mqtt') ? 'mqtt' : false),
  })
  server.headersTimeout = LOGIN_MS_MAX
  server.requestTimeout = LOGIN_MS_MAX
  // The library repeats the server's errors here; they are dealt with there.
  sockets.on('error', () => undefined)
  sockets.on('connection', (socket, request) => take(createWebSocketStream(socket), request.socket))
  return server
}

function refusePages(
  _request: unknown,
  response: { writeHead: (status: number) => { end: (text: string) => void } },
): void {
  response.writeHead(426).end('MQTT over WebSocket only\n')
}

function originOf(socket: Socket, loopback: boolean): Origin {
  const trusted = socket instanceof TLSSocket && socket.authorized
  const name = trusted ? socket.getPeerCertificate().subject?.CN : undefined
  return { address: socket.remoteAddress ?? '', loopback, certificate: typeof name === 'string' ? name : null }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}
