/**
 * Commissioning: what a point said and what somebody saw at the same moment. A proof holds for the driver, the address, the wire and
 * the place under which it was made; when one of them is another it has lapsed.
 */
import { createHash } from 'node:crypto'
import type { Point, Value } from '../model/point.ts'
import type { Site } from '../model/site.ts'
import { placeText } from './place.ts'

export type Proof = {
  /** Registers or bytes of the value, hexadecimal; null: it does not come from a wire, or is personal. */
  readonly raw: string | null
  readonly value: Value | null
  /** As it was typed. */
  readonly seen: string
  readonly agrees: boolean
  readonly by: string
  /** UTC ms. */
  readonly at: number
  readonly under: string
}

export type ProofState = 'proven' | 'differs' | 'lapsed' | 'unproven'

export function proofKey(pointId: string): string {
  return `proof.${pointId}`
}

/** null: none was made, or what is kept is none. */
export function readProof(text: string | null): Proof | null {
  if (text === null) return null
  const kept: unknown = JSON.parse(text)
  return isProof(kept) ? kept : null
}

function isProof(kept: unknown): kept is Proof {
  return (
    typeof kept === 'object' &&
    kept !== null &&
    ['seen', 'agrees', 'by', 'at', 'under'].every((key) => key in kept) &&
    'value' in kept
  )
}

export function stateOf(proof: Proof | null, under: string): ProofState {
  if (proof === null) return 'unproven'
  if (proof.under !== under) return 'lapsed'
  return proof.agrees ? 'proven' : 'differs'
}

/** What a proof holds under, as a short hash: the driver file, the address and line, the wire, the place and what is made of it. */
export function underOf(site: Site, point: Point): string {
  const parts: unknown[] = []
  const seen = new Set<number>()
  const open = [point]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at.index)) continue
    seen.add(at.index)
    const device = site.devices[at.device]
    const link = device?.link
    const wire = link !== undefined && 'bus' in link ? (site.buses[link.bus]?.wireText ?? null) : null
    const { source } = at
    parts.push([
      at.id,
      at.unit,
      device?.driver,
      device?.driverSha,
      link === undefined ? null : { ...link, bus: null },
      wire,
    ])
    if (source.from === 'field') parts.push([placeText(source.place), source.place, source.treatment])
    else if (source.from === 'point') {
      parts.push(source.invert)
      const next = site.points[source.point]
      if (next !== undefined) open.push(next)
    } else if (source.from === 'derive') parts.push(source.formula.kind)
  }
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}

const TRUE = new Set(['true', 'on', 'yes', 'y', '1', '是', '开', '有'])
const FALSE = new Set(['false', 'off', 'no', 'n', '0', '否', '关', '无'])
/** What a gauge may move while somebody reads it and types. */
const DRIFT = 0.01

/** Does what was seen agree with what was decoded? null: it cannot be understood as such a value. */
export function agrees(point: Pick<Point, 'type' | 'kind' | 'unit'>, value: Value, seen: string): boolean | null {
  const text = seen.trim()
  if (typeof value === 'boolean') {
    const word = text.toLowerCase()
    return TRUE.has(word) ? value : FALSE.has(word) ? !value : null
  }
  if (point.type === 'str') return text.toLowerCase() === String(value).trim().toLowerCase()
  const [, number, decimals = ''] = /^([+-]?\d+(?:[.,](\d+))?)/.exec(text.replaceAll(/[\s_](?=\d)/g, '')) ?? []
  if (number === undefined) return null
  const shown = Number(number.replace(',', '.'))
  const actual = Number(value)
  // One unit of the last digit shown: displays cut as often as they round.
  const digit = 1.0001 * 10 ** -decimals.length
  const drift = point.kind === 'counter' ? 0 : DRIFT * Math.abs(actual)
  return Math.abs(shown - actual) <= Math.max(digit, drift)
}
