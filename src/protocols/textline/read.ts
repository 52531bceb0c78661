/**
 * What a line says: its parts by separator or by column, as readings of the points that name them. No patterns: a file from
 * outside must not be able to keep us busy.
 */
import type { Point, TextPart } from '../../model/point.ts'
import type { Reading } from '../../model/sample.ts'
import type { LineForm } from '../../model/site.ts'
import { compileTreatment, isFault, NO_VALUE, type Outcome, plain } from '../treatment.ts'
import { bare, understand } from '../understand.ts'

export type LineRefusal =
  /** Bytes that are no text of the driver's encoding: wrong speed or parity, another device. */
  | 'not_text'
  /** The sign that begins every line is missing. */
  | 'no_begin'
  /** Another number of fields than every line has. */
  | 'fields'
  /** It names a device that this site does not have. */
  | 'unknown_device'
  /** No point of the device is read from such a line. */
  | 'no_point'
  | 'too_long'

/** A line taken apart. */
export type Parts = { readonly text: string; readonly fields: readonly string[] }

const DECODERS = {
  'utf-8': new TextDecoder('utf-8', { fatal: true }),
  gb18030: new TextDecoder('gb18030', { fatal: true }),
  latin1: new TextDecoder('latin1'),
} as const

export function takeApart(line: Uint8Array, form: LineForm): Parts | LineRefusal {
  const decoded = decode(line, form.encoding)
  if (decoded === null) return 'not_text'
  const begin = form.begin === '' ? 0 : decoded.lastIndexOf(form.begin)
  if (begin < 0) return 'no_begin'
  // What stands before it is the rest of a line that was cut off.
  const text = trimEnd(decoded.slice(begin + form.begin.length))
  const fields = form.separator === null ? [] : fieldsOf(text, form.separator)
  return form.fields !== null && fields.length !== form.fields ? 'fields' : { text, fields }
}

function decode(line: Uint8Array, encoding: LineForm['encoding']): string | null {
  try {
    return DECODERS[encoding].decode(line)
  } catch (error) {
    // A fatal decoder has no other way to say no.
    if (error instanceof TypeError) return null
    throw error
  }
}

/** Where the delimiter is LF alone, the CR of CR LF is left over. Blanks at the front count: columns may begin with them. */
function trimEnd(text: string): string {
  return text.replace(/\s+$/, '')
}

/** A blank as separator stands for any number of them. */
function fieldsOf(text: string, separator: string): readonly string[] {
  if (separator === ' ') return text.trim().split(/ +/)
  return text.split(separator).map((field) => field.trim())
}

/** null: the line has no such part. */
export function partOf({ text, fields }: Parts, part: TextPart): string | null {
  switch (part.kind) {
    case 'line':
      return text.trim()
    case 'field':
      return fields[part.number - 1] ?? null
    case 'columns':
      return text.length < part.from ? null : text.slice(part.from - 1, part.to).trim()
  }
}

/** Readings of the points that such a line tells; none: it tells nothing of them. */
export function readParts(parts: Parts, points: readonly Point[]): readonly Reading[] {
  return points.flatMap((point): Reading[] => {
    if (point.source.from !== 'field' || point.source.place.protocol !== 'textline') return []
    const { place, treatment } = point.source
    if (!place.only.every(({ part, text }) => partOf(parts, part) === text)) return []
    const field = partOf(parts, place.part)
    // An empty event has not happened.
    if (field === null || (field === '' && point.kind === 'event')) return []
    const raw = treatment.map === null && treatment.card === undefined ? understand(field, point.type) : bare(field)
    const treat = compileTreatment(treatment)
    const outcome: Outcome = raw === null ? NO_VALUE : treat === null ? plain(raw) : treat(raw)
    return [isFault(outcome) ? { point: point.index, fault: outcome } : { point: point.index, value: outcome }]
  })
}
