/** Every vector of test/vectors/dlt645.json: each frame four ways, what it says by the codec and again by `explain`. */
import { describe, expect, test } from 'vitest'
import type { Point } from '../../src/model/point.ts'
import { answeredAddress, broadcastTime, dlt645, readAddress, refusal } from '../../src/protocols/dlt645/index.ts'
import { reasonsOf } from '../../src/protocols/dlt645/control.ts'
import { buildFrame, parseFrame, splitFrame } from '../../src/protocols/dlt645/frame.ts'
import { itemOf, rowOf } from '../../src/protocols/dlt645/items.ts'
import { join } from '../../src/protocols/dlt645/read.ts'
import { explain } from '../../src/protocols/explain.ts'
import type { ExplainedFrame } from '../../src/protocols/explained.ts'
import type { Question } from '../../src/protocols/protocol.ts'
import file from '../vectors/dlt645.json' with { type: 'json' }
import { bytes, dlt645Point, LIMITS } from './make.ts'

type Parsed = { preamble: number; address: string; control: string; length: number; data: string }
type Decoded = {
  di?: string
  value?: number | string
  values?: number[]
  unit?: string
  names?: string[]
  at?: string
  date?: string
  weekday?: number
  time?: string
  raw?: string
  raws?: string[]
  bits?: Record<string, unknown>
  error?: { err_byte: string; bits: string[] }
  reject?: string
  more?: boolean
  seq?: number
  part_hex?: string
  joined_hex?: string
  [key: string]: unknown
}
type Vector = {
  id: string
  title: string
  version: '2007' | '1997'
  request_hex?: string
  request_parsed?: Parsed
  response_hex?: string
  response_parsed?: Parsed
  decoded?: Decoded
  stream_hex?: string
  expect?: Record<string, unknown>
}

const VECTORS = file.vectors as unknown as Vector[]
const RAN = new Set<string>()

const framing = dlt645.framing('serial')
if (framing === null) throw new Error('no framing on a serial line')

/** What we asked, as the bus would have it. */
function asked(hex: string): Question {
  const frame = parseFrame(bytes(hex))
  if (frame === null) throw new Error('no request')
  return { address: frame.address, body: Uint8Array.of(frame.control, ...frame.data), writes: false, answerBytes: 0 }
}

function drain(received: Uint8Array): { frames: Uint8Array[]; shed: number; left: number } {
  const frames: Uint8Array[] = []
  let at = 0
  let shed = 0
  while (at < received.length) {
    const split = framing?.split(received.subarray(at))
    if (split === undefined || split.kind === 'more') break
    if (split.kind === 'frame') frames.push(split.frame)
    else shed += split.used
    at += split.used
  }
  return { frames, shed, left: received.length - at }
}

function hexOf(array: Uint8Array): string {
  return Buffer.from(array).toString('hex').toUpperCase()
}

function fourWays(hex: string, parsed: Parsed): void {
  const frame = bytes(hex)
  // Parse.
  expect(splitFrame(frame)).toEqual({ kind: 'frame', frame, used: frame.length })
  const found = parseFrame(frame)
  if (found === null) throw new Error('not parsed')
  expect(found).toMatchObject({ wakeUp: parsed.preamble, address: parsed.address })
  expect(found.control).toBe(Number.parseInt(parsed.control, 16))
  expect(hexOf(found.data)).toBe(parsed.data)
  expect(found.data).toHaveLength(parsed.length)
  // Build.
  const { preamble: wakeUp, address } = parsed
  expect(buildFrame({ wakeUp, address, control: found.control, data: bytes(parsed.data) })).toEqual(frame)
  // No proper prefix is a frame, and none is thrown away.
  for (let length = 0; length < frame.length; length++) {
    expect(splitFrame(frame.subarray(0, length)).kind, `${length} bytes`).toBe('more')
  }
  // Noise in front is shed: also a 68 that begins nothing.
  const noise = Uint8Array.of(0x00, 0x68, 0x02, 0x68, 0xff, 0x16)
  expect(drain(Uint8Array.of(...noise, ...frame))).toEqual({ frames: [frame], shed: noise.length, left: 0 })
}

function explained(vector: Vector, hex: string, request?: string): ExplainedFrame {
  const protocol = vector.version === '1997' ? 'dlt645-1997' : 'dlt645'
  const said = explain(protocol, hex, request ?? null)
  if (typeof said === 'string') throw new Error(said)
  expect(said).toMatchObject({ junk: '', why: null })
  const [frame] = said.frames
  if (frame === undefined) throw new Error('nothing explained')
  expect(said.frames).toHaveLength(1)
  expect(frame.protocol).toBe(protocol)
  return frame
}

