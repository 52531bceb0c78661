/** A whole bus on a wire in memory, under a fake clock. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type Asked,
  type Device16,
  fakeTime,
  fakeWire,
  honest,
  LINE,
  marked,
  pass,
  readingsOf,
  refuse,
  registers,
  rtuFrame,
  run,
  serving,
  tcpFrame,
} from './rig.ts'

beforeEach(fakeTime)
afterEach(() => {
  vi.useRealTimers()
})

const many = (count: number, more: object = {}): { address: number; points: { at: number }[] }[] =>
  Array.from({ length: count }, (_, at) => ({ address: at + 1, points: [{ at: 10 }], ...more }))

describe('polling', () => {
  test('100 devices at 1 s on one connection: every one keeps its beat', async () => {
    const wire = fakeWire(
      'tcp',
      serving('tcp', honest, () => 3),
    )
    const { bus, arrivals } = run({ wire: 'modbus-tcp', devices: many(100) }, wire)
    await pass(30_000)
    const times = Map.groupBy(wire.sent, ({ asked }) => asked.unit)
    expect(times.size).toBe(100)
    let worst = 0
    for (const list of times.values()) {
      // The first round asks everybody soon; from the third on each has its own beat.
      const late = list.slice(2).map(({ at }, index) => at - (list[2]!.at + index * 1000))
      worst = Math.max(worst, ...late.map(Math.abs))
      expect(list.length).toBeGreaterThanOrEqual(30)
    }
    expect(worst).toBeLessThanOrEqual(6)
    const values = readingsOf(arrivals)
    expect(values.every((reading) => 'value' in reading && reading.value === marked(reading.point + 1, 10))).toBe(true)
    expect(readingsOf(arrivals).find((reading) => reading.point === 99)?.mono).toBeLessThan(500)
    expect(bus.status()).toMatchObject({ bus: 'bus_1', state: 'online', lateFrames: 0, opens: 1 })
    expect(bus.status().utilisation).toBeGreaterThan(0.2)
    expect(bus.devices()[0]).toMatchObject({ device: 'device_1', state: 'online', errors: { timeout: 0 } })
    await bus.close()
  })

  test('more than the wire can do: always busy, nobody starves', async () => {
    const wire = fakeWire(
      'rtu',
      serving('rtu', honest, () => 40),
    )
    const { bus } = run({ devices: many(30) }, wire)
    await pass(60_000)
    const counts = [...Map.groupBy(wire.sent, ({ asked }) => asked.unit).values()].map(({ length }) => length)
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(Math.max(...counts) - 2)
    expect(bus.status().utilisation).toBeGreaterThan(0.9)
    await bus.close()
  })

  test('a process that was frozen owes no burst', async () => {
    const wire = fakeWire('tcp', serving('tcp', honest))
    let frozenMs = 0
    const clock = { mono: () => performance.now() + frozenMs }
    const { bus } = run({ wire: 'modbus-tcp', devices: many(1) }, wire, { clock })
    await pass(5000)
    const before = wire.sent.length
    frozenMs = 20_000
    await pass(2000)
    expect(wire.sent.length - before).toBeGreaterThanOrEqual(2)
    expect(wire.sent.length - before).toBeLessThanOrEqual(3)
    await bus.close()
  })
})

describe('silence', () => {
  test.each(['tcp', 'modbus-tcp'] as const)(
    'one of 20 dead on %s: one timeout per step, the others keep their period',
    async (kind) => {
      const framing = kind === 'tcp' ? 'rtu' : 'tcp'
      const dead = (asked: Asked): Uint8Array | null => (asked.unit === 7 ? null : honest(asked))
      const wire = fakeWire(
        framing,
        serving(framing, dead, () => 3),
      )
      const { bus, arrivals, site } = run(
        { wire: kind, devices: many(20, { points: [{ at: 10 }, { at: 300 }] }) },
        wire,
      )
      await pass(120_000)
      const byUnit = Map.groupBy(wire.sent, ({ asked }) => `${asked.unit}`)
      // Two attempts, then probes after 5, 10, 20, 40 s.
      expect(byUnit.get('7')!.length).toBe(6)
      expect(byUnit.get('8')!.length).toBeGreaterThan(2 * 120 * 0.95)
      const told = arrivals.filter((arrival) => arrival.kind === 'device' && arrival.device === 6)
      expect(told).toMatchObject([{ state: 'offline', cause: { kind: 'timeout' } }])
      const bad = readingsOf(arrivals).filter(({ point }) => site.points[point]!.device === 6)
      expect(bad.map((reading) => [reading.point, 'fault' in reading && reading.fault.kind])).toEqual([
        [12, 'timeout'],
        [13, 'timeout'],
      ])
      expect(bus.devices()[6]).toMatchObject({ state: 'offline', lastGood: null })
      await bus.close()
    },
  )

  test('back again: online once, all points at once, the first answer held back on RTU', async () => {
    let alive = true
    const wire = fakeWire(
      'rtu',
      serving('rtu', (asked) => (alive ? honest(asked) : null)),
    )
    const slow = { address: 1, points: [{ at: 0 }, { at: 200, everyMs: 60_000 }] }
    const { bus, arrivals } = run({ devices: [slow] }, wire)
    await pass(3000)
    alive = false
    await pass(20_000)
    alive = true
    arrivals.length = 0
    await pass(21_000)
    expect(arrivals.filter(({ kind }) => kind === 'device')).toMatchObject([{ state: 'online' }])
    const [first, second] = readingsOf(arrivals)
    expect(first).toEqual({ point: 0, value: marked(1, 0), mono: expect.any(Number) })
    expect(second).toEqual({ point: 1, value: marked(1, 200), mono: expect.any(Number) })
    const back = arrivals.find(({ kind }) => kind === 'device')!
    expect(first!.mono - back.mono).toBeLessThan(100)
    expect(readingsOf(arrivals).find(({ point }) => point === 1)!.mono - first!.mono).toBeLessThan(500)
    await bus.close()
  })

  test('a gateway that says 0B for hours: the unit is offline, the connection stays', async () => {
    const wire = fakeWire(
      'tcp',
      serving('tcp', (asked) => (asked.unit === 2 ? refuse(asked, 0x0b) : honest(asked))),
    )
    const { bus, arrivals } = run({ wire: 'modbus-tcp', devices: many(2) }, wire)
    await pass(3_600_000)
    expect(wire.pipes).toHaveLength(1)
    expect(wire.sent.filter(({ asked }) => asked.unit === 2).length).toBeLessThan(70)
    expect(arrivals.filter(({ kind }) => kind === 'device')).toMatchObject([
      { device: 0, state: 'online' },
      { device: 1, state: 'offline', cause: { kind: 'exception', code: 11 } },
    ])
    await bus.close()
  })
})

describe('the connection', () => {
  test('adapter out and back: one offline, every point bad once with a cause, good again within 5 s', async () => {
    const wire = fakeWire('rtu', serving('rtu', honest))
    const { bus, arrivals } = run({ wire: 'serial', devices: many(3) }, wire)
    await pass(2000)
    arrivals.length = 0
    wire.refusing = true
    wire.pipes[0]!.end('bad file descriptor')
    await pass(60_000)
    expect(arrivals.map(({ kind }) => kind)).toEqual(['bus', 'scan', 'scan', 'scan'])
    expect(arrivals[0]).toMatchObject({ state: 'offline', cause: { kind: 'closed' } })
    expect(readingsOf(arrivals)).toMatchObject([0, 1, 2].map((point) => ({ point, fault: { kind: 'closed' } })))
    expect(bus.status().state).toBe('offline')
    expect(bus.devices().map(({ state }) => state)).toEqual(['offline', 'offline', 'offline'])
    expect(await bus.read([0])).toEqual([{ point: 0, fault: { kind: 'closed' } }])
    arrivals.length = 0
    wire.refusing = false
    const from = performance.now()
    await pass(5000)
    expect(arrivals[0]).toMatchObject({ kind: 'bus', state: 'online' })
    for (const point of [0, 1, 2]) {
      const good = readingsOf(arrivals).find((reading) => reading.point === point && 'value' in reading)
      expect(good!.mono - from).toBeLessThan(5000)
    }
    await bus.close()
  })

  test('the adapter is back before its device is: good soon after the device', async () => {
    let alive = true
    const wire = fakeWire(
      'rtu',
      serving('rtu', (asked) => (alive ? honest(asked) : null)),
    )
    const { bus, arrivals } = run({ wire: 'serial', devices: many(1) }, wire)
    await pass(2000)
    alive = false
    wire.refusing = true
    wire.pipes[0]!.end()
    await pass(10_000)
    wire.refusing = false
    await pass(6000)
    alive = true
    arrivals.length = 0
    const from = performance.now()
    await pass(5000)
    const good = readingsOf(arrivals).find((reading) => 'value' in reading && reading.doubt === undefined)
    expect(good!.mono - from).toBeLessThan(2500)
    await bus.close()
  })

  test('never reachable: refused, told once', async () => {
    const wire = fakeWire('tcp', () => {})
    wire.refusing = true
    const { bus, arrivals } = run({ wire: 'modbus-tcp', devices: many(1) }, wire)
    await pass(300_000)
    expect(arrivals).toMatchObject([
      { kind: 'bus', state: 'offline', cause: { kind: 'refused' } },
      { kind: 'scan', readings: [{ point: 0, fault: { kind: 'refused' } }] },
    ])
    await bus.close()
  })

  test('a device that closes idle connections is opened again without a word', async () => {
    const wire = fakeWire('tcp', (asked, pipe) => {
      serving('tcp', honest)(asked, pipe)
      setTimeout(() => pipe.end('idle'), 100)
    })
    const { bus, arrivals } = run({ wire: 'modbus-tcp', devices: many(1) }, wire)
    await pass(10_000)
    expect(wire.pipes.length).toBeGreaterThan(8)
    expect(arrivals.filter(({ kind }) => kind === 'bus')).toMatchObject([{ state: 'online' }])
    expect(readingsOf(arrivals).every((reading) => 'value' in reading)).toBe(true)
    await bus.close()
  })

  test('accepts and hangs up: back-off, no storm, offline once', async () => {
    const wire = fakeWire('tcp', (_asked, pipe) => pipe.end('too many connections'))
    const { bus, arrivals } = run({ wire: 'modbus-tcp', devices: many(1) }, wire)
    await pass(300_000)
    expect(wire.pipes.length).toBeLessThan(25)
    expect(arrivals.filter(({ kind }) => kind === 'bus')).toMatchObject([{ state: 'offline' }])
    await bus.close()
  })

  test('half open: after three requests without an answer a new connection, never two at once', async () => {
    let open = 0
    let most = 0
    const wire = fakeWire('tcp', (asked, pipe) => {
      // The first connection went dead after its tenth answer.
      if (wire.pipes.length > 1 || wire.sent.length <= 10) serving('tcp', honest)(asked, pipe)
    })
    const counting: typeof wire.openPipe = async (...args) => {
      const pipe = await wire.openPipe(...args)
      open += 1
      most = Math.max(most, open)
      if (pipe.kind === 'pipe') void pipe.closed.then(() => (open -= 1))
      return pipe
    }
    const { bus, arrivals } = run({ wire: 'modbus-tcp', devices: many(4) }, wire, { openPipe: counting })
    await pass(10_000)
    expect(wire.pipes).toHaveLength(2)
    expect(most).toBe(1)
    expect(arrivals.filter(({ kind }) => kind === 'bus')).toHaveLength(1)
    expect(bus.devices().every(({ state }) => state === 'online')).toBe(true)
    await bus.close()
  })

  test('Modbus TCP out of step: the connection is closed and opened again, and values are right after it', async () => {
    let spoilt = 0
    const wire = fakeWire('tcp', (asked, pipe) => {
      if (wire.sent.length % 50 === 0) {
        spoilt += 1
        // A byte too many: whatever follows on this connection is out of step.
        setTimeout(() => pipe.feed(Uint8Array.of(0x55, ...tcpFrame(asked, honest(asked)!))), 3)
      } else serving('tcp', honest)(asked, pipe)
    })
    const { bus, arrivals } = run({ wire: 'modbus-tcp', devices: many(4) }, wire)
    await pass(60_000)
    expect(spoilt).toBeGreaterThan(2)
    expect(wire.pipes).toHaveLength(1 + spoilt)
    expect(bus.status()).toMatchObject({ state: 'online', opens: 1 + spoilt, junkBytes: spoilt })
    const values = readingsOf(arrivals)
    expect(values.every((reading) => 'value' in reading && reading.value === marked(reading.point + 1, 10))).toBe(true)
    expect(values.length).toBeGreaterThan(4 * 55)
    await bus.close()
  })

  test('two line settings on one wire: in place, and not at every request', async () => {
    const wire = fakeWire('rtu', serving('rtu', honest))
    const slow = { ...LINE, baud: 2400 }
    const devices = [...many(4), ...many(4, { line: slow }).map((spec) => ({ ...spec, address: spec.address + 10 }))]
    const { bus, arrivals } = run({ wire: 'serial', devices }, wire)
    await pass(20_000)
    expect(wire.pipes).toHaveLength(1)
    expect(new Set(wire.lines.map(({ baud }) => baud))).toEqual(new Set([9600, 2400]))
    expect(wire.lines.length).toBeLessThan(wire.sent.length / 2)
    expect(new Set(readingsOf(arrivals).map(({ point }) => point)).size).toBe(8)
    await bus.close()
  })
})

describe('rejected reads', () => {
  /** Register 4 is a hole. */
  const holed: Device16 = (asked) =>
    asked.address <= 4 && asked.address + asked.count > 4 ? refuse(asked, 2) : honest(asked)

  test('a merged read comes apart and is remembered; no point sees the exception', async () => {
    const wire = fakeWire('tcp', serving('tcp', holed))
    const kept: string[] = []
    const spec = { wire: 'modbus-tcp', devices: [{ address: 1, points: [{ at: 0 }, { at: 8 }] }] } as const
    const devices = spec.devices.map((device) => ({ ...device, points: [...device.points] }))
    const { bus, arrivals } = run({ ...spec, devices }, wire, { remember: (_device, key) => kept.push(key) })
    const asked = bus.read([0, 1])
    await pass(5000)
    expect(await asked).toEqual([
      { point: 0, value: marked(1, 0) },
      { point: 1, value: marked(1, 8) },
    ])
    expect(wire.sent.filter(({ asked: { count } }) => count === 9)).toHaveLength(1)
    expect(kept).toHaveLength(1)
    expect(readingsOf(arrivals).every((reading) => 'value' in reading)).toBe(true)
    await bus.close()
    const again = fakeWire('tcp', serving('tcp', holed))
    const second = run({ ...spec, devices }, again, { refused: () => kept })
    await pass(5000)
    expect(again.sent.every(({ asked: { count } }) => count === 1)).toBe(true)
    await second.bus.close()
  })

  const wide = [0, 8, 16, 24, 32, 40].map((at) => ({ at }))
  /** At most 20 registers. */
  const small: Device16 = (asked) => (asked.count > 20 ? refuse(asked, 3) : honest(asked))
  /** As many registers as it can, without a word. */
  const curt: Device16 = (asked) => honest({ ...asked, count: Math.min(asked.count, 20) })

  test.each([
    ['says illegal data value', small, 'tcp'],
    ['says illegal data value', small, 'modbus-tcp'],
    ['answers with fewer', curt, 'tcp'],
    ['answers with fewer', curt, 'modbus-tcp'],
  ] as const)('more registers than it can: it %s, and is asked for less (%s %s)', async (_how, device, kind) => {
    const framing = kind === 'tcp' ? 'rtu' : 'tcp'
    const wire = fakeWire(framing, serving(framing, device))
    const kept: string[] = []
    const { bus, arrivals } = run(
      {
        wire: kind,
        devices: [
          { address: 1, points: wide },
          { address: 2, points: [{ at: 0 }] },
        ],
      },
      wire,
      {
        remember: (_device, key) => kept.push(key),
      },
    )
    await pass(20_000)
    const values = readingsOf(arrivals).filter((reading) => 'value' in reading)
    expect(new Set(values.map(({ point }) => point)).size).toBe(7)
    expect(
      values.every(
        (each) =>
          'value' in each && each.value === marked(each.point === 6 ? 2 : 1, [...wide, { at: 0 }][each.point]!.at),
      ),
    ).toBe(true)
    expect(kept).toContain('holding 0+41')
    const late = wire.sent.filter(({ at, asked }) => at > 5000 && asked.unit === 1)
    expect(late.length).toBeGreaterThan(20)
    expect(late.every(({ asked }) => asked.count <= 20)).toBe(true)
    expect(bus.devices().map(({ state }) => state)).toEqual(['online', 'online'])
    expect(bus.status().foreignFrames).toBe(0)
    await bus.close()
  })

  test('one short answer may be a late one to something else: nothing comes apart for it', async () => {
    let asked = 0
    const wire = fakeWire('rtu', (request: Asked, pipe) => {
      asked += 1
      const pdu = honest(asked === 3 ? { ...request, count: 3 } : request)
      setTimeout(() => pipe.feed(rtuFrame(1, pdu!)), 5)
    })
    const kept: string[] = []
    const { bus, arrivals } = run({ devices: [{ address: 1, points: wide }] }, wire, {
      remember: (_device, key) => kept.push(key),
    })
    await pass(10_000)
    expect(kept).toEqual([])
    expect(wire.sent.every((each) => each.asked.count === 41)).toBe(true)
    expect(
      readingsOf(arrivals).every((each) => 'value' in each && each.value === marked(1, wide[each.point]!.at)),
    ).toBe(true)
    expect(bus.devices()[0]).toMatchObject({ state: 'online', errors: { timeout: 1 } })
    await bus.close()
  })

  test('a single point: its fault is the exception, asked once a minute, device stays online', async () => {
    const wire = fakeWire('tcp', serving('tcp', holed))
    const { bus, arrivals } = run(
      { wire: 'modbus-tcp', devices: [{ address: 1, points: [{ at: 4 }, { at: 100 }] }] },
      wire,
    )
    await pass(180_000)
    expect(wire.sent.filter(({ asked: { address } }) => address === 4).length).toBeLessThanOrEqual(4)
    expect(readingsOf(arrivals).find(({ point }) => point === 0)).toMatchObject({
      fault: { kind: 'exception', code: 2 },
    })
    expect(bus.devices()[0]).toMatchObject({ state: 'online' })
    await bus.close()
  })
})

