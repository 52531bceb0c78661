import { describe, expect, test } from 'vitest'
import { atText, parsePath, parsePlace } from '../../src/driver/place.ts'

describe('a place', () => {
  test('is table and address, decimal or hexadecimal', () => {
    expect(parsePlace({ at: 'input 0x1F', as: 's16' }, 'ABCD')).toEqual({
      protocol: 'modbus',
      table: 'input',
      address: 31,
      as: 's16',
      order: 'ABCD',
      bit: null,
      length: null,
    })
    expect(parsePlace({ at: 'coil 7' }, 'ABCD')).toMatchObject({ table: 'coil', address: 7, as: 'bit' })
    expect(parsePlace({ at: 'holding 3', as: 'f32', order: 'DCBA' }, 'CDAB')).toMatchObject({ order: 'DCBA' })
  })

  test.each([
    'holding',
    'holding 65536',
    'holding -1',
    'holding 1.5',
    'Holding 1',
    'holding  1',
    'holding 0x10000',
    '40001',
    '',
  ])('%j is none', (at) => {
    expect(parsePlace({ at, as: 'u16' }, 'ABCD')).toMatchObject({ why: 'badPlace' })
  })

  test('says which key does not fit', () => {
    expect(parsePlace({ at: 'holding 1' }, 'ABCD')).toMatchObject({ why: 'encodingMissing' })
    expect(parsePlace({ at: 'discrete 1', as: 'u16' }, 'ABCD')).toMatchObject({ why: 'encodingUnfit' })
    expect(parsePlace({ at: 'holding 1', as: 'bit' }, 'ABCD')).toMatchObject({ why: 'encodingNeedsKey', needs: 'bit' })
    expect(parsePlace({ at: 'holding 1', as: 'string' }, 'ABCD')).toMatchObject({ needs: 'length' })
    expect(parsePlace({ at: 'holding 1', as: 'u16', bit: 3 }, 'ABCD')).toMatchObject({
      why: 'keyNeedsEncoding',
      key: 'bit',
    })
    expect(parsePlace({ at: 'holding 1', as: 'u16', length: 3 }, 'ABCD')).toMatchObject({ key: 'length' })
  })

  test('of a payload is a path of fields, or all of it', () => {
    expect(['$', 'temperature', 'a.b-c.0', '_x'].map(parsePath)).toEqual(
      ['$', 'temperature', 'a.b-c.0', '_x'].map((path) => ({ protocol: 'payload', path })),
    )
    for (const at of ['', 'a..b', '.a', 'a b', '$.a', 'a.', '*'])
      expect(parsePath(at), at).toMatchObject({ why: 'badPath' })
  })

  test('is shown with the maker’s number beside', () => {
    expect(['3x_1based', '3xx_1based', '1based', '0x', '0based'].map((manual) => atText('input 72', manual))).toEqual([
      'input 72 (manual: 30073)',
      'input 72 (manual: 300073)',
      'input 72 (manual: 73)',
      'input 72 (manual: 0x0048)',
      'input 72',
    ])
    expect(atText('holding 0x2B', '4x_1based')).toBe('holding 0x2B (manual: 40044)')
    expect(atText('model 103 14', '4x_1based')).toBe('model 103 14')
    expect(atText('coil 0', undefined)).toBe('coil 0')
  })
})
