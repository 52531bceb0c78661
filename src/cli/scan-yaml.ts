/**
 * Who was found, as lines for site.yaml that `check` accepts as they are: those with a driver ready to be used, the others as comments
 * to be filled in. Where several drivers fit alike, each is a comment: to choose one of them is not ours.
 */
import type { Language } from '../model/site.ts'
import { type Seen, verdictOn } from './scan-fit.ts'
import { say } from './text.ts'

export type YamlPlace = {
  /** A bus of the site file; null: one is made for `wire`. */
  readonly bus: { readonly id: string; readonly line: string | null } | null
  /** As a site file writes it. */
  readonly wire: string
  /** Names that the site has already; null: there is no site file, so the lines begin one. */
  readonly taken: ReadonlySet<string> | null
  readonly language: Language
}

/** Ends with a line feed. */
export function scanYaml(seen: readonly Seen[], { bus, wire, taken, language }: YamlPlace): string {
  const names = new Set(taken ?? [])
  const own = bus === null ? commonest(seen) : bus.line
  const name = bus?.id ?? unused('bus', names)
  // A key that the file has already must not be written twice: lines for it go under the one that is there.
  const under = (key: string): string => (taken === null ? `${key}:` : `# ${say(language, 'scanYamlUnder', { key })}`)
  const line = own === null ? '' : `, line: ${own}`
  const buses = bus === null ? [under('buses'), `  ${name}: {wire: ${quoted(wire)}${line}}`] : []
  const entries = seen.flatMap((one) => entryOf(one, { bus: name, own, names, language }))
  const isEmpty = entries.every((entry) => entry.trimStart().startsWith('#'))
  const devices = taken === null && isEmpty ? '# devices:' : under('devices')
  return `${[...buses, devices, ...entries].join('\n')}\n`
}

type Entry = {
  readonly bus: string
  /** The bus's own setting. */
  readonly own: string | null
  readonly names: Set<string>
  readonly language: Language
}

function entryOf(one: Seen, { bus, own, names, language }: Entry): readonly string[] {
  const { protocol, address, line, says, fits } = one
  const where = `bus: ${bus}, address: ${typeof address === 'number' ? address : quoted(address)}`
  const setting = line === null || line === own ? '' : `, line: ${line}`
  const about = says.length > 0 ? `   # ${plain(says.join('; '))}` : ''
  const [best] = fits
  if (best === undefined)
    return [
      `  # ${say(language, 'scanYamlUnknown', { protocol })}${about}`,
      `  # NAME: {driver: DRIVER, ${where}${setting}}`,
    ]
  // The category is what people call it by: meter, pump, io.
  const id = unused(best.driver.split('/')[0] ?? protocol, names)
  const entry = (driver: string): string => `${id}: {driver: ${driver}, ${where}${setting}}`
  const verdict = verdictOn(one)
  if (verdict === 'several')
    return [
      `  # ${say(language, 'scanYamlSeveral')}${about}`,
      ...fits.filter((fit) => fit.best).map(({ driver }) => `  # ${entry(driver)}`),
    ]
  const others = fits.filter((fit) => !fit.best).map(({ driver }) => driver)
  return [
    `  ${entry(best.driver)}${about}`,
    ...(verdict === 'likely' ? [`  # ${say(language, 'scanYamlLikely', { id })}`] : []),
    ...(others.length === 0 ? [] : [`  # ${say(language, 'scanYamlOthers', { drivers: others.join(', ') })}`]),
  ]
}

function unused(base: string, names: Set<string>): string {
  for (let n = 1; ; n++) {
    const name = `${base}_${n}`
    if (names.has(name)) continue
    names.add(name)
    return name
  }
}

/** Setting under which most answered: the bus's own. */
function commonest(seen: readonly Seen[]): string | null {
  const counts = new Map<string, number>()
  for (const { line } of seen) if (line !== null) counts.set(line, (counts.get(line) ?? 0) + 1)
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? null
}

/** A double-quoted scalar of YAML is a string of JSON. */
function quoted(text: string): string {
  return JSON.stringify(text)
}

/** What a device says of itself must not end the comment. */
function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
}
