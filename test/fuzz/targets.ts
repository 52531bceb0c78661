/**
 * What is fuzzed: every framing of every protocol with its blocks, `decode`, every payload codec, lines of text, card numbers. They
 * are found through the tables of the product; a protocol that is new there must be given places here, or the run fails.
 */
import type { CardForm, ModbusPlace, Place, Point, PointType } from '../../src/model/point.ts'
import type { Reading } from '../../src/model/sample.ts'
import type { Address, LineForm, Wire } from '../../src/model/site.ts'
import { PAYLOADS, PROTOCOLS } from '../../src/protocols/all.ts'
import { readCard } from '../../src/protocols/card.ts'
import { EXPLAINED } from '../../src/protocols/explain.ts'
import type { PayloadCodec } from '../../src/protocols/payload/payload.ts'
import type { Block, Framing, Protocol, Question } from '../../src/protocols/protocol.ts'
import { cutLines, NOTHING_HELD, parsePart, readParts, takeApart } from '../../src/protocols/textline/index.ts'
import { LIMITS, meterPoint, modbusPoint, payloadPoint } from '../protocols/make.ts'
import { mutate, mutateText, pick, randomBytes, type Roll } from './mutate.ts'
import { explainTarget } from './explain-target.ts'
import { framesOf, messages, paths } from './seeds.ts'
import { wireTarget } from './wire-target.ts'

export type Target = {
  /** The folder or file of `protocols/` that it belongs to. */
  readonly codec: string
  /** What of it is tried. */
  readonly name: string
  /** Makes an input, feeds it, and throws where something is not as promised. */
  readonly run: (roll: Roll) => void
  /** What it fed. */
  readonly last: () => Uint8Array
}

const FRAMES_MAX = 400
/** A framing's follow-ons are asked one after the other; the bus has its own bound. */
const FOLLOW_MAX = 6

class Broken extends Error {}

function hold(truth: boolean, what: string): void {
  if (!truth) throw new Broken(what)
}

/** Values travel as JSON: no NaN, no infinity, no bigint. */
function sound(readings: readonly Reading[]): void {
  for (const reading of readings) {
    if ('fault' in reading) continue
    const { value } = reading
    const travels =
      typeof value === 'number' ? Number.isFinite(value) : typeof value === 'string' || typeof value === 'boolean'
    hold(travels, `point ${reading.point} reads ${typeof value} ${String(value)}`)
  }
}

type Setting = {
  readonly points: readonly Point[]
  /** As in a site file. */
  readonly addresses: readonly (number | string)[]
  /** Beyond those of a site: wildcards. */
  readonly also?: readonly Address[]
}

/** A bit of everything that a driver may ask of each protocol. */
const SETTINGS: Readonly<Record<string, () => Setting>> = {
  modbus: () => ({
    addresses: [1, 2, 17],
    points: [
      ...places(
        (['u16', 's16', 'u32', 's32', 'u64', 's64', 'f32', 'f64', 'bcd16', 'bcd32', 'sm16', 'sm32'] as const).map(
          (as, at): Partial<ModbusPlace> => ({ as, address: 8 * at, order: at % 2 === 0 ? 'ABCD' : 'CDAB' }),
        ),
      ),
      ...places([
        { as: 'mod10k32', address: 200 },
        { as: 'mod10k64', address: 204 },
        { as: 'string', address: 210, length: 9 },
        { as: 'bit', bit: 9, address: 220 },
        { as: 'u32', bits: [4, 19], address: 222 },
        { as: 'u16', address: 230, plus: { address: 231, as: 'f32', scale: 0.001 } },
        {
          as: 's16',
          address: 240,
          factors: [
            { table: 'holding', address: 241, as: 's16', order: 'ABCD', means: 'power', invalid: [0x8000] },
            { table: 'input', address: 500, as: 'u16', order: 'ABCD', means: { 0: 1, 1: 10 }, invalid: [] },
          ],
        },
        { as: 'u16', address: 2, model: { id: 103, base: 40_000 } },
        { as: 'f32', table: 'input', address: 300 },
        { as: 'bit', table: 'coil', address: 19 },
        { as: 'bit', table: 'discrete', address: 7 },
      ]),
    ].map((point, index) => ({ ...point, index })),
  }),
  dlt645: () => ({
    addresses: ['000000000161', '123456789012'],
    also: ['AAAAAAAAAAAA'],
    points: placed('dlt645', [
      ['00000000'],
      ['00010000'],
      ['02010100'],
      ['02020100'],
      ['02030000'],
      ['02060000'],
      ['02800002'],
      ['04000101'],
      ['04000102'],
      ['04000403'],
      ['04000501', 'bit 4'],
      ['9010'],
      ['B611'],
    ]),
  }),
  cjt188: () => ({
    addresses: ['00112026000123', '78330011223344'],
    also: ['AAAAAAAAAAAAAA'],
    points: placed('cjt188', [
      ['901F', undefined, 'total'],
      ['901F', undefined, 'heat'],
      ['901F', undefined, 'clock'],
      ['901F', undefined, 'valve'],
      ['901F', undefined, 'battery_low'],
    ]),
  }),
  mbus: () => ({
    addresses: [1, 5, '12345678'],
    also: [254],
    points: placed('mbus', [
      ['volume'],
      ['energy storage 1'],
      ['status bit 2'],
      ['flow_temperature'],
      ['datetime'],
      ['"%RH" maximum'],
      ['vif FD3A'],
    ]),
  }),
}

