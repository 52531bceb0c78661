/**
 * Proofs of composed devices: what their inputs say over time, and which points and alarms must follow. Played through the same
 * debounce, formulas and alarm machines as in service, with a clock that jumps from one due moment to the next. Nobody acknowledges
 * anything meanwhile: what latches stays.
 */
import { type Condition, compileCondition } from '../alarm/condition.ts'
import { type AlarmState, type Delays, dueAt, isActive, NORMAL, step } from '../alarm/machine.ts'
import { siteEnvironment } from '../derive/environment.ts'
import { Derivations, findDerivedLoop } from '../derive/evaluate.ts'
import { Image } from '../image/image.ts'
import { Intake } from '../image/intake.ts'
import { type Point, type PointSource, pointId, type Value } from '../model/point.ts'
import type { Reading, Sample } from '../model/sample.ts'
import type { Device } from '../model/site.ts'
import { Findings } from './finding.ts'
import { placeIn } from './layers.ts'
import { buildModel, type Model } from './model.ts'
import { numbered } from './numbered.ts'
import type { Draft } from './points.ts'
import type { ProofBlock } from './schema.ts'
import { bothLanguages } from './shapes.ts'
import { parseDuration } from './units.ts'

/** Turns between two steps; beyond it something makes itself due again and again. */
const TURNS_MAX = 10_000

/** The model must be sound: conditions and formulas that do not compile had their findings. */
export function replaySteps(proof: ProofBlock, index: number, model: Model, findings: Findings): void {
  const at = (path: readonly (string | number)[]) => placeIn(model.layers, ['proof', index, 'steps', ...path])
  const set = withParams(model, proof.params ?? {})
  if (set === null) {
    findings.error(placeIn(model.layers, ['proof', index, 'params']), 'proofShape', {
      why: 'sets params that this driver does not have or allow',
    })
    return
  }
  const played = open(proof, set)
  if (played === null) {
    findings.error(at([]), 'proofShape', { why: 'cannot be played: its formulas need each other' })
    return
  }
  let before = 0
  for (const [number, block] of (proof.steps ?? []).entries()) {
    const now = block.at === undefined ? before : (parseDuration(block.at) ?? before)
    if (now < before) findings.error(at([number, 'at']), 'proofShape', { why: 'goes back in time' })
    before = Math.max(before, now)
    const strange = Object.keys(block.inputs ?? {}).find((key) => !played.isInput(key))
    if (strange !== undefined) {
      findings.error(at([number, 'inputs', strange]), 'unknownPoint', {
        where: `proof.${index}.steps.${number}`,
        point: strange,
        near: null,
      })
      return
    }
    played.until(before)
    played.put(block.inputs ?? {})
    for (const [key, wanted] of Object.entries(block.samples ?? {})) {
      const got = played.valueOf(key)
      const where = at([number, 'samples', key])
      if (got === undefined)
        findings.error(where, 'unknownPoint', { where: `proof.${index}.steps.${number}`, point: key, near: null })
      else if (got !== wanted)
        findings.error(where, 'proofSample', { point: key, wanted: show(wanted), got: show(got) })
    }
    if (block.alarms === undefined) continue
    const active = played.active()
    const wanted = block.alarms.toSorted()
    if (active.join() !== wanted.join())
      findings.error(at([number, 'alarms']), 'proofAlarms', {
        wanted: wanted.join(', ') || '-',
        got: active.join(', ') || '-',
      })
  }
}

/** The model as a site has it that sets these; null: it cannot. What names and units come to is none of a proof's business. */
function withParams(model: Model, values: Readonly<Record<string, Value>>): Model | null {
  if (Object.keys(values).length === 0) return model
  const own = new Findings()
  const set = buildModel(model.data, model.layers, values, { vocabulary: new Map(), findings: own })
  return own.errors === 0 ? set : null
}

function show(value: Value | null): string {
  return value === null ? 'no value' : String(value)
}

type Played = {
  readonly isInput: (key: string) => boolean
  /** Lets time go on, with a turn whenever one is due. */
  readonly until: (at: number) => void
  readonly put: (inputs: Readonly<Record<string, Value | null>>) => void
  /** null: no value; undefined: no such point. */
  readonly valueOf: (key: string) => Value | null | undefined
  /** Keys of the alarms that are active, in order of the alphabet. */
  readonly active: () => readonly string[]
}

