/** Aligned tables that count what a terminal counts: a Chinese character is two columns wide, a combining mark none. */
import { printable } from './printable.ts'

export type Style = 'red' | 'yellow' | 'green' | 'dim' | 'bold'
export type Cell = string | { readonly text: string; readonly style: Style }
export type Column = {
  readonly title: string
  readonly align?: 'right'
  /** May be cut with … down to this width when the table is too wide; the widest such column gives first. */
  readonly min?: number
}

const CODES: Readonly<Record<Style, string>> = { red: '31', yellow: '33', green: '32', dim: '2', bold: '1' }
const GAP = '  '
const COLUMNS_MIN = 4

export function paint(text: string, style: Style, color: boolean): string {
  return color ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text
}

/** East Asian Wide and Fullwidth, and emoji (Unicode 16, EastAsianWidth.txt): ranges of code points, ascending. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x23e9, 0x23ec],
  [0x25fd, 0x25fe],
  [0x2614, 0x2615],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
]

function widthOf(code: number): number {
  if (code < 0x300) return 1
  if (code <= 0x36f || (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0x20d0 && code <= 0x20ff)) return 0
  return WIDE.some(([first, last]) => code >= first && code <= last) ? 2 : 1
}

export function width(text: string): number {
  let columns = 0
  for (const character of text) columns += widthOf(character.codePointAt(0) ?? 0)
  return columns
}

/** At most so many columns; what is cut ends in …. */
export function cut(text: string, columns: number): string {
  if (width(text) <= columns) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    const next = widthOf(character.codePointAt(0) ?? 0)
    if (used + next > columns - 1) break
    kept += character
    used += next
  }
  return columns <= 0 ? '' : `${kept}…`
}

/** Words onto lines of at most so many columns; Chinese may break anywhere, a word longer than a line is broken. */
export function wrap(text: string, room: number): readonly string[] {
  // In less nothing fits beside the … of what is cut.
  const columns = Math.max(COLUMNS_MIN, room)
  const lines: string[] = []
  let line = ''
  for (const piece of text.match(/[\u2e80-\u9fff\uf900-\uffe6]|[^\s\u2e80-\u9fff\uf900-\uffe6]+|\s+/gu) ?? []) {
    if (width(line + piece.trimEnd()) <= columns) line += piece
    else {
      if (line.trim() !== '') lines.push(line.trimEnd())
      line = piece.trimStart()
      while (width(line) > columns) {
        lines.push(cut(line, columns))
        line = line.slice(cut(line, columns).length - 1)
      }
    }
  }
  if (line.trim() !== '') lines.push(line.trimEnd())
  return lines
}

/** Lines without trailing blanks. A piped table is as wide as it likes; on a terminal give its width. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  options: { width: number; color: boolean },
): readonly string[] {
  const cells = rows.map((row) =>
    row.map((cell) => (typeof cell === 'string' ? printable(cell) : printable(cell.text))),
  )
  const widths = columns.map((column, at) =>
    cells.reduce((widest, row) => Math.max(widest, width(row[at] ?? '')), width(column.title)),
  )
  shrink(widths, columns, options.width)
  const line = (texts: readonly string[], style: (at: number) => Style | null): string =>
    columns
      .map((column, at) => {
        const text = cut(texts[at] ?? '', widths[at] ?? 0)
        const blanks = ' '.repeat((widths[at] ?? 0) - width(text))
        const given = style(at)
        const shown = given === null ? text : paint(text, given, options.color)
        return column.align === 'right' ? blanks + shown : shown + (at === columns.length - 1 ? '' : blanks)
      })
      .join(GAP)
      .trimEnd()
  return [
    line(
      columns.map(({ title }) => title),
      () => 'dim',
    ),
    ...cells.map((texts, row) =>
      line(texts, (at) => {
        const cell = rows[row]?.[at]
        return cell === undefined || typeof cell === 'string' ? null : cell.style
      }),
    ),
  ]
}

function shrink(widths: number[], columns: readonly Column[], limit: number): void {
  for (;;) {
    const total = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (columns.length - 1)
    if (total <= limit) return
    let widest = -1
    for (const [at, column] of columns.entries()) {
      const own = widths[at] ?? 0
      if (column.min !== undefined && own > column.min && (widest < 0 || own > (widths[widest] ?? 0))) widest = at
    }
    if (widest < 0) return
    widths[widest] = Math.max(columns[widest]?.min ?? 1, (widths[widest] ?? 0) - 1)
  }
}
