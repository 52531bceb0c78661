import { describe, expect, test } from 'vitest'
import { explain } from '../../src/protocols/explain.ts'

function explained(protocol: string, hex: string, request?: string) {
  const said = explain(protocol, hex, request ?? null)
  if (typeof said === 'string') throw new Error(said)
  return said
}

describe('frames', () => {
  test('a reply with its request: readings by address', () => {
    const said = explained('modbus', '11 03 06 02 2B 00 00 00 64 C8 BA', '11 03 00 6B 00 03 76 87')
    expect(said).toEqual({
      frames: [
        {
          protocol: 'modbus-rtu',
          direction: 'reply',
          address: '17',
          function: '3 read holding registers',
          fields: { bytes: 6 },
          readings: [
            { key: 'holding 107', value: 555, unit: null },
            { key: 'holding 108', value: 0, unit: null },
            { key: 'holding 109', value: 100, unit: null },
          ],
          fault: null,
          note: null,
        },
      ],
      junk: '',
      why: null,
    })
  })
  test('without it: by position', () => {
    const [frame] = explained('modbus-rtu', '110306022B00000064C8BA').frames
    expect(frame?.readings.map(({ key }) => key)).toEqual(['register 0', 'register 1', 'register 2'])
  })
  test('coils: as many as were asked for', () => {
    const [frame] = explained('modbus', '010103CD6B054282', '0101001300138C02').frames
    expect(frame?.readings).toHaveLength(19)
    expect(frame?.readings[0]).toEqual({ key: 'coil 19', value: true, unit: null })
  })
  test('a request', () => {
    const [frame] = explained('modbus', '1103006B00037687').frames
    expect(frame).toMatchObject({ direction: 'request', address: '17', fields: { start: 107, count: 3 } })
  })
  test('a write of registers and its answer', () => {
    const said = explained('modbus', '01100001000204000A01029230 0110000100021008')
    expect(said.frames.map(({ direction, fields }) => [direction, fields])).toEqual([
      ['request', { start: 1, registers: [10, 258] }],
      ['reply', { start: 1, count: 2 }],
    ])
  })
  test('TCP is told apart by itself, two answers of one segment', () => {
    const said = explained('modbus', '00080000000501030200010009000000050103020002')
    expect(said.frames.map(({ protocol, fields }) => [protocol, fields['transaction']])).toEqual([
      ['modbus-tcp', 8],
      ['modbus-tcp', 9],
    ])
  })
  test('an exception has a fault and its meaning', () => {
    const [frame] = explained('modbus', '0583028130').frames
    expect(frame).toMatchObject({
      fault: 'exception:2',
      fields: { exception: 2, meaning: 'illegal data address' },
      function: '3 read holding registers',
    })
  })
  test.each([
    ['03030200FA41C7', '0203000000018439', 'unit 3, asked was 2'],
    ['02030200FA7C07', '020300100002C5FD', '4 bytes of content where 6 would answer'],
    ['020600050032182D', '0206000500649813', 'it confirms another address or value than was written'],
    ['0006000000050103021234', '000700000006010300000001', 'transaction 6, asked was 7'],
  ])('%s does not answer %s', (reply, request, why) => {
    expect(explained('modbus', reply, request).frames[0]?.note).toBe(`does not answer the request: ${why}`)
  })
})

describe('what is no frame', () => {
  test.each([
    ['modbus-rtu', '01030200FA0738', 'the CRC bytes are swapped: the low byte travels first'],
    ['modbus-rtu', '01030200FA3839', 'CRC: the last two bytes are 38 39, over the others it is 38 07'],
    ['modbus-rtu', '0103', '2 bytes are too few: unit, function and CRC take 4'],
    ['modbus-rtu', '0149000102', 'byte 2 is 49: function 73 is not one of 1-6, 15, 16, 22, 23, 43'],
    [
      'modbus-rtu',
      '0103040001',
      'function 3 with these first bytes makes 9 or 8 bytes, here are 5: 4 or 3 more bytes are needed',
    ],
    ['modbus-tcp', '000B000100050103020001', 'bytes 3 and 4 (protocol) are 00 01, must be 00 00'],
    ['modbus-tcp', '000B0000FFFF0103020001', 'bytes 5 and 6 say length 65535, possible are 2 to 254'],
    ['modbus-tcp', '000B00000009010302', 'bytes 5 and 6 say that 9 bytes follow, here are 3: 6 more bytes are needed'],
  ])('%s %s: %s', (protocol, hex, why) => {
    const said = explained(protocol, hex)
    expect(said).toEqual({ frames: [], junk: hex.toLowerCase(), why })
  })
  test('neither framing: both reasons', () => {
    expect(explained('modbus', '01030200FA0738').why).toMatch(/^as RTU: the CRC bytes are swapped.*; as TCP: 7 bytes/)
  })
  test('noise around a frame is told from it', () => {
    const said = explained('modbus', '5349544530372D44545533 010302002A399B')
    expect(said).toMatchObject({ frames: [{ readings: [{ value: 42 }] }], junk: '5349544530372d44545533' })
  })
})

test('a wrong question gets a sentence', () => {
  expect(explain('dlt', '00')).toMatch(/^"dlt" is not a protocol that can be decoded: modbus, modbus-rtu, modbus-tcp/)
  expect(explain('__proto__', '00')).toMatch(/is not a protocol/)
  expect(explain('modbus', 'xx')).toBe('"x" is not a hex digit')
  expect(explain('modbus', '')).toBe('there are no bytes')
  expect(explain('modbus', '00', 'x')).toBe('--request: "x" is not a hex digit')
})
