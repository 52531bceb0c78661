/** Everything that is known of a point at this moment, and one question to the field: what `explain-judge.ts` judges. */
import type { Doubt, Fault } from '../model/fault.ts'
import type { Point, Value } from '../model/point.ts'
import type { Sample } from '../model/sample.ts'
import type { Bus, Device, Site } from '../model/site.ts'
import type { Stranger } from '../bus/overhear.ts'
import { inspectPort } from '../transport/ports.ts'
import type { GatewayView } from './context.ts'
import {
  type PortEvidence,
  type BusEvidence,
  type DeviceEvidence,
  type Evidence,
  isUp,
  type Neighbour,
  type Said,
  type Trial,
} from './explain-evidence.ts'
import { otherReadings } from './interpret.ts'
import { isNumberEncoding, encodingOf } from '../protocols/modbus/encoding.ts'
import { lineText } from '../driver/units.ts'
import { placeText } from './place.ts'
import { editionOf } from './reason.ts'
import { type Overheard, tryPoint } from './trial.ts'
import { type BusDevice, framingFor, isOnBus } from './wirebook.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
/** Other masters that are named. */
const STRANGERS_MAX = 2

export type Gathered = { readonly evidence: Evidence; readonly asked: readonly Overheard[] }

/** Asks the field once where there is a wire that is up. */
export async function gather(view: GatewayView, point: Point, signal: AbortSignal): Promise<Gathered> {
  const site = view.site()
  const device = site.devices[point.device]
  if (device === undefined) throw new RangeError(`point ${point.id} has no device`)
  const before = view.latest(point.index)
  const onBus = isOnBus(device) ? device : null
  const canAsk = onBus !== null && point.source.from === 'field' && isUp(view.wire(onBus.link.bus).status())
  const asked = canAsk ? await tryPoint(view, point.index, onBus, signal) : []
  const now = view.clock.mono()
  return {
    asked,
    evidence: {
      point: {
        id: point.id,
        title: point.title,
        unit: point.unit,
        kind: point.kind,
        type: point.type,
        range: point.range,
        from: point.source.from,
        place: point.source.from === 'field' ? placeText(point.source.place, device.manual) : null,
        everyMs: point.source.from === 'field' ? point.source.everyMs : null,
        maxAgeMs: point.maxAgeMs,
      },
      sample: { ...saidBy(before), value: before.quality === 'bad' ? null : before.value, ageMs: now - before.mono },
      lastGood: await lastGoodOf(view, point, now),
      link: device.link.kind,
      topic: topicOf(view, device),
      device: onBus === null ? null : deviceEvidence(view, onBus, asked, now),
      siblings: siblingsOf(view, site, device, point),
      neighbours: onBus === null ? [] : neighboursOf(view, site, onBus),
      bus: onBus === null ? null : busEvidence(view, onBus.link.bus, now),
      port: onBus === null ? null : await portEvidence(busOf(site, onBus)),
      trial: canAsk ? trialOf(view, site, point, onBus, asked) : null,
    },
  }
}

/** null: not a serial port. */
async function portEvidence({ wire }: Bus): Promise<PortEvidence | null> {
  if (wire.kind !== 'serial') return null
  const { exists, permitted, holders } = await inspectPort(wire.path)
  const words = holders.map(({ pid, command }) => `${command} (${pid})`).join(', ')
  return { path: wire.path, exists, permitted, holder: words === '' ? null : words }
}

function busOf(site: Site, { link }: BusDevice): Bus {
  const bus = site.buses[link.bus]
  if (bus === undefined) throw new RangeError(`there is no bus ${link.bus}`)
  return bus
}

export function saidBy(sample: Sample): Said {
  if (sample.quality === 'good') return { quality: 'good', cause: null, code: null }
  const cause: Fault | Doubt = sample.cause
  if (typeof cause === 'string') return { quality: sample.quality, cause, code: null }
  return { quality: sample.quality, cause: cause.kind, code: cause.kind === 'exception' ? cause.code : null }
}

async function lastGoodOf(view: GatewayView, point: Point, now: number): Promise<Evidence['lastGood']> {
  const sample = view.latest(point.index)
  if (sample.quality === 'good') return { value: sample.value, ageMs: now - sample.mono }
  const utc = view.clock.utc(now)
  for (const [spanMs, everyMs] of [
    [DAY_MS, 0],
    [31 * DAY_MS, HOUR_MS],
  ] as const) {
    const rows = await view.store.history({ point: point.id, from: utc - spanMs, to: utc, everyMs })
    const row = rows.findLast(([, , , , last]) => last !== null)
    if (row !== undefined) return { value: valueOf(point, row[4]), ageMs: utc - row[0] }
  }
  return null
}

/** History keeps booleans as 0 and 1. */
function valueOf(point: Point, last: number | string | null): Value {
  return point.type === 'bool' ? Number(last) > 0.5 : (last ?? 0)
}

function topicOf(view: GatewayView, { link, points }: Device): Evidence['topic'] {
  if (link.kind !== 'topic') return null
  const heard = points.some((index) => {
    const sample = view.latest(index)
    return sample.quality !== 'bad' || sample.cause.kind !== 'not_read'
  })
  return { topic: link.topic, clients: view.broker()?.clients ?? 0, heard }
}

