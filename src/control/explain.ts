/** Why a point is bad, or a rule silent: in words, with what to check on site. */
import * as z from 'zod'
import { nearest } from '../derive/nearest.ts'
import type { Point, Text } from '../model/point.ts'
import type { Site } from '../model/site.ts'
import type { CallContext, GatewayView } from './context.ts'
import { chainOf } from './explain-chain.ts'
import { gather } from './explain-gather.ts'
import { type Cause, judgeCauses } from './explain-judge.ts'
import { findPoint } from './find.ts'
import { answering, OperationError } from './operation.ts'
import { pointRow } from './rows.ts'
import { type ExplainAnswer, explainAnswer, type PointExplanation } from './shapes-field.ts'

/** Inputs of a rule that are explained; the others are listed. */
const INPUTS_MAX = 3
/** A value may follow a value that follows a value; a loop is refused when the site is loaded. */
const CHAIN_MAX = 8

export const explain = answering({
  name: 'explain',
  role: 'viewer',
  input: z.strictObject({
    /** `device.point`, or a rule. Both may look alike: a point comes first. */
    subject: z.string().min(1).max(200),
  }),
  output: explainAnswer,
  run: async (context, { subject }) => {
    const { view } = context
    const site = view.site()
    const point = site.points.find(({ id }) => id === subject)
    if (point !== undefined) return { subject, point: await explainPoint(context, point), rule: null, inputs: [] }
    const rule = view.rules.look(subject)
    if (rule !== null) return await explainRule(context, subject)
    return absent(view, site, subject)
  },
})

/** What the point follows, down to the one that decides; the point itself where it is read from the field. */
function decidingPoint(view: GatewayView, site: Site, point: Point): readonly Point[] {
  const path = [point]
  let at = point
  for (let step = 0; step < CHAIN_MAX; step++) {
    const next = sourcesOf(site, at)
    // The first that is not good explains it; where all are good any will do.
    const deciding =
      next.find((source) => view.latest(source.index).quality === 'bad') ??
      next.find((source) => view.latest(source.index).quality !== 'good') ??
      next[0]
    if (deciding === undefined) break
    path.push(deciding)
    at = deciding
  }
  return path
}

function sourcesOf(site: Site, { source, device, index }: Point): readonly Point[] {
  if (source.from === 'point') return pick(site, [source.point])
  if (source.from !== 'derive') return []
  const { formula } = source
  if (formula.kind !== 'expression') return pick(site, [formula.of])
  return pick(site, site.devices[device]?.points ?? []).filter(
    (other) => other.index !== index && other.source.from === 'field' && formula.source.includes(other.key),
  )
}

function pick(site: Site, indices: readonly number[]): readonly Point[] {
  return indices.flatMap((index) => site.points[index] ?? [])
}

async function explainPoint({ view, signal }: CallContext, point: Point): Promise<PointExplanation> {
  const site = view.site()
  const row = pointRow(view, point, true)
  const path = decidingPoint(view, site, point)
  const deciding = path.at(-1) ?? point
  const { evidence } = await gather(view, deciding, signal)
  const causes = judgeCauses(evidence)
  const personal = (site.devices[deciding.device]?.points ?? []).some((index) => site.points[index]?.personal === true)
  const now = view.clock.utc()
  const { lastGood } = evidence
  return {
    ...row,
    title: point.title,
    via: path.slice(1).map(({ id }) => id),
    lastGood: lastGood === null ? null : { value: lastGood.value, at: now - Math.round(lastGood.ageMs) },
    chain: chainOf(evidence, causes, { rules: view.rules.watching(point.index), masked: personal }).map((link) => ({
      ...link,
    })),
    causes: causes.map(causeRow),
  }
}

function causeRow({ key, link, confidence, text, signs, check }: Cause): PointExplanation['causes'][number] {
  return { key, link, confidence, text, signs: signs.map((sign) => sign.text), check: [...check] }
}

async function explainRule(context: CallContext, id: string): Promise<ExplainAnswer> {
  const { view } = context
  const site = view.site()
  const look = view.rules.look(id)
  if (look === null) throw new RangeError(`there is no rule ${id}`)
  const inputs = look.inputs.flatMap((index) => site.points[index] ?? [])
  const subjects = inputs.length > 0 ? inputs : ofBuiltin(site, id)
  const doubtful = subjects.filter(({ index }) => view.latest(index).quality !== 'good').slice(0, INPUTS_MAX)
  const explained: PointExplanation[] = []
  for (const point of doubtful) explained.push(await explainPoint(context, point))
  return {
    subject: id,
    point: null,
    rule: {
      rule: id,
      state:
        look.suppressed !== null
          ? 'suppressed'
          : look.active
            ? 'raised'
            : look.truth === 'unknown'
              ? 'unknown'
              : look.truth === 'yes'
                ? 'pending'
                : 'normal',
      text: look.rule.text,
      advice: look.rule.advice,
      when: look.rule.when === '' ? null : look.rule.when,
      suppressed: look.suppressed,
      detail: look.detail,
      inputs: inputs.map((point) => pointRow(view, point)),
    },
    inputs: explained,
  }
}

/** `device_offline.pump_1`, `bus_offline.riser_b3`: what stands for them. */
function ofBuiltin(site: Site, id: string): readonly Point[] {
  const [kind, name] = id.split('.', 2)
  const device =
    kind === 'bus_offline'
      ? site.devices.find(({ link }) => link.kind === 'bus' && site.buses[link.bus]?.id === name)
      : site.devices.find((each) => each.id === name)
  return pick(site, device?.points ?? [])
    .filter(({ source }) => source.from === 'field')
    .slice(0, 1)
}

function absent(view: GatewayView, site: Site, subject: string): never {
  const near = nearest(subject, [...view.rules.ids(), ...site.points.map(({ id }) => id)])
  const text: Text = { en: `there is no point or rule ${subject}`, zh: `没有点或规则 ${subject}` }
  if (near !== null)
    throw new OperationError('E_NO_POINT', text, { en: `did you mean ${near}?`, zh: `是不是 ${near}？` })
  // Of a device that is there: which points it has.
  if (site.devices.some(({ id }) => subject.startsWith(`${id}.`))) findPoint(site, subject)
  throw new OperationError('E_NO_POINT', text, {
    en: '`gatehouse points` lists the points, `gatehouse alarms --all` the rules that are raised',
    zh: '用 gatehouse points 列出点，用 gatehouse alarms --all 列出已触发的规则',
  })
}
