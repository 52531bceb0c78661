/** Every vector of test/vectors/mbus.json, each frame four ways, and what it says through the codec and through `decode`. */
import { describe, expect, test } from 'vitest'
import type { MbusPlace } from '../../src/model/point.ts'
import { explain } from '../../src/protocols/explain.ts'
import type { ExplainedFrame } from '../../src/protocols/explained.ts'
import { buildFrame, parseFrame } from '../../src/protocols/mbus/frame.ts'
import { ask } from '../../src/protocols/mbus/framing.ts'
import { mbus } from '../../src/protocols/mbus/index.ts'
import file from '../vectors/mbus.json' with { type: 'json' }
import { bytes } from './make.ts'
import { drain, exchange, pointsAt, threeWays } from './meters.ts'

type Record_ = {
  function?: string
  storage?: number
  tariff?: number
  subunit?: number
  unit?: string
  quantity?: string | null
  value: number | string
}
type Vector = {
  id: string
  title: string
  request_hex?: string
  response_hex?: string
  a?: number
  decoded?: {
    header?: Record<string, string | number>
    record_count?: number
    records?: Record_[]
    more_records_follow?: boolean
    command?: string
    a?: number
    fcb?: number
    id?: string
    mask?: string
    next?: string
    reply?: string
  }
  expect?: { error: string }
}

const VECTORS = file.vectors as unknown as Vector[]
const framing = mbus.framing('serial')
if (framing === null) throw new Error('no framing')

/** Names as libmbus has them, and ours. */
const QUANTITIES: Readonly<Record<string, string>> = {
  Energy: 'energy',
  Volume: 'volume',
  Power: 'power',
  'Volume flow': 'flow',
  'Flow temperature': 'flow_temperature',
  'Return temperature': 'return_temperature',
  'Temperature difference': 'temperature_difference',
  'External temperature': 'external_temperature',
  'On time': 'on_time',
  'Operating time': 'operating_time',
  'Averaging Duration': 'averaging_duration',
  'Fabrication No': 'fabrication_number',
  'Time point (date & time)': 'datetime',
  'Time point (date)': 'date',
  'Model / Version': 'model_version',
  'Parameter set identification': 'parameter_set',
  'Firmware version': 'firmware_version',
  'Software version': 'software_version',
  'Digital Input': 'digital_input',
  'Error flags': 'error_flags',
  'H.C.A.': 'heat_cost',
  Voltage: 'voltage',
  Current: 'current',
}
const FUNCTIONS: Readonly<Record<string, string>> = {
  'Instantaneous value': 'instantaneous',
  'Actual value': 'instantaneous',
  'Maximum value': 'maximum',
  'Minimum value': 'minimum',
  'Value during error state': 'error',
}
const MEDIA: Readonly<Record<string, string>> = {
  'Heat: Outlet': 'heat, outlet',
  'Warm water (30-90°C)': 'hot water',
  'Cold water': 'cold water',
  'Heat / Cooling load meter': 'heat and cooling',
  'Bus/System': 'bus or system',
}
const UNITS: Readonly<Record<string, string | null>> = {
  '': null,
  '-': null,
  'm^3': 'm³',
  'm^3/h': 'm³/h',
  l: 'L',
  'Units for H.C.A.': null,
}

/**
 * Vectors held to be wrong, with why. Both are what libmbus prints, not what the meter says.
 */
const HELD_WRONG: Readonly<Record<string, string>> = {
  'mbus-rel-relay-padpuls2 1':
    'minute A1 has bit 7 set: the meter doubts its clock. libmbus prints an emptied date (1900-01-00); there is no value',
  'mbus-manual-frame2 1':
    'unit 3E is "as counter 1, earlier" by the same page: litres with storage 1, not a reserved unit',
}

function explained(hex: string, request: string | null = null): ExplainedFrame {
  const said = explain('mbus', hex, request)
  if (typeof said === 'string') throw new Error(said)
  expect(said.junk).toBe('')
  const [frame] = said.frames
  if (frame === undefined) throw new Error(said.why ?? 'no frame')
  return frame
}

