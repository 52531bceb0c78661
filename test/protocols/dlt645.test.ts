/** DL/T 645 where vectors do not reach: rows and what is missing in them, parts, addresses, places, refusals, and any bytes at all. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../src/model/point.ts'
import { fraction } from '../../src/simulate/random.ts'
import { readInteger, writeInteger } from '../../src/protocols/dlt645/bcd.ts'
import { reasonsOf } from '../../src/protocols/dlt645/control.ts'
import { buildFrame, parseFrame, splitFrame } from '../../src/protocols/dlt645/frame.ts'
import {
  answeredAddress,
  dlt645,
  EVERYBODY,
  itemOf,
  readAddress,
  refusal,
  shortAddress,
} from '../../src/protocols/dlt645/index.ts'
import { rowOf } from '../../src/protocols/dlt645/items.ts'
import { statusOf } from '../../src/protocols/dlt645/status.ts'
import { explain } from '../../src/protocols/explain.ts'
import type { Block, Question } from '../../src/protocols/protocol.ts'
import file from '../vectors/dlt645.json' with { type: 'json' }
import { bytes, dlt645Point, LIMITS } from './make.ts'

const METER = '202306150042'
const framing = dlt645.framing('serial')
if (framing === null) throw new Error('no framing on a serial line')

const NONE: ReadonlySet<string> = new Set()

function keys(items: readonly string[], refused = NONE, limits = LIMITS): string[] {
  return dlt645
    .plan(
      items.map((item, index) => dlt645Point(index, item)),
      limits,
      refused,
    )
    .map(({ key }) => key)
}

function only(blocks: readonly Block[]): Block {
  const [block, ...rest] = blocks
  if (block === undefined || rest.length > 0) throw new Error(`${blocks.length} blocks`)
  return block
}

/** Readings of items answered by this payload in one row or alone. */
function readings(
  items: readonly string[],
  key: string,
  payload: string,
  as: string | null = null,
): (Value | string)[] {
  const points = items.map((item, index) => dlt645Point(index, item, as))
  const block = only(dlt645.plan(points, LIMITS, NONE))
  expect(block.key).toBe(key)
  const identifier = (key.match(/../g) ?? []).reverse().join('')
  const body = bytes(`${key.length === 8 ? '91' : '81'}${identifier}${payload}`)
  return [...block.read(points, [body])]
    .sort((a, b) => a.point - b.point)
    .map((reading) => ('value' in reading ? reading.value : reading.fault.kind))
}