/** Reads a value of the answer by a point at `item`, planned as a site would: alone or in its row. */
function readBy(item: string, as: string | null, question: string | null, answer: Uint8Array): unknown[] {
  const row = rowOf(item)
  const points = (row?.members ?? [item]).map((member, index) => dlt645Point(index, member, as))
  const [block, ...others] = dlt645.plan(points, LIMITS, new Set())
  if (block === undefined) throw new Error('nothing planned')
  expect(others).toEqual([])
  expect(block.key).toBe(item)
  const frame = parseFrame(answer)
  if (frame === null) throw new Error('no answer')
  const ask = question === null ? block.ask(frame.address) : asked(question)
  if (question !== null) expect(block.ask(ask.address).body).toEqual(ask.body)
  const verdict = framing?.judge(answer, ask, 0)
  if (verdict?.kind !== 'answer') throw new Error(`${verdict?.kind}`)
  return block
    .read(points as readonly Point[], [verdict.body])
    .map((reading) => ('value' in reading ? reading.value : reading.fault.kind))
}

const exchanges = VECTORS.filter(({ stream_hex }) => stream_hex === undefined)

describe.each(exchanges)('$id ($version): $title', (vector) => {
  const { decoded = {}, request_hex, response_hex } = vector

  test('frames', () => {
    RAN.add(vector.id)
    if (request_hex !== undefined && vector.request_parsed) fourWays(request_hex, vector.request_parsed)
    if (response_hex !== undefined && vector.response_parsed) fourWays(response_hex, vector.response_parsed)
  })

  test('the request is the one that the gateway builds', () => {
    const parsed = vector.request_parsed
    if (request_hex === undefined || parsed === undefined) return
    const question = asked(request_hex)
    // The gateway always wakes the line with four FE.
    const built = hexOf(framing.frame(question, 0))
    expect(built).toBe(`FEFEFEFE${request_hex.replace(/^(FE)+/, '')}`)
    const [control] = question.body
    if (control === 0x13) expect(question.body).toEqual(readAddress().body)
    const forbidden = [0x14, 0x15, 0x1c].includes(control ?? 0)
    expect(refusal(question.body) !== null).toBe(forbidden)
  })

  test('what it says', () => {
    if (response_hex === undefined) return
    const answer = bytes(response_hex)
    const { error, reject, di } = decoded
    const question = request_hex === undefined ? null : asked(request_hex)
    if (reject !== undefined) {
      const verdict = framing.judge(answer, question as Question, 0)
      const wrong = { kind: 'other', why: 'address', from: '202306150043' }
      expect(verdict).toEqual(reject === 'di_mismatch' ? { kind: 'other', why: 'transaction' } : wrong)
      return
    }
    if (error !== undefined) {
      const code = Number.parseInt(error.err_byte, 16)
      expect(reasonsOf(code, vector.version).map(({ name }) => name)).toEqual(error.bits)
      const parsed = parseFrame(answer)
      if (parsed === null) throw new Error('no answer')
      const body = Uint8Array.of(parsed.control & 0x1f, 0, 0, 0, 0)
      const ask = question ?? { address: parsed.address, body, writes: false, answerBytes: 0 }
      expect(framing.judge(answer, ask, 0)).toMatchObject({ kind: 'fault', fault: { kind: 'exception', code } })
      return
    }
    if (decoded['function'] === '13') {
      const verdict = framing.judge(answer, readAddress(), 0)
      if (verdict.kind !== 'answer') throw new Error(verdict.kind)
      expect(answeredAddress(verdict.body)).toBe(decoded['address'])
      return
    }
    if (decoded['result'] === 'ok') {
      if (question !== null) expect(framing.judge(answer, question, 0).kind).toBe('answer')
      return
    }
    if (di === undefined || decoded.part_hex !== undefined) return
    expectItem(vector, di, answer)
  })

  test('explain says the same', () => {
    if (request_hex !== undefined) expectRequest(vector, explained(vector, request_hex))
    if (response_hex !== undefined) expectReply(vector, explained(vector, response_hex, request_hex))
  })
})