type Watched = { readonly key: string; readonly condition: Condition; readonly delays: Delays; state: AlarmState }

function open(proof: ProofBlock, model: Model): Played | null {
  const connected = new Set((proof.steps ?? []).flatMap(({ inputs }) => Object.keys(inputs ?? {})))
  const points = model.drafts.map((draft, index) => pointOf(draft, index, model.drafts, connected))
  const device = deviceOf(model, points)
  const site = { devices: [device], points }
  if (findDerivedLoop(site) !== null) return null
  const image = new Image(points, 0)
  const intake = new Intake(points, image)
  const derivations = new Derivations(site, { states: new Map(), periodStart: (utc) => utc })
  const environment = siteEnvironment(site)
  const alarms = model.alarms.map(
    ({ key, when, onDelayMs, offDelayMs, latch }): Watched => ({
      key,
      condition: compileCondition(when, { environment, device: 0, params: model.params }),
      delays: { onDelayMs, offDelayMs, held: latch },
      state: NORMAL,
    }),
  )
  let now = 0
  let first: ReturnType<Intake['begin']> | null = intake.begin()

  function turn(readings: readonly Reading[]): void {
    const rested = first ?? intake.rest()
    first = null
    const samples: Sample[] = [...rested.ends, ...rested.samples]
    samples.push(...intake.read(readings, now).samples, ...intake.tick(now).samples)
    intake.adopt(derivations.step(samples, image, { mono: now, utc: null }).samples)
    for (const alarm of alarms) alarm.state = step(alarm.state, alarm.condition.evaluate(image), now, alarm.delays)
  }

  function nextDue(): number {
    const delays = alarms.map(({ state, delays: rule }) => dueAt(state, rule))
    return [intake.nextDue(), derivations.nextDue(), ...delays].reduce<number>(
      (soonest, due) => (due === null ? soonest : Math.min(soonest, due)),
      Number.POSITIVE_INFINITY,
    )
  }

  return {
    isInput: (key) =>
      connected.has(key) && model.drafts.some((draft) => draft.key === key && draft.source.from === 'input'),
    until(at) {
      for (let turns = 0; turns < TURNS_MAX; turns++) {
        const due = nextDue()
        if (due > at) break
        now = Math.max(now, due)
        turn([])
      }
      now = at
    },
    put(inputs) {
      turn(
        Object.entries(inputs).map(([key, value]): Reading => {
          const point = points.findIndex((each) => each.key === key)
          return value === null ? { point, fault: { kind: 'timeout' } } : { point, value }
        }),
      )
    },
    valueOf(key) {
      const point = points.find((each) => each.key === key)
      if (point === undefined) return undefined
      const sample = image.get(point.index)
      return sample.quality === 'bad' ? null : sample.value
    },
    active: () =>
      alarms
        .filter(({ state }) => isActive(state))
        .map(({ key }) => key)
        .toSorted(),
  }
}

/** An input that no step names is not connected. */
function pointOf(draft: Draft, index: number, drafts: readonly Draft[], connected: ReadonlySet<string>): Point {
  const { source, labels: _labels, ...rest } = draft
  return { ...rest, index, device: 0, id: pointId('device', draft.key), source: sourceOf(source, drafts, connected) }
}

function sourceOf(source: Draft['source'], drafts: readonly Draft[], connected: ReadonlySet<string>): PointSource {
  switch (source.from) {
    case 'derive':
      return { from: 'derive', formula: numbered(source.formula, drafts, 0, 0) }
    case 'input':
      return connected.has(source.input) ? STATED : { from: 'none' }
    case 'field':
      return source
  }
}

/** Given as what its name says: inversion is the site's wiring. */
const STATED: PointSource = {
  from: 'field',
  place: { protocol: 'payload', path: '$' },
  treatment: { scale: 1, offset: 0, invalid: [], map: null, invert: false },
  everyMs: null,
}

function deviceOf({ data, params }: Model, points: readonly Point[]): Device {
  const title = bothLanguages(data.title ?? data.driver)
  return {
    index: 0,
    id: 'device',
    driver: data.driver,
    driverSha: '',
    category: data.category ?? '',
    brick: data.brick ?? null,
    model: title,
    name: title,
    place: {},
    tags: {},
    family: null,
    link: { kind: 'composed' },
    params,
    points: points.map(({ index }) => index),
  }
}
