/** `decode`: every name that it takes, with bytes where it takes bytes, else with messages, lines and card numbers. */
import type { LineForm } from '../../src/model/site.ts'
import type { Point } from '../../src/model/point.ts'
import { explain, type Means } from '../../src/protocols/explain.ts'
import { mutate, mutateText, pick, type Roll } from './mutate.ts'
import { framesOf } from './seeds.ts'

export type ExplainTarget = {
  readonly codec: string
  readonly run: (roll: Roll) => void
  readonly last: () => Uint8Array
}

/** What a caller may know besides the data. */
export type Surroundings = {
  readonly texts: readonly string[]
  readonly topics: readonly string[]
  readonly points: readonly Point[]
  readonly linePoints: readonly Point[]
  readonly forms: readonly LineForm[]
}

/** Longer than this is no answer to a person who decodes some hundred bytes. */
const EXPLAINED_MAX = 2_000_000
const MODELS = ['em300-th', 'em300-mcs', 'EM300-ZLD', 'em500-swl', 'ws101', '', '__proto__']

export function explainTarget(
  name: string,
  around: Surroundings,
  hold: (truth: boolean, what: string) => void,
): ExplainTarget {
  // Its vectors: the protocol's name is the first word of what it is called here.
  const codec = name.split('-')[0] ?? name
  const own = framesOf(codec)
  const seeds = own.length > 0 ? own : framesOf()
  const takesBytes = !JSON.stringify(explain(name, '00', '00')).includes('leave --request out')
  const encoder = new TextEncoder()
  let input: Uint8Array = new Uint8Array(0)
  return {
    codec,
    last: () => input,
    run(roll) {
      const asBytes = takesBytes ? roll(32) > 0 : roll(32) === 0
      const data = asBytes ? hexOf((input = mutate(roll, seeds))) : mutateText(roll, around.texts)
      if (!asBytes) input = encoder.encode(data)
      const request = takesBytes && roll(3) === 0 ? hexOf(pick(roll, seeds)) : null
      const said = explain(name, data, request, meansOf(roll, around))
      hold(JSON.stringify(said).length < EXPLAINED_MAX, 'it does not come to an end')
    },
  }
}

function meansOf(roll: Roll, { topics, points, linePoints, forms }: Surroundings): Means {
  return {
    language: roll(2) === 0 ? 'en' : 'zh',
    ...(roll(8) > 0 ? { topic: pick(roll, topics) } : {}),
    ...(roll(4) === 0 ? { points: roll(2) === 0 ? points : linePoints } : {}),
    ...(roll(2) === 0 ? { form: pick(roll, forms) } : {}),
    ...(roll(4) > 0 ? { model: pick(roll, MODELS) } : {}),
    ...(roll(8) === 0 ? { expect: pick(roll, ['90,324', '5898564', 'x']) } : {}),
    ...(roll(2) === 0 ? { pseudonym: (text: string) => `p_${text.length}` } : {}),
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
