/** CJ/T 188 and M-Bus beside their vectors: addresses, places in words, who answers whom, what is refused. */
import { describe, expect, test } from 'vitest'
import type { Cjt188Place, Point } from '../../src/model/point.ts'
import { answeredBy, cjt188, readAddress } from '../../src/protocols/cjt188/index.ts'
import { buildFrame, type Frame } from '../../src/protocols/cjt188/frame.ts'
import { HABITS } from '../../src/protocols/cjt188/place.ts'
import { ask } from '../../src/protocols/cjt188/read.ts'
import { explain } from '../../src/protocols/explain.ts'
import { buildFrame as buildMbus } from '../../src/protocols/mbus/frame.ts'
import { answeredBy as answeredByMbus, ask as askMbus, mbus } from '../../src/protocols/mbus/index.ts'
import type { PlaceWords, Question } from '../../src/protocols/protocol.ts'
import { bytes, meterPoint } from './make.ts'
import { exchange } from './meters.ts'

const ADDRESS = '00112026000123'
const WATER = '901F07563412002C000012002C003014080126200400'
const framing = cjt188.framing('serial')
const busFraming = mbus.framing('serial')
if (framing === null || busFraming === null) throw new Error('no framing')

const reply = (changes: Partial<Frame> = {}): Uint8Array =>
  buildFrame({ wakeUp: 0, type: 0x10, address: ADDRESS, control: 0x81, data: bytes(WATER), ...changes })

function read(words: PlaceWords, frame: Uint8Array, address = ADDRESS): unknown {
  const placed = cjt188.place(words)
  if (typeof placed === 'string') throw new Error(placed)
  const point: Point = meterPoint(0, placed.place, placed.type)
  const [reading] = exchange(cjt188, [point], address, [frame], 7)
  return reading === undefined ? null : 'value' in reading ? reading.value : reading.fault.kind
}

