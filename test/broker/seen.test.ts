import { describe, expect, test } from 'vitest'
import { createSeen } from '../../src/broker/seen.ts'

describe('a message that comes twice', () => {
  test('is taken once, by any of its names', () => {
    const seen = createSeen()
    seen.take(['a', 'dev 1'], null)?.(null)
    expect(seen.take(['b', 'dev 1'], null)).toBeNull()
    expect(seen.take(['a', 'dev 9'], null)).toBeNull()
    expect(seen.take(['c', 'dev 2'], null)).not.toBeNull()
  })

  test('is answered when the first is durable, not before', () => {
    const seen = createSeen()
    const answers: (Error | null)[] = []
    const finish = seen.take(['a'], (error) => answers.push(error))
    expect(seen.take(['a'], (error) => answers.push(error))).toBeNull()
    expect(answers).toEqual([])
    finish?.(null)
    expect(answers).toEqual([null])
    seen.take(['a'], (error) => answers.push(error))
    expect(answers).toEqual([null, null])
  })

  test('counts anew when the first could not be made durable', () => {
    const seen = createSeen()
    const answers: (Error | null)[] = []
    const lost = new Error('disk')
    const finish = seen.take(['a'], null)
    seen.take(['a'], (error) => answers.push(error))
    finish?.(lost)
    expect(answers).toEqual([lost])
    expect(seen.take(['a'], null)).not.toBeNull()
  })

  test('is forgotten after a while: what is remembered has an end', () => {
    const seen = createSeen()
    for (let number = 0; number < 40; number++) seen.take([`m${number}`], null)?.(null)
    expect(seen.take(['m39'], null)).toBeNull()
    expect(seen.take(['m0'], null)).not.toBeNull()
  })
})
