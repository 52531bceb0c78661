/** Tries the drivers of the library on a device that was found: those beside the site file first. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Found } from '../control/search-found.ts'
import { Findings } from '../driver/finding.ts'
import { type Candidate, candidatesOf, fitOf } from '../driver/identify.ts'
import { openLibrary } from '../driver/load.ts'
import { ROOT } from '../runtime/root.ts'
import { type Asker, askerOf } from './asker.ts'

/** A driver that fits, and how well. */
export type Fit = { readonly driver: string; readonly title: string; readonly score: number }
/** Best first. */
export type Seen = Found & { readonly fits: readonly Fit[] }

const FITS_MAX = 3

/** `config`: the site file, whose own drivers come first; null: there is none. */
export function createFitter(
  config: string | null,
  asker: Pick<Asker, 'ask' | 'idle' | 'language'>,
  signal: AbortSignal,
): (found: Found) => Promise<Seen> {
  const near = config === null ? [] : [join(dirname(config), 'drivers')].filter((folder) => existsSync(folder))
  const all = candidatesOf(openLibrary([...near, join(ROOT, 'drivers')], new Findings()))
  return async (found) => {
    const ask = askerOf(asker, found)
    const fits: Fit[] = []
    for (const candidate of all.filter((each) => mayFit(each, found))) {
      if (signal.aborted) break
      const score = await fitOf(candidate, ask)
      if (score > 0) fits.push(fitting(candidate, score, found, asker))
    }
    return { ...found, fits: fits.toSorted((a, b) => b.score - a.score).slice(0, FITS_MAX) }
  }
}

/** A CJ/T 188 meter answers only questions of its own type: the others would be silences. */
function mayFit({ protocol, meterType }: Candidate, found: Found): boolean {
  if (protocol !== found.protocol) return false
  return meterType === null || found.meterType === null || meterType === found.meterType
}

function fitting(
  { driver, title, line, medium }: Candidate,
  score: number,
  found: Found,
  { language }: Pick<Asker, 'language'>,
): Fit {
  // Of two that fit alike, the one whose factory setting it answers with, and the one for what it says that it meters.
  const usual = line !== null && line === found.line ? 0.5 : 0
  const told = medium !== null && found.medium?.includes(medium) === true ? 1 : 0
  return { driver, title: title[language], score: score + usual + told }
}