describe('CJ/T 188', () => {
  test('addresses: as on the label, short ones filled up, never a number', () => {
    expect(cjt188.address('78330011223344')).toEqual({ address: '78330011223344' })
    expect(cjt188.address('11223344')).toEqual({ address: '00000011223344' })
    expect(cjt188.address('aaaaaaaaaaaaaa')).toEqual({ address: 'AAAAAAAAAAAAAA' })
    expect(cjt188.address(11223344)).toMatchObject({ en: expect.stringMatching(/quote it, "00000011223344"/) })
    expect(cjt188.address('123456789012345')).toMatchObject({ en: expect.stringMatching(/no CJ\/T 188 address/) })
    expect(cjt188.address('99999999999999')).toMatchObject({ en: expect.stringMatching(/broadcast/) })
  })

  test.each([
    [{ at: 'water' }, /four hexadecimal digits/],
    [{ at: '902F', field: 'total' }, /what 902F holds is not known/],
    [{ at: '901F' }, /`field` is missing.*total, settled/],
    [{ at: '901F', field: 'totl' }, /has no field "totl".*"status bit 0"/],
    [{ at: '901F', field: 'status bit 16' }, /has no field/],
    [{ at: 'D120', field: 'clock' }, /has no field "clock": it has volume, heat$/],
    [{ at: '901F', field: 'total', options: { type: 'F0' } }, /no meter type/],
    [{ at: '901F', field: 'total', options: { layout: 'heat43_2018' } }, /is none of water22_unit_after/],
    [{ at: '901F', field: 'total', options: { wakeUp: 99 } }, /0 to 20/],
  ])('%o is refused with a sentence', (words, why) => {
    expect(cjt188.place(words)).toMatch(why)
  })

  test('the wildcard takes whoever answers; an address of its own only itself', () => {
    const one = ask({ item: '901F', habits: HABITS }, ADDRESS)
    const any = ask({ item: '901F', habits: { ...HABITS, type: 0xaa } }, 'AAAAAAAAAAAAAA')
    const stranger = reply({ address: '00112026000124' })
    expect(framing.judge(stranger, one, 7)).toEqual({ kind: 'other', why: 'address', from: '00112026000124' })
    expect(framing.judge(stranger, any, 7).kind).toBe('answer')
    // Another kind of meter with the same number is another meter; another type of the same kind is not.
    expect(framing.judge(reply({ type: 0x30 }), one, 7)).toMatchObject({ kind: 'other', why: 'address' })
    expect(framing.judge(reply({ type: 0x13 }), one, 7).kind).toBe('answer')
  })

  test('who is there: asked with wildcards, told by the head of the answer', () => {
    const question = readAddress({ type: 0xaa, identifier: '901F' })
    expect(framing.frame(question, 0x22)).toEqual(bytes('FEFEFE68AAAAAAAAAAAAAAAA0303810A226B16'))
    const verdict = framing.judge(bytes('FEFEFE6811230100262011008303810A222716'), question, 0x22)
    expect(verdict.kind === 'answer' && answeredBy(verdict.body)).toEqual({ address: ADDRESS, type: 0x11 })
    expect(answeredBy(Uint8Array.of(1))).toBeNull()
  })

  test('late, other, echoed, refused', () => {
    const one = ask({ item: '901F', habits: HABITS }, ADDRESS)
    const settled = ask({ item: 'D120', habits: HABITS }, ADDRESS)
    expect(framing.judge(reply(), one, 8)).toEqual({ kind: 'other', why: 'transaction' })
    expect(framing.judge(reply(), one, 0x1207).kind).toBe('answer')
    expect(framing.judge(reply(), settled, 7)).toEqual({ kind: 'other', why: 'function' })
    expect(framing.judge(framing.frame(one, 7), one, 7)).toEqual({ kind: 'other', why: 'echo' })
    const no = (data: string) => framing.judge(reply({ control: 0xc1, data: bytes(data) }), one, 7)
    expect(no('070000')).toEqual({ kind: 'fault', fault: { kind: 'exception', code: 0 } })
    expect(no('901F0703')).toEqual({ kind: 'fault', fault: { kind: 'exception', code: 3 } })
    expect(no('080000')).toEqual({ kind: 'other', why: 'transaction' })
  })

  test('a bad digit, an unknown unit and an unknown length spoil what they stand in, and no more', () => {
    const total: PlaceWords = { at: '901F', field: 'total' }
    const settled: PlaceWords = { at: '901F', field: 'settled' }
    expect(read(total, reply())).toBe(1234.56)
    const badDigit = reply({ data: bytes(WATER.replace('563412', '5A3412')) })
    expect(read(total, badDigit)).toBe('device_fault')
    expect(read(settled, badDigit)).toBe(1200)
    const litres = reply({ data: bytes(WATER.replace('563412002C', '5634120029')) })
    expect(read(total, litres)).toBe(1.23456)
    const noUnit = reply({ data: bytes(WATER.replace('563412002C', '56341200EE')) })
    expect(read(total, noUnit)).toBe('device_fault')
    const pinned: PlaceWords = { ...settled, options: { layout: 'water22_unit_after' } }
    expect(read(pinned, noUnit)).toBe(1200)
    expect(read(total, reply({ data: bytes(`${WATER}00`) }))).toBe('device_fault')
  })

  test('units before the values, also of water', () => {
    const before = reply({ data: bytes('901F072C563412002C00001200003014080126200400') })
    expect(read({ at: '901F', field: 'total' }, before)).toBe(1234.56)
    expect(explain('cjt188', Buffer.from(before).toString('hex'))).toMatchObject({
      frames: [{ fields: { layout: 'water22_unit_before' } }],
    })
  })

  test('status: bits by number, from either end', () => {
    const closed = reply({ data: bytes(WATER.replace(/0400$/, 'A180')) })
    const field = (name: string, options = {}) => read({ at: '901F', field: name, options }, closed)
    expect(field('valve')).toBe(1)
    expect(field('battery_low')).toBe(false)
    expect(field('status')).toBe(0x80a1)
    expect(field('status bit 15')).toBe(true)
    expect(field('status bit 1')).toBe(false)
    expect(field('valve', { status: 'high' })).toBe(1)
    expect(field('battery_low', { status: 'high' })).toBe(true)
  })

  test('nothing is written', () => {
    const placed = cjt188.place({ at: '901F', field: 'valve' })
    if (typeof placed === 'string') throw new Error(placed)
    expect(cjt188.write(meterPoint(0, placed.place as Cjt188Place, placed.type))).toMatch(
      /writes nothing, valves least of all/,
    )
    expect(cjt188.framing('modbus-tcp')).toBeNull()
  })

  test('what is no frame is said', () => {
    const why = (hex: string): unknown => {
      const said = explain('cjt188', hex)
      return typeof said === 'string' ? said : said.why
    }
    expect(why('FEFEFE')).toMatch(/only FE/)
    expect(why('6810230100262011008116901F05')).toMatch(/22 bytes of data are announced, the frame is cut short/)
    expect(why('681010101010106811043333343317 16')).toMatch(/looks like DL\/T 645/)
    expect(why('68F0')).toMatch(/meter types are 10 to 4F/)
  })
})

