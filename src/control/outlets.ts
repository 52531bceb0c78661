/**
 * A write to a composed point goes to the point behind it, turned round where the composition turns it round. Both rules hold: the
 * composed point's here, the other's where it is written. Points that follow nothing are passed on as they are.
 */
import { type LastWrite, mayWrite } from '../bus/write.ts'
import type { WriteOutcome, WriteRequest } from '../model/command.ts'
import type { Value } from '../model/point.ts'
import type { Site } from '../model/site.ts'

export type Write = (request: WriteRequest, signal: AbortSignal) => Promise<WriteOutcome>

export function createOutlets(options: {
  readonly site: Site
  readonly mono: () => number
  /** For points that follow no other. */
  readonly write: Write
}): Write {
  const { site, mono } = options
  const lastWrites = new Map<number, LastWrite>()

  const write: Write = async (request, signal) => {
    const point = site.points[request.point]
    if (point === undefined || point.source.from !== 'point') return await options.write(request, signal)
    const { source } = point
    const last = lastWrites.get(point.index) ?? null
    const refusal = mayWrite(point, request.value, { role: request.role, last, now: mono() })
    if (refusal !== null) return { outcome: 'refused', ...refusal }
    // Counted before it is sent: of two commands at the same moment the second must see the first.
    lastWrites.set(point.index, { value: request.value, mono: mono() })
    const value = turned(request.value, source.invert)
    const outcome = await write({ ...request, point: source.point, value }, signal)
    if (outcome.outcome === 'refused' || outcome.outcome === 'expired') {
      if (last === null) lastWrites.delete(point.index)
      else lastWrites.set(point.index, last)
    }
    return outcome.outcome === 'done' && outcome.readBack !== null
      ? { outcome: 'done', readBack: turned(outcome.readBack, source.invert) }
      : outcome
  }
  return write
}

function turned(value: Value, invert: boolean): Value {
  return invert && typeof value === 'boolean' ? !value : value
}
