/** Is this site file sound, and what will its buses have to do? Needs no daemon and no devices. */
import { join } from 'node:path'
import type { Interval } from '../../bus/predict.ts'
import type { Checked } from '../../config/check.ts'
import type { Language, Site } from '../../model/site.ts'
import { ROOT } from '../../runtime/root.ts'
import { capacityOf } from '../../store/capacity.ts'
import { formatBytes, formatPercent, formatSpan } from '../format.ts'
import { findConfig, printJson, printLines, type Session } from '../session.ts'
import { paint, wrap } from '../table.ts'
import { say } from '../text.ts'
import { exitOfFindings } from './drivers.ts'
import { countLine, findingLines, findingsJson, unsound } from './findings.ts'

/** What polls cannot be kept is among the findings, with its place. */
type Predicted = {
  readonly bus: string
  readonly cycleMs: number
  readonly utilisation: number
  /** Devices that will be read less often than asked; the worst block of each. */
  readonly slower: readonly Slower[]
}
type Slower = { readonly device: string; readonly everyMs: number; readonly predictedMs: number }

/** Less than this nobody notices. */
const SLOWER_BY = 1.05
const SLOWER_MAX = 8

/** Exit 78 where `run` would refuse it, 1 for warnings only. */
export async function check(session: Session): Promise<number> {
  const file = findConfig(session)
  const { checked, predicted } = await look(file)
  const language = languageFor(session, checked)
  const { findings } = checked
  if (session.json) {
    const store = checked.site === null ? null : fitting(checked.site)
    printJson(session.io, { findings: findingsJson(findings, language), buses: predicted, store })
  } else {
    const { color } = session.io
    printLines(session.io, [
      ...findingLines(findings, language, color),
      ...countLine(findings, language),
      ...(findings.length === 0 ? [paint(say(language, 'checkFine', { file }), 'green', color)] : []),
      ...predicted.flatMap((bus) => predictionLines(bus, language)),
      ...(checked.site === null ? [] : capacityLines(checked.site, language, session.io.width)),
    ])
  }
  return exitOfFindings(findings)
}

async function look(file: string): Promise<{ checked: Checked; predicted: readonly Predicted[] }> {
  const [{ checkSite }, { predictBus }] = await Promise.all([
    import('../../config/check.ts'),
    import('../../bus/predict.ts'),
  ])
  const predicted: Predicted[] = []
  const checked = checkSite(file, {
    libraries: [join(ROOT, 'drivers')],
    predict(site) {
      const all = site.buses.map((bus) => ({
        bus,
        prediction: predictBus(bus, site.devices, site.points),
      }))
      for (const { bus, prediction } of all) {
        const { cycleMs, utilisation } = prediction
        predicted.push({ bus: bus.id, cycleMs, utilisation, slower: slowerOf(site, prediction.intervals) })
      }
      return all.map(({ bus, prediction }) => ({ ...prediction, bus: bus.index }))
    },
  })
  return { checked, predicted }
}

function slowerOf(site: Site, intervals: readonly Interval[]): readonly Slower[] {
  const worst = new Map<string, Slower>()
  for (const { device, everyMs, predictedMs } of intervals) {
    const id = site.devices[device]?.id
    if (id === undefined || predictedMs <= SLOWER_BY * everyMs) continue
    const known = worst.get(id)
    if (known !== undefined && known.predictedMs / known.everyMs >= predictedMs / everyMs) continue
    worst.set(id, { device: id, everyMs, predictedMs: Math.round(predictedMs) })
  }
  return [...worst.values()]
}

function predictionLines({ bus, cycleMs, utilisation, slower }: Predicted, language: Language): readonly string[] {
  const span = (ms: number): string => formatSpan(ms, language)
  const rest = slower.length - SLOWER_MAX
  return [
    say(language, 'busCycle', { bus, span: span(cycleMs), load: formatPercent(utilisation) }),
    ...slower
      .slice(0, SLOWER_MAX)
      .map(({ device, everyMs, predictedMs }) =>
        say(language, 'checkSlower', { device, every: span(everyMs), predicted: span(predictedMs) }),
      ),
    ...(rest > 0 ? [say(language, 'checkSlowerMore', { n: rest })] : []),
  ]
}

/** What of the raw data fits; null stands for a site that reads nothing. */
function fitting(site: Site): object {
  const { samplesPerDayMost, daysAtMost, daysWanted } = capacityOf(site)
  return {
    budgetBytes: site.store.budgetBytes,
    samplesPerDay: Math.round(samplesPerDayMost),
    rawDaysFitting: Number.isFinite(daysAtMost) ? Math.floor(daysAtMost) : null,
    rawDaysWanted: daysWanted,
  }
}

/** The budget outranks the times to keep: what it holds is said before it is found out. */
function capacityLines(site: Site, language: Language, columns: number): readonly string[] {
  const { samplesPerDayMost, daysAtMost, daysWanted } = capacityOf(site)
  // Nothing is read yet: any budget holds that for ever.
  if (samplesPerDayMost === 0) return []
  const line = say(language, daysAtMost < daysWanted ? 'budgetShort' : 'budgetEnough', {
    budget: formatBytes(site.store.budgetBytes),
    samples: Math.round(samplesPerDayMost),
    days: Math.min(9999, Math.floor(daysAtMost)),
    wanted: Math.round(daysWanted),
  })
  return wrap(line, columns)
}

/** The site for verbs that work with it offline; null: findings were printed to stderr. */
export async function loadSite(session: Session): Promise<{ site: Site | null; language: Language }> {
  const file = findConfig(session)
  const { checked } = await look(file)
  const { site, findings } = checked
  const language = languageFor(session, checked)
  if (site === null && session.json) throw unsound(findings, { file, language })
  if (site === null) session.io.err(`${findingLines(findings, language, false).join('\n')}\n`)
  return { site, language }
}

function languageFor({ connection }: Session, checked: Checked): Language {
  return connection.asked ?? checked.language ?? connection.language
}
