/**
 * SunSpec: a device says where its values lie. At a known base stand the letters SunS, then models in a row, each an id, a
 * length and so many registers, until the id FFFF. Addresses within a model are fixed; where the model begins is found by
 * walking the row, one header after the other, and checked again with every read.
 */
import type { SunspecModel } from '../../model/point.ts'
import type { Address, Question } from '../protocol.ts'
import { buildRequest, word } from './pdu.ts'

/** Model id to the address of its id register, as far as this device's row was walked. */
export type Models = Map<number, number>

/** `SunS` */
const MARKER = [0x5375, 0x6e53] as const
const LAST = 0xffff
/** Rows have a dozen models; what goes on for longer is no row. */
const STEPS_MAX = 64
/** Function code, byte count, two registers. */
const HEAD = 2
const PAIR_BYTES = HEAD + 4

/**
 * The question with which to look for a model; `data` is asked once it is found (and `models` knows it then). Where there is no
 * marker, or no such model, the walk ends without having asked for data.
 */
export function walk(
  { id, base }: SunspecModel,
  address: Address,
  models: Models,
  data: (start: number) => Question,
): Question {
  return pair(base, address, (first, second) =>
    first === MARKER[0] && second === MARKER[1] ? header(base + MARKER.length, 1) : null,
  )

  function header(at: number, step: number): Question | null {
    if (step > STEPS_MAX || at + 2 > 0x10000) return null
    return pair(at, address, (found, length) => {
      if (found === LAST) return null
      // Of several models of one kind (a meter for each phase group) the first counts.
      if (!models.has(found)) models.set(found, at)
      return found === id ? data(at) : header(at + 2 + length, step + 1)
    })
  }
}

function pair(start: number, address: Address, next: (first: number, second: number) => Question | null): Question {
  return {
    address,
    body: buildRequest({ fc: 3, start, count: 2 }),
    writes: false,
    answerBytes: PAIR_BYTES,
    more: (body) => (body.length === PAIR_BYTES ? next(word(body, HEAD), word(body, HEAD + 2)) : null),
  }
}
