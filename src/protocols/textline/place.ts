/** How a driver says where in a line a value stands: `field 2`, `columns 4-9`, `line`. Numbers begin at 1, as people count. */
import type { TextPart } from '../../model/point.ts'

/** Columns and fields beyond it are no line of a controller. */
const PLACE_MAX = 4096

/** null: it is no such place. */
export function parsePart(written: string): TextPart | null {
  if (written === 'line') return { kind: 'line' }
  const [, field] = /^field (\d{1,4})$/.exec(written) ?? []
  if (field !== undefined) return inside(Number(field)) ? { kind: 'field', number: Number(field) } : null
  const [, first, last] = /^columns? (\d{1,4})(?:-(\d{1,4}))?$/.exec(written) ?? []
  const from = Number(first)
  const to = Number(last ?? first)
  return inside(from) && inside(to) && from <= to ? { kind: 'columns', from, to } : null
}

export function partText(part: TextPart): string {
  if (part.kind === 'line') return 'line'
  return part.kind === 'field' ? `field ${part.number}` : `columns ${part.from}-${part.to}`
}

function inside(number: number): boolean {
  return number >= 1 && number <= PLACE_MAX
}
