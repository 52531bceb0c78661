/** One chain of questions per period; the records of all its telegrams become readings. */
import type { Point } from '../../model/point.ts'
import type { Reading } from '../../model/sample.ts'
import type { Block } from '../protocol.ts'
import { compileTreatment, isFault, NO_VALUE, type Outcome } from '../treatment.ts'
import { ask } from './framing.ts'
import type { Header } from './header.ts'
import { placeOf } from './place.ts'
import { findRecord, parseSelector, type Selector } from './select.ts'
import { readTelegram, type Telegram } from './telegram.ts'

/** C, A and CI stand before the data; an acknowledgement is shorter. */
const HEAD = 3
/** Start, C, A, checksum, stop. */
const SHORT_BYTES = 5
/** How long a telegram is nobody knows beforehand; those of the public collections have 32 to 253 bytes, the middle one 87. */
const TELEGRAM_BYTES = 90

export function plan(points: readonly Point[]): readonly Block[] {
  const groups = new Map<number, { telegrams: number; points: number[] }>()
  for (const point of points) {
    const place = placeOf(point)
    if (place === null || point.source.from !== 'field' || point.source.everyMs === null) continue
    const { everyMs } = point.source
    const group = groups.get(everyMs) ?? { telegrams: 1, points: [] }
    groups.set(everyMs, group)
    group.telegrams = Math.max(group.telegrams, place.telegrams)
    group.points.push(point.index)
  }
  return [...groups].map(([everyMs, { telegrams, points: indices }]) => ({
    key: 'data',
    points: indices,
    everyMs,
    ask: (address) => ask(address, telegrams),
    follows: { questions: telegrams, bytes: telegrams * (SHORT_BYTES + TELEGRAM_BYTES) },
    read: createRead(indices),
  }))
}

/** Who gave this answer; null: an acknowledgement, or an answer that does not say. */
export function answeredBy(body: Uint8Array): Header | null {
  return body.length < HEAD ? null : readTelegram(body[2] ?? 0, body.subarray(HEAD)).header
}

type Extract = { readonly point: number; readonly take: (telegrams: readonly Telegram[]) => Outcome }

function createRead(indices: readonly number[]): Block['read'] {
  let extracts: readonly Extract[] | null = null
  return (points, bodies): readonly Reading[] => {
    extracts ??= compile(indices, points)
    const telegrams = bodies
      .filter(({ length }) => length >= HEAD)
      .map((body) => readTelegram(body[2] ?? 0, body.subarray(HEAD)))
    // Where one record's end is wrong, so may the values behind it be: none is taken.
    const sound = telegrams.length > 0 && telegrams.every(({ flaw }) => flaw === null)
    return extracts.map(({ point, take }) => {
      const outcome = sound ? take(telegrams) : NO_VALUE
      return isFault(outcome) ? { point, fault: outcome } : { point, value: outcome }
    })
  }
}

function compile(indices: readonly number[], points: readonly Point[]): readonly Extract[] {
  return indices.map((index) => {
    const direct = points[index]
    const point = direct?.index === index ? direct : points.find((candidate) => candidate.index === index)
    const place = point === undefined ? null : placeOf(point)
    const selector = place === null ? 'it has another protocol' : parseSelector(place.record)
    if (typeof selector === 'string') throw new RangeError(`point ${index} is no M-Bus record of these: ${selector}`)
    if (point === undefined || point.source.from !== 'field') throw new RangeError(`point ${index} is not read`)
    const treat = compileTreatment(point.source.treatment)
    const asText = point.type === 'str' && point.source.treatment.map === null
    return {
      point: index,
      take(telegrams) {
        const found = valueOf(selector, telegrams)
        if (isFault(found)) return found
        const raw = asText ? String(found) : found
        return treat === null ? raw : treat(raw)
      },
    }
  })
}

function valueOf(selector: Selector, telegrams: readonly Telegram[]): Outcome {
  if (selector.from === 'record') return findRecord(selector, telegrams)?.value ?? NO_VALUE
  const status = telegrams.find(({ header }) => header !== null)?.header?.status
  if (status === undefined) return NO_VALUE
  return selector.bit === null ? status : ((status >> selector.bit) & 1) === 1
}
