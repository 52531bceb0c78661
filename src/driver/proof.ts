/** Replays a driver's proofs through the real codec and planner: bytes in, samples out, request as planned. */
import { parseHex, printHex } from '../bytes/hex.ts'
import { causeText } from '../model/fault.ts'
import { type ModbusTable, type Point, pointId, type Value } from '../model/point.ts'
import type { Reading } from '../model/sample.ts'
import type { Limits } from '../model/site.ts'
import { blockOf, modbus } from '../protocols/modbus/index.ts'
import type { Address, Block, Framing, Protocol, Question, Split, Verdict } from '../protocols/protocol.ts'
import { builtIn } from './codec.ts'
import type { Path } from './document.ts'
import type { Findings } from './finding.ts'
import { placeIn } from './layers.ts'
import type { Model } from './model.ts'
import { replaySteps } from './proof-play.ts'
import { replayLine, replayMessage, type Told, untold } from './proof-told.ts'
import type { ProofBlock } from './schema.ts'

type Replay = { readonly model: Model; readonly points: readonly Point[]; readonly findings: Findings }

/** Every proof of the model. A driver whose points come from the field and that has none gets a warning. */
export function replayProofs(model: Model, findings: Findings): void {
  const points = fieldPoints(model)
  const proofs = model.data.proof ?? []
  const isSound = findings.errors === 0
  for (const point of points) {
    const why = model.data.protocol === 'mqtt' ? untold(model.data.payload ?? '', point) : null
    const at = placeIn(model.layers, ['points', point.key, 'write'])
    if (why !== null) findings.error(at, 'writeUntold', { point: point.key, why })
  }
  if (proofs.length === 0 && model.drafts.length > 0) findings.warn(placeIn(model.layers, ['driver']), 'proofNone', {})
  for (const [index, proof] of proofs.entries()) {
    const replay = { model, points, findings }
    const path = ['proof', index]
    if (proof.payload !== undefined) replayTold(proof, replayMessage(proof, model, points), path, replay)
    else if (proof.received !== undefined) replayTold(proof, replayLine(proof, model, points), path, replay)
    else if (proof.request !== undefined) replayExchange(proof, proof.request, path, replay)
    else if (proof.steps === undefined)
      findings.error(placeIn(model.layers, path), 'proofShape', { why: 'has neither request nor payload' })
    else if (model.data.protocol !== 'composed')
      findings.error(placeIn(model.layers, [...path, 'steps']), 'proofShape', {
        why: 'has steps, which composed devices have',
      })
    else if (isSound) replaySteps(proof, index, model, findings)
  }
}

/** The model's field points, numbered as if the device were alone. */
export function fieldPoints(model: Model): readonly Point[] {
  return model.drafts.flatMap((draft, index): Point[] => {
    const { source, labels: _labels, ...rest } = draft
    return source.from === 'field' ? [{ ...rest, source, index, device: 0, id: pointId('device', draft.key) }] : []
  })
}

/** A message or a line: nobody was asked. */
function replayTold(proof: ProofBlock, told: Told, path: Path, replay: Replay): void {
  if (told.kind === 'readings') compare(proof, told.readings, path, replay)
  if (told.kind !== 'wrong') return
  const { model, findings } = replay
  const at = placeIn(model.layers, [...path, told.key])
  const [point = ''] = Object.keys(proof.write ?? {})
  if (told.key === 'write') findings.error(at, 'proofWrite', { point, why: told.why })
  else findings.error(at, 'proofReply', { why: told.why })
}

type Asked = { readonly address: Address; readonly transaction: number; readonly frame: Uint8Array }

