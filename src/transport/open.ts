/** Which pipe a wire of the site file gets. */
import type { Line, Wire } from '../model/site.ts'
import { openSerial } from './serial.ts'
import { openTcp } from './tcp.ts'
import type { Ending, Opening, Pipe } from './transport.ts'

export type OpenPipe = (wire: Wire, line: Line, opening: Opening) => Promise<Pipe | Ending>

/** `line` matters to serial ports only; the setting of a serial server's line is in the server. */
export const openPipe: OpenPipe = (wire, line, opening) =>
  wire.kind === 'serial' ? openSerial(wire.path, line, opening) : openTcp(wire, opening)