function deviceEvidence(
  view: GatewayView,
  device: BusDevice,
  asked: readonly Overheard[],
  now: number,
): DeviceEvidence {
  const { link } = device
  const status = view
    .wire(link.bus)
    .devices()
    .find(({ index }) => index === device.index)
  if (status === undefined) throw new RangeError(`${device.id} is not on its bus`)
  const { sinceMono } = view.device(device.index)
  const framing = framingFor(busOf(view.site(), device), device)
  return {
    id: device.id,
    address: String(link.address),
    state: status.state,
    sinceMs: sinceMono === null ? null : now - sinceMono,
    lastGoodMs: status.lastGood === null ? null : now - status.lastGood,
    answers: status.answers,
    errors: status.errors,
    averageMs: status.responseMs.average,
    slowestMs: status.responseMs.slowest,
    timeoutMs: link.limits.timeoutMs,
    strangers: [
      ...new Set([
        ...(status.answersAs === null ? [] : [status.answersAs]),
        ...asked.flatMap(({ strangers }) => strangers),
      ]),
    ],
    echo: link.limits.echo,
    line: framing.correlates || link.line === null ? null : lineText(link.line),
    edition: editionOf(view.site(), device),
  }
}

function siblingsOf(view: GatewayView, site: Site, device: Device, point: Point): readonly Said[] {
  return device.points
    .filter((index) => index !== point.index && site.points[index]?.source.from === 'field')
    .map((index) => saidBy(view.latest(index)))
}

function neighboursOf(view: GatewayView, site: Site, device: BusDevice): readonly Neighbour[] {
  return view
    .wire(device.link.bus)
    .devices()
    .filter(({ index }) => index !== device.index)
    .flatMap((status) => {
      const other = site.devices[status.index]
      if (other === undefined || !isOnBus(other)) return []
      const samples = other.points
        .filter((index) => site.points[index]?.source.from === 'field')
        .map((index) => saidBy(view.latest(index)))
      const isGood = samples.some(({ quality }) => quality === 'good')
      return [
        {
          id: other.id,
          address: String(other.link.address),
          state: status.state,
          answers: status.answers,
          errors: status.errors,
          cause: isGood ? null : (samples[0]?.cause ?? null),
        },
      ]
    })
}

function busEvidence(view: GatewayView, index: number, now: number): BusEvidence {
  const bus = view.site().buses[index]
  if (bus === undefined) throw new RangeError(`there is no bus ${index}`)
  const status = view.wire(index).status()
  const { sinceMono, cause } = view.bus(index)
  return {
    id: bus.id,
    wireText: bus.wireText,
    wire: bus.wire.kind,
    state: status.state,
    sinceMs: sinceMono === null ? null : now - sinceMono,
    cause: cause === null ? null : cause.kind,
    why: status.why,
    frames: status.frames,
    lateFrames: status.lateFrames,
    foreignFrames: status.foreignFrames,
    foreign: status.strangers
      .filter(({ direction }) => direction === 'request')
      .slice(0, STRANGERS_MAX)
      .map(strangerText),
    junkBytes: status.junkBytes,
    texts: status.texts,
    bytesIn: status.bytes.in,
    opens: status.opens,
    utilisation: status.utilisation,
  }
}

/** `asks 7, 3 read holding registers, every 2 s` */
function strangerText({ from, function: what, everyMs }: Stranger): string {
  const every = everyMs === null ? '' : `, ${Math.round(everyMs / 100) / 10} s`
  return `→ ${[from, what].filter((part) => part !== null).join(', ')}${every}`
}

function trialOf(view: GatewayView, site: Site, point: Point, device: BusDevice, asked: readonly Overheard[]): Trial {
  return {
    asked,
    said: saidBy(view.latest(point.index)),
    otherwise: otherwise(site, point, device, asked),
  }
}

/** The same registers read in other ways, where the value in force is impossible. */
function otherwise(site: Site, point: Point, device: BusDevice, asked: readonly Overheard[]): Trial['otherwise'] {
  const { source, range } = point
  if (range === null || source.from !== 'field' || source.place.protocol !== 'modbus') return []
  const { as, order, address, table } = source.place
  if (!isNumberEncoding(as) || (table !== 'holding' && table !== 'input')) return []
  const registers = registersOf(site, device, asked, { table, address, words: encodingOf(as).words })
  if (registers === null) return []
  return otherReadings(registers, { as, order, scale: source.treatment.scale, offset: source.treatment.offset }, range)
}

/** The registers of a place out of the last sound answer; null: none came. */
export function registersOf(
  site: Site,
  device: BusDevice,
  asked: readonly Overheard[],
  wanted: { readonly table: 'holding' | 'input'; readonly address: number; readonly words: number },
): Uint8Array | null {
  const framing = framingFor(busOf(site, device), device)
  for (const { sent, received, block } of asked.toReversed()) {
    if (block === null) continue
    const question = block.ask(device.link.address)
    const extent = extentOf(question.body)
    if (extent === null || extent.table !== wanted.table) continue
    let rest = received
    while (rest.length > 0) {
      const split = framing.split(rest, question)
      if (split.kind === 'more') break
      if (split.kind === 'frame') {
        const verdict = framing.judge(split.frame, question, ((sent[0] ?? 0) << 8) | (sent[1] ?? 0))
        const from = 2 + 2 * (wanted.address - extent.start)
        const to = from + 2 * wanted.words
        if (verdict.kind === 'answer' && from >= 2 && verdict.body.length >= to) return verdict.body.slice(from, to)
      }
      rest = rest.subarray(split.used)
    }
  }
  return null
}

/** Of a Modbus read: function 3 or 4, start, count. */
function extentOf(body: Uint8Array): { readonly table: 'holding' | 'input'; readonly start: number } | null {
  const [fc, high = 0, low = 0] = body
  if (body.length !== 5 || (fc !== 3 && fc !== 4)) return null
  return { table: fc === 3 ? 'holding' : 'input', start: (high << 8) | low }
}