function recordsOf(frame: ExplainedFrame): readonly Record<string, unknown>[] {
  return (frame.fields['records'] ?? []) as Record<string, unknown>[]
}

function expectRecord(got: Record<string, unknown> | undefined, wanted: Record_, vifText: string): void {
  if (got === undefined) throw new Error('no such record')
  expect(got['function']).toBe(FUNCTIONS[wanted.function ?? 'Instantaneous value'])
  expect(got['storage'] ?? 0).toBe(wanted.storage ?? 0)
  expect(got['tariff'] ?? 0).toBe(wanted.tariff ?? 0)
  expect(got['subunit'] ?? 0).toBe(wanted.subunit ?? 0)
  if (wanted.unit !== undefined)
    expect(got['unit']).toBe(UNITS[wanted.unit] === undefined ? wanted.unit : UNITS[wanted.unit])
  if (typeof wanted.quantity === 'string' && wanted.quantity !== '') {
    const named = QUANTITIES[wanted.quantity] ?? `"${wanted.quantity}"`
    // A record whose VIF has unread codes behind it is named by its code.
    if (got['notes'] === undefined)
      expect(String(got['key']).startsWith(named), `${String(got['key'])} ${vifText}`).toBe(true)
  }
  if (typeof wanted.value === 'string') {
    // Local time of the meter, to the minute; and bytes without spaces.
    const text = wanted.value.replace(/:00Z$/, '')
    const hex = /^([0-9A-F]{2} )+[0-9A-F]{2}$/.test(text) ? text.replaceAll(' ', '').toLowerCase() : text
    expect(got['value']).toBe(hex)
  } else {
    // Ours is the shortest decimal of a float; the vector has six places of its double.
    const value = Number(got['value'])
    expect(Math.abs(value - wanted.value)).toBeLessThanOrEqual(Math.max(6e-7, Math.abs(wanted.value) * 1e-7))
  }
}

const telegrams = VECTORS.filter(({ decoded }) => decoded?.records !== undefined)

