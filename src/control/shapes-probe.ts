/** What `probe` is asked and what it answers: the same through the daemon and on a wire of one's own. */
import * as z from 'zod'

const order = z.enum(['ABCD', 'CDAB', 'DCBA', 'BADC'])
const value = z.union([z.number(), z.boolean(), z.string()])

export const probeWanted = z.strictObject({
  /** `holding 52` */
  at: z.string().min(1).max(64),
  /** Only this encoding. */
  as: z.string().max(16).optional(),
  /** Registers or bits. */
  count: z.int().min(1).max(125).optional(),
  /** What the display shows. */
  expect: z.string().min(1).max(24).optional(),
})

const read = z.strictObject({
  /** `holding 51` */
  at: z.string(),
  count: z.int(),
  /** Registers as numbers, bits as true and false; null: there was no answer. */
  raw: z.union([z.array(z.int()), z.array(z.boolean())]).nullable(),
  /** As causes travel. */
  fault: z.string().nullable(),
})

const reading = z.strictObject({ at: z.string(), as: z.string(), order: order.nullable(), value })

const candidate = z.strictObject({
  ...reading.shape,
  scale: z.number().nullable(),
  /** From what is shown, as a share of it. */
  off: z.number(),
  /** Encodings that this value cannot tell apart. */
  alike: z.array(z.string()),
})

export const probeAnswer = z.strictObject({
  at: z.string(),
  reads: z.array(read),
  /** Without an expectation: as every sensible type. */
  readings: z.array(reading),
  /** With one: the best first. */
  candidates: z.array(candidate),
})

export type ProbeWanted = z.infer<typeof probeWanted>
export type ProbeAnswer = z.infer<typeof probeAnswer>
export type ProbeRead = z.infer<typeof read>
export type ProbeCandidate = z.infer<typeof candidate>
