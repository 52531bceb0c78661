/**
 * The name that was probably meant: fewest edits (insert, delete, change, swap of neighbours), at most a third of its length; capitals
 * count as small letters.
 */
export function nearest(written: string, names: Iterable<string>): string | null {
  let best: string | null = null
  let fewest = Math.max(1, Math.floor(written.length / 3)) + 1
  for (const name of names) {
    if (Math.abs(name.length - written.length) >= fewest) continue
    const edits = distance(written.toLowerCase(), name.toLowerCase())
    if (edits < fewest) {
      fewest = edits
      best = name
    }
  }
  return best
}

/** Optimal string alignment distance. */
function distance(a: string, b: string): number {
  let older: number[] = []
  let old = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const fresh = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min((old[column] ?? 0) + 1, (fresh[column - 1] ?? 0) + 1, (old[column - 1] ?? 0) + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) cost = Math.min(cost, (older[column - 2] ?? 0) + 1)
      fresh.push(cost)
    }
    older = old
    old = fresh
  }
  return old[b.length] ?? 0
}
