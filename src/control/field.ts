/** Buses and devices, and changing something in the field. */
import * as z from 'zod'
import type { Point, Value } from '../model/point.ts'
import { ulid } from '../runtime/ulid.ts'
import { findDevice, findPoint } from './find.ts'
import { answering, OperationError } from './operation.ts'
import { busRow, deviceRow, pointRow } from './rows.ts'
import { busRow as busShape, deviceRow as deviceShape, writeAnswer } from './shapes.ts'

export const buses = answering({
  name: 'buses',
  role: 'viewer',
  input: z.strictObject({}),
  output: z.array(busShape),
  run: ({ view }) => view.site().buses.map((bus) => busRow(view, bus)),
})

export const devices = answering({
  name: 'devices',
  role: 'viewer',
  input: z.strictObject({ device: z.string().min(1).max(64).optional() }),
  output: z.array(deviceShape),
  run: ({ view }, input) => {
    const site = view.site()
    if (input.device === undefined) return site.devices.map((device) => deviceRow(view, device))
    const device = findDevice(site, input.device)
    const points = device.points.flatMap((index) => site.points[index] ?? [])
    return [
      {
        ...deviceRow(view, device),
        model: device.model,
        points: points.map((point) => pointRow(view, point, true)),
      },
    ]
  },
})

export const write = answering({
  name: 'write',
  role: 'operator',
  mutates: true,
  input: z.strictObject({
    point: z.string().min(1).max(200),
    /** Text is read as the point's type wants it. */
    value: z.union([z.number(), z.boolean(), z.string().max(1024)]),
  }),
  output: writeAnswer,
  run: async ({ view, caller, signal }, input) => {
    const point = findPoint(view.site(), input.point)
    const value = readValue(point, input.value)
    const outcome = await view.write(
      { id: ulid(view.clock.utc()), point: point.index, value, by: `cli:${caller.name}`, role: caller.role },
      signal,
    )
    return {
      point: point.id,
      value,
      outcome: outcome.outcome,
      readBack: outcome.outcome === 'done' ? outcome.readBack : null,
      cause: outcome.outcome === 'done' ? null : outcome.cause,
      ...(outcome.outcome === 'done' || outcome.reason === undefined ? {} : { reason: outcome.reason }),
    }
  },
})

const TRUE = new Set(['true', 'on', 'yes', '1', '是', '开'])
const FALSE = new Set(['false', 'off', 'no', '0', '否', '关'])

/** What was typed, as the point's type; throws E_TYPE where it is none. */
export function readValue(point: Pick<Point, 'id' | 'type'>, given: Value): Value {
  const text = String(given).trim()
  switch (point.type) {
    case 'bool': {
      if (TRUE.has(text.toLowerCase())) return true
      if (FALSE.has(text.toLowerCase())) return false
      throw wrongType(point.id, text, { en: 'true or false', zh: 'true 或 false' })
    }
    case 'f64': {
      if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$/.test(text) && Number.isFinite(Number(text))) return Number(text)
      throw wrongType(point.id, text, { en: 'a number', zh: '数字' })
    }
    case 'u64': {
      if (!/^\d{1,20}$/.test(text)) throw wrongType(point.id, text, { en: 'a whole number', zh: '整数' })
      return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text).toString()
    }
    case 'str':
      return String(given)
  }
}

function wrongType(id: string, text: string, wanted: { en: string; zh: string }): OperationError {
  return new OperationError('E_TYPE', {
    en: `${id} takes ${wanted.en}, not ${JSON.stringify(text)}`,
    zh: `${id} 应为${wanted.zh}，而不是 ${JSON.stringify(text)}`,
  })
}
