import { expect, test } from 'vitest'
import { createBackoff } from '../../src/runtime/backoff.ts'
import { openKernelClock } from '../../src/runtime/kernel.ts'
import { createMailbox } from '../../src/runtime/mailbox.ts'
import { Scope } from '../../src/runtime/scope.ts'
import { sleep } from '../../src/runtime/timer.ts'
import { ulid } from '../../src/runtime/ulid.ts'

test('a full mailbox loses the oldest entry that may be lost, and says which', () => {
  let wakes = 0
  const box = createMailbox<{ name: string; keep: boolean }>({
    sizeMax: 3,
    mayLose: (entry) => !entry.keep,
    wake: () => {
      wakes += 1
    },
  })
  for (const name of ['k1', 'a', 'b', 'c', 'k2']) box.put({ name, keep: name.startsWith('k') })
  expect(wakes).toBe(1)
  expect(box.takeLost().map((entry) => entry.name)).toEqual(['a', 'b'])
  expect(box.takeAll().map((entry) => entry.name)).toEqual(['k1', 'c', 'k2'])
  expect(box.size()).toBe(0)
  for (const name of ['k1', 'k2', 'k3', 'k4']) box.put({ name, keep: true })
  expect(box.takeAll()).toHaveLength(4)
  expect(box.takeLost()).toEqual([])
})

test('a scope closes in reverse, all of them, even when one fails', async () => {
  const scope = new Scope()
  const closed: string[] = []
  scope.defer(() => {
    closed.push('first')
  })
  scope.defer(() => {
    closed.push('second')
    throw new Error('stuck')
  })
  scope.defer(() => {
    closed.push('third')
  })
  await expect(scope.close()).rejects.toThrow('closing failed')
  expect(closed).toEqual(['third', 'second', 'first'])
  expect(scope.signal.aborted).toBe(true)
})

test('back-off doubles under full jitter up to its ceiling', () => {
  const backoff = createBackoff({ baseMs: 1000, maxMs: 300_000, random: () => 1 })
  const waits = Array.from({ length: 12 }, () => backoff.next())
  expect(waits.slice(0, 4)).toEqual([1000, 2000, 4000, 8000])
  expect(waits.at(-1)).toBe(300_000)
  backoff.reset()
  expect(backoff.next()).toBe(1000)
  expect(createBackoff({ baseMs: 1000, maxMs: 5000, random: () => 0 }).next()).toBe(0)
})

test('an aborted sleep ends at once, however long it was', async () => {
  const abort = new AbortController()
  const waiting = sleep(2 ** 40, abort.signal)
  abort.abort()
  await waiting
  await sleep(1000, abort.signal)
})

test('ulids sort by time and have the form that the contract prints', () => {
  const early = ulid(1_700_000_000_000)
  const late = ulid(1_700_000_000_001)
  expect(early).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/)
  expect(early.slice(0, 10) < late.slice(0, 10)).toBe(true)
})

test('the kernel answers for its clock where it can be asked', () => {
  const read = openKernelClock()
  if (process.platform !== 'linux' || read === null) return expect(read).toBeNull()
  const word = read()
  expect(typeof word?.synchronised).toBe('boolean')
  expect(word?.errorMs).toBeGreaterThanOrEqual(0)
})
