/** One question per data identifier and period; its answer becomes readings, each in the unit that all meters are read in. */
import { readPairs } from '../../bytes/bcd.ts'
import type { Cjt188Habits, Cjt188Place, Point } from '../../model/point.ts'
import type { Reading } from '../../model/sample.ts'
import type { Address, Block, Question } from '../protocol.ts'
import { compileTreatment, isFault, NO_VALUE, type Outcome } from '../treatment.ts'
import { type Content, readContent } from './content.ts'
import { READ, READ_ADDRESS } from './control.ts'
import { ANY_ADDRESS } from './frame.ts'
import { answerData, ANSWER_HEAD, questionBody } from './framing.ts'
import { DATA_HEAD, itemBytes } from './item.ts'
import { LAYOUTS, layoutsOf } from './layout.ts'
import { bitOf, HABITS, placeOf } from './place.ts'
import { batteryLow, statusBit, type StatusOrder, valveOf } from './status.ts'

export function plan(points: readonly Point[]): readonly Block[] {
  const groups = new Map<string, { place: Cjt188Place; everyMs: number; points: number[] }>()
  for (const point of points) {
    const place = placeOf(point)
    if (place === null || point.source.from !== 'field' || point.source.everyMs === null) continue
    const { everyMs } = point.source
    const key = `${place.item} ${everyMs}`
    const group = groups.get(key) ?? { place, everyMs, points: [] }
    groups.set(key, group)
    group.points.push(point.index)
  }
  return [...groups.values()].map(({ place, everyMs, points: indices }) => ({
    key: place.item,
    points: indices,
    everyMs,
    ask: (address) => ask(place, address),
    read: createRead(place, indices),
  }))
}

export function ask({ item, habits }: Pick<Cjt188Place, 'item' | 'habits'>, address: Address): Question {
  const [first, second] = itemBytes(item, habits.identifier)
  return {
    address,
    body: questionBody({
      wakeUp: habits.wakeUp,
      type: habits.type,
      control: READ,
      data: Uint8Array.of(first, second, 0),
    }),
    writes: false,
    answerBytes: ANSWER_HEAD + DATA_HEAD + payloadBytes(item, habits),
  }
}

const ADDRESS_ITEM = '810A'

/** Who the meter is, for a wire that has only one. Some meters want their own type, or the identifier low byte first. */
export function readAddress({ type, identifier }: Pick<Cjt188Habits, 'type' | 'identifier'>): Question {
  const data = Uint8Array.of(...itemBytes(ADDRESS_ITEM, identifier), 0)
  return {
    address: ANY_ADDRESS,
    body: questionBody({ wakeUp: HABITS.wakeUp, type, control: READ_ADDRESS, data }),
    writes: false,
    answerBytes: ANSWER_HEAD + DATA_HEAD,
  }
}

/** Who gave this answer: its head says it, whatever was asked. */
export function answeredBy(body: Uint8Array): { readonly address: string; readonly type: number } | null {
  return body.length < ANSWER_HEAD ? null : { address: readPairs(body, 1, 7), type: body[0] ?? 0 }
}

/** What the answer to this meter's type is long; deadlines and predictions want to know. */
function payloadBytes(item: string, { type, layout }: Cjt188Habits): number {
  const layouts = layoutsOf(item)
  const isHeat = type >> 4 === 2
  const expected =
    layouts.find(({ name }) => name === layout) ?? layouts.find(({ name }) => name.startsWith('heat') === isHeat)
  return (expected ?? layouts[0])?.length ?? 0
}

type Extract = { readonly point: number; readonly take: (content: Content) => Outcome }

function createRead(place: Cjt188Place, indices: readonly number[]): Block['read'] {
  let extracts: readonly Extract[] | null = null
  return (points, [body]): readonly Reading[] => {
    extracts ??= compile(place, indices, points)
    const pinned = LAYOUTS.find((name) => name === place.habits.layout) ?? null
    const content = body === undefined ? null : readContent(answerData(body), pinned)
    return extracts.map(({ point, take }) => {
      const outcome = content === null || content.item !== place.item ? NO_VALUE : take(content)
      return isFault(outcome) ? { point, fault: outcome } : { point, value: outcome }
    })
  }
}

function compile({ item }: Cjt188Place, indices: readonly number[], points: readonly Point[]): readonly Extract[] {
  return indices.map((index) => {
    const direct = points[index]
    const point = direct?.index === index ? direct : points.find((candidate) => candidate.index === index)
    const place = point === undefined ? null : placeOf(point)
    if (point === undefined || place === null || point.source.from !== 'field') {
      throw new RangeError(`block ${item} names point ${index}, which is no CJ/T 188 point of these`)
    }
    const raw = extractor(place)
    const treat = compileTreatment(point.source.treatment)
    return {
      point: index,
      take(content) {
        const found = raw(content)
        return isFault(found) || treat === null ? found : treat(found)
      },
    }
  })
}

/** What an answer says of this place, in the unit that all meters are read in. */
export function valueIn(content: Content, place: Cjt188Place): Outcome {
  return extractor(place)(content)
}

function extractor({ field, habits }: Cjt188Place): (content: Content) => Outcome {
  const bit = bitOf(field)
  const order: StatusOrder = habits.status
  if (bit !== null) return fromStatus((status) => statusBit(status, bit))
  if (field === 'valve') return fromStatus((status) => valveOf(status, order))
  if (field === 'battery_low') return fromStatus((status) => batteryLow(status, order))
  return ({ fields }) => fields.find(({ name }) => name === field)?.value ?? NO_VALUE
}

function fromStatus(of: (status: number) => Outcome): (content: Content) => Outcome {
  return ({ fields }) => {
    const status = fields.find(({ name }) => name === 'status')?.value
    return typeof status === 'number' ? of(status) : NO_VALUE
  }
}