function replayExchange(proof: ProofBlock, requestHex: string, path: Path, replay: Replay): void {
  const { model, findings } = replay
  const protocol = builtIn(model.data.protocol)
  const framing = protocol?.framing(proof.framing === 'tcp' ? 'modbus-tcp' : 'serial', {}) ?? null
  if (protocol === null || framing === null) return
  const request = parseHex(requestHex)
  const asked = typeof request === 'string' ? request : whoIsAsked(proof, { protocol, framing, replay }, request)
  if (typeof asked === 'string') {
    findings.error(placeIn(model.layers, [...path, 'request']), 'proofRequest', { why: asked })
    return
  }
  const exchange: Exchange = { proof, protocol, framing, asked, path, replay }
  if (proof.write !== undefined) replayWrite(exchange)
  else replayRead(exchange)
}

type Exchange = {
  readonly proof: ProofBlock
  readonly protocol: Protocol
  readonly framing: Framing
  readonly asked: Asked
  readonly path: Path
  readonly replay: Replay
}

function whoIsAsked(
  proof: ProofBlock,
  { protocol, framing, replay }: Pick<Exchange, 'protocol' | 'framing' | 'replay'>,
  frame: Uint8Array,
): Asked | string {
  if (proof.address !== undefined) {
    const found = protocol.address(proof.address)
    if (!('address' in found)) return found.en
    return { address: found.address, transaction: numberOf(replay, protocol, framing, found.address, frame), frame }
  }
  if (protocol.name !== 'modbus') return 'say whom it asks with `address`'
  return readRequest(framing, frame)
}

/** Numbers of a byte: what a protocol has room for that numbers its questions (CJ/T 188). */
const NUMBERS = 256

/** The number of its question that this request carries; 0 where it has none, or is no request of this driver. */
function numberOf(
  { model, points }: Replay,
  protocol: Protocol,
  framing: Framing,
  address: Address,
  frame: Uint8Array,
): number {
  const questions = protocol.plan(points, model.limits, new Set()).map((block) => block.ask(address))
  for (let number = 0; number < NUMBERS; number++)
    if (questions.some((question) => same(framing.frame(question, number), frame))) return number
  return 0
}

/** Unit and transaction of a Modbus request, by building it again: what differs is not a frame of ours. */
function readRequest(framing: Framing, frame: Uint8Array): Asked | string {
  const rtu = framing.name === 'rtu'
  const transaction = rtu ? 0 : ((frame[0] ?? 0) << 8) | (frame[1] ?? 0)
  const address = frame[rtu ? 0 : 6] ?? 0
  const again = framing.frame({ address, body: pduOf(framing, frame), writes: false, answerBytes: 0 }, transaction)
  return same(again, frame)
    ? { address, frame, transaction }
    : `its checksum or length is wrong; it would be ${printHex(again, ' ')}`
}

function pduOf(framing: Framing, frame: Uint8Array): Uint8Array {
  return framing.name === 'rtu' ? frame.subarray(1, -2) : frame.subarray(7)
}

function replayRead(exchange: Exchange): void {
  const { proof, protocol, framing, asked, path, replay } = exchange
  const { model, points, findings } = replay
  const planned = protocol.plan(points, model.limits, new Set())
  const isAsked = (block: Block): boolean =>
    same(framing.frame(block.ask(asked.address), asked.transaction), asked.frame)
  // Models of one row are looked for with the same first question: what comes out tells which is meant.
  const claimed = Object.keys(proof.samples ?? {})
  const isMeant = (block: Block): boolean => block.points.some((index) => claimed.includes(keyOf(points, index)))
  const asking = planned.filter(isAsked)
  const exact = asking.find(isMeant) ?? asking[0]
  const at = placeIn(model.layers, [...path, 'request'])
  const free = protocol.name === 'modbus' ? coveringBlock(pduOf(framing, asked.frame), replay) : NOT_PLANNED
  const block = exact ?? free
  if (typeof block === 'string') {
    findings.error(at, 'proofRequest', { why: block })
    return
  }
  if (proof.plan === true && exact === undefined) {
    const [table = ''] = block.key.split(' ')
    const alike = planned.filter(({ key }) => key.startsWith(table))
    const near = (alike.length > 0 ? alike : planned).map(({ key }) => key).join(', ') || 'nothing'
    findings.error(at, 'proofPlan', { asked: block.key, near })
  }
  // What the proof claims must lie within what it asked for; what else lies there is read as well.
  const names = new Set(block.points.map((index) => keyOf(points, index)))
  for (const key of claimed)
    if (!names.has(key) && points.some((point) => point.key === key))
      findings.error(placeIn(model.layers, [...path, 'samples', key]), 'proofUncovered', {
        point: key,
        asked: block.key,
      })
  const bodies = answersOf(block.ask(asked.address), exchange)
  if (bodies !== null) compare(proof, block.read(points, bodies), path, replay)
}

