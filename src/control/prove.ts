/** Commissioning over the control socket: look at a point, keep what was seen beside it, list what is proved. */
import { z } from 'zod'
import { printHex } from '../bytes/hex.ts'
import type { Point } from '../model/point.ts'
import type { Site } from '../model/site.ts'
import { encodingOf, isNumberEncoding, wordsOf } from '../protocols/modbus/encoding.ts'
import type { GatewayView } from './context.ts'
import { registersOf } from './explain-gather.ts'
import { findPoint, findPoints } from './find.ts'
import { answering, OperationError } from './operation.ts'
import { placeText } from './place.ts'
import { agrees, type Proof, proofKey, readProof, stateOf, underOf } from './proofs.ts'
import { pointRow } from './rows.ts'
import { type ProofRow, proofList, proofLook, proofRow } from './shapes-field.ts'
import { type Overheard, tryPoint } from './trial.ts'
import { framingFor, isOnBus } from './wirebook.ts'

export const proveLook = answering({
  name: 'prove_look',
  role: 'viewer',
  input: z.strictObject({ point: z.string().min(3).max(200) }),
  output: proofLook,
  run: async ({ view, signal }, input) => {
    const site = view.site()
    const point = findPoint(site, input.point)
    const raw = await lookAt(view, site, point, signal)
    const row = pointRow(view, point, true)
    return { ...rowOf(view, site, point, true), raw, decoded: row }
  },
})

export const proveKeep = answering({
  name: 'prove_keep',
  role: 'engineer',
  mutates: true,
  /** `raw` and `value` as `prove_look` told them: what was compared is what is kept, however it has moved since. */
  input: z.strictObject({
    point: z.string().min(3).max(200),
    raw: z.string().max(4096).nullable(),
    value: z.union([z.number(), z.boolean(), z.string().max(1024)]),
    /** What the display shows, as typed. */
    seen: z.string().min(1).max(200),
    by: z.string().min(1).max(64).optional(),
  }),
  output: proofRow,
  run: async ({ view, caller }, { point: id, raw, value, seen, by }) => {
    const site = view.site()
    const point = findPoint(site, id)
    const same = agrees(point, value, seen)
    if (same === null)
      throw new OperationError('E_TYPE', {
        en: `"${seen}" cannot be compared with ${point.id}`,
        zh: `“${seen}”无法与 ${point.id} 比较`,
      })
    const proof: Proof = {
      raw,
      value,
      seen,
      agrees: same,
      by: by ?? caller.name,
      at: view.clock.utc(),
      under: underOf(site, point),
    }
    await view.keep(proofKey(point.id), JSON.stringify(proof))
    return rowOf(view, site, point, true)
  },
})

export const proveList = answering({
  name: 'prove_list',
  role: 'viewer',
  input: z.strictObject({ pattern: z.string().min(1).max(200).default('*') }),
  output: proofList,
  run: async ({ view }, { pattern }) => {
    const site = view.site()
    const points = findPoints(site, pattern).filter(({ source }) => source.from !== 'none')
    const rows: ProofRow[] = []
    for (const point of points) rows.push(rowOf(view, site, point, await wasGood(view, point)))
    return {
      site: site.id,
      name: site.name,
      gateway: site.gateway.id,
      version: view.version,
      at: view.clock.utc(),
      timezone: site.timezone,
      rows,
    }
  },
})

function rowOf(view: GatewayView, site: Site, point: Point, everGood: boolean): ProofRow {
  const proof = readProof(view.state(proofKey(point.id)))
  const device = site.devices[point.device]
  const { source } = point
  const link = device?.link
  return {
    point: point.id,
    title: point.title,
    device: device?.id ?? '',
    deviceName: device?.name ?? { en: '', zh: '' },
    driver: device?.driver ?? '',
    address: link?.kind === 'bus' ? String(link.address) : link?.kind === 'topic' ? link.topic : null,
    where:
      source.from === 'field'
        ? placeText(source.place, device?.manual)
        : source.from === 'point'
          ? (site.points[source.point]?.id ?? null)
          : null,
    unit: point.unit,
    state: stateOf(proof, underOf(site, point)),
    everGood: everGood || (proof !== null && proof.value !== null),
    proof:
      proof === null
        ? null
        : { raw: proof.raw, value: proof.value, seen: proof.seen, agrees: proof.agrees, by: proof.by, at: proof.at },
  }
}

/** As far back as is kept. */
async function wasGood(view: GatewayView, point: Point): Promise<boolean> {
  if (view.latest(point.index).quality === 'good' || view.state(proofKey(point.id)) !== null) return true
  const to = view.clock.utc()
  for (const [sinceMs, everyMs] of [
    [86_400_000, 0],
    [400 * 86_400_000, 86_400_000],
  ] as const) {
    const rows = await view.store.history({ point: point.id, from: to - sinceMs, to, everyMs })
    if (rows.some(([, , , , last]) => last !== null)) return true
  }
  return false
}

/** Asks the field now; the bytes of the value, where a wire has them and nothing personal is in them. */
async function lookAt(view: GatewayView, site: Site, point: Point, signal: AbortSignal): Promise<string | null> {
  const source = rootOf(site, point)
  const device = site.devices[source.device]
  if (device === undefined || !isOnBus(device) || source.source.from !== 'field') return null
  const asked = await tryPoint(view, source.index, device, signal)
  const hidden = device.points.some((index) => site.points[index]?.personal === true)
  return hidden ? null : rawOf(site, source, device, asked)
}

function rootOf(site: Site, point: Point): Point {
  let at = point
  for (let step = 0; step < site.points.length && at.source.from === 'point'; step++)
    at = site.points[at.source.point] ?? at
  return at
}

function rawOf(
  site: Site,
  { source }: Point,
  device: Parameters<typeof registersOf>[1],
  asked: readonly Overheard[],
): string | null {
  if (source.from !== 'field') return null
  const { place } = source
  if (place.protocol === 'modbus' && (place.table === 'holding' || place.table === 'input')) {
    const { table, address, as } = place
    const words = isNumberEncoding(as) ? encodingOf(as).words : wordsOf(as, place.length)
    const registers = registersOf(site, device, asked, { table, address, words })
    return registers === null ? null : printHex(registers, ' ')
  }
  return bodyOf(site, device, asked)
}

/** The whole content of the last sound answer. */
function bodyOf(site: Site, device: Parameters<typeof registersOf>[1], asked: readonly Overheard[]): string | null {
  const bus = site.buses[device.link.bus]
  if (bus === undefined) return null
  const framing = framingFor(bus, device)
  for (const { sent, received, block } of asked.toReversed()) {
    if (block === null) continue
    const question = block.ask(device.link.address)
    const split = framing.split(received, question)
    if (split.kind !== 'frame') continue
    const verdict = framing.judge(split.frame, question, ((sent[0] ?? 0) << 8) | (sent[1] ?? 0))
    if (verdict.kind === 'answer') return printHex(verdict.body, ' ')
  }
  return null
}