function expectItem(vector: Vector, di: string, answer: Uint8Array): void {
  const { decoded = {}, request_hex = null } = vector
  const read = (as: string | null): unknown[] => readBy(di, as, request_hex, answer)
  const known = itemOf(rowOf(di)?.members[0] ?? di)
  // The unit of a water meter is the driver's business.
  if (decoded.unit !== undefined && vector.id !== 'dlt97-10') expect(known?.unit ?? '').toBe(decoded.unit)
  if (decoded.value !== undefined) expect(read(null)).toEqual([decoded.value])
  if (decoded.at !== undefined) expect(read('when')).toEqual([decoded.at])
  if (decoded.date !== undefined) expect(read(null)).toEqual([decoded.date])
  if (decoded.time !== undefined) expect(read(null)).toEqual([decoded.time])
  if (decoded.raw !== undefined) expect(read(null)).toEqual([Number.parseInt(decoded.raw, 16)])
  if (decoded.raws !== undefined) expect(read(null)).toEqual(decoded.raws.map((raw) => Number.parseInt(raw, 16)))
  if (decoded.values !== undefined) {
    const all = read(null)
    expect(all.slice(0, decoded.values.length)).toEqual(decoded.values)
    // Tariffs beyond those that the meter has.
    expect(new Set(all.slice(decoded.values.length))).toEqual(new Set(all.length > 4 ? ['sentinel'] : []))
  }
}

function expectRequest({ decoded = {}, request_parsed }: Vector, frame: ExplainedFrame): void {
  expect(frame).toMatchObject({ direction: 'request', address: request_parsed?.address, fault: null })
  if (decoded.di !== undefined && decoded.reject === undefined) expect(frame.fields['item']).toBe(decoded.di)
  // The answer's own number; requests of the first part have none.
  if (frame.function.startsWith('12')) expect(frame.fields['seq']).toBe(request_parsed?.data.endsWith('03') ? 3 : 1)
  for (const key of ['time', 'reply_expected', 'n1', 'command', 'valid_until', 'pa'] as const) {
    const isRequest =
      frame.function.startsWith('1C') || frame.function.startsWith('14') || frame.function.startsWith('08')
    if (isRequest && decoded[key] !== undefined) expect(frame.fields[key]).toEqual(decoded[key])
  }
  if (decoded['operator'] !== undefined) expect(frame.fields['operator']).toBe(decoded['operator'])
  if (decoded['payload_wire'] !== undefined) expect(frame.fields['payload']).toBe(decoded['payload_wire'])
  // Of the password only that there is one.
  if (decoded['password'] !== undefined || decoded['password_wire'] !== undefined) {
    expect(frame.fields['password']).toBe('***')
  }
}

function expectReply({ decoded = {}, response_parsed, version, id }: Vector, frame: ExplainedFrame): void {
  expect(frame).toMatchObject({ direction: 'reply', address: response_parsed?.address })
  if (decoded.reject !== undefined) {
    const words = { address_mismatch: 'meter 202306150043 answers', di_mismatch: 'another data identifier' }
    expect(frame.note).toContain(words[decoded.reject as keyof typeof words])
    return
  }
  if (decoded.error !== undefined) {
    expect(frame.fault).toBe(`exception:${Number.parseInt(decoded.error.err_byte, 16)}`)
    expect(frame.fields['reasons']).toEqual(decoded.error.bits)
    for (const { text } of reasonsOf(Number.parseInt(decoded.error.err_byte, 16), version)) {
      expect(frame.note).toContain(text.en)
    }
    return
  }
  expect(frame.fault).toBeNull()
  // A write is answered without its identifier.
  if (decoded.di !== undefined && decoded['function'] !== '14') expect(frame.fields['item']).toBe(decoded.di)
  const readings = frame.readings.map(({ value }) => value)
  if (decoded.value !== undefined) expect(readings[0]).toBe(decoded.value)
  if (decoded.values !== undefined) expect(readings).toEqual(decoded.values)
  if (decoded.raws !== undefined) expect(readings).toEqual(decoded.raws.map((raw) => Number.parseInt(raw, 16)))
  if (decoded.raw !== undefined) expect(readings).toEqual([Number.parseInt(decoded.raw, 16)])
  if (decoded.at !== undefined) expect(readings[1]).toBe(decoded.at)
  if (decoded.date !== undefined)
    expect([readings[0], frame.fields['weekday']]).toEqual([decoded.date, decoded.weekday])
  if (decoded.time !== undefined && decoded.di !== undefined) expect(readings[0]).toBe(decoded.time)
  if (decoded.bits !== undefined) expect(frame.fields['bits']).toMatchObject(decoded.bits)
  if (decoded.unit !== undefined && id !== 'dlt97-10') expect(frame.readings[0]?.unit ?? '').toBe(decoded.unit)
  if (decoded['result'] !== undefined) expect(frame.fields['result']).toBe(decoded['result'])
  if (decoded['function'] === '13') expect(frame.fields['meter']).toBe(decoded['address'])
  if (decoded.part_hex !== undefined) {
    expect(frame.fields).toMatchObject({ raw: decoded.part_hex, more: decoded.more })
    if (decoded.seq !== undefined) expect(frame.fields['seq']).toBe(decoded.seq)
  }
}

