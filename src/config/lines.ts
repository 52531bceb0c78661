/** Devices that print lines: which wire, which of the lines on it, and that nobody asks anything on such a wire. */
import type { Bus, DeviceLink, Line } from '../model/site.ts'
import { nearest } from '../derive/nearest.ts'
import type { Model } from '../driver/model.ts'
import { parseLine } from '../driver/units.ts'
import type { Context } from './context.ts'
import type { Resolved } from './devices.ts'
import { type Entry, placeOf } from './expand.ts'

type LinesLink = Extract<DeviceLink, { kind: 'lines' }>

/** null after a finding. */
export function linesLink(
  entry: Entry,
  model: Model,
  buses: ReadonlyMap<string, Bus>,
  context: Context,
): LinesLink | null {
  const { findings } = context
  const { form } = model
  const { bus: name, address } = entry.block
  // Without a form the driver had a finding.
  if (form === null) return null
  if (name === undefined) {
    findings.error(entry.named, 'keyMissing', { device: entry.id, key: 'bus', why: 'bus' })
    return null
  }
  const bus = buses.get(name)
  if (bus === undefined) {
    const known = Object.keys(context.file.buses ?? {})
    if (context.file.buses?.[name] === undefined && !context.pruned.has(`buses.${name}`))
      findings.error(placeOf(entry, ['bus']), 'unknownBus', { bus: name, near: nearest(name, known), known })
    return null
  }
  if (bus.wire.kind === 'modbus-tcp') {
    findings.error(placeOf(entry, ['bus']), 'linesWire', { device: entry.id, wire: bus.wireText })
    return null
  }
  if ((address === undefined) !== (form.id === null)) {
    const at = address === undefined ? entry.named : placeOf(entry, ['address'])
    findings.error(at, 'linesAddress', { device: entry.id, wanted: form.id !== null })
    return null
  }
  const id = address === undefined ? null : String(address)
  return { kind: 'lines', bus: bus.index, id, line: lineOf(entry, model, bus), form }
}

function lineOf(entry: Entry, model: Model, bus: Bus): Line | null {
  const own = entry.block.line === undefined ? null : parseLine(entry.block.line)
  return own ?? bus.line ?? model.line
}

/** What only all devices of a wire together show. */
export function checkLines(resolved: readonly Resolved[], buses: readonly Bus[], { findings }: Context): void {
  for (const bus of buses) {
    const printing = resolved.flatMap(({ device, entry }) =>
      device.link.kind === 'lines' && device.link.bus === bus.index
        ? [{ id: device.id, link: device.link, entry }]
        : [],
    )
    const [first] = printing
    if (first === undefined) continue
    const asked = resolved.find(({ device: { link } }) => link.kind === 'bus' && link.bus === bus.index)
    if (asked !== undefined)
      findings.error(asked.entry.named, 'linesMixed', { device: asked.device.id, other: first.id, bus: bus.id })
    const seen = new Map<string | null, string>()
    for (const { id, link, entry } of printing) {
      if (cuttingOf(link) !== cuttingOf(first.link))
        findings.error(entry.named, 'linesForm', { device: id, other: first.id, bus: bus.id })
      const other = seen.get(link.id) ?? (link.id === null || seen.has(null) ? [...seen.values()][0] : undefined)
      if (other !== undefined && link.id !== null && first.link.id !== null)
        findings.error(placeOf(entry, ['address']), 'addressTwice', {
          device: id,
          other,
          address: link.id,
          bus: bus.id,
        })
      else if (other !== undefined) findings.error(entry.named, 'linesAlone', { device: id, other, bus: bus.id })
      seen.set(link.id, id)
    }
  }
}

/** Bytes are cut into lines before anybody knows whose they are. */
function cuttingOf({ form, line }: LinesLink): string {
  return JSON.stringify([form.delimiter, form.maxBytes, line])
}