function keyOf(points: readonly Point[], index: number): string {
  return points.find((point) => point.index === index)?.key ?? ''
}

const NOT_PLANNED = 'no read of this driver asks so'
const TABLES = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' } as const

/** A read of registers with all points that lie within; a sentence where the request is none. */
function coveringBlock(pdu: Uint8Array, { model, points }: Replay): Block | string {
  const [fc = 0, a = 0, b = 0, c = 0, d = 0] = pdu
  const table = fc === 1 || fc === 2 || fc === 3 || fc === 4 ? TABLES[fc] : null
  if (table === null || pdu.length !== 5) return `function ${fc} is not a read`
  const start = (a << 8) | b
  const count = (c << 8) | d
  const covering = points.filter((point) => within(point, table, start, start + count))
  return blockOf({
    points: covering.map((point) => point.index),
    everyMs: 1000,
    table,
    start,
    count,
    wideCount: model.limits.wideCount ?? false,
  })
}

function within(point: Point, table: ModbusTable, start: number, end: number): boolean {
  if (point.source.from !== 'field' || point.source.place.protocol !== 'modbus') return false
  const { place } = point.source
  if (place.table !== table || place.model !== undefined) return false
  const alone = modbus.plan([{ ...point, index: 0, source: { ...point.source, everyMs: 1000 } }], LOOSE, new Set())[0]
  return alone !== undefined && alone.apart === undefined && start <= alone.start && alone.start + alone.count <= end
}

const LOOSE: Limits = {
  maxRegisters: 125,
  maxBits: 2000,
  maxGap: 125,
  minGapMs: 0,
  guardMs: 0,
  timeoutMs: 0,
  retries: 0,
  echo: false,
}

/** The bodies of the reply and of what had to be asked besides, or null after a finding. */
function answersOf(question: Question, { proof, framing, asked, path, replay }: Exchange): Uint8Array[] | null {
  const { model, findings } = replay
  const bodies: Uint8Array[] = []
  const first = answerOf(proof.reply ?? '', question, framing, asked.transaction)
  if (typeof first === 'string') {
    findings.error(placeIn(model.layers, [...path, 'reply']), 'proofReply', { why: first })
    return null
  }
  bodies.push(first.body)
  let more = first.more
  for (const [index, step] of (proof.next ?? []).entries()) {
    const at = (key: 'request' | 'reply') => placeIn(model.layers, [...path, 'next', index, key])
    const wanted = more === undefined ? 'nothing more' : printHex(framing.frame(more, asked.transaction), ' ')
    const frame = parseHex(step.request)
    if (more === undefined || typeof frame === 'string' || printHex(frame, ' ') !== wanted) {
      findings.error(at('request'), 'proofRequest', { why: `what is asked now is ${wanted}` })
      return null
    }
    const next = answerOf(step.reply, more, framing, asked.transaction)
    if (typeof next === 'string') {
      findings.error(at('reply'), 'proofReply', { why: next })
      return null
    }
    bodies.push(next.body)
    more = next.more
  }
  if (more === undefined) return bodies
  const why = `must go on with next: ${printHex(framing.frame(more, asked.transaction), ' ')}`
  findings.error(placeIn(model.layers, path), 'proofShape', { why })
  return null
}

type Answer = { readonly body: Uint8Array; readonly more?: Question }

