/** Codecs and planner by themselves: how many replies a second become readings. One core, nothing else running in the process. */
import { readFileSync } from 'node:fs'
import type { Point } from '../../src/model/point.ts'
import { PAYLOADS, PROTOCOLS } from '../../src/protocols/all.ts'
import { modbus } from '../../src/protocols/modbus/index.ts'
import { buildReply } from '../../src/protocols/modbus/pdu.ts'
import type { Framing, PlaceWords, Protocol } from '../../src/protocols/protocol.ts'
import { cutLines, NOTHING_HELD, parsePart, readParts, takeApart } from '../../src/protocols/textline/index.ts'
import { messages, paths } from '../fuzz/seeds.ts'
import { LIMITS, meterPoint, modbusPoint, payloadPoint } from '../protocols/make.ts'
import { serialLine, tcpDevices } from './field.ts'
import type { Bench } from './scenarios.ts'

const MEASURED_MS = 400

/** How often a second, by the processor's own time: others on this machine do not count. */
function rate(once: () => void): number {
  let calls = 0
  const run = (ms: number): number => {
    const from = process.cpuUsage()
    for (;;) {
      for (let k = 0; k < 50; k++) once()
      calls += 50
      const { user, system } = process.cpuUsage(from)
      if (user + system > ms * 1000) return user + system
    }
  }
  run(MEASURED_MS / 4)
  calls = 0
  const tookUs = run(MEASURED_MS)
  return (calls / tookUs) * 1e6
}

const REGISTERS = 100

/** A reply of 100 registers in this envelope: found, judged, read. */
function modbusRate(framing: Framing): number {
  const points = Array.from({ length: REGISTERS }, (_, address) => modbusPoint(address, { address }))
  const [block] = modbus.plan(points, LIMITS, new Set())
  if (block === undefined) throw new Error('nothing is planned')
  const question = block.ask(1)
  const content = Uint8Array.from({ length: 2 * REGISTERS }, (_, at) => at)
  const frame = framing.frame({ ...question, body: buildReply({ fc: 3, content }) }, 1)
  return rate(() => {
    const split = framing.split(frame, question)
    if (split.kind !== 'frame') throw new Error('no frame')
    const verdict = framing.judge(split.frame, question, 1)
    if (verdict.kind !== 'answer') throw new Error('no answer')
    block.read(points, [verdict.body])
  })
}

/** A reply of the vectors, and what is read from it. */
const METERS: readonly {
  readonly name: keyof typeof PROTOCOLS
  readonly vector: string
  readonly words: PlaceWords
  readonly address: number | string
}[] = [
  { name: 'dlt645', vector: 'dlt-001', words: { at: '00010000' }, address: '000000000161' },
  { name: 'cjt188', vector: 'cjt-001', words: { at: '901F', field: 'total' }, address: '78330011223344' },
  { name: 'mbus', vector: 'mbus-example-data-01', words: { at: 'energy' }, address: 1 },
]

function meterRate(protocol: Protocol, { vector, words, address }: (typeof METERS)[number]): number {
  const file = new URL(`../vectors/${protocol.name}.json`, import.meta.url)
  const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: { id: string; response_hex?: string }[] }
  const frame = Uint8Array.from(Buffer.from(vectors.find(({ id }) => id === vector)?.response_hex ?? '', 'hex'))
  const placed = protocol.place?.(words)
  const known = protocol.address(address)
  const framing = protocol.framing('serial')
  if (placed === undefined || typeof placed === 'string' || !('address' in known) || framing === null)
    throw new Error(`${protocol.name}: ${JSON.stringify([placed, known])}`)
  const points = [meterPoint(0, placed.place, placed.type)]
  const [block] = protocol.plan(points, LIMITS, new Set())
  if (block === undefined) throw new Error('nothing is planned')
  const asked = block.ask(known.address)
  // M-Bus: a meter is called first and says a single E5; its data are the next question.
  const called = framing.judge(Uint8Array.of(0xe5), asked, 0)
  const [question, before] =
    called.kind === 'answer' && called.more !== undefined ? [called.more, [called.body]] : [asked, []]
  return rate(() => {
    let at = 0
    let split = framing.split(frame, question)
    for (; split.kind === 'junk'; split = framing.split(frame.subarray(at), question)) at += split.used
    if (split.kind !== 'frame') throw new Error(`${vector} is no frame`)
    const verdict = framing.judge(split.frame, question, 0)
    if (verdict.kind !== 'answer') throw new Error(`${vector} is no answer: ${JSON.stringify(verdict)}`)
    const [reading] = block.read(points, [...before, verdict.body])
    if (reading === undefined || 'fault' in reading) throw new Error(`${vector} says nothing`)
  })
}

