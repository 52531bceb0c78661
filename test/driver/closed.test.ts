import { expect, test } from 'vitest'
import { check } from './folder.ts'

const lift = (points: string): readonly string[] =>
  check({
    'site.yaml': [
      'site: {id: s}',
      'buses: {b: {wire: /dev/ttyS0}}',
      'devices:',
      '  lift_1:',
      '    driver: elevator/inovance_nice3000plus',
      '    bus: b',
      '    address: 1',
      `    points: {${points}}`,
      '',
    ].join('\n'),
  }).lines

const WRITE = 'read: false, write: {min: 0, max: 255}'

test('a point of the site does not write where the driver forbids it, in the middle of what is forbidden either', () => {
  const said = /^site\.yaml:8:\d+ call would write where car_calls lies, which is forbidden/
  expect(lift(`call: {at: holding 0x2003, as: u16, ${WRITE}}`)).toEqual([expect.stringMatching(said)])
  expect(lift(`call: {at: holding 0x1FFF, as: u32, ${WRITE}}`)).toEqual([expect.stringMatching(said)])
  expect(lift(`call: {at: holding 0x1018, as: u16, write: {at: holding 0x2000, min: 0, max: 255}}`)).toEqual([
    expect.stringMatching(said),
  ])
})

test('beside it, and as another table, it may', () => {
  expect(lift(`other: {at: holding 0x2006, as: u16, ${WRITE}}`)).toEqual([])
  expect(lift(`other: {at: coil 0x2003, ${'read: false, write: {}'}}`)).toEqual([])
})

test('what a driver forbids is neither lifted nor moved', () => {
  expect(lift(`fault_reset: {forbidden: false, ${WRITE}}`)).toEqual([
    expect.stringMatching(/^site\.yaml:8:\d+ fault_reset is forbidden by its driver, which can neither be lifted/),
  ])
  expect(lift('fault_reset: {at: holding 5}')).toEqual([
    expect.stringMatching(/fault_reset is forbidden by its driver/),
  ])
  expect(lift('fault_reset: {title: {en: Reset, zh: 复位}}')).toEqual([])
})