describe('plan', () => {
  test('one read an item, and a row where two of it are wanted at the same pace', () => {
    expect(keys(['02010100', '02030000', '00010000'])).toEqual(['02010100', '02030000', '00010000'])
    expect(keys(['02010100', '02010200', '02010300', '00010000', '00010100', '02800002'])).toEqual([
      '0201FF00',
      '0001FF00',
      '02800002',
    ])
    const points = [dlt645Point(0, '02010100', null, {}, 1000), dlt645Point(1, '02010200', null, {}, 5000)]
    expect(dlt645.plan(points, LIMITS, NONE).map(({ key, everyMs }) => [key, everyMs])).toEqual([
      ['02010100', 1000],
      ['02010200', 5000],
    ])
  })
  test('the row that serves most: settlements before tariffs here', () => {
    expect(keys(['00010000', '00010100', '00010001', '00010002'])).toEqual(['000100FF', '00010100'])
  })
  test('a refused row comes apart and stays apart', () => {
    const items = ['02010100', '02010200', '02010300']
    expect(keys(items, new Set(['0201FF00']))).toEqual(items)
    expect(keys(['00010000', '00010100', '00010001'], new Set(['0001FF00']))).toEqual(['000100FF', '00010100'])
  })
  test('a device that takes no holes is asked item by item', () => {
    expect(keys(['02010100', '02010200'], NONE, { ...LIMITS, maxGap: 0 })).toEqual(['02010100', '02010200'])
  })
  test('1997 has no rows here', () => {
    expect(keys(['9010', '9011', 'B611', 'B612'])).toEqual(['9010', '9011', 'B611', 'B612'])
  })
  test('a format of another length is asked alone', () => {
    const points = [dlt645Point(0, '02010100', 'XXXX.XX'), dlt645Point(1, '02010200'), dlt645Point(2, '02010300')]
    expect(dlt645.plan(points, LIMITS, NONE).map(({ key }) => key)).toEqual(['0201FF00', '02010100'])
  })
  test('bits, words and times of one item are one read', () => {
    const points = ['bits', 'bit 4', 'bit 6'].map((as, index) => dlt645Point(index, '04000503', as))
    const block = only(dlt645.plan(points, LIMITS, NONE))
    expect(block.points).toEqual([0, 1, 2])
    const read = block.read(points, [bytes('91030500045000')])
    expect(read.map((reading) => 'value' in reading && reading.value)).toEqual([0x50, true, true])
  })
  test('the question: control code, identifier low byte first, and how long the answer will be', () => {
    const block = only(dlt645.plan([dlt645Point(0, '02010100')], LIMITS, NONE))
    expect(block.ask(METER)).toEqual({ address: METER, body: bytes('1100010102'), writes: false, answerBytes: 7 })
    const old = only(dlt645.plan([dlt645Point(0, 'B611')], LIMITS, NONE))
    expect(old.ask(METER)).toEqual({ address: METER, body: bytes('0111B6'), writes: false, answerBytes: 5 })
  })
  test('any points: each once, whatever is refused', () => {
    const items = fc.array(
      fc.constantFrom(
        '00010000',
        '00010100',
        '00010200',
        '00010001',
        '00010101',
        '02010100',
        '02010200',
        '02030000',
        '9010',
        'B611',
      ),
      { minLength: 1, maxLength: 20 },
    )
    fc.assert(
      fc.property(items, (list) => {
        const points = list.map((item, index) => dlt645Point(index, item))
        const refused = new Set<string>()
        for (let round = 0; round < 8; round++) {
          const blocks = dlt645.plan(points, LIMITS, refused)
          expect(blocks.flatMap((block) => [...block.points]).sort((a, b) => a - b)).toEqual(points.map((_, at) => at))
          expect(new Set(blocks.map(({ key }) => key)).size).toBe(blocks.length)
          for (const { key } of blocks) refused.add(key)
        }
        expect(keys(list, refused).sort()).toEqual([...new Set(list)].sort())
      }),
      { numRuns: 50 },
    )
  })
})

