import { expect, test } from 'vitest'
import { createRefusals } from '../../src/bus/refusals.ts'
import { site } from './rig.ts'

const [device] = site({ devices: [{ address: 1, points: [] }] }).devices

test('what a device rejected is known after a restart, as long as its driver is the same', () => {
  const states = new Map<string, string>()
  const keep = (changed: readonly (readonly [string, string | null])[]): void => {
    for (const [key, text] of changed) if (text !== null) states.set(key, text)
  }
  const first = createRefusals(states, keep)
  expect(first.of(device!)).toEqual([])
  first.remember(device!, 'holding 0+9')
  first.remember(device!, 'holding 0+9')
  first.remember(device!, 'holding 0+4')
  expect([...states.keys()]).toEqual(['bus.refused.device_1'])
  expect(createRefusals(states, keep).of(device!)).toEqual(['holding 0+9', 'holding 0+4'])
  expect(createRefusals(states, keep).of({ ...device!, driverSha: 'another' })).toEqual([])
})

test('it has an end', () => {
  let kept = 0
  const refusals = createRefusals(new Map(), () => {
    kept += 1
  })
  for (let at = 0; at < 1000; at++) refusals.remember(device!, `holding ${at}+1`)
  expect(kept).toBe(500)
  expect(refusals.of(device!)).toHaveLength(500)
})