function places(some: readonly Partial<ModbusPlace>[]): Point[] {
  return some.map((place, index) => modbusPoint(index, place, index % 3 === 0 ? { scale: 0.1, invalid: [0x7fff] } : {}))
}

/** Words that a protocol does not know (any more) are left out; all of them would be a mistake of this file. */
function placed(
  name: string,
  words: readonly (readonly [at: string, as?: string | undefined, field?: string])[],
): Point[] {
  const protocol: Protocol | undefined = Object.entries(PROTOCOLS).find(([own]) => own === name)?.[1]
  const found = words.flatMap(([at, as, field]): { place: Place; type: PointType }[] => {
    const said = protocol?.place?.({
      at,
      ...(as === undefined ? {} : { as }),
      ...(field === undefined ? {} : { field }),
    })
    return said === undefined || typeof said === 'string' ? [] : [said]
  })
  if (found.length === 0) throw new Broken(`${name} knows none of the places that are fuzzed`)
  return found.map(({ place, type }, index) => meterPoint(index, place, type))
}

const WIRES: readonly Wire['kind'][] = ['modbus-tcp', 'tcp', 'serial']

function framingsOf(protocol: Protocol): readonly Framing[] {
  const all = WIRES.flatMap((wire) => [protocol.framing(wire), protocol.framing(wire, { ascii: true })])
  return [...new Set(all.filter((framing) => framing !== null))]
}

/** Who is asked, and for what. */
function voiceOf(protocol: Protocol): {
  readonly points: readonly Point[]
  readonly addresses: readonly Address[]
  readonly blocks: readonly Block[]
} {
  const setting = SETTINGS[protocol.name]?.()
  if (setting === undefined) throw new Broken(`say which places of ${protocol.name} are to be fuzzed`)
  const { points } = setting
  const addresses = setting.addresses.flatMap((written) => {
    const said = protocol.address(written)
    return 'address' in said ? [said.address] : []
  })
  const blocks = protocol.plan(points, LIMITS, new Set())
  if (blocks.length === 0 || addresses.length === 0) throw new Broken(`${protocol.name} plans nothing`)
  return { points, addresses: [...addresses, ...(setting.also ?? [])], blocks }
}

function framingTarget(protocol: Protocol, framing: Framing): Target {
  const { points, addresses: known, blocks } = voiceOf(protocol)
  const seeds = framesOf(protocol.name)
  let input: Uint8Array = new Uint8Array(0)
  return {
    codec: protocol.name,
    name: framing.name === protocol.name ? protocol.name : `${protocol.name}-${framing.name}`,
    last: () => input,
    run(roll) {
      const block = pick(roll, blocks)
      const question = block.ask(pick(roll, known))
      input = roll(2) === 0 ? mutate(roll, seeds) : framing.frame(answerLike(question, roll), roll(3))
      const bodies = received(framing, question, input, roll)
      feed(block, points, bodies)
      feed(block, points, [input])
      listen(framing, input)
      if (roll(16) === 0) protocol.write(pick(roll, points), pick(roll, VALUES), pick(roll, known))
    },
  }
}

const VALUES = [0, 1, -1, 0.1, 1e300, -1e-300, 65_536, 2 ** 53, true, false, '', 'x', '9007199254740993', '水泵', '-0']

/** The question's own bytes with what replies have in common, and anything behind: what a checksum would never let through. */
function answerLike(question: Question, roll: Roll): Question {
  const length = roll(4) === 0 ? roll(300) : Math.max(1, question.answerBytes)
  const body = randomBytes(roll, Math.min(length, 250))
  body.set(question.body.subarray(0, Math.min(body.length, roll(question.body.length + 1))))
  if (roll(2) === 0) body[0] = (question.body[0] ?? 0) | (roll(2) === 0 ? 0x80 : 0)
  if (roll(2) === 0 && body.length > 2) body[1] = body.length - 2
  return { ...question, body }
}