describe('what is missing', () => {
  test('a tariff that the meter does not have is no value', () => {
    expect(
      readings(['00010000', '00010200', '00010500'], '0001FF00', '17214800 03120500 44001800'.replaceAll(' ', '')),
    ).toEqual([4821.17, 1800.44, 'sentinel'])
  })
  test('a phase that was left out: the others cannot be told apart, and A can', () => {
    expect(readings(['02010100', '02010200', '02010300'], '0201FF00', '14230123')).toEqual([
      231.4,
      'device_fault',
      'device_fault',
    ])
    expect(readings(['02010100', '02010200'], '0201FF00', '1423')).toEqual([231.4, 'sentinel'])
    expect(readings(['02030000', '02030100', '02030200'], '0203FF00', '123400'.repeat(3))).toEqual([
      0.3412,
      0.3412,
      'device_fault',
    ])
  })
  test('all FF is no value, of one phase as of all', () => {
    expect(readings(['02010100', '02010200', '02010300'], '0201FF00', '1423FFFF0123')).toEqual([
      231.4,
      'sentinel',
      230.1,
    ])
  })
  test('a length that the table does not have is refused, not guessed', () => {
    expect(readings(['02010100'], '02010100', '142300')).toEqual(['device_fault'])
    expect(readings(['02010100'], '02010100', '')).toEqual(['device_fault'])
    expect(readings(['02010100', '02010200'], '0201FF00', '14239822012314')).toEqual(['device_fault', 'device_fault'])
    // One more than there are phases: nobody knows what it is.
    expect(readings(['02010100', '02010200'], '0201FF00', '1423982201231423')).toEqual(['device_fault', 'device_fault'])
  })
  test('no digit above nine ever becomes a number, also beside a sign', () => {
    expect(readings(['00000000'], '00000000', '00000E00')).toEqual(['device_fault'])
    expect(readings(['02020100'], '02020100', '0000A0')).toEqual([-200])
    expect(readings(['02020100'], '02020100', '0000F0')).toEqual([-700])
    expect(readings(['02020100'], '02020100', '00002A')).toEqual(['device_fault'])
    expect(readings(['02010100'], '02010100', '0080')).toEqual([800])
  })
  test('a demand that never was has no time; a date that does not exist neither', () => {
    expect(readings(['01010000'], '01010000', '0000000000000000', 'when')).toEqual(['sentinel'])
    expect(readings(['01010000'], '01010000', '5634124515300626', 'when')).toEqual(['2026-06-30T15:45'])
    expect(readings(['01010000'], '01010000', '5634124515301326', 'when')).toEqual(['device_fault'])
    expect(readings(['04000101'], '04000101', '01321126')).toEqual(['device_fault'])
    expect(readings(['04000102'], '04000102', '591724')).toEqual(['device_fault'])
    expect(readings(['0400010C'], '0400010C', '59172301231126')).toEqual(['2026-11-23T23:17:59'])
    expect(readings(['B010'], 'B010', '45153006')).toEqual(['06-30T15:45'])
  })
  test('an answer to another identifier, or none, is no value', () => {
    const points = [dlt645Point(0, '02010100')]
    const block = only(dlt645.plan(points, LIMITS, NONE))
    for (const bodies of [[], [bytes('91')], [bytes('910001020244')], [bytes('920001010214231')], [bytes('D102')]]) {
      expect(block.read(points, bodies)).toEqual([{ point: 0, fault: { kind: 'device_fault' } }])
    }
  })
  test('the site’s own scale and sentinels come on top of the standard’s decimals', () => {
    const points = [
      dlt645Point(0, '02030000', null, { scale: 1000 }),
      dlt645Point(1, '02030000', null, { invalid: [3.2145] }),
    ]
    const block = only(dlt645.plan(points, LIMITS, NONE))
    expect(block.read(points, [bytes('9100000302452103')])).toEqual([
      { point: 0, value: 3214.5 },
      { point: 1, fault: { kind: 'sentinel' } },
    ])
  })
})

describe('answers in parts', () => {
  const points = [0, 1, 2].map((index) => dlt645Point(index, `000100${['00', '01', '02'][index]}`))
  const block = only(dlt645.plan(points, LIMITS, NONE))

  function answer(control: number, data: string): Uint8Array {
    return buildFrame({ wakeUp: 0, address: METER, control, data: bytes(data) })
  }

  test('are asked for to the end, and read as one', () => {
    let question: Question | undefined = block.ask(METER)
    const bodies: Uint8Array[] = []
    const frames = [
      answer(0xb1, 'FF0001000100'),
      answer(0xb2, 'FF00010000000200000001'),
      answer(0x92, 'FF0001000300000002'),
    ]
    for (const frame of frames) {
      const verdict = framing.judge(frame, question as Question, 0)
      if (verdict.kind !== 'answer') throw new Error(verdict.kind)
      bodies.push(verdict.body)
      question = verdict.more
    }
    expect(question).toBeUndefined()
    expect(block.read(points, bodies).map((each) => 'value' in each && each.value)).toEqual([0.01, 0.02, 0.03])
    // A part too few is no value.
    expect(block.read(points, bodies.slice(0, 2)).every((each) => 'fault' in each)).toBe(true)
    expect(block.read(points, [bodies[0], bodies[2]] as Uint8Array[]).every((each) => 'fault' in each)).toBe(true)
  })
  test('out of turn they are none', () => {
    const question: Question = { ...block.ask(METER), body: bytes('12FF00010001') }
    expect(framing.judge(answer(0x92, 'FF00010001000002'), question, 0)).toEqual({
      kind: 'fault',
      fault: { kind: 'device_fault' },
    })
  })
  test('they come to an end', () => {
    const question = (sequence: number): Question => ({
      ...block.ask(METER),
      body: bytes(`12FF000100${hex(sequence)}`),
    })
    expect(framing.judge(answer(0xb2, 'FF00010000000F'), question(15), 0)).toMatchObject({
      kind: 'answer',
      more: { body: bytes('12FF00010010') },
    })
    expect(framing.judge(answer(0xb2, 'FF000100000010'), question(16), 0).kind).toBe('fault')
  })
})

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0')
}

