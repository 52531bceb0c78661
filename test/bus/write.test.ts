import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type LastWrite, mayWrite } from '../../src/bus/write.ts'
import type { WriteOutcome, WriteRequest } from '../../src/model/command.ts'
import type { Point, Role, Value } from '../../src/model/point.ts'
import {
  type Asked,
  type Device16,
  fakeTime,
  fakeWire,
  type PointSpec,
  pass,
  refuse,
  registers,
  run,
  serving,
  site,
} from './rig.ts'

const pointOf = (spec: Partial<PointSpec>, more: Partial<Point> = {}): Point => ({
  ...site({ devices: [{ address: 1, points: [{ at: 0, write: {}, ...spec }] }] }).points[0]!,
  ...more,
})
const judge = (point: Point, value: Value, more: { role?: Role; last?: LastWrite; now?: number } = {}): string =>
  mayWrite(point, value, { role: more.role ?? 'operator', last: more.last ?? null, now: more.now ?? 0 })?.cause.split(
    ':',
  )[0] ?? 'yes'

describe('may it be written?', () => {
  test('only where the driver says so, never what is forbidden, by who may', () => {
    const { write: _unused, ...readOnly } = { at: 0, write: undefined }
    expect(
      mayWrite(site({ devices: [{ address: 1, points: [readOnly] }] }).points[0]!, 1, {
        role: 'admin',
        last: null,
        now: 0,
      }),
    ).toMatchObject({
      cause: expect.stringMatching(/^not_writable: /),
      reason: { zh: expect.stringContaining('不允许写入') },
    })
    expect(judge(pointOf({}, { forbidden: true }), 1, { role: 'admin' })).toBe('forbidden')
    expect(judge(pointOf({ write: { role: 'engineer' } }), 1, { role: 'operator' })).toBe('role')
    expect(judge(pointOf({ write: { role: 'engineer' } }), 1, { role: 'admin' })).toBe('yes')
  })

  test('type, range, step', () => {
    const point = pointOf({ write: { min: 0.1, max: 1, step: 0.05 } })
    expect([0.1, 0.35, 1].map((value) => judge(point, value))).toEqual(['yes', 'yes', 'yes'])
    expect([0.05, 1.05, 0.37, true, 'high', '7e3', Number.NaN].map((value) => judge(point, value))).toEqual([
      'range',
      'range',
      'step',
      'type',
      'type',
      'type',
      'type',
    ])
    const relay = pointOf({ table: 'coil' })
    expect([true, false, 1, 'on'].map((value) => judge(relay, value))).toEqual(['yes', 'yes', 'type', 'type'])
  })

  test('minimum on and off times, rate', () => {
    const relay = pointOf({ table: 'coil', write: { minOnMs: 5000, minOffMs: 2000 } })
    const on = { value: true, mono: 1000 }
    expect(judge(relay, false, { last: on, now: 5999 })).toBe('min_on')
    expect(judge(relay, false, { last: on, now: 6000 })).toBe('yes')
    expect(judge(relay, true, { last: on, now: 1001 })).toBe('yes')
    expect(judge(relay, true, { last: { value: false, mono: 0 }, now: 1999 })).toBe('min_off')
    const slow = pointOf({ write: { rateMs: 60_000 } })
    expect(judge(slow, 3, { last: { value: 2, mono: 0 }, now: 59_000 })).toBe('rate')
    expect(mayWrite(slow, 3, { role: 'operator', last: { value: 2, mono: 0 }, now: 59_000 })).toEqual({
      cause: 'rate: one write in 60 s; wait 1 s',
      reason: { en: 'one write in 60 s; wait 1 s', zh: '写入过于频繁：60 秒内只能写一次，请再等 1 秒' },
    })
  })
})

