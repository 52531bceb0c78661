/** Questions that go beyond a read or a write of their own: bits of a register, identification, all devices at once, text lines. */
import { describe, expect, test } from 'vitest'
import { explain } from '../../src/protocols/explain.ts'
import { ascii, linesOf } from '../../src/protocols/modbus/ascii.ts'
import { rtu, tcp } from '../../src/protocols/modbus/framing.ts'
import { broadcast, identify, modbus, objectName, readIdentity } from '../../src/protocols/modbus/index.ts'
import { buildReply, parseReply, parseRequest, type Reply } from '../../src/protocols/modbus/pdu.ts'
import { changeBits, questionOf } from '../../src/protocols/modbus/question.ts'
import type { Question, Verdict } from '../../src/protocols/protocol.ts'
import { bytes, modbusPoint } from './make.ts'

const hex = (some: Uint8Array | undefined) => Buffer.from(some ?? []).toString('hex')

/** What the framing makes of this reply to this question. */
function told(question: Question, reply: Reply): Verdict {
  const frame = rtu.frame({ ...question, body: buildReply(reply) }, 0)
  return rtu.judge(frame, question, 0)
}

function next(verdict: Verdict): Question {
  if (verdict.kind !== 'answer' || verdict.more === undefined) throw new Error(`no follow-on: ${verdict.kind}`)
  return verdict.more
}

describe('bits of a holding register', () => {
  const question = changeBits({ start: 4, mask: 0x0008, bits: 0xffff }, 9)

  test('the worked example of the standard: 0012 with and 00F2, or 0025 becomes 0017', () => {
    const mask = questionOf({ fc: 22, start: 4, and: 0x00f2, or: 0x0025 }, 9)
    expect(hex(mask.body)).toBe('16000400f20025')
    expect(mask).toMatchObject({ writes: true, answerBytes: 7 })
    expect(told(mask, { fc: 22, start: 4, and: 0x00f2, or: 0x0025 }).kind).toBe('answer')
  })
  test('only the bits of the mask are touched, and the echo is checked to its last byte', () => {
    expect(parseRequest(question.body)).toEqual({ fc: 22, start: 4, and: 0xfff7, or: 0x0008 })
    expect(told(question, { fc: 22, start: 4, and: 0xfff7, or: 0x0008 })).toEqual({
      kind: 'answer',
      body: question.body,
    })
    expect(told(question, { fc: 22, start: 4, and: 0xfff7, or: 0x0009 })).toEqual({ kind: 'other', why: 'echo' })
  })
  test('a device without function 22 is asked for the register and gets it back changed', () => {
    const read = next(told(question, { fc: 22, exception: 1 }))
    expect(read).toMatchObject({ address: 9, writes: false, answerBytes: 4 })
    expect(hex(read.body)).toBe('0300040001')
    const written = next(told(read, { fc: 3, content: bytes('a0f5') }))
    expect(hex(written.body)).toBe('060004a0fd')
    expect(written.writes).toBe(true)
    expect(told(written, { fc: 6, start: 4, register: 0xa0fd })).toEqual({ kind: 'answer', body: written.body })
  })
  test('clearing, and devices that only know function 16', () => {
    const clear = changeBits({ start: 4, mask: 0x00f0, bits: 0x0020, multiple: true }, 9)
    expect(parseRequest(clear.body)).toEqual({ fc: 22, start: 4, and: 0xff0f, or: 0x0020 })
    const read = next(told(clear, { fc: 22, exception: 1 }))
    expect(hex(next(told(read, { fc: 3, content: bytes('12f4') })).body)).toBe('1000040001021224')
  })
  test('other exceptions are a no', () => {
    expect(told(question, { fc: 22, exception: 2 })).toEqual({
      kind: 'fault',
      fault: { kind: 'exception', code: 2 },
      means: 'part',
    })
  })
  test('what the read says instead of the register ends it: nothing was written', () => {
    const read = next(told(question, { fc: 22, exception: 1 }))
    expect(told(read, { fc: 3, exception: 2 })).toMatchObject({ kind: 'fault', fault: { code: 2 } })
  })
})