describe('who answers', () => {
  const question: Question = { address: METER, body: bytes('1100010102'), writes: false, answerBytes: 7 }
  const from = (address: string, control: number, data: string): Uint8Array =>
    buildFrame({ wakeUp: 3, address, control, data: bytes(data) })

  test('the right answer under another number is held back and says whose it is', () => {
    const other = { kind: 'other', why: 'address', from: '000012345678' }
    expect(framing.judge(from('000012345678', 0x91, '000101021423'), question, 0)).toEqual(other)
    expect(framing.judge(from('000012345678', 0xd1, '02'), question, 0)).toEqual(other)
  })
  test('what another master asks and gets is none of ours', () => {
    expect(framing.judge(from('000012345678', 0x11, '00010102'), question, 0)).toEqual({
      kind: 'other',
      why: 'function',
      from: '000012345678',
    })
    expect(framing.judge(from('000012345678', 0x93, '785634120000'), question, 0)).toEqual({
      kind: 'other',
      why: 'unit',
      from: '000012345678',
    })
    expect(framing.judge(from('000012345678', 0x91, '000102021423'), question, 0).kind).toBe('other')
    expect(framing.judge(from(METER, 0x93, '420015062320'), question, 0)).toEqual({ kind: 'other', why: 'function' })
  })
  test('overheard frames in words', () => {
    expect(framing.describe?.(from('000012345678', 0x11, '00010102'))).toEqual({
      direction: 'request',
      address: '000012345678',
      function: '11 read data',
    })
    expect(framing.describe?.(from(METER, 0x81, '109000000000'))?.function).toBe('01 read data')
    expect(framing.describe?.(bytes('6811'))).toBeNull()
  })
  test('a short address and everybody’s', () => {
    expect(shortAddress('42')).toBe('AAAAAAAAAA42')
    const short = { ...question, address: shortAddress('42') }
    const answer = from(METER, 0x91, '000101021423')
    expect(framing.judge(answer, short, 0).kind).toBe('answer')
    expect(framing.judge(answer, { ...question, address: shortAddress('43') }, 0)).toMatchObject({
      why: 'address',
      from: METER,
    })
    expect(framing.judge(answer, { ...question, address: EVERYBODY }, 0).kind).toBe('answer')
    expect(framing.judge(from('AAAAAAAAAAAA', 0x91, '000101021423'), { ...question, address: EVERYBODY }, 0).kind).toBe(
      'answer',
    )
  })
  test('read address gives the number, or nothing', () => {
    expect(framing.frame(readAddress(), 0)).toEqual(bytes('FEFEFEFE68AAAAAAAAAAAA681300DF16'))
    expect(answeredAddress(bytes('93420015062320'))).toBe(METER)
    expect(answeredAddress(bytes('934200150623A0'))).toBeNull()
    expect(answeredAddress(bytes('93'))).toBeNull()
  })
  test('silence before a question: longer on slow lines', () => {
    const line = { dataBits: 8, parity: 'E', stopBits: 1 } as const
    expect([1200, 2400, 4800, 9600].map((baud) => framing.quietMs({ ...line, baud }))).toEqual([100, 100, 50, 50])
    expect(framing.quietMs(null)).toBe(50)
  })
  test('not on Modbus TCP', () => {
    expect(dlt645.framing('modbus-tcp')).toBeNull()
  })
})

