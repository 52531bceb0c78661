/**
 * How long a bus takes to ask everything once, which poll intervals it cannot keep, and how long they would become: from line
 * speed, frame lengths, an estimate of how long devices think, and of what changing the line setting costs. Pure; `check` prints
 * what comes out.
 */
import type { Point, Text } from '../model/point.ts'
import type { Bus, Device, Line } from '../model/site.ts'
import { PROTOCOLS, protocolOf, type Protocols } from '../protocols/all.ts'
import type { Block, Framing } from '../protocols/protocol.ts'
import { LINE_CHANGE_MS } from './schedule.ts'
import { devicesOn, fieldPointsOf, framingOf } from './seats.ts'
import { answerLength, type BusLink, characterMs, lineOf, quietMs, sameForm, sameLine } from './timing.ts'

export type Complaint = {
  /** Index in `Site.devices`; null: the bus as a whole. */
  readonly device: number | null
  readonly everyMs: number
  /** The shortest interval that would do. */
  readonly neededMs: number
  /** One sentence: what cannot be kept, and what to change. */
  readonly message: Text
}

/** How often a device's block will really be read. */
export type Interval = {
  /** Index in `Site.devices`. */
  readonly device: number
  readonly block: string
  readonly everyMs: number
  readonly predictedMs: number
}

export type Prediction = {
  readonly cycleMs: number
  /** 1: no room at all. More than 1: it cannot be done. */
  readonly utilisation: number
  readonly complaints: readonly Complaint[]
  readonly intervals: readonly Interval[]
}

/** Devices take 20 to 100 ms to answer on a serial line; most of them are near the lower end. */
const THINKING_SERIAL_MS = 30
/** A transparent serial server packs bytes into packets. */
const SERIAL_SERVER_MS = 5
const THINKING_TCP_MS = 5
/**
 * A serial port changes its speed in place; parity means closing and opening it. On a pty that takes 0.02 and 0.2 ms; USB adapters
 * answer several control transfers for each, so this is an estimate on the safe side. `buses` shows what it takes on site.
 */
const SPEED_CHANGE_MS = 5
const FORM_CHANGE_MS = 30
/** Above this there is no room left for retries, commands and a dead device. */
const LOAD_MAX = 0.9
/** What is advised leaves some room. */
const LOAD_ADVISED = 0.8

type Load = {
  readonly device: Device
  readonly block: Block
  readonly line: Line | null
  readonly costMs: number
  readonly gapMs: number
}

export function predictBus(
  bus: Bus,
  devices: readonly Device[],
  points: readonly Point[],
  protocols: Protocols = PROTOCOLS,
): Prediction {
  const loads = devicesOn(bus, devices).flatMap(({ device, link }) => {
    const protocol = protocolOf(link.protocol, protocols)
    const framing = framingOf(bus, link, protocols)
    const line = lineOf(bus, link, protocol.line)
    return protocol.plan(fieldPointsOf(device, points), link.limits, new Set()).map(
      (block): Load => ({
        device,
        block,
        line,
        costMs: exchangeMs(bus, link, { block, framing, line }),
        gapMs: link.limits.minGapMs,
      }),
    )
  })
  const lanes = bus.wire.kind === 'modbus-tcp' ? bus.inFlight : 1
  const changes = bus.wire.kind === 'serial' ? lineChanges(loads) : { perRoundMs: 0, share: 0 }
  const cycleMs = sum(loads, ({ costMs }) => costMs) / lanes + changes.perRoundMs
  const utilisation = sum(loads, ({ costMs, block }) => costMs / block.everyMs) / lanes + changes.share
  return {
    cycleMs,
    utilisation,
    complaints: [...ofDevices(loads), ...ofBus(bus, { loads, lanes, utilisation })],
    intervals: intervals(loads, lanes * (1 - changes.share)),
  }
}

/** Time on the wire for one block: silence, request, thinking, answer, and the same for what follows in its turn. */
export function exchangeMs(
  bus: Bus,
  link: BusLink,
  { block, framing, line }: { block: Block; framing: Framing; line: Line | null },
): number {
  if (bus.wire.kind === 'modbus-tcp') return THINKING_TCP_MS
  const question = block.ask(link.address)
  const sent = framing.frame(question, 0).length
  const { questions, bytes: later } = block.follows ?? { questions: 0, bytes: 0 }
  const bytes = sent + answerLength(framing, question, sent) + later
  const thinking = THINKING_SERIAL_MS + (bus.wire.kind === 'tcp' ? SERIAL_SERVER_MS : 0)
  const pauses = quietMs(framing, line, link.limits.guardMs) + thinking
  return (1 + questions) * pauses + bytes * characterMs(line)
}

