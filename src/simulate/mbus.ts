/**
 * M-Bus meters of a line: they acknowledge a reset or a selection, send what their points ask for (in several telegrams where it
 * does not fit into one), and send a telegram again when the frame count bit has not changed.
 */
import { writePairs } from '../bytes/bcd.ts'
import type { Address } from '../model/site.ts'
import { idOf, isSelected } from '../protocols/mbus/address.ts'
import {
  ACK,
  BROADCAST,
  buildFrame,
  EVERYBODY,
  FCB,
  type Frame,
  isFromMaster,
  parseFrame,
  REQ_UD2,
  SELECTED,
  SND_NKE,
  SND_UD,
  splitFrame,
} from '../protocols/mbus/frame.ts'
import { CI_ERROR, CI_VARIABLE } from '../protocols/mbus/header.ts'
import { placeOf } from '../protocols/mbus/place.ts'
import { untreat } from '../protocols/treatment.ts'
import type { SimulatedDevice } from './devices.ts'
import type { Misdeed } from './faults.ts'
import { collided, deliver, type Line, type Send, type Speaker } from './line.ts'
import { encodeRecord, type RecordSelector, recordSelector } from './mbusencode.ts'

export const mbusSpeaker: Speaker = {
  cut(bytes) {
    const split = splitFrame(bytes)
    return split.kind === 'frame' && split.used > 1 ? split.used : null
  },
  serve,
}

const RSP_UD = 0x08
const CI_SELECT = 0x52
const MORE_FOLLOWS = 0x1f
/** 252 bytes of user data less the header, less the mark that more follows. */
const RECORDS_MAX = 239
/** Letters SIM of five bits each. */
const MANUFACTURER = [0x2d, 0x4d]
const WATER = 0x07
const GAS = 0x03
const HEAT = 0x04
const ELECTRICITY = 0x02

/** What a meter remembers between two questions. */
type Link = { selected: boolean; fcb: number | null; telegram: number; access: number; last: Uint8Array | null }

const LINKS = new WeakMap<SimulatedDevice, Link>()

function linkTo(device: SimulatedDevice): Link {
  const link = LINKS.get(device) ?? { selected: false, fcb: null, telegram: 0, access: 0, last: null }
  LINKS.set(device, link)
  return link
}

function serve(line: Line, bytes: Uint8Array, send: Send): void {
  const request = parseFrame(bytes)
  if (request === null || request.is === 'ack' || !isFromMaster(request.control)) return
  const answers = line.devices.flatMap((device) => {
    const { link } = device.device
    if (link.kind !== 'bus' || link.protocol !== 'mbus' || device.paused) return []
    const reply = answerOf(device, link.address, request)
    if (reply === null) return []
    const misdeed = line.faults.next(device.device.id)
    return misdeed.silent ? [] : [{ device, misdeed, reply: spoilt(reply, misdeed) }]
  })
  const [first, ...others] = answers
  if (first === undefined) return
  const reply = others.reduce((so, other) => collided(so, other.reply), first.reply)
  deliver(line, { ...first, request: bytes, reply }, send)
}

/** null: it has nothing to say to that. */
function answerOf(device: SimulatedDevice, own: Address, request: Exclude<Frame, { is: 'ack' }>): Uint8Array | null {
  const link = linkTo(device)
  const { control, address } = request
  if (request.is === 'long') return select(device, own, request)
  const meant = address === own || address === EVERYBODY || (address === SELECTED && link.selected)
  if (control === SND_NKE && (meant || address === BROADCAST)) {
    link.fcb = null
    link.telegram = 0
    if (address === SELECTED) link.selected = false
    return meant ? Uint8Array.of(ACK) : null
  }
  return (control & ~FCB) === REQ_UD2 && meant ? data(device, own, control & FCB) : null
}

function select(
  device: SimulatedDevice,
  own: Address,
  { control, address, ci, data: mask }: Extract<Frame, { is: 'long' }>,
): Uint8Array | null {
  if ((control & ~FCB) !== SND_UD || address !== SELECTED || ci !== CI_SELECT || mask.length < 4) return null
  const link = linkTo(device)
  link.selected = isSelected(idOf(mask), numberOf(own))
  link.fcb = null
  link.telegram = 0
  return link.selected ? Uint8Array.of(ACK) : null
}

