/** The short form of `npm run fuzz`: 20,000 mutated inputs for each codec, always the same ones. */
import { expect, test } from 'vitest'
import { diceOf } from './mutate.ts'
import { TARGETS } from './targets.ts'

const INPUTS = 20_000
const SEED = 1

export const CODECS: readonly string[] = [...new Set(TARGETS.map(({ codec }) => codec))]

export function trySome(codecs: readonly string[]): void {
  test.each(codecs)('%s: no input throws, reads what cannot travel, or goes on for ever', (codec) => {
    const targets = TARGETS.filter((target) => target.codec === codec)
    expect(targets.length).toBeGreaterThan(0)
    for (let index = 0; index < INPUTS; index++) {
      const target = targets[index % targets.length]
      try {
        target?.run(diceOf(SEED, target.name, index))
      } catch (error) {
        const hex = Buffer.from(target?.last() ?? []).toString('hex')
        throw new Error(`--seed ${SEED} --codec "${target?.name}" --from ${index} --count 1: ${hex}`, { cause: error })
      }
    }
  })
}
