/** How a device is reached: bus and address, topic, or the points that it is made of. */
import type { Address, Bus, DeviceLink, Line } from '../model/site.ts'
import { nearest } from '../derive/nearest.ts'
import { builtIn } from '../driver/codec.ts'
import type { Model } from '../driver/model.ts'
import { lineText, parseLine } from '../driver/units.ts'
import type { Protocol } from '../protocols/protocol.ts'
import type { Position } from '../driver/finding.ts'
import type { Context } from './context.ts'
import { type Entry, placeOf } from './expand.ts'
import { linesLink } from './lines.ts'

/** Digits of addresses whose leading zeros count. */
const DIGITS: Readonly<Record<string, number>> = { dlt645: 12, cjt188: 14 }

/** What holds for all devices of a site while they are linked one by one. */
export type Linking = {
  readonly buses: ReadonlyMap<string, Bus>
  /** `bus address` to the device that has it. */
  readonly taken: Map<string, string>
  /** Topic to the devices that are heard there. */
  readonly topics: Map<string, { readonly id: string; readonly model: Model }[]>
  /** Bus to the line setting that its first device asked for, on serial servers that name none. */
  readonly fixed: Map<string, Line>
}

const KEYS = ['bus', 'address', 'line', 'topic', 'inputs'] as const
const ON_BUS = ['bus', 'address', 'line'] as const
const USED: Readonly<Record<string, readonly (typeof KEYS)[number][]>> = {
  modbus: ON_BUS,
  dlt645: ON_BUS,
  cjt188: ON_BUS,
  mbus: ON_BUS,
  textline: ON_BUS,
  mqtt: ['topic'],
  composed: ['inputs'],
}

/** null after a finding. */
export function linkOf(entry: Entry, model: Model, linking: Linking, context: Context): DeviceLink | null {
  const protocol = model.data.protocol ?? ''
  const { findings } = context
  for (const key of KEYS)
    if (entry.block[key] !== undefined && USED[protocol]?.includes(key) !== true)
      findings.error(placeOf(entry, [key]), 'keyUnfit', { device: entry.id, key, driver: entry.driver })
  if (protocol === 'mqtt') return topicLink(entry, model, linking, context)
  if (protocol === 'composed') return { kind: 'composed' }
  if (protocol === 'textline') return linesLink(entry, model, linking.buses, context)
  const spoken = builtIn(protocol)
  if (spoken !== null) return busLink(entry, { model, protocol: spoken }, linking, context)
  const named = context.document.at(['devices', entry.family ?? entry.id, 'driver'])
  findings.error(named, 'driverLater', { driver: entry.driver, protocol })
  return null
}

/** The key was there, and has a finding already. */
function wasPruned(entry: Entry, key: string, { pruned }: Context): boolean {
  const bases = entry.family === null ? [entry.id] : [entry.family, `${entry.family}.each.${entry.id}`]
  return bases.some((base) => pruned.has(`devices.${base}.${key}`))
}

function topicLink(entry: Entry, model: Model, { topics }: Linking, context: Context): DeviceLink | null {
  const { file, findings } = context
  const { topic } = entry.block
  if (topic === undefined) {
    if (!wasPruned(entry, 'topic', context))
      findings.error(entry.named, 'keyMissing', { device: entry.id, key: 'topic', why: 'topic' })
    return null
  }
  if (file.broker === undefined && !context.pruned.has('broker'))
    findings.error(placeOf(entry, ['topic']), 'brokerMissing', { device: entry.id })
  // One publisher may be several devices, each with its driver or its params; devices alike in all would be one counted twice.
  const heard = topics.get(topic) ?? []
  const twin = heard.find((other) => other.model === model)
  if (twin !== undefined)
    findings.error(placeOf(entry, ['topic']), 'topicTwice', { device: entry.id, other: twin.id, topic })
  topics.set(topic, [...heard, { id: entry.id, model }])
  return { kind: 'topic', topic, codec: model.data.payload ?? '' }
}

type Spoken = { readonly model: Model; readonly protocol: Protocol }

