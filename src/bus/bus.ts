/**
 * One owner per wire: everything that is said on it goes through here, one exchange at a time (Modbus TCP: as many as the site
 * file allows), whatever protocols and line settings its devices have. It wakes when bytes come, when something is due and when somebody asks; in between it costs nothing.
 */
import type { WriteOutcome, WriteRequest } from '../model/command.ts'
import type { Fault } from '../model/fault.ts'
import type { Point } from '../model/point.ts'
import type { Arrival, Reading } from '../model/sample.ts'
import type { Bus, Device } from '../model/site.ts'
import { PROTOCOLS, type Protocols } from '../protocols/all.ts'
import type { Question } from '../protocols/protocol.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { OpenPipe } from '../transport/open.ts'
import { createTap, type TapListener } from '../transport/tap.ts'
import type { Pipe } from '../transport/transport.ts'
import { Connection } from './connection.ts'
import { createAsking } from './asking.ts'
import { Wire } from './exchange.ts'
import { createCounts } from './flight.ts'
import { type CommandOrder, type CommandResult, Orders } from './orders.ts'
import { Strangers } from './overhear.ts'
import { predictBus } from './predict.ts'
import { createRounds } from './rounds.ts'
import { choose, depart, lineChangeOf, spread } from './schedule.ts'
import { createRoster, type Visit } from './seats.ts'
import { type BusStatus, createMeter, type DeviceStatus, deviceStatusOf, statusOf } from './status.ts'
import { Texts } from './texts.ts'
import { createWaker } from './waker.ts'
import { createWriter } from './write.ts'

export type BusOptions = {
  readonly bus: Bus
  /** All devices and points of the site; the bus takes its own. */
  readonly devices: readonly Device[]
  readonly points: readonly Point[]
  /** Left out: all that are built in. */
  readonly protocols?: Protocols
  readonly clock: Pick<Clock, 'mono'>
  readonly post: (arrival: Arrival) => void
  readonly log: Log
  /** Aborting is closing. */
  readonly signal: AbortSignal
  readonly openPipe: OpenPipe
  /** Block keys that a device rejected in earlier runs, and where to keep new ones. */
  readonly refused?: (device: Device) => Iterable<string>
  readonly remember?: (device: Device, blockKey: string) => void
  /** Points that alarms need: asked before others when the wire is too full for all. */
  readonly urgent?: ReadonlySet<number>
  /** Somebody else answers in the place of this device, under that address; null: it answers itself again. Told when it changes. */
  readonly mismatch?: (device: Device, from: string | null) => void
  readonly random?: () => number
}

/** A question of somebody's own, to a device of the site or to any address on the wire. */
export type Inquiry = Visit & {
  readonly question: Question
  /** Only while nothing else is due. */
  readonly idle?: boolean
  /** Given up when it could not be asked for so long. Default 10 s. */
  readonly expiresMs?: number
}

export type RunningBus = {
  readonly bus: Bus
  /** One exchange ahead of the polls; never repeated by itself. Range, role, step and rate are judged first. */
  readonly write: (request: WriteRequest) => Promise<WriteOutcome>
  /** Ahead of the polls; the readings are posted too. A point of another bus is a bug and throws. */
  readonly read: (points: readonly number[]) => Promise<readonly Reading[]>
  /** Asks once, ahead of the polls or when there is time; its follow-ons belong to it. Throws RangeError for a protocol that does not run here. */
  readonly ask: (inquiry: Inquiry) => Promise<CommandResult>
  readonly status: () => BusStatus
  readonly devices: () => readonly DeviceStatus[]
  /** Every chunk on the wire, until the returned function is called. */
  readonly listen: (listener: TapListener) => () => void
  /** From now on alarms need these points, in its own numbers: asked before others when the wire is too full for all. */
  readonly favour: (points: ReadonlySet<number>) => void
  readonly close: () => Promise<void>
}

/** So many requests in a row without an answer, and the TCP connection is thought dead. */
const UNANSWERED_MAX = 3
const ORDER_EXPIRES_MS = 10_000

