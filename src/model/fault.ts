/** Expected failures of the field. A fault is a value: it explains why a point has no value. */
export type Fault =
  | { kind: 'timeout' }
  | { kind: 'crc' }
  | { kind: 'exception'; code: number }
  | { kind: 'closed' }
  | { kind: 'refused' }
  | { kind: 'sentinel' }
  | { kind: 'out_of_range' }
  | { kind: 'device_fault' }
  | { kind: 'not_read' }
  | { kind: 'not_configured' }

/** Why a value is kept but not trusted. */
export type Doubt = 'stale' | 'frozen' | 'rate' | 'substituted' | 'first_after_timeout'

/** The words that travel (uplink contract, section 5) and that `points --json` prints. */
export function causeText(cause: Fault | Doubt): string {
  if (typeof cause === 'string') return cause
  return cause.kind === 'exception' ? `exception:${cause.code}` : cause.kind
}

/** Two faults that would print alike are one statement; repeating it is no news. */
export function sameFault(a: Fault, b: Fault): boolean {
  return a.kind === b.kind && (a.kind !== 'exception' || (b.kind === 'exception' && a.code === b.code))
}
