/** Says what bytes are, frame by frame, or why they are none. Readings are shown in the unit that the meter counts in. */
import { printHex } from '../../bytes/hex.ts'
import { causeText } from '../../model/fault.ts'
import type { Text } from '../../model/point.ts'
import { both, type Said, type SaidFrame, wrapIn } from '../explained.ts'
import { isFault } from '../treatment.ts'
import { type Content, readContent } from './content.ts'
import { READ_ADDRESS, functionOf, functionText, isFromMeter, isRefusal, MORE, WRITE } from './control.ts'
import { cjt188Framing, questionBody } from './framing.ts'
import { flawOf, type Frame, parseFrame, splitFrame } from './frame.ts'
import { readClock } from './clock.ts'
import { monthsBack } from './item.ts'
import { batteryLow, VALVE_NAMES, valveOf } from './status.ts'

const TYPES: Readonly<Record<number, string>> = {
  16: 'cold water',
  17: 'hot water',
  18: 'drinking water',
  19: 'reclaimed water',
  32: 'heat',
  33: 'cooling',
  34: 'heat and cooling',
  48: 'gas',
  64: 'electricity',
  170: 'any',
}
const KINDS: Readonly<Record<number, string>> = { 1: 'water', 2: 'heat', 3: 'gas', 4: 'other' }
/** Codes of the valve command; any other is one maker's, and not the same at the next. */
const VALVE_COMMANDS: Readonly<Record<number, string>> = { 85: 'open', 153: 'close' }

export function explainCjt188(bytes: Uint8Array, request: Uint8Array | null): Said {
  const asked = request === null ? null : parseFrame(request)
  if (request !== null && asked === null) {
    return {
      frames: [],
      junk: printHex(bytes),
      why: wrapIn('the request is none: ', '请求不是一帧：', flawOf(request)),
    }
  }
  const frames: SaidFrame[] = []
  const junk: number[] = []
  let firstJunk = -1
  for (let at = 0; at < bytes.length; ) {
    const rest = bytes.subarray(at)
    const split = splitFrame(rest)
    const frame = split.kind === 'frame' ? parseFrame(split.frame) : null
    if (split.kind === 'frame' && frame !== null) {
      frames.push(explainFrame(frame, split.frame, asked))
      at += split.used
      continue
    }
    if (firstJunk < 0) firstJunk = at
    junk.push(bytes[at] ?? 0)
    at += 1
  }
  const why = firstJunk < 0 ? null : flawOf(bytes.subarray(firstJunk))
  return { frames, junk: printHex(Uint8Array.from(junk)), why }
}

function explainFrame(frame: Frame, bytes: Uint8Array, asked: Frame | null): SaidFrame {
  const { control, type, address, data } = frame
  const isReply = isFromMeter(control)
  const fault = isReply ? faultOf(frame) : null
  const content = isRefusal(control) ? null : readContent(data)
  return {
    protocol: 'cjt188',
    direction: isReply ? 'reply' : 'request',
    address,
    function: functionText(control),
    fields: {
      type: `${hex(type)} ${TYPES[type] ?? KINDS[type >> 4] ?? 'unknown'}`,
      control: hex(control),
      ...(content === null ? refusalFields(frame) : contentFields(frame, content)),
    },
    readings: isReply && content !== null ? readingsOf(content) : [],
    fault,
    note: noteOf(frame, content, isReply && asked !== null ? mismatch(bytes, frame, asked) : null),
  }
}

function faultOf({ control, data }: Frame): string | null {
  return isRefusal(control) ? causeText({ kind: 'exception', code: data.length === 4 ? (data[3] ?? 0) : 0 }) : null
}

function refusalFields({ control, data }: Frame): Readonly<Record<string, unknown>> {
  if (!isRefusal(control)) return { data: printHex(data) }
  return data.length === 3
    ? { ser: data[0], status: printHex(data.subarray(1)).toUpperCase() }
    : { data: printHex(data) }
}

function contentFields(frame: Frame, content: Content): Readonly<Record<string, unknown>> {
  const { item, order, ser, layout, payload } = content
  const back = monthsBack(item)
  const answersRead = isFromMeter(frame.control) && payload.length > 0
  return {
    item,
    ...(order === '901F' ? {} : { identifierReversed: true }),
    ser,
    ...((frame.control & MORE) === 0 ? {} : { more: true }),
    ...(back === null ? {} : { monthsBack: back }),
    ...(functionOf(frame.control) === READ_ADDRESS && isFromMeter(frame.control) ? { meter: frame.address } : {}),
    ...(functionOf(frame.control) === WRITE ? writeFields(frame, content) : {}),
    ...(layout === null ? {} : { layout }),
    ...statusFields(frame, content),
    ...lackFields(content),
    ...(layout === null && answersRead && functionOf(frame.control) !== WRITE ? { payload: printHex(payload) } : {}),
  }
}