/** A sentence where these bytes do not answer. */
function answerOf(hex: string, question: Question, framing: Framing, transaction: number): Answer | string {
  const reply = parseHex(hex)
  if (typeof reply === 'string' || reply.length === 0) return typeof reply === 'string' ? reply : 'is missing'
  const { split, lead } = firstFrame(reply, question, framing)
  if (split.kind !== 'frame') return SPLIT[split.kind]
  if (lead + split.used !== reply.length) return `only ${lead + split.used} of ${reply.length} bytes are a frame`
  const verdict = framing.judge(split.frame, question, transaction)
  return verdict.kind === 'answer' ? verdict : verdictText(verdict)
}

const WAKE_UP = 0xfe

/** Meters wake the line with FE before they speak. */
function firstFrame(reply: Uint8Array, question: Question, framing: Framing): { split: Split; lead: number } {
  let lead = 0
  if (framing.name !== 'rtu' && framing.name !== 'tcp') while (reply[lead] === WAKE_UP) lead += 1
  return { split: framing.split(reply.subarray(lead), question), lead }
}

const SPLIT = { more: 'is cut short', junk: 'is no frame: check its checksum' } as const

function verdictText(verdict: Exclude<Verdict, { kind: 'answer' }>): string {
  return verdict.kind === 'fault' ? `says ${causeText(verdict.fault)}` : `answers another request (${verdict.why})`
}

function replayWrite(exchange: Exchange): void {
  const { proof, protocol, framing, asked, path, replay } = exchange
  const { model, findings, points } = replay
  const writes = Object.entries(proof.write ?? {})
  const [first] = writes
  const point = points.find((each) => each.key === first?.[0])
  const at = placeIn(model.layers, [...path, 'write'])
  if (first === undefined || writes.length !== 1 || point === undefined || point.write === null) {
    findings.error(at, 'proofShape', { why: 'must write exactly one point that can be written' })
    return
  }
  const question = protocol.write(point, first[1], asked.address)
  if (typeof question === 'string') {
    findings.error(at, 'proofWrite', { point: point.key, why: question })
    return
  }
  const frame = framing.frame(question, asked.transaction)
  if (!same(frame, asked.frame))
    findings.error(at, 'proofWrite', { point: point.key, why: `gives ${printHex(frame, ' ')}` })
  else if (proof.reply !== undefined) answersOf(question, exchange)
}

function compare(
  proof: ProofBlock,
  readings: readonly Reading[],
  path: Path,
  { model, points, findings }: Replay,
): void {
  const got = new Map<string, Value | null>()
  for (const reading of readings) {
    const key = points.find((point) => point.index === reading.point)?.key
    if (key !== undefined) got.set(key, 'value' in reading ? reading.value : null)
  }
  for (const [key, wanted] of Object.entries(proof.samples ?? {})) {
    const value = got.get(key)
    const point = points.find((each) => each.key === key)
    if (value === wanted || near(value, wanted, point)) continue
    const at = placeIn(model.layers, [...path, 'samples', key])
    if (point === undefined) {
      findings.error(at, 'unknownPoint', { where: path.join('.'), point: key, near: null })
      continue
    }
    findings.error(at, 'proofSample', { point: key, wanted: show(wanted), got: show(value) })
  }
}

/** People write 230.2 for the float nearest to it or one beside: one step of its encoding is allowed, and no more. */
const STEP = { f32: 2 ** -23, other: 1e-9 } as const

function near(value: Value | null | undefined, wanted: Value | null, point: Point | undefined): boolean {
  if (typeof value !== 'number' || typeof wanted !== 'number' || point?.source.from !== 'field') return false
  const { place } = point.source
  const single = place.protocol === 'modbus' && (place.as === 'f32' || place.plus?.as === 'f32')
  const step = single ? STEP.f32 : STEP.other
  return Math.abs(value - wanted) <= step * Math.max(1, Math.abs(wanted))
}

function show(value: Value | null | undefined): string {
  return value === undefined ? 'nothing' : value === null ? 'no value' : String(value)
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
