import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Point, TextlinePlace, Treatment } from '../../src/model/point.ts'
import type { LineForm } from '../../src/model/site.ts'
import {
  type Cutting,
  cutLines,
  NOTHING_HELD,
  parsePart,
  partText,
  readParts,
  takeApart,
} from '../../src/protocols/textline/index.ts'
import { PLAIN, payloadPoint } from './make.ts'

const FORM: LineForm = {
  delimiter: '\r\n',
  begin: '',
  separator: ',',
  encoding: 'utf-8',
  maxBytes: 20,
  fields: null,
  id: null,
}
const utf8 = (text: string) => new TextEncoder().encode(text)
const show = (lines: readonly Uint8Array[]) => lines.map((line) => new TextDecoder().decode(line))

function cutAll(chunks: readonly Uint8Array[], form: LineForm = FORM) {
  let state: Cutting = NOTHING_HELD
  const lines: string[] = []
  let tooLong = 0
  let heldMax = 0
  for (const chunk of chunks) {
    const cut = cutLines(state, chunk, form)
    state = cut.state
    lines.push(...show(cut.lines))
    tooLong += cut.tooLong
    heldMax = Math.max(heldMax, state.held.length)
  }
  return { lines, tooLong, heldMax }
}

describe('cutting', () => {
  test('lines, empty ones left out, the rest kept back', () => {
    expect(cutAll([utf8('one\r\n\r\ntwo\r\nthr')]).lines).toEqual(['one', 'two'])
    expect(cutAll([utf8('a\rb\n\r'), utf8('\nc\r\n')]).lines).toEqual(['a\rb\n', 'c'])
  })
  test('what is too long goes away up to the next delimiter, and no tail of it is a line', () => {
    expect(cutAll([utf8('x'.repeat(21)), utf8('tail\r\nnext\r\n')])).toMatchObject({ lines: ['next'], tooLong: 1 })
    expect(cutAll([utf8(`${'x'.repeat(20)}\r\n`)])).toMatchObject({ lines: ['x'.repeat(20)], tooLong: 0 })
    expect(cutAll([utf8(`${'x'.repeat(20)}\r`), utf8('\n')])).toMatchObject({ lines: ['x'.repeat(20)], tooLong: 0 })
    expect(cutAll([utf8('x'.repeat(500)), utf8('x'.repeat(500)), utf8('\r'), utf8('\nok\r\n')])).toMatchObject({
      lines: ['ok'],
      tooLong: 1,
    })
  })
  test('chunks never matter, memory has an end, no bytes ever throw', () => {
    const bytes = fc.uint8Array({ maxLength: 300 }).map((all) => all.map((byte) => (byte % 3 === 0 ? byte % 16 : byte)))
    fc.assert(
      fc.property(
        bytes,
        fc.array(fc.nat({ max: 300 }), { maxLength: 20 }),
        fc.constantFrom('\n', '\r\n', '\r'),
        (all, at, delimiter) => {
          const form = { ...FORM, delimiter }
          const cuts = [0, ...at.filter((place) => place < all.length).toSorted((a, b) => a - b), all.length]
          const chunks = cuts.slice(1).map((end, index) => all.slice(cuts[index], end))
          const whole = cutAll([all], form)
          const parts = cutAll(chunks, form)
          expect(parts.lines).toEqual(whole.lines)
          expect(parts.tooLong).toBe(whole.tooLong)
          expect(parts.heldMax).toBeLessThanOrEqual(form.maxBytes + delimiter.length)
          for (const line of whole.lines) takeApart(utf8(line), form)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

function linePoint(
  index: number,
  at: string,
  options: {
    type?: Point['type']
    kind?: Point['kind']
    treatment?: Partial<Treatment>
    only?: [string, string][]
  } = {},
): Point {
  const part = parsePart(at)
  if (part === null) throw new Error(at)
  const only = (options.only ?? []).map(([where, text]) => ({ part: parsePart(where) ?? part, text }))
  const place: TextlinePlace = { protocol: 'textline', part, only }
  const point = payloadPoint(index, 'x', options)
  return { ...point, source: { from: 'field', place, treatment: { ...PLAIN, ...options.treatment }, everyMs: null } }
}

function read(line: string | Uint8Array, points: readonly Point[], form: Partial<LineForm> = {}) {
  const parts = takeApart(typeof line === 'string' ? utf8(line) : line, { ...FORM, ...form })
  return typeof parts === 'string' ? parts : readParts(parts, points)
}

describe('places', () => {
  test.each(['line', 'field 1', 'field 12', 'columns 4-9'])('%s', (written) => {
    const part = parsePart(written)
    expect(part === null ? null : partText(part)).toBe(written)
  })
  test('a column by itself', () => expect(parsePart('column 7')).toEqual({ kind: 'columns', from: 7, to: 7 }))
  test.each(['', 'field', 'field 0', 'field -1', 'fields 2', 'columns 9-4', 'columns 0-3', 'column 5000', 'field 1.5'])(
    '%s is none',
    (written) => expect(parsePart(written)).toBeNull(),
  )
})

describe('what a line says', () => {
  test('by separator: trimmed fields, each as its point’s type', () => {
    const points = [
      linePoint(0, 'field 1', { type: 'str' }),
      linePoint(1, 'field 2'),
      linePoint(2, 'field 3', { type: 'bool' }),
      linePoint(3, 'field 9'),
    ]
    expect(read('L1, 12.5 , open', points)).toEqual([
      { point: 0, value: 'L1' },
      { point: 1, value: 12.5 },
      { point: 2, value: true },
    ])
    expect(read('L1,x,maybe', points)).toEqual([
      { point: 0, value: 'L1' },
      { point: 1, fault: { kind: 'device_fault' } },
      { point: 2, fault: { kind: 'device_fault' } },
    ])
  })
  test('by column, blanks at the front counted; by any number of blanks', () => {
    const points = [linePoint(0, 'columns 4-6'), linePoint(1, 'columns 8-99', { type: 'str' })]
    expect(read('    12 door   \r', points, { separator: null })).toEqual([
      { point: 0, value: 12 },
      { point: 1, value: 'door' },
    ])
    expect(read(' 3   up ', [linePoint(0, 'field 2', { type: 'str' })], { separator: ' ' })).toEqual([
      { point: 0, value: 'up' },
    ])
  })
  test('labels, card numbers, and only from lines of a kind', () => {
    const points = [
      linePoint(0, 'field 2', { type: 'str', kind: 'state', treatment: { map: { '1': 'up', '2': 'down' } } }),
      linePoint(1, 'field 3', {
        type: 'str',
        kind: 'event',
        treatment: { card: 'wiegand26_decimal' },
        only: [['field 1', 'CARD']],
      }),
    ]
    expect(read('CARD,2,5898564', points)).toEqual([
      { point: 0, value: 'down' },
      { point: 1, value: 'w26:90:324' },
    ])
    expect(read('DOOR,1,5898564', points)).toEqual([{ point: 0, value: 'up' }])
    expect(read('CARD,1,99999999', points)).toEqual([
      { point: 0, value: 'up' },
      { point: 1, fault: { kind: 'crc' } },
    ])
    expect(read('CARD,1,', points)).toEqual([{ point: 0, value: 'up' }])
  })
  test('a begin sign sheds what stood before; refusals have names', () => {
    const whole = [linePoint(0, 'line', { type: 'str' })]
    expect(read('xx\x0212AB\x0234CD', whole, { begin: '\x02' })).toEqual([{ point: 0, value: '34CD' }])
    expect(read('12AB', whole, { begin: '\x02' })).toBe('no_begin')
    expect(read(Uint8Array.of(0xff, 0xfe), whole)).toBe('not_text')
    expect(read('a,b', whole, { fields: 3 })).toBe('fields')
  })
  test('GB 18030 is read as what it is', () => {
    const bytes = Uint8Array.of(0xb5, 0xe7, 0xcc, 0xdd, 0x2c, 0x31)
    expect(read(bytes, [linePoint(0, 'field 1', { type: 'str' })], { encoding: 'gb18030' })).toEqual([
      { point: 0, value: '电梯' },
    ])
  })
})
