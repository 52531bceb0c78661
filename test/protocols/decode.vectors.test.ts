/**
 * Every vector of test/vectors through what `gatehouse decode` says. Modbus, DL/T 645, CJ/T 188 and M-Bus are compared value by
 * value in their own files (through `explain` too); here: that each of theirs is decoded whole or refused for the reason it gives.
 * What cannot go through `decode` is listed with why, and nothing is left out silently.
 */
import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createPseudonym } from '../../src/config/sitekey.ts'
import { createSecret } from '../../src/config/secrets.ts'
import { explain, type Means } from '../../src/protocols/explain.ts'
import type { Explained, ExplainedFrame } from '../../src/protocols/explained.ts'
import { modelOf } from '../drivers/library.ts'
import access from '../vectors/access.json' with { type: 'json' }
import cjt188 from '../vectors/cjt188.json' with { type: 'json' }
import dlt645 from '../vectors/dlt645.json' with { type: 'json' }
import elevator from '../vectors/elevator.json' with { type: 'json' }
import mbus from '../vectors/mbus.json' with { type: 'json' }
import modbus from '../vectors/modbus.json' with { type: 'json' }
import mqtt from '../vectors/mqtt.json' with { type: 'json' }
import osdp from '../vectors/osdp.json' with { type: 'json' }
import sensors from '../vectors/sensors.json' with { type: 'json' }
import zigbee2mqtt from '../vectors/zigbee2mqtt.json' with { type: 'json' }

type Fields = Readonly<Record<string, unknown>>
type Framed = { request_hex?: string; response_hex?: string; request?: string; response?: string }
type Vector = {
  id: string
  kind?: string
  version?: string
  ecosystem?: string
  rtu?: Framed
  tcp?: Framed
  ascii?: Framed
  request?: string
  request_hex?: string | null
  response_hex?: string | null
  stream_hex?: string
  frame_hex?: string
  hex?: string
  bits?: string
  uid_hex?: string
  as_uint32_be?: number
  as_uint32_le?: number
  key_hex?: string
  input?: string
  pseudonym?: string
  code?: number
  topic?: string | null
  payload?: unknown
  payload_text?: string
  payload_hex?: string
  model?: string
  decoded?: Fields & { points?: Fields }
  expect?: Fields & { points?: Fields }
}

const FILES = { access, cjt188, dlt645, elevator, mbus, modbus, mqtt, osdp, sensors, zigbee2mqtt }
const all = (file: keyof typeof FILES): readonly Vector[] => FILES[file].vectors as unknown as readonly Vector[]

/** Facts that no bytes, message, line or number states: tested where they belong. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  value: 'registers without a frame: the encodings of points (modbus.vectors)',
  timing: 'silence between frames (modbus.vectors)',
  coalesce: 'which reads the planner makes (modbus.vectors)',
  'door-state': 'a door by second (door.test of derive, and the proof of access/door_contacts)',
  derived: 'a lift by second (spine.test, and the proof of elevator/dry_contacts)',
  'osdp-sc': 'session keys of a secure channel, which only the controller and its reader hold: the gateway opens none',
}

const RAN = new Set<string>()

function decoded(protocol: string, data: string, request: string | null = null, means: Means = {}): Explained {
  const said = explain(protocol, data, request, means)
  if (typeof said === 'string') throw new Error(said)
  // The same in Chinese, with the same facts.
  const zh = explain(protocol, data, request, { ...means, language: 'zh' })
  if (typeof zh === 'string') throw new Error(zh)
  const plain = ({ frames }: Explained) =>
    frames.map((frame) => ({ ...frame, fields: { ...frame.fields, meaning: null }, note: null }))
  expect(plain(zh)).toEqual(plain(said))
  for (const [en, chinese] of [
    [said.why, zh.why],
    ...said.frames.map((frame, at) => [frame.note, zh.frames[at]?.note]),
  ])
    if (typeof en === 'string') expect(chinese, en).toMatch(/\p{Script=Han}/u)
  return said
}

function only(said: Explained): ExplainedFrame {
  expect(said).toMatchObject({ junk: '', why: null })
  expect(said.frames).toHaveLength(1)
  const [frame] = said.frames
  if (frame === undefined) throw new Error('no frame')
  return frame
}

const valuesOf = ({ readings }: ExplainedFrame): Fields =>
  Object.fromEntries(readings.map(({ key, value }) => [key, value]))

/** All frames of a vector, as hex or as text. */
function hexesOf(vector: Vector): [protocol: string, data: string, request: string | null][] {
  const framed = (['rtu', 'tcp', 'ascii'] as const).flatMap((name): [string, string, string | null][] => {
    const { request_hex, response_hex, request, response } = vector[name] ?? {}
    const [asked, answer] = [request_hex ?? request, response_hex ?? response]
    return asked === undefined || answer === undefined
      ? []
      : [
          [`modbus-${name}`, asked, null],
          [`modbus-${name}`, answer, asked],
        ]
  })
  return framed
}

