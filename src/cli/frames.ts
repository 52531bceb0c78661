/** Frames on a screen: time, direction, bytes, and below them what they say. */
import type { DecodedRow } from '../control/shapes-field.ts'
import type { Language } from '../model/site.ts'
import { functionText } from './functions.ts'
import { formatCause, formatQuantity } from './format.ts'
import { printable } from './printable.ts'
import { paint, wrap } from './table.ts'
import { say } from './text.ts'
import type { Screen } from './verbs/status.ts'

/** Time, arrow and the blanks between them. */
const INDENT = 20

/** `clock`: the site's wall clock of a UTC ms; `at`: UTC ms of µs 0. */
export function frameLines(
  row: DecodedRow,
  { at, clock }: { readonly at: number; readonly clock: (at: number) => string },
  screen: Screen,
): readonly string[] {
  const { language, color, width } = screen
  const head = `${stampOf(row.us, at, clock)}  ${row.dir === 'out' ? '→' : '←'}  `
  const took = row.tookUs === null ? '' : `  ${say(language, 'traceTook', { ms: (row.tookUs / 1000).toFixed(1) })}`
  const bytes =
    row.hex === null
      ? [say(language, 'traceMasked', { n: row.count })]
      : wrap((row.hex.match(/../g) ?? []).join(' '), Math.max(20, width - INDENT))
  return [
    ...bytes.map((line, index) => paint(index === 0 ? head + line : blanks(INDENT) + line, 'dim', color)),
    ...saidLines(row, took, language).flatMap(({ text, bad }) =>
      wrap(printable(text), width - INDENT).map((line) =>
        bad ? blanks(INDENT) + paint(line, 'red', color) : blanks(INDENT) + line,
      ),
    ),
  ]
}

function saidLines(
  row: DecodedRow,
  took: string,
  language: Language,
): readonly { readonly text: string; readonly bad: boolean }[] {
  const device = row.device === null ? '' : `${row.device}  `
  const frames = row.frames.flatMap((frame, at) => {
    const fields = Object.entries(frame.fields).map(([name, value]) => `${name} ${textOf(value)}`)
    const head = `${device}${say(language, 'decodeAddress', { address: frame.address })}  ${functionText(frame.function, language)}${at === 0 ? took : ''}`
    // With names of points below, the registers say nothing more.
    const readings =
      row.values.length > 0
        ? []
        : frame.readings.map((one) => `${one.key} ${formatQuantity(one.value, one.unit, language)}`)
    return [
      { text: [head, ...fields, ...readings].join('  '), bad: false },
      ...(frame.fault === null ? [] : [{ text: formatCause(frame.fault, language), bad: true }]),
      ...(frame.note === null ? [] : [{ text: frame.note, bad: true }]),
    ]
  })
  const values = row.values.map(({ point, value, unit, cause }) => ({
    text: `${point}  ${cause === null ? formatQuantity(value, unit, language) : formatCause(cause, language)}`,
    bad: cause !== null,
  }))
  if (row.junk === '') return [...frames, ...values]
  const why =
    row.why === null
      ? say(language, 'traceJunk')
      : say(language, 'because', { what: say(language, 'traceJunk'), why: row.why })
  return [...frames, ...values, { text: why, bad: true }]
}

/** `14:03:22.123456`, microseconds of the wire's own clock. */
function stampOf(us: number, at: number, clock: (at: number) => string): string {
  const ms = Math.floor(us / 1000)
  const whole = at + ms
  const fraction = String(((whole % 1000) + 1000) % 1000).padStart(3, '0') + String(us - ms * 1000).padStart(3, '0')
  return `${clock(whole).slice(11)}.${fraction}`
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function blanks(count: number): string {
  return ' '.repeat(count)
}
