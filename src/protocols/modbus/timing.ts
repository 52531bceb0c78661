/** Silence on a serial line (Modbus over Serial Line V1.02, 2.5.1.1). A character counts as 11 bits whatever the line setting. */

const CHARACTER_BITS = 11
/** Above this the two times are fixed: interrupts of faster lines would be too many. */
const FIXED_ABOVE_BAUD = 19_200

export type Silence = {
  /** Between two frames. */
  readonly frameMs: number
  /** At most, between two characters of a frame. */
  readonly characterMs: number
}

export function silenceOf(baud: number): Silence {
  if (baud > FIXED_ABOVE_BAUD) return { frameMs: 1.75, characterMs: 0.75 }
  const characterMs = (CHARACTER_BITS * 1000) / baud
  return { frameMs: 3.5 * characterMs, characterMs: 1.5 * characterMs }
}
