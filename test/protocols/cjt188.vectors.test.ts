/** Every vector of test/vectors/cjt188.json, each frame four ways, and what it says through the codec and through `decode`. */
import { describe, expect, test } from 'vitest'
import type { Cjt188Place, PointType } from '../../src/model/point.ts'
import { cjt188 } from '../../src/protocols/cjt188/index.ts'
import { buildFrame, parseFrame } from '../../src/protocols/cjt188/frame.ts'
import { questionBody } from '../../src/protocols/cjt188/framing.ts'
import { HABITS } from '../../src/protocols/cjt188/place.ts'
import { ask } from '../../src/protocols/cjt188/read.ts'
import { explain } from '../../src/protocols/explain.ts'
import type { ExplainedFrame } from '../../src/protocols/explained.ts'
import type { Question } from '../../src/protocols/protocol.ts'
import file from '../vectors/cjt188.json' with { type: 'json' }
import { bytes } from './make.ts'
import { drain, exchange, pointsAt, threeWays } from './meters.ts'

type Parsed = { preamble: number; type: string; address: string; control: string; length: number; data: string }
type Vector = {
  id: string
  title: string
  request_hex?: string
  request_parsed?: Parsed
  response_hex?: string
  response_parsed?: Parsed
  stream_hex?: string
  layout?: string
  decoded?: Record<string, unknown>
  expect?: Record<string, unknown>
}

const VECTORS = file.vectors as unknown as Vector[]
const framing = cjt188.framing('serial')
if (framing === null) throw new Error('no framing')

function questionOf(hex: string): { question: Question; ser: number } {
  const frame = parseFrame(bytes(hex))
  if (frame === null) throw new Error('no frame')
  const { data } = frame
  const body = questionBody({ ...frame, data: Uint8Array.of(data[0] ?? 0, data[1] ?? 0, 0, ...data.subarray(3)) })
  return { question: { address: frame.address, body, writes: false, answerBytes: 0 }, ser: data[2] ?? 0 }
}

function explained(hex: string, request: string | null = null): ExplainedFrame {
  const said = explain('cjt188', hex, request)
  if (typeof said === 'string') throw new Error(said)
  const [frame] = said.frames
  if (frame === undefined) throw new Error(said.why ?? 'no frame')
  return frame
}

/** Names and units of the vectors, and ours. */
const NAMES: Readonly<Record<string, string>> = {
  current: 'total',
  settled: 'settled',
  settled_heat: 'settled_heat',
  current_heat: 'heat',
  power: 'power',
  flow: 'flow',
  volume: 'volume',
  supply_temp: 'supply_temperature',
  return_temp: 'return_temperature',
  work_hours: 'hours',
  time: 'clock',
  value: 'volume',
}
const ourUnit = (unit: unknown): unknown => String(unit).replace('m3', 'm³')

function expectDecoded(frame: ExplainedFrame, decoded: Record<string, unknown>): void {
  const readings = new Map(frame.readings.map((reading) => [reading.key, reading]))
  const { fields } = frame
  for (const [key, value] of Object.entries(decoded)) {
    const name = NAMES[key]
    if (key === 'time' && !('clock' in Object.fromEntries(readings)) && value !== null)
      expect(fields['time']).toBe(value)
    else if (name !== undefined) expect(readings.get(name)?.value ?? null, key).toBe(value)
    else if (key === 'unit') expect([...readings.values()][0]?.unit, key).toBe(ourUnit(value))
    else if (key.endsWith('_unit')) expect(readings.get(NAMES[key.slice(0, -5)] ?? '')?.unit, key).toBe(ourUnit(value))
    else if (key === 'di') expect(fields['item']).toBe(value)
    else if (key === 'st') expect(fields['status']).toBe(value)
    else if (key === 'battery_low') expect(fields['batteryLow']).toBe(value)
    else if (key === 'type') expect(String(fields['type']).slice(0, 2)).toBe(value)
    else if (key === 'address') expect(fields['meter'] ?? 'AAAAAAAAAAAAAA').toBe(value)
    else if (key === 'error') expect(frame.fault).toBe('exception:0')
    else if (key === 'months_back') expect(fields['monthsBack']).toBe(value)
    else if (key === 'control_more') expect(fields['more']).toBe(value)
    else if (key === 'vendor_layout') expect(frame.note).toMatch(/^unsupported layout/)
    else if (key === 'raw_after_ser') expect(fields['payload']).toBe(String(value).toLowerCase())
    // What one library made of a layout that no standard has: not to be repeated.
    else if (key === 'library_value') expect(frame.readings).toEqual([])
    else if (key === 'time_invalid') expect(fields['bad']).toEqual(['clock'])
    else if (key === 'command' || key === 'code' || key === 'result') continue
    else expect(fields[key], key).toBe(value)
  }
}

function fourWays(hex: string, parsed: Parsed | undefined): void {
  const frame = bytes(hex)
  const found = parseFrame(frame)
  if (found === null || parsed === undefined) throw new Error('no frame')
  threeWays(framing as NonNullable<typeof framing>, frame)
  expect(buildFrame(found)).toEqual(frame)
  expect({
    preamble: found.wakeUp,
    type: found.type.toString(16).toUpperCase(),
    address: found.address,
    control: found.control.toString(16).padStart(2, '0').toUpperCase(),
    length: found.data.length,
    data: Buffer.from(found.data).toString('hex').toUpperCase(),
  }).toEqual(parsed)
}

