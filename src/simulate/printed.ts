/**
 * Lines as a board would print them, from the driver's own words about them: which kinds of line there are (`only`), what stands
 * where, how they begin and end. Pure; the gateway's codec must read what comes out.
 */
import type { TextlinePlace, TextPart, Value } from '../model/point.ts'
import type { LineForm } from '../model/site.ts'
import { partText } from '../protocols/textline/index.ts'
import type { Cell, SimulatedDevice } from './devices.ts'
import { rawOf } from './spoken.ts'

type Condition = TextlinePlace['only'][number]

/** Lines of one form: what must stand in them, and which values they tell. */
export type LineKind = {
  readonly only: readonly Condition[]
  readonly cells: readonly Cell[]
}

export type Piece = { readonly part: TextPart; readonly text: string }

/** A value without conditions stands in every line. */
export function kindsOf({ cells }: SimulatedDevice): readonly LineKind[] {
  const sets = new Map<string, readonly Condition[]>()
  for (const cell of cells) {
    const only = placeOf(cell)?.only
    if (only !== undefined) sets.set(keyOf(only), only)
  }
  return [...sets.values()].map((only) => {
    const met = new Set(only.map(conditionKey))
    const own = cells.filter((cell) => placeOf(cell)?.only.every((each) => met.has(conditionKey(each))) === true)
    return { only, cells: own }
  })
}

function placeOf({ point: { source } }: Cell): TextlinePlace | null {
  return source.from === 'field' && source.place.protocol === 'textline' ? source.place : null
}

function keyOf(only: readonly Condition[]): string {
  return only.map(conditionKey).sort().join('\n')
}

function conditionKey({ part, text }: Condition): string {
  return `${partText(part)} ${text}`
}

/** What the line says at this moment, without its id. null: this place stays empty. */
export function piecesOf({ only, cells }: LineKind, valueOf: (cell: Cell) => Value | null): readonly Piece[] {
  const values = cells.flatMap((cell): Piece[] => {
    const place = placeOf(cell)
    const { source } = cell.point
    if (place === null || source.from !== 'field') return []
    const value = valueOf(cell)
    return [{ part: place.part, text: value === null ? '' : textOf(rawOf(source.treatment, value)) }]
  })
  // Conditions last: where a value stands in the same place, it is what the line is known by.
  return [...values, ...only]
}

function textOf(raw: Value): string {
  if (typeof raw === 'boolean') return raw ? '1' : '0'
  return String(raw)
}

/** The bytes of a line, its delimiter included. */
export function buildLine(form: LineForm, pieces: readonly Piece[]): Uint8Array {
  const clean = pieces.map(({ part, text }) => ({ part, text: printable(text, form, part) }))
  const whole = clean.find(({ part }) => part.kind === 'line')
  const text = whole?.text ?? columns(fields(form, clean), clean)
  return encode(`${form.begin}${text}${form.delimiter}`, form.encoding)
}

/** A sign that ends a field or a line cannot stand inside. */
function printable(text: string, { separator, delimiter, begin }: LineForm, part: TextPart): string {
  const bad = new Set(signsOf(delimiter + begin + (part.kind === 'line' ? '' : (separator ?? ''))))
  return signsOf(text)
    .filter((sign) => !bad.has(sign))
    .join('')
}

function fields({ separator, fields: count }: LineForm, pieces: readonly Piece[]): string {
  if (separator === null) return ''
  const numbers = pieces.flatMap(({ part }) => (part.kind === 'field' ? [part.number] : []))
  // Any number of blanks is one separator: an empty field needs a sign.
  const nothing = separator === ' ' ? '-' : ''
  const row = Array<string>(count ?? Math.max(0, ...numbers)).fill(nothing)
  for (const { part, text } of pieces) if (part.kind === 'field') row[part.number - 1] = text === '' ? nothing : text
  return row.join(separator)
}

/** Numbers stand at the right of their columns, words at the left; what is too long is cut. */
function columns(line: string, pieces: readonly Piece[]): string {
  const signs = signsOf(line)
  for (const { part, text } of pieces) {
    if (part.kind !== 'columns') continue
    const width = part.to - part.from + 1
    const cut = signsOf(text).slice(0, width).join('')
    const padded = /^-?[\d.]+$/.test(cut) ? cut.padStart(width) : cut.padEnd(width)
    while (signs.length < part.to) signs.push(' ')
    signs.splice(part.from - 1, width, ...signsOf(padded))
  }
  return signs.join('')
}

/** The same id but for one sign, and none of those that are in use; null: there is none. */
export function otherId(id: string, used: ReadonlySet<string>): string | null {
  const stem = id.slice(0, -1)
  const others = signsOf('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ').map((sign) => `${stem}${sign}`)
  return others.find((other) => !used.has(other)) ?? null
}

/** By code points, as columns are counted. */
function signsOf(text: string): string[] {
  return Array.from(text)
}

function encode(text: string, encoding: LineForm['encoding']): Uint8Array {
  if (encoding === 'utf-8') return new TextEncoder().encode(text)
  if (encoding === 'latin1') return Uint8Array.from(text, (sign) => Math.min(0xff, sign.codePointAt(0) ?? 0))
  return Uint8Array.from(signsOf(text).flatMap((sign) => gb18030(sign)))
}

let pairs: ReadonlyMap<string, readonly [number, number]> | null = null

/** The platform only decodes it, so the two-byte part is turned round once. */
function gb18030(sign: string): readonly number[] {
  const code = sign.codePointAt(0) ?? 0
  if (code < 0x80) return [code]
  pairs ??= pairsOf()
  return pairs.get(sign) ?? [0x3f]
}

function pairsOf(): ReadonlyMap<string, readonly [number, number]> {
  const decoder = new TextDecoder('gb18030')
  const found = new Map<string, readonly [number, number]>()
  for (let lead = 0x81; lead <= 0xfe; lead++)
    for (let trail = 0x40; trail <= 0xfe; trail++) {
      const sign = decoder.decode(Uint8Array.of(lead, trail))
      if (signsOf(sign).length === 1) found.set(sign, [lead, trail])
    }
  return found
}
