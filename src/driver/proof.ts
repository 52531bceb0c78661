/** Replays a driver's proofs through the real codec and planner: bytes in, samples out, request as planned. */
import { parseHex, printHex } from '../bytes/hex.ts'
import { causeText } from '../model/fault.ts'
import { type Point, pointId, type Value } from '../model/point.ts'
import type { Reading } from '../model/sample.ts'
import { payloadCodec } from '../protocols/all.ts'
import { blockOf, modbus } from '../protocols/modbus/index.ts'
import type { Framing, Question, Verdict } from '../protocols/protocol.ts'
import type { Path } from './document.ts'
import type { Findings } from './finding.ts'
import { placeIn } from './layers.ts'
import type { Model } from './model.ts'
import type { ProofBlock } from './schema.ts'

type Replay = { readonly model: Model; readonly points: readonly Point[]; readonly findings: Findings }

/** Every proof of the model. A driver whose points come from the field and that has none gets a warning. */
export function replayProofs(model: Model, findings: Findings): void {
  const points = fieldPoints(model)
  const proofs = model.data.proof ?? []
  if (proofs.length === 0 && points.length > 0) findings.warn(placeIn(model.layers, ['driver']), 'proofNone', {})
  for (const [index, proof] of proofs.entries()) {
    const replay = { model, points, findings }
    const path = ['proof', index]
    if (proof.payload !== undefined) replayPayload(proof, proof.payload, path, replay)
    else if (proof.request !== undefined) replayExchange(proof, proof.request, path, replay)
    else findings.error(placeIn(model.layers, path), 'proofShape', { why: 'has neither request nor payload' })
  }
}

/** The model's field points, numbered as if the device were alone. */
export function fieldPoints(model: Model): readonly Point[] {
  return model.drafts.flatMap((draft, index): Point[] => {
    const { source, labels: _labels, ...rest } = draft
    return source.from === 'field' ? [{ ...rest, source, index, device: 0, id: pointId('device', draft.key) }] : []
  })
}

function replayPayload(proof: ProofBlock, payload: string, path: Path, replay: Replay): void {
  const { model, findings, points } = replay
  const codec = payloadCodec(model.data.payload ?? '')
  if (codec === null) return
  const base = 'proof/device'
  const topic = proof.topic === undefined ? base : `${base}/${proof.topic}`
  const outcome = codec.read(base, { topic, payload: new TextEncoder().encode(payload), retained: false }, points)
  if (outcome.kind === 'readings') compare(proof, outcome.readings, path, replay)
  else {
    const why = outcome.kind === 'refused' ? outcome.why : `${outcome.of} ${outcome.state}`
    findings.error(placeIn(model.layers, [...path, 'payload']), 'proofReply', { why })
  }
}

function replayExchange(proof: ProofBlock, requestHex: string, path: Path, replay: Replay): void {
  const { model, findings } = replay
  const framing = modbus.framing(proof.framing === 'tcp' ? 'modbus-tcp' : 'serial')
  const request = parseHex(requestHex)
  const asked = typeof request === 'string' ? request : readRequest(framing, request)
  if (typeof asked === 'string' || typeof request === 'string') {
    const why = typeof asked === 'string' ? asked : 'is not hexadecimal'
    findings.error(placeIn(model.layers, [...path, 'request']), 'proofRequest', { why })
    return
  }
  if (proof.write !== undefined) replayWrite(proof, request, framing, asked, path, replay)
  else replayRead(proof, framing, asked, path, replay)
}

type Asked = { readonly address: number; readonly pdu: Uint8Array; readonly transaction: number }

/** Unit and PDU of a request frame, by building it again: what differs is not a frame of ours. */
function readRequest(framing: Framing, request: Uint8Array): Asked | string {
  const rtu = framing.name === 'rtu'
  const transaction = rtu ? 0 : ((request[0] ?? 0) << 8) | (request[1] ?? 0)
  const address = request[rtu ? 0 : 6] ?? 0
  const pdu = rtu ? request.subarray(1, -2) : request.subarray(7)
  const again = framing.frame({ address, body: pdu, writes: false, answerBytes: 0 }, transaction)
  return same(again, request)
    ? { address, pdu, transaction }
    : `its checksum or length is wrong; it would be ${printHex(again, ' ')}`
}

const TABLES = { 1: 'coil', 2: 'discrete', 3: 'holding', 4: 'input' } as const

