import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Lane } from '../../src/model/journal.ts'
import { fakeClock, LIMITS, open, T0, temporaryDir } from './site.ts'

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url))

type Heard = { readonly settled: number[]; readonly offered: Map<string, string>; last: number }

/** Runs the child until it has settled `enough` more, then kills it wherever it is. */
async function runAndKill(dir: string, heard: Heard, enough: number): Promise<void> {
  const child = spawn(process.execPath, [CHILD, dir, String(heard.last), String(T0)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let settled = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [what, lane = '', number = '', id = ''] = line.split(' ')
    expect(what).not.toBe('failed')
    if (what === 'offered') {
      const key = `${lane} ${number}`
      // The same number twice must be the same content.
      expect(heard.offered.get(key) ?? id).toBe(id)
      heard.offered.set(key, id)
    }
    if (what !== 'settled') continue
    heard.settled.push(Number(lane))
    heard.last = Math.max(heard.last, Number(lane))
    if (++settled === enough) child.kill('SIGKILL')
  }
  if (child.signalCode === null && child.exitCode === null) await once(child, 'exit')
  // What was under way is unknown, not settled: its values are not used again.
  heard.last += 10_000
}

test('kill -9 in mid commit, again and again: nothing settled is missing, no number has two contents', async () => {
  const dir = temporaryDir()
  const heard: Heard = { settled: [], offered: new Map(), last: 0 }
  for (const enough of [40, 7, 90, 1]) await runAndKill(dir, heard, enough)

  const store = await open(dir, fakeClock(1, T0 + 60_000))
  await store.cutNow()
  const outbox = store.outbox('cloud')
  expect(store.identity).toMatchObject({ boot: 5, clean: false, newEpoch: false })
  expect(heard.settled.length).toBeGreaterThanOrEqual(138)
  expect(Number(store.states.get('last'))).toBeGreaterThanOrEqual(heard.settled.at(-1) ?? 0)

  const values = new Set<number>()
  const items = new Set<number>()
  const dropped: { ln: Lane; from: number; to: number }[] = []
  const present: Record<Lane, Set<number>> = { t: new Set(), a: new Set(), e: new Set() }
  for (const lane of ['t', 'a', 'e'] as const) {
    for (const { number, id, content } of await outbox.next(lane, 0, LIMITS)) {
      present[lane].add(number)
      expect(heard.offered.get(`${lane} ${number}`) ?? id).toBe(id)
      const entries: { p?: Record<string, number[]>; n?: number; ty?: string; body?: (typeof dropped)[number] }[] =
        JSON.parse(content)
      for (const { p, n, ty, body } of entries) {
        for (const value of Object.values(p ?? {}).flat()) values.add(value)
        if (n !== undefined) items.add(n)
        if (ty === 'drop' && body !== undefined) dropped.push(body)
      }
    }
  }
  expect(heard.settled.filter((value) => !values.has(value))).toEqual([])
  expect(heard.settled.filter((value) => value % 3 === 0 && !items.has(value))).toEqual([])
  // Every number up to the highest is there or declared, and every one that was offered is there.
  for (const lane of ['t', 'a', 'e'] as const) {
    const missing: number[] = []
    for (let number = 1; number <= outbox.position(lane).hi; number++) {
      const isDropped = dropped.some(({ ln, from, to }) => ln === lane && from <= number && number <= to)
      if (present[lane].has(number) === isDropped) missing.push(number)
    }
    expect(missing).toEqual([])
  }
  expect([...heard.offered.keys()].filter((key) => !present[key.charAt(0) as Lane].has(Number(key.slice(2))))).toEqual(
    [],
  )
}, 20_000)