function busLink(entry: Entry, { model, protocol }: Spoken, linking: Linking, context: Context): DeviceLink | null {
  const { findings } = context
  const { bus: name, address } = entry.block
  for (const key of ['bus', 'address'] as const)
    if (entry.block[key] === undefined && !wasPruned(entry, key, context))
      findings.error(entry.named, 'keyMissing', { device: entry.id, key, why: 'bus' })
  if (name === undefined || address === undefined) return null
  const bus = linking.buses.get(name)
  if (bus === undefined) {
    // A bus that has an error of its own is not unknown.
    if (
      context.file.buses?.[name] === undefined &&
      !context.pruned.has('buses') &&
      !context.pruned.has(`buses.${name}`)
    ) {
      const known = Object.keys(context.file.buses ?? {})
      findings.error(placeOf(entry, ['bus']), 'unknownBus', { bus: name, near: nearest(name, known), known })
    }
    return null
  }
  if (protocol.framing(bus.wire.kind) === null) {
    const wire = bus.wireText
    findings.error(placeOf(entry, ['bus']), 'protocolWire', { device: entry.id, protocol: protocol.name, wire })
    return null
  }
  const found = addressOf(entry, address, { protocol, bus }, context)
  if (found === null) return null
  // Numbers of different protocols never meet, though they share the wire.
  const key = `${name} ${protocol.name} ${found}`
  const other = linking.taken.get(key)
  if (other !== undefined)
    findings.error(placeOf(entry, ['address']), 'addressTwice', {
      device: entry.id,
      other,
      address: String(found),
      bus: name,
    })
  else linking.taken.set(key, entry.id)
  const line = lineOf(entry, { model, protocol }, bus, linking, context)
  const { limits } = model
  const link = { kind: 'bus', bus: bus.index, protocol: protocol.name, address: found, line, limits } as const
  return model.data.modbus?.ascii === true ? { ...link, ascii: true } : link
}

type Spot = { readonly protocol: Protocol; readonly bus: Bus }

function addressOf(entry: Entry, address: number | string, { protocol, bus }: Spot, context: Context): Address | null {
  const { findings, document } = context
  const at = placeOf(entry, ['address'])
  const written = String(address).trim()
  const own = entry.layers[0]
  const source = own?.document === document ? document.written([...own.base, 'address']) : null
  if (source !== null && /^\d+(\.\d+)?E\+?\d+$/i.test(source)) {
    findings.error(at, 'addressRuined', { column: 'address', written: source })
    return null
  }
  if (protocol.name === 'modbus') return unitOf(written, { at, bus }, context)
  const digits = DIGITS[protocol.name]
  if (typeof address === 'number' && digits !== undefined) {
    // Of `0x1234` and of what a number cannot hold, the digits are in the file alone.
    const exact = Number.isSafeInteger(address) && !/^0[xo]/i.test(source ?? '')
    const known = exact ? String(address) : (source ?? '').replace(/^0[xo]/i, '')
    const quoted = /^\d+$/.test(known) && known.length <= digits ? known.padStart(digits, '0') : '…'
    findings.error(at, 'addressNumber', { written: exact ? written : (source ?? written), quoted })
    return null
  }
  const found = protocol.address(address)
  if ('address' in found) return found.address
  findings.error(at, 'addressUnfit', { why: found })
  return null
}

function unitOf(
  written: string,
  { at, bus }: { readonly at: Position; readonly bus: Bus },
  { findings }: Context,
): number | null {
  const unit = /^\d{1,3}$/.test(written) ? Number(written) : Number.NaN
  if (unit === 0) findings.error(at, 'addressBroadcast', {})
  else if (unit >= 248 && unit <= 255 && bus.wire.kind === 'modbus-tcp') {
    findings.warn(at, 'addressReserved', { written })
    return unit
  } else if (unit >= 1 && unit <= 247) return unit
  else findings.error(at, 'addressBad', { written })
  return null
}

/** Device over bus over driver. A serial server's line is fixed: a device that asks for another cannot be heard. */
function lineOf(
  entry: Entry,
  { model, protocol }: Spoken,
  bus: Bus,
  linking: Linking,
  { findings }: Context,
): Line | null {
  const own = entry.block.line === undefined ? null : parseLine(entry.block.line)
  if (bus.wire.kind === 'modbus-tcp') {
    if (own !== null) findings.error(placeOf(entry, ['line']), 'lineOnTcp', { where: entry.id })
    return null
  }
  const wanted = own ?? bus.line ?? model.line ?? (protocol.name === 'modbus' ? null : protocol.line)
  if (bus.wire.kind === 'serial' || wanted === null) return wanted
  const fixed = bus.line ?? linking.fixed.get(bus.id) ?? wanted
  linking.fixed.set(bus.id, fixed)
  if (lineText(fixed) !== lineText(wanted))
    findings.error(own === null ? entry.named : placeOf(entry, ['line']), 'lineFixed', {
      device: entry.id,
      line: lineText(wanted),
      bus: bus.id,
      fixed: lineText(fixed),
    })
  return fixed
}