function replayRead(proof: ProofBlock, framing: Framing, asked: Asked, path: Path, replay: Replay): void {
  const { model, findings, points } = replay
  const [fc = 0, a = 0, b = 0, c = 0, d = 0] = asked.pdu
  const table = fc === 1 || fc === 2 || fc === 3 || fc === 4 ? TABLES[fc] : null
  const at = placeIn(model.layers, [...path, 'request'])
  if (table === null || asked.pdu.length !== 5) {
    findings.error(at, 'proofRequest', { why: `function ${fc} is not a read` })
    return
  }
  const start = (a << 8) | b
  const count = (c << 8) | d
  const wanted = `${table} ${start}+${count}`
  if (proof.plan === true) {
    const keys = modbus.plan(points, model.limits, new Set()).map((block) => block.key)
    if (!keys.includes(wanted)) {
      const near = keys.filter((key) => key.startsWith(`${table} `)).join(', ') || 'nothing of that table'
      findings.error(at, 'proofPlan', { asked: wanted, near })
    }
  }
  // What the proof claims must lie within what it asked for; what else lies there is read as well.
  const covering = points.filter((point) => within(point, table, start, count))
  const names = new Set(covering.map((point) => point.key))
  for (const key of Object.keys(proof.samples ?? {}))
    if (!names.has(key) && points.some((point) => point.key === key))
      findings.error(placeIn(model.layers, [...path, 'samples', key]), 'proofUncovered', { point: key, asked: wanted })
  const block = blockOf({ points: covering.map((point) => point.index), everyMs: 1000, table, start, count })
  const body = answerOf(proof, framing, block.ask(asked.address), asked.transaction, path, replay)
  if (body !== null) compare(proof, block.read(points, [body]), path, replay)
}

function within(point: Point, table: string, start: number, count: number): boolean {
  if (point.source.from !== 'field' || point.source.place.protocol !== 'modbus') return false
  const { place } = point.source
  if (place.table !== table || place.address < start) return false
  const alone = modbus.plan([{ ...point, index: 0 }], { ...NO_LIMITS }, new Set())[0]
  return alone !== undefined && alone.start + alone.count <= start + count
}

const NO_LIMITS = {
  maxRegisters: 125,
  maxBits: 2000,
  maxGap: 0,
  minGapMs: 0,
  guardMs: 0,
  timeoutMs: 0,
  retries: 0,
  echo: false,
} as const

/** The body of the reply, or null after a finding. */
function answerOf(
  proof: ProofBlock,
  framing: Framing,
  question: Question,
  transaction: number,
  path: Path,
  { model, findings }: Replay,
): Uint8Array | null {
  const at = placeIn(model.layers, [...path, 'reply'])
  const reply = parseHex(proof.reply ?? '')
  if (typeof reply === 'string' || reply.length === 0) {
    findings.error(at, 'proofReply', { why: typeof reply === 'string' ? reply : 'is missing' })
    return null
  }
  const split = framing.split(reply)
  if (split.kind !== 'frame' || split.used !== reply.length) {
    const why = split.kind === 'frame' ? `only ${split.used} of ${reply.length} bytes are a frame` : SPLIT[split.kind]
    findings.error(at, 'proofReply', { why })
    return null
  }
  const verdict = framing.judge(split.frame, question, transaction)
  if (verdict.kind === 'answer') return verdict.body
  findings.error(at, 'proofReply', { why: verdictText(verdict) })
  return null
}

const SPLIT = { more: 'is cut short', junk: 'is no frame: check its checksum' } as const

function verdictText(verdict: Exclude<Verdict, { kind: 'answer' }>): string {
  return verdict.kind === 'fault' ? `says ${causeText(verdict.fault)}` : `answers another request (${verdict.why})`
}

function replayWrite(
  proof: ProofBlock,
  request: Uint8Array,
  framing: Framing,
  asked: Asked,
  path: Path,
  replay: Replay,
): void {
  const { model, findings, points } = replay
  const writes = Object.entries(proof.write ?? {})
  const [first] = writes
  const point = points.find((each) => each.key === first?.[0])
  const at = placeIn(model.layers, [...path, 'write'])
  if (first === undefined || writes.length !== 1 || point === undefined || point.write === null) {
    findings.error(at, 'proofShape', { why: 'must write exactly one point that can be written' })
    return
  }
  const question = modbus.write(point, first[1], asked.address)
  if (typeof question === 'string') {
    findings.error(at, 'proofWrite', { point: point.key, why: question })
    return
  }
  const frame = framing.frame(question, asked.transaction)
  if (!same(frame, request))
    findings.error(at, 'proofWrite', { point: point.key, why: `gives ${printHex(frame, ' ')}` })
  else if (proof.reply !== undefined) answerOf(proof, framing, question, asked.transaction, path, replay)
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
  const step = place.protocol === 'modbus' && place.as === 'f32' ? STEP.f32 : STEP.other
  return Math.abs(value - wanted) <= step * Math.max(1, Math.abs(wanted))
}

function show(value: Value | null | undefined): string {
  return value === undefined ? 'nothing' : value === null ? 'no value' : String(value)
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}
