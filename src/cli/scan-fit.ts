/** Tries the drivers of the library on a device that was found: those beside the site file first. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Found } from '../control/search-found.ts'
import { Findings } from '../driver/finding.ts'
import { candidatesOf, type Fitting, fitOf, ranked } from '../driver/identify.ts'
import { openLibrary } from '../driver/load.ts'
import type { Language } from '../model/site.ts'
import { ROOT } from '../runtime/root.ts'
import { type Asker, askerOf } from './asker.ts'
import { say } from './text.ts'

/** `best`: none speaks for itself more clearly. `proven`: something that only this model says. */
export type Fit = {
  readonly driver: string
  readonly title: string
  readonly best: boolean
  readonly proven: boolean
}
/** Best first. */
export type Seen = Found & { readonly fits: readonly Fit[] }

/** `one`: this driver. `likely`: this one, and only plausible values speak for it. `several`: nothing tells them apart. */
export type Verdict = 'none' | 'one' | 'likely' | 'several'

/** Besides those that fit best. */
const OTHERS_MAX = 2

/** `config`: the site file, whose own drivers come first; null: there is none. */
export function createFitter(
  config: string | null,
  asker: Pick<Asker, 'ask' | 'idle' | 'language'>,
  signal: AbortSignal,
): (found: Found) => Promise<Seen> {
  const near = config === null ? [] : [join(dirname(config), 'drivers')].filter((folder) => existsSync(folder))
  const all = candidatesOf(openLibrary([...near, join(ROOT, 'drivers')], new Findings()))
  return async (found) => {
    const ask = askerOf(asker, found, signal)
    const fitting: Fitting[] = []
    for (const candidate of all.filter(({ protocol }) => protocol === found.protocol)) {
      if (signal.aborted) break
      const evidence = await fitOf(candidate, found.told, ask)
      if (evidence !== null) fitting.push({ candidate, evidence })
    }
    // Stopped in the middle, what was not asked is not known.
    if (signal.aborted) return { ...found, fits: [] }
    const { order, alike } = ranked(fitting, found.line)
    const fits = order.slice(0, alike + OTHERS_MAX).map(({ candidate, evidence }, at) => ({
      driver: candidate.driver,
      title: candidate.title[asker.language],
      best: at < alike,
      proven: evidence.proven > 0,
    }))
    return { ...found, fits }
  }
}

export function verdictOn({ protocol, fits }: Seen): Verdict {
  const best = fits.filter((fit) => fit.best)
  if (best.length !== 1) return best.length === 0 ? 'none' : 'several'
  // A meter's items mean the same in every driver: whichever reads them reads them rightly.
  return protocol !== 'modbus' || best[0]?.proven === true ? 'one' : 'likely'
}

/** One sentence where the driver is not sure; null: it is, or there is none. */
export function doubtOn(seen: Seen, language: Language): string | null {
  const drivers = seen.fits.filter((fit) => fit.best).map(({ driver }) => driver)
  switch (verdictOn(seen)) {
    case 'several':
      return say(language, 'scanSeveralFit', { drivers: drivers.join(', ') })
    case 'likely':
      return say(language, 'scanLikely', { driver: drivers.join() })
    default:
      return null
  }
}