/** The first message of the vectors that this codec reads something from, with whatever topic its device then has. */
function payloadRate(name: string): number {
  const codec = PAYLOADS[name]
  if (codec === undefined) throw new Error(`no codec ${name}`)
  // ChirpStack wraps what the device's codec made of it.
  const wanted = [...paths(), ...paths().map((path) => `object.${path}`), 'event-type-text', 'access-granted']
  const points = wanted.map((path, index) => payloadPoint(index, path, { type: 'str' }))
  for (const { topic, payload } of messages()) {
    const message = { topic, payload: new TextEncoder().encode(payload), retained: false }
    const levels = topic.split('/')
    const bases = [...levels.map((_, at) => levels.slice(0, at + 1).join('/')), levels[1] ?? '', `${topic}/1`]
    bases.push(`${levels.slice(0, -1).join('/')}/${deviceIn(payload)}`)
    for (const base of bases) {
      if (!codec.topics(base, points).includes(topic)) continue
      const outcome = codec.read(base, message, points)
      if (outcome.kind !== 'readings') continue
      const own = points.filter(({ index }) => outcome.readings.some(({ point }) => point === index))
      return rate(() => void codec.read(base, message, own))
    }
  }
  throw new Error(`no vector is for ${name}`)
}

/** uhppoted: all boards share a topic, and the number of each is in its message. */
function deviceIn(payload: string): string {
  return /"device-id":(\d+)/.exec(payload)?.[1] ?? ''
}

function textlineRate(): number {
  const form = {
    delimiter: '\r\n',
    begin: '',
    separator: ',',
    encoding: 'utf-8',
    maxBytes: 200,
    fields: 5,
    id: null,
  } as const
  const points = [1, 2, 3, 4].map((number, index): Point => {
    const part = parsePart(`field ${number}`)
    if (part === null) throw new Error('no such field')
    return meterPoint(index, { protocol: 'textline', part, only: [] }, 'str', null)
  })
  const bytes = new TextEncoder().encode('EVT,1,0012345678,2026-03-01 08:15:00,OPEN\r\n')
  return rate(() => {
    for (const line of cutLines(NOTHING_HELD, bytes, form).lines) {
      const parts = takeApart(line, form)
      if (typeof parts === 'string' || readParts(parts, points).length !== points.length) throw new Error('no line')
    }
  })
}

/** Points of all four tables, with holes, as a large controller has them. */
function plannerPoints(count: number): Point[] {
  const tables = ['holding', 'input', 'coil', 'discrete'] as const
  return Array.from({ length: count }, (_, at) => {
    const table = tables[at % 4] ?? 'holding'
    const as = table === 'coil' || table === 'discrete' ? 'bit' : at % 3 === 0 ? 'f32' : 'u16'
    return modbusPoint(at, { table, as, address: 3 * at + (at % 7 === 0 ? 20 : 0) }, {}, at % 5 === 0 ? 60_000 : 1000)
  })
}

export async function codecs(bench: Bench): Promise<void> {
  const { say } = bench
  for (const [wire, ascii] of [
    ['serial', false],
    ['serial', true],
    ['modbus-tcp', false],
  ] as const) {
    const framing = modbus.framing(wire, { ascii })
    say({
      name: `codec modbus-${framing.name}, replies of ${REGISTERS} registers`,
      value: modbusRate(framing),
      unit: 'frames/s',
    })
  }
  for (const meter of METERS) {
    const protocol: Protocol | undefined = PROTOCOLS[meter.name]
    if (protocol === undefined) throw new Error(`${meter.name} is not built in`)
    say({ name: `codec ${meter.name}, ${meter.vector}`, value: meterRate(protocol, meter), unit: 'frames/s' })
  }
  for (const name of Object.keys(PAYLOADS)) say({ name: `codec ${name}`, value: payloadRate(name), unit: 'messages/s' })
  say({ name: 'codec textline, five fields', value: textlineRate(), unit: 'lines/s' })
  for (const count of [100, 1000]) {
    const points = plannerPoints(count)
    const blocks = modbus.plan(points, LIMITS, new Set())
    const refused = new Set(blocks.slice(0, blocks.length / 2).map(({ key }) => key))
    const once = rate(() => void modbus.plan(points, LIMITS, new Set()))
    const apart = rate(() => void modbus.plan(points, LIMITS, refused))
    say({
      name: `planner, ${count} points of one device`,
      value: 1000 / once,
      unit: 'ms',
      note: `${blocks.length} reads`,
    })
    say({ name: `planner, ${count} points, half of the reads refused`, value: 1000 / apart, unit: 'ms' })
  }
  await tcpDevices(bench)
  await serialLine(bench)
}