/** What several line settings on one wire cost: once around all of them, and as a share of all time. */
function lineChanges(loads: readonly Load[]): { perRoundMs: number; share: number } {
  const lines: { line: Line; perMs: number }[] = []
  for (const { line, block } of loads) {
    if (line === null) continue
    const known = lines.find((other) => sameLine(other.line, line))
    if (known === undefined) lines.push({ line, perMs: 1 / block.everyMs })
    else known.perMs += 1 / block.everyMs
  }
  if (lines.length < 2) return { perRoundMs: 0, share: 0 }
  const [first] = lines
  const alike = first !== undefined && lines.every(({ line }) => sameForm(first.line, line))
  const changeMs = alike ? SPEED_CHANGE_MS : FORM_CHANGE_MS
  const busiest = Math.max(...lines.map(({ perMs }) => perMs))
  // There and back for each exchange of the less frequent settings; but a full wire stays with one setting for a while.
  const perMs = Math.min(2 * (sum(lines, (each) => each.perMs) - busiest), 1 / LINE_CHANGE_MS)
  return { perRoundMs: lines.length * changeMs, share: perMs * changeMs }
}

/**
 * Where everything fits each block has its interval. Where it does not, the nearest deadline comes first, so that all blocks are
 * late by the same time: each is read its interval twice, and that lateness (or earliness), after it was read last.
 */
function intervals(loads: readonly Load[], room: number): readonly Interval[] {
  const at = (lateMs: number, everyMs: number): number => Math.max(everyMs, 2 * everyMs + lateMs)
  const load = (lateMs: number): number => sum(loads, ({ costMs, block }) => costMs / at(lateMs, block.everyMs))
  let low = -2 * Math.max(0, ...loads.map(({ block }) => block.everyMs))
  let high = sum(loads, ({ costMs }) => costMs) / Math.max(room, 0.01)
  if (load(low) > room) {
    for (let step = 0; step < 60; step++) {
      const middle = (low + high) / 2
      if (load(middle) > room) low = middle
      else high = middle
    }
  } else high = low
  return loads.map(({ device, block }) => ({
    device: device.index,
    block: block.key,
    everyMs: block.everyMs,
    predictedMs: at(high, block.everyMs),
  }))
}

/** A device alone may be asked more than its own pauses allow. */
function ofDevices(loads: readonly Load[]): Complaint[] {
  return [...Map.groupBy(loads, ({ device }) => device)].flatMap(([device, own]) => {
    const load = sum(own, ({ costMs, gapMs, block }) => (costMs + gapMs) / block.everyMs)
    if (load <= 1) return []
    const { everyMs, neededMs } = advice(own, { load, most: 1 })
    const message = {
      en:
        `${device.id} cannot be polled every ${duration(everyMs)}: its reads take ${percent(load)} of the time, ` +
        `pauses between requests included; poll it every ${duration(neededMs)} or slower`,
      zh: `${device.id} 无法每 ${duration(everyMs)} 轮询一次：连同请求间隔，读取需占 ${percent(load)} 的时间；请改为 ${duration(neededMs)} 或更慢`,
    }
    return [{ device: device.index, everyMs, neededMs, message }]
  })
}

function ofBus(
  bus: Bus,
  { loads, lanes, utilisation }: { loads: readonly Load[]; lanes: number; utilisation: number },
): Complaint[] {
  if (utilisation <= LOAD_MAX) return []
  const { everyMs, neededMs } = advice(loads, { load: utilisation * lanes, most: LOAD_ADVISED * lanes })
  const faster =
    bus.wire.kind === 'modbus-tcp'
      ? { en: 'allow more `inFlight`', zh: '增大 inFlight' }
      : { en: 'raise the baud rate', zh: '提高波特率' }
  const message = {
    en:
      `bus ${bus.id} would be busy ${percent(utilisation)} of the time: the polls every ${duration(everyMs)} cannot be kept; ` +
      `poll every ${duration(neededMs)} or slower, ${faster.en}, or move devices to another bus`,
    zh: `总线 ${bus.id} 的占用将达 ${percent(utilisation)}：无法做到每 ${duration(everyMs)} 轮询一次；请改为 ${duration(neededMs)} 或更慢，或${faster.zh}，或将部分设备移到另一条总线`,
  }
  return [{ device: null, everyMs, neededMs, message }]
}

/** The interval that weighs most, and how long it would have to be for the load to fit. */
function advice(
  loads: readonly Load[],
  { load, most }: { load: number; most: number },
): { everyMs: number; neededMs: number } {
  const groups = [...Map.groupBy(loads, ({ block }) => block.everyMs)].map(([everyMs, own]) => ({
    everyMs,
    costMs: sum(own, ({ costMs }) => costMs),
  }))
  const heaviest = groups.reduce((a, b) => (b.costMs / b.everyMs > a.costMs / a.everyMs ? b : a))
  const rest = load - heaviest.costMs / heaviest.everyMs
  // Where the rest alone is too much, all intervals grow alike.
  const neededMs = rest < most ? heaviest.costMs / (most - rest) : heaviest.everyMs * (load / most)
  return { everyMs: heaviest.everyMs, neededMs: Math.ceil(neededMs / 100) * 100 }
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}

function duration(ms: number): string {
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