describe.each(telegrams)('$id', ({ id, request_hex, response_hex = '', a, decoded = {} }) => {
  test('the frame', () => {
    const frame = bytes(response_hex)
    threeWays(framing, frame, { ...ask(1, 16), body: Uint8Array.of(0x7b, 0, 16) })
    const parsed = parseFrame(frame)
    if (parsed?.is !== 'long') throw new Error('no long frame')
    expect(buildFrame(parsed)).toEqual(frame)
    if (a !== undefined) expect(parsed.address).toBe(a)
    if (request_hex === undefined) return
    const question = { address: 1, body: Uint8Array.of(0x5b, 1, 16), writes: false, answerBytes: 0 }
    expect(framing.frame(question, 0)).toEqual(bytes(request_hex))
    expect(framing.judge(frame, question, 0).kind).toBe('answer')
  })

  test('its header', () => {
    const { header } = decoded
    if (header === undefined) return
    const { fields } = explained(response_hex, request_hex ?? null)
    expect(String(fields['id']).replace(/^0+(?=.)/, '')).toBe(header['Id'])
    expect(fields['medium']).toBe(MEDIA[String(header['Medium'])] ?? String(header['Medium']).toLowerCase())
    if (header['AccessNumber'] !== undefined) expect(fields['access']).toBe(Number(header['AccessNumber']))
    if (header['Status'] !== undefined) expect(fields['status']).toBe(header['Status'])
    if (header['Manufacturer'] !== undefined) expect(fields['manufacturer']).toBe(header['Manufacturer'])
    if (header['Version'] !== undefined) expect(fields['version']).toBe(Number(header['Version']))
    if (header['Signature'] !== undefined) expect(fields['signature']).toBe(header['Signature'])
  })

  test('its records', () => {
    const frame = explained(response_hex, request_hex ?? null)
    const got = recordsOf(frame)
    const wanted = decoded.records ?? []
    const own = frame.fields['manufacturerData'] !== undefined || frame.fields['more'] === true
    if (decoded.record_count !== undefined) expect(got.length + (own ? 1 : 0)).toBe(decoded.record_count)
    if (decoded.more_records_follow !== undefined)
      expect(frame.fields['more'] ?? false).toBe(decoded.more_records_follow)
    for (const [n, record] of wanted.entries()) {
      if (record.function === 'Manufacturer specific' || record.function === 'More records follow') {
        expect(frame.fields['manufacturerData'] ?? '').toBe(String(record.value).replaceAll(' ', '').toLowerCase())
        if (record.function === 'More records follow') expect(frame.fields['more']).toBe(true)
      } else if (HELD_WRONG[`${id} ${n}`] === undefined) expectRecord(got[n], record, `record ${n}`)
    }
  })

  test('as points, in the unit that all meters are read in', () => {
    const frame = explained(response_hex, request_hex ?? null)
    const seen = new Map<string, number>()
    const chosen = recordsOf(frame).map((record) => {
      const key = String(record['key'])
      const number = (seen.get(key) ?? 0) + 1
      seen.set(key, number)
      return { record, at: `${key} number ${number}` }
    })
    const places = chosen.map(({ at }) => {
      const placed = mbus.place({ at, options: { telegrams: 1 } })
      if (typeof placed === 'string') throw new Error(placed)
      return [placed.place as MbusPlace, placed.type] as const
    })
    if (places.length === 0) return
    const address = bytes(response_hex)[5] ?? 0
    const readings = exchange(mbus, pointsAt(places), address, [Uint8Array.of(0xe5), bytes(response_hex)])
    for (const [n, { record }] of chosen.entries()) {
      const reading = readings[n]
      if (reading === undefined) throw new Error('no reading')
      if (record['bad'] === true) {
        expect(reading).toHaveProperty('fault')
        continue
      }
      if ('fault' in reading) throw new Error(`${chosen[n]?.at ?? ''}: ${reading.fault.kind}`)
      const factor = { Wh: 1e-3, W: 1e-3, L: 1e-3, 's on_time': 1 / 3600, 's operating_time': 1 / 3600 }
      const name = record['unit'] === 's' ? `s ${String(record['key']).split(' ')[0]}` : String(record['unit'])
      const times = factor[name as keyof typeof factor] ?? 1
      if (typeof reading.value === 'number') expect(reading.value).toBeCloseTo(Number(record['value']) * times, 6)
      else expect(reading.value).toBe(String(record['value']))
    }
  })
})

test('what is held wrong is of vectors that there are', () => {
  for (const key of Object.keys(HELD_WRONG)) expect(VECTORS.map(({ id }) => id)).toContain(key.split(' ')[0])
  // Minute A1: no value, and what the bytes would say is shown.
  const padpuls = VECTORS.find(({ id }) => id === 'mbus-rel-relay-padpuls2')
  expect(recordsOf(explained(padpuls?.response_hex ?? ''))[1]).toMatchObject({
    key: 'datetime',
    value: '2015-07-09T21:33',
    bad: true,
  })
  const manual = VECTORS.find(({ id }) => id === 'mbus-manual-frame2')
  expect(explained(manual?.response_hex ?? '').readings).toEqual([
    { key: 'volume', value: 1, unit: 'L' },
    { key: 'volume storage 1', value: 135, unit: 'L' },
  ])
})

const ERRORS: Readonly<Record<string, Partial<ExplainedFrame> | RegExp>> = {
  application_busy: { fault: 'exception:8' },
  unspecified_error: { fault: 'exception:0' },
  unimplemented_ci: { fault: 'exception:1' },
  premature_end_of_dif1: /the data ends inside a DIF chain/,
  too_short_header: /too short: the header has 12 bytes, here are 5/,
}

