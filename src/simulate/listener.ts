/** A listening socket on loopback that can be taken away and come back on the same port, as a cable does. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Text } from '../model/point.ts'
import { cannotListen } from '../runtime/listening.ts'

const OTHER: Text = { en: 'free the port, or give another --port-base', zh: '释放端口，或换一个 --port-base' }

export type Served = {
  readonly port: number
  /** Ends all connections; whoever connects is refused until `resume`. */
  readonly pause: () => Promise<void>
  readonly resume: () => Promise<void>
  readonly close: () => Promise<void>
}

/** `port` 0 takes whichever is free. Rejects when the port is taken, saying what to do. */
export async function serveBytes(
  target: { host: string; port: number },
  connected: (socket: Socket) => void,
): Promise<Served> {
  let opened = await listen(target, connected)
  const { port } = opened
  let open = true
  const end = async (): Promise<void> => {
    if (!open) return
    open = false
    await opened.end()
  }
  return {
    port,
    pause: end,
    close: end,
    async resume() {
      if (open) return
      opened = await listen({ host: target.host, port }, connected)
      open = true
    },
  }
}

async function listen(
  { host, port }: { host: string; port: number },
  connected: (socket: Socket) => void,
): Promise<{ port: number; end: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // The other side went away: what it wanted to know is no concern of a device.
    socket.on('error', () => socket.destroy())
    connected(socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(taken(host, port, error)))
    server.listen({ host, port }, resolve)
  })
  const bound = server.address()
  return {
    port: bound !== null && typeof bound === 'object' ? bound.port : port,
    end: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

export function taken(host: string, port: number, error: Error): Error {
  return cannotListen(`${host}:${port}`, error, OTHER)
}

/** A port that is free now. Between this and its use somebody else may take it: ask again then. */
export async function freePort(host: string): Promise<number> {
  const held = await listen({ host, port: 0 }, (socket) => socket.destroy())
  await held.end()
  return held.port
}
