/** Outputs of composed devices: writing one is writing the point behind it, so both rules hold. */
import type { Role, WriteRule } from '../model/point.ts'

const RANK: Readonly<Record<Role, number>> = { viewer: 0, operator: 1, engineer: 2, admin: 3 }

/** What both allow. `invert`: a true of the first is a false of the second. */
export function strictest(own: WriteRule, behind: WriteRule, invert: boolean): WriteRule {
  const [onMs, offMs] = invert ? [behind.minOffMs, behind.minOnMs] : [behind.minOnMs, behind.minOffMs]
  return {
    role: RANK[own.role] >= RANK[behind.role] ? own.role : behind.role,
    min: extreme(Math.max, own.min, behind.min),
    max: extreme(Math.min, own.max, behind.max),
    step: own.step ?? behind.step,
    readBack: behind.readBack,
    minOnMs: Math.max(own.minOnMs, onMs),
    minOffMs: Math.max(own.minOffMs, offMs),
    rateMs: Math.max(own.rateMs, behind.rateMs),
  }
}

function extreme(of: (a: number, b: number) => number, a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : of(a, b)
}
