/** Every vector of test/vectors/modbus.json, each frame four ways and through `decode`. */
import { describe, expect, test } from 'vitest'
import type { Fault } from '../../src/model/fault.ts'
import type { ModbusPlace, Treatment } from '../../src/model/point.ts'
import { explain } from '../../src/protocols/explain.ts'
import { ascii, bytesIn } from '../../src/protocols/modbus/ascii.ts'
import { rtu, tcp } from '../../src/protocols/modbus/framing.ts'
import type { Limits } from '../../src/model/site.ts'
import { modbus, placeFlaw, questionOf, readIdentity, silenceOf } from '../../src/protocols/modbus/index.ts'
import { buildReply, buildRequest, parseReply, parseRequest, unpackBits, word } from '../../src/protocols/modbus/pdu.ts'
import type { Framing, Question, Split } from '../../src/protocols/protocol.ts'
import file from '../vectors/modbus.json' with { type: 'json' }
import { bytes, LIMITS, modbusPoint } from './make.ts'

type Framed = { request_hex?: string; response_hex?: string; request?: string; response?: string }
type Vector = {
  id: string
  kind?: string
  unit?: number
  request_pdu_hex?: string
  response_pdu_hex?: string
  rtu?: Framed
  tcp?: Framed
  ascii?: Framed
  request?: string
  request_hex?: string | null
  response_hex?: string | null
  decoded?: Record<string, unknown>
  regs?: string[]
  format?: string
  value?: unknown
  error?: string
  baud?: number
  t3_5_ms?: number
  t1_5_ms?: number
  points?: [number, number, number][]
  options?: { max_gap: number; max_regs: number; holes?: [number, number, number][] }
  expect_reads?: [number, number, number][] | 'config_error'
}

const FRAMINGS = { rtu, tcp, ascii }
const VECTORS = file.vectors as unknown as Vector[]

const exchanges = VECTORS.filter((vector) => vector.request_pdu_hex !== undefined)
const ofKind = (...kinds: string[]) => VECTORS.filter((vector) => kinds.includes(vector.kind ?? 'exchange'))

const RAN = new Set<string>()

type Opened = { readonly unit: number; readonly pdu: Uint8Array; readonly transaction: number }

/** The envelope taken off. */
function opened(framing: Framing, frame: Uint8Array): Opened {
  if (framing.name === 'tcp') return { unit: frame[6] ?? 0, pdu: frame.slice(7), transaction: word(frame, 0) }
  const inner = framing.name === 'ascii' ? bytesIn(frame)?.subarray(0, -1) : frame.subarray(0, -2)
  if (inner === undefined) throw new Error('no frame')
  return { unit: inner[0] ?? 0, pdu: inner.slice(1), transaction: 0 }
}