test('dlt-090 and dlt-091: an answer in two parts', () => {
  const [first, second] = ['dlt-090', 'dlt-091'].map((id) => VECTORS.find((vector) => vector.id === id) as Vector)
  const question = asked(first?.request_hex ?? '')
  const one = framing.judge(bytes(first?.response_hex ?? ''), question, 0)
  if (one.kind !== 'answer' || one.more === undefined) throw new Error('no follow-on')
  expect(hexOf(framing.frame(one.more, 0))).toBe(second?.request_hex)
  const two = framing.judge(bytes(second?.response_hex ?? ''), one.more, 0)
  if (two.kind !== 'answer') throw new Error(two.kind)
  expect(two.more).toBeUndefined()
  const whole = join('00010FFF', [one.body, two.body])
  expect(whole === null ? null : hexOf(whole)).toBe(second?.decoded?.joined_hex)
})

test('dlt-082: of a row of status words explain names what is set', () => {
  const vector = VECTORS.find(({ id }) => id === 'dlt-082') as Vector
  expect(explained(vector, vector.response_hex ?? '').fields).toMatchObject({
    '04000501': ['clock_battery_low'],
    '04000502': ['active_reverse_a'],
    '04000503': ['relay_open'],
    '04000504': [],
    '04000506': ['phase_open'],
  })
})

test('dlt-044: the time as a broadcast', () => {
  const wanted = VECTORS.find(({ id }) => id === 'dlt-044')?.request_hex ?? ''
  const question = broadcastTime({ year: 2017, month: 6, day: 5, hour: 10, minute: 22, second: 51 })
  expect(question).toMatchObject({ writes: true, unanswered: true })
  expect(hexOf(framing.frame(question, 0))).toBe(`FEFEFEFE${wanted}`)
})

const streams = VECTORS.filter(({ stream_hex }) => stream_hex !== undefined)

describe.each(streams)('stream $id: $title', (vector) => {
  const { stream_hex = '', expect: wanted = {} } = vector
  const stream = bytes(stream_hex)
  const item = (wanted['di'] as string | undefined) ?? (vector.version === '1997' ? '9010' : '00010000')

  test('frames and value', () => {
    RAN.add(vector.id)
    const { frames, shed, left } = drain(stream)
    expect(frames).toHaveLength(wanted['frames'] as number)
    if (wanted['need_more'] === true) expect([shed, left]).toEqual([0, stream.length])
    if (wanted['error'] === 'checksum' || wanted['error'] === 'end_byte') expect(left).toBe(0)
    if (wanted['first_is_request'] === true) {
      const ask = asked(hexOf(frames[0] as Uint8Array))
      expect(framing.judge(frames[0] as Uint8Array, ask, 0)).toEqual({ kind: 'other', why: 'echo' })
    }
    const last = frames.at(-1)
    if (wanted['value'] !== undefined) expect(readBy(item, null, null, last as Uint8Array)).toEqual([wanted['value']])
    if (wanted['value_error'] !== undefined) {
      const di = vector.id === 'dlt-119' ? '00010000' : '02010200'
      const fault = wanted['value_error'] === 'no_data' ? 'sentinel' : 'device_fault'
      expect(readBy(di, null, null, last as Uint8Array)).toEqual([fault])
    }
  })

  test('explain', () => {
    const said = explain(vector.version === '1997' ? 'dlt645-1997' : 'dlt645', stream_hex)
    if (typeof said === 'string') throw new Error(said)
    expect(said.frames).toHaveLength(wanted['frames'] as number)
    if (wanted['error'] === 'checksum') expect(said.why).toMatch(/^the checksum is 55, it would be 54/)
    if (wanted['error'] === 'end_byte') expect(said.why).toBe('a frame ends with 16, here is 17')
    if (wanted['error'] === 'length_or_incomplete') expect(said.why).toContain('255')
    if (wanted['need_more'] === true) expect(said.why).toContain('cut short')
    const readings = said.frames.at(-1)?.readings ?? []
    if (wanted['value'] !== undefined) expect(readings.map(({ value }) => value)).toEqual([wanted['value']])
    if (wanted['value_error'] !== undefined) {
      const fault = wanted['value_error'] === 'no_data' ? 'sentinel' : 'device_fault'
      expect(said.frames.at(-1)).toMatchObject({ readings: [], fault, fields: { raw: wanted['raw'] } })
    }
  })
})

test('no vector is left out silently', () => {
  expect([...RAN].sort()).toEqual(VECTORS.map(({ id }) => id).sort())
})
