/** Drivers of devices that print lines, and the sites that have some. */
import { describe, expect, test } from 'vitest'
import { check } from '../driver/folder.ts'

const DRIVER = `driver: access/printer
title: P
category: access
protocol: textline
source: a test
textline: {delimiter: "\\r\\n", separator: ",", fields: 4, id: field 1}
points:
  card: {at: field 3, card: wiegand26_decimal, kind: event, only: {field 2: CARD}}
  name: {at: columns 20-30, as: string, personal: true}
  open: {at: field 4, as: bit}
proof:
  - received: "07,CARD,5898564,1\\r\\n"
    samples: {card: "w26:90:324", open: true}
`
const site = (devices: string, buses = 'gate: {wire: "tcp://10.0.0.1:4001"}'): string =>
  `site: {id: s}\nbuses: {${buses}}\ndevices:\n${devices}`
const one = (keys: string, driver = DRIVER, buses?: string) =>
  check({ 'site.yaml': site(`  d: {driver: access/printer, ${keys}}\n`, buses), 'drivers/access/printer.yaml': driver })

test('a driver and a site of it come to a link, a form, and points that are personal texts', () => {
  const { site: made, lines } = one('bus: gate, address: "07"')
  expect(lines).toEqual([])
  expect(made?.devices[0]?.link).toEqual({
    kind: 'lines',
    bus: 0,
    id: '07',
    line: null,
    form: {
      delimiter: '\r\n',
      begin: '',
      separator: ',',
      encoding: 'utf-8',
      maxBytes: 256,
      fields: 4,
      id: { kind: 'field', number: 1 },
    },
  })
  expect(made?.points).toMatchObject([
    { key: 'card', kind: 'event', type: 'str', personal: true, source: { treatment: { card: 'wiegand26_decimal' } } },
    { key: 'name', kind: 'text', type: 'str', personal: true },
    { key: 'open', kind: 'state', type: 'bool', personal: false, maxAgeMs: null },
  ])
  expect(made?.points[0]?.source).toMatchObject({
    everyMs: null,
    place: { only: [{ part: { kind: 'field', number: 2 }, text: 'CARD' }] },
  })
})

describe('a site', () => {
  test.each([
    ['no address', 'bus: gate', /d needs address: what its lines have in the place that the driver calls id/],
    ['no bus', 'address: "07"', /d.*bus/],
    ['an unknown bus', 'bus: gata, address: "07"', /gata.*did you mean gate/],
    ['a topic', 'bus: gate, address: "07", topic: a/b', /topic/],
  ])('with %s is refused', (_name, keys, line) => {
    const { site: made, lines } = one(keys)
    expect(made).toBeNull()
    expect(lines.join('\n')).toMatch(line)
  })

  test('on Modbus TCP, or beside devices that are asked, is refused', () => {
    expect(one('bus: gate, address: "1"', DRIVER, 'gate: {wire: "modbus-tcp://10.0.0.1"}').lines.join('\n')).toMatch(
      /prints lines, which modbus-tcp:\/\/10\.0\.0\.1 does not carry/,
    )
    const mixed = `  d: {driver: access/printer, bus: gate, address: "1"}
  io: {driver: io/wellpro_wp8026, bus: gate, address: 1}
`
    expect(check({ 'site.yaml': site(mixed), 'drivers/access/printer.yaml': DRIVER }).lines.join('\n')).toMatch(
      /io wants to be asked on bus gate, where d prints lines unasked/,
    )
  })

  test('with two devices tells them apart, or says that it cannot', () => {
    const two = (a: string, b: string, other = 'access/printer', more = {}) =>
      check({
        'site.yaml': site(`  a: {driver: access/printer, bus: gate${a}}\n  b: {driver: ${other}, bus: gate${b}}\n`),
        'drivers/access/printer.yaml': DRIVER,
        ...more,
      }).lines.join('\n')
    expect(two(', address: "1"', ', address: "2"')).toBe('')
    expect(two(', address: "1"', ', address: "1"')).toMatch(/address 1/)
    const alone = DRIVER.replace('access/printer', 'access/alone').replace(', id: field 1', '')
    const drivers = { 'drivers/access/alone.yaml': alone }
    expect(two(', address: "1"', '', 'access/alone', drivers)).toMatch(/nothing in their lines tells them apart/)
    const other = DRIVER.replace('access/printer', 'access/other').replace('\\r\\n", sep', '\\r", sep')
    expect(two(', address: "1"', ', address: "2"', 'access/other', { 'drivers/access/other.yaml': other })).toMatch(
      /their lines end or are set differently/,
    )
  })
})

describe('a driver', () => {
  test.each([
    ['a part that is none', DRIVER.replace('at: field 4', 'at: field four'), /field four is no part of a line/],
    ['fields without a separator', DRIVER.replace(' separator: ",",', ''), /lines have fields only with a separator/],
    ['a poll', DRIVER.replace('as: bit}', 'as: bit, every: 1s}'), /every.*textline/],
    ['no form', DRIVER.replace(/textline: \{.*\}\n/, ''), /textline/],
    ['a form that is for Modbus', `${DRIVER}modbus: {order: ABCD}\n`, /modbus.*textline/],
    ['a personal point that is written', DRIVER.replace('personal: true}', 'personal: true, write: {}}'), /write/],
  ])('with %s is refused', (_name, driver, line) => {
    expect(one('bus: gate, address: "07"', driver).lines.join('\n')).toMatch(line)
  })
})
