/**
 * Writes: judged first, sent once, checked by the echo, read back where the driver says so. After a timeout nobody knows whether the
 * device did it, so it is never sent again; only reading back may still prove that it was done.
 */
import type { Why, WriteOutcome, WriteRequest } from '../model/command.ts'
import { causeText, causeWords } from '../model/fault.ts'
import type { Point, Role, Text, Value, WriteRule } from '../model/point.ts'
import type { Reading } from '../model/sample.ts'
import { protocolOf, type Protocols } from '../protocols/all.ts'
import type { Question, Refusal } from '../protocols/protocol.ts'
import { sleep } from '../runtime/timer.ts'
import type { CommandResult } from './orders.ts'
import type { Seat } from './schedule.ts'

/** The last write that was done or may have been done. */
export type LastWrite = { readonly value: Value; readonly mono: number }

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, engineer: 2, admin: 3 }

/** Why this may not be written now; null: it may. The cause is `word: sentence`. */
export function mayWrite(
  point: Point,
  value: Value,
  { role, last, now }: { role: Role; last: LastWrite | null; now: number },
): Why | null {
  const { id } = point
  if (point.forbidden) return because('forbidden', `${id} must never be written by a gateway`, `网关禁止写入 ${id}`)
  const rule = point.write
  if (rule === null) return because('not_writable', `the driver does not let ${id} be written`, `驱动不允许写入 ${id}`)
  if (RANK[role] < RANK[rule.role])
    return because('role', `${id} takes ${rule.role}, not ${role}`, `写入 ${id} 需要 ${rule.role} 权限，当前为 ${role}`)
  return badValue(point, value, rule) ?? tooSoon(value, { rule, last, now })
}

/** `word: sentence` for programs, and the sentence in both languages for people. */
export function because(word: string, en: string, zh: string): Why {
  return { cause: `${word}: ${en}`, reason: { en, zh } }
}

function badValue({ id, type }: Point, value: Value, { min, max, step }: WriteRule): Why | null {
  if (type === 'bool')
    return typeof value === 'boolean'
      ? null
      : because('type', `${id} takes true or false`, `${id} 的值应为 true 或 false`)
  if (type === 'str')
    return typeof value === 'string' ? null : because('type', `${id} takes a text`, `${id} 的值应为文本`)
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  if (typeof number !== 'number' || !Number.isFinite(number))
    return because('type', `${id} takes a number`, `${id} 的值应为数字`)
  if (min !== null && number < min) return because('range', `${number} is below ${min}`, `${number} 低于下限 ${min}`)
  if (max !== null && number > max) return because('range', `${number} is above ${max}`, `${number} 高于上限 ${max}`)
  if (step === null || step <= 0) return null
  const from = min ?? 0
  const steps = (number - from) / step
  return Math.abs(steps - Math.round(steps)) < 1e-6
    ? null
    : because(
        'step',
        `${number} is not a multiple of ${step} from ${from}`,
        `${number} 不符合步进：应为 ${from} 加上 ${step} 的整数倍`,
      )
}

function tooSoon(
  value: Value,
  { rule, last, now }: { rule: WriteRule; last: LastWrite | null; now: number },
): Why | null {
  if (last === null) return null
  const age = now - last.mono
  const wait = (ms: number): number => Math.ceil((ms - age) / 100) / 10
  const seconds = (ms: number): number => ms / 1000
  const { rateMs, minOnMs, minOffMs } = rule
  if (age < rateMs)
    return because(
      'rate',
      `one write in ${seconds(rateMs)} s; wait ${wait(rateMs)} s`,
      `写入过于频繁：${seconds(rateMs)} 秒内只能写一次，请再等 ${wait(rateMs)} 秒`,
    )
  if (last.value === true && value === false && age < minOnMs)
    return because(
      'min_on',
      `it stays on for at least ${seconds(minOnMs)} s; wait ${wait(minOnMs)} s`,
      `至少保持开启 ${seconds(minOnMs)} 秒，请再等 ${wait(minOnMs)} 秒`,
    )
  if (last.value === false && value === true && age < minOffMs)
    return because(
      'min_off',
      `it stays off for at least ${seconds(minOffMs)} s; wait ${wait(minOffMs)} s`,
      `至少保持关闭 ${seconds(minOffMs)} 秒，请再等 ${wait(minOffMs)} 秒`,
    )
  return null
}

/** What was read back after a write, and what spoke against the write already; `found` null: nothing came. */
export function notProven(doubt: Why | null, found: Reading | null): Why {
  const what: Why =
    found === null
      ? { cause: 'not_read', reason: { en: 'reading back brought nothing', zh: '回读没有结果' } }
      : 'fault' in found
        ? { cause: causeText(found.fault), reason: readsBad(causeWords(found.fault)) }
        : {
            cause: `reads ${found.value}`,
            reason: { en: `reading back gives ${found.value}`, zh: `回读为 ${found.value}` },
          }
  const cause = `${doubt?.cause ?? 'read_back'}: ${what.cause}`
  const [mine, before] = [what.reason, doubt?.reason]
  if (mine === undefined) return { cause }
  return {
    cause,
    reason: before === undefined ? mine : { en: `${before.en}; ${mine.en}`, zh: `${before.zh}；${mine.zh}` },
  }
}

function readsBad({ en, zh }: Text): Text {
  return { en: `reading back: ${en}`, zh: `回读：${zh}` }
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

  async function confirm(point: Point, value: Value, doubt: Why | null): Promise<WriteOutcome> {
    const { reading, same } = await readBack(point, value)
    const seen = reading !== null && 'value' in reading ? reading.value : null
    return same ? { outcome: 'done', readBack: seen } : { outcome: 'unknown', ...notProven(doubt, reading) }
  }

  return async ({ point: index, value, role }) => {
    const point = access.points[index]
    if (point === undefined) throw new RangeError(`no point ${index}`)
    const seat = access.seatOf(index)
    const last = lastWrites.get(index) ?? null
    const refusal = mayWrite(point, value, { role, last, now: access.mono() })
    if (refusal !== null) return { outcome: 'refused', ...refusal }
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
      if (result.why === 'expired')
        return {
          outcome: 'expired',
          cause: 'the bus had no time for it',
          reason: { en: 'the bus had no time for it', zh: '总线没有空闲时间执行' },
        }
      return result.why === 'full'
        ? { outcome: 'refused', ...because('full', 'too many commands wait', '排队的命令太多') }
        : { outcome: 'refused', cause: 'closed' }
    }
    const cause = causeText(result.fault)
    if (isUndone(result)) return { outcome: 'refused', cause }
    return wantsReadBack
      ? confirm(point, value, { cause, reason: causeWords(result.fault) })
      : { outcome: 'unknown', cause }
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
