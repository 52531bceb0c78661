import { expect, test } from 'vitest'
import type { ClockReading } from '../../src/model/journal.ts'
import type { Sample } from '../../src/model/sample.ts'
import { Pending } from '../../src/store/pending.ts'

const at = (mono: number): ClockReading => ({ mono, offsetMs: 0, quality: 1, errorMs: null })
const samples = (count: number): Sample[] =>
  Array.from({ length: count }, (_, point) => ({ point, mono: 1, quality: 'good', value: point }))
const nothing = { reports: [], items: [], states: [], urgent: false }

test('an alarm goes without the telemetry that has time; that goes with the regular commit', () => {
  const pending = new Pending()
  const told: string[] = []
  pending.observe(at(1), samples(5))
  pending.add({ ...nothing, time: at(1), reports: samples(5), settled: () => told.push('telemetry') })
  pending.add({ ...nothing, time: at(2), states: [['alarm.x', '{}']], urgent: true, settled: () => told.push('alarm') })
  const first = pending.take(at(3), 'entries')
  expect(first.commit.states).toEqual([['alarm.x', '{}']])
  expect(first.commit.runs).toEqual([])
  expect(first.commit.observed).toEqual([])
  for (const { tell } of first.settled) tell(null)
  expect(told).toEqual(['alarm'])
  // What stays keeps its age: the watchdog looks at it.
  expect(pending.sinceMono).toBe(1)
  expect(pending.isEmpty).toBe(false)
  const second = pending.take(at(4), 'all')
  expect(second.commit.runs[0]?.samples.count).toBe(5)
  expect(second.commit.observed[0]?.samples.count).toBe(5)
  for (const { tell } of second.settled) tell(null)
  expect(told).toEqual(['alarm', 'telemetry'])
  expect(pending.isEmpty).toBe(true)
})

test('who waits for samples gets them at once, and all that lie there with them', () => {
  const pending = new Pending()
  pending.add({ ...nothing, time: at(1), reports: samples(2) })
  pending.add({ ...nothing, time: at(2), reports: samples(1), urgent: true, settled: () => undefined })
  const taken = pending.take(at(3), 'entries')
  expect(taken.commit.runs[0]?.samples.count).toBe(3)
  expect(taken.settled).toHaveLength(1)
  expect(taken.sinceMono).toBe(1)
  expect(pending.isEmpty).toBe(true)
  // And the next alarm is alone again.
  pending.add({ ...nothing, time: at(4), reports: samples(2) })
  expect(pending.take(at(5), 'entries').commit.runs).toEqual([])
})