test('what a refusal means: no such item, a row of which some are missing, a matter of settings', () => {
  const judge = (item: string, error: string) => {
    const body = bytes(`11${(item.match(/../g) ?? []).reverse().join('')}`)
    const frame = buildFrame({ wakeUp: 0, address: METER, control: 0xd1, data: bytes(error) })
    const verdict = framing.judge(frame, { address: METER, body, writes: false, answerBytes: 0 }, 0)
    return verdict.kind === 'fault' ? [verdict.fault, verdict.means] : verdict
  }
  expect(judge('02010100', '02')).toEqual([{ kind: 'exception', code: 2 }, 'unsupported'])
  expect(judge('0201FF00', '02')).toEqual([{ kind: 'exception', code: 2 }, 'part'])
  expect(judge('0201FF00', '01')).toEqual([{ kind: 'exception', code: 1 }, 'part'])
  expect(judge('02010100', '04')).toEqual([{ kind: 'exception', code: 4 }, undefined])
  expect(judge('02010100', '')).toEqual([{ kind: 'device_fault' }, undefined])
})

describe('addresses', () => {
  test('twelve digits', () => {
    expect(dlt645.address('000012345678')).toEqual({ address: '000012345678' })
    expect(dlt645.address(' 202306150042 ')).toEqual({ address: METER })
  })
  test.each([
    [12_345_678, 'address 12345678 is a number: quote it, "000012345678"'],
    ['12345678', '"12345678" has 8 digits, a meter number has 12: leading zeros count, "000012345678"'],
    ['0000123456789', '"0000123456789" has 13 digits, a meter number has 12'],
    ['999999999999', '999999999999 is broadcast'],
    ['AAAAAAAAAAAA', '"AAAAAAAAAAAA" stands for any meter'],
    ['AA12', '"AA12" stands for any meter'],
    ['meter', '"meter" is not a meter number: twelve digits'],
    ['', '"" is not a meter number'],
  ])('%s', (written, sentence) => {
    expect(dlt645.address(written)).toMatchObject({ en: expect.stringContaining(sentence) })
  })
})

describe('places', () => {
  const place = (at: string, as?: string) => dlt645.place?.(as === undefined ? { at } : { at, as })
  test('the table gives format, kind and unit', () => {
    expect(place('02010100')).toEqual({
      place: { protocol: 'dlt645', item: '02010100', as: null },
      type: 'f64',
      kind: 'gauge',
      unit: 'V',
    })
    expect(place('00010000')).toMatchObject({ kind: 'counter', unit: 'kWh' })
    expect(place('00010001')).toMatchObject({ kind: 'counter', unit: 'kWh' })
    expect(place('00000000')).toMatchObject({ kind: 'gauge' })
    expect(place('0280000a')).toMatchObject({ place: { item: '0280000A' }, unit: 'min' })
    expect(place('9010')).toMatchObject({ place: { item: '9010' }, kind: 'counter' })
    expect(place('04000402')).toEqual({
      place: { protocol: 'dlt645', item: '04000402', as: null },
      type: 'str',
      kind: 'text',
    })
    expect(place('04000503')).toMatchObject({ kind: 'bits', type: 'f64' })
  })
  test('`as` instead of it', () => {
    expect(place('02910100', '-XXXXX.X')).toMatchObject({
      place: { item: '02910100', as: '-XXXXX.X' },
      type: 'f64',
      kind: 'gauge',
    })
    expect(place('01010000', 'when')).toMatchObject({ type: 'str', kind: 'text' })
    expect(place('04000503', 'bit 4')).toMatchObject({ type: 'bool', kind: 'state' })
    expect(place('04000503', 'bits')).toMatchObject({ place: { as: null }, kind: 'bits' })
    expect(place('00010000', 'XXXXXX.XX')).toMatchObject({ place: { as: null }, kind: 'counter' })
  })
  test.each([
    ['holding 1', undefined, 'is not a data identifier'],
    ['020101', undefined, 'is not a data identifier'],
    ['0201FF00', undefined, 'asks for a whole row'],
    ['02910100', undefined, 'is not in the table of the standard: say its format'],
    ['02010100', 'f32', '"f32" is not a format'],
    ['02010100', 'XXX', '"XXX" is not a format'],
    ['02010100', 'when', '"when" is not a format'],
    ['04000503', 'bit 16', '"bit 16" is not a format'],
    ['C020', 'bit 8', '"bit 8" is not a format'],
  ])('%s as %s', (at, as, sentence) => {
    expect(place(at, as)).toContain(sentence)
  })
  test('every row of the table has members of the table', () => {
    for (const row of [
      '0000FF00',
      '00010AFF',
      '001500FF',
      '0101FF00',
      '0201FF00',
      '0203FF00',
      '020A01FF',
      '040005FF',
    ]) {
      const members = rowOf(row)?.members ?? []
      expect(members.length).toBeGreaterThan(2)
      for (const member of members) expect(itemOf(member)).not.toBeNull()
    }
    expect(itemOf('00014000')).toBeNull()
    expect(itemOf('0001000D')).toBeNull()
    expect(rowOf('0001FFFF')).toBeNull()
  })
  test('titles name tariff, settlement and phase in both languages', () => {
    expect(itemOf('00010102')?.title).toEqual({
      en: 'forward active energy, tariff 1, settlement 2',
      zh: '正向有功电能 费率1 上2结算日',
    })
    expect(itemOf('02030000')?.title).toEqual({ en: 'active power, total', zh: '有功功率 总' })
  })
})

