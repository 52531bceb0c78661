/** Modbus ASCII devices beside RTU ones, and the functions that go beyond plain reads and writes. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ascii } from '../../src/protocols/modbus/ascii.ts'
import { rtu } from '../../src/protocols/modbus/framing.ts'
import { broadcast, identify, questionOf } from '../../src/protocols/modbus/index.ts'
import { changeBits } from '../../src/protocols/modbus/question.ts'
import type { Framing, Question, Verdict } from '../../src/protocols/protocol.ts'
import { SILENT } from '../../src/runtime/log.ts'
import { Scope } from '../../src/runtime/scope.ts'
import { openSimulator, type Simulator } from '../../src/simulate/simulator.ts'
import { openTcp } from '../../src/transport/tcp.ts'
import type { Pipe } from '../../src/transport/transport.ts'
import { handClock, siteOf } from './site.ts'

let scope = new Scope()
let simulator: Simulator
let pipe: Pipe

/** `air` speaks ASCII at unit 3, `other` RTU at unit 4. */
beforeEach(async () => {
  const site = siteOf({
    buses: { riser: { kind: 'tcp', host: '10.1.1.30', port: 4196 } },
    devices: {
      air: { driver: 'environment/xy_md02', bus: 'riser', address: 3 },
      other: { driver: 'environment/xy_md02', bus: 'riser', address: 4 },
    },
  })
  const devices = site.devices.map((device) =>
    device.id === 'air' && device.link.kind === 'bus' ? { ...device, link: { ...device.link, ascii: true } } : device,
  )
  simulator = await scope.open(
    openSimulator({ site: { ...site, devices }, clock: handClock(), log: SILENT, seed: 1, portBase: 0 }),
  )
  const { address } = simulator.buses[0] ?? { address: null }
  if (address?.kind !== 'tcp') throw new Error('no serial server')
  const opened = await openTcp({ host: '127.0.0.1', port: address.port }, { signal: scope.signal })
  if (opened.kind !== 'pipe') throw new Error(opened.why)
  pipe = opened
  scope.defer(() => opened.close())
  for (const id of ['air', 'other']) {
    simulator.set(`${id}.temperature`, 21.5)
    simulator.set(`${id}.humidity`, 60)
  }
})

afterEach(async () => {
  await scope.close()
  scope = new Scope()
})

const TWO: Question = questionOf({ fc: 4, start: 1, count: 2 }, 3)

/** The first verdict that is an answer or a fault. */
function ask(framing: Framing, question: Question): Promise<Verdict> {
  return new Promise((resolve) => {
    let received = new Uint8Array(0)
    pipe.onData((chunk) => {
      received = Uint8Array.of(...received, ...chunk)
      for (let split = framing.split(received, question); split.kind !== 'more'; ) {
        received = received.slice(split.used)
        const verdict = split.kind === 'frame' ? framing.judge(split.frame, question, 0) : null
        if (verdict !== null && verdict.kind !== 'other') return resolve(verdict)
        split = framing.split(received, question)
      }
    })
    pipe.write(framing.frame(question, 0))
  })
}

function bytesOf(verdict: Verdict): number[] {
  if (verdict.kind !== 'answer') throw new Error(JSON.stringify(verdict))
  return [...verdict.body.subarray(2)]
}

test('each answers in its own framing, and not in the other', async () => {
  expect(bytesOf(await ask(ascii, TWO))).toEqual([0, 215, 2, 88])
  expect(bytesOf(await ask(rtu, { ...TWO, address: 4 }))).toEqual([0, 215, 2, 88])
  // The wrong language gets nothing; the right one is answered after it.
  pipe.write(rtu.frame(TWO, 0))
  pipe.write(ascii.frame({ ...TWO, address: 4 }, 0))
  expect(bytesOf(await ask(ascii, TWO))).toEqual([0, 215, 2, 88])
})

test('a question in pieces, behind half of another', async () => {
  const frame = ascii.frame(TWO, 0)
  pipe.write(frame.subarray(0, 6))
  expect(bytesOf(await ask(ascii, TWO))).toEqual([0, 215, 2, 88])
})

test('bits of a register, reading and writing in one, and who it is not', async () => {
  const offset = (registers: Uint8Array) =>
    questionOf({ fc: 23, start: 0x103, count: 1, writeStart: 0x103, registers }, 3)
  expect(bytesOf(await ask(ascii, offset(Uint8Array.of(0, 7))))).toEqual([0, 7])
  const changed = await ask(ascii, changeBits({ start: 0x103, mask: 0x0f, bits: 0x09 }, 3))
  expect(changed.kind).toBe('answer')
  expect(bytesOf(await ask(ascii, questionOf({ fc: 3, start: 0x103, count: 1 }, 3)))).toEqual([0, 9])
  expect(await ask(ascii, identify(3))).toMatchObject({ kind: 'fault', fault: { code: 1 }, means: 'unsupported' })
})

test('a broadcast is obeyed by all of its language, and answered by none', async () => {
  const all = broadcast(questionOf({ fc: 6, start: 0x103, register: 5 }, 3))
  if (typeof all === 'string') throw new Error(all)
  pipe.write(rtu.frame(all, 0))
  const correction = questionOf({ fc: 3, start: 0x103, count: 1 }, 4)
  expect(bytesOf(await ask(rtu, correction))).toEqual([0, 5])
  expect(bytesOf(await ask(ascii, { ...correction, address: 3 }))).not.toEqual([0, 5])
})
