/** Where a value lies: a data identifier, and its format by the table of the standard or by the driver's `as`. */
import type { Dlt645Place, Point } from '../../model/point.ts'
import type { Placed, PlaceWords } from '../protocol.ts'
import { type Format, formatNamed } from './format.ts'
import { itemOf, rowOf } from './items.ts'

const FORMATS =
  'XXXXXX.XX (a digit each, `-` in front for signed), bits, bit N, when, date, time, stamp, digits N, text N'

/** `at: "02010100"`, or `at: "9010"` in the 1997 edition. */
export function place({ at, as }: PlaceWords): Placed | string {
  const item = at.trim().toUpperCase()
  if (!/^([0-9A-F]{4}|[0-9A-F]{8})$/.test(item)) {
    return `"${at}" is not a data identifier: 8 hexadecimal digits such as "02010100", or 4 in the 1997 edition`
  }
  if (rowOf(item) !== null) {
    return `${item} asks for a whole row: name one item of it, rows are read at once by themselves where that is quicker`
  }
  const known = itemOf(item)
  if (known === null && as === undefined) {
    return `${item} is not in the table of the standard: say its format with \`as\`, such as \`as: XXXX.XX\``
  }
  const format = as === undefined ? (known?.format ?? null) : formatNamed(as, known?.format ?? null)
  if (format === null) return `"${as}" is not a format that ${item} can have: ${FORMATS}`
  const own = as === undefined || as === known?.format.name
  return {
    place: { protocol: 'dlt645', item, as: own ? null : (as ?? null) },
    type: format.type,
    kind: own ? (known?.kind ?? format.kind) : format.kind,
    ...(known?.unit === null || known === null || format.type !== 'f64' ? {} : { unit: known.unit }),
  }
}

export function placeOf(point: Point): Dlt645Place | null {
  return point.source.from === 'field' && point.source.place.protocol === 'dlt645' ? point.source.place : null
}

/** null: a place that no driver file could have given. */
export function formatOf({ item, as }: Dlt645Place): Format | null {
  const standard = itemOf(item)?.format ?? null
  return as === null ? standard : formatNamed(as, standard)
}
