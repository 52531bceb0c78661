/** Says what bytes are, frame by frame, or why they are none. Values are shown in the units that the standard counts in. */
import { printHex } from '../../bytes/hex.ts'
import { causeText } from '../../model/fault.ts'
import type { Text } from '../../model/point.ts'
import { both, type Said, type SaidFrame, wrapIn } from '../explained.ts'
import { isFault } from '../treatment.ts'
import { readPairs } from '../../bytes/bcd.ts'
import { FCB, flawOf, type Frame, isFromMaster, parseFrame, REQ_UD2, splitFrame } from './frame.ts'
import { functionText, mbusFraming } from './framing.ts'
import { CI_ERROR, type Header, MEDIA, statusWords } from './header.ts'
import type { MbusRecord } from './record.ts'
import { isReadable, readTelegram, type Telegram } from './telegram.ts'

const ERRORS: Readonly<Record<number, Text>> = {
  0: both('unspecified', '未说明'),
  1: both('CI not known', '未知 CI'),
  2: both('buffer too long', '缓冲区过长'),
  3: both('too many records', '记录太多'),
  4: both('premature end of a record', '记录提前结束'),
  5: both('more than ten DIFE', 'DIFE 多于十个'),
  6: both('more than ten VIFE', 'VIFE 多于十个'),
  8: both('application busy', '应用忙'),
  9: both('too many readouts', '读数过于频繁'),
}
/** What masters send: application reset, selection. */
const COMMANDS: Readonly<Record<number, string>> = { 80: 'application reset', 82: 'select' }

export function explainMbus(bytes: Uint8Array, request: Uint8Array | null): Said {
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
  const base = { protocol: 'mbus', readings: [], fault: null, note: null } as const
  if (frame.is === 'ack') {
    return {
      ...base,
      direction: 'reply',
      address: asked === null || asked.is === 'ack' ? '' : String(asked.address),
      function: 'E5 acknowledge',
      fields: {},
    }
  }
  const isRequest = isFromMaster(frame.control)
  const head = {
    ...base,
    direction: isRequest ? 'request' : 'reply',
    address: String(frame.address),
    function: functionText(frame.control),
  } as const
  if (frame.is === 'short')
    return { ...head, fields: asksData(frame.control) ? { fcb: (frame.control & FCB) === 0 ? 0 : 1 } : {} }
  if (isRequest) return { ...head, fields: commandFields(frame.ci, frame.data) }
  const note = asked === null ? null : mismatch(bytes, frame, asked)
  if (frame.ci === CI_ERROR) {
    const code = frame.data[0] ?? 0
    const fields = { ci: '70', error: code, meaning: ERRORS[code] ?? both('unknown', '未知') }
    return { ...head, fields, fault: causeText({ kind: 'exception', code }), note }
  }
  const telegram = readTelegram(frame.ci, frame.data)
  const flaw =
    telegram.flaw === null
      ? null
      : isReadable(frame.ci)
        ? wrapIn('the frame is sound, its content is not: ', '帧正确，但内容不对：', telegram.flaw)
        : telegram.flaw
  return {
    ...head,
    fields: { ci: hex(frame.ci), ...telegramFields(telegram) },
    readings: telegram.flaw === null && note === null ? readingsOf(telegram.records) : [],
    note: note ?? flaw,
  }
}

function asksData(control: number): boolean {
  return (control & ~FCB) === REQ_UD2
}

function commandFields(ci: number, data: Uint8Array): Readonly<Record<string, unknown>> {
  const command = COMMANDS[ci]
  const named = command === undefined ? { ci: hex(ci) } : { ci: hex(ci), command }
  if (command !== 'select' || data.length < 8) return data.length === 0 ? named : { ...named, data: printHex(data) }
  const mask = readPairs(data, 4, 2) + hex(data[6] ?? 0) + hex(data[7] ?? 0)
  return { ...named, id: readPairs(data, 0, 4), mask }
}

