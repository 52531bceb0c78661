/** Composed devices: which point each input follows. */
import type { PointType, Text } from '../model/point.ts'
import { nearest } from '../derive/nearest.ts'
import type { Draft } from '../driver/points.ts'
import { parseDuration } from '../driver/units.ts'
import type { Context } from './context.ts'
import type { Resolved } from './devices.ts'
import { placeOf } from './expand.ts'

export type Connection = { readonly point: number; readonly invert: boolean; readonly debounceMs: number | null }

type Numbered = { readonly draft: Draft; readonly device: number; readonly first: number }

const SPOKEN: Readonly<Record<PointType, Text>> = {
  bool: { en: 'true/false', zh: '布尔值' },
  f64: { en: 'a number', zh: '数字' },
  u64: { en: 'a number', zh: '数字' },
  str: { en: 'a text', zh: '文本' },
}

/** By the index of the composed device's point. Inputs that a site leaves out are not in it. */
export function connect(
  resolved: readonly Resolved[],
  drafts: readonly Numbered[],
  context: Context,
): ReadonlyMap<number, Connection> {
  const connections = new Map<number, Connection>()
  const byId = new Map(resolved.map((each) => [each.device.id, each]))
  for (const each of resolved) {
    if (each.model.data.protocol !== 'composed') continue
    for (const [index, connection] of inputsOf(each, byId, drafts, context)) connections.set(index, connection)
  }
  for (const [index] of connections) checkCircle(index, connections, resolved, drafts, context)
  return connections
}

function inputsOf(
  { entry, model, device }: Resolved,
  byId: ReadonlyMap<string, Resolved>,
  drafts: readonly Numbered[],
  { findings, unusable, pruned }: Context,
): readonly [number, Connection][] {
  const known = Object.keys(model.data.inputs ?? {})
  const found: [number, Connection][] = []
  for (const [input, link] of Object.entries(entry.block.inputs ?? {})) {
    const offset = model.drafts.findIndex((draft) => draft.source.from === 'input' && draft.key === input)
    const draft = model.drafts[offset]
    if (draft === undefined) {
      findings.error(placeOf(entry, ['inputs', input], 'key'), 'unknownInput', {
        device: entry.id,
        input,
        near: nearest(input, known),
        known,
      })
      continue
    }
    const from = typeof link === 'string' ? link : link.from
    const path = typeof link === 'string' ? ['inputs', input] : ['inputs', input, 'from']
    const at = placeOf(entry, path)
    const point = findPoint(from, byId)
    const where = `inputs.${input}`
    if (typeof point === 'number') {
      const source = drafts[point]?.draft
      if (source !== undefined && !fits(source.type, draft.type)) {
        const wanted = SPOKEN[draft.type]
        findings.error(at, 'inputType', { input, wanted, from, got: SPOKEN[source.type] })
      }
      if (source !== undefined && draft.write !== null && source.write === null)
        findings.error(at, 'outputNotWritable', { input, from })
      const own = draft.source.from === 'input' && draft.source.invert
      const invert = typeof link === 'string' ? own : (link.invert ?? own)
      const debounceMs = typeof link === 'string' || link.debounce === undefined ? null : parseDuration(link.debounce)
      found.push([(device.points[0] ?? 0) + offset, { point, invert, debounceMs }])
    } else if ('device' in point) {
      if (!unusable.has(point.device))
        findings.error(at, 'unknownDevice', { where, device: point.device, near: point.near })
    } else findings.error(at, 'unknownDevicePoint', { where, device: point.of, point: point.key, near: point.near })
  }
  for (const [input, block] of Object.entries(model.data.inputs ?? {}))
    if (
      block.required === true &&
      entry.block.inputs?.[input] === undefined &&
      !pruned.has(`devices.${entry.id}.inputs`) &&
      !pruned.has(`devices.${entry.id}.inputs.${input}`)
    )
      findings.error(entry.named, 'inputMissing', { device: entry.id, input })
  return found
}

export type Missing =
  | { readonly device: string; readonly near: string | null }
  | { readonly of: string; readonly key: string; readonly near: string | null }

/** Index of `device.point`, or what is not there. */
export function findPoint(id: string, byId: ReadonlyMap<string, Resolved>): number | Missing {
  const [device = '', key = ''] = id.split('.', 2)
  const owner = byId.get(device)
  if (owner === undefined) return { device, near: nearest(device, byId.keys()) }
  const offset = owner.model.drafts.findIndex((draft) => draft.key === key)
  if (offset >= 0) return (owner.device.points[0] ?? 0) + offset
  return {
    of: device,
    key,
    near: nearest(
      key,
      owner.model.drafts.map((draft) => draft.key),
    ),
  }
}

function fits(source: PointType, wanted: PointType): boolean {
  return source === wanted || (source === 'u64' && wanted === 'f64')
}

function checkCircle(
  start: number,
  connections: ReadonlyMap<number, Connection>,
  resolved: readonly Resolved[],
  drafts: readonly Numbered[],
  { findings }: Context,
): void {
  let at = connections.get(start)?.point
  // A chain is never longer than there are connections.
  for (let steps = 0; at !== undefined && steps <= connections.size; steps++) {
    if (at === start) {
      const { draft, device } = drafts[start] ?? { draft: null, device: -1 }
      const entry = resolved[device]?.entry
      if (draft === null || entry === undefined) return
      const point = `${entry.id}.${draft.key}`
      findings.error(placeOf(entry, ['inputs', draft.key]), 'inputCircle', { point })
      return
    }
    at = connections.get(at)?.point
  }
}
