/** Chance that comes out the same every time: a number is a function of seed and place, never of how often it was asked. */

/** FNV-1a over the text, stirred with the seed: 32 bits. */
export function seedOf(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0
  return stir(hash)
}

/** The n-th number of a seed, 0 <= x < 1. */
export function fraction(seed: number, n: number): number {
  return stir((seed ^ Math.imul(n | 0, 0x9e3779b1)) >>> 0) / 2 ** 32
}

/** A number between `low` and `high` that belongs to this seed and name. */
export function between(seed: number, name: string, low: number, high: number): number {
  return low + (high - low) * fraction(seedOf(name, seed), 0)
}

/** A slow wander within -1..1: chance at every period, and a smooth way from one to the next. */
export function wander(seed: number, elapsedMs: number, periodMs: number): number {
  const at = elapsedMs / periodMs
  const step = Math.floor(at)
  const way = (1 - Math.cos(Math.PI * (at - step))) / 2
  const from = fraction(seed, step)
  return 2 * (from + (fraction(seed, step + 1) - from) * way) - 1
}

/** The finaliser of MurmurHash3: every bit of the input moves half of the output. */
function stir(hash: number): number {
  let h = hash
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
