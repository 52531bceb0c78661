/** Says what bytes are, frame by frame, or why they are none. Passwords in overheard writes are not shown. */
import { printHex } from '../../bytes/hex.ts'
import { causeText, type Fault } from '../../model/fault.ts'
import type { Text } from '../../model/point.ts'
import { both, type Said, type SaidFrame, wrapIn } from '../explained.ts'
import type { Question } from '../protocol.ts'
import { type Raw, plain } from '../treatment.ts'
import { readPairs } from '../../bytes/bcd.ts'
import {
  type Edition,
  editionOf,
  FN,
  functionOf,
  functionText,
  isFromMeter,
  itemBytes,
  MORE,
  namesItem,
  reasonsOf,
  REFUSED,
} from './control.ts'
import { DATE, DATE_TIME, isNumber } from './format.ts'
import { flawOf, type Frame, parseFrame, splitFrame } from './frame.ts'
import { dlt645Framing } from './framing.ts'
import { type Item, itemOf, rowOf } from './items.ts'
import { isSecret } from './secret.ts'
import { statusOf } from './status.ts'

const HIDDEN = '***'
/** Items that are passwords themselves. */
const PASSWORDS = '04000C'
const PROTOCOL: Readonly<Record<Edition, string>> = { '2007': 'dlt645', '1997': 'dlt645-1997' }

/** `assumed`: the edition where a control code has a meaning in both. */
export function explainDlt645(assumed: Edition, bytes: Uint8Array, request: Uint8Array | null): Said {
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
    const split = splitFrame(bytes.subarray(at))
    const frame = split.kind === 'frame' ? parseFrame(split.frame) : null
    if (split.kind === 'frame' && frame !== null) {
      frames.push(explainFrame(frame, split.frame, asked, assumed))
      at += split.used
      continue
    }
    if (firstJunk < 0) firstJunk = at
    // What waits for more bytes here waits in vain; a true frame may stand behind it.
    const used = split.kind === 'junk' ? split.used : 1
    for (let n = 0; n < used; n++) junk.push(bytes[at + n] ?? 0)
    at += used
  }
  const why = firstJunk < 0 ? null : flawOf(bytes.subarray(firstJunk))
  return { frames, junk: printHex(Uint8Array.from(junk)), why }
}

type Told = Pick<SaidFrame, 'fields' | 'readings'> & Partial<Pick<SaidFrame, 'fault' | 'note'>>

function explainFrame(frame: Frame, bytes: Uint8Array, asked: Frame | null, assumed: Edition): SaidFrame {
  const edition = editionOf(frame.control, assumed)
  const fromMeter = isFromMeter(frame.control)
  const told = fromMeter ? explainReply(frame, edition) : explainRequest(frame, edition)
  return {
    protocol: PROTOCOL[edition],
    direction: fromMeter ? 'reply' : 'request',
    address: frame.address,
    function: functionText(frame.control, edition),
    fields: { wakeUp: frame.wakeUp, control: hex(Uint8Array.of(frame.control)), ...told.fields },
    readings: told.readings,
    fault: told.fault ?? null,
    note: (asked === null ? null : mismatch(bytes, asked)) ?? told.note ?? null,
  }
}

/** Why the frame does not answer the request; null: it does. */
function mismatch(bytes: Uint8Array, asked: Frame): Text | null {
  const body = Uint8Array.of(asked.control, ...asked.data)
  const question: Question = { address: asked.address, body, writes: false, answerBytes: 0 }
  const verdict = dlt645Framing.judge(bytes, question, 0)
  if (verdict.kind !== 'other') return null
  const { from = '' } = verdict
  const reasons = {
    transaction: both(
      'it answers another data identifier: a late answer to an earlier question',
      '数据标识不同：是对更早请求的迟到应答',
    ),
    unit: both(`it is of meter ${from}, asked was ${asked.address}`, `来自电表 ${from}，请求的是 ${asked.address}`),
    address: both(
      `meter ${from} answers, asked was ${asked.address}`,
      `应答的是电表 ${from}，请求的是 ${asked.address}`,
    ),
    function:
      from === ''
        ? both('it answers another function', '应答的是另一功能')
        : both(`it is a question to meter ${from}`, `这是对电表 ${from} 的请求`),
    length: both('its data is too short for an answer', '数据太短，不是应答'),
    echo: both('it is the request itself: the adapter returns what is sent', '这就是请求本身：转换器回送了发出的数据'),
  }
  return wrapIn('does not answer the request: ', '不是对该请求的应答：', reasons[verdict.why])
}

