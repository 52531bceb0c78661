/** Buses: what their wires are, and that no wire has two masters. */
import type { Bus, Wire } from '../model/site.ts'
import { isReserved } from '../driver/model.ts'
import { parseLine } from '../driver/units.ts'
import type { Context } from './context.ts'

const MODBUS_PORT = 502
/** Numbered as they are found. */
const UNSTABLE_PORT = /^\/dev\/tty(USB|ACM)\d+$/

/** null: no wire. `com`: a name that only Windows knows. */
export function parseWire(text: string): Wire | 'com' | null {
  if (/^COM\d+$/i.test(text)) return 'com'
  if (text.startsWith('/')) return /^\/[^\0]*[^/\0]$/.test(text) ? { kind: 'serial', path: text } : null
  const [, scheme, rest] = /^(modbus-tcp|tcp):\/\/([^/?#@\s]+)$/.exec(text) ?? []
  if (scheme === undefined || rest === undefined) return null
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(rest) ?? []
  const host = bracketed ?? plain
  if (host === undefined) return null
  const port = digits === undefined ? null : Number(digits)
  if (port !== null && (port < 1 || port > 65_535)) return null
  if (scheme === 'modbus-tcp') return { kind: 'modbus-tcp', host, port: port ?? MODBUS_PORT }
  // A serial server has no usual port: makers differ.
  return port === null ? null : { kind: 'tcp', host, port }
}

export function resolveBuses({ file, document, findings }: Context): readonly Bus[] {
  const buses: Bus[] = []
  const owners = new Map<string, string>()
  for (const [id, block] of Object.entries(file.buses ?? {})) {
    const path = ['buses', id]
    if (isReserved(id)) findings.error(document.keyAt(path), 'celWord', { id })
    const wire = parseWire(block.wire)
    const at = document.at([...path, 'wire'])
    if (wire === null || wire === 'com') {
      findings.error(at, wire === 'com' ? 'comPort' : 'badWire', { wire: block.wire })
      continue
    }
    if (wire.kind === 'serial' && UNSTABLE_PORT.test(wire.path)) findings.warn(at, 'portUnstable', { wire: block.wire })
    const owner = owners.get(wireKey(wire))
    if (owner !== undefined) findings.error(at, 'wireTwice', { bus: id, other: owner })
    owners.set(wireKey(wire), id)
    if (block.line !== undefined && wire.kind === 'modbus-tcp')
      findings.error(document.at([...path, 'line']), 'lineOnTcp', { where: `bus ${id}` })
    const inFlight = block.inFlight ?? 1
    if (inFlight > 1 && wire.kind !== 'modbus-tcp') findings.error(document.at([...path, 'inFlight']), 'inFlight', {})
    const line = block.line === undefined ? null : parseLine(block.line)
    const setTime = block.setTime === undefined ? {} : { setTime: block.setTime }
    buses.push({ index: buses.length, id, wireText: block.wire, wire, line, inFlight, ...setTime })
  }
  return buses
}

function wireKey(wire: Wire): string {
  return wire.kind === 'serial' ? wire.path : `${wire.host.toLowerCase()}:${wire.port}`
}
