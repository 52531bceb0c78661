/** TCP as a byte pipe: Modbus TCP servers, and transparent serial servers. Half-open peers are found by keepalive and by the bus's own timeouts. */
import { connect, type Socket } from 'node:net'
import { type Ending, ending, type Opening, type Pipe } from './transport.ts'

const CONNECT_TIMEOUT_MS = 3000
const KEEPALIVE_AFTER_MS = 10_000
/** Larger than any frame, small enough to be kept per connection: a chunk is lent, never allocated. */
const CHUNK_BYTES = 4096

/** Connects, or says why not. A peer that takes no connection within the timeout has refused. */
export function openTcp(
  target: { readonly host: string; readonly port: number },
  { signal, timeoutMs = CONNECT_TIMEOUT_MS }: Opening,
): Promise<Pipe | Ending> {
  if (signal.aborted) return Promise.resolve(ending('refused', 'stopped before it was opened'))
  return new Promise((resolve) => {
    let listener: ((chunk: Uint8Array) => void) | null = null
    let lastError: Error | null = null
    const socket = connect({
      host: target.host,
      port: target.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEPALIVE_AFTER_MS,
      // Without it every chunk is a fresh buffer and a walk through the stream machinery: a third of the cost of a small exchange.
      onread: {
        buffer: new Uint8Array(CHUNK_BYTES),
        callback: (count, buffer) => {
          listener?.(buffer.subarray(0, count))
          return true
        },
      },
    })
    const name = `${target.host}:${target.port}`
    const giveUp = (why: string): void => {
      settle()
      socket.destroy()
      resolve(ending('refused', why))
    }
    const abort = (): void => giveUp('stopped while connecting')
    const timer = setTimeout(() => giveUp(`${name} took no connection within ${timeoutMs} ms`), timeoutMs)
    function settle(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
    signal.addEventListener('abort', abort, { once: true })
    // Stays for the life of the socket: 'error' without a listener would be thrown.
    socket.on('error', (error) => {
      lastError = error
      if (socket.connecting || socket.pending) giveUp(error.message)
    })
    socket.once('connect', () => {
      settle()
      resolve(
        pipeOf(socket, {
          listen: (wanted) => {
            listener = wanted
          },
          why: () => lastError?.message ?? `${name} closed the connection`,
        }),
      )
    })
  })
}

function pipeOf(
  socket: Socket,
  { listen, why }: { listen: (listener: (chunk: Uint8Array) => void) => void; why: () => string },
): Pipe {
  let closing = false
  const closed = new Promise<Ending>((resolve) => {
    socket.once('close', () => resolve(ending('closed', closing ? 'closed by the gateway' : why())))
  })
  // A peer that says goodbye is not written to any more: the next exchange belongs on a new connection.
  socket.once('end', () => socket.destroy())
  socket.resume()
  return {
    kind: 'pipe',
    write: (bytes) => {
      if (!socket.destroyed) socket.write(bytes)
    },
    onData: listen,
    closed,
    close: async () => {
      closing = true
      socket.destroy()
      await closed
    },
    retune: () => Promise.resolve(false),
  }
}
