import { describe, expect, test } from 'vitest'
import { agrees, readProof, stateOf, underOf } from '../../src/control/proofs.ts'
import type { Site } from '../../src/model/site.ts'
import { siteOf } from '../driver/folder.ts'

const gauge = { type: 'f64', kind: 'gauge', unit: 'V' } as const
const counter = { type: 'f64', kind: 'counter', unit: 'kWh' } as const
const contact = { type: 'bool', kind: 'gauge', unit: null } as const
const state = { type: 'str', kind: 'state', unit: null } as const

describe('what was seen agrees', () => {
  test.each([
    [gauge, 230.17, '230.2', true],
    [gauge, 230.17, '230', true],
    [gauge, 230.17, '230.2 V', true],
    [gauge, 230.17, '232', true],
    [gauge, 230.17, '236', false],
    [gauge, 23.017, '230.2', false],
    [gauge, 0.314, '0,31', true],
    [gauge, -3.5, '-3.5', true],
    [gauge, 3.5, '-3.5', false],
    [counter, 12_345.67, '12345.6', true],
    [counter, 12_345.67, '12 345.6', true],
    // A counter stands still while one types: a per cent of it is a hundred kilowatt hours.
    [counter, 12_345.67, '12340.6', false],
    [counter, '18446744073709551615', '18446744073709551615', true],
    [contact, true, 'on', true],
    [contact, true, '开', true],
    [contact, false, '是', false],
    [state, 'stopped', 'Stopped', true],
    [state, 'stopped', 'running', false],
  ] as const)('%j %j seen %j: %j', (point, value, seen, expected) => {
    expect(agrees(point, value, seen)).toBe(expected)
  })
  test.each([
    [gauge, 230, 'about there'],
    [contact, true, '230'],
  ] as const)('%j cannot be compared with %j', (point, value, seen) => {
    expect(agrees(point, value, seen)).toBeNull()
  })
})

const DRIVER = `
driver: io/bench
title: {en: Bench, zh: 试验}
category: io
protocol: modbus
points:
  level: {at: holding 3, as: u16, unit: m}
  other: {at: holding 4, as: u16}
`
const LIFT = `
driver: elevator/follower
title: {en: Follower, zh: 跟随}
category: elevator
protocol: composed
inputs: {level: {as: number}}
`
const TEXT = `
site: {id: a}
buses: {one: {wire: "tcp://10.0.0.1:4001"}, two: {wire: "tcp://10.0.0.2:4001"}}
devices:
  x: {driver: io/bench, bus: one, address: 1}
  y: {driver: elevator/follower, inputs: {level: x.level}}
`

function under(id: string, text = TEXT, driver = DRIVER): string {
  const site: Site = siteOf({
    'drivers/io/bench.yaml': driver,
    'drivers/elevator/follower.yaml': LIFT,
    'site.yaml': text,
  })
  const point = site.points.find((each) => each.id === id)
  if (point === undefined) throw new Error(`no point ${id}`)
  return underOf(site, point)
}

describe('a proof holds for what it was made under', () => {
  const changes: readonly [string, string, string][] = [
    ['address', TEXT.replace('address: 1', 'address: 2'), DRIVER],
    ['wire', TEXT.replace('bus: one', 'bus: two'), DRIVER],
    ['place', TEXT.replace('address: 1}', 'address: 1, points: {level: {at: holding 9}}}'), DRIVER],
    ['scale', TEXT.replace('address: 1}', 'address: 1, points: {level: {scale: 0.1}}}'), DRIVER],
    ['driver file', TEXT, `${DRIVER}# another edition\n`],
  ]
  test.each(changes)('another %s: it lapses, and so does what follows the point', (_, text, driver) => {
    for (const id of ['x.level', 'y.level']) expect(under(id, text, driver)).not.toBe(under(id))
  })
  test.each([
    ['a device in front', TEXT.replace('devices:\n', 'devices:\n  w: {driver: io/bench, bus: two, address: 7}\n')],
    ['a deadband', TEXT.replace('address: 1}', 'address: 1, points: {level: {deadband: 2}}}')],
    ['a name', TEXT.replace('address: 1}', 'address: 1, name: Other}')],
  ])('%s: it stands', (_, text) => {
    for (const id of ['x.level', 'y.level']) expect(under(id, text)).toBe(under(id))
  })

  test('its state', () => {
    const proof = { raw: '00 01', value: 1, seen: '1', agrees: true, by: 'li', at: 5, under: 'u' }
    expect(stateOf(null, 'u')).toBe('unproven')
    expect(stateOf(proof, 'u')).toBe('proven')
    expect(stateOf({ ...proof, agrees: false }, 'u')).toBe('differs')
    expect(stateOf(proof, 'v')).toBe('lapsed')
    expect(readProof(JSON.stringify(proof))).toEqual(proof)
    expect(readProof('{"old":1}')).toBeNull()
  })
})
