/** Several requests that belong together, and one that is said to all: a register changed bit by bit, a broadcast. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { broadcast, questionOf } from '../../src/protocols/modbus/index.ts'
import { fakeTime, fakeWire, honest, pass, refuse, run, serving } from './rig.ts'

beforeEach(fakeTime)
afterEach(() => {
  vi.useRealTimers()
})

const BIT = {
  protocol: 'modbus',
  table: 'holding',
  address: 7,
  as: 'bit',
  order: 'ABCD',
  bit: 3,
  length: null,
} as const
const order = { id: '01J', point: 0, value: true, role: 'operator', by: 'test' } as const

test('a device without function 22 is read and written back, and nobody comes between', async () => {
  const wire = fakeWire(
    'rtu',
    serving('rtu', (asked) => {
      if (asked.fc === 22) return refuse(asked, 1)
      if (asked.fc === 3 && asked.address === 7) return Uint8Array.of(3, 2, 0xa0, 0xf1)
      return asked.fc === 3 ? honest(asked) : asked.pdu
    }),
  )
  const { bus } = run(
    {
      devices: [
        { address: 1, points: [{ at: 7, as: 'bit', place: BIT, everyMs: null, write: {} }] },
        // Always due: it would come between if it could.
        { address: 2, points: [{ at: 0, everyMs: 1 }] },
      ],
    },
    wire,
  )
  await pass(500)
  const written = bus.write(order)
  await pass(500)
  expect(await written).toEqual({ outcome: 'done', readBack: null })
  const from = wire.sent.findIndex(({ asked }) => asked.fc === 22)
  const turn = wire.sent
    .slice(from, from + 3)
    .map(({ asked }) => Buffer.from([asked.unit, ...asked.pdu]).toString('hex'))
  expect(turn).toEqual(['01160007fff70008', '010300070001', '01060007a0f9'])
  await bus.close()
})

test('what refuses to be read is not written', async () => {
  const wire = fakeWire(
    'rtu',
    serving('rtu', (asked) => refuse(asked, asked.fc === 22 ? 1 : 2)),
  )
  const { bus } = run(
    { devices: [{ address: 1, points: [{ at: 7, as: 'bit', place: BIT, everyMs: null, write: {} }] }] },
    wire,
  )
  const written = bus.write(order)
  await pass(500)
  expect(await written).toEqual({ outcome: 'refused', cause: 'exception:2' })
  expect(wire.sent.map(({ asked }) => asked.fc)).toEqual([22, 3])
  await bus.close()
})

test('a broadcast is sent once, waits its turnaround and harms nobody’s health', async () => {
  const wire = fakeWire(
    'rtu',
    serving('rtu', (asked) => (asked.unit === 0 ? null : honest(asked))),
  )
  const { bus } = run({ devices: [{ address: 2, points: [{ at: 0, everyMs: 20 }] }] }, wire)
  await pass(500)
  const question = broadcast(questionOf({ fc: 6, start: 5, register: 100 }, 2))
  if (typeof question === 'string') throw new Error(question)
  const said = bus.ask({ protocol: 'modbus', address: 0, question })
  await pass(1000)
  expect(await said).toMatchObject({ kind: 'answer', bodies: [] })
  const at = wire.sent.findIndex(({ asked }) => asked.unit === 0)
  const [sent, next] = wire.sent.slice(at)
  expect(Buffer.from(sent?.bytes ?? []).toString('hex')).toBe('00060005006499f1')
  expect((next?.at ?? 0) - (sent?.at ?? 0)).toBeGreaterThanOrEqual(100)
  expect(wire.sent.filter(({ asked }) => asked.unit === 0)).toHaveLength(1)
  expect(bus.devices()[0]).toMatchObject({ state: 'online', errors: { timeout: 0 } })
  await bus.close()
})