describe('device identification', () => {
  const part = (more: boolean, nextObject: number, objects: readonly [number, string][]): Reply => ({
    fc: 43,
    category: 1,
    conformity: 1,
    more,
    next: nextObject,
    objects: objects.map(([id, text]) => ({ id, content: new TextEncoder().encode(text) })),
  })

  test('asks on until all objects are there', () => {
    const question = identify(5)
    expect(hex(question.body)).toBe('2b0e0100')
    const first = told(question, part(true, 1, [[0, 'Acme']]))
    const follow = next(first)
    expect(hex(follow.body)).toBe('2b0e0101')
    const second = told(
      follow,
      part(false, 0, [
        [1, 'P-7'],
        [2, 'V2.11'],
      ]),
    )
    if (first.kind !== 'answer' || second.kind !== 'answer') throw new Error('no answer')
    expect(second.more).toBeUndefined()
    const identity = readIdentity([first.body, second.body])
    expect(identity?.conformity).toBe(1)
    expect([...(identity?.texts ?? [])].map(([id, text]) => `${objectName(id)}: ${text}`)).toEqual([
      'vendor name: Acme',
      'product code: P-7',
      'revision: V2.11',
    ])
  })
  test('a device that never comes to an end is left', () => {
    const follow = next(told(identify(5), part(true, 1, [[0, 'A']])))
    const again = told(follow, part(true, 1, [[1, 'B']]))
    expect(again).not.toHaveProperty('more')
    expect(again.kind).toBe('answer')
  })
  test('an answer that begins with another object answers another question', () => {
    const follow = next(told(identify(5), part(true, 1, [[0, 'A']])))
    expect(told(follow, part(true, 1, [[0, 'A']]))).toEqual({ kind: 'other', why: 'echo' })
  })
  test('another category, or bytes that are none', () => {
    expect(told(identify(5, 3), part(false, 0, [[0, 'A']]))).toEqual({ kind: 'other', why: 'echo' })
    expect(tcp.judge(bytes('000100000005052b0e0101'), identify(5), 1)).toEqual({
      kind: 'other',
      why: 'length',
    })
  })
  test('not supported is harmless', () => {
    expect(told(identify(5), { fc: 43, exception: 1 })).toMatchObject({ kind: 'fault', means: 'unsupported' })
  })
  test('no identification in the bodies', () => {
    expect(readIdentity([])).toBeNull()
    expect(readIdentity([bytes('0302002a')])).toBeNull()
  })
  test('shown by decode', () => {
    const frame = rtu.frame(
      {
        ...identify(5),
        body: buildReply(
          part(true, 3, [
            [0, '上海'],
            [130, 'x'],
          ]),
        ),
      },
      0,
    )
    const said = explain('modbus', hex(frame))
    expect(said).toMatchObject({
      frames: [
        {
          direction: 'reply',
          function: '43 read device identification',
          fields: { category: 1, conformity: 1, more: true, next: 3 },
          readings: [
            { key: 'vendor name', value: '上海', unit: null },
            { key: 'object 130', value: 'x', unit: null },
          ],
        },
      ],
      junk: '',
    })
  })
})

describe('all devices at once', () => {
  const write = questionOf({ fc: 6, start: 5, register: 100 }, 3)

  test('a write becomes a broadcast only when somebody says so', () => {
    const question = broadcast(write)
    if (typeof question === 'string') throw new Error(question)
    expect(question).toMatchObject({ address: 0, writes: true, unanswered: true, answerBytes: 0 })
    expect(hex(rtu.frame(question, 0))).toBe('00060005006499f1')
    expect(modbus.address(0)).toMatchObject({ en: expect.stringMatching(/^unit 0 is broadcast/) })
    expect(modbus.write(modbusPoint(0, {}), 1, 0)).toMatch(/^unit 0 is broadcast/)
  })
  test.each([
    [questionOf({ fc: 3, start: 0, count: 1 }, 3), 'function 3 wants an answer'],
    [
      questionOf({ fc: 23, start: 0, count: 1, writeStart: 0, registers: bytes('0001') }, 3),
      'function 23 wants an answer',
    ],
    [identify(3), 'function 43 wants an answer'],
  ])('what wants an answer cannot be one', (question, why) => {
    expect(broadcast(question)).toBe(`${why}: it cannot be said to all at once`)
  })
})

describe('read and write in one', () => {
  const question = questionOf({ fc: 23, start: 3, count: 2, writeStart: 14, registers: bytes('00ff') }, 1)
  test('the answer has the registers that were asked for', () => {
    expect(question).toMatchObject({ writes: true, answerBytes: 6 })
    expect(told(question, { fc: 23, content: bytes('00fe0acd') })).toMatchObject({ kind: 'answer' })
    expect(told(question, { fc: 23, content: bytes('00fe') })).toEqual({
      kind: 'other',
      why: 'length',
      short: true,
    })
  })
  test.each([
    ['1700030006000e007af4', '122 is not within 1..121'],
    ['17ffff0002000e0001020001', '65535+2 passes address 65535'],
    ['1700030006000e00020200ff', '2 values take 4 bytes, these are 2'],
  ])('%s: %s', (pdu, why) => {
    expect(parseRequest(bytes(pdu))).toMatch(why)
  })
})