describe('what is never sent', () => {
  test('writes, with the reason', () => {
    expect(dlt645.write(dlt645Point(0, '04000101'), 1, METER)).toContain('meters are only read')
    expect(refusal(bytes('1C02'))).toContain('relay control (1CH) is refused')
    for (const code of ['14', '15', '16', '17', '18', '19', '1A', '1B', '03', '04', '0A', '0C', '0F', '10']) {
      expect(refusal(bytes(code)), code).toContain('only read')
    }
    for (const code of ['11', '12', '13', '08', '01', '02']) expect(refusal(bytes(code)), code).toBeNull()
    expect(refusal(bytes('91'))).toContain('an answer')
    expect(refusal(new Uint8Array(0))).toContain('no control code')
  })
})

test('bits of an error byte that the standard leaves open are named by their value', () => {
  expect(reasonsOf(0x82, '2007').map(({ name }) => name)).toEqual(['no_requested_data', 'unknown_80'])
  expect(reasonsOf(0, '2007')).toEqual([])
})

test('status word 3: fields of two bits', () => {
  expect(statusOf(3, 0x0204)).toMatchObject({ power_source: 'battery', meter_kind: 'money_prepaid', relay_open: false })
})

describe('any bytes', () => {
  const frames = fc
    .record({
      wakeUp: fc.nat(8),
      address: fc.array(fc.nat(9), { minLength: 12, maxLength: 12 }).map((digits) => digits.join('')),
      control: fc.nat(255),
      data: fc.uint8Array({ maxLength: 60 }),
    })
    .map((frame) => frame)

  test('a frame parses as it was built', () => {
    fc.assert(
      fc.property(frames, (frame) => {
        expect(parseFrame(buildFrame(frame))).toEqual(frame)
      }),
    )
  })
  test('a number reads as it was written', () => {
    fc.assert(
      fc.property(fc.integer({ min: -7_999_999, max: 7_999_999 }), (value) => {
        expect(readInteger(writeInteger(value, 4), 0, 4, true)).toBe(value)
      }),
    )
  })

  function drain(chunks: readonly Uint8Array[]): { frames: string[]; shed: number } {
    const found: string[] = []
    let shed = 0
    let held = new Uint8Array(0)
    for (const chunk of chunks) {
      held = Uint8Array.of(...held, ...chunk)
      for (;;) {
        const split = splitFrame(held)
        if (split.kind === 'more') break
        if (split.kind === 'frame') found.push(Buffer.from(split.frame).toString('hex'))
        else shed += split.used
        held = held.slice(split.used)
      }
      expect(held.length).toBeLessThan(framing?.frameMax ?? 0)
    }
    return { frames: found, shed }
  }

  test('chunk boundaries never matter, junk between frames included', () => {
    const noise = fc
      .array(fc.constantFrom(0x68, 0xfe, 0x16, 0x11, 0x00), { maxLength: 50 })
      .map((list) => Uint8Array.from(list))
    const pieces = fc.array(fc.oneof(noise, frames.map(buildFrame)), { maxLength: 4 })
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(400), { maxLength: 6 }), (list, cuts) => {
        const stream = Uint8Array.from(list.flatMap((piece) => [...piece]))
        const edges = [...new Set([0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length])].sort(
          (a, b) => a - b,
        )
        const whole = drain([stream])
        expect(drain(edges.slice(1).map((edge, at) => stream.subarray(edges[at], edge)))).toEqual(whole)
        expect(drain(Array.from(stream, (byte) => Uint8Array.of(byte)))).toEqual(whole)
      }),
    )
  })

  test('told the question, any noise in front is shed and the answer found at once', () => {
    const question: Question = { address: METER, body: bytes('1100010102'), writes: false, answerBytes: 7 }
    const answer = buildFrame({ wakeUp: 2, address: METER, control: 0x91, data: bytes('000101021423') })
    const noise = fc.array(fc.constantFrom(0x68, 0xfe, 0x16, 0xc8, 0x00), { maxLength: 40 })
    fc.assert(
      fc.property(noise, (front) => {
        let received = Uint8Array.of(...front, ...answer)
        for (;;) {
          const split = framing.split(received, question)
          if (split.kind === 'more') throw new Error(`stuck with ${received.length} bytes`)
          if (split.kind === 'frame' && framing.judge(split.frame, question, 0).kind === 'answer') return
          received = received.slice(split.used)
        }
      }),
      { numRuns: 500 },
    )
  })

  const SEED = 645
  test(`mutated frames: no throw, no hang, no growth, no wrong number of readings (seed ${SEED})`, () => {
    let drawn = 0
    const random = (below: number): number => Math.floor(below * fraction(SEED, drawn++))
    const points = ['00010000', '00010100', '02010100', '01010000', '04000503', '04000101', '04000404', '9010'].map(
      (item, index) => dlt645Point(index, item),
    )
    const blocks = dlt645.plan(points, LIMITS, NONE)
    const seeds = file.vectors.flatMap((vector) =>
      [vector.request_hex, vector.response_hex, vector.stream_hex].flatMap((each) =>
        each === undefined ? [] : [bytes(each)],
      ),
    )
    for (let round = 0; round < 20_000; round++) {
      const mutant = mutated(seeds[random(seeds.length)] ?? new Uint8Array(0), random)
      const block = blocks[random(blocks.length)] as Block
      const question = block.ask(METER)
      let at = 0
      for (let steps = 0; at < mutant.length; steps++) {
        expect(steps).toBeLessThanOrEqual(mutant.length)
        const split = framing.split(mutant.subarray(at), question)
        if (split.kind === 'more') break
        if (split.kind === 'frame') {
          framing.judge(split.frame, question, 0)
          framing.describe?.(split.frame)
          const frame = parseFrame(split.frame)
          if (frame === null) throw new Error('a frame that is none')
          const read = block.read(points, [Uint8Array.of(frame.control, ...frame.data)])
          expect(read).toHaveLength(block.points.length)
        }
        expect(split.used).toBeGreaterThan(0)
        at += split.used
      }
      if (round % 10 === 0) explain(round % 20 === 0 ? 'dlt645' : 'dlt645-1997', Buffer.from(mutant).toString('hex'))
    }
  })

  /** Some with a checksum that is right again, so that the content is reached. */
  function mutated(seed: Uint8Array, random: (below: number) => number): Uint8Array {
    const bytesOut = [...seed]
    for (let n = random(4); n >= 0; n--) {
      const at = random(bytesOut.length + 1)
      const kind = random(4)
      if (kind === 0) bytesOut.splice(at, 1)
      else if (kind === 1) bytesOut.splice(at, 0, random(256))
      else if (kind === 2) bytesOut.length = at
      else if (at < bytesOut.length) bytesOut[at] = random(256)
    }
    const start = bytesOut.indexOf(0x68)
    if (random(2) === 0 && start >= 0 && bytesOut.length > start + 12) {
      bytesOut[start + 7] = 0x68
      bytesOut[start + 9] = bytesOut.length - start - 12
      const end = bytesOut.length - 2
      bytesOut[end] = bytesOut.slice(start, end).reduce((sum, byte) => (sum + byte) & 0xff, 0)
      bytesOut[end + 1] = 0x16
    }
    return Uint8Array.from(bytesOut)
  }
})