function writeFields({ control }: Frame, { item, payload }: Content): Readonly<Record<string, unknown>> {
  const isReply = isFromMeter(control)
  const [first = 0, second = 0] = payload
  if (item === 'A017' && !isReply && payload.length === 1) {
    return { command: VALVE_COMMANDS[first] ?? `vendor_${hex(first)}`, code: hex(first) }
  }
  if (item === 'A015' && !isReply && payload.length === 7) return { time: shown(readClock(payload, 0)) }
  if (isReply && payload.length === 2) return { result: 'ok', ...statusText(first | (second << 8)) }
  return isReply && payload.length === 0 ? { result: 'ok' } : { payload: printHex(payload) }
}

function statusFields({ type }: Frame, { fields }: Content): Readonly<Record<string, unknown>> {
  const status = fields.find(({ name }) => name === 'status')?.value
  if (typeof status !== 'number') return {}
  const { valve, ...others } = statusText(status)
  // The valve bits are known of water and gas meters; heat meters were seen with both set and nothing wrong.
  return type >> 4 === 2 ? others : { ...others, valve }
}

/** The raw word first: what its bits mean depends on the maker. */
function statusText(status: number): { status: string; valve: string; batteryLow: boolean } {
  return {
    status: hex(status & 0xff) + hex(status >> 8),
    valve: VALVE_NAMES[valveOf(status, 'low')] ?? 'unknown',
    batteryLow: batteryLow(status, 'low'),
  }
}

/** Fields without a value, by why. */
function lackFields({ fields }: Content): Readonly<Record<string, unknown>> {
  const named = (kind: string): string[] =>
    fields.flatMap(({ name, shown }) => (isFault(shown) && shown.kind === kind ? [name] : []))
  const absent = named('sentinel')
  const bad = named('device_fault')
  return { ...(absent.length > 0 ? { absent } : {}), ...(bad.length > 0 ? { bad } : {}) }
}

function readingsOf({ fields }: Content): SaidFrame['readings'] {
  return fields.flatMap(({ name, shown: value, unit }) =>
    isFault(value) || name === 'status' ? [] : [{ key: name, value, unit }],
  )
}

function noteOf(frame: Frame, content: Content | null, mismatched: Text | null): Text | null {
  if (mismatched !== null) return mismatched
  if (content === null)
    return isRefusal(frame.control)
      ? both('the meter says no', '表拒绝')
      : both('too short: no identifier and sequence number', '太短：没有数据标识和序号')
  const isRead = isFromMeter(frame.control) && functionOf(frame.control) === 1
  if (isRead && content.layout === null) {
    const { payload, item } = content
    return both(
      `unsupported layout: ${payload.length} bytes of ${item}`,
      `不支持的数据格式：${item} 共 ${payload.length} 字节`,
    )
  }
  return null
}

function mismatch(bytes: Uint8Array, frame: Frame, asked: Frame): Text | null {
  const ser = asked.data[2] ?? 0
  const question = { address: asked.address, body: questionBody(asked), writes: false, answerBytes: 0 }
  const verdict = cjt188Framing.judge(bytes, question, ser)
  if (verdict.kind !== 'other') return null
  const wrong = {
    transaction: both(
      `sequence number ${frame.data[2] ?? 0}, asked was ${ser}`,
      `序号 ${frame.data[2] ?? 0}，请求的是 ${ser}`,
    ),
    function: both(
      `${functionText(frame.control)} of ${itemText(frame)}, asked was ${functionText(asked.control)} of ${itemText(asked)}`,
      `${functionText(frame.control)} ${itemText(frame)}，请求的是 ${functionText(asked.control)} ${itemText(asked)}`,
    ),
    address: both(
      `it comes from ${frame.address} (type ${hex(frame.type)}), asked was ${asked.address} (type ${hex(asked.type)})`,
      `来自 ${frame.address}（类型 ${hex(frame.type)}），请求的是 ${asked.address}（类型 ${hex(asked.type)}）`,
    ),
    length: both('it is too short', '太短'),
    echo: both('it is the request itself', '这就是请求本身'),
    unit: both('another unit', '另一站号'),
  }
  return wrapIn('does not answer the request: ', '不是对该请求的应答：', wrong[verdict.why])
}

function itemText(frame: Frame): string {
  return readContent(frame.data)?.item ?? '-'
}

function shown(outcome: ReturnType<typeof readClock>): unknown {
  return isFault(outcome) ? null : outcome
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0').toUpperCase()
}
