/**
 * The CSV table of a family: UTF-8 with or without byte order mark, GBK accepted and named. Commas, quotes as in RFC 4180.
 * What a spreadsheet ruined is refused: it cannot be guessed back. The column in a finding is the number of the cell.
 */
import { nearest } from '../derive/nearest.ts'
import { decodeAs, type Document, type Path, readBytes } from '../driver/document.ts'
import type { Findings, Position } from '../driver/finding.ts'
import { parseShape } from '../driver/issues.ts'
import { ID } from '../driver/shapes.ts'
import { type MemberBlock, memberBlock } from './schema.ts'

export type Row = {
  readonly id: string
  readonly block: MemberBlock
  /** The row as a document, so that findings name its cells. */
  readonly document: Document
}

const PLAIN = ['id', 'address', 'bus', 'line', 'topic', 'name', 'name.en', 'name.zh'] as const
const GROUPS = ['place', 'tags', 'params', 'inputs'] as const
/** `1.23457E+11`: twelve digits that a spreadsheet took for a number. */
const RUINED = /^[+-]?\d+([.,]\d+)?E[+-]?\d+$/i
const SHEET_ERROR = /^#(N\/A|REF!|VALUE!|NAME\?|DIV\/0!|NULL!|NUM!|#+)$/

/** `file` is what findings call the table. Empty after findings of the whole file. */
export function readTable(path: string, file: string, findings: Findings): readonly Row[] {
  const bytes = readBytes(path, file, findings)
  const text = bytes === null ? null : decode(bytes, { file, line: 1, col: 1 }, findings)
  if (text === null) return []
  const lines = splitCells(text, file, findings)
  if (lines === null) return []
  const [header, ...rows] = lines
  if (header === undefined) findings.error({ file, line: 1, col: 1 }, 'tableEmpty', {})
  if (header === undefined || !checkHeader(header, file, findings)) return []
  if (rows.length === 0) findings.error({ file, line: 1, col: 1 }, 'tableEmpty', {})
  return rows.flatMap((row) => readRow(row, header.cells, file, findings))
}

function decode(bytes: Uint8Array, at: Position, findings: Findings): string | null {
  const nul = bytes.indexOf(0)
  if (nul >= 0) {
    findings.error(at, 'binary', { offset: nul })
    return null
  }
  const utf8 = decodeAs('utf-8', bytes)
  if (utf8 !== null) return utf8
  const gbk = decodeAs('gb18030', bytes)
  if (gbk === null) findings.error(at, 'notUtf8', {})
  else findings.warn(at, 'tableGbk', {})
  return gbk
}

type Cells = { readonly line: number; readonly cells: readonly string[] }

/** Lines without any text are left out. */
function splitCells(text: string, file: string, findings: Findings): readonly Cells[] | null {
  const rows: Cells[] = []
  let cells: string[] = []
  let line = 1
  let rowLine = 1
  let at = 0
  const endRow = (): void => {
    if (cells.some((cell) => cell !== '')) rows.push({ line: rowLine, cells })
    cells = []
    rowLine = line
  }
  while (at < text.length) {
    const cell = text[at] === '"' ? quoted(text, at) : bare(text, at)
    if (cell === null) {
      findings.error({ file, line, col: cells.length + 1 }, 'tableQuote', {})
      return null
    }
    cells.push(cell.text.trim())
    line += cell.text.split('\n').length - 1
    at = cell.end
    if (text[at] === ',') {
      at += 1
      if (at < text.length) continue
      cells.push('')
    }
    if (text[at] === '\r') at += 1
    if (text[at] === '\n') at += 1
    line += 1
    endRow()
  }
  endRow()
  return rows
}

function bare(text: string, start: number): { text: string; end: number } {
  let end = start
  while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '\r') end += 1
  return { text: text.slice(start, end), end }
}

/** Doubled quotes stand for one; what follows the closing quote up to the comma is dropped (spaces). */
function quoted(text: string, start: number): { text: string; end: number } | null {
  let inside = ''
  let at = start + 1
  for (;;) {
    const close = text.indexOf('"', at)
    if (close < 0) return null
    inside += text.slice(at, close)
    if (text[close + 1] !== '"') return { text: inside, end: bare(text, close + 1).end }
    inside += '"'
    at = close + 2
  }
}

