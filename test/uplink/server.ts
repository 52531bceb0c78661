/**
 * A broker of a few lines for what a well-behaved broker never does: it understands CONNECT, PUBLISH, PINGREQ and DISCONNECT of
 * MQTT 3.1.1 and 5 and answers as its script says.
 */
import { createServer, type Socket } from 'node:net'
import { createServer as createSecureServer, type TlsOptions } from 'node:tls'

export type Published = {
  readonly topic: string
  readonly payload: Buffer
  readonly id: number
  readonly qos: number
  readonly retain: boolean
  /** Counts the connections, from 1. */
  readonly connection: number
}
export type Connect = { readonly version: number; readonly connection: number; readonly raw: Buffer }

export type Script = {
  /** Bytes to answer a CONNECT with; null: silence; 'close': hang up. Default: accepted. */
  readonly connect?: (connect: Connect, socket: Socket) => Buffer | null | 'close'
  /** Reason code of the PUBACK; null: none; 'close': hang up. Default 0. */
  readonly publish?: (message: Published, socket: Socket) => number | null | 'close'
  /** false: PINGREQ gets no answer. */
  readonly pings?: boolean
}

export type FakeServer = {
  readonly url: string
  readonly port: number
  readonly connects: Connect[]
  readonly messages: Published[]
  /** Reasons of DISCONNECT packets that came. */
  readonly goodbyes: () => number
  readonly close: () => Promise<void>
}

export function connack(version: number, code: number, properties: Buffer = Buffer.alloc(0)): Buffer {
  return version === 5
    ? Buffer.from([0x20, 3 + properties.length, 0, code, properties.length, ...properties])
    : Buffer.from([0x20, 2, 0, code])
}

export function receiveMaximum(count: number): Buffer {
  return Buffer.from([0x21, count >> 8, count & 0xff])
}

function takePacket(
  buffer: Buffer,
): { readonly type: number; readonly flags: number; readonly body: Buffer; readonly rest: Buffer } | null {
  let length = 0
  for (let index = 1; index < Math.min(buffer.length, 5); index++) {
    const byte = buffer[index]!
    length += (byte & 0x7f) << (7 * (index - 1))
    if ((byte & 0x80) === 0) {
      const start = index + 1
      if (buffer.length < start + length) return null
      const body = buffer.subarray(start, start + length)
      return { type: buffer[0]! >> 4, flags: buffer[0]! & 0x0f, body, rest: buffer.subarray(start + length) }
    }
  }
  return null
}

export async function openServer(script: Script = {}, tls: TlsOptions | null = null): Promise<FakeServer> {
  const connects: Connect[] = []
  const messages: Published[] = []
  const sockets = new Set<Socket>()
  let goodbyes = 0

  function serve(socket: Socket): void {
    const connection = { number: 0, version: 4 }
    let received: Buffer = Buffer.alloc(0)
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      for (let packet = takePacket(received); packet !== null; packet = takePacket(received)) {
        received = packet.rest
        answer(packet.type, packet.flags, packet.body)
      }
    })

    function answer(type: number, flags: number, body: Buffer): void {
      if (type === 1) {
        connection.version = body[6]!
        connection.number = connects.length + 1
        const connect = { version: connection.version, connection: connection.number, raw: Buffer.from(body) }
        connects.push(connect)
        const reply = script.connect === undefined ? connack(connection.version, 0) : script.connect(connect, socket)
        if (reply === 'close') socket.end()
        else if (reply !== null) socket.write(reply)
      } else if (type === 3) publish(flags, body)
      else if (type === 12 && script.pings !== false) socket.write(Buffer.from([0xd0, 0]))
      else if (type === 14) goodbyes += 1
    }

    function publish(flags: number, body: Buffer): void {
      const qos = (flags >> 1) & 3
      const topicEnd = 2 + body.readUInt16BE(0)
      let offset = topicEnd
      const id = qos === 0 ? 0 : body.readUInt16BE(offset)
      if (qos > 0) offset += 2
      if (connection.version === 5) offset += 1 + body[offset]!
      const message: Published = {
        topic: body.subarray(2, topicEnd).toString(),
        payload: Buffer.from(body.subarray(offset)),
        id,
        qos,
        retain: (flags & 1) === 1,
        connection: connection.number,
      }
      messages.push(message)
      if (qos === 0) return
      const code = script.publish === undefined ? 0 : script.publish(message, socket)
      if (code === 'close') socket.end()
      else if (code !== null) socket.write(puback(connection.version, id, code))
    }
  }

  const server = tls === null ? createServer(serve) : createSecureServer(tls, serve)
  server.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `${tls === null ? 'mqtt' : 'mqtts'}://127.0.0.1:${address.port}`,
    port: address.port,
    connects,
    messages,
    goodbyes: () => goodbyes,
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

export function puback(version: number, id: number, code: number): Buffer {
  const head = [id >> 8, id & 0xff]
  return version === 5 ? Buffer.from([0x40, 4, ...head, code, 0]) : Buffer.from([0x40, 2, ...head])
}
