import { expect, test } from 'vitest'
import { placeText } from '../../src/control/place.ts'
import type { ModbusPlace } from '../../src/model/point.ts'

const PLACE: ModbusPlace = {
  protocol: 'modbus',
  table: 'input',
  address: 72,
  as: 'f32',
  order: 'ABCD',
  bit: null,
  length: null,
}

test('a place is shown as it is on the wire, and as its maker prints it', () => {
  expect(placeText(PLACE)).toBe('input 72')
  expect(placeText(PLACE, '3x_1based')).toBe('input 72 (manual: 30073)')
  expect(placeText({ ...PLACE, as: 'bit', bit: 3 }, '1based')).toBe('input 72 bit 3 (manual: 73)')
  expect(placeText({ ...PLACE, model: { id: 103, base: 40_000 } }, '1based')).toBe('model 103 72')
  expect(placeText(PLACE, '0based')).toBe('input 72')
})
