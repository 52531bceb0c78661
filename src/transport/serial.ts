/**
 * A serial port as a byte pipe. The path is used as it is: a by-path name, a link to a pty, anything the kernel opens.
 * The port is locked, so that a second program (or a second bus) is told instead of garbling both.
 */
import type { SerialPort } from 'serialport'
import type { Line } from '../model/site.ts'
import { type Ending, ending, type Opening, type Pipe } from './transport.ts'

const PARITY = { N: 'none', E: 'even', O: 'odd' } as const satisfies Record<Line['parity'], string>
const OPEN_TIMEOUT_MS = 3000

/** Opens the port with this line setting, or says why not (no such file, locked by another, no permission). */
export async function openSerial(
  path: string,
  line: Line,
  { signal, timeoutMs = OPEN_TIMEOUT_MS }: Opening,
): Promise<Pipe | Ending> {
  // Loaded on demand: its native part costs start-up time that a site without serial ports need not pay.
  const { SerialPort } = await import('serialport')
  if (signal.aborted) return ending('refused', 'stopped before it was opened')
  // A port object is good for one life: after a loss a fresh one is built.
  const port = new SerialPort({
    path,
    baudRate: line.baud,
    dataBits: line.dataBits,
    parity: PARITY[line.parity],
    stopBits: line.stopBits,
    lock: true,
    autoOpen: false,
  })
  const failure = await opened(port, signal, timeoutMs)
  return failure === null ? pipeOf(port, line) : ending('refused', failure)
}

/** Why it did not open, or null. */
function opened(port: SerialPort, signal: AbortSignal, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    let given = false
    const answer = (failure: string | null): void => {
      if (given) return
      given = true
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      resolve(failure)
    }
    const abort = (): void => answer('stopped while opening')
    const timer = setTimeout(() => answer(`${port.path} did not open within ${timeoutMs} ms`), timeoutMs)
    signal.addEventListener('abort', abort, { once: true })
    port.open((error) => {
      // Opened after we gave up: nobody will ever use it, and its lock would keep us out.
      if (given && error === null) port.close()
      answer(error === null ? null : error.message)
    })
  })
}

function pipeOf(port: SerialPort, line: Line): Pipe {
  let current = line
  let closing = false
  let lastError: Error | null = null
  let listener: ((chunk: Uint8Array) => void) | null = null
  port.on('error', (error: Error) => {
    lastError = error
  })
  // Always reading: a port without a reader does not notice that its adapter is gone.
  port.on('data', (chunk: Buffer) => listener?.(chunk))
  const closed = new Promise<Ending>((resolve) => {
    port.once('close', (error: Error | null | undefined) => {
      const why = closing ? 'closed by the gateway' : (error?.message ?? lastError?.message ?? `${port.path} closed`)
      resolve(ending('closed', why))
    })
  })
  return {
    kind: 'pipe',
    write: (bytes) => {
      if (port.isOpen) port.write(bytes)
    },
    onData: (wanted) => {
      listener = wanted
    },
    closed,
    close: async () => {
      closing = true
      if (port.isOpen) port.close()
      await closed
    },
    // Only the speed can be changed in place; parity, data and stop bits need a fresh port.
    retune: (wanted) => {
      const sameForm =
        wanted.dataBits === current.dataBits && wanted.parity === current.parity && wanted.stopBits === current.stopBits
      if (!sameForm) return Promise.resolve(false)
      return new Promise((resolve) => {
        port.update({ baudRate: wanted.baud }, (error) => {
          if (error === null) current = wanted
          resolve(error === null)
        })
      })
    },
  }
}