describe.each(VECTORS.filter(({ decoded }) => decoded !== undefined))('$id: $title', (vector) => {
  const { request_hex: request, response_hex: response, decoded = {} } = vector

  test('frames', () => {
    if (request !== undefined) fourWays(request, vector.request_parsed)
    if (response === undefined) return
    if (decoded['reject'] === 'checksum') {
      expect(drain(framing, bytes(response)).frames).toEqual([])
      const said = explain('cjt188', response)
      expect(said).toMatchObject({
        frames: [],
        why: `the checksum is 08, it would be ${String(decoded['expected_cs'])}`,
      })
      return
    }
    fourWays(response, vector.response_parsed)
  })

  test('the question is built byte for byte', () => {
    if (request === undefined) return
    const { question, ser } = questionOf(request)
    expect(framing.frame(question, ser)).toEqual(bytes(request))
    const parsed = parseFrame(bytes(request))
    if (parsed?.control !== 0x01) return
    const reversed = parsed.data[0] === 0x1f
    const habits = {
      ...HABITS,
      type: parsed.type,
      wakeUp: parsed.wakeUp,
      identifier: reversed ? '1F90' : '901F',
    } as const
    const item = typeof decoded['di'] === 'string' ? decoded['di'] : '901F'
    expect(framing.frame(ask({ item, habits }, parsed.address), ser)).toEqual(bytes(request))
  })

  test('what it says', () => {
    if (decoded['reject'] === 'checksum') return
    if (decoded['reject'] === 'ser_mismatch') {
      const { question, ser } = questionOf(request ?? '')
      expect(framing.judge(bytes(response ?? ''), question, ser)).toEqual({ kind: 'other', why: 'transaction' })
      expect(explained(response ?? '', request).note).toBe(
        'does not answer the request: sequence number 31, asked was 32',
      )
      return
    }
    const { command, code, result, time, ...ofReply } = decoded
    if (request !== undefined && (command !== undefined || code !== undefined)) {
      expect(explained(request).fields).toMatchObject({ command, ...(code === undefined ? {} : { code }) })
    }
    if (response === undefined) return expectDecoded(explained(request ?? ''), decoded)
    if (request !== undefined) {
      const { question, ser } = questionOf(request)
      expect(framing.judge(bytes(response), question, ser).kind).toBe(decoded['error'] === true ? 'fault' : 'answer')
    }
    const reply = explained(response, request ?? null)
    if (result !== undefined) expect(reply.fields['result']).toBe(result)
    if (result === 'ok' && time !== undefined) expect(explained(request ?? '').fields['time']).toBe(time)
    expectDecoded(reply, result === undefined ? decoded : ofReply)
    if (vector.layout !== undefined) expect(reply.fields['layout']).toBe(vector.layout)
  })

  test('as points, in the unit that all meters are read in', () => {
    if (vector.layout === undefined || response === undefined) return
    const frame = parseFrame(bytes(response))
    if (frame === null) throw new Error('no frame')
    const fields = Object.keys(decoded).flatMap((key) => (NAMES[key] === undefined ? [] : [key]))
    const habits = { ...HABITS, type: frame.type }
    const place = (field: string): Cjt188Place => ({ protocol: 'cjt188', item: '901F', field, habits })
    const points = pointsAt(
      fields.map(
        (key) => [place(NAMES[key] ?? ''), key === 'time' ? 'str' : 'f64'] as const satisfies [Cjt188Place, PointType],
      ),
    )
    const readings = exchange(cjt188, points, frame.address, [bytes(response)], frame.data[2] ?? 0)
    for (const [at, key] of fields.entries()) {
      const unit = decoded[`${key}_unit`]
      const times = unit === 'MWh' ? 1000 : unit === 'W' ? 0.001 : 1
      const value = decoded[key]
      const wanted =
        typeof value === 'number'
          ? { value: value * times }
          : value === null
            ? { fault: { kind: 'sentinel' } }
            : { value }
      expect(readings[at], key).toEqual({ point: at, ...wanted })
    }
  })
})

describe.each(VECTORS.filter(({ stream_hex }) => stream_hex !== undefined))(
  '$id: $title',
  ({ stream_hex, expect: wanted = {} }) => {
    const stream = stream_hex ?? ''
    test('frames and values of the stream', () => {
      const { frames } = drain(framing, bytes(stream))
      expect(frames).toHaveLength(Number(wanted['frames']))
      const said = explain('cjt188', stream)
      if (typeof said === 'string') throw new Error(said)
      expect(said.frames).toHaveLength(Number(wanted['frames']))
      if (wanted['error'] === 'checksum') expect(said.why).toMatch(/^the checksum is/)
      const last = said.frames.at(-1)
      const reading = (key: string) => last?.readings.find((each) => each.key === key)
      if (wanted['value'] !== undefined) expect(reading('total')?.value).toBe(wanted['value'])
      if (wanted['address'] !== undefined) expect(last?.address).toBe(wanted['address'])
      if (wanted['first_is_request'] === true) expect(said.frames[0]?.direction).toBe('request')
      if (wanted['value_error'] === 'not_bcd') {
        expect(last?.fields['bad']).toEqual(['total'])
        expect(reading('total')).toBeUndefined()
      }
      if (wanted['current_heat'] !== undefined) {
        expect(reading('heat')).toEqual({
          key: 'heat',
          value: wanted['current_heat'],
          unit: wanted['current_heat_unit'],
        })
      }
    })
  },
)
