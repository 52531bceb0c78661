/** What the vectors do not show: several channels, events, retained messages, names of a message, and telling a device something. */
import { describe, expect, test } from 'vitest'
import type { Point, Value } from '../../src/model/point.ts'
import { payloadCodec } from '../../src/protocols/all.ts'
import type { PayloadCodec } from '../../src/protocols/payload/payload.ts'
import { payloadPoint } from './make.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)
const bool = { type: 'bool', kind: 'state' } as const
const event = { type: 'str', kind: 'event' } as const

function codecOf(name: string): PayloadCodec {
  const codec = payloadCodec(name)
  if (codec === null) throw new Error(`no codec ${name}`)
  return codec
}

function read(name: string, base: string, topic: string, payload: unknown, points: readonly Point[], retained = false) {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return codecOf(name).read(base, { topic, payload: utf8(text), retained }, points)
}

const values = (...list: Value[]) => ({ kind: 'readings', readings: list.map((value, point) => ({ point, value })) })
const refused = (why: string) => ({ kind: 'refused', why })

describe('tasmota', () => {
  const points = [payloadPoint(0, 'POWER1', bool), payloadPoint(1, 'POWER2', bool)]

  test('each relay is listened to, and so are its documents', () => {
    expect(codecOf('tasmota').topics('pump', points)).toEqual([
      'tele/pump/LWT',
      'tele/pump/STATE',
      'tele/pump/SENSOR',
      'stat/pump/RESULT',
      'stat/pump/POWER1',
      'stat/pump/POWER2',
    ])
  })
  test('a FullTopic of the site’s own', () => {
    const [lwt] = codecOf('tasmota').topics('site/pump/%prefix%', points)
    expect(lwt).toBe('site/pump/tele/LWT')
    expect(read('tasmota', 'site/pump/%prefix%', 'site/pump/stat/POWER2', 'ON', points)).toEqual({
      kind: 'readings',
      readings: [{ point: 1, value: true }],
    })
  })
  test('STATE says all relays; several channels are lists; equal sensors have numbers', () => {
    expect(read('tasmota', 'pump', 'tele/pump/STATE', { POWER1: 'ON', POWER2: 'OFF' }, points)).toEqual(
      values(true, false),
    )
    const energy = ['ENERGY.Power.0', 'ENERGY.Power.1', 'ENERGY.Voltage', 'DS18B20-2.Temperature']
    const document = { ENERGY: { Power: [742, 12], Voltage: 231 }, 'DS18B20-2': { Temperature: 20.6 }, TempUnit: 'C' }
    expect(
      read(
        'tasmota',
        'pump',
        'tele/pump/SENSOR',
        document,
        energy.map((path, index) => payloadPoint(index, path)),
      ),
    ).toEqual(values(742, 12, 231, 20.6))
  })
  test('Fahrenheit is refused by name, and so is what is no document', () => {
    const sensor = [payloadPoint(0, 'DS18B20.Temperature')]
    const warm = { DS18B20: { Temperature: 69.1 }, TempUnit: 'F' }
    expect(read('tasmota', 'x', 'tele/x/SENSOR', warm, sensor)).toEqual(refused('wrong_unit'))
    expect(read('tasmota', 'x', 'tele/x/SENSOR', 'hello', sensor)).toEqual(refused('not_json'))
    expect(read('tasmota', 'x', 'tele/x/SENSOR', [1], sensor)).toEqual(refused('not_an_object'))
    expect(read('tasmota', 'x', 'tele/x/LWT', 'Gone', sensor)).toEqual(refused('unknown_state'))
    expect(read('tasmota', 'x', 'stat/x/POWER1', '', points)).toEqual(refused('empty'))
  })
})