describe('on demand', () => {
  test('a read passes the polls, a point without a period too; a point of another bus is a bug', async () => {
    const wire = fakeWire(
      'rtu',
      serving('rtu', honest, () => 40),
    )
    const devices = [...many(20), { address: 30, points: [{ at: 77, everyMs: null }] }]
    const { bus, arrivals } = run({ devices }, wire)
    await pass(3000)
    const from = performance.now()
    let took = 0
    const reading = bus.read([20, 3]).then((readings) => {
      took = performance.now() - from
      return readings
    })
    await pass(2000)
    expect(await reading).toEqual([
      { point: 20, value: marked(30, 77) },
      { point: 3, value: marked(4, 10) },
    ])
    expect(took).toBeLessThan(250)
    expect(readingsOf(arrivals).some(({ point }) => point === 20)).toBe(true)
    await expect(bus.read([99])).rejects.toThrow(RangeError)
    await bus.close()
  })

  test('a read of a device that has gone silent costs one timeout, not the back-off', async () => {
    const wire = fakeWire(
      'rtu',
      serving('rtu', (asked) => (asked.unit === 1 ? null : honest(asked))),
    )
    const { bus } = run({ devices: many(2) }, wire)
    await pass(30_000)
    const from = performance.now()
    const reading = bus.read([0]).then((readings) => ({ readings, took: performance.now() - from }))
    await pass(3000)
    expect(await reading).toMatchObject({ readings: [{ fault: { kind: 'timeout' } }] })
    expect((await reading).took).toBeLessThan(1000)
    await bus.close()
  })

  test('closing answers everybody', async () => {
    const wire = fakeWire('rtu', () => {})
    const { bus } = run({ devices: many(1) }, wire)
    await pass(10)
    const reading = bus.read([0])
    await bus.close()
    expect(await reading).toMatchObject([{ fault: { kind: 'closed' } }])
  })
})

test('values are those of the registers asked, block by block', async () => {
  const wire = fakeWire(
    'tcp',
    serving('tcp', (asked) => registers((address) => address * 3, asked)),
  )
  const { bus, arrivals, site } = run(
    { wire: 'modbus-tcp', devices: [{ address: 1, points: [0, 3, 11, 40, 200].map((at) => ({ at })) }] },
    wire,
  )
  await pass(2000)
  for (const reading of readingsOf(arrivals)) {
    const { source } = site.points[reading.point]!
    if (source.from === 'field' && source.place.protocol === 'modbus') {
      expect(reading).toMatchObject({ value: source.place.address * 3 })
    }
  }
  await bus.close()
})
