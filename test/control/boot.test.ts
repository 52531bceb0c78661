import { expect, test } from 'vitest'
import { describeBoot } from '../../src/control/boot.ts'

const NOW = { version: '0.1.0', firstAt: 2000 }

test('a start after an orderly end, after a cut, and where the state was lost', () => {
  const common = { ...NOW, prevEp: null, prevHi: null }
  const orderly = { clean: true, previous: null, lastCommitAt: null }
  expect(describeBoot(orderly, NOW)).toEqual({ ...common, clean: true, lastCommitAt: null, why: 'start' })
  const cut = { clean: false, previous: null, lastCommitAt: 1000 }
  expect(describeBoot(cut, NOW)).toEqual({ ...common, clean: false, lastCommitAt: 1000, why: 'power' })
  // Lanes of which nothing was found are not said to have been empty.
  const hi = { t: 2167, a: null, e: null }
  expect(describeBoot({ ...orderly, previous: { epoch: '9be829df', hi } }, NOW)).toEqual({
    ...common,
    clean: false,
    lastCommitAt: null,
    prevEp: '9be829df',
    prevHi: hi,
    why: 'state_lost',
  })
})
