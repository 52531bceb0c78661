/** What is wrong with an expression, and where: for people who read it beside their site file. */
import type { Text } from '../model/point.ts'

export type Flaw = {
  readonly message: Text
  /** 1-based, within the expression. */
  readonly line: number
  readonly column: number
  /** The line of the expression, and below it carets under the fault. */
  readonly caret: string
}

/** `start` and `end` are offsets into `source`; `end` may be at or before `start` (a place, not a stretch). */
export function createFlaw(source: string, message: Text, start: number, end: number): Flaw {
  const at = Math.min(Math.max(0, start), source.length)
  const lineStart = source.lastIndexOf('\n', at - 1) + 1
  const newline = source.indexOf('\n', at)
  const lineEnd = newline < 0 ? source.length : newline
  const before = source.slice(lineStart, at)
  const under = source.slice(at, Math.max(at, Math.min(end, lineEnd)))
  return {
    message,
    line: source.slice(0, lineStart).split('\n').length,
    column: at - lineStart + 1,
    caret: `${source.slice(lineStart, lineEnd)}\n${blank(before)}${'^'.repeat(Math.max(1, width(under)))}`,
  }
}

function blank(text: string): string {
  return Array.from(text, (letter) => (letter === '\t' ? '\t' : ' '.repeat(width(letter)))).join('')
}

/** Columns on a terminal: Chinese, full-width forms and emoji take two (Unicode UAX 11, in blocks). */
function width(text: string): number {
  let columns = 0
  for (const letter of text) columns += (letter.codePointAt(0) ?? 0) >= 0x1100 ? 2 : 1
  return columns
}
