/** What the operations for work on site answer: explanations, frames, findings of a scan, proofs, reloads. */
import { z } from 'zod'
import { pointRow } from './shapes.ts'

const text = z.strictObject({ en: z.string(), zh: z.string() })
const value = z.union([z.number(), z.boolean(), z.string()])
/** UTC ms. */
const time = z.number()

export const pointExplanation = z.strictObject({
  ...pointRow.shape,
  title: text,
  /** What it follows, down to the point that decides; empty: it is read from the field itself. */
  via: z.array(z.string()),
  lastGood: z.strictObject({ value, at: time }).nullable(),
  chain: z.array(
    z.strictObject({
      link: z.enum(['port', 'bus', 'device', 'frame', 'decode', 'rule']),
      state: z.enum(['ok', 'doubtful', 'bad', 'unreached', 'none']),
      text,
    }),
  ),
  /** The likeliest first; never empty. */
  causes: z.array(
    z.strictObject({
      key: z.string(),
      link: z.enum(['port', 'bus', 'device', 'frame', 'decode', 'rule']),
      confidence: z.number(),
      text,
      /** What speaks for it. */
      signs: z.array(text),
      check: z.array(text),
    }),
  ),
})

export const ruleExplanation = z.strictObject({
  rule: z.string(),
  /** `pending`: true, and waiting for its delay. `unknown`: the result depends on what is not good. */
  state: z.enum(['raised', 'normal', 'pending', 'unknown', 'suppressed']),
  text,
  advice: text.nullable(),
  when: z.string().nullable(),
  suppressed: z.string().nullable(),
  detail: z.string().nullable(),
  inputs: z.array(pointRow),
})

/** Either `point` or `rule`; `inputs` explains those inputs of the rule that are not good. */
export const explainAnswer = z.strictObject({
  subject: z.string(),
  point: pointExplanation.nullable(),
  rule: ruleExplanation.nullable(),
  inputs: z.array(pointExplanation),
})

export type PointExplanation = z.infer<typeof pointExplanation>
export type RuleExplanation = z.infer<typeof ruleExplanation>
export type ExplainAnswer = z.infer<typeof explainAnswer>