/** As the exchange reads it: frames from the front, noise shed, follow-ons asked. The bodies that answer. */
function received(framing: Framing, asked: Question, input: Uint8Array, roll: Roll): readonly Uint8Array[] {
  const bodies: Uint8Array[] = []
  let question = asked
  for (let at = 0, frames = 0; at < input.length; ) {
    const rest = input.subarray(at)
    const split = framing.split(rest, roll(2) === 0 ? question : undefined)
    if (split.kind === 'more') break
    hold(split.used > 0 && split.used <= rest.length, `${split.kind} used ${split.used} of ${rest.length}`)
    at += split.used
    if (split.kind !== 'frame') continue
    hold(split.frame.length <= framing.frameMax, `a frame of ${split.frame.length} bytes`)
    hold((frames += 1) <= FRAMES_MAX, 'more frames than there can be')
    const verdict = framing.judge(split.frame, question, roll(2))
    if (verdict.kind !== 'answer') continue
    bodies.push(verdict.body)
    if (verdict.more !== undefined && bodies.length < FOLLOW_MAX) question = verdict.more
  }
  framing.judge(input, question, 0)
  return bodies
}

function feed(block: Block, points: readonly Point[], bodies: readonly Uint8Array[]): void {
  const readings = block.read(points, bodies)
  hold(readings.length === block.points.length, `${readings.length} readings of ${block.points.length} points`)
  sound(readings)
}

function listen(framing: Framing, input: Uint8Array): void {
  framing.describe?.(input)
  if (framing.overhear === undefined) return
  for (let at = 0; at < input.length; ) {
    const rest = input.subarray(at)
    const split = framing.overhear(rest)
    if (split.kind === 'more') break
    hold(split.used > 0 && split.used <= rest.length, `overheard ${split.kind} used ${split.used} of ${rest.length}`)
    if (split.kind === 'frame') framing.describe?.(split.frame)
    at += split.used
  }
}

const MESSAGES = messages()
const TEXTS = MESSAGES.map(({ payload }) => payload)
const PAYLOAD_BYTES = TEXTS.map((text) => new TextEncoder().encode(text))
const BASES = ['b/x', 'application/17c8/device/24e124136b502341', 'uphhpote/405419896', 'shellies/shellyflood-77', 'x']
/** Paths of the vectors and paths that no document should be asked for, in every type. */
const PAYLOAD_POINTS: readonly Point[] = [...paths(), '$', '__proto__.x', 'constructor', 'a.0.b'].map((path, index) =>
  payloadPoint(index, path, {
    type: pick(() => index % 4, ['f64', 'bool', 'str', 'u64'] as const),
    kind: index % 5 === 0 ? 'event' : 'gauge',
    treatment: index % 7 === 0 ? { map: { 0: 'off', 1: 'on' } } : index % 3 === 0 ? { scale: 0.1, invalid: [0] } : {},
  }),
)

function payloadTarget(codec: PayloadCodec): Target {
  const topics = BASES.map((base) => ({ base, topics: codec.topics(base, PAYLOAD_POINTS) }))
  const encoder = new TextEncoder()
  let input: Uint8Array = new Uint8Array(0)
  return {
    codec: codec.name,
    name: `payload ${codec.name}`,
    last: () => input,
    run(roll) {
      input = roll(3) === 0 ? mutate(roll, PAYLOAD_BYTES) : encoder.encode(mutateText(roll, TEXTS))
      const chosen = pick(roll, topics)
      const topic = roll(16) === 0 ? pick(roll, MESSAGES).topic : pick(roll, chosen.topics)
      const outcome = codec.read(chosen.base, { topic, payload: input, retained: roll(4) === 0 }, PAYLOAD_POINTS)
      if (outcome.kind === 'readings') {
        hold(outcome.readings.length <= PAYLOAD_POINTS.length, `${outcome.readings.length} readings`)
        sound(outcome.readings)
      }
      if (roll(16) === 0) codec.write(chosen.base, pick(roll, PAYLOAD_POINTS), pick(roll, VALUES))
    },
  }
}

