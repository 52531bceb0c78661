/** Points made of other devices' points (`inputs:`): value inverted where asked, time and quality those of the source. */
import type { Point } from '../model/point.ts'
import type { Sample } from '../model/sample.ts'

export type Follower = { readonly point: number; readonly invert: boolean }

/** Source point to the points that follow it. */
export function planFollowers(points: readonly Point[]): ReadonlyMap<number, readonly Follower[]> {
  const followers = new Map<number, Follower[]>()
  for (const point of points) {
    if (point.source.from !== 'point') continue
    const known = followers.get(point.source.point)
    const follower = { point: point.index, invert: point.source.invert }
    if (known === undefined) followers.set(point.source.point, [follower])
    else known.push(follower)
  }
  return followers
}

/** A value that is not a boolean has no opposite and is passed on as it is; `check` refuses such a site file. */
export function followSample(source: Sample, follower: Follower): Sample {
  if (source.quality === 'bad' || !follower.invert || typeof source.value !== 'boolean') {
    return { ...source, point: follower.point }
  }
  return { ...source, point: follower.point, value: !source.value }
}
