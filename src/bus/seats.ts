/** Devices of one bus with what is asked of them, as the protocol plans it. */
import type { Point } from '../model/point.ts'
import type { Address, Bus, Device, Limits, Line, ProtocolName } from '../model/site.ts'
import { protocolOf, type Protocols } from '../protocols/all.ts'
import type { Block, Framing } from '../protocols/protocol.ts'
import { createHealth } from './health.ts'
import type { Berth, Seat, Task } from './schedule.ts'
import { type BusLink, lineOf, sameLine } from './timing.ts'

export type Visit = {
  readonly protocol: ProtocolName
  readonly address: Address
  /** Left out: the bus's, else the protocol's usual one. */
  readonly line?: Line
  readonly ascii?: boolean
  readonly limits?: Partial<Limits>
}

/** One question at a time and no second try: whoever asks decides that. */
const VISIT_LIMITS: Limits = {
  maxRegisters: 125,
  maxBits: 2000,
  maxGap: 0,
  minGapMs: 0,
  guardMs: 0,
  timeoutMs: 1000,
  retries: 0,
  echo: false,
}

export type Roster = {
  readonly seats: readonly Seat[]
  readonly tasks: () => readonly Task[]
  /** The task that reads this point; made on the spot for points that are not polled. Throws RangeError for a point of another bus. */
  readonly taskOf: (point: number) => Task
  readonly seatOf: (point: number) => Seat
  /** The device rejected this block: its points are planned anew. Returns the new tasks; none: it comes no further apart. */
  readonly split: (task: Task) => readonly Task[]
  /** An address to be asked once, perhaps one that the site does not have. Throws RangeError for a protocol that does not run here. */
  readonly visit: (inquiry: Visit) => { readonly berth: Berth; readonly device: Seat | null }
  /** From now on alarms need these points, and no others. */
  readonly favour: (points: ReadonlySet<number>) => void
  /** Indices of all points that are polled from this device. */
  readonly pointsOf: (seat: Seat) => readonly number[]
}

/** Throws RangeError for a protocol that does not run on this wire: sites that have one are refused when they are loaded. */
export function framingOf(bus: Bus, link: Pick<BusLink, 'protocol' | 'ascii'>, protocols: Protocols): Framing {
  const framing = protocolOf(link.protocol, protocols).framing(bus.wire.kind, { ascii: link.ascii ?? false })
  if (framing === null) throw new RangeError(`${link.protocol} does not run on ${bus.wireText}`)
  return framing
}

/** A device of a bus, with its link narrowed. */
export function devicesOn(bus: Bus, devices: readonly Device[]): { device: Device; link: BusLink }[] {
  const found: { device: Device; link: BusLink }[] = []
  for (const device of devices) {
    if (device.link.kind === 'bus' && device.link.bus === bus.index) found.push({ device, link: device.link })
  }
  return found
}

/** What a device of a bus is asked for. */
export function fieldPointsOf(device: Device, points: readonly Point[]): Point[] {
  return device.points
    .map((index) => points[index])
    .filter((point): point is Point => point !== undefined && point.source.from === 'field')
}