describe.each(all('modbus').filter(({ kind = '' }) => ELSEWHERE[kind] === undefined))('modbus $id', (vector) => {
  test('is decoded', () => {
    RAN.add(vector.id)
    for (const [protocol, data, request] of hexesOf(vector))
      expect(only(decoded(protocol, data, request)).note).toBeNull()
    const { kind, request, request_hex, response_hex } = vector
    const { reject, frames = 1 } = (vector.decoded ?? {}) as { reject?: string; frames?: number }
    const isNoFrame = reject === 'crc' || reject === 'protocol_id' || reject === 'lrc'
    if (kind === 'ascii') expect(decoded('modbus-ascii', request ?? '').frames).toHaveLength(isNoFrame ? 0 : 1)
    if (request_hex) only(decoded('modbus', request_hex))
    if (!response_hex) return
    const said = decoded('modbus', response_hex, request_hex ?? null)
    expect(said.frames).toHaveLength(isNoFrame ? 0 : frames)
    // A registration packet in front is no frame, and is told from it.
    if (kind !== 'rtu-over-tcp') expect(said.why === null).toBe(!isNoFrame)
    if (reject !== undefined && !isNoFrame) expect(said.frames[0]?.note).toMatch(/^does not answer the request: /)
  })
})

const METERS = [...all('dlt645'), ...all('cjt188'), ...all('mbus')].map((vector) => ({
  ...vector,
  protocol: vector.id.startsWith('dlt')
    ? vector.version === '1997'
      ? 'dlt645-1997'
      : 'dlt645'
    : vector.id.startsWith('cjt')
      ? 'cjt188'
      : 'mbus',
}))

describe.each(METERS)('$protocol $id', (vector) => {
  test('is decoded', () => {
    RAN.add(vector.id)
    const { protocol, request_hex, response_hex, stream_hex, expect: wanted = {} } = vector
    if (stream_hex !== undefined) {
      const said = decoded(protocol, stream_hex)
      expect(said.frames).toHaveLength(Number(wanted['frames']))
      return
    }
    if (request_hex) expect(only(decoded(protocol, request_hex)).direction).toBe('request')
    if (!response_hex) return
    const said = decoded(protocol, response_hex, request_hex ?? null)
    if (vector.decoded?.['reject'] === 'checksum') expect(said.why).toMatch(/^the checksum is/)
    else expect(only(said).direction).toBe('reply')
  })
})

