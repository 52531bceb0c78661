/**
 * An answer becomes readings. What can be known of a request beforehand (offsets, layouts, treatments) is worked out once, so
 * that a poll only walks a table.
 */
import type { ModbusTable, Point, SunspecModel } from '../../model/point.ts'
import type { Reading } from '../../model/sample.ts'
import type { Address, Block, Question } from '../protocol.ts'
import { isFault, NO_VALUE } from '../treatment.ts'
import { extractor, HEAD, type Part, type Take } from './extract.ts'
import { buildRequest, isContentLength, type ReadFunction, word } from './pdu.ts'
import { isBitTable, placeOf } from './place.ts'
import type { Models } from './sunspec.ts'
import { WIDE_COUNT } from './wide.ts'

const FUNCTIONS: Readonly<Record<ModbusTable, ReadFunction>> = { coil: 1, discrete: 2, holding: 3, input: 4 }

/** Which registers or bits, for which points. */
export type Request = Part & {
  readonly points: readonly number[]
  /** Read in the same turn: what the points are multiplied by, where that lies elsewhere. */
  readonly apart?: readonly Part[]
  /** `start` counts from the id register of this model. */
  readonly model?: SunspecModel
  readonly models?: Models
  readonly wideCount?: boolean
}

export function ask(request: Omit<Request, 'points'>, address: Address): Question {
  const fc = FUNCTIONS[request.table]
  const wide = request.wideCount === true && !isBitTable(request.table)
  const [next, ...rest] = request.apart ?? []
  return {
    address,
    body: buildRequest({ fc, start: request.start, count: request.count }),
    writes: false,
    answerBytes: HEAD + contentBytes(request) + (wide ? 1 : 0),
    ...(next === undefined ? {} : { more: () => ask({ ...request, ...next, apart: rest }, address) }),
    ...(wide ? { dialect: WIDE_COUNT } : {}),
  }
}

type Extract = { readonly point: number; readonly take: Take }

/** `Block.read`: what can be known beforehand is worked out at the first answer. */
export function createRead(key: string, request: Request): Block['read'] {
  let extracts: readonly Extract[] | null = null
  return (points, given): readonly Reading[] => {
    extracts ??= compile(key, request, points)
    // Whoever walks a model's row hears headers first.
    const bodies = request.model === undefined ? given : given.slice(-1)
    const [body] = bodies
    if (body === undefined || !answered(request, bodies) || !isModel(request, body)) {
      return extracts.map(({ point }) => ({ point, fault: NO_VALUE }))
    }
    return extracts.map(({ point, take }) => {
      const outcome = take(bodies)
      return isFault(outcome) ? { point, fault: outcome } : { point, value: outcome }
    })
  }
}

/** A device that was exchanged or updated may have its models elsewhere: then they are looked for again. */
function isModel({ model, models, start }: Request, body: Uint8Array): boolean {
  if (model === undefined || start > 0 || word(body, HEAD) === model.id) return true
  models?.clear()
  return false
}

function contentBytes(part: Part): number {
  return isBitTable(part.table) ? Math.ceil(part.count / 8) : 2 * part.count
}

/** A second part that is missing spoils what needs it, and nothing else. */
function answered(request: Request, [own, ...apart]: readonly Uint8Array[]): boolean {
  if (own === undefined || !answers(request, own)) return false
  return apart.every((body, at) => {
    const part = request.apart?.[at]
    return part !== undefined && answers(part, body)
  })
}

function answers(part: Part, body: Uint8Array): boolean {
  const bytes = contentBytes(part)
  const fc = FUNCTIONS[part.table]
  return body.length === HEAD + bytes && body[0] === fc && body[1] === bytes && isContentLength(fc, bytes)
}

function compile(key: string, request: Request, points: readonly Point[]): readonly Extract[] {
  return request.points.map((index) => {
    const direct = points[index]
    const point = direct?.index === index ? direct : points.find((candidate) => candidate.index === index)
    const place = point === undefined ? null : placeOf(point)
    if (point === undefined || place === null || point.source.from !== 'field') {
      throw new RangeError(`block ${key} names point ${index}, which is no Modbus point of these`)
    }
    return { point: index, take: extractor(place, point.source.treatment, [request, ...(request.apart ?? [])]) }
  })
}
