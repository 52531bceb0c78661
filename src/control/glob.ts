/** Patterns for names of points and devices: `*` any run of characters, `?` one. No regular expressions from outside. */
import type { Point } from '../model/point.ts'
import type { Site } from '../model/site.ts'

/** Time is at most text length times pattern length: only the last star is ever gone back to. */
export function matches(pattern: string, text: string): boolean {
  let at = 0
  let next = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next
      next += 1
      resume = at
    } else if (next < pattern.length && (pattern[next] === '?' || pattern[next] === text[at])) {
      next += 1
      at += 1
    } else if (star >= 0) {
      next = star + 1
      resume += 1
      at = resume
    } else return false
  }
  while (pattern[next] === '*') next += 1
  return next === pattern.length
}

/** Points whose id matches; a pattern without a dot also names devices: `pump_1` is `pump_1.*`. */
export function pointsMatching(site: Site, pattern: string): readonly Point[] {
  const ofDevices = pattern.includes('.') ? null : `${pattern}.*`
  return site.points.filter(({ id }) => matches(pattern, id) || (ofDevices !== null && matches(ofDevices, id)))
}
