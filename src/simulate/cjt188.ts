/** CJ/T 188 meters of a line: they answer reads of what their points show and of their address, and refuse everything else. */
import {
  ANY_ADDRESS,
  ANY_TYPE,
  buildFrame,
  type Frame,
  parseFrame,
  sameKind,
  splitFrame,
} from '../protocols/cjt188/frame.ts'
import { FROM_METER, functionOf, isFromMeter, READ, READ_ADDRESS, REFUSED } from '../protocols/cjt188/control.ts'
import { readItem } from '../protocols/cjt188/item.ts'
import { HABITS, placeOf } from '../protocols/cjt188/place.ts'
import type { Cjt188Habits } from '../model/point.ts'
import { untreat } from '../protocols/treatment.ts'
import type { Cell, SimulatedDevice } from './devices.ts'
import { encodeData, type Shown } from './cjt188encode.ts'
import type { Misdeed } from './faults.ts'
import { collided, deliver, type Line, type Send, type Speaker } from './line.ts'

export const cjt188Speaker: Speaker = {
  cut(bytes) {
    const split = splitFrame(bytes)
    return split.kind === 'frame' ? split.used : null
  },
  serve,
}

/** Some meters wake the line before they answer, too. */
const WAKE_UPS = 2
const COLD_WATER = 0x10

function serve(line: Line, bytes: Uint8Array, send: Send): void {
  const request = parseFrame(bytes)
  if (request === null || isFromMeter(request.control)) return
  const answers = line.devices.flatMap((device) => {
    const { link } = device.device
    if (link.kind !== 'bus' || link.protocol !== 'cjt188' || device.paused) return []
    const own = String(link.address)
    const habits = habitsOf(device)
    const meant = request.address === own || request.address === ANY_ADDRESS || own === ANY_ADDRESS
    if (!meant || !sameKind(request.type, typeOf(habits))) return []
    const misdeed = line.faults.next(device.device.id)
    return misdeed.silent ? [] : [{ device, misdeed, reply: replyOf(device, { own, habits, request, misdeed }) }]
  })
  const [first, ...others] = answers
  if (first === undefined) return
  const reply = others.reduce((so, other) => collided(so, other.reply), first.reply)
  deliver(line, { ...first, request: bytes, reply }, send)
}

type Asking = {
  readonly own: string
  readonly habits: Cjt188Habits
  readonly request: Frame
  readonly misdeed: Misdeed
}

function replyOf(device: SimulatedDevice, { own, habits, request, misdeed }: Asking): Uint8Array {
  const label = own === ANY_ADDRESS ? '1'.padStart(own.length, '0') : own
  const neighbour = String((Number(label) + 1) % 1e14).padStart(own.length, '0')
  const [first = 0, second = 0, ser = 0] = request.data
  const content =
    misdeed.exception === null
      ? contentOf(device, habits, request)
      : { control: FROM_METER | REFUSED | functionOf(request.control), data: [first, second, ser, misdeed.exception] }
  return buildFrame({
    wakeUp: WAKE_UPS,
    type: typeOf(habits),
    address: misdeed.wrongUnit ? neighbour : label,
    control: content.control,
    data: Uint8Array.from(content.data),
  })
}

type Content = { readonly control: number; readonly data: readonly number[] }

function contentOf(device: SimulatedDevice, habits: Cjt188Habits, { control, data }: Frame): Content {
  const ser = data[2] ?? 0
  const code = functionOf(control)
  if (code === READ_ADDRESS && data.length >= 3) return { control: FROM_METER | code, data: [...data.subarray(0, 3)] }
  const answer = code === READ && data.length >= 3 ? answerOf(device, habits, readItem(data).item) : null
  // A refusal is the number of the question and the status word.
  if (answer === null) return { control: FROM_METER | REFUSED | code, data: [ser, 0, 0] }
  answer[2] = ser
  return { control: FROM_METER | code, data: [...answer] }
}

function answerOf(device: SimulatedDevice, habits: Cjt188Habits, item: string): Uint8Array | null {
  const shown = device.cells.flatMap((cell) => shownBy(cell, item, device))
  return shown.length === 0 ? null : encodeData(item, habits, shown)
}

/** Throws for a value that no meter could show: the test or scenario that set it is wrong. */
function shownBy(cell: Cell, item: string, device: SimulatedDevice): readonly Shown[] {
  const place = placeOf(cell.point)
  const { source } = cell.point
  if (place?.item !== item || source.from !== 'field') return []
  const raw = untreat(source.treatment, device.show(cell))
  if (typeof raw === 'object') throw new RangeError(raw.why)
  return [{ place, raw }]
}

function habitsOf(device: SimulatedDevice): Cjt188Habits {
  const [place] = device.cells.map(({ point }) => placeOf(point)).filter((each) => each !== null)
  return place?.habits ?? HABITS
}

function typeOf({ type }: Cjt188Habits): number {
  return type === ANY_TYPE ? COLD_WATER : type
}