const LINES = [
  'P 03 UP 12.5 OK\r\n',
  '$EVT,1,0012345678,2026-03-01 08:15:00,OPEN*\r\n',
  '状态;1;2;3\n',
  '  3   -1  DN  00 \r',
  '000001,1,1,0,0,,\r\n',
].map((line) => new TextEncoder().encode(line))
const FORM = { begin: '', encoding: 'utf-8', maxBytes: 200, fields: null, id: null } as const
const FORMS: readonly LineForm[] = [
  { ...FORM, delimiter: '\r\n', separator: ',' },
  { ...FORM, delimiter: '\n', separator: ' ', encoding: 'gb18030', maxBytes: 20 },
  { ...FORM, delimiter: '\r', separator: null, encoding: 'latin1', begin: '$' },
  { ...FORM, delimiter: '*\r\n', separator: ';', fields: 4 },
]
const LINE_POINTS: readonly Point[] = ['line', 'field 1', 'field 3', 'field 9', 'columns 2-5', 'column 4000'].flatMap(
  (at, index) => {
    const part = parsePart(at)
    if (part === null) throw new Broken(`${at} is no place`)
    const types: readonly PointType[] = ['f64', 'bool', 'str', 'u64']
    return types.map((type, k) => {
      const only = k === 3 ? [{ part, text: '1' }] : []
      return meterPoint(4 * index + k, { protocol: 'textline', part, only }, type, null, k === 0 ? { scale: 0.1 } : {})
    })
  },
)

function textlineTarget(): Target {
  let input: Uint8Array = new Uint8Array(0)
  return {
    codec: 'textline',
    name: 'textline',
    last: () => input,
    run(roll) {
      input = mutate(roll, LINES)
      const form = pick(roll, FORMS)
      let state = NOTHING_HELD
      for (let at = 0; at < input.length; ) {
        const length = 1 + roll(40)
        const cut = cutLines(state, input.subarray(at, at + length), form)
        at += length
        state = cut.state
        hold(state.held.length <= form.maxBytes + form.delimiter.length, `${state.held.length} bytes are held`)
        for (const line of cut.lines) {
          const parts = takeApart(line, form)
          if (typeof parts !== 'string') sound(readParts(parts, LINE_POINTS))
        }
      }
    },
  }
}

const CARDS = [
  '00101101000000001010001000',
  '5898564',
  '90,324',
  '090,00324',
  '04A1B2C3',
  '04:A1:B2:C3:D4:E5:F6',
  '12345678901',
]
const CARD_BYTES = CARDS.map((text) => new TextEncoder().encode(text))
const CARD_FORMS: readonly CardForm[] = [
  'wiegand_bits',
  'wiegand26_raw',
  'wiegand34_raw',
  'wiegand26_pair',
  'wiegand26_decimal',
  'wiegand34_decimal',
  'wiegand34_hex',
  'uid',
  'uid_reversed',
]

function cardTarget(): Target {
  let input: Uint8Array = new Uint8Array(0)
  return {
    codec: 'card',
    name: 'card',
    last: () => input,
    run(roll) {
      input = mutate(roll, CARD_BYTES)
      const text = Buffer.from(input).toString(roll(2) === 0 ? 'utf8' : 'latin1')
      const raw = roll(4) === 0 ? Number(text) : text
      const card = readCard(pick(roll, CARD_FORMS), typeof raw === 'number' && Number.isNaN(raw) ? text : raw)
      hold(card === null || /^(w26|w34|uid):[0-9A-Fa-f:]+$/.test(card), `card "${card}"`)
    },
  }
}

/** What somebody who decodes may know besides: anything that fits one of the names, for all of them. */
const SURROUNDINGS = {
  texts: [...TEXTS, ...LINES.map((line) => new TextDecoder().decode(line)), ...CARDS],
  topics: [...MESSAGES.map(({ topic }) => topic), ...BASES],
  points: PAYLOAD_POINTS,
  linePoints: LINE_POINTS,
  forms: FORMS,
}

/** All framings; which of them meet on a wire is up to the dice. */
function exchangeTarget(): Target {
  const voices = Object.values(PROTOCOLS).flatMap((protocol) =>
    framingsOf(protocol).map((framing) => ({ framing, ...voiceOf(protocol), seeds: framesOf(protocol.name) })),
  )
  return { codec: 'exchange', name: 'exchange', ...wireTarget(voices, { hold, answerLike }) }
}

export const TARGETS: readonly Target[] = [
  ...Object.values(PROTOCOLS).flatMap((protocol) =>
    framingsOf(protocol).map((framing) => framingTarget(protocol, framing)),
  ),
  ...EXPLAINED.map((name) => ({ ...explainTarget(name, SURROUNDINGS, hold), name: `decode ${name}` })),
  ...Object.values(PAYLOADS).map(payloadTarget),
  exchangeTarget(),
  textlineTarget(),
  cardTarget(),
]