export function createRoster(options: {
  bus: Bus
  devices: readonly Device[]
  points: readonly Point[]
  protocols: Protocols
  /** Keys of blocks that a device is known to reject. */
  refused: (device: Device) => Iterable<string>
  /** Points that alarms need. */
  urgent: ReadonlySet<number>
}): Roster {
  const { bus, points, protocols } = options
  const lines: Line[] = []
  const refusedOf = new Map<Seat, Set<string>>()
  const taskByPoint = new Map<number, Task>()
  const seatByPoint = new Map<number, Seat>()
  let favoured = options.urgent

  /** The same object for the same setting, so that comparing is cheap. */
  function interned(line: Line | null): Line | null {
    if (line === null) return null
    const known = lines.find((other) => sameLine(other, line))
    if (known === undefined) lines.push(line)
    return known ?? line
  }

  const isUrgent = (block: Block): boolean => block.points.some((point) => favoured.has(point))

  function taskFor(seat: Seat, block: Block, everyMs: number): Task {
    const question = block.ask(seat.link.address)
    return {
      seat,
      block,
      question,
      everyMs,
      origin: 0,
      due: 0,
      busy: false,
      urgent: isUrgent(block),
      rejected: false,
      lastMs: 0,
    }
  }

  /** Plans all points of the device; blocks that stay keep their task. */
  function planned(seat: Seat): readonly Task[] {
    const kept = new Map(seat.tasks.map((task) => [`${task.block.key} ${task.block.everyMs}`, task]))
    const blocks = protocolOf(seat.link.protocol, protocols).plan(
      fieldPointsOf(seat.device, points),
      seat.link.limits,
      refusedOf.get(seat) ?? new Set(),
    )
    const tasks = blocks.map(
      (block) => kept.get(`${block.key} ${block.everyMs}`) ?? taskFor(seat, block, block.everyMs),
    )
    const unplanned = seat.tasks.filter((task) => task.everyMs === 0)
    for (const task of tasks) for (const point of task.block.points) taskByPoint.set(point, task)
    return [...tasks, ...unplanned]
  }

  function berthFor(link: BusLink): Berth {
    return {
      link,
      line: interned(lineOf(bus, link, protocolOf(link.protocol, protocols).line)),
      framing: framingOf(bus, link, protocols),
      // A device that wants a pause between requests cannot take two at once.
      flyingMax: bus.wire.kind === 'modbus-tcp' && link.limits.minGapMs === 0 ? bus.inFlight : 1,
      health: createHealth(),
      flying: 0,
      gapUntil: 0,
      holdUntil: 0,
    }
  }

  function seatFor(device: Device, link: BusLink): Seat {
    const identity = { answersAs: null, misaddressed: 0 }
    return { ...berthFor(link), device, tasks: [], backoffUntil: 0, suspicion: null, identity }
  }

  function visit({ protocol, address, line, ascii, limits }: Visit): { berth: Berth; device: Seat | null } {
    const device = seats.find(({ link }) => link.protocol === protocol && String(link.address) === String(address))
    if (device !== undefined && limits === undefined && line === undefined) return { berth: device, device }
    const berth = berthFor({
      kind: 'bus',
      bus: bus.index,
      protocol,
      address,
      line: line ?? device?.link.line ?? null,
      limits: { ...VISIT_LIMITS, ...device?.link.limits, ...limits },
      ascii: ascii ?? device?.link.ascii ?? false,
    })
    return { berth, device: device ?? null }
  }

  const seats = devicesOn(bus, options.devices).map(({ device, link }) => {
    const seat = seatFor(device, link)
    refusedOf.set(seat, new Set(options.refused(device)))
    for (const point of fieldPointsOf(device, points)) seatByPoint.set(point.index, seat)
    seat.tasks = planned(seat)
    return seat
  })

  function seatOf(point: number): Seat {
    const seat = seatByPoint.get(point)
    if (seat === undefined) throw new RangeError(`point ${point} is not read from a device of bus ${bus.id}`)
    return seat
  }

  /** Points without a period (write only in practice) are read when somebody asks. */
  function unplanned(index: number): Task {
    const seat = seatOf(index)
    const point = points[index]
    const blocks =
      point?.source.from === 'field'
        ? protocolOf(seat.link.protocol, protocols).plan(
            [{ ...point, source: { ...point.source, everyMs: 1000 } }],
            seat.link.limits,
            new Set(),
          )
        : []
    const [block] = blocks
    if (block === undefined) throw new RangeError(`point ${index} of bus ${bus.id} cannot be read`)
    const task = { ...taskFor(seat, block, 0), due: Number.POSITIVE_INFINITY }
    seat.tasks = [...seat.tasks, task]
    taskByPoint.set(index, task)
    return task
  }

  return {
    seats,
    tasks: () => seats.flatMap((seat) => seat.tasks),
    taskOf: (point) => taskByPoint.get(point) ?? unplanned(point),
    seatOf,
    split(task) {
      const { seat } = task
      if (task.block.points.length < 2 || task.everyMs === 0) return []
      const before = new Set(seat.tasks)
      refusedOf.get(seat)?.add(task.block.key)
      const tasks = planned(seat)
      if (tasks.includes(task)) return []
      seat.tasks = tasks
      return tasks.filter((now) => !before.has(now))
    },
    visit,
    favour(points) {
      favoured = points
      for (const seat of seats) for (const task of seat.tasks) task.urgent = isUrgent(task.block)
    },
    pointsOf: (seat) => seat.tasks.filter(({ everyMs }) => everyMs > 0).flatMap((task) => task.block.points),
  }
}
