/** Registration and heartbeat texts of serial servers and cellular modems: shed, counted, named, and never in an exchange's way. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Texts, textLength } from '../../src/bus/texts.ts'
import {
  type Asked,
  type FakePipe,
  fakeTime,
  fakeWire,
  honest,
  marked,
  pass,
  readingsOf,
  rtuFrame,
  run,
  tcpFrame,
} from './rig.ts'

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0))
const join = (...parts: Uint8Array[]): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

describe('what is a text', () => {
  const never = (): boolean => false
  test('printable, four letters and more, to the end, to the end of the line or to a frame', () => {
    expect(textLength(ascii('SYIT07-DTU3'), never)).toBe(11)
    expect(textLength(ascii('REG:1\r\n'), never)).toBe(7)
    expect(textLength(ascii('abc'), never)).toBe(0)
    expect(textLength(join(ascii('SYIT07'), Uint8Array.of(1, 3, 2)), (rest) => rest[0] === 1)).toBe(6)
    // Printable bytes of the frame itself belong to the frame.
    expect(textLength(join(ascii('SYIT07'), ascii('A'), Uint8Array.of(3, 2)), (rest) => rest[0] === 65)).toBe(6)
    // Unit 10 is a line feed.
    expect(
      textLength(Uint8Array.of(...ascii('SYIT'), 13, 10, 10, 3, 2), (rest) => rest[0] === 10 && rest[1] === 3),
    ).toBe(6)
  })

  test('a garbled answer that happens to be printable is none, nor is what never ends', () => {
    expect(textLength(Uint8Array.of(...ascii('ABCDEF'), 0x91, 0x07), never)).toBe(0)
    expect(textLength(new Uint8Array(4096).fill(0x55), never)).toBe(0)
  })

  test('bounded in number: the one not heard for longest is forgotten', () => {
    const texts = new Texts()
    for (let at = 0; at < 1000; at++) texts.note(ascii(at % 2 === 0 ? 'ping' : `text ${at}`), at)
    expect(texts.list()).toHaveLength(8)
    expect(texts.list()[0]).toEqual({ text: 'ping', count: 500, lastAt: 998 })
  })
})

describe('on the wire', () => {
  beforeEach(fakeTime)
  afterEach(() => {
    vi.useRealTimers()
  })
  const devices = [10, 65].map((address) => ({ address, points: [{ at: 5 }] }))

  async function talked(
    kind: 'tcp' | 'modbus-tcp',
    serve: (reply: Uint8Array, pipe: FakePipe, count: number) => void,
    { greeting = '' } = {},
  ) {
    let count = 0
    const wire = fakeWire(kind === 'tcp' ? 'rtu' : 'tcp', (asked: Asked, pipe) => {
      count += 1
      const pdu = honest(asked)
      if (pdu !== null) serve(kind === 'tcp' ? rtuFrame(asked.unit, pdu) : tcpFrame(asked, pdu), pipe, count)
    })
    const openPipe: typeof wire.openPipe = async (...args) => {
      const pipe = await wire.openPipe(...args)
      setTimeout(() => wire.pipes.at(-1)?.feed(ascii(greeting)), 1)
      return pipe
    }
    const { bus, arrivals } = run({ wire: kind, devices }, wire, { openPipe })
    await pass(30_000)
    const status = bus.status()
    const errors = bus.devices().map((device) => device.errors)
    const readings = readingsOf(arrivals)
    await bus.close()
    return { wire, status, errors, readings }
  }
  const well = [0, 1].map(() => ({ timeout: 0, crc: 0, exception: 0 }))
  const allTrue = (readings: ReturnType<typeof readingsOf>): boolean =>
    readings.length > 50 &&
    readings.every((each) => 'value' in each && each.value === marked(each.point === 0 ? 10 : 65, 5))

  test('in front of every answer, glued to it', async () => {
    const { status, errors, readings } = await talked('tcp', (reply, pipe) =>
      setTimeout(() => pipe.feed(join(ascii('SYIT07-DTU3'), reply)), 5),
    )
    expect(errors).toEqual(well)
    expect(allTrue(readings)).toBe(true)
    expect(status).toMatchObject({ junkBytes: 0, foreignFrames: 0, texts: [{ text: 'SYIT07-DTU3' }] })
  })

  test('a heartbeat while a slow answer is awaited does not end the waiting; one in the middle of nothing is counted', async () => {
    const { status, errors, readings } = await talked('tcp', (reply, pipe) => {
      setTimeout(() => pipe.feed(ascii('heartbeat 867584030000000\r\n')), 10)
      setTimeout(() => pipe.feed(reply), 150)
      setTimeout(() => pipe.feed(ascii('ping')), 160)
    })
    expect(errors).toEqual(well)
    expect(allTrue(readings)).toBe(true)
    expect(status.junkBytes).toBe(0)
    expect(status.texts.map(({ text }) => text).sort()).toEqual(['heartbeat 867584030000000', 'ping'])
  })

  test('when the connection opens, in Modbus TCP too: it is not made anew for that', async () => {
    for (const kind of ['tcp', 'modbus-tcp'] as const) {
      const { wire, status, errors, readings } = await talked(
        kind,
        (reply, pipe) => setTimeout(() => pipe.feed(reply), 5),
        { greeting: 'REG:0001' },
      )
      expect(errors).toEqual(well)
      expect(allTrue(readings)).toBe(true)
      expect(wire.pipes).toHaveLength(1)
      expect(status.texts).toEqual([{ text: 'REG:0001', count: 1, lastAt: expect.any(Number) }])
    }
  })

  test('a serial line has no such texts: printable noise stays noise', async () => {
    const wire = fakeWire('rtu', (asked: Asked, pipe) => {
      setTimeout(() => pipe.feed(join(ascii('noise'), rtuFrame(asked.unit, honest(asked) ?? Uint8Array.of()))), 5)
    })
    const { bus } = run({ wire: 'serial', devices }, wire)
    await pass(5000)
    expect(bus.status().texts).toEqual([])
    expect(bus.status().junkBytes).toBeGreaterThan(5)
    await bus.close()
  })
})