function explainRequest({ control, data }: Frame, edition: Edition): Told {
  const code = functionOf(control)
  if (namesItem(control, edition)) return itemRequest(code, data, edition)
  if (code === FN.time && data.length === 6) {
    // The same order as in a meter's clock, without the weekday.
    const moment = DATE_TIME.read(Uint8Array.of(...data.subarray(0, 3), 0, ...data.subarray(3)), 0)
    return { fields: { time: typeof moment === 'string' ? moment : hex(data), reply_expected: false }, readings: [] }
  }
  if (edition === '2007' && code === FN.relay && data.length >= 16) return { fields: relayFields(data), readings: [] }
  if (edition === '2007' && code === FN.writeAddress && data.length === 6) {
    return { fields: { new_address: readPairs(data) }, readings: [] }
  }
  return { fields: data.length === 0 ? {} : { data: isSecret(control) ? HIDDEN : hex(data) }, readings: [] }
}

function itemRequest(code: number, data: Uint8Array, edition: Edition): Told {
  const length = itemBytes(edition)
  if (data.length < length) return { fields: { data: hex(data) }, readings: [] }
  const item = readPairs(data, 0, length)
  const fields = { item, ...meaning(item) }
  const rest = data.subarray(length)
  if (code === FN.readFollowing && rest.length === 1) return { fields: { ...fields, seq: rest[0] }, readings: [] }
  if (code === FN.write && rest.length >= 8) {
    return {
      fields: { ...fields, ...credentials(rest), payload: item.startsWith(PASSWORDS) ? HIDDEN : hex(rest.subarray(8)) },
      readings: [],
    }
  }
  const hidden = code === FN.write || code === FN.write97
  return { fields: rest.length === 0 ? fields : { ...fields, payload: hidden ? HIDDEN : hex(rest) }, readings: [] }
}

const COMMANDS: Readonly<Record<number, string>> = {
  0x1a: 'trip',
  0x1b: 'permit_close',
  0x1c: 'close',
  0x2a: 'alarm_on',
  0x2b: 'alarm_off',
  0x3a: 'power_keep_on',
  0x3b: 'power_keep_off',
}

/** PA, password, operator, N1, N2, and until when the command holds: ss mm hh DD MM YY. */
function relayFields(data: Uint8Array): Readonly<Record<string, unknown>> {
  const command = data[8] ?? 0
  const until = data.subarray(10, 16)
  const [day, month, year] = [until[3] ?? 0, until[4] ?? 0, until[5] ?? 0]
  const date = DATE.read(Uint8Array.of(0, day, month, year), 0)
  const [hour, minute, second] = [2, 1, 0].map((at) => hex(until.subarray(at, at + 1)))
  const never = until.every((byte) => byte === 0)
  const valid = typeof date === 'string' ? `${date}T${hour}:${minute}:${second}` : hex(until)
  return {
    ...credentials(data),
    n1: hex(data.subarray(8, 9)),
    command: COMMANDS[command] ?? 'unknown',
    valid_until: never ? null : valid,
  }
}

function credentials(data: Uint8Array): Readonly<Record<string, unknown>> {
  return { pa: hex(data.subarray(0, 1)), password: HIDDEN, operator: readPairs(data, 4, 4) }
}

function explainReply(frame: Frame, edition: Edition): Told {
  const { control, data } = frame
  const code = functionOf(control)
  if ((control & REFUSED) !== 0) return refused(data, edition)
  if (edition === '2007' && code === FN.readAddress && data.length === 6) {
    return { fields: { meter: readPairs(data) }, readings: [] }
  }
  const length = itemBytes(edition)
  if (!namesItem(control, edition) || data.length < length) {
    const fields = data.length === 0 ? { result: 'ok' } : { data: hex(data) }
    return { fields, readings: [] }
  }
  const item = readPairs(data, 0, length)
  const following = edition === '2007' && code === FN.readFollowing
  const payload = data.subarray(length, following ? -1 : undefined)
  const more = (control & MORE) !== 0
  const fields = {
    item,
    ...meaning(item),
    ...(following ? { seq: data[data.length - 1] } : {}),
    ...(more || following ? { more } : {}),
    raw: hex(payload),
  }
  // A part of an answer is no value yet.
  if (more || following)
    return {
      fields,
      readings: [],
      note: more ? both('one part of the answer: more follows (12H)', '应答的一部分：后面还有（12H）') : null,
    }
  const told = values(item, payload)
  return { ...told, fields: { ...fields, ...told.fields } }
}

