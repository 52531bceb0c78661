/** Proofs of devices that are not asked: published messages, what is published to them, and printed lines. */
import type { Point } from '../model/point.ts'
import type { Reading } from '../model/sample.ts'
import { payloadCodec } from '../protocols/all.ts'
import { cutLines, NOTHING_HELD, partOf, readParts, takeApart } from '../protocols/textline/index.ts'
import type { ProofBlock } from './schema.ts'
import type { Model } from './model.ts'

/** Readings that the proof must agree with; `nothing`: it holds without any; a sentence, and which key it is about. */
export type Told =
  | { readonly kind: 'readings'; readonly readings: readonly Reading[] }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'wrong'; readonly key: 'payload' | 'received' | 'write' | 'availability'; readonly why: string }

const BASE = 'proof/device'
const OWN = '%topic%'

function topicOf(proof: ProofBlock): string {
  if (proof.topic === undefined) return BASE
  // Beside the device's own: what several devices share.
  if (proof.topic.startsWith('../')) return `${BASE.split('/').slice(0, -1).join('/')}/${proof.topic.slice(3)}`
  return proof.topic.includes(OWN) ? proof.topic.replace(OWN, BASE) : `${BASE}/${proof.topic}`
}

export function replayMessage(proof: ProofBlock, model: Model, points: readonly Point[]): Told {
  const codec = payloadCodec(model.data.payload ?? '')
  const wrong = (key: 'payload' | 'write' | 'availability', why: string): Told => ({ kind: 'wrong', key, why })
  // Without a codec the driver had a finding.
  if (codec === null) return { kind: 'nothing' }
  const topic = topicOf(proof)
  if (proof.write !== undefined) {
    const [first, ...others] = Object.entries(proof.write)
    const point = points.find(({ key }) => key === first?.[0])
    if (first === undefined || others.length > 0 || point === undefined || point.write === null)
      return wrong('write', 'must write exactly one point that can be written')
    const telling = codec.write(BASE, point, first[1])
    if (typeof telling === 'string') return wrong('write', telling)
    const same = telling.topic === topic && telling.payload === proof.payload
    return same ? { kind: 'nothing' } : wrong('write', `gives ${telling.payload} on ${telling.topic}`)
  }
  if (!codec.topics(BASE, points).includes(topic)) return wrong('payload', `${topic} is no topic of this device`)
  const payload = new TextEncoder().encode(proof.payload)
  const outcome = codec.read(BASE, { topic, payload, retained: false }, points)
  switch (outcome.kind) {
    case 'readings':
      return proof.availability === undefined
        ? { kind: 'readings', readings: outcome.readings }
        : wrong('availability', 'it says values')
    case 'availability':
      return outcome.of === 'device' && outcome.state === proof.availability
        ? { kind: 'nothing' }
        : wrong('payload', `${outcome.of} ${outcome.state}`)
    case 'refused':
      return wrong('payload', outcome.why)
  }
}

/** Bytes are written as text, each sign one byte unless the driver's lines are UTF-8. */
export function replayLine(proof: ProofBlock, model: Model, points: readonly Point[]): Told {
  const { form } = model
  const wrong = (why: string): Told => ({ kind: 'wrong', key: 'received', why })
  if (form === null) return { kind: 'nothing' }
  const received = proof.received ?? ''
  const bytes = form.encoding === 'latin1' ? Buffer.from(received, 'latin1') : new TextEncoder().encode(received)
  const { lines, tooLong, state } = cutLines(NOTHING_HELD, bytes, form)
  if (tooLong > 0) return wrong('too_long')
  if (lines.length === 0 || state.held.length > 0) return wrong('does not end with the delimiter')
  const readings: Reading[] = []
  for (const line of lines) {
    const parts = takeApart(line, form)
    if (typeof parts === 'string') return wrong(parts)
    if (form.id !== null && partOf(parts, form.id) === null) return wrong('has nothing where its id should be')
    readings.push(...readParts(parts, points))
  }
  return readings.length > 0 ? { kind: 'readings', readings } : wrong('no_point')
}

/** Why this point cannot be told to its device, by the codec's own word; null: it can. */
export function untold(codecName: string, point: Point): string | null {
  const codec = payloadCodec(codecName)
  if (codec === null || point.write === null || point.source.from !== 'field') return null
  const { map } = point.source.treatment
  const label = map === null ? '' : (Object.values(map)[0] ?? '')
  const value = point.type === 'bool' ? true : point.type === 'str' ? label : (point.write.min ?? 0)
  const telling = codec.write(BASE, point, value)
  return typeof telling === 'string' ? telling : null
}