describe.each(VECTORS.filter((vector) => vector.expect !== undefined))(
  '$id: $title',
  ({ response_hex = '', ...vector }) => {
    test('says what is wrong, and gives no value', () => {
      threeWays(framing, bytes(response_hex))
      const wanted = ERRORS[vector.expect?.error ?? '']
      const frame = explained(response_hex)
      expect(frame.readings).toEqual([])
      if (wanted instanceof RegExp) expect(frame.note).toMatch(wanted)
      else expect(frame).toMatchObject(wanted ?? { fault: 'none such' })
      const address = bytes(response_hex)[5] ?? 0
      const question = { address, body: Uint8Array.of(0x7b, 0, 16), writes: false, answerBytes: 0 }
      const verdict = framing.judge(bytes(response_hex), question, 0)
      if (!(wanted instanceof RegExp)) return expect(verdict.kind).toBe('fault')
      // The frame is ours and sound; its records are not, so nothing of it is taken.
      const placed = mbus.place({ at: 'volume', options: { telegrams: 1 } })
      if (typeof placed === 'string') throw new Error(placed)
      const points = pointsAt([[placed.place, placed.type]])
      expect(exchange(mbus, points, address, [Uint8Array.of(0xe5), bytes(response_hex)])).toEqual([
        { point: 0, fault: { kind: 'device_fault' } },
      ])
    })
  },
)

describe.each(VECTORS.filter(({ decoded }) => decoded?.command !== undefined))(
  '$id: $title',
  ({ request_hex = '', response_hex, decoded = {} }) => {
    test('is built and understood', () => {
      const request = bytes(request_hex)
      threeWays(framing, request)
      const parsed = parseFrame(request)
      if (parsed === null) throw new Error('no frame')
      expect(buildFrame(parsed)).toEqual(request)
      const frame = explained(request_hex)
      expect(frame.direction).toBe('request')
      if (decoded.a !== undefined) expect(frame.address).toBe(String(decoded.a))
      const said = `${frame.function} ${JSON.stringify(frame.fields['command'])}`.replaceAll(' ', '_')
      expect(said).toContain(decoded.command)
      if (decoded.fcb !== undefined) expect(frame.fields['fcb']).toBe(decoded.fcb)
      if (decoded.id !== undefined) expect(frame.fields).toMatchObject({ id: decoded.id, mask: decoded.mask })
      if (response_hex !== undefined) expect(explained(response_hex, request_hex).function).toBe('E5 acknowledge')
    })
  },
)

test('commands come out of questions as the vectors have them', () => {
  const hex = (id: string): Uint8Array => bytes(VECTORS.find((vector) => vector.id === id)?.request_hex ?? '')
  expect(framing.frame(ask(1, 16), 0)).toEqual(hex('mbus-cmd-01'))
  const selected = mbus.address('12345678')
  if (!('address' in selected)) throw new Error(selected.en)
  const select = ask(selected.address, 16)
  expect(framing.frame(select, 0)).toEqual(hex('mbus-cmd-04'))
  const verdict = framing.judge(Uint8Array.of(0xe5), select, 0)
  if (verdict.kind !== 'answer' || verdict.more === undefined) throw new Error('no next question')
  expect(framing.frame(verdict.more, 0)).toEqual(hex('mbus-cmd-03'))
  // FCB 0 of vector 02 is that of a second telegram here.
  const chain = framing.judge(Uint8Array.of(0xe5), ask(1, 16), 0)
  if (chain.kind !== 'answer' || chain.more === undefined) throw new Error('no next question')
  const second = VECTORS.find(({ id }) => id === 'mbus-cmd-02')
  expect(framing.frame(chain.more, 0)).toEqual(bytes(second?.decoded?.next ?? ''))
  const more = VECTORS.find(({ id }) => id === 'mbus-rec-08')
  const first = framing.judge(bytes(more?.response_hex ?? ''), chain.more, 0)
  if (first.kind !== 'answer' || first.more === undefined) throw new Error('no next question')
  expect(framing.frame(first.more, 0)).toEqual(hex('mbus-cmd-02'))
})

test('no vector is left out', () => {
  const kinds = VECTORS.map(({ decoded, expect: wanted }) => decoded?.records ?? decoded?.command ?? wanted)
  expect(kinds.every((kind) => kind !== undefined)).toBe(true)
  expect(drain(framing, bytes(VECTORS[0]?.response_hex ?? '')).frames).toHaveLength(1)
})
