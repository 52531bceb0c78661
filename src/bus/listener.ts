/**
 * A bus on which nobody is asked: controllers and boards that print lines as things happen. The pipe is held open, lines are cut,
 * told to the device that they name, and posted. What cannot be used is counted by name and said once, never shown: a line may
 * hold a card number.
 */
import type { Fault } from '../model/fault.ts'
import type { Point } from '../model/point.ts'
import type { Arrival } from '../model/sample.ts'
import type { Bus, Device, DeviceLink } from '../model/site.ts'
import {
  type Cutting,
  cutLines,
  type LineRefusal,
  NOTHING_HELD,
  partOf,
  readParts,
  takeApart,
} from '../protocols/textline/index.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OpenPipe } from '../transport/open.ts'
import { createTap } from '../transport/tap.ts'
import type { Pipe } from '../transport/transport.ts'
import type { RunningBus } from './bus.ts'
import { Connection } from './connection.ts'
import type { BusStatus } from './status.ts'
import { LINE_DEFAULT } from './timing.ts'
import { createWaker } from './waker.ts'

type LinesLink = Extract<DeviceLink, { kind: 'lines' }>
type Speaker = {
  readonly device: Device
  readonly link: LinesLink
  readonly points: readonly Point[]
}

export type ListenerOptions = {
  readonly bus: Bus
  /** All devices and points of the site; the bus takes its own. */
  readonly devices: readonly Device[]
  readonly points: readonly Point[]
  readonly clock: Pick<Clock, 'mono'>
  readonly post: (arrival: Arrival) => void
  readonly log: Log
  /** Aborting is closing. */
  readonly signal: AbortSignal
  readonly openPipe: OpenPipe
  readonly random?: () => number
}

/** Some device prints lines on it: then all do, `check` sees to that. */
export function isListening(bus: Bus, devices: readonly Device[]): boolean {
  return devices.some(({ link }) => link.kind === 'lines' && link.bus === bus.index)
}

