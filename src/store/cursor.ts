/** Which numbers of a lane one uplink has had acknowledged: all up to `low`, and ranges above it. */

export type Range = readonly [from: number, to: number]

/** Ranges kept on disk: what is forgotten is only sent again. */
const SAVED_MAX = 32

export class Cursor {
  #low: number
  /** Ascending, disjoint, not touching each other, all above `low` + 1. */
  #ranges: [number, number][] = []

  constructor(low = 0, ranges: readonly Range[] = []) {
    this.#low = low
    for (const [from, to] of ranges) this.add(from, to)
  }

  get low(): number {
    return this.#low
  }

  get ranges(): readonly Range[] {
    return this.#ranges
  }

  has(number: number): boolean {
    if (number <= this.#low) return true
    return this.#ranges.some(([from, to]) => from <= number && number <= to)
  }

  add(from: number, to = from): void {
    if (to <= this.#low) return
    let first = from
    let last = to
    const kept: [number, number][] = []
    for (const range of this.#ranges) {
      if (range[1] < first - 1 || range[0] > last + 1) kept.push(range)
      else {
        first = Math.min(first, range[0])
        last = Math.max(last, range[1])
      }
    }
    if (first <= this.#low + 1) this.#low = last
    else {
      const at = kept.findIndex((range) => range[0] > first)
      kept.splice(at < 0 ? kept.length : at, 0, [first, last])
    }
    this.#ranges = kept
    const next = kept[0]
    if (next !== undefined && next[0] <= this.#low + 1) {
      kept.shift()
      this.#low = Math.max(this.#low, next[1])
    }
  }

  /** For the disk: the longest ranges only. */
  saved(): readonly Range[] {
    if (this.#ranges.length <= SAVED_MAX) return this.#ranges.map(([from, to]) => [from, to])
    const longest = [...this.#ranges].sort((a, b) => b[1] - b[0] - (a[1] - a[0])).slice(0, SAVED_MAX)
    return longest.sort((a, b) => a[0] - b[0])
  }
}
