/** An answer, with its follow-ons where it came in parts, becomes readings. What does not fit the table gives faults, never values. */
import type { Fault } from '../../model/fault.ts'
import type { Treatment } from '../../model/point.ts'
import type { Reading } from '../../model/sample.ts'
import type { Block } from '../protocol.ts'
import { compileTreatment, isFault, NO_VALUE, type Outcome, plain, type Raw, SENTINEL } from '../treatment.ts'
import { writePairs } from '../../bytes/bcd.ts'
import { FN, functionOf, MORE } from './control.ts'
import type { Format } from './format.ts'

export type Element = { readonly point: number; readonly format: Format; readonly treatment: Treatment }

/** What an answer to this identifier looks like. */
export type Shape = {
  readonly item: string
  /** Of one element. */
  readonly bytes: number
  readonly members: readonly string[]
  /** How many elements can be told from each other where some are missing. */
  readonly sure: number
  /** One element and nothing else. */
  readonly single: boolean
}

type Extract = {
  readonly point: number
  readonly index: number
  readonly take: (payload: Uint8Array, at: number) => Outcome
}

export function createRead(shape: Shape, elements: ReadonlyMap<string, readonly Element[]>): Block['read'] {
  const extracts = [...elements].flatMap(([item, own]) =>
    own.map((element): Extract => ({ point: element.point, index: shape.members.indexOf(item), take: taker(element) })),
  )
  return (_points, bodies): readonly Reading[] => {
    const payload = join(shape.item, bodies)
    const count = payload === null ? null : countOf(payload, shape)
    return extracts.map(({ point, index, take }) => {
      const outcome =
        payload === null || count === null
          ? NO_VALUE
          : (missing(index, count, shape) ?? take(payload, index * shape.bytes))
      return isFault(outcome) ? { point, fault: outcome } : { point, value: outcome }
    })
  }
}

/** Behind the identifiers, in one piece; null: this is not the answer to this question. */
export function join(item: string, bodies: readonly Uint8Array[]): Uint8Array | null {
  const identifier = writePairs(item)
  const [first, ...rest] = bodies
  if (first === undefined || !begins(first, identifier.length === 4 ? FN.read : FN.read97, identifier)) return null
  const head = 1 + identifier.length
  const parts = [first.subarray(head)]
  for (const [at, body] of rest.entries()) {
    // The part's number is its last byte.
    if (!begins(body, FN.readFollowing, identifier) || body.length <= head || body[body.length - 1] !== at + 1)
      return null
    parts.push(body.subarray(head, -1))
  }
  // What is cut off before its end is no value: nobody knows what is missing. (How 1997 goes on is not known: its part stands alone.)
  const last = rest.at(-1) ?? first
  if (identifier.length === 4 && ((last[0] ?? 0) & MORE) !== 0) return null
  if (parts.length === 1) return parts[0] ?? null
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let to = 0
  for (const part of parts) {
    whole.set(part, to)
    to += part.length
  }
  return whole
}

/** How many elements came; null: a length that they cannot have, so that nobody knows where one begins. */
function countOf(payload: Uint8Array, { bytes, members, single }: Shape): number | null {
  const count = payload.length / bytes
  if (!Number.isInteger(count) || count === 0 || count > members.length) return null
  return single && count !== 1 ? null : count
}

/**
 * null: it is there. What the meter does not have is no value; where a phase is left out and the others closed the ranks, all
 * beyond the first ones are a fault, since B and C cannot be told apart.
 */
function missing(index: number, count: number, { members, sure }: Shape): Fault | null {
  if (index >= count) return count <= sure ? SENTINEL : NO_VALUE
  return count === members.length || index < sure ? null : NO_VALUE
}

function taker({ format, treatment }: Element): Extract['take'] {
  const treat = compileTreatment(treatment)
  const finish = (raw: Raw): Outcome => (treat === null ? plain(raw) : treat(raw))
  return (payload, at) => {
    const raw = format.read(payload, at)
    return typeof raw === 'object' ? raw : finish(raw)
  }
}

function begins(body: Uint8Array, control: number, identifier: Uint8Array): boolean {
  if (functionOf(body[0] ?? 0) !== control || body.length < 1 + identifier.length) return false
  return identifier.every((byte, at) => byte === body[1 + at])
}
