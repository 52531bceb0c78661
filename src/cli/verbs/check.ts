/** Is this site file sound, and what will its buses have to do? Needs no daemon and no devices. */
import { join } from 'node:path'
import type { Checked } from '../../config/check.ts'
import type { Language, Site } from '../../model/site.ts'
import { ROOT } from '../../runtime/root.ts'
import { EXIT } from '../exit.ts'
import { formatPercent, formatSpan } from '../format.ts'
import { printable } from '../printable.ts'
import { findConfig, printJson, printLines, type Session } from '../session.ts'
import { paint } from '../table.ts'
import { say } from '../text.ts'
import { exitOfFindings } from './drivers.ts'
import { countLine, findingLines, findingsJson } from './findings.ts'

type Predicted = {
  readonly bus: string
  readonly cycleMs: number
  readonly utilisation: number
  /** Which poll intervals cannot be kept, a sentence each. */
  readonly complaints: readonly string[]
}

/** Exit 78 where `run` would refuse it, 1 for warnings only. */
export async function check(session: Session): Promise<number> {
  const file = findConfig(session)
  const { checked, predicted } = await look(file)
  const language = languageFor(session, checked.site)
  const { findings } = checked
  if (session.json) printJson(session.io, { findings: findingsJson(findings, language), buses: predicted })
  else {
    const { color } = session.io
    printLines(session.io, [
      ...findingLines(findings, language, color),
      ...countLine(findings, language),
      ...(findings.length === 0 ? [paint(say(language, 'checkFine', { file }), 'green', color)] : []),
      ...predicted.flatMap((bus) => predictionLines(bus, language, color)),
    ])
  }
  const exit = exitOfFindings(findings)
  return exit === EXIT.done && predicted.some(({ complaints }) => complaints.length > 0) ? EXIT.partly : exit
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
        const { cycleMs, utilisation, complaints } = prediction
        predicted.push({ bus: bus.id, cycleMs, utilisation, complaints: complaints.map(({ message }) => message) })
      }
      return all.map(({ bus, prediction }) => ({ ...prediction, bus: bus.index }))
    },
  })
  return { checked, predicted }
}

function predictionLines(
  { bus, cycleMs, utilisation, complaints }: Predicted,
  language: Language,
  color: boolean,
): string[] {
  const what = say(language, 'busCycle', { bus, span: formatSpan(cycleMs, language), load: formatPercent(utilisation) })
  return [what, ...complaints.map((message) => `  ${paint('!', 'yellow', color)} ${printable(message)}`)]
}

/** The site for verbs that work with it offline; null: findings were printed to stderr. */
export async function loadSite(session: Session): Promise<{ site: Site | null; language: Language }> {
  const { checked } = await look(findConfig(session))
  const { site, findings } = checked
  const language = languageFor(session, site)
  if (site === null) session.io.err(`${findingLines(findings, language, false).join('\n')}\n`)
  return { site, language }
}

function languageFor(session: Session, site: Site | null): Language {
  return session.connection.language ?? site?.language ?? 'en'
}