describe('on the wire', () => {
  beforeEach(fakeTime)
  afterEach(() => {
    vi.useRealTimers()
  })

  /** A device with memory that counts what it is told to do. */
  function device(quirk: (asked: Asked, write: () => void) => Uint8Array | null | undefined = () => undefined): {
    serve: Device16
    writes: number[]
  } {
    const memory = new Map<number, number>()
    const writes: number[] = []
    return {
      writes,
      serve(asked) {
        const store = (): void => {
          memory.set(asked.address, asked.count)
          writes.push(asked.count)
        }
        if (asked.fc !== 6) return registers((address) => memory.get(address) ?? 0, asked)
        const odd = quirk(asked, store)
        if (odd !== undefined) return odd
        store()
        return asked.pdu
      },
    }
  }

  const ask = (value: Value): WriteRequest => ({ id: '1', point: 0, value, by: 'cli:root', role: 'operator' })

  async function writing(
    made: { serve: Device16 },
    { rule = {}, value = 42, kind = 'rtu' as 'rtu' | 'tcp' } = {},
  ): Promise<WriteOutcome> {
    const wire = fakeWire(kind, serving(kind, made.serve))
    const devices = [{ address: 1, points: [{ at: 5, write: rule }] }]
    const { bus } = run({ wire: kind === 'tcp' ? 'modbus-tcp' : 'tcp', devices }, wire)
    await pass(500)
    const outcome = bus.write(ask(value))
    await pass(15_000)
    await bus.close()
    return outcome
  }

  test.each(['rtu', 'tcp'] as const)('done, with and without reading back (%s)', async (kind) => {
    const made = device()
    expect(await writing(made, { rule: { readBack: true }, kind })).toEqual({ outcome: 'done', readBack: 42 })
    expect(await writing(made, { value: 43, kind })).toEqual({ outcome: 'done', readBack: null })
    expect(made.writes).toEqual([42, 43])
  })

  test('refused by rule: nothing goes out; refused by the device: its exception', async () => {
    const made = device((asked) => refuse(asked, 3))
    expect(await writing(made, { rule: { max: 10 } })).toEqual({
      outcome: 'refused',
      cause: 'range: 42 is above 10',
      reason: { en: '42 is above 10', zh: '42 高于上限 10' },
    })
    expect(made.writes).toEqual([])
    expect(await writing(made)).toEqual({ outcome: 'refused', cause: 'exception:3' })
    expect(await writing(made, { value: 70_000 })).toMatchObject({ outcome: 'refused', cause: /^value: / })
  })

  test('done but the answer lost: written once, unknown, or proved by reading back', async () => {
    const silent = (_asked: Asked, store: () => void): null => {
      store()
      return null
    }
    const pulse = device(silent)
    expect(await writing(pulse)).toEqual({ outcome: 'unknown', cause: 'timeout' })
    expect(pulse.writes).toEqual([42])
    const level = device(silent)
    expect(await writing(level, { rule: { readBack: true } })).toEqual({ outcome: 'done', readBack: 42 })
    expect(level.writes).toEqual([42])
    const deaf = device(() => null)
    expect(await writing(deaf, { rule: { readBack: true } })).toEqual({
      outcome: 'unknown',
      cause: 'timeout: reads 0',
      reason: { en: 'no answer; reading back gives 0', zh: '无应答；回读为 0' },
    })
    expect(deaf.writes).toEqual([])
  })

  test('acknowledged but reading otherwise is no success', async () => {
    const stubborn = device((asked) => asked.pdu)
    expect(await writing(stubborn, { rule: { readBack: true } })).toEqual({
      outcome: 'unknown',
      cause: 'read_back: reads 0',
      reason: { en: 'reading back gives 0', zh: '回读为 0' },
    })
  })

  test('minimum times count from the last write that may have been done', async () => {
    const made = device()
    const wire = fakeWire('rtu', serving('rtu', made.serve))
    const { bus } = run({ devices: [{ address: 1, points: [{ at: 5, write: { rateMs: 60_000 } }] }] }, wire)
    await pass(500)
    // At the same moment: the second must see the first.
    const both = [bus.write(ask(1)), bus.write(ask(2))]
    await pass(1000)
    expect((await Promise.all(both)).map(({ outcome }) => outcome)).toEqual(['done', 'refused'])
    await pass(60_000)
    const later = bus.write(ask(3))
    await pass(1000)
    expect(await later).toMatchObject({ outcome: 'done' })
    expect(made.writes).toEqual([1, 3])
    await bus.close()
  })

  test('ahead of the polls of a full wire', async () => {
    const made = device()
    const wire = fakeWire(
      'rtu',
      serving('rtu', made.serve, () => 40),
    )
    const busy = Array.from({ length: 30 }, (_, at) => ({ address: at + 1, points: [{ at: 5, write: {} }] }))
    const { bus } = run({ devices: busy }, wire)
    await pass(5000)
    const from = performance.now()
    const outcome = bus.write(ask(9))
    await pass(3000)
    expect(await outcome).toMatchObject({ outcome: 'done' })
    const sent = wire.sent.find(({ asked }) => asked.fc === 6)!
    expect(sent.at - from).toBeLessThan(70)
    await bus.close()
  })

  test('a dead bus refuses at once; a bus without time says expired', async () => {
    const wire = fakeWire('rtu', () => {})
    wire.refusing = true
    const { bus } = run({ devices: [{ address: 1, points: [{ at: 5, write: {} }] }] }, wire)
    await pass(100)
    expect(await bus.write(ask(1))).toEqual({ outcome: 'refused', cause: 'closed' })
    await bus.close()
    const hung = fakeWire('rtu', () => {})
    const second = run({ devices: [{ address: 1, points: [{ at: 5, write: {} }] }] }, hung, {
      openPipe: (_wire, _line, { signal }) =>
        new Promise((resolve) =>
          signal.addEventListener('abort', () =>
            resolve({ kind: 'ending', fault: { kind: 'refused' }, why: 'stopped' }),
          ),
        ),
    })
    const outcome = second.bus.write(ask(1))
    await pass(11_000)
    expect(await outcome).toMatchObject({ outcome: 'expired' })
    await second.bus.close()
  })
})
