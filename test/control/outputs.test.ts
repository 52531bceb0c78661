import { expect, test } from 'vitest'
import { createOutputs, type Level } from '../../src/control/outputs.ts'
import type { WriteOutcome } from '../../src/model/command.ts'

const level = (value: boolean): Level => ({ point: 7, value, rule: 'pump_1_failed' })

test('a level is written until the device has it, and told once', async () => {
  const written: unknown[] = []
  const told: string[] = []
  const answers: WriteOutcome[] = [
    { outcome: 'unknown', cause: 'timeout' },
    { outcome: 'unknown', cause: 'timeout' },
    { outcome: 'done', readBack: true },
  ]
  let finished: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    finished = resolve
  })
  const outputs = createOutputs({
    retryBaseMs: 1,
    async write({ value }) {
      written.push(value)
      return await Promise.resolve(answers.shift() ?? { outcome: 'done', readBack: null })
    },
    told(_, outcome) {
      told.push(outcome.outcome)
      if (outcome.outcome === 'done') finished()
    },
  })
  outputs.apply([level(true)])
  await done
  await outputs.close()
  expect(written).toEqual([true, true, true])
  expect(told).toEqual(['unknown', 'done'])
})

test('a newer level replaces one that is still on its way', async () => {
  const written: unknown[] = []
  let release: (outcome: WriteOutcome) => void = () => undefined
  let finished: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    finished = resolve
  })
  const outputs = createOutputs({
    write({ value }) {
      written.push(value)
      if (written.length > 1) return Promise.resolve({ outcome: 'done', readBack: null })
      return new Promise((resolve) => {
        release = resolve
      })
    },
    told(told) {
      if (told.value === false && written.length === 2) finished()
    },
  })
  outputs.apply([level(true)])
  outputs.apply([level(false)])
  release({ outcome: 'done', readBack: true })
  await done
  await outputs.close()
  expect(written).toEqual([true, false])
})

test('what the device refuses is not forced on it', async () => {
  let writes = 0
  let finished: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    finished = resolve
  })
  const outputs = createOutputs({
    retryBaseMs: 1,
    write() {
      writes += 1
      return Promise.resolve({ outcome: 'refused', cause: 'exception:3' })
    },
    told: () => finished(),
  })
  outputs.apply([level(true)])
  await done
  await outputs.close()
  expect(writes).toBe(1)
})