export function openListener(options: ListenerOptions): RunningBus {
  const { bus, post } = options
  const { mono } = options.clock
  const log = options.log.child({ bus: bus.id })
  const speakers = options.devices.flatMap((device) => speakerOf(device, bus, options.points))
  const first = speakers[0]?.link
  if (first === undefined) throw new Error(`no device prints lines on bus ${bus.id}`)
  const { form } = first
  const line = bus.wire.kind === 'serial' ? (first.line ?? bus.line ?? LINE_DEFAULT) : null
  const tap = createTap({ masked: speakers.some(({ points }) => points.some((point) => point.personal)) })
  const refusals = new Map<LineRefusal, number>()
  let cutting: Cutting = NOTHING_HELD
  let taken = 0
  let why: string | null = null
  let closed = false

  const connection = new Connection({
    bus,
    openPipe: options.openPipe,
    mono,
    random: options.random ?? Math.random,
    host: {
      opened,
      retuned: () => undefined,
      lost: () => {
        // What follows on a new pipe does not continue an old line.
        cutting = NOTHING_HELD
      },
      online() {
        why = null
        post({ kind: 'bus', bus: bus.index, mono: mono(), state: 'online', cause: null })
        log.info({ wire: bus.wireText }, 'bus online')
      },
      offline: down,
      changed: pump,
    },
  })
  const waker = createWaker(mono, pump)
  options.signal.addEventListener('abort', abort, { once: true })

  function opened(pipe: Pipe): void {
    cutting = NOTHING_HELD
    tap.on(pipe).onData((chunk) => {
      const cut = cutLines(cutting, chunk, form)
      cutting = cut.state
      for (let count = 0; count < cut.tooLong; count++) refuse('too_long')
      for (const text of cut.lines) {
        const refusal = tell(text)
        if (refusal !== null) refuse(refusal)
      }
    })
  }

  /** null: taken. */
  function tell(text: Uint8Array): LineRefusal | null {
    const refused = new Set<LineRefusal>()
    for (const { device, link, points } of speakers) {
      const parts = takeApart(text, link.form)
      if (typeof parts === 'string') {
        refused.add(parts)
        continue
      }
      if (link.form.id !== null && partOf(parts, link.form.id) !== link.id) {
        refused.add('unknown_device')
        continue
      }
      connection.prove()
      const readings = readParts(parts, points)
      if (readings.length === 0) return 'no_point'
      taken += 1
      post({ kind: 'scan', device: device.index, mono: mono(), readings })
      return null
    }
    // The nearest that any device came to it says most.
    return refused.has('unknown_device') ? 'unknown_device' : ([...refused][0] ?? 'no_point')
  }

  function refuse(reason: LineRefusal): void {
    const count = (refusals.get(reason) ?? 0) + 1
    refusals.set(reason, count)
    if (count === 1) log.warn({ why: reason }, 'a line was refused')
  }

  function down(fault: Fault, reason: string): void {
    const now = mono()
    why = reason
    post({ kind: 'bus', bus: bus.index, mono: now, state: 'offline', cause: fault })
    log.warn({ wire: bus.wireText, cause: fault.kind, why: reason }, 'bus offline')
    // States are not known any more; what happens meanwhile is not known either, but no event.
    for (const { device, points } of speakers) {
      const readings = points
        .filter((point) => point.kind !== 'event')
        .map((point) => ({ point: point.index, fault }) as const)
      if (readings.length > 0) post({ kind: 'scan', device: device.index, mono: now, readings })
    }
  }

  function pump(): void {
    if (closed) return
    connection.step(mono(), line)
    waker.wakeAt(connection.wakeAt())
  }

  function abort(): void {
    void close()
  }

  async function close(): Promise<void> {
    options.signal.removeEventListener('abort', abort)
    closed = true
    waker.close()
    await connection.close()
  }

  pump()
  return {
    bus,
    write: () =>
      Promise.resolve({
        outcome: 'refused',
        cause: 'this bus only listens',
        reason: { en: 'this bus only listens', zh: '该总线只监听，不发送' },
      }),
    read: (points) => Promise.resolve(points.map((point) => ({ point, fault: { kind: 'not_read' } }))),
    ask: () => Promise.resolve({ kind: 'unsent', why: 'closed' }),
    status: () => statusOf(bus, connection, { taken, refusals, why, bytes: tap.bytes }),
    devices: () => [],
    listen: tap.listen,
    // Whoever only listens asks nobody first.
    favour: () => undefined,
    close,
  }
}

function speakerOf(device: Device, bus: Bus, points: readonly Point[]): Speaker[] {
  const { link } = device
  if (link.kind !== 'lines' || link.bus !== bus.index) return []
  const own = device.points.flatMap((index) => points[index] ?? []).filter(({ source }) => source.from === 'field')
  return [{ device, link, points: own }]
}

/** Nothing is asked, so there is no cycle, no usual time and no echo. */
function statusOf(
  bus: Bus,
  connection: Connection,
  seen: {
    readonly taken: number
    readonly refusals: ReadonlyMap<LineRefusal, number>
    readonly why: string | null
    readonly bytes: BusStatus['bytes']
  },
): BusStatus {
  const refused = Object.fromEntries(seen.refusals)
  return {
    bus: bus.id,
    wire: bus.wireText,
    state: connection.state ?? 'offline',
    why: seen.why,
    utilisation: 0,
    cycleMs: 0,
    predictedMs: 0,
    frames: seen.taken,
    lateFrames: 0,
    foreignFrames: Object.values(refused).reduce((sum, count) => sum + count, 0),
    junkBytes: 0,
    texts: [],
    refusals: refused,
    strangers: [],
    echoes: 0,
    collisions: 0,
    yields: 0,
    lineChanges: 0,
    lineChangeMs: 0,
    health: {
      answers: seen.taken,
      errors: { timeout: 0, crc: 0, exception: 0 },
      errorShare: 0,
      responseMs: 0,
      usualMs: 0,
      online: 0,
      degraded: 0,
      offline: 0,
    },
    bytes: { ...seen.bytes },
    opens: connection.opens,
  }
}
