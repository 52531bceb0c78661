import { expect, test } from 'vitest'
import { fieldPointsBehind } from '../../src/alarm/needs.ts'
import { pointId } from '../../src/model/point.ts'
import { makePoint } from '../image/points.ts'
import { makeRule, makeSite } from './site.ts'

test('through composed devices and computed points down to what is read', () => {
  const site = makeSite([])
  const derived = makePoint(5, {
    device: 0,
    key: 'load',
    id: pointId('pump_1', 'load'),
    source: { from: 'derive', formula: { kind: 'expression', source: 'current / params.limit', device: 0 } },
  })
  const hours = makePoint(6, {
    device: 1,
    key: 'hours',
    id: pointId('pump_2', 'hours'),
    source: { from: 'derive', formula: { kind: 'hours', of: 2 } },
  })
  const loop = makePoint(7, {
    device: 3,
    key: 'loop',
    id: pointId('lift_1', 'loop'),
    source: { from: 'point', point: 7, invert: false },
  })
  const whole = {
    ...site,
    points: [...site.points, derived, hours, loop],
    devices: site.devices.map((device, index) => (index === 0 ? { ...device, points: [0, 1, 5] } : device)),
  }
  expect([...fieldPointsBehind(whole, [4])]).toEqual([0])
  expect([...fieldPointsBehind(whole, [5])]).toEqual([1])
  expect([...fieldPointsBehind(whole, [6, 7, 3])].toSorted((a, b) => a - b)).toEqual([2, 3])
  expect([...fieldPointsBehind(whole, [])]).toEqual([])
})

test('the board says what its conditions name', async () => {
  const { Board } = await import('../../src/alarm/board.ts')
  const site = makeSite([makeRule('no_water', '!pump_1.running && !pump_2.running')])
  const board = new Board(site, { ulid: () => 'x', states: new Map(), now: { mono: 0, utc: 0 } })
  expect(board.inputs()).toEqual([0, 2])
})