function checkHeader({ line, cells }: Cells, file: string, findings: Findings): boolean {
  const before = findings.errors
  const first = cells[0] ?? ''
  const foreign = /[;\t|]/.exec(first)
  if (cells.length === 1 && foreign !== null) {
    findings.error({ file, line, col: 1 }, 'tableSeparator', { char: foreign[0] })
    return false
  }
  const seen = new Set<string>()
  for (const [index, column] of cells.entries()) {
    if (column === '') continue
    const at = { file, line, col: index + 1 }
    if (seen.has(column)) findings.error(at, 'tableColumnTwice', { column })
    seen.add(column)
    const [group, key] = column.split('.', 2)
    const grouped = key !== undefined && ID.test(key) && GROUPS.some((name) => name === group)
    if (grouped || PLAIN.some((name) => name === column)) continue
    if (GROUPS.some((name) => name === column)) findings.error(at, 'tableGroup', { column })
    else findings.error(at, 'tableColumn', { column, near: nearColumn(column, group, key) })
  }
  if (!seen.has('id')) findings.error({ file, line, col: 1 }, 'tableNoId', {})
  return findings.errors === before
}

/** `plcae.room` is nearly `place.room`, and `tags.House` nearly `tags.house`. */
function nearColumn(column: string, group = '', key?: string): string | null {
  if (key === undefined) return nearest(column, PLAIN)
  const meant = nearest(group, GROUPS)
  const small = key.toLowerCase()
  return meant === null || !ID.test(small) ? null : `${meant}.${small}`
}

function readRow({ line, cells }: Cells, columns: readonly string[], file: string, findings: Findings): readonly Row[] {
  const cellAt = (column: number): Position => ({ file, line, col: column + 1 })
  const before = findings.errors
  const extra = cells.findIndex((cell, index) => index >= columns.length && cell !== '')
  if (extra >= 0) findings.error(cellAt(extra), 'tableWide', { cells: cells.length, columns: columns.length })
  const data: Record<string, unknown> = {}
  let id = ''
  for (const [index, column] of columns.entries()) {
    const cell = cells[index] ?? ''
    if (column === '' || cell === '') continue
    if (RUINED.test(cell)) findings.error(cellAt(index), 'addressRuined', { column, written: cell })
    if (SHEET_ERROR.test(cell)) findings.error(cellAt(index), 'tableRuined', { column, written: cell })
    if (column === 'id') id = cell
    else put(data, column, cell)
  }
  const document = asDocument(data, columns, cellAt, file)
  if (id === '') {
    findings.error(cellAt(columns.indexOf('id')), 'missingKey', { key: 'id', where: '' })
    return []
  }
  if (findings.errors > before) return []
  const block = parseShape(memberBlock, data, document, findings)
  return block === null ? [] : [{ id, block, document }]
}

/** `place.room` becomes {place: {room}}; params are numbers and truth values where they look so. */
function put(data: Record<string, unknown>, column: string, cell: string): void {
  const [group = '', key] = column.split('.', 2)
  if (key === undefined) {
    data[group] = cell
    return
  }
  const old = data[group]
  const map: Record<string, unknown> = typeof old === 'object' && old !== null ? { ...old } : {}
  map[key] = group === 'params' ? valueOf(cell) : cell
  data[group] = map
}

function valueOf(cell: string): string | number | boolean {
  if (/^-?\d+(\.\d+)?$/.test(cell)) return Number(cell)
  return cell === 'true' || cell === 'false' ? cell === 'true' : cell
}

function asDocument(
  data: unknown,
  columns: readonly string[],
  cellAt: (column: number) => Position,
  file: string,
): Document {
  const at = (path: Path): Position => {
    const name = path.slice(0, 2).join('.')
    const exact = columns.indexOf(name)
    const column = exact >= 0 ? exact : columns.findIndex((each) => each === path[0] || each.startsWith(`${path[0]}.`))
    return cellAt(column >= 0 ? column : Math.max(0, columns.indexOf('id')))
  }
  return { file, data, sha: '', at, keyAt: at, inside: at, written: () => null }
}
