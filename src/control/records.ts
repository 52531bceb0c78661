/** What is kept: trends, and what waits for the cloud. */
import * as z from 'zod'
import type { Lane } from '../model/journal.ts'
import type { GatewayView } from './context.ts'
import { findPoint } from './find.ts'
import { answering, OperationError } from './operation.ts'
import { historyAnswer, outboxOfUplink, type UplinkOutbox } from './shapes.ts'

/** Rows in one answer; at it the oldest are left out and the answer says so. */
const ROWS_MAX = 20_000

export const history = answering({
  name: 'history',
  role: 'viewer',
  input: z.strictObject({
    point: z.string().min(1).max(200),
    sinceMs: z
      .number()
      .positive()
      .max(20 * 366 * 86_400_000),
    /** 0: the reports as they were; else the width of a bucket. */
    everyMs: z.union([z.literal(0), z.number().min(1000)]),
  }),
  output: historyAnswer,
  run: async ({ view }, input) => {
    const site = view.site()
    const point = findPoint(site, input.point)
    if (input.everyMs > 0 && input.sinceMs / input.everyMs > ROWS_MAX)
      throw new OperationError(
        'E_RANGE',
        {
          en: `${Math.ceil(input.sinceMs / input.everyMs)} rows are more than the ${ROWS_MAX} of one answer`,
          zh: `共 ${Math.ceil(input.sinceMs / input.everyMs)} 行，超过一次回答的上限 ${ROWS_MAX}`,
        },
        { en: 'ask for a shorter time or a wider --every', zh: '缩短时间，或加大 --every' },
      )
    const to = view.clock.utc()
    const rows = await view.store.history({ point: point.id, from: to - input.sinceMs, to, everyMs: input.everyMs })
    return {
      point: point.id,
      unit: point.unit,
      rows: rows.slice(-ROWS_MAX).map((row): [...typeof row] => [...row]),
      everyMs: input.everyMs,
      timezone: site.timezone,
      truncated: rows.length > ROWS_MAX,
    }
  },
})

export const outbox = answering({
  name: 'outbox',
  role: 'viewer',
  input: z.strictObject({}),
  output: z.record(z.string(), outboxOfUplink),
  run: ({ view }) => Object.fromEntries(view.site().uplinks.map(({ id }) => [id, ofUplink(view, id)])),
})

function ofUplink(view: GatewayView, id: string): UplinkOutbox {
  const box = view.store.outbox(id)
  const { dropped } = view.store.status()
  const now = view.clock.utc()
  const lane = (name: Lane): UplinkOutbox['t'] => {
    const { hi, ack, kept, waiting } = box.position(name)
    const oldest = box.oldestAt(name)
    const oldestWaitingMs = oldest === null ? null : Math.max(0, now - oldest)
    return { ep: view.identity.epoch, hi, ack, kept, waiting, oldestWaitingMs, dropped: dropped[name] }
  }
  return { t: lane('t'), a: lane('a'), e: lane('e') }
}
