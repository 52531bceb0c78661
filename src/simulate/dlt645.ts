/** DL/T 645 meters of a line, both editions: they answer reads of items and rows and their address, and refuse everything else. */
import { readPairs, writePairs } from '../bytes/bcd.ts'
import { type Edition, editionOf, FN, functionOf, isFromMeter, itemBytes } from '../protocols/dlt645/control.ts'
import { buildFrame, type Frame, parseFrame, splitFrame } from '../protocols/dlt645/frame.ts'
import { digitsOf, isFrom } from '../protocols/dlt645/framing.ts'
import { rowOf } from '../protocols/dlt645/items.ts'
import type { SimulatedDevice } from './devices.ts'
import { encodeItem, rawOf } from './dlt645encode.ts'
import type { Misdeed } from './faults.ts'
import { collided, deliver, type Line, type Send, type Speaker } from './line.ts'

export const dlt645Speaker: Speaker = {
  cut(bytes) {
    const split = splitFrame(bytes)
    return split.kind === 'frame' ? split.used : null
  },
  serve,
}

/** Bits of the error byte. */
const NO_DATA = 0x02
const UNAUTHORISED = 0x04
/** Some meters wake the line before they answer, too. */
const WAKE_UPS = 2
/** Behind identifier and, in follow-ons, number: the standard's 200 bytes of data. */
const PART_MAX = 195

function serve(line: Line, bytes: Uint8Array, send: Send): void {
  const request = parseFrame(bytes)
  // What a meter says is none, and the broadcast of the time has no answer.
  if (request === null || isFromMeter(request.control) || functionOf(request.control) === FN.time) return
  const answers = line.devices.flatMap((device) => {
    const { link } = device.device
    if (link.kind !== 'bus' || link.protocol !== 'dlt645' || device.paused) return []
    const own = digitsOf(link.address)
    if (!isFrom(own, request.address)) return []
    const misdeed = line.faults.next(device.device.id)
    return misdeed.silent ? [] : [{ device, misdeed, reply: replyOf(device, own, request, misdeed) }]
  })
  const [first, ...others] = answers
  if (first === undefined) return
  const reply = others.reduce((so, other) => collided(so, other.reply), first.reply)
  deliver(line, { ...first, request: bytes, reply }, send)
}

function replyOf(device: SimulatedDevice, own: string, request: Frame, misdeed: Misdeed): Uint8Array {
  const { control, data } =
    misdeed.exception === null ? contentOf(device, own, request) : refused(request.control, misdeed.exception)
  const neighbour = String((Number(own) + 1) % 1e12).padStart(12, '0')
  return buildFrame({ wakeUp: WAKE_UPS, address: misdeed.wrongUnit ? neighbour : own, control, data })
}

type Content = Pick<Frame, 'control' | 'data'>

function refused(control: number, code: number): Content {
  return { control: 0xc0 | functionOf(control), data: Uint8Array.of(code) }
}

function contentOf(device: SimulatedDevice, own: string, { control, data }: Frame): Content {
  const code = functionOf(control)
  const edition = editionOf(control, '2007')
  const following = code === FN.readFollowing
  if (code === FN.readAddress) return { control: 0x93, data: writePairs(own) }
  if (code !== FN.read && code !== FN.read97 && !following) return refused(control, UNAUTHORISED)
  return readItem(device, { control, data }, { edition, part: following ? (data[4] ?? 0) : 0 })
}

function readItem(
  device: SimulatedDevice,
  { control, data }: Content,
  { edition, part }: { edition: Edition; part: number },
): Content {
  const length = itemBytes(edition)
  const item = readPairs(data, 0, length)
  const payload = data.length < length ? null : payloadOf(device, item)
  if (payload === null || part * PART_MAX >= Math.max(1, payload.length)) return refused(control, NO_DATA)
  const piece = payload.subarray(part * PART_MAX, (part + 1) * PART_MAX)
  const more = (part + 1) * PART_MAX < payload.length ? 0x20 : 0
  const tail = part === 0 ? [] : [part]
  return {
    control: 0x80 | functionOf(control) | more,
    data: Uint8Array.of(...data.subarray(0, length), ...piece, ...tail),
  }
}

/** null: the meter has nothing of it. */
function payloadOf(device: SimulatedDevice, item: string): Uint8Array | null {
  const row = rowOf(item)
  if (row === null) return elementOf(device, item)
  const elements = row.members.map((member) => elementOf(device, member))
  const last = elements.findLastIndex((element) => element !== null)
  if (last < 0) return null
  // Phases keep their places; of tariffs and settlements a meter sends those that it has.
  const count = Number.isFinite(row.sure) ? row.members.length : last + 1
  const nothing = new Uint8Array(row.format.bytes).fill(row.format.kind === 'bits' ? 0 : 0xff)
  return Uint8Array.from(elements.slice(0, count).flatMap((element) => [...(element ?? nothing)]))
}

function elementOf(device: SimulatedDevice, item: string): Uint8Array | null {
  const parts = device.cells.flatMap((cell) => {
    const { source } = cell.point
    if (source.from !== 'field' || source.place.protocol !== 'dlt645' || source.place.item !== item) return []
    return [{ place: source.place, raw: rawOf(source.treatment, device.show(cell)) }]
  })
  return parts.length === 0 ? null : encodeItem(parts)
}
