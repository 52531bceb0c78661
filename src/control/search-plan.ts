/** What a search asks, in order: the likely first. Pure. The order is the same each time, so that an interrupted one can be resumed. */
import { lineText } from '../driver/units.ts'
import type { Line, ProtocolName, Wire } from '../model/site.ts'

export type Step =
  /** `table`: holding first, input for those that say nothing. */
  | { readonly kind: 'unit'; readonly line: string | null; readonly unit: number }
  /** Whoever is there: meters are asked by a wildcard. */
  | { readonly kind: 'meters'; readonly line: string | null; readonly protocol: Exclude<ProtocolName, 'modbus'> }

export type SearchOptions = {
  readonly wire: Wire['kind']
  readonly protocols: readonly ProtocolName[]
  /** To be tried, in this order; empty: the protocols' usual ones. A serial server has the one that is set in it. */
  readonly lines: readonly string[]
  readonly units: readonly number[]
}

/** As devices leave the factory, the commonest first. */
const MODBUS_LINES: readonly string[] = [
  '9600 8N1',
  '9600 8E1',
  '19200 8E1',
  '19200 8N1',
  '4800 8N1',
  '2400 8N1',
  '115200 8N1',
]
/** DL/T 645, CJ/T 188 and M-Bus share the first; 9600 is set on newer meters. */
const METER_LINES: readonly string[] = ['2400 8E1', '9600 8E1', '1200 8E1', '4800 8E1']
const METERS = ['dlt645', 'cjt188', 'mbus'] as const
/** Units that installers give first: all settings are tried with these before any is tried with the others. */
const FIRST_UNITS = 16

export function planSearch({ wire, protocols, lines, units }: SearchOptions): readonly Step[] {
  const wantsModbus = protocols.includes('modbus')
  if (wire === 'modbus-tcp') return wantsModbus ? unitSteps(null, units) : []
  const fixed: readonly (string | null)[] | null = wire === 'tcp' ? [lines[0] ?? null] : lines.length > 0 ? lines : null
  const modbusLines = fixed ?? MODBUS_LINES
  const meterLines = fixed ?? METER_LINES
  const meters = meterLines.flatMap((line) =>
    METERS.filter((name) => protocols.includes(name)).map((protocol): Step => ({ kind: 'meters', line, protocol })),
  )
  if (!wantsModbus) return meters
  const early = units.slice(0, FIRST_UNITS)
  const late = units.slice(FIRST_UNITS)
  return [
    ...modbusLines.slice(0, 1).flatMap((line) => unitSteps(line, early)),
    ...meters,
    ...modbusLines.slice(1).flatMap((line) => unitSteps(line, early)),
    ...modbusLines.flatMap((line) => unitSteps(line, late)),
  ]
}

function unitSteps(line: string | null, units: readonly number[]): readonly Step[] {
  return units.map((unit) => ({ kind: 'unit', line, unit }))
}

/** Time on the wire when nobody answers, about: what an engineer wants to know before he starts. */
export function searchMs(steps: readonly Step[], wire: Wire['kind']): number {
  return steps.reduce((sum, step) => sum + (step.kind === 'unit' ? unitMs(wire) : metersMs(step.protocol)), 0)
}

/** A silence is followed by another one, in which a late answer would be recognised. */
function unitMs(wire: Wire['kind']): number {
  return wire === 'modbus-tcp' ? UNIT_TCP_TIMEOUT_MS : 2 * UNIT_TIMEOUT_MS + 20
}

/** Questions that are put before nobody is believed to be there. */
const METER_ASKS = { dlt645: 3, cjt188: 6 } as const

function metersMs(protocol: ProtocolName): number {
  if (protocol === 'mbus') return 2 * MBUS_TIMEOUT_MS
  return protocol === 'modbus' ? 0 : 2 * METER_ASKS[protocol] * METER_TIMEOUT_MS
}

export const UNIT_TIMEOUT_MS = 200
export const UNIT_TCP_TIMEOUT_MS = 500
/** Meters take a second to answer, two when they are looked for. */
export const METER_TIMEOUT_MS = 1500
/** A hundred of these for each pair of digits; the standard gives a meter 500 ms. */
export const NARROW_TIMEOUT_MS = 800
export const MBUS_TIMEOUT_MS = 700

export function stepText(step: Step): string {
  const line = step.line === null ? '' : ` ${step.line}`
  return step.kind === 'unit' ? `modbus${line} ${step.unit}` : `${step.protocol}${line}`
}

/** `1-32,40`; null: it is none. */
export function parseUnits(text: string): readonly number[] | null {
  const units = new Set<number>()
  for (const part of text.split(',')) {
    const [, from, to] = /^\s*(\d{1,3})(?:-(\d{1,3}))?\s*$/.exec(part) ?? []
    const [low, high] = [Number(from), Number(to ?? from)]
    if (from === undefined || low < 1 || high > 255 || low > high) return null
    for (let unit = low; unit <= high; unit++) units.add(unit)
  }
  return [...units].sort((a, b) => a - b)
}

/** Line settings in use on a bus of the site. */
export function linesInUse(lines: readonly (Line | null)[]): readonly string[] {
  return [...new Set(lines.flatMap((line) => (line === null ? [] : [lineText(line)])))]
}
