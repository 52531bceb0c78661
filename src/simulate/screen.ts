/** The demo's one live screen on a terminal, 80 by 24, drawn anew in place; in a pipe plain lines. */
import { printable } from '../cli/printable.ts'
import { cut, paint, width } from '../cli/table.ts'

export type Picture = {
  readonly title: string
  readonly counts: string
  readonly cloud: { readonly text: string; readonly up: boolean }
  readonly values: readonly { readonly name: string; readonly text: string; readonly good: boolean }[]
  readonly alarms: readonly string[]
  readonly headings: {
    readonly values: string
    readonly alarms: string
    readonly none: string
    readonly events: string
  }
  readonly events: readonly string[]
  readonly foot: string
}

const COLUMNS = 80
/** One row less than the terminal has: the cursor stands on the last. */
const ROWS = 23
const EVENTS_SHOWN_MIN = 3

function pad(text: string, columns: number): string {
  const kept = cut(text, columns)
  return kept + ' '.repeat(Math.max(0, columns - width(kept)))
}

/** Lines of at most 80 columns. */
export function draw(picture: Picture, color: boolean): readonly string[] {
  const half = COLUMNS / 2
  const values: string[] = []
  for (let k = 0; k < picture.values.length; k += 2) {
    const cells = picture.values.slice(k, k + 2).map(({ name, text, good }) => {
      const shown = cut(printable(text), 16)
      const line = `${pad(printable(name), half - 2 - width(shown))}${shown}  `
      return good ? line : paint(line, 'red', color)
    })
    values.push(cells.join(''))
  }
  const alarms = picture.alarms.map((alarm) => paint(cut(`  ${printable(alarm)}`, COLUMNS), 'red', color))
  const above = [
    paint(cut(picture.title, COLUMNS), 'bold', color),
    cut(picture.counts, COLUMNS),
    paint(cut(picture.cloud.text, COLUMNS), picture.cloud.up ? 'green' : 'red', color),
    '',
    paint(picture.headings.values, 'dim', color),
    ...values,
    paint(picture.headings.alarms, 'dim', color),
    ...(alarms.length === 0 ? [`  ${picture.headings.none}`] : alarms),
    paint(picture.headings.events, 'dim', color),
  ]
  const room = Math.max(EVENTS_SHOWN_MIN, ROWS - above.length - 1)
  return [
    ...above,
    ...picture.events.slice(-room).map((event) => cut(`  ${printable(event)}`, COLUMNS)),
    paint(picture.foot, 'dim', color),
  ]
}

/** Draws over what was drawn before. */
export function createScreen(write: (text: string) => void): { draw: (picture: Picture) => void; leave: () => void } {
  let height = 0
  return {
    draw(picture) {
      const lines = draw(picture, true)
      const up = height === 0 ? '' : `\u001b[${height}A`
      write(`${up}${lines.map((line) => `\r\u001b[2K${line}`).join('\n')}\n\u001b[0J`)
      height = lines.length
    },
    leave() {
      height = 0
    },
  }
}
