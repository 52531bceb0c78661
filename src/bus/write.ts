/**
 * Writes: judged first, sent once, checked by the echo, read back where the driver says so. After a timeout nobody knows whether the
 * device did it, so it is never sent again; only reading back may still prove that it was done.
 */
import type { WriteOutcome, WriteRequest } from '../model/command.ts'
import { causeText } from '../model/fault.ts'
import type { Point, Role, Value, WriteRule } from '../model/point.ts'
import type { Reading } from '../model/sample.ts'
import { protocolOf, type Protocols } from '../protocols/all.ts'
import type { Question, Refusal } from '../protocols/protocol.ts'
import { sleep } from '../runtime/timer.ts'
import type { CommandResult } from './orders.ts'
import type { Seat } from './schedule.ts'

/** The last write that was done or may have been done. */
export type LastWrite = { readonly value: Value; readonly mono: number }

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, engineer: 2, admin: 3 }

/** Why this may not be written now, as `word: sentence`; null: it may. */
export function mayWrite(
  point: Point,
  value: Value,
  { role, last, now }: { role: Role; last: LastWrite | null; now: number },
): string | null {
  if (point.forbidden) return `forbidden: ${point.id} must never be written by a gateway`
  const rule = point.write
  if (rule === null) return `not_writable: the driver does not let ${point.id} be written`
  if (RANK[role] < RANK[rule.role]) return `role: ${point.id} takes ${rule.role}, not ${role}`
  return badValue(point, value, rule) ?? tooSoon(value, { rule, last, now })
}

function badValue(point: Point, value: Value, { min, max, step }: WriteRule): string | null {
  if (point.type === 'bool') return typeof value === 'boolean' ? null : `type: ${point.id} takes true or false`
  if (point.type === 'str') return typeof value === 'string' ? null : `type: ${point.id} takes a text`
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number)) return `type: ${point.id} takes a number`
  if (min !== null && number < min) return `range: ${number} is below ${min}`
  if (max !== null && number > max) return `range: ${number} is above ${max}`
  if (step === null || step <= 0) return null
  const steps = (number - (min ?? 0)) / step
  return Math.abs(steps - Math.round(steps)) < 1e-6
    ? null
    : `step: ${number} is not a multiple of ${step} from ${min ?? 0}`
}

function tooSoon(
  value: Value,
  { rule, last, now }: { rule: WriteRule; last: LastWrite | null; now: number },
): string | null {
  if (last === null) return null
  const age = now - last.mono
  const wait = (ms: number): string => `wait ${Math.ceil((ms - age) / 100) / 10} s`
  if (age < rule.rateMs) return `rate: one write in ${rule.rateMs / 1000} s; ${wait(rule.rateMs)}`
  if (last.value === true && value === false && age < rule.minOnMs) return `min_on: ${wait(rule.minOnMs)}`
  if (last.value === false && value === true && age < rule.minOffMs) return `min_off: ${wait(rule.minOffMs)}`
  return null
}

export type WriterAccess = {
  readonly points: readonly Point[]
  readonly protocols: Protocols
  readonly mono: () => number
  readonly signal: AbortSignal
  readonly seatOf: (point: number) => Seat
  readonly command: (order: { seat: Seat; device: Seat; question: Question }) => Promise<CommandResult>
  readonly read: (points: readonly number[]) => Promise<readonly Reading[]>
}

/** Devices take over a written value at their next cycle; the last look decides. */
const LOOKS_AFTER_MS = [50, 200, 500]

export function createWriter(access: WriterAccess): (request: WriteRequest) => Promise<WriteOutcome> {
  const lastWrites = new Map<number, LastWrite>()

  async function readBack(point: Point, wanted: Value): Promise<{ reading: Reading | null; same: boolean }> {
    let reading: Reading | null = null
    for (const wait of LOOKS_AFTER_MS) {
      await sleep(wait, access.signal)
      if (access.signal.aborted) break
      const [got] = await access.read([point.index])
      reading = got ?? null
      if (reading !== null && proves(point, { wanted, reading })) return { reading, same: true }
    }
    return { reading, same: false }
  }

  async function confirm(point: Point, value: Value, doubt: string | null): Promise<WriteOutcome> {
    const { reading, same } = await readBack(point, value)
    const seen = reading !== null && 'value' in reading ? reading.value : null
    if (same) return { outcome: 'done', readBack: seen }
    const found =
      reading === null ? 'not_read' : 'fault' in reading ? causeText(reading.fault) : `reads ${reading.value}`
    return { outcome: 'unknown', cause: `${doubt ?? 'read_back'}: ${found}` }
  }

  return async ({ point: index, value, role }) => {
    const point = access.points[index]
    if (point === undefined) throw new RangeError(`no point ${index}`)
    const seat = access.seatOf(index)
    const last = lastWrites.get(index) ?? null
    const refusal = mayWrite(point, value, { role, last, now: access.mono() })
    if (refusal !== null) return { outcome: 'refused', cause: refusal }
    const question = protocolOf(seat.link.protocol, access.protocols).write(point, value, seat.link.address)
    if (typeof question === 'string') return { outcome: 'refused', cause: `value: ${question}` }
    // Counted before it is sent: of two commands at the same moment the second must see the first.
    lastWrites.set(index, { value, mono: access.mono() })
    const result = await access.command({ seat, device: seat, question })
    if (isUndone(result)) {
      if (last === null) lastWrites.delete(index)
      else lastWrites.set(index, last)
    }
    const wantsReadBack = point.write?.readBack === true
    if (result.kind === 'answer') {
      return wantsReadBack ? confirm(point, value, null) : { outcome: 'done', readBack: null }
    }
    if (result.kind === 'unsent') {
      if (result.why === 'expired') return { outcome: 'expired', cause: 'the bus had no time for it' }
      return { outcome: 'refused', cause: result.why === 'full' ? 'full: too many commands wait' : 'closed' }
    }
    const cause = causeText(result.fault)
    if (isUndone(result)) return { outcome: 'refused', cause }
    return wantsReadBack ? confirm(point, value, cause) : { outcome: 'unknown', cause }
  }
}

/** Refusals that do not say no: it is still working on it; a gateway that heard nothing from the unit. */
const UNDECIDED: ReadonlySet<Refusal> = new Set(['accepted', 'unheard'])

/** The device never saw it, or said no. */
function isUndone(result: CommandResult): boolean {
  if (result.kind !== 'fault') return result.kind === 'unsent'
  const { fault, means } = result
  if (means !== undefined) return !UNDECIDED.has(means)
  return fault.kind === 'exception' || fault.kind === 'device_fault'
}

/** A doubtful value proves nothing. */
function proves(point: Point, { wanted, reading }: { wanted: Value; reading: Reading }): boolean {
  return 'value' in reading && reading.doubt === undefined && sameValue(point, { wanted, got: reading.value })
}

/** What is read back went through the device's own resolution. */
export function sameValue(point: Point, { wanted, got }: { wanted: Value; got: Value }): boolean {
  if (typeof wanted !== 'number' || typeof got !== 'number') return String(wanted) === String(got)
  const scale = point.source.from === 'field' ? Math.abs(point.source.treatment.scale) : 0
  return Math.abs(wanted - got) <= Math.max(scale / 2, Math.abs(wanted) * 1e-6) + 1e-9
}