describe.each(all('elevator').filter(({ kind = '' }) => ELSEWHERE[kind] === undefined))('elevator $id', (vector) => {
  test('is decoded', () => {
    RAN.add(vector.id)
    const { kind, request_hex, response_hex, frame_hex, code, decoded: wanted = {} } = vector
    if (kind === 'gb24476-code') {
      expect(only(decoded('gb24476', String(code))).fields).toMatchObject(wanted)
      return
    }
    if (frame_hex !== undefined) {
      expect(only(decoded('cic', frame_hex)).fields).toMatchObject(wanted)
      return
    }
    const request = only(decoded('modbus', request_hex ?? ''))
    if (kind === 'forbidden-write') {
      // It is seen to be a write, and the driver names the register as one that must never be written.
      expect(request).toMatchObject({ function: '6 write single register', fields: { start: 0x2000 } })
      const calls = modelOf('elevator/inovance_nice3000plus').drafts.find(
        ({ source }) =>
          source.from === 'field' && source.place.protocol === 'modbus' && source.place.address === 0x2000,
      )
      expect(calls).toMatchObject({ forbidden: true, write: null })
      return
    }
    const reply = only(decoded('modbus', response_hex ?? '', request_hex ?? ''))
    expect(reply.note).toBeNull()
    expect(reply.fields['wideCount'] ?? false).toBe(wanted['dialect'] !== 'standard')
    expectLift(
      reply.readings.map(({ value }) => Number(value)),
      wanted,
    )
  })
})

/** The map of reference and driver: scales, and the status word 101D with mode in bits 4-7, car in 8-11. */
function expectLift(registers: readonly number[], wanted: Fields): void {
  const [first = 0] = registers
  if (wanted['reg'] === '1010') expect(first / 1000).toBe(wanted['value'])
  else if (wanted['reg'] === '1018') expect(first).toBe(wanted['value'])
  else if (wanted['reg'] === '3000') expect(wanted['direction']).toBe({ 1: 'up', 2: 'down', 3: 'stopped' }[first])
  else if (wanted['reg'] === '8000') {
    expect(`E${first}`).toBe(wanted['code'])
    expect(only(decoded('gb24476', `E${first}`)).fields['code']).toBe(wanted['gb24476'])
  } else {
    const status = registers.at(-1) ?? 0
    const modes: Fields = { 5: 'fault', 7: 'automatic' }
    const cars: Fields = { 0: 'waiting', 4: 'door_closed_hold', 5: 'running' }
    expect(modes[(status >> 4) & 15]).toBe(wanted['mode'])
    expect(cars[(status >> 8) & 15]).toBe(wanted['car_state'])
    expect([(status & 0x1000) !== 0, (status & 0x2000) !== 0]).toEqual([wanted['full'], wanted['overload']])
    if (registers.length < 14) return
    expect(registers.slice(0, 5)).toEqual([0, 1750, 5402, 0, 0])
    expect([registers[8], (registers[9] ?? 0) / 10, (registers[10] ?? 0) / 10]).toEqual([
      wanted['floor'],
      wanted['position_m'],
      wanted['load_pct'],
    ])
  }
}

describe.each(all('osdp').filter(({ kind = '' }) => ELSEWHERE[kind] === undefined))('osdp $id', (vector) => {
  test('is decoded, the number and the keys are not shown', () => {
    RAN.add(vector.id)
    if (vector.expect?.['error'] === 'crc') {
      expect(decoded('osdp', vector.hex ?? '')).toMatchObject({ frames: [], why: expect.stringMatching(/^the CRC is/) })
      return
    }
    const frame = only(decoded('osdp', vector.hex ?? ''))
    const { dir, pd, code, name, card, ...fields } = vector.decoded ?? {}
    expect(frame).toMatchObject({
      direction: dir === 'cmd' ? 'request' : 'reply',
      address: String(pd),
      function: `${String(code)} ${String(name)}`,
    })
    expect(frame.fields).toMatchObject(fields)
    if (card !== undefined) expect(frame.readings).toEqual([{ key: 'card', value: '***', unit: null }])
    expect(JSON.stringify(frame)).not.toMatch(/324|31323334/)
  })
})

const KEY = '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f'
const pseudonym = createPseudonym(createSecret(KEY))

