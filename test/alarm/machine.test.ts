import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dueAt, isActive, NORMAL, RAISED, step } from '../../src/alarm/machine.ts'
import { play } from './play.ts'

const hot = { above: 30, onDelayMs: 30_000, offDelayMs: 0, held: false }

describe('on-delay', () => {
  it('above 30 for 30 s; a silent sensor neither raises nor clears', () => {
    play(hot, {
      everyS: 10,
      input: '20     31      31      31      31     _      _      20',
      phase: 'normal pending pending pending raised raised raised normal',
    })
  })

  it('starts anew after a dip', () => {
    play(hot, {
      everyS: 10,
      input: '31      31      31      20     31      31      31      31',
      phase: 'pending pending pending normal pending pending pending raised',
    })
  })

  it('time in which nothing was known does not count', () => {
    play(hot, {
      everyS: 10,
      input: '31      31      _       _       31      31      31',
      phase: 'pending pending pending pending pending raised  raised',
    })
  })

  it('of zero raises at once', () => {
    play({ ...hot, onDelayMs: 0 }, { everyS: 10, input: '_ 31 20', phase: 'normal raised normal' })
  })
})

describe('off-delay', () => {
  it('keeps it raised until it has been over for long enough', () => {
    play(
      { above: 30, onDelayMs: 0, offDelayMs: 20_000, held: false },
      {
        everyS: 10,
        input: '31     20       31     20       20       _        20       20',
        phase: 'raised clearing raised clearing clearing clearing normal   normal',
      },
    )
  })
})

describe('latch', () => {
  const latched = { onDelayMs: 0, offDelayMs: 10_000, held: true }
  it('stays active until acknowledged', () => {
    play(latched, {
      everyS: 10,
      input: 'y      n        n       n       y      n        n       _',
      phase: 'raised clearing latched latched raised clearing latched latched',
    })
    const over = step({ phase: 'latched' }, 'unknown', 99, { ...latched, held: false })
    expect(over).toEqual(NORMAL)
  })
})

it('says when a delay ends, and not while its clock stands still', () => {
  const pending = step(NORMAL, 'yes', 1000, hot)
  expect(dueAt(pending, hot)).toBe(31_000)
  expect(dueAt(step(pending, 'unknown', 2000, hot), hot)).toBeNull()
  expect(dueAt(RAISED, hot)).toBeNull()
})

it('never becomes active without a yes, nor inactive without a no', () => {
  const truths = fc.array(fc.constantFrom('yes', 'no', 'unknown'))
  fc.assert(
    fc.property(truths, fc.nat(30_000), fc.nat(30_000), (sequence, onDelayMs, offDelayMs) => {
      let state = NORMAL
      let now = 0
      for (const truth of sequence) {
        const next = step(state, truth, (now += 7000), { onDelayMs, offDelayMs, held: false })
        if (!isActive(state) && isActive(next)) expect(truth).toBe('yes')
        if (isActive(state) && !isActive(next)) expect(truth).toBe('no')
        if (truth === 'unknown') expect(next.phase).toBe(state.phase)
        state = next
      }
    }),
  )
})