describe('shelly', () => {
  test('gen1: only topics that points name; Watt-minutes become kWh, what is no number does not', () => {
    const points = [payloadPoint(0, 'relay/0/energy'), payloadPoint(1, 'emeter/0/total')]
    expect(codecOf('shelly_gen1').topics('shellies/em', points)).toEqual([
      'shellies/em/online',
      'shellies/em/relay/0/energy',
      'shellies/em/emeter/0/total',
    ])
    expect(read('shelly_gen1', 'shellies/em', 'shellies/em/relay/0/energy', '1', points)).toEqual(values(0.000017))
    // Watt-hours here: the driver scales them.
    expect(read('shelly_gen1', 'shellies/em', 'shellies/em/emeter/0/total', '1234', points)).toEqual({
      kind: 'readings',
      readings: [{ point: 1, value: 1234 }],
    })
    expect(read('shelly_gen1', 'shellies/em', 'shellies/em/relay/0/energy', 'null', points)).toEqual({
      kind: 'readings',
      readings: [{ point: 0, fault: { kind: 'device_fault' } }],
    })
  })
  test('gen2: every press of a button is one event; a retained one is none', () => {
    const points = [payloadPoint(0, 'input:0.event', event)]
    const press = (name: string) => ({ component: 'input:0', id: 0, event: name, ts: 1763887500 })
    const frame = { method: 'NotifyEvent', params: { ts: 1, events: [press('single_push'), press('long_push')] } }
    expect(read('shelly_gen2', 'b1', 'b1/events/rpc', frame, points)).toEqual({
      kind: 'readings',
      readings: [
        { point: 0, value: 'single_push' },
        { point: 0, value: 'long_push' },
      ],
    })
    expect(read('shelly_gen2', 'b1', 'b1/events/rpc', frame, points, true)).toEqual(refused('old_event'))
  })
  test('gen2: whole states of battery devices; other frames have names', () => {
    const points = [payloadPoint(0, 'temperature:0.tC'), payloadPoint(1, 'devicepower:0.battery.percent')]
    const full = {
      method: 'NotifyFullStatus',
      params: { ts: 1, 'temperature:0': { id: 0, tC: 21.4 }, 'devicepower:0': { battery: { percent: 80 } } },
    }
    expect(read('shelly_gen2', 'ht', 'ht/events/rpc', full, points)).toEqual(values(21.4, 80))
    expect(read('shelly_gen2', 'ht', 'ht/events/rpc', { method: 'NotifyOther', params: {} }, points)).toEqual(
      refused('unknown_state'),
    )
    expect(read('shelly_gen2', 'ht', 'ht/events/rpc', { method: 'NotifyStatus' }, points)).toEqual(
      refused('not_an_object'),
    )
    const sys = { method: 'NotifyStatus', params: { ts: 1, sys: { uptime: 5 } } }
    expect(read('shelly_gen2', 'ht', 'ht/events/rpc', sys, points)).toEqual(refused('no_point'))
  })
})

test('chirpstack: an uplink bears its names, so that it can be taken once', () => {
  const uplink = { deduplicationId: '3ac7', devAddr: '00189440', fCnt: 117, object: { t: 21 }, rxInfo: [{ rssi: -48 }] }
  const points = [payloadPoint(0, 'object.t'), payloadPoint(1, 'rxInfo.0.rssi')]
  expect(read('chirpstack_v4', 'application/a/device/b', 'application/a/device/b/event/up', uplink, points)).toEqual({
    ...values(21, -48),
    once: ['3ac7', '00189440 117'],
  })
})

describe('telling a device', () => {
  const told = (name: string, base: string, path: string, value: Value, options: object = bool) =>
    codecOf(name).write(base, payloadPoint(0, path, options), value)

  test.each<[string, string, string, Value, string, string]>([
    ['zigbee2mqtt', 'zigbee2mqtt/plug', 'state', true, 'zigbee2mqtt/plug/set', '{"state":"ON"}'],
    ['zigbee2mqtt', 'zigbee2mqtt/plug', 'state_l2', false, 'zigbee2mqtt/plug/set', '{"state_l2":"OFF"}'],
    ['zigbee2mqtt', 'zigbee2mqtt/plug', 'led.enabled', false, 'zigbee2mqtt/plug/set', '{"led":{"enabled":false}}'],
    ['tasmota', 'pump', 'POWER', true, 'cmnd/pump/POWER', 'ON'],
    ['tasmota', 'site/%prefix%/pump', 'POWER2', false, 'site/cmnd/pump/POWER2', 'OFF'],
    ['shelly_gen1', 'shellies/s', 'relay/1', true, 'shellies/s/relay/1/command', 'on'],
    ['esphome', 'pump_room', 'switch/light', false, 'pump_room/switch/light/command', 'OFF'],
    [
      'shelly_gen2',
      'plus1',
      'switch:0.output',
      true,
      'plus1/rpc',
      '{"id":1,"src":"gatehouse","method":"Switch.Set","params":{"id":0,"on":true}}',
    ],
  ])('%s %s %s', (name, base, path, value, topic, payload) => {
    expect(told(name, base, path, value)).toEqual({ topic, payload })
  })

  test('numbers go back through their scale, labels to what the device calls them', () => {
    const scaled = { treatment: { scale: 0.1 } }
    expect(told('zigbee2mqtt', 'z/v', 'setpoint', 21.5, scaled)).toEqual({
      topic: 'z/v/set',
      payload: '{"setpoint":215}',
    })
    const labelled = { type: 'str', kind: 'state', treatment: { map: { LOCK: 'locked', UNLOCK: 'free' } } }
    expect(told('zigbee2mqtt', 'z/v', 'child_lock', 'locked', labelled)).toEqual({
      topic: 'z/v/set',
      payload: '{"child_lock":"LOCK"}',
    })
    expect(told('zigbee2mqtt', 'z/v', 'child_lock', 'half', labelled)).toMatch(/"half" is none of locked, free/)
  })

  test.each([
    ['tasmota', 'ENERGY.Power'],
    ['shelly_gen1', 'relay/0/power'],
    ['shelly_gen2', 'switch:0.apower'],
    ['esphome', 'sensor/pressure'],
    ['chirpstack_v4', 'object.t'],
    ['uhppoted', 'door-id'],
    ['json', 'a'],
  ])('what %s cannot be told is said in a sentence (%s)', (name, path) => {
    expect(told(name, 'b/x', path, true)).toMatch(/^\S.{10,}/)
  })
})