describe.each(all('access').filter(({ kind = '' }) => ELSEWHERE[kind] === undefined))('access $id', (vector) => {
  test('is decoded', () => {
    RAN.add(vector.id)
    const { kind, bits = '', decoded: wanted = {} } = vector
    if (kind === 'hmac-sha256') {
      // The pseudonym that decode shows of a card is the one that events bear.
      expect(vector.key_hex).toBe(KEY)
      expect(pseudonym(vector.input ?? '')).toBe(vector.pseudonym)
      const [card = ''] = all('access').flatMap((other) =>
        canonical(other) === vector.input ? [other.bits ?? ''] : [],
      )
      expect(valuesOf(only(decoded('wiegand', card, null, { pseudonym })))).toEqual({ card: vector.pseudonym })
      return
    }
    if (kind === 'uid') {
      const uid = vector.uid_hex ?? ''
      const expected = (number: number | undefined) =>
        only(decoded('uid', uid, null, { expect: String(number) })).fields
      expect(expected(vector.as_uint32_be)['printedAs']).toEqual(['uid'])
      expect(expected(vector.as_uint32_le)['printedAs']).toEqual(['uid_reversed'])
      expect(expected(1)['printedAs']).toBeUndefined()
      return
    }
    expectWiegand(bits, wanted)
  })
})

function canonical({ decoded: wanted = {} }: Vector): string | null {
  if (wanted['number32'] !== undefined) return `w34:${JSON.stringify(wanted['number32'])}`
  return wanted['facility'] === undefined
    ? null
    : `w26:${JSON.stringify(wanted['facility'])}:${JSON.stringify(wanted['card'])}`
}

function expectWiegand(bits: string, wanted: Fields): void {
  if (wanted['error'] === 'length') {
    expect(decoded('wiegand', bits)).toMatchObject({ frames: [], why: expect.stringMatching(/^25 bits are no number/) })
    return
  }
  for (const written of [bits, bits.replaceAll(/(.{4})/g, '$1 '), BigInt(`0b${bits}`).toString(16).padStart(8, '0')]) {
    const frame = only(decoded(`wiegand${bits.length}`, written, null, {}))
    expect(frame.fields['parity_ok'], written).toBe(wanted['parity_ok'])
    if (wanted['parity_ok'] === false) {
      expect(frame).toMatchObject({ readings: [], fault: 'crc' })
      return
    }
    expect(frame.function).toBe(wanted['format'])
    if (bits.length === 26) expect(frame.fields['facility']).toBe(wanted['facility'])
    expect(valuesOf(frame)).toEqual({ card: '***' })
  }
  for (const printed of [wanted['decimal10'], wanted['fc_cn'], wanted['number32'], wanted['hex']].filter(Boolean)) {
    const { fields, note } = only(decoded('wiegand', bits, null, { expect: String(printed) }))
    expect(fields['printedAs']).toHaveLength(1)
    expect(note).toMatch(/the same card$/)
  }
  expect(only(decoded('wiegand', bits, null, { expect: '7' })).note).toMatch(/another number/)
}

const PAYLOADS: Readonly<Record<string, string>> = {
  zigbee2mqtt: 'zigbee2mqtt',
  tasmota: 'tasmota',
  'shelly-gen1': 'shelly_gen1',
  'shelly-gen2': 'shelly_gen2',
  esphome: 'esphome',
  chirpstack: 'chirpstack',
  uhppoted: 'uhppoted',
}
/** Names of the vectors, and the place as a driver writes it. */
const PLACES: Readonly<Record<string, string>> = {
  voltage_mV: 'voltage',
  'relay/0/energy_kWh': 'relay/0/energy',
  flood: 'sensor/flood',
  state: 'sensor/state',
}

