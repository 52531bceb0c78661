/** Who was found, as lines for site.yaml: those with a driver ready to be used, the others as comments to be filled in. */
import type { Language } from '../model/site.ts'
import type { Seen } from './scan-fit.ts'
import { say } from './text.ts'

export type YamlPlace = {
  /** A bus of the site file; null: one is made for `wire`. */
  readonly bus: { readonly id: string; readonly line: string | null } | null
  /** As a site file writes it. */
  readonly wire: string
  /** Names that the site has already. */
  readonly taken: ReadonlySet<string>
  readonly language: Language
}

/** Ends with a line feed. */
export function scanYaml(seen: readonly Seen[], { bus, wire, taken, language }: YamlPlace): string {
  const names = new Set(taken)
  const own = bus === null ? commonest(seen) : bus.line
  const name = bus?.id ?? unused('bus', names)
  const buses =
    bus === null
      ? ['buses:', `  ${name}: {wire: ${quoted(wire)}${own === null ? '' : `, line: ${own}`}}`]
      : [`# ${say(language, 'scanYamlBus', { bus: name })}`]
  const entries = seen.flatMap((one) => entryOf(one, { bus: name, own, names, language }))
  const devices = seen.some(({ fits }) => fits.length > 0) ? 'devices:' : '# devices:'
  return `${[...buses, devices, ...entries].join('\n')}\n`
}

type Entry = {
  readonly bus: string
  /** The bus's own setting. */
  readonly own: string | null
  readonly names: Set<string>
  readonly language: Language
}

function entryOf(
  { protocol, address, line, says, fits }: Seen,
  { bus, own, names, language }: Entry,
): readonly string[] {
  const [best, ...others] = fits
  const where = `bus: ${bus}, address: ${typeof address === 'number' ? address : quoted(address)}`
  const setting = line === null || line === own ? '' : `, line: ${line}`
  const about = says.length > 0 ? `   # ${plain(says.join('; '))}` : ''
  if (best === undefined)
    return [
      `  # ${say(language, 'scanYamlUnknown', { protocol })}${about}`,
      `  # NAME: {driver: DRIVER, ${where}${setting}}`,
    ]
  // The category is what people call it by: meter, pump, io.
  const id = unused(best.driver.split('/')[0] ?? protocol, names)
  const entry = `  ${id}: {driver: ${best.driver}, ${where}${setting}}${about}`
  return others.length === 0
    ? [entry]
    : [entry, `  # ${say(language, 'scanYamlOthers', { drivers: others.map(({ driver }) => driver).join(', ') })}`]
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