describe('ASCII', () => {
  const question = questionOf({ fc: 3, start: 107, count: 3 }, 17)
  const answer = new TextEncoder().encode(':110306022B0000006455\r\n')

  test('runs on a serial line or behind a serial server, where it is asked for; never on Modbus TCP', () => {
    expect(modbus.framing('serial', { ascii: true })).toBe(ascii)
    expect(modbus.framing('tcp', { ascii: true })).toBe(ascii)
    expect(modbus.framing('modbus-tcp', { ascii: true })).toBe(tcp)
    expect(modbus.framing('serial')).toBe(rtu)
    expect(modbus.framing('tcp', { ascii: false })).toBe(rtu)
  })
  test('knows how long its answers are, and needs no silence', () => {
    expect(ascii.answerLength?.(question)).toBe(answer.length)
    expect(ascii.quietMs({ baud: 1200, dataBits: 7, parity: 'E', stopBits: 1 })).toBe(0)
    expect(ascii.frame({ ...question, body: new Uint8Array(253) }, 0)).toHaveLength(ascii.frameMax)
  })
  test('a frame that was cut short is shed when the next one begins', () => {
    const received = Uint8Array.of(...answer.subarray(0, 9), ...answer)
    const split = ascii.split(received)
    expect(split).toEqual({ kind: 'junk', used: 1 })
    expect(ascii.split(received.subarray(9))).toMatchObject({ kind: 'frame', used: answer.length })
  })
  test.each([
    ['half a byte', ':110306022B000000645\r\n'],
    ['too short', ':1155\r\n'],
    ['CR without LF', ':110306022B0000006455\r.'],
    ['a letter beyond F', ':110306022G0000006455\r\n'],
    ['too long', `:${'00'.repeat(256)}\r\n`],
  ])('junk: %s', (_, text) => {
    expect(ascii.split(new TextEncoder().encode(text))).toEqual({ kind: 'junk', used: 1 })
  })
  test('a line without an end does not grow beyond a frame', () => {
    expect(ascii.split(new TextEncoder().encode(`:${'0'.repeat(509)}`))).toEqual({ kind: 'more' })
    expect(ascii.split(new TextEncoder().encode(`:${'0'.repeat(513)}`))).toEqual({ kind: 'junk', used: 1 })
  })
  test('another unit, and another master on the line', () => {
    const other = new TextEncoder().encode(':120306022B0000006454\r\n')
    expect(ascii.judge(other, question, 0)).toEqual({ kind: 'other', why: 'unit' })
    expect(ascii.judge(new TextEncoder().encode(':1\r\n'), question, 0)).toEqual({ kind: 'other', why: 'length' })
    expect(ascii.describe?.(ascii.frame(question, 0))).toEqual({
      direction: 'request',
      address: '17',
      function: '3 read holding registers',
    })
    expect(ascii.describe?.(answer)?.direction).toBe('reply')
  })
  test('decode takes lines as they are printed, and says what is wrong with them', () => {
    expect(linesOf('11 03')).toBeNull()
    const said = (text: string) => explain('modbus-ascii', text)
    expect(explain('modbus', ':110306022b0000006455\\r\\n')).toMatchObject({ frames: [{ protocol: 'modbus-ascii' }] })
    expect(explain('modbus', ':1103006B00037E :110306022B0000006455')).toMatchObject({
      frames: [{ direction: 'request' }, { direction: 'reply', readings: [{ value: 555 }, {}, {}] }],
    })
    expect(said(':110306022B000000645')).toMatchObject({ why: '19 hex digits are half a byte too many or too few' })
    expect(said(':1155')).toMatchObject({ why: '2 bytes are too few: unit, function, content and LRC take 4' })
    expect(said(':1x')).toMatchObject({ why: 'character 3 is no hex digit' })
    expect(said('3a31')).toMatchObject({ why: 'a frame ends with CR LF (0d 0a): there is none, more is needed' })
    expect(said('31')).toMatchObject({ why: 'a frame begins with a colon (3a), not with 31' })
  })
})

test('a request that is not known by its kind', () => {
  expect(parseRequest(bytes('2b0d0100'))).toMatch(/MEI type 13 is not device identification/)
  expect(parseRequest(bytes('2b0e0700'))).toMatch(/category 7 is not within 1..4/)
  expect(parseReply(bytes('2b0e01010000020003414243'))).toMatch(/bytes or more/)
})
