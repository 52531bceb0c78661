/** Times of alarms as parameters of a driver: what a site may set, and what it may not. */
import { describe, expect, test } from 'vitest'
import { check } from './folder.ts'

const DRIVER = `driver: access/d
title: D
category: access
protocol: composed
source: a test
params:
  held_after: {default: 30s, range: [5s, 10m], text: {en: Held, zh: 超时}}
  limit: {default: 5, range: [0, 10]}
inputs: {door: {required: true}}
alarms:
  held: {when: "!door", onDelay: params.held_after, offDelay: 1s, priority: medium, text: t}
`
const site = (device: string, tail = ''): string => `site: {id: s}
buses: {b: {wire: modbus-tcp://127.0.0.1}}
devices:
  io: {driver: io/wellpro_wp8026, bus: b, address: 1}
  d: {driver: access/d, inputs: {door: io.di_1}${device}}
${tail}`
const checked = (device: string, tail = '', driver = DRIVER) =>
  check({ 'site.yaml': site(device, tail), 'drivers/access/d.yaml': driver })

describe('onDelay: params.held_after', () => {
  test.each([
    ['', 30_000],
    [', params: {held_after: 60s}', 60_000],
    [', params: {held_after: 2m}', 120_000],
    [', alarms: {held: {onDelay: 5s}}', 5000],
  ])('with %s is %d ms', (device, onDelayMs) => {
    const { site: made, lines } = checked(device)
    expect(lines).toEqual([])
    expect(made?.rules.find(({ id }) => id === 'd.held')).toMatchObject({ onDelayMs, offDelayMs: 1000 })
  })

  test.each([
    [', params: {held_after: 60}', '', /param held_after must be a duration such as 30s within 5s … 10m, not 60$/],
    [', params: {held_after: 1h}', '', /param held_after must be a duration such as 30s within 5s … 10m, not 1h$/],
    [', params: {held_after: soon}', '', /param held_after must be a duration/],
    [', alarms: {held: {onDelay: params.held_afta}}', '', /no param held_afta; did you mean held_after\?$/],
    [', alarms: {held: {onDelay: params.limit}}', '', /param limit is 5, which is no duration: write it as "30s"$/],
    [', alarms: {held: {onDelay: param.held_after}}', '', /must be a duration such as 500ms or 30s, or a param/],
    ['', 'alarms: {x: {when: "!d.door", onDelay: params.held_after, priority: low, text: t}}\n', /no param held_after/],
  ])('with %s %s is refused', (device, tail, line) => {
    const { lines, site: made } = checked(device, tail)
    expect(made).toBeNull()
    expect(lines.join('\n')).toMatch(line)
  })

  test('a default outside of its own range is the driver’s mistake', () => {
    const { lines } = checked('', '', DRIVER.replace('default: 30s', 'default: 1s'))
    expect(lines.join('\n')).toMatch(/held_after: the default lies outside its range/)
  })
})