function telegramFields({ header, records, more, rest }: Telegram): Readonly<Record<string, unknown>> {
  return {
    ...(header === null ? {} : headerFields(header)),
    records: records.map(recordFields),
    ...(more ? { more: true } : {}),
    ...(rest === null || rest.length === 0 ? {} : { manufacturerData: printHex(rest) }),
  }
}

function headerFields(header: Header): Readonly<Record<string, unknown>> {
  const { id, manufacturer, version, medium, access, status, signature } = header
  const words = statusWords(status)
  return {
    ...(id === null ? {} : { id }),
    ...(manufacturer === null ? {} : { manufacturer }),
    ...(version === null ? {} : { version }),
    ...(medium === null ? {} : { medium: MEDIA[medium] ?? `unknown ${hex(medium)}` }),
    access,
    status: hex(status),
    ...(words.length === 0 ? {} : { statusMeans: words.join(', ') }),
    signature: signature.toString(16).padStart(4, '0').toUpperCase(),
  }
}

/** All that a record says of itself; what is as it usually is stays away. */
function recordFields(record: MbusRecord): Readonly<Record<string, unknown>> {
  const { storage, tariff, subunit, direction, notes, dateText, shown } = record
  return {
    key: keyOf(record),
    function: record.function,
    ...(storage === 0 ? {} : { storage }),
    ...(tariff === 0 ? {} : { tariff }),
    ...(subunit === 0 ? {} : { subunit }),
    ...(direction === null ? {} : { direction }),
    vif: record.vif,
    ...(notes.length === 0 ? {} : { notes }),
    value: isFault(shown) ? dateText : shown,
    unit: record.unit,
    ...(isFault(shown) ? { bad: true } : {}),
  }
}

/** As a driver would write `at`, up to `number`. */
function keyOf({
  quantity,
  text,
  vif,
  notes,
  function: which,
  storage,
  tariff,
  subunit,
  direction,
}: MbusRecord): string {
  const name =
    notes.length > 0 || (quantity === '' && text === null) ? `vif ${vif}` : text === null ? quantity : `"${text}"`
  return [
    name,
    which === 'instantaneous' ? '' : which,
    storage === 0 ? '' : `storage ${storage}`,
    tariff === 0 ? '' : `tariff ${tariff}`,
    subunit === 0 ? '' : `subunit ${subunit}`,
    direction ?? '',
  ]
    .filter((word) => word !== '')
    .join(' ')
}

function readingsOf(records: readonly MbusRecord[]): SaidFrame['readings'] {
  return records.flatMap((record) => {
    const { shown: value, unit } = record
    return isFault(value) ? [] : [{ key: keyOf(record), value, unit }]
  })
}

function mismatch(bytes: Uint8Array, frame: Exclude<Frame, { is: 'ack' }>, asked: Frame): Text | null {
  if (asked.is === 'ack')
    return both('does not answer the request: an acknowledgement asks nothing', '不是对该请求的应答：E5 不提问')
  const body = Uint8Array.of(asked.control, 0, 1)
  // To the selected meter (253): whatever its own address is.
  const address = asked.address === 253 ? 'FFFFFFFFFFFFFFFF' : asked.address
  const verdict = mbusFraming.judge(bytes, { address, body, writes: false, answerBytes: 0 }, 0)
  if (verdict.kind !== 'other') return null
  const why =
    verdict.why === 'address' || verdict.why === 'unit'
      ? both(
          `it comes from ${verdict.from ?? frame.address}, asked was ${asked.address}`,
          `来自 ${verdict.from ?? frame.address}，请求的是 ${asked.address}`,
        )
      : both(
          `${functionText(frame.control)}, asked was ${functionText(asked.control)}`,
          `${functionText(frame.control)}，请求的是 ${functionText(asked.control)}`,
        )
  return wrapIn('does not answer the request: ', '不是对该请求的应答：', why)
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0').toUpperCase()
}
