/** How wires and the devices on them do, beside whether they answer: parts of `buses` and `devices`. */
import * as z from 'zod'

/** `errors`: too many attempts fail. `slow`: answers take much longer than they used to. */
const trouble = z.enum(['errors', 'slow'])

export const deviceHealth = z.strictObject({
  is: z.enum(['good', 'degraded']),
  /** Of a degraded one. */
  why: trouble.nullable(),
  /** Share of failed attempts of late, 0 to 1. */
  errorShare: z.number(),
  /** The last twenty answers or so, and what the device used to take. */
  responseMs: z.number(),
  usualMs: z.number(),
})

/** Frames on the wire that nobody here asked for. */
export const stranger = z.strictObject({
  protocol: z.string(),
  /** request: another master asks `from`. reply: `from` answers it. */
  direction: z.enum(['request', 'reply']),
  from: z.string().nullable(),
  function: z.string().nullable(),
  count: z.int(),
  everyMs: z.number().nullable(),
  /** UTC ms. */
  lastAt: z.number(),
  /** It was heard so lately that it may still be there. */
  present: z.boolean(),
})

/** What a serial server says for itself between the frames: its registration, its heartbeat. */
export const serverText = z.strictObject({
  text: z.string(),
  count: z.int(),
  /** UTC ms. */
  lastAt: z.number(),
})

export const busHealth = z.strictObject({
  is: z.enum(['good', 'degraded']),
  /** `master`: another one asks on this wire. `devices`: some are degraded. `overload`: no time left. Worst first. */
  why: z.array(z.enum(['master', 'overload', 'devices'])),
  /** Mean over its devices that are not offline. */
  errorShare: z.number(),
  responseMs: z.number(),
  usualMs: z.number(),
  degraded: z.int(),
  offline: z.int(),
  /** Replies to requests that had been given up. */
  lateFrames: z.int(),
  /** Sound frames that answer nothing we asked, copies of our own, bytes that are no frame. */
  foreignFrames: z.int(),
  echoes: z.int(),
  junkBytes: z.int(),
  texts: z.array(serverText),
  /** Answers given up because another master had asked the same device meanwhile. */
  collisions: z.int(),
  /** Writes that were held back until another master had finished. */
  yields: z.int(),
  /** Changes of the line setting, and what one takes. */
  lineChanges: z.int(),
  lineChangeMs: z.number(),
  strangers: z.array(stranger),
})

export type DeviceHealthRow = z.infer<typeof deviceHealth>
export type StrangerRow = z.infer<typeof stranger>
export type BusHealthRow = z.infer<typeof busHealth>
