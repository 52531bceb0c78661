/**
 * The door of this room: a site file in, the site or all that is wrong with it out. Never throws on bad input; everything is
 * looked at, not only up to the first mistake.
 */
import { basename, dirname, join, resolve } from 'node:path'
import type { Text } from '../model/point.ts'
import type { Language, Site } from '../model/site.ts'
import { readDocument } from '../driver/document.ts'
import { type Finding, Findings } from '../driver/finding.ts'
import { parsePruned } from '../driver/issues.ts'
import { openLibrary } from '../driver/load.ts'
import { durationText } from '../driver/units.ts'
import type { Context } from './context.ts'
import { resolveSite } from './resolve.ts'
import { siteSchema } from './schema.ts'

/** What the polls of one bus come to. */
export type Prediction = {
  /** Index of the bus. */
  readonly bus: number
  /** One round of everything. */
  readonly cycleMs: number
  /** Share of its time that the polls ask for; above 1 they cannot be kept. */
  readonly utilisation: number
  /** Which intervals cannot be kept, a sentence each, where whoever predicts can say. Index of the device; null: the whole bus. */
  readonly complaints?: readonly { readonly device: number | null; readonly message: Text }[]
}

export type CheckOptions = {
  /** Installed driver folders. `drivers/` beside the site file comes before them. */
  readonly libraries: readonly string[]
  /** Left out: nothing is predicted. */
  readonly predict?: (site: Site) => readonly Prediction[]
  /** Folder of systemd credentials. Default: `$CREDENTIALS_DIRECTORY`. */
  readonly credentials?: string | null
}

export type Checked = {
  /** null: there is at least one error among the findings. */
  readonly site: Site | null
  readonly findings: readonly Finding[]
  /** SHA-256 digest (16 hex) of the site file; null: it could not be read. */
  readonly sha: string | null
  /** What the file says of itself, also where it has errors; null: nothing. */
  readonly language: Language | null
}

export function checkSite(file: string, options: CheckOptions): Checked {
  const findings = new Findings()
  const document = readDocument(file, shownName(file), findings)
  const parsed = document === null ? null : parsePruned(siteSchema, document, findings)
  if (document === null || parsed === null)
    return { site: null, findings: findings.sorted(), sha: document?.sha ?? null, language: null }
  const { data, pruned } = parsed
  const folder = dirname(resolve(file))
  const shownFolder = dirname(shownName(file))
  const context: Context = {
    file: data,
    pruned,
    unusable: new Set(),
    document,
    folder,
    shownFolder: shownFolder === '.' ? '' : shownFolder,
    library: openLibrary([join(shownFolder, 'drivers'), ...options.libraries], findings),
    findings,
    secrets: {
      credentials:
        options.credentials === undefined ? (process.env['CREDENTIALS_DIRECTORY'] ?? null) : options.credentials,
      beside: join(folder, 'secrets'),
    },
    lab: data.lab ?? false,
  }
  const site = resolveSite(context)
  if (findings.errors === 0 && options.predict !== undefined) warnOfLoad(options.predict(site), site, context)
  return {
    site: findings.errors === 0 ? site : null,
    findings: findings.sorted(),
    sha: document.sha,
    language: data.language ?? null,
  }
}

/** The site alone, for whoever can do nothing about findings. Throws an Error whose message is all errors, a line each. */
export function loadSite(file: string, options: CheckOptions): Site {
  const { site, findings } = checkSite(file, options)
  if (site !== null) return site
  const lines = findings
    .filter(({ severity }) => severity === 'error')
    .map(({ file: name, line, col, message }) => `${name}:${line}:${col} ${message.en}`)
  throw new Error(lines.join('\n'))
}

function warnOfLoad(predictions: readonly Prediction[], site: Site, { document, findings }: Context): void {
  for (const { bus, cycleMs, utilisation, complaints } of predictions) {
    const id = site.buses[bus]?.id
    for (const { device, message } of complaints ?? []) {
      const of = device === null ? null : site.devices[device]
      const path = of === null ? ['buses', id ?? ''] : ['devices', of?.family ?? of?.id ?? '']
      findings.warn(document.keyAt(path), 'pollsLate', { message })
    }
    if (complaints !== undefined || id === undefined || utilisation <= 1) continue
    const percent = Math.round(utilisation * 100)
    findings.warn(document.keyAt(['buses', id]), 'busOverloaded', {
      bus: id,
      percent,
      cycle: durationText(Math.ceil(cycleMs)),
    })
  }
}

/** `./site.yaml` is `site.yaml` to people. */
function shownName(file: string): string {
  const folder = dirname(file)
  return folder === '.' ? basename(file) : join(folder, basename(file))
}