describe.each([...all('zigbee2mqtt'), ...all('mqtt')])('$ecosystem $id', (vector) => {
  test('is decoded', () => {
    RAN.add(vector.id)
    const { topic, payload, payload_text, decoded: wanted = {}, expect: hoped = {} } = vector
    const ecosystem =
      vector.ecosystem === 'any' ? (topic?.startsWith('tele') ? 'tasmota' : 'zigbee2mqtt') : (vector.ecosystem ?? '')
    const said = decoded(PAYLOADS[ecosystem] ?? '', payload_text ?? JSON.stringify(payload), null, {
      topic: topic ?? '',
    })
    if (vector.id === 'cs-02') {
      // Without the network server's codec the bytes are all there is; `decode milesight` reads them.
      expect(said.why).toContain(`its bytes are ${String(wanted['payload_hex']).toLowerCase()}`)
      const frame = only(decoded('milesight', String(wanted['payload_hex']), null, { model: 'EM300-ZLD' }))
      expect(valuesOf(frame)).toEqual(wanted.points)
      return
    }
    if (wanted['ignore'] === true) expect(said.why).toMatch(/^the payload is empty/)
    else if (hoped['error'] === 'json') expect(said.why).toMatch(/^the payload is no JSON document/)
    else expectMessage(only(said), vector)
  })
})

function expectMessage(frame: ExplainedFrame, { id, decoded: wanted = {}, expect: hoped = {} }: Vector): void {
  if (wanted['availability'] !== undefined) expect(frame.fields).toEqual({ availability: wanted['availability'] })
  if (wanted['bridge'] !== undefined) expect(frame.fields).toEqual({ bridge: wanted['bridge'] })
  const values = valuesOf(frame)
  for (const [name, value] of Object.entries(wanted.points ?? hoped.points ?? {})) {
    const place = PLACES[name] ?? name.replace('total_Wh', 'total')
    expect(values[id.startsWith('cs-') ? `object.${place}` : place], name).toBe(value)
  }
  if (hoped['quality'] === 'bad') expect(frame.fields).toEqual({ bad: { 'DS18B20.Temperature': 'device_fault' } })
  if (wanted['event'] !== undefined) expect([values['action'], values['event']]).toContain(wanted['event'])
  if (wanted['dev_eui'] !== undefined)
    expect([values['deviceInfo.devEui'], values['fCnt'], values['fPort']]).toEqual([
      wanted['dev_eui'],
      wanted['f_cnt'],
      wanted['f_port'],
    ])
  if (wanted['device_time_local'] !== undefined) expect(values['Time']).toBe(wanted['device_time_local'])
  if (wanted['personal'] === undefined) return
  expect(frame.fields['personal']).toEqual(wanted['personal'])
  expect(values).toMatchObject({
    'event-type-text': wanted['kind'],
    'access-granted': wanted['granted'],
    'door-id': wanted['door'],
    'direction-text': wanted['direction'],
    'card-number': '***',
  })
}

describe.each(all('sensors'))('$ecosystem $id', (vector) => {
  test('is decoded', () => {
    RAN.add(vector.id)
    const { topic, payload, payload_text, payload_hex, model, decoded: wanted = {} } = vector
    if (payload_hex !== undefined) {
      const isDragino = vector.ecosystem === 'dragino'
      const frame = only(decoded(vector.ecosystem ?? '', payload_hex, null, isDragino ? {} : { model: model ?? '' }))
      const { history, ...values } = wanted
      expect(valuesOf(frame)).toMatchObject(values)
      if (history !== undefined) expect(frame.fields['history']).toEqual(history)
      return
    }
    const protocol =
      vector.kind === 'json' ? 'hikvision' : vector.ecosystem === 'sparkplug' ? 'sparkplug' : 'ha_discovery'
    const text = payload_text ?? (payload === undefined ? '' : JSON.stringify(payload))
    const frame = only(decoded(protocol, text, null, topic ? { topic } : {}))
    expect(frame.fields).toMatchObject(wanted)
    expect(JSON.stringify(frame)).not.toMatch(/1001"|"example"/)
  })
})

test('nothing is left out: each vector went through decode, or is listed with why', () => {
  const every = Object.values(FILES).flatMap(({ vectors }) => vectors as unknown as readonly Vector[])
  const left = every.filter(({ id, kind = '' }) => !RAN.has(id) && ELSEWHERE[kind] === undefined)
  expect(left.map(({ id }) => id)).toEqual([])
  expect(createHmac('sha256', Buffer.from(KEY, 'hex')).update('w26:90:324').digest('hex').slice(0, 24)).toBe(
    pseudonym('w26:90:324'),
  )
})