function data(device: SimulatedDevice, own: Address, fcb: number): Uint8Array {
  const link = linkTo(device)
  if (link.fcb === fcb && link.last !== null) return link.last
  const telegrams = telegramsOf(device)
  link.telegram = link.fcb === null ? 0 : (link.telegram + 1) % telegrams.length
  link.fcb = fcb
  link.access = (link.access + 1) & 0xff
  const more = link.telegram + 1 < telegrams.length ? [MORE_FOLLOWS] : []
  const records = telegrams[link.telegram] ?? []
  const header = [
    ...writePairs(numberOf(own)),
    ...MANUFACTURER,
    1,
    mediumOf(device),
    link.access,
    statusOf(device),
    0,
    0,
  ]
  const primary = typeof own === 'number' ? own : 0
  link.last = buildFrame({
    is: 'long',
    control: RSP_UD,
    address: primary,
    ci: CI_VARIABLE,
    data: Uint8Array.of(...header, ...records, ...more),
  })
  return link.last
}

/** Eight digits: of its secondary address, else of its primary one. */
function numberOf(own: Address): string {
  return typeof own === 'number' ? String(own).padStart(8, '0') : own.slice(0, 8).replaceAll('F', '0')
}

/** Records in the order of the points; of several alike, those that no point names are there all the same. */
function telegramsOf(device: SimulatedDevice): readonly (readonly number[])[] {
  const alike = new Map<string, { selector: RecordSelector; byNumber: Map<number, Uint8Array> }>()
  for (const cell of device.cells) {
    const place = placeOf(cell.point)
    const selector = place === null ? null : recordSelector(place)
    const { source } = cell.point
    if (selector === null || source.from !== 'field') continue
    const raw = untreat(source.treatment, device.show(cell))
    if (typeof raw === 'object') throw new RangeError(raw.why)
    const key = JSON.stringify({ ...selector, number: 0 })
    const group = alike.get(key) ?? { selector, byNumber: new Map<number, Uint8Array>() }
    alike.set(key, group)
    group.byNumber.set(selector.number, encodeRecord(selector, raw))
  }
  const records = [...alike.values()].flatMap(({ selector, byNumber }) =>
    Array.from({ length: Math.max(...byNumber.keys()) }, (_, at) => byNumber.get(at + 1) ?? encodeRecord(selector, 0)),
  )
  const telegrams: number[][] = [[]]
  for (const record of records) {
    const open = telegrams[telegrams.length - 1]
    if (open !== undefined && open.length + record.length <= RECORDS_MAX) open.push(...record)
    else telegrams.push([...record])
  }
  return telegrams
}

function mediumOf({ cells, device }: SimulatedDevice): number {
  if (device.brick === 'Gas_Meter') return GAS
  const words = cells.map(({ point }) => placeOf(point)?.record ?? '')
  if (words.some((word) => word.startsWith('flow_temperature'))) return HEAT
  return words.some((word) => word.startsWith('volume')) ? WATER : ELECTRICITY
}

function statusOf(device: SimulatedDevice): number {
  return device.cells.reduce((status, cell) => {
    const word = placeOf(cell.point)?.record ?? ''
    const bit = /^status bit ([0-7])$/.exec(word)?.[1]
    if (bit !== undefined) return device.show(cell) === true ? status | (1 << Number(bit)) : status
    return word === 'status' ? status | (Number(device.show(cell)) & 0xff) : status
  }, 0)
}

/** Another meter's number, or a refusal: only a frame with data can say so. */
function spoilt(reply: Uint8Array, { wrongUnit, exception }: Misdeed): Uint8Array {
  const frame = parseFrame(reply)
  if (frame?.is !== 'long' || (!wrongUnit && exception === null)) return reply
  if (exception !== null) return buildFrame({ ...frame, ci: CI_ERROR, data: Uint8Array.of(exception) })
  const content = frame.data.slice()
  content[0] = (content[0] ?? 0) ^ 0x01
  return buildFrame({ ...frame, address: (frame.address + 1) % 251, data: content })
}
