/** What the operations for work on site answer: explanations, frames, findings of a scan, proofs, reloads. */
import * as z from 'zod'
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
  detail: text.nullable(),
  inputs: z.array(pointRow),
})

/** Either `point` or `rule`; `inputs` explains those inputs of the rule that are not good. */
export const explainAnswer = z.strictObject({
  subject: z.string(),
  point: pointExplanation.nullable(),
  rule: ruleExplanation.nullable(),
  inputs: z.array(pointExplanation),
})

const frame = z.strictObject({
  protocol: z.string(),
  direction: z.enum(['request', 'reply', 'message']),
  address: z.string(),
  function: z.string(),
  fields: z.record(z.string(), z.unknown()),
  readings: z.array(z.strictObject({ key: z.string(), value, unit: z.string().nullable() })).readonly(),
  fault: z.string().nullable(),
  note: z.string().nullable(),
})

/** What some chunks came to. Times in microseconds since the head's `at`. */
export const decoded = z.strictObject({
  us: z.number(),
  dir: z.enum(['in', 'out']),
  /** null: personal, and masked. */
  hex: z.string().nullable(),
  count: z.int(),
  frames: z.array(frame),
  junk: z.string(),
  why: z.string().nullable(),
  /** From the question to the answer's last byte. */
  tookUs: z.number().nullable(),
  device: z.string().nullable(),
  values: z.array(
    z.strictObject({
      point: z.string(),
      value: value.nullable(),
      unit: z.string().nullable(),
      cause: z.string().nullable(),
    }),
  ),
})

/** The first line is the head; then one per chunk, as it goes into a capture, with what it completes. */
export const traceLine = z.union([
  z.strictObject({
    head: z.strictObject({
      capture: z.literal('gatehouse/1'),
      site: z.string(),
      bus: z.string(),
      wire: z.string(),
      framings: z.array(z.string()),
      at: time,
    }),
  }),
  z.strictObject({
    chunk: z.strictObject({
      t_us: z.number(),
      dir: z.enum(['in', 'out']),
      hex: z.string().nullable(),
      masked: z.int().optional(),
    }),
    decoded: z.array(decoded),
  }),
  /** The reader was too slow: so many chunks are missing here. */
  z.strictObject({ lost: z.int() }),
])

export const proofRow = z.strictObject({
  point: z.string(),
  title: text,
  device: z.string(),
  deviceName: text,
  driver: z.string(),
  address: z.string().nullable(),
  /** Place in the device, or the point that it follows; null: computed. */
  where: z.string().nullable(),
  unit: z.string().nullable(),
  /** `lapsed`: driver, address, wire or place are others than when it was compared. */
  state: z.enum(['proven', 'differs', 'lapsed', 'unproven']),
  /** It has had a good value, as far back as is kept. */
  everGood: z.boolean(),
  proof: z
    .strictObject({
      raw: z.string().nullable(),
      value: value.nullable(),
      seen: z.string(),
      agrees: z.boolean(),
      by: z.string(),
      at: time,
    })
    .nullable(),
})

export const proofLook = proofRow.extend({
  raw: z.string().nullable(),
  decoded: pointRow,
})

export const proofList = z.strictObject({
  site: z.string(),
  name: text,
  gateway: z.string(),
  version: z.string(),
  at: time,
  timezone: z.string(),
  rows: z.array(proofRow),
})

export type ProofRow = z.infer<typeof proofRow>
export type ProofLook = z.infer<typeof proofLook>
export type ProofList = z.infer<typeof proofList>

const changes = z.strictObject({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  changed: z.array(z.string()),
})

export const reloadAnswer = z.strictObject({
  /** `refused`: the old site file is in force as before, and `why` says why. */
  outcome: z.enum(['applied', 'unchanged', 'refused']),
  why: text.nullable(),
  findings: z.array(
    z.strictObject({
      file: z.string(),
      line: z.int(),
      col: z.int(),
      severity: z.enum(['error', 'warning']),
      message: text,
    }),
  ),
  /** Buses that were kept missed no poll. */
  buses: changes.extend({ kept: z.array(z.string()) }),
  devices: changes,
  rules: changes,
  /** Those that were connected anew. */
  uplinks: z.array(z.string()),
  /** The local broker was opened anew. */
  broker: z.boolean(),
  /** Keys of the site file that only a restart takes over. */
  restart: z.array(z.string()),
  cv: z.int(),
  prev: z.int(),
  tookMs: z.number(),
})

export type ReloadAnswer = z.infer<typeof reloadAnswer>
export type DecodedRow = z.infer<typeof decoded>
export type TraceLine = z.infer<typeof traceLine>
export type PointExplanation = z.infer<typeof pointExplanation>
export type RuleExplanation = z.infer<typeof ruleExplanation>
export type ExplainAnswer = z.infer<typeof explainAnswer>