function refused(data: Uint8Array, edition: Edition): Told {
  const [code] = data
  if (code === undefined) return { fields: {}, readings: [], fault: causeText({ kind: 'device_fault' }) }
  const reasons = reasonsOf(code, edition)
  return {
    fields: { error: hex(data), reasons: reasons.map(({ name }) => name) },
    readings: [],
    fault: causeText({ kind: 'exception', code }),
    note: both(
      `the meter refuses: ${reasons.map(({ text }) => text.en).join('; ') || 'without a reason'}`,
      `电表拒绝：${reasons.map(({ text }) => text.zh).join('；') || '未说明原因'}`,
    ),
  }
}

function meaning(item: string): { readonly meaning?: Text } {
  const row = rowOf(item)
  const title = itemOf(row?.members[0] ?? item)?.title
  if (title === undefined) return {}
  const { en, zh } = title
  return { meaning: row === null ? title : both(`${en} and the others of its row`, `${zh}及同块各项`) }
}

function values(item: string, payload: Uint8Array): Told {
  const row = rowOf(item)
  const known = itemOf(row?.members[0] ?? item)
  if (known === null)
    return {
      fields: {},
      readings: [],
      note: both(`${item} is not in the table of the standard`, `${item} 不在标准的数据标识表中`),
    }
  const { format } = known
  const count = payload.length / format.bytes
  const most = row?.members.length ?? 1
  if (!Number.isInteger(count) || count < 1 || count > most) {
    return {
      fields: {},
      readings: [],
      fault: causeText({ kind: 'device_fault' }),
      note: both(
        `${payload.length} bytes of value where ${row === null ? '' : 'a multiple of '}${format.bytes} would be right`,
        `数值 ${payload.length} 字节，应为 ${format.bytes}${row === null ? '' : ' 的倍数'}`,
      ),
    }
  }
  const told = Array.from({ length: count }, (_, at) =>
    element(row?.members[at] ?? item, known, payload, at * format.bytes),
  )
  const fault = told.find((each) => each.fault !== null)?.fault ?? null
  return {
    fields: row === null ? (told[0]?.fields ?? {}) : Object.fromEntries(told.flatMap(raised)),
    readings: told.flatMap((each) => each.readings),
    fault: fault === null ? null : causeText(fault),
    note: fault === null ? null : (FAULTS[fault.kind] ?? null),
  }
}

/** Of many words only what is set in them. */
function raised({ item, fields }: Element): readonly (readonly [string, unknown])[] {
  const { bits } = fields
  if (typeof bits !== 'object' || bits === null) return []
  return [[item, Object.entries(bits).flatMap(([name, on]) => (on === true ? [name] : []))]]
}

const FAULTS: Readonly<Record<string, Text>> = {
  sentinel: both('all bytes are FF: the meter has no such value', '全部为 FF：电表没有该值'),
  device_fault: both(
    'a digit above nine, or a date that does not exist: no value',
    '有大于 9 的数字，或日期不存在：无数值',
  ),
}

type Element = Pick<SaidFrame, 'fields' | 'readings'> & { readonly item: string; readonly fault: Fault | null }

function element(item: string, { format, unit }: Item, payload: Uint8Array, at: number): Element {
  const raw = format.read(payload, at)
  if (isFaulty(raw)) return { item, fields: {}, readings: [], fault: raw }
  const stamp = isNumber(format) && format.when !== null ? format.when.read(payload, at) : null
  const when = stamp === null || isFaulty(stamp) ? [] : [{ key: `${item} when`, value: plain(stamp), unit: null }]
  const readings = [{ key: item, value: plain(raw), unit }, ...when]
  if (format === DATE) return { item, fields: { weekday: payload[at] }, readings, fault: null }
  const isStatus = item.startsWith('040005') && typeof raw === 'number'
  const bits = isStatus ? { bits: statusOf(Number(item.slice(6)), raw) } : {}
  return { item, fields: bits, readings, fault: null }
}

function isFaulty(raw: Raw | Fault): raw is Fault {
  return typeof raw === 'object'
}

function hex(bytes: Uint8Array): string {
  return printHex(bytes).toUpperCase()
}
