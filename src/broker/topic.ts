/** Topic filters (MQTT 3.1.1, 4.7): which topics a filter matches, and which filters it contains. */

/** Wildcards at the front do not reach topics that begin with `$`. */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && !filter.startsWith('$')) return false
  const wanted = filter.split('/')
  const levels = topic.split('/')
  for (const [at, level] of wanted.entries()) {
    if (level === '#') return true
    if (at >= levels.length || (level !== '+' && level !== levels[at])) return false
  }
  return wanted.length === levels.length
}

/** Every topic that `asked` can match is one that `allowed` matches. `a/#` contains `a`, `a/b`, `a/+/c` and `a/#`. */
export function contains(allowed: string, asked: string): boolean {
  if (asked.startsWith('$') && !allowed.startsWith('$')) return false
  const wide = allowed.split('/')
  const narrow = asked.split('/')
  for (const [at, level] of wide.entries()) {
    if (level === '#') return true
    const other = narrow[at]
    if (other === undefined || other === '#') return false
    if (level !== '+' && level !== other) return false
  }
  return wide.length === narrow.length
}

export function levelsOf(topic: string): number {
  return topic.split('/').length
}
