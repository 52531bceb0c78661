/**
 * Boards that print lines, on their wire: a line when something in it changes or happens, the state again from time to time, to
 * whoever listens. Nothing has a checksum here: what is garbled is made of bytes that are no text, and a wrong unit is an id that
 * nobody on the wire has.
 */
import type { Point, Value } from '../model/point.ts'
import type { LineForm } from '../model/site.ts'
import { readParts, takeApart } from '../protocols/textline/index.ts'
import { repeat } from '../runtime/timer.ts'
import type { Cell, SimulatedDevice } from './devices.ts'
import type { FaultKind, Faults, Misdeed } from './faults.ts'
import type { Later, Send } from './line.ts'
import { Mouth } from './mouth.ts'
import { buildLine, kindsOf, type LineKind, otherId, piecesOf } from './printed.ts'

/** As often as a board would notice that something moved. */
const LOOK_MS = 1000
/** The state is printed again after so many looks without a change. */
const AGAIN_LOOKS = 10
/** In no text of UTF-8 or GB 18030. */
const NO_TEXT = 0xff

export type Printer = {
  /** Somebody reads the wire; the answer ends it. */
  readonly listen: (send: Send) => () => void
  /** Now, out of turn: this value was set. */
  readonly print: (device: SimulatedDevice, cell: Cell) => void
  readonly close: () => void
}

export type PrinterOptions = {
  readonly faults: Faults
  readonly later: Later
  readonly lookMs?: number | undefined
}

export function isPrinting({ device: { link } }: SimulatedDevice): boolean {
  return link.kind === 'lines'
}

/** Latin-1 has no byte that is no text, and without an id nobody can be named wrongly. */
export function printerFaults({ encoding, id }: LineForm): readonly FaultKind[] {
  return [
    'late',
    'silent',
    ...(encoding === 'latin1' ? [] : (['garbled'] as const)),
    'split',
    ...(id === null ? [] : (['wrong_unit'] as const)),
    'frozen',
  ]
}

type Board = {
  readonly device: SimulatedDevice
  readonly form: LineForm
  readonly id: string | null
  readonly other: string | null
  readonly points: readonly Point[]
  readonly kinds: readonly LineKind[]
  readonly mouth: Mouth
  /** What each kind said last, and how many looks ago. */
  readonly last: Map<LineKind, { readonly text: string; readonly looks: number }>
  readonly events: Map<Cell, Value>
}

export function createPrinter(devices: readonly SimulatedDevice[], options: PrinterOptions): Printer {
  const readers = new Set<Send>()
  /** Nobody speaks into the pause of a line that is torn in two. */
  const wire = new Mouth(options.later)
  const boards = devices.flatMap((device) => boardOf(device, devices, options.later))

  function say(board: Board, kind: LineKind, valueOf: (cell: Cell) => Value | null): void {
    const { device, form, points, mouth } = board
    const misdeed = options.faults.next(device.device.id)
    if (misdeed.silent || device.paused) return
    const id = misdeed.wrongUnit ? board.other : board.id
    const named = form.id === null || id === null ? [] : [{ part: form.id, text: id }]
    const line = buildLine(form, [...piecesOf(kind, valueOf), ...named])
    const parts = takeApart(line.subarray(0, line.length - form.delimiter.length), form)
    const isTrue = misdeed.garbleAt === null && !misdeed.wrongUnit && typeof parts !== 'string'
    const readings = isTrue ? readParts(parts, points) : []
    const send = (bytes: Uint8Array): void => {
      for (const reader of readers) reader(bytes)
    }
    const [first, second] = pieces(garbled(line, misdeed, form), misdeed)
    mouth.say(misdeed.delayMs, () => {
      for (const reading of readings) {
        const cell = device.cells.find(({ point }) => point.index === reading.point)
        if (cell !== undefined && 'value' in reading) device.told(cell, reading.value)
      }
      wire.say(0, () => send(first))
      if (second !== null) wire.say(misdeed.splitPauseMs ?? 0, () => send(second))
    })
  }

  /** Events that are new since the last look; an empty one has not happened. */
  function happened({ device, events }: Board, kind: LineKind): ReadonlySet<Cell> {
    const fresh = kind.cells.filter((cell) => {
      if (!isEvent(cell)) return false
      const value = device.value(cell)
      const before = events.get(cell)
      events.set(cell, value)
      return value !== '' && value !== before
    })
    return new Set(fresh)
  }

  function look(): void {
    for (const board of boards)
      for (const kind of board.kinds) {
        if (kind.cells.some(isEvent)) tell(board, kind, happened(board, kind))
        else lookAt(board, kind)
      }
  }

  function tell(board: Board, kind: LineKind, fresh: ReadonlySet<Cell>): void {
    if (fresh.size === 0) return
    say(board, kind, (cell) => (isEvent(cell) && !fresh.has(cell) ? null : board.device.value(cell)))
  }

  function lookAt(board: Board, kind: LineKind): void {
    const { device, last } = board
    const text = JSON.stringify(piecesOf(kind, (cell) => device.value(cell)))
    const before = last.get(kind)
    const looks = (before?.looks ?? 0) + 1
    if (before?.text === text && looks < AGAIN_LOOKS) last.set(kind, { text, looks })
    else show(board, kind, text)
  }

  function show(board: Board, kind: LineKind, text: string): void {
    board.last.set(kind, { text, looks: 0 })
    say(board, kind, (cell) => board.device.value(cell))
  }

  const looking = repeat(options.lookMs ?? LOOK_MS, look)
  return {
    listen(send) {
      readers.add(send)
      return () => void readers.delete(send)
    },
    print(device, cell) {
      const board = boards.find((each) => each.device === device)
      if (board === undefined) return
      const value = device.value(cell)
      if (isEvent(cell)) board.events.set(cell, value)
      for (const kind of board.kinds.filter(({ cells }) => cells.includes(cell))) {
        if (!kind.cells.some(isEvent)) show(board, kind, JSON.stringify(piecesOf(kind, (each) => device.value(each))))
        else if (isEvent(cell) && value !== '') tell(board, kind, new Set([cell]))
      }
    },
    close: () => looking.close(),
  }
}

function boardOf(device: SimulatedDevice, all: readonly SimulatedDevice[], later: Later): Board[] {
  const { link } = device.device
  if (link.kind !== 'lines') return []
  const ids = all.flatMap(({ device: { link: each } }) => (each.kind === 'lines' && each.id !== null ? [each.id] : []))
  return [
    {
      device,
      form: link.form,
      id: link.id,
      other: link.id === null ? null : otherId(link.id, new Set(ids)),
      points: device.cells.map(({ point }) => point),
      kinds: kindsOf(device),
      mouth: new Mouth(later),
      last: new Map(),
      events: new Map(),
    },
  ]
}

function isEvent({ point }: Cell): boolean {
  return point.kind === 'event'
}

/** The delimiter stays whole: a line that runs into the next is another fault. */
function garbled(line: Uint8Array, { garbleAt }: Misdeed, { delimiter }: LineForm): Uint8Array {
  if (garbleAt === null) return line
  const bad = line.slice()
  bad[Math.floor(garbleAt * (line.length - delimiter.length))] = NO_TEXT
  return bad
}

function pieces(line: Uint8Array, { splitPauseMs }: Misdeed): readonly [Uint8Array, Uint8Array | null] {
  if (splitPauseMs === null || line.length < 2) return [line, null]
  const half = Math.ceil(line.length / 2)
  return [line.subarray(0, half), line.subarray(half)]
}
