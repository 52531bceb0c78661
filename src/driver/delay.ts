/** Times in a driver: written out, or as a parameter that a site may set. */
import { nearest } from '../derive/nearest.ts'
import type { Params } from '../derive/parse.ts'
import type { Path } from './document.ts'
import type { Build } from './points.ts'
import { PARAM } from './shapes.ts'
import { parseDuration } from './units.ts'

export type DelayBuild = Pick<Build, 'findings' | 'keyAt'> & {
  /** null: of a site, which has none. */
  readonly params: Params | null
}

/** ms of a duration, or of the parameter that holds one; null: none is written, or there was a finding. */
export function delayOf(written: string | undefined, path: Path, build: DelayBuild): number | null {
  if (written === undefined) return null
  const [, name] = PARAM.exec(written) ?? []
  if (name === undefined) return parseDuration(written)
  const { params, findings, keyAt } = build
  const value = params !== null && Object.hasOwn(params, name) ? params[name] : undefined
  const given = typeof value === 'string' ? parseDuration(value) : null
  if (value === undefined)
    findings.error(keyAt(path), 'unknownParam', { param: name, near: nearest(name, Object.keys(params ?? {})) })
  else if (given === null) findings.error(keyAt(path), 'paramNoDuration', { param: name, value: String(value) })
  return given
}