describe('M-Bus', () => {
  test('addresses: primary, or the meter’s number', () => {
    expect(mbus.address(17)).toEqual({ address: 17 })
    expect(mbus.address('17')).toEqual({ address: 17 })
    expect(mbus.address('00017123')).toEqual({ address: '00017123FFFFFFFF' })
    expect(mbus.address('12345678 2D2C 01 07')).toEqual({ address: '123456782D2C0107' })
    expect(mbus.address(251)).toMatchObject({ en: expect.stringMatching(/0 to 250/) })
    expect(mbus.address('1234567')).toMatchObject({ en: expect.stringMatching(/eight digits/) })
    expect(mbus.address(-1)).toMatchObject({ en: expect.stringMatching(/no M-Bus address/) })
  })

  test.each([
    [{ at: 'energi' }, /"energi" is no quantity.*energy/],
    [{ at: 'energy storage' }, /behind `storage` comes a number/],
    [{ at: 'energy number 0' }, /behind `number` comes a number/],
    [{ at: 'energy biggest' }, /"biggest" is none of instantaneous, maximum/],
    [{ at: 'vif' }, /behind `vif` comes its code/],
    [{ at: 'volume', as: 'u16' }, /only `as: string`/],
    [{ at: 'volume', options: { telegrams: 17 } }, /1 to 16/],
  ])('%o is refused with a sentence', (words, why) => {
    expect(mbus.place(words)).toMatch(why)
  })

  const telegram = (records: string, ci = 0x72): Uint8Array =>
    buildMbus({
      is: 'long',
      control: 0x08,
      address: 5,
      ci,
      data: bytes(ci === 0x78 ? records : `785634122D2C010705040000${records}`),
    })
  const readOf = (at: string, frame: Uint8Array): unknown => {
    const placed = mbus.place({ at })
    if (typeof placed === 'string') throw new Error(placed)
    const [reading] = exchange(mbus, [meterPoint(0, placed.place, placed.type)], 5, [Uint8Array.of(0xe5), frame])
    return reading === undefined ? null : 'value' in reading ? reading.value : reading.fault.kind
  }

  test('a record is found by what it is, never by what it is like', () => {
    const frame = telegram('04131027000044131127000014131227000084101313270000 0493 58 14270000 04933C15270000')
    expect(readOf('volume', frame)).toBe(10)
    expect(readOf('volume storage 1', frame)).toBe(10.001)
    expect(readOf('volume maximum', frame)).toBe(10.002)
    expect(readOf('volume tariff 1', frame)).toBe(10.003)
    expect(readOf('vif 9358', frame)).toBe(10.004)
    expect(readOf('volume backward', frame)).toBe(10.005)
    expect(readOf('volume number 2', frame)).toBe('device_fault')
    expect(readOf('volume minimum', frame)).toBe('device_fault')
    expect(readOf('status bit 2', frame)).toBe(true)
    expect(readOf('status', frame)).toBe(4)
  })

  test('heat in joules comes in kWh, minutes in hours, a flow by the minute by the hour', () => {
    expect(readOf('energy', telegram('040F10000000'))).toBeCloseTo(44.4444, 3)
    expect(readOf('energy', telegram('04FB0810000000'))).toBeCloseTo(444.444, 2)
    expect(readOf('operating_time', telegram('04255A000000'))).toBe(1.5)
    expect(readOf('flow', telegram('044410000000'))).toBe(0.96)
    expect(readOf('power', telegram('042D10000000'))).toBe(1.6)
    // Without a header, too.
    expect(readOf('volume', telegram('041310270000', 0x78))).toBe(10)
  })

  test('a counter beyond 2^53 keeps its last digit', () => {
    expect(readOf('fabrication_number', telegram('0778FFFFFFFFFFFFFF7F'))).toBe('9223372036854775807')
  })

  test('who is there: a reset, then its head says', () => {
    const reset = askMbus(5, 1)
    const verdict = busFraming.judge(Uint8Array.of(0xe5), reset, 0)
    if (verdict.kind !== 'answer' || verdict.more === undefined) throw new Error('no next question')
    const data = busFraming.judge(telegram(''), verdict.more, 0)
    const who = { id: '12345678', manufacturer: 'KAM', version: 1, medium: 7 }
    expect(data.kind === 'answer' && answeredByMbus(data.body)).toMatchObject(who)
    expect(answeredByMbus(verdict.body)).toBeNull()
  })

  test('who answers whom', () => {
    const data: Question = { address: 5, body: Uint8Array.of(0x7b, 0, 16), writes: false, answerBytes: 255 }
    expect(busFraming.judge(telegram(''), data, 0).kind).toBe('answer')
    expect(busFraming.judge(telegram(''), { ...data, address: 6 }, 0)).toEqual({
      kind: 'other',
      why: 'unit',
      from: '5',
    })
    expect(busFraming.judge(telegram(''), { ...data, address: '12345678FFFFFFFF' }, 0).kind).toBe('answer')
    expect(busFraming.judge(telegram(''), { ...data, address: '1234567FFFFFFFFF' }, 0).kind).toBe('answer')
    expect(busFraming.judge(telegram(''), { ...data, address: '12345679FFFFFFFF' }, 0)).toEqual({
      kind: 'other',
      why: 'address',
      from: '12345678',
    })
    // An acknowledgement answers no question for data, and data no reset.
    expect(busFraming.judge(Uint8Array.of(0xe5), data, 0)).toEqual({ kind: 'other', why: 'function' })
    const reset: Question = { ...data, body: Uint8Array.of(0x40, 0, 16), answerBytes: 1 }
    expect(busFraming.judge(telegram(''), reset, 0)).toEqual({ kind: 'other', why: 'function' })
    expect(busFraming.judge(bytes('107B058016'), data, 0)).toEqual({ kind: 'other', why: 'echo' })
    // Most significant byte first, which no telegram at hand proves: no value rather than a wrong one.
    expect(busFraming.judge(telegram('041310270000', 0x76), data, 0)).toEqual({
      kind: 'fault',
      fault: { kind: 'device_fault' },
    })
  })

  test('the frame count bit goes in turn from telegram to telegram, and there is an end', () => {
    const more = telegram('0413102700001F')
    let question: Question = { address: 5, body: Uint8Array.of(0x7b, 0, 3), writes: false, answerBytes: 255 }
    const controls: number[] = []
    for (;;) {
      controls.push(busFraming.frame(question, 0)[1] ?? 0)
      const verdict = busFraming.judge(more, question, 0)
      if (verdict.kind !== 'answer' || verdict.more === undefined) break
      question = verdict.more
    }
    expect(controls).toEqual([0x7b, 0x5b, 0x7b])
  })

  test('overheard: a lone E5 is no proof of a frame, a question of another master is one', () => {
    expect(busFraming.overhear?.(Uint8Array.of(0xe5))).toEqual({ kind: 'junk', used: 1 })
    const question = bytes('107B058016')
    expect(busFraming.overhear?.(question)).toMatchObject({ kind: 'frame' })
    expect(busFraming.describe?.(question)).toEqual({ direction: 'request', address: '5', function: '7B REQ_UD2' })
    expect(busFraming.describe?.(telegram(''))).toEqual({ direction: 'reply', address: '5', function: '08 RSP_UD' })
  })

  test('nothing is written', () => {
    const placed = mbus.place({ at: 'volume' })
    if (typeof placed === 'string') throw new Error(placed)
    expect(mbus.write(meterPoint(0, placed.place, placed.type))).toMatch(/writes nothing/)
    expect(mbus.framing('modbus-tcp')).toBeNull()
  })
})
