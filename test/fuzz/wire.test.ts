/** Codecs of wires, and the harness itself. */
import { expect, test } from 'vitest'
import { PAYLOAD_NAMES, PROTOCOLS } from '../../src/protocols/all.ts'
import { EXPLAINED } from '../../src/protocols/explain.ts'
import { diceOf } from './mutate.ts'
import { CODECS, trySome } from './smoke.ts'
import { TARGETS } from './targets.ts'

trySome(CODECS.filter((codec) => !PAYLOAD_NAMES.includes(codec)))

test('every protocol, everything that decode knows and every payload codec is tried', () => {
  expect(CODECS).toEqual(expect.arrayContaining([...Object.keys(PROTOCOLS), ...PAYLOAD_NAMES]))
  expect(TARGETS.map(({ name }) => name)).toEqual(
    expect.arrayContaining([...EXPLAINED.map((name) => `decode ${name}`), 'modbus-rtu', 'modbus-ascii', 'modbus-tcp']),
  )
})

test('the same seed makes the same inputs', () => {
  for (const target of TARGETS) {
    target.run(diceOf(7, target.name, 3))
    const first = target.last()
    target.run(diceOf(7, target.name, 4))
    target.run(diceOf(7, target.name, 3))
    expect(target.last()).toEqual(first)
  }
})