export function openBus(options: BusOptions): RunningBus {
  const { bus, points, post } = options
  const protocols = options.protocols ?? PROTOCOLS
  const { mono } = options.clock
  const random = options.random ?? Math.random
  const log = options.log.child({ bus: bus.id })
  const isSerial = bus.wire.kind === 'serial'
  const roster = createRoster({
    ...options,
    protocols,
    refused: options.refused ?? (() => []),
    urgent: options.urgent ?? new Set(),
  })
  const framings = [...new Set(roster.seats.map((seat) => seat.framing))]
  const correlates = framings.some((framing) => framing.correlates)
  const orders = new Orders()
  const schedule = orders.scheduleFor(roster.seats)
  const counts = createCounts()
  const strangers = new Strangers()
  const texts = new Texts()
  const tap = createTap()
  const meter = createMeter(mono())
  /** Spent on questions of idle time: the line was free for them, so they are no load. */
  let idleMs = 0
  const prediction = predictBus(bus, options.devices, points, protocols)
  let wire: Wire | null = null
  /** The one whose bytes count. */
  let heardPipe: Pipe | null = null
  let unanswered = 0
  let suspectPipe = false
  let closed = false

  const connection = new Connection({
    bus,
    openPipe: options.openPipe,
    mono,
    random,
    host: {
      opened,
      retuned,
      lost(fault) {
        const gone = wire
        wire = null
        heardPipe = null
        gone?.end(fault, mono())
      },
      online() {
        const now = mono()
        post({ kind: 'bus', bus: bus.index, mono: now, state: 'online', cause: null })
        log.info({ wire: bus.wireText }, 'bus online')
        if (wasDown) rounds.wireUp(now)
        wasDown = false
        whyDown = null
      },
      offline(fault, why) {
        wasDown = true
        whyDown = why
        down(fault, why)
      },
      changed: pump,
    },
  })
  let wasDown = false
  let whyDown: string | null = null

  const rounds = createRounds({
    points,
    roster,
    orders,
    post,
    log,
    correlates,
    prove() {
      unanswered = 0
      connection.prove()
    },
    unanswered() {
      unanswered += 1
      if (!isSerial && unanswered >= UNANSWERED_MAX) suspectPipe = true
    },
    remember: (seat, key) => options.remember?.(seat.device, key),
    redirect(from) {
      for (const orphan of orders.orphans(from)) {
        void read(from.block.points).then(orphan.finish)
      }
    },
  })

  const asking = createAsking({
    rounds,
    log,
    correlates,
    mismatch: (device, from) => options.mismatch?.(device, from),
  })

  const waker = createWaker(mono, pump)
  spread(roster.tasks(), mono(), (bus.index * 0.618) % 1)
  options.signal.addEventListener('abort', abort, { once: true })

  function opened(pipe: Pipe): void {
    unanswered = 0
    suspectPipe = false
    if (wasDown) rounds.wireBack(mono())
    wire = new Wire({
      framings,
      flightsMax: bus.inFlight,
      counts,
      strangers,
      texts: isSerial ? null : texts,
      write: listenTo(pipe),
      desynchronised: () => {
        suspectPipe = true
      },
      firstTransaction: Math.floor(random() * 0x10000),
      now: mono(),
    })
  }

  /** Another line setting, perhaps through a port opened anew: what was missed before is still missed. */
  function retuned(pipe: Pipe | null, tookMs: number): void {
    counts.switches += 1
    counts.switchMs += tookMs
    counts.busyMs += tookMs
    schedule.lineChangeMs = lineChangeOf(counts.switchMs / counts.switches)
    wire?.retuned(mono(), pipe === null ? undefined : listenTo(pipe))
  }

  function listenTo(pipe: Pipe): (bytes: Uint8Array) => void {
    const tapped = tap.on(pipe)
    heardPipe = pipe
    tapped.onData((chunk) => {
      if (heardPipe !== pipe) return
      wire?.receive(chunk, mono())
      pump()
    })
    return tapped.write
  }

  function down(fault: Fault, why: string): void {
    const now = mono()
    post({ kind: 'bus', bus: bus.index, mono: now, state: 'offline', cause: fault })
    log.warn({ wire: bus.wireText, cause: fault.kind, why }, 'bus offline')
    rounds.wireDown(fault, now)
    orders.refuseAll(fault)
  }

  /** Does all that can be done now, and says when to wake next. */
  function pump(): void {
    if (closed) return
    const now = mono()
    meter.look(now, counts.busyMs - idleMs)
    wire?.step(now)
    if (suspectPipe) {
      suspectPipe = false
      unanswered = 0
      // At debug: a device that stays dead is silent until it returns.
      log.debug({ wire: bus.wireText }, 'connection made anew')
      connection.recycle()
    }
    waker.wakeAt(Math.min(orders.expire(now), advance(now)))
  }

  function advance(now: number): number {
    if (!connection.isOpen() || wire === null) return reconnect(now)
    connection.step(now, connection.line)
    let wakeAt = connection.wakeAt()
    while (wire.hasRoom()) {
      const choice = choose(schedule, now, connection.line)
      if (choice.kind === 'wait') {
        wakeAt = Math.min(wakeAt, choice.until)
        break
      }
      const seat = choice.kind === 'task' ? choice.task.seat : choice.command.seat
      if (isSerial && seat.line !== connection.line) {
        connection.retune(seat.line)
        break
      }
      const exchange =
        choice.kind === 'task' ? asking.ofTask(choice.task) : asking.ofCommand(choice.command as CommandOrder)
      const readyAt = wire.readyAt(exchange, now)
      if (readyAt > now) {
        wakeAt = Math.min(wakeAt, readyAt)
        break
      }
      if (choice.kind === 'task') {
        depart(choice.task, now)
        schedule.urgentInARow = choice.passes ? schedule.urgentInARow + 1 : 0
      } else {
        orders.take(choice.command)
        seat.flying += 1
      }
      wire.send(exchange, now)
    }
    return Math.min(wakeAt, wire.wakeAt())
  }

  /** Connected on demand: when there is something to ask. */
  function reconnect(now: number): number {
    const choice = choose(schedule, now, connection.line)
    if (choice.kind === 'wait') return choice.until
    const seat = choice.kind === 'task' ? choice.task.seat : choice.command.seat
    connection.step(now, seat.line)
    return connection.wakeAt()
  }

  async function read(wanted: readonly number[]): Promise<readonly Reading[]> {
    const tasks = [...new Set(wanted.map((point) => roster.taskOf(point)))]
    if (closed || connection.state === 'offline') {
      return wanted.map((point) => ({ point, fault: { kind: 'closed' } }))
    }
    const expiresAt = mono() + ORDER_EXPIRES_MS
    const answers = tasks.map((task) => orders.demand({ task, expiresAt }))
    pump()
    const readings = new Map((await Promise.all(answers)).flat().map((reading) => [reading.point, reading]))
    return wanted.map((point) => readings.get(point) ?? { point, fault: { kind: 'not_read' } })
  }

  function ask(inquiry: Inquiry): Promise<CommandResult> {
    const { berth, device } = roster.visit(inquiry)
    if (closed || connection.state === 'offline') return Promise.resolve({ kind: 'unsent', why: 'closed' })
    const expiresAt = mono() + (inquiry.expiresMs ?? ORDER_EXPIRES_MS)
    const result = orders.command(
      { seat: berth, device, question: inquiry.question, expiresAt },
      { idle: inquiry.idle ?? false },
    )
    if (inquiry.idle === true)
      void result.then((outcome) => {
        if (outcome.kind === 'unsent') return
        // After a missing answer nothing is asked for as long again.
        const owedMs = isSerial && outcome.kind === 'fault' ? owedAfter(outcome.fault, berth.link.limits.timeoutMs) : 0
        idleMs += outcome.tookMs + owedMs
      })
    pump()
    return result
  }

  const writer = createWriter({
    points,
    protocols,
    mono,
    signal: options.signal,
    read,
    seatOf: roster.seatOf,
    command(order) {
      if (closed || connection.state === 'offline') return Promise.resolve({ kind: 'unsent', why: 'closed' })
      const result = orders.command({ ...order, expiresAt: mono() + ORDER_EXPIRES_MS })
      pump()
      return result
    },
  })

  function abort(): void {
    void close()
  }

  async function close(): Promise<void> {
    options.signal.removeEventListener('abort', abort)
    closed = true
    waker.close()
    const gone = wire
    wire = null
    heardPipe = null
    gone?.end({ kind: 'closed' }, mono())
    orders.refuseAll({ kind: 'closed' })
    await connection.close()
  }

  pump()
  return {
    bus,
    write: writer,
    read,
    ask,
    status: () =>
      statusOf({
        bus,
        connection,
        roster,
        counts,
        strangers,
        texts,
        prediction,
        why: whyDown,
        bytes: tap.bytes,
        utilisation: meter.read(mono(), counts.busyMs - idleMs),
      }),
    devices: () => roster.seats.map((seat) => deviceStatusOf(bus, seat, connection.state)),
    listen: tap.listen,
    favour: roster.favour,
    close,
  }
}

function owedAfter({ kind }: Fault, timeoutMs: number): number {
  return kind === 'timeout' || kind === 'crc' ? timeoutMs : 0
}
