/**
 * An answer becomes readings. What can be known of a request beforehand (offsets, layouts, treatments) is worked out once, so
 * that a poll only walks a table.
 */
import type { Fault } from '../../model/fault.ts'
import type { ModbusPlace, ModbusTable, Point } from '../../model/point.ts'
import type { Reading } from '../../model/sample.ts'
import type { Address, Block, Question } from '../protocol.ts'
import { compileTreatment, isFault, NO_VALUE, type Outcome, plain, type Raw } from '../treatment.ts'
import { encodingOf, isNumberEncoding, layoutOf, readNumber, readText } from './encoding.ts'
import { buildRequest, type ReadFunction, replyLength } from './pdu.ts'
import { isBitTable, placeOf } from './place.ts'

const FUNCTIONS: Readonly<Record<ModbusTable, ReadFunction>> = { coil: 1, discrete: 2, holding: 3, input: 4 }
/** Function code and byte count stand before the content. */
const HEAD = 2

/** Which registers or bits, for which points. */
type Request = {
  readonly table: ModbusTable
  readonly start: number
  readonly count: number
  readonly points: readonly number[]
}

export function ask(block: Request, address: Address): Question {
  const fc = FUNCTIONS[block.table]
  return {
    address,
    body: buildRequest({ fc, start: block.start, count: block.count }),
    writes: false,
    answerBytes: HEAD + contentBytes(block),
  }
}

type Extract = { readonly point: number; readonly take: (body: Uint8Array) => Outcome }

/** `Block.read`: what can be known beforehand is worked out at the first answer. */
export function createRead(key: string, request: Request): Block['read'] {
  let extracts: readonly Extract[] | null = null
  return (points, [body]): readonly Reading[] => {
    extracts ??= compile(key, request, points)
    if (body === undefined || !answers(request, body)) {
      return extracts.map(({ point }) => ({ point, fault: NO_VALUE }))
    }
    return extracts.map(({ point, take }) => {
      const outcome = take(body)
      return isFault(outcome) ? { point, fault: outcome } : { point, value: outcome }
    })
  }
}

function contentBytes(block: Request): number {
  return isBitTable(block.table) ? Math.ceil(block.count / 8) : 2 * block.count
}

function answers(block: Request, body: Uint8Array): boolean {
  const bytes = contentBytes(block)
  const fc = FUNCTIONS[block.table]
  return body.length === HEAD + bytes && body[0] === fc && body[1] === bytes && replyLength(fc, bytes) !== null
}

function compile(key: string, block: Request, points: readonly Point[]): readonly Extract[] {
  return block.points.map((index) => {
    const direct = points[index]
    const point = direct?.index === index ? direct : points.find((candidate) => candidate.index === index)
    const place = point === undefined ? null : placeOf(point)
    if (point === undefined || place === null || point.source.from !== 'field') {
      throw new RangeError(`block ${key} names point ${index}, which is no Modbus point of these`)
    }
    return { point: index, take: extractor(place, point, block) }
  })
}

function extractor(place: ModbusPlace, point: Point, block: Request): (body: Uint8Array) => Outcome {
  const raw = rawReader(place, block)
  const signedBits = isNumberEncoding(place.as) ? encodingOf(place.as).signedBits : 0
  const treat = point.source.from === 'field' ? compileTreatment(point.source.treatment, signedBits) : null
  if (treat === null) {
    return (body) => {
      const found = raw(body)
      return found === null ? NO_VALUE : plain(found)
    }
  }
  return (body): Outcome | Fault => {
    const found = raw(body)
    return found === null ? NO_VALUE : treat(found)
  }
}

function rawReader(place: ModbusPlace, block: Request): (body: Uint8Array) => Raw | null {
  const offset = place.address - block.start
  if (isBitTable(block.table)) {
    const at = HEAD + (offset >> 3)
    const mask = 1 << (offset & 7)
    return (body) => ((body[at] ?? 0) & mask) !== 0
  }
  const at = HEAD + 2 * offset
  const { as, order } = place
  if (as === 'string') {
    const length = place.length ?? 2
    return (body) => readText(body, at, length, order)
  }
  if (!isNumberEncoding(as)) {
    const bit = place.bit ?? 0
    const byte = bit > 7 ? at : at + 1
    const mask = 1 << (bit & 7)
    return (body) => ((body[byte] ?? 0) & mask) !== 0
  }
  const encoding = encodingOf(as)
  // Most points of most devices: no need to go through a view.
  if (as === 'u16' || as === 'bits') return (body) => ((body[at] ?? 0) << 8) | (body[at + 1] ?? 0)
  const layout = layoutOf(order, encoding.words)
  return (body) => readNumber(encoding, layout, body, at)
}
