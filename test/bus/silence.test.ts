/** What a missing answer costs those who did not miss one: a command next to nothing, the other devices a second at most. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FAST, fakePair, unit } from './pair.ts'
import { type Asked, fakeTime, fakeWire, honest, pass, readingsOf, rtuFrame, run } from './rig.ts'

beforeEach(fakeTime)
afterEach(() => {
  vi.useRealTimers()
})

const write = (point: number) => ({ id: 'w', point, value: 7, by: 'test', role: 'operator' }) as const

/** Unit 1 is silent from now on; returns when its request went out. */
function rigged(slowMs = 0) {
  let silentFrom = Number.POSITIVE_INFINITY
  let slowOnce = slowMs
  const wire = fakeWire('rtu', (asked: Asked, pipe) => {
    if (asked.unit === 1 && performance.now() >= silentFrom) return
    const pdu = asked.fc === 6 ? asked.pdu : honest(asked)
    if (pdu === null) return
    const delay = asked.unit === 1 && slowOnce > 0 && wire.sent.length > 3 ? slowOnce : 5
    if (delay > 5) slowOnce = 0
    setTimeout(() => pipe.feed(rtuFrame(asked.unit, pdu)), delay)
  })
  const devices = [1, 2].map((address) => ({ address, points: [{ at: 5, everyMs: 1000, write: {} }] }))
  const { bus, arrivals } = run({ devices }, wire)
  const silence = async (): Promise<number> => {
    silentFrom = performance.now()
    const from = wire.sent.length
    while (!wire.sent.slice(from).some(({ asked }) => asked.unit === 1)) await pass(1)
    return wire.sent.at(-1)?.at ?? 0
  }
  return { wire, bus, arrivals, silence }
}

describe('a write', () => {
  test('waits for the end of the exchange that nobody answers, not for the silence after it', async () => {
    const { wire, bus, silence } = rigged()
    await pass(3000)
    const askedAt = await silence()
    const outcome = bus.write(write(1))
    await pass(2000)
    expect(await outcome).toMatchObject({ outcome: 'done' })
    const written = wire.sent.find(({ asked }) => asked.fc === 6)!
    // Timeout, the time of request and answer on the wire, and the guard.
    expect(written.at - askedAt).toBeGreaterThanOrEqual(200)
    expect(written.at - askedAt).toBeLessThan(200 + 30)
    // The polls still wait: what is missing may come.
    const after = wire.sent.find(({ at }) => at > written.at)!
    expect(after.at - askedAt).toBeGreaterThanOrEqual(400)
    await bus.close()
  })

  test('to the very device that owes an answer: it may still be at it', async () => {
    const { wire, bus, silence } = rigged()
    await pass(3000)
    const askedAt = await silence()
    const outcome = bus.write(write(0))
    await pass(3000)
    expect(await outcome).toMatchObject({ outcome: 'unknown' })
    expect(wire.sent.find(({ asked }) => asked.fc === 6)!.at - askedAt).toBeGreaterThanOrEqual(400)
    await bus.close()
  })
})

test('a device that was very late once keeps the others waiting for a second, not for twice its lateness', async () => {
  const { wire, bus, arrivals, silence } = rigged(4000)
  await pass(12_000)
  expect(bus.status().lateFrames).toBe(1)
  expect(bus.devices()[0]).toMatchObject({ state: 'online', responseMs: { slowest: 4000 } })
  arrivals.length = 0
  const askedAt = await silence()
  await pass(30_000)
  const others = wire.sent.filter(({ asked, at }) => asked.unit === 2 && at > askedAt).map(({ at }) => at)
  expect(others[0]! - askedAt).toBeLessThan(200 + 1000 + 60)
  expect(others.length).toBeGreaterThan(20)
  // It alone is left in peace for twice what it took.
  const own = wire.sent.filter(({ asked, at }) => asked.unit === 1 && at > askedAt).map(({ at }) => at)
  expect(own[0]! - askedAt).toBeGreaterThan(8000)
  expect(readingsOf(arrivals).filter((reading) => reading.point === 1 && !('value' in reading))).toEqual([])
  await bus.close()
})

describe('a write and another master', () => {
  const request = rtuFrame(9, Uint8Array.of(3, 0, 0, 0, 1))
  const reply = rtuFrame(9, Uint8Array.of(3, 2, 0x12, 0x34))
  const idle = { address: 1, line: FAST, points: [{ at: 10, everyMs: 60_000, write: {} }] }
  const serving = unit(1, FAST, (asked) => (asked.fc === 6 ? asked.pdu : honest(asked)))

  test('who has asked gets its answer first, or half a second', async () => {
    const pair = fakePair([serving])
    const { bus } = run({ wire: 'serial', devices: [idle] }, pair)
    await pass(5000)
    const written = () => pair.sent.filter(({ bytes }) => bytes[1] === 6)
    pair.speak(request, FAST)
    const first = bus.write(write(0))
    await pass(300)
    expect(written()).toEqual([])
    pair.speak(reply, FAST)
    await pass(1000)
    expect(await first).toMatchObject({ outcome: 'done' })
    expect(bus.status().yields).toBe(1)
    // Nobody answers it.
    const from = performance.now()
    pair.speak(request, FAST)
    const second = bus.write(write(0))
    await pass(2000)
    expect(await second).toMatchObject({ outcome: 'done' })
    expect(written()[1]!.at - from).toBeGreaterThanOrEqual(500)
    expect(written()[1]!.at - from).toBeLessThan(520)
    const closing = bus.close()
    await pass(100)
    await closing
  })

  test('who asks every 2 s is expected: the write does not begin just before', async () => {
    const pair = fakePair([serving])
    const { bus } = run({ wire: 'serial', devices: [idle] }, pair)
    let asked = 0
    const poll = (): void => {
      asked = performance.now()
      pair.speak(request, FAST)
      setTimeout(() => pair.speak(reply, FAST), 40)
      setTimeout(poll, 2000)
    }
    poll()
    await pass(20_000 + 1930)
    const before = asked
    const outcome = bus.write(write(0))
    await pass(500)
    expect(await outcome).toMatchObject({ outcome: 'done' })
    const written = pair.sent.find(({ bytes }) => bytes[1] === 6)!
    expect(asked).toBe(before + 2000)
    expect(written.at).toBeGreaterThan(asked + 40)
    expect(written.at).toBeLessThan(asked + 60)
    // In the middle between two of its turns nothing is waited for.
    await pass(500)
    const from = performance.now()
    const free = bus.write(write(0))
    await pass(500)
    expect(await free).toMatchObject({ outcome: 'done' })
    expect(pair.sent.findLast(({ bytes }) => bytes[1] === 6)!.at - from).toBeLessThan(10)
    expect(bus.status().yields).toBe(1)
    const closing = bus.close()
    await pass(100)
    await closing
  })
})
