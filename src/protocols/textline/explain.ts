/** Says what a printed line is, by a driver: only it knows where the fields are. Signs that nobody can type are given as \x02, \r. */
import { printHex } from '../../bytes/hex.ts'
import { causeText } from '../../model/fault.ts'
import type { Point, Text } from '../../model/point.ts'
import type { LineForm } from '../../model/site.ts'
import { both, type Said, type SaidFrame } from '../explained.ts'
import { type LineRefusal, partOf, readParts, takeApart } from './read.ts'
import { cutLines, NOTHING_HELD } from './split.ts'

export type LineMeans = {
  /** Of the driver whose lines these are. */
  readonly form?: LineForm
  readonly points?: readonly Point[]
  readonly pseudonym?: (text: string) => string
}

const HIDDEN = '***'

const WHY: Readonly<Record<LineRefusal, Text>> = {
  not_text: both(
    'the bytes are no text of this encoding: wrong line setting, or another device',
    '不是该编码的文本：线路参数不对，或是别的设备',
  ),
  no_begin: both('the sign that begins every line is missing', '缺少行首标志'),
  fields: both('it has another number of fields than every line of this driver', '字段数与该驱动的行不符'),
  unknown_device: both('it names no device', '没有说明设备'),
  no_point: both('no point of this driver is read from such a line', '该驱动没有测点取自这样的行'),
  too_long: both('it is longer than lines of this driver are (maxBytes)', '超过该驱动的行长（maxBytes）'),
}

export function explainLines(text: string, { form, points = [], pseudonym }: LineMeans): Said | Text {
  if (form === undefined)
    return both(
      'say whose lines these are with --driver, such as access/serial_card_reader',
      '请用 --driver 指明是哪种设备的行，例如 access/serial_card_reader',
    )
  const typed = bytesOf(text, form)
  if ('en' in typed) return typed
  if (typed.length === 0) return both('there is no line', '没有行')
  // Who types a line leaves out what ends it.
  const end = Uint8Array.from(form.delimiter, (sign) => sign.charCodeAt(0))
  const isEnded = end.every((sign, at) => typed[typed.length - end.length + at] === sign)
  const { lines, tooLong } = cutLines(NOTHING_HELD, isEnded ? typed : Uint8Array.of(...typed, ...end), form)
  const frames: SaidFrame[] = []
  const junk: Uint8Array[] = []
  let why: Text | null = tooLong > 0 ? WHY.too_long : null
  for (const line of lines) {
    const said = frameOf(line, form, points, pseudonym)
    if (typeof said === 'string') {
      junk.push(line)
      why ??= WHY[said]
    } else frames.push(said)
  }
  const left = tooLong > 0 && lines.length === 0 ? typed : null
  return { frames, junk: left === null ? junk.map((line) => printHex(line)).join('') : printHex(left), why }
}

function frameOf(
  line: Uint8Array,
  form: LineForm,
  points: readonly Point[],
  pseudonym: LineMeans['pseudonym'],
): SaidFrame | LineRefusal {
  const parts = takeApart(line, form)
  if (typeof parts === 'string') return parts
  const id = form.id === null ? '' : partOf(parts, form.id)
  if (id === null) return 'unknown_device'
  const readings = readParts(parts, points)
  if (readings.length === 0) return 'no_point'
  const of = new Map(points.map((point) => [point.index, point]))
  const bad = readings.flatMap((reading) =>
    'fault' in reading ? [[of.get(reading.point)?.key ?? '', causeText(reading.fault)] as const] : [],
  )
  return {
    protocol: 'textline',
    direction: 'message',
    address: id,
    function: 'line',
    fields: {
      ...(parts.fields.length > 0 ? { fields: parts.fields.length } : {}),
      ...(bad.length > 0 ? { bad: Object.fromEntries(bad) } : {}),
    },
    readings: readings.flatMap((reading) => {
      if ('fault' in reading) return []
      const point = of.get(reading.point)
      const personal = point?.personal === true
      const value = personal ? (pseudonym?.(String(reading.value)) ?? HIDDEN) : reading.value
      return [{ key: point?.key ?? '', value, unit: point?.unit ?? null }]
    }),
    fault: null,
    note: null,
  }
}

const ESCAPES: Readonly<Record<string, number>> = { r: 0x0d, n: 0x0a, t: 0x09, '\\': 0x5c }

function bytesOf(text: string, { encoding }: LineForm): Uint8Array | Text {
  const bytes: number[] = []
  for (const [piece] of text.matchAll(/\\x[0-9a-fA-F]{2}|\\[rnt\\]|[\s\S]/gu)) {
    const code = piece.codePointAt(0) ?? 0
    if (piece.startsWith('\\x')) bytes.push(Number.parseInt(piece.slice(2), 16))
    else if (piece.length === 2 && piece.startsWith('\\')) bytes.push(ESCAPES[piece.slice(1)] ?? 0)
    else if (code < 0x80 || (encoding === 'latin1' && code < 0x100)) bytes.push(code)
    else if (encoding === 'utf-8') bytes.push(...new TextEncoder().encode(piece))
    else
      return both(
        `give "${piece}" as bytes (\\xb5\\xe7): the lines of this driver are ${encoding}`,
        `"${piece}" 请写成字节（\\xb5\\xe7）：该驱动的行是 ${encoding} 编码`,
      )
  }
  return Uint8Array.from(bytes)
}