function characters(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** What we asked, as the bus would have it, from the bytes on the wire. */
function asked(framing: Framing, request: Uint8Array): { question: Question; transaction: number } {
  const { unit, pdu, transaction } = opened(framing, request)
  const parsed = parseRequest(pdu)
  if (typeof parsed === 'string') throw new Error(parsed)
  return { question: questionOf(parsed, unit), transaction }
}

function frameOf(split: Split): Uint8Array {
  if (split.kind !== 'frame') throw new Error(`${split.kind}, not a frame`)
  return split.frame
}

/** Takes frames from the front, sheds the rest. */
function drain(framing: Framing, received: Uint8Array, question?: Question): { frames: Uint8Array[]; shed: number } {
  const frames: Uint8Array[] = []
  let at = 0
  let shed = 0
  while (at < received.length) {
    const split = framing.split(received.subarray(at), question)
    if (split.kind === 'more') break
    if (split.kind === 'frame') frames.push(split.frame)
    else shed += split.used
    at += split.used
  }
  return { frames, shed }
}

function fourWays(framing: Framing, frame: Uint8Array): void {
  // Parse.
  const split = framing.split(frame)
  expect(frameOf(split)).toEqual(frame)
  expect(split.kind === 'frame' && split.used).toBe(frame.length)
  // Build.
  const { unit, pdu, transaction } = opened(framing, frame)
  const reply = parseReply(pdu)
  if (typeof reply === 'string') throw new Error(reply)
  expect(buildReply(reply)).toEqual(pdu)
  const question = { address: unit, body: buildReply(reply), writes: false, answerBytes: 0 }
  expect(framing.frame(question, transaction)).toEqual(frame)
  // No proper prefix is a frame, and none is thrown away.
  for (let length = 0; length < frame.length; length++) {
    expect(framing.split(frame.subarray(0, length)).kind, `${length} bytes`).toBe('more')
  }
  // Noise in front is shed, also where it makes the unit look like a function code.
  const ours = { ...question, body: Uint8Array.of((pdu[0] ?? 0) & 0x7f, ...pdu.subarray(1)), answerBytes: pdu.length }
  const noise = Uint8Array.of(0x00, 0xff, 0x55, 0xff)
  expect(drain(framing, Uint8Array.of(...noise, ...frame), ours)).toEqual({ frames: [frame], shed: noise.length })
}

function buildsRequest(framing: Framing, frame: Uint8Array): void {
  const { question, transaction } = asked(framing, frame)
  const parsed = parseRequest(question.body)
  if (typeof parsed === 'string') throw new Error(parsed)
  expect(buildRequest(parsed)).toEqual(question.body)
  expect(framing.frame(question, transaction)).toEqual(frame)
}

/** As `gatehouse decode` shows it: a whole frame of that framing, nothing left over. */
function explained(framing: Framing, frame: Uint8Array, request?: Uint8Array) {
  const hex = (some: Uint8Array) => Buffer.from(some).toString('hex')
  const said = explain(`modbus-${framing.name}`, hex(frame), request === undefined ? null : hex(request))
  if (typeof said === 'string') throw new Error(said)
  expect(said).toMatchObject({ frames: [{ protocol: `modbus-${framing.name}` }], junk: '', why: null })
  return said.frames[0]
}

describe.each(exchanges)('exchange $id: $title', (vector) => {
  test.each(['rtu', 'tcp', 'ascii'] as const)('%s', (name) => {
    RAN.add(vector.id)
    const framing = FRAMINGS[name]
    const framed = vector[name] as Framed
    const request = name === 'ascii' ? characters(framed.request ?? '') : bytes(framed.request_hex ?? '')
    const response = name === 'ascii' ? characters(framed.response ?? '') : bytes(framed.response_hex ?? '')
    buildsRequest(framing, request)
    fourWays(framing, response)
    const { question, transaction } = asked(framing, request)
    expect(question.body).toEqual(bytes(vector.request_pdu_hex ?? ''))
    const verdict = framing.judge(response, question, transaction)
    const { exception } = vector.decoded as { exception?: number }
    const shown = explained(framing, response, request)
    if (exception !== undefined) {
      expect(verdict).toMatchObject({ kind: 'fault', fault: { kind: 'exception', code: exception } })
      expect(shown?.fault).toBe(`exception:${exception}`)
      return
    }
    expect(verdict).toEqual({ kind: 'answer', body: bytes(vector.response_pdu_hex ?? '') })
    expect(shown).toMatchObject({ direction: 'reply', fault: null, note: null })
    expect(explained(framing, request)?.direction).toBe('request')
    expectContent(vector, parseRequest(question.body), parseReply(bytes(vector.response_pdu_hex ?? '')))
  })
})

function expectContent(
  { decoded }: Vector,
  request: ReturnType<typeof parseRequest>,
  reply: ReturnType<typeof parseReply>,
): void {
  const said = decoded as {
    start?: number
    coils?: string
    regs?: number[]
    coil?: number
    reg?: number
    value?: unknown
    objects?: Record<string, string>
    conformity?: number
    more?: boolean
    read_start?: number
    write_start?: number
    written?: number[]
  }
  if (typeof request === 'string' || typeof reply === 'string') throw new Error('not parsed')
  if (said.objects !== undefined) {
    expect(reply).toMatchObject({ more: said.more, conformity: said.conformity })
    const texts = readIdentity([buildReply(reply)])?.texts ?? new Map()
    expect(Object.fromEntries([...texts].map(([id, text]) => [String(id), text]))).toEqual(said.objects)
    return
  }
  if (said.read_start !== undefined) {
    const { written = [], write_start } = said
    if (request.fc !== 23) throw new Error('not function 23')
    expect(request).toMatchObject({ start: said.read_start, writeStart: write_start, count: said.regs?.length })
    expect(written.map((_, at) => word(request.registers, 2 * at))).toEqual(written)
  }
  if (said.coils !== undefined) {
    if (!('content' in reply)) throw new Error('no content')
    const bits = unpackBits(reply.content, said.coils.length)
    expect(bits.map((bit) => (bit ? '1' : '0')).join('')).toBe(said.coils)
  } else if (said.regs !== undefined) {
    const content = 'content' in reply ? reply.content : 'registers' in request ? request.registers : new Uint8Array()
    expect(said.regs.map((_, at) => word(content, 2 * at))).toEqual(said.regs)
  } else if (said.coil !== undefined) expect(reply).toEqual({ fc: 5, start: said.coil, on: said.value })
  else expect(reply).toEqual({ fc: 6, start: said.reg, register: said.value })
  if (said.start !== undefined) expect('start' in request && request.start).toBe(said.start)
}

const REJECTS: Record<string, string> = {
  unit_mismatch: 'unit',
  byte_count_mismatch: 'length',
  echo_mismatch: 'echo',
  stale_transaction: 'transaction',
}

describe.each(ofKind('rtu', 'rtu-over-tcp', 'tcp'))('$kind $id: $title', (vector) => {
  const framing = vector.kind === 'tcp' ? tcp : rtu
  const { reject, exception, regs, frames } = vector.decoded as {
    reject?: string
    exception?: number
    regs?: number[]
    frames?: number
  }
  test('frames, judgement and content', () => {
    RAN.add(vector.id)
    if (vector.request_hex) buildsRequest(framing, bytes(vector.request_hex))
    if (!vector.response_hex) return
    const response = bytes(vector.response_hex)
    if (reject === 'crc' || reject === 'protocol_id') {
      expect(framing.split(response)).toEqual({ kind: 'junk', used: 1 })
      expect(drain(framing, response).frames).toEqual([])
      return
    }
    const found = drain(framing, response).frames
    expect(found).toHaveLength(frames ?? 1)
    for (const frame of found) {
      fourWays(framing, frame)
      explained(framing, frame)
    }
    if (!vector.request_hex) return
    const { question, transaction } = asked(framing, bytes(vector.request_hex))
    const verdict = framing.judge(found[0] as Uint8Array, question, transaction)
    if (reject !== undefined) expect(verdict).toMatchObject({ kind: 'other', why: REJECTS[reject] })
    else if (exception !== undefined) {
      expect(verdict).toMatchObject({ kind: 'fault', fault: { kind: 'exception', code: exception } })
    } else {
      if (verdict.kind !== 'answer') throw new Error(verdict.kind)
      if (regs) expect(regs.map((_, at) => word(verdict.body, 2 + 2 * at))).toEqual(regs)
    }
  })
})

describe.each(ofKind('ascii'))('ascii $id: $title', (vector) => {
  test('frames, or is shed', () => {
    RAN.add(vector.id)
    const line = vector.request ?? ''
    const frame = characters(line)
    const { reject, unit, fc, start, count } = vector.decoded as Record<string, unknown>
    if (reject !== undefined) {
      expect(ascii.split(frame)).toEqual({ kind: 'junk', used: 1 })
      expect(drain(ascii, frame)).toEqual({ frames: [], shed: frame.length })
      expect(explain('modbus-ascii', line)).toMatchObject({
        frames: [],
        why: 'LRC: the last two digits are 7f, over the others it is 7e',
      })
      return
    }
    buildsRequest(ascii, frame)
    for (const written of [frame, characters(line.toLowerCase())]) {
      expect(opened(ascii, frameOf(ascii.split(written)))).toEqual(opened(ascii, frame))
    }
    for (let length = 0; length < frame.length; length++) {
      expect(ascii.split(frame.subarray(0, length)).kind, `${length} characters`).toBe('more')
    }
    expect(parseRequest(opened(ascii, frame).pdu)).toEqual({ fc, start, count })
    expect(explain('modbus-ascii', line)).toMatchObject({
      frames: [{ direction: 'request', address: String(unit), fields: { start, count } }],
    })
  })
})

test('mb-tcp-03: both answers of one segment are read', () => {
  const found = drain(tcp, bytes('00080000000501030200010009000000050103020002')).frames
  expect(found.map((frame) => [word(frame, 0), word(frame, 9)])).toEqual([
    [8, 1],
    [9, 2],
  ])
})

const FORMATS: Record<string, [place: Partial<ModbusPlace>, treatment?: Partial<Treatment>]> = {
  'float32 ABCD': [{ as: 'f32' }],
  'float32 CDAB': [{ as: 'f32', order: 'CDAB' }],
  'float32 BADC': [{ as: 'f32', order: 'BADC' }],
  'float32 DCBA': [{ as: 'f32', order: 'DCBA' }],
  'uint32 ABCD': [{ as: 'u32' }],
  'uint32 CDAB': [{ as: 'u32', order: 'CDAB' }],
  'int32 ABCD': [{ as: 's32' }],
  'uint64 ABCDEFGH': [{ as: 'u64' }],
  'float64 ABCDEFGH': [{ as: 'f64' }],
  'int16 scale 0.1': [{ as: 's16' }, { scale: 0.1 }],
  'uint16 scale 0.1': [{ as: 'u16' }, { scale: 0.1 }],
  bcd16: [{ as: 'bcd16' }],
  'bcd32 ABCD': [{ as: 'bcd32' }],
  'bit 15': [{ as: 'bit', bit: 15 }],
  'bits 4-7': [{ as: 'u16', bits: [4, 7] }],
  'signmag16 scale 0.1': [{ as: 'sm16' }, { scale: 0.1 }],
  // The word with the lower digits comes first.
  'uint32 mod10k low-first': [{ as: 'mod10k32', order: 'CDAB' }],
  string: [{ as: 'string', length: 8 }],
  'string gb2312': [{ as: 'string', length: 4 }],
  'int16 invalid 7FFF': [{ as: 's16' }, { invalid: [0x7fff] }],
}
const FAULTS: Record<string, Fault> = {
  not_bcd: { kind: 'device_fault' },
  nan: { kind: 'device_fault' },
  sentinel: { kind: 'sentinel' },
}

describe.each(ofKind('value'))('value $id: $title', (vector) => {
  test('reads, and writes back', () => {
    RAN.add(vector.id)
    const format = FORMATS[vector.format ?? '']
    if (format === undefined) throw new Error(`no place for format ${vector.format}`)
    const point = modbusPoint(0, ...format)
    const content = bytes((vector.regs ?? []).join(''))
    const [block] = modbus.plan([point], LIMITS, new Set())
    if (block === undefined) throw new Error('nothing planned')
    expect(block.count).toBe(content.length / 2)
    const [reading] = block.read([point], [buildReply({ fc: 3, content })])
    if (reading === undefined) throw new Error('nothing read')
    if ('fault' in reading) {
      expect(reading.fault).toEqual(FAULTS[vector.error ?? 'none'])
      return
    }
    const single = format[0].as === 'f32'
    expect(single ? Math.fround(reading.value as number) : reading.value).toBe(vector.value)
    if (
      format[0].as === 'bit' ||
      format[0].bits !== undefined ||
      vector.format === 'string' ||
      vector.format === 'string gb2312'
    )
      return
    const question = modbus.write(point, reading.value, 1)
    if (typeof question === 'string') throw new Error(question)
    expect(question.body.subarray(-content.length)).toEqual(content)
  })
})

test.each(ofKind('timing'))('$id: $title', (vector) => {
  RAN.add(vector.id)
  const { frameMs, characterMs } = silenceOf(vector.baud ?? 0)
  expect(frameMs).toBeCloseTo(vector.t3_5_ms ?? 0, 3)
  expect(characterMs).toBeCloseTo(vector.t1_5_ms ?? 0, 3)
})

test.each(ofKind('coalesce'))('$id: $title', (vector) => {
  RAN.add(vector.id)
  const limits = { ...LIMITS, maxGap: vector.options?.max_gap ?? 0, maxRegisters: vector.options?.max_regs ?? 0 }
  const points = (vector.points ?? []).map(([, address, count], index) =>
    modbusPoint(index, { address, as: 'string', length: 2 * count }),
  )
  if (vector.expect_reads === 'config_error') {
    const place = points[0]?.source.from === 'field' ? points[0].source.place : null
    expect(placeFlaw(place as ModbusPlace, limits)).toBe('holding 65535 as string passes address 65535')
    expect(() => modbus.plan(points, limits, new Set())).toThrow(RangeError)
    return
  }
  const readsOf = (bounds: Limits, refused: readonly string[] = []) =>
    modbus.plan(points, bounds, new Set(refused)).map((block) => [3, block.start, block.count])
  const declared = vector.options?.holes
  if (declared === undefined) {
    expect(readsOf(limits)).toEqual(vector.expect_reads)
    return
  }
  const holes = declared.map(([, start, count]) => ({ table: 'holding' as const, start, end: start + count }))
  expect(readsOf({ ...limits, holes })).toEqual(vector.expect_reads)
  // Learnt instead: the merged read was refused once.
  expect(readsOf(limits, ['holding 0+8'])).toEqual(vector.expect_reads)
})

test('no vector is left out silently', () => {
  expect([...RAN].sort()).toEqual(VECTORS.map((vector) => vector.id).sort())
})
